"""Attacks the HTTP gateway from outside, with requests in shapes that confuse, bodies
that no client of ours writes, and connections that say little or nothing.

It starts the server on SQLite, and prints what was tried. It exits 0 if nothing
succeeds, and the server outlives all of it."""

import argparse
import pathlib
import socket
import subprocess
import threading
import time

from edge import FORM, JSON, PASSWORD, PROBLEM, UNLIMITED, Edge, Http, Tried, bearer, raw, statuses

QUESTION = b'{"token":"x"}'
ALIVE = "/.well-known/jwks.json"


def smuggling(tried, server):
    """A request in a request: one answer at the most, or 400, and the connection ends."""
    host = f"Host: {server.gateway}\r\n"
    inner = f"GET {ALIVE} HTTP/1.1\r\n{host}\r\n".encode()
    post = f"POST /token/verify HTTP/1.1\r\n{host}Content-Type: application/json\r\n".encode()
    chunked = b"d\r\n" + QUESTION + b"\r\n0\r\n\r\n"
    refused = (
        b"Content-Length: 13\r\nContent-Length: 14\r\n\r\n" + QUESTION,
        b"Content-Length: 13, 14\r\n\r\n" + QUESTION,
        b"Content-Length: +13\r\n\r\n" + QUESTION,
        b"Content-Length: 0x0d\r\n\r\n" + QUESTION,
        b"Content-Length: -1\r\n\r\n" + QUESTION,
        b"Content-Length: 99999999999999999999999\r\n\r\n" + QUESTION,
        b"Transfer-Encoding: xchunked\r\n\r\n" + chunked,
        b"Transfer-Encoding: chunked, identity\r\n\r\n" + chunked,
        b"Transfer-Encoding : chunked\r\n\r\n" + chunked,
        b"Content-Length : 13\r\n\r\n" + QUESTION,
        b"X: a\r\n Content-Length: 13\r\n\r\n" + QUESTION,
        b"X: a\r\n\tTransfer-Encoding: chunked\r\n\r\n" + chunked,
        b"X: a\rContent-Length: 13\r\n\r\n" + QUESTION,
        b"X: a\x00b\r\nContent-Length: 13\r\n\r\n" + QUESTION,
        b"Transfer-Encoding: chunked\r\n\r\nd\n" + QUESTION + b"\n0\n\n",
        b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + QUESTION,
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + QUESTION + b"\r\n0\r\n\r\n",
        b'Transfer-Encoding: chunked\r\n\r\nd;a="\n"\r\n' + QUESTION + b"\r\n0\r\n\r\n",
    )
    for shape in refused:
        received = raw(server.gateway, post + shape + inner, wait=2)
        tried.that(statuses(received) in ([400], [408], [413]), "smuggled", shape, received[:80])
    both = b"Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    received = raw(server.gateway, post + both + inner, wait=2)
    tried.that(statuses(received) in ([400], [401]), "both lengths", received[:80])
    received = raw(
        server.gateway,
        post.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + chunked,
        wait=2,
    )
    tried.that(statuses(received) == [400], "chunks in HTTP/1.0", received[:80])
    # What is right is served: pipelined, and with chunks.
    right = post + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
    received = raw(server.gateway, right + inner + inner, wait=2)
    tried.that(statuses(received) == [401, 200, 200], "pipelining", received[:80])


def large(tried, server):
    """More than there is room for."""
    host = f"Host: {server.gateway}\r\n"
    for request, expected in (
        (f"GET {ALIVE} HTTP/1.1\r\n{host}X: {'a' * 600_000}\r\n\r\n", (431,)),
        (
            f"GET {ALIVE} HTTP/1.1\r\n{host}{''.join(f'X{i}: a{chr(13)}{chr(10)}' for i in range(300))}\r\n",
            (431,),
        ),
        (f"GET /{'a' * 70_000} HTTP/1.1\r\n{host}\r\n", (414,)),
        (
            f"POST /token/verify HTTP/1.1\r\n{host}Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
            + f"1000\r\n{'a' * 4096}\r\n" * 20,
            (413,),
        ),
    ):
        received = raw(server.gateway, request, wait=3)
        tried.that(
            statuses(received)[:1] in ([status] for status in expected) or not received,
            request[:60],
            received[:80],
        )
    http = server.http
    for path, data in (
        ("/token/verify", {"token": "a" * 66_000}),
        ("/v1/password/reset", {"proof": "a" * 66_000}),
        ("/token/pair", {"email": "a" * 66_000, "password": "a"}),
    ):
        tried.that(http.post(path, data).status == 413, path, "66 KB")
    tried.that(
        http.post("/token/pair", form={"username": "a" * 66_000, "password": "a"}).status == 413,
        "form",
    )


def slow(tried, server):
    """Who does not go on is cut off; a thousand who say nothing keep nobody out for long."""
    host, port = server.gateway.split(":")
    body = f"POST /token/verify HTTP/1.1\r\nHost: {server.gateway}\r\nContent-Type: {JSON}\r\nContent-Length: 1000\r\n\r\n"
    shapes = {
        "silent": (b"", b""),
        "headers": (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        "request line": (b"GET /", b"a"),
        "body": (body.encode(), b"a"),
        "unfinished body": (body.encode() + b"{", b""),
        "half a preface": (b"PRI * HTTP/2.0\r\n", b""),
        "HTTP/2 without a request": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""),
    }
    took = {}

    def drip(name, first, again):
        started = time.monotonic()
        with socket.create_connection((host, int(port))) as connection:
            connection.settimeout(1)
            connection.sendall(first)
            try:
                while time.monotonic() - started < 60:
                    try:
                        if not connection.recv(65536):
                            break
                    except TimeoutError:
                        connection.sendall(again)
            except OSError:
                pass
        took[name] = time.monotonic() - started

    threads = [threading.Thread(target=drip, args=(name, *shape)) for name, shape in shapes.items()]
    for thread in threads:
        thread.start()
    silent = []
    try:
        for _ in range(1000):
            silent.append(socket.create_connection((host, int(port)), timeout=2))
    except OSError:
        pass
    due, served = time.monotonic() + 15, None
    while time.monotonic() < due and not served:
        try:
            served = Http(server.gateway, quiet=True).get(ALIVE).status == 200
        except OSError:
            time.sleep(0.5)
    tried.that(served, "a thousand silent connections keep others out")
    for connection in silent:
        connection.close()
    for thread in threads:
        thread.join()
    for name, seconds in took.items():
        print(f"    {name}: cut off after {seconds:.0f} s")
        tried.that(seconds < 50, name, "is not cut off")


def bodies(tried, server):
    """Every answer to nonsense is a problem that says so, and never a 5xx."""
    http = server.http
    reset = "/v1/password/reset"

    def refused(path, body, content_type=JSON, expected=(400, 401, 415), method="POST"):
        given = {"content-type": content_type} if content_type is not None else {}
        answer = http.send(method, path, body=body, headers=given)
        is_problem = answer.type == PROBLEM and answer.json["status"] == answer.status
        tried.that(answer.status in expected and is_problem, path, body[:60], content_type, answer)

    for path, member in (("/token/verify", "token"), (reset, "proof")):
        text = f'{{"{member}":"x"}}'.encode()
        for content_type in (
            "text/plain",
            "application/jsonx",
            "multipart/form-data; boundary=x",
            "",
            None,
        ):
            refused(path, text, content_type, (415,))
        if path == reset:
            refused(path, f"{member}=x".encode(), FORM, (415,))
        for body in (
            b"null",
            b"[]",
            b"1",
            b'"x"',
            b"{",
            b"NaN",
            text + b"}",
            text + text,
            text + b" x",
            b'{"%s":1}' % member.encode(),
            b'{"%s":["x"]}' % member.encode(),
            b'{"%s":{}}' % member.encode(),
            b'{"%s":"x","admin":true}' % member.encode(),
            b'{"%s":"\\ud800"}' % member.encode(),
            b'{"%s":"\xff\xfe"}' % member.encode(),
            b'{"%s":"\xc0\xaf"}' % member.encode(),
            b'{"%s":"a\x00b"}' % member.encode(),
            b'{"%s":"a\\u0000b"}' % member.encode(),
            b"\xef\xbb\xbf" + text,
            text.decode().encode("utf-16"),
            b'{"%s":%s}' % (member.encode(), b"[" * 5000 + b"]" * 5000),
            b'{"x":' * 5000 + b"1" + b"}" * 5000,
        ):
            refused(path, body)
        twice = b'{"%s":"x","%s":"y","new_password":"correct horse"}' % (
            member.encode(),
            member.encode(),
        )
        refused(path, twice, expected=(400,))
        said = http.send("POST", path, body=twice, headers={"content-type": JSON}).json
        tried.that("errors" not in said, path, "takes a member twice", said)
    refused("/token/verify", b'["x",null,null,[]]', expected=(400,))
    refused(
        "/v1/sign-up",
        b'{"identifier":{"email":"a@b.example","phone":"+821012345678"}}',
        expected=(400,),
    )
    deep = (
        b'{"update_mask":"attributes","profile":{"attributes":'
        + b'{"a":' * 9000
        + b"1"
        + b"}" * 9002
    )
    refused("/v1/profile", deep, method="PATCH")
    for purpose in (b"99", b"-1", b'"NO"', b"1e99", b"true", b"{}"):
        refused(
            "/v1/verifications",
            b'{"identifier":{"email":"a@b.example"},"purpose":%s}' % purpose,
            expected=(400,),
        )


def queries(tried, server):
    """What stands in a URL: no secrets, nothing twice, and no depth without end."""
    http = server.http
    struct = ".struct_value.fields.value" * 2000
    for method, path in (
        ("PATCH", f"/v1/profile?profile.attributes.fields.value{struct}.string_value=1"),
        ("GET", "/v1/users?" + "a." * 20_000 + "=1"),
        ("GET", "/v1/sessions?" + "person." * 8000 + "=1"),
        ("GET", "/v1/sessions?" + "page_size=1&" * 5000),
    ):
        try:
            status = http.send(method, path).status
        except OSError as error:
            status = repr(error)
            time.sleep(1)
        tried.that(status in (400, 401, 414, 431), path[:60], status)
        tried.that(server.process.poll() is None, path[:60], "the server has died")
        if server.process.poll() is not None:
            return
    # A body's fields are read from bodies alone.
    for path in (
        "/v1/password/reset?proof=x&new_password=correct-horse-battery",
        "/v1/tokens/refresh?refresh_token=x",
        "/v1/verifications?identifier.email=q%40b.example&purpose=PURPOSE_SIGN_UP",
    ):
        answer = http.post(path)
        tried.that(
            answer.status in (400, 415) and "errors" not in answer.json,
            path,
            "is read from the URL",
            answer,
        )
    for path in (
        "/session/renew?return_to=a&return_to=b",
        "/v1/verifications/%ff",
        "/auth/verify?x=1",
    ):
        answer = http.get(path)
        tried.that(
            answer.status in (303, 400) and (answer.type == PROBLEM or answer.status == 303),
            path,
            answer,
        )
    for path in (
        "/v1/../token/pair",
        "/v1/users/../openapi.json",
        "/v1/%2e%2e/v1/openapi.json",
        "//v1/openapi.json",
        "/v1//openapi.json",
        "/v1/openapi.json/",
        "/v1/openapi.json%00",
        "/V1/openapi.json",
        "/v1/openapi.json;x",
        "/assets/../v1/openapi.json",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fetc/passwd",
    ):
        tried.that(
            statuses(
                raw(
                    server.gateway,
                    f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                )
            )
            in ([400], [404]),
            path,
        )


def methods(tried, server, person):
    """Nothing but what is there, and no answer with a person's data or a token may be kept."""
    http = server.http
    for method in ("TRACE", "OPTIONS", "CONNECT", "PUT", "FOO"):
        request = f"{method} {ALIVE} HTTP/1.1\r\nHost: localhost\r\nCookie: a=secret\r\nConnection: close\r\n\r\n"
        received = raw(server.gateway, request)
        tried.that(
            statuses(received) in ([405], [400]) and b"secret" not in received,
            method,
            received[:80],
        )
    answer = http.send("HEAD", "/v1/profile", headers=bearer(person["access_token"]))
    tried.that(answer.status in (200, 405) and not answer.body, "HEAD", answer)
    mine = bearer(person["access_token"])
    for method, path, data, headers in (
        ("GET", "/v1/profile", None, mine),
        ("GET", "/v1/sessions", None, mine),
        ("GET", "/v1/factors", None, mine),
        ("GET", "/v1/profile", None, {}),
        ("GET", f"/v1/sessions/{person['user_id']}", None, mine),
        ("GET", "/v1/users", None, {}),
        ("POST", "/token/pair", {"email": person["email"], "password": PASSWORD}, {}),
        ("POST", "/token/pair", {"email": "a@b.example", "password": "x"}, {}),
        ("POST", "/token/refresh", {"refresh_token": person["refresh_token"]}, {}),
        ("POST", "/token/verify", {"token": person["access_token"]}, {}),
        ("GET", "/auth/verify", None, mine),
        ("GET", "/auth/verify", None, {}),
        ("GET", "/session/renew", None, {}),
    ):
        answer = http.send(method, path, data=data, headers=headers)
        tried.that(
            "no-store" in (answer.headers["cache-control"] or ""),
            "may be kept:",
            method,
            path,
            answer.status,
        )
        for header, value in (
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ):
            tried.that(answer.headers[header] == value, path, header, answer)


def http2(tried, server):
    """HTTP/2 with prior knowledge, by nghttp2's client."""
    url = f"http://{server.gateway}{ALIVE}"
    told = subprocess.run(
        ["nghttp", "-nv", "-H", ":authority: localhost", url],
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout
    tried.that(":status: 200" in told, "nghttp", told[-300:])
    told = subprocess.run(
        ["nghttp", "-nv", "-H", ":authority: evil.example", "-H", "host: localhost", url],
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout
    tried.that(
        ":status: 200" not in told or ALIVE not in url, "another authority in HTTP/2", told[-300:]
    )
    for more in ([], ["--h1"]):
        told = subprocess.run(
            ["h2load", "-n500", "-c10", "-m10", *more, url],
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        tried.that("500 succeeded" in told, "h2load", more, told[-400:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    tried = Tried()
    server = Edge(str(parser.parse_args().server.resolve()), UNLIMITED)
    server.http.quiet = True
    try:
        person = server.person()
        for attack in (smuggling, large, bodies, queries, methods, http2, slow):
            tried.through(attack, server, *([person] if attack is methods else []))
    finally:
        server.stop()
    tried.end()


if __name__ == "__main__":
    main()
