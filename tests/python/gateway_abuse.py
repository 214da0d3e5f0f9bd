"""Abuses the HTTP gateway as a stranger, as another site and as somebody else would:
fields that no client may set, credentials of nobody or of two, other people's
things, sign-ins that lead elsewhere, and questions about who is there.

It starts the server on SQLite, and prints what was tried. It exits 0 if nothing
succeeds."""

import argparse
import pathlib
import re
import statistics
import time
import urllib.parse

from edge import (
    PASSWORD,
    PROBLEM,
    UNLIMITED,
    Edge,
    Http,
    Tried,
    basic,
    bearer,
    new_address,
    raw,
    statuses,
    wait_for_caller,
)

ORIGIN = "http://login.example"
SETTINGS = UNLIMITED | {
    "COUNTERSIGN__GATEWAY__PUBLIC_URL": ORIGIN,
    "COUNTERSIGN__GATEWAY__RETURN_HOSTS": "shop.example,.apps.example",
    "COUNTERSIGN__TOKENS__AUDIENCES": "countersign,shop",
}


def withheld(tried, server, person, other):
    """Fields that a client must not set: with a code of its own anybody could prove any address."""
    http = server.http
    address = {"identifier": {"email": new_address()}}
    for path, more in (
        ("/v1/verifications", {"purpose": "PURPOSE_SIGN_UP"}),
        ("/v1/password/forgotten", {}),
    ):
        for field in (
            {"code": "123456"},
            {"ttl": "1000s"},
            {"ttl": "0s"},
            {"link_prefix": "https://evil.example/"},
            {"link_prefix": "javascript:alert(1)"},
        ):
            answer = http.post(path, address | more | field)
            tried.that(answer.status == 400, path, field, answer)
    code = {
        "identifier": address["identifier"],
        "purpose": "PURPOSE_CHANGE_IDENTIFIER",
        "code": "123456",
    }
    answer = http.post("/v1/identifiers/code", code, headers=bearer(person["access_token"]))
    tried.that(answer.status == 400, "/v1/identifiers/code", answer)
    lie = {"client_context": {"ip_address": "6.6.6.6", "user_agent": "lie"}}
    grant = {"password": {"identifier": {"email": other["email"]}, "password": PASSWORD}}
    headers = {"x-forwarded-for": "7.7.7.7", "x-real-ip": "9.9.9.9", "user-agent": "true"}
    answer = http.post("/v1/tokens", grant | lie, headers=headers)
    if answer.status == 200:
        token = answer.json["tokens"]["access_token"]
        listed = http.done("GET", "/v1/sessions", headers=bearer(token))["sessions"]
        [session] = [session for session in listed if session["current"]]
        said = session["ip_address"], session["user_agent"]
        tried.that(said == ("127.0.0.1", "true"), "client_context", said)
    # Whose it is stands in the token, and nowhere else.
    mine, theirs = bearer(person["access_token"]), other["user_id"]
    for method, path, data in (
        ("GET", f"/v1/sessions?person.user_id={theirs}", None),
        ("GET", f"/v1/sessions?person.access_token={other['access_token']}", None),
        ("GET", f"/v1/profile?access_token={other['access_token']}", None),
        (
            "PATCH",
            "/v1/profile",
            {
                "access_token": other["access_token"],
                "update_mask": "name",
                "profile": {"name": "x"},
            },
        ),
        ("DELETE", f"/v1/sessions?keep_current=true&person.user_id={theirs}", None),
        ("POST", "/v1/profile/withdraw", {"user_id": theirs}),
    ):
        answer = http.send(method, path, data=data, headers=mine)
        tried.that(theirs.encode() not in answer.body, path, answer)
        tried.that(
            answer.status == 400,
            "a field that the gateway fills is dropped and not refused:",
            method,
            path,
            answer,
        )
    for method in ("GET", "DELETE"):
        answer = http.send(method, f"/v1/sessions/{other['session_id']}", headers=mine)
        tried.that(answer.status == 404, "another's session", answer)
    for method, path in (
        ("GET", "/v1/users"),
        ("POST", "/v1/users"),
        ("GET", f"/v1/users/{theirs}"),
        ("DELETE", f"/v1/users/{theirs}"),
        ("POST", f"/v1/users/{theirs}/suspend"),
        ("GET", "/v1/audit-events"),
        ("PATCH", f"/v1/users/{theirs}"),
    ):
        answer = http.send(
            method, path, data={} if method in ("POST", "PATCH") else None, headers=mine
        )
        tried.that(answer.status == 401, path, answer)
    still = http.get("/v1/profile", headers=bearer(other["access_token"]))
    tried.that(
        still.status == 200 and still.json["profile"]["name"] == "",
        "the other one was changed",
        still,
    )


def credentials(tried, server, person):
    """What shows nobody, or two."""
    http, token = server.http, person["access_token"]
    cookie = f"__Host-access={token}"
    other_audience = http.done(
        "POST", "/token/pair", {"email": person["email"], "password": PASSWORD, "audience": "shop"}
    )
    ended = server.sign_in(person["email"])
    http.done("POST", "/token/revoke", {"token": ended["refresh_token"]})
    time.sleep(1.2)
    for headers in (
        {"cookie": f"{cookie}; {cookie}"},
        {"cookie": f"__Host-access=x; {cookie}"},
        {"cookie": f'__Host-access="{token}"'},
        {"cookie": f"__host-access={token}"},
        {"cookie": f"access={token}"},
        {"cookie": f"x__Host-access={token}"},
        {"cookie": cookie, "authorization": "Bearer x"},
        {"cookie": cookie, "authorization": "Basic eDp5"},
        {"cookie": cookie, "authorization": ""},
        bearer(f"{token}, Bearer {token}"),
        {"authorization": token},
        {"authorization": f"Bearer\t{token}"},
        {"authorization": f"DPoP {token}"},
        bearer(person["refresh_token"]),
        bearer(token[:-4] + "AAAA"),
        bearer(token + "."),
        bearer(token + "=" * 3),
        bearer(ended["access_token"]),
        bearer(other_audience["access_token"]),
        basic("x", token),
    ):
        for path in ("/v1/profile", "/auth/verify"):
            answer = http.get(path, headers=headers)
            tried.that(answer.status == 401 and answer.type == PROBLEM, path, headers, answer)
    twice = f"Authorization: Bearer {token}\r\n" * 2
    for path in ("/v1/profile", "/auth/verify"):
        received = raw(
            server.gateway,
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{twice}Connection: close\r\n\r\n",
        )
        tried.that(statuses(received) in ([400], [401]), path, "two Authorization headers")


def other_sites(tried, server, person):
    """A cookie changes something only from the gateway's own pages, and no other host is served."""
    http = server.http
    cookie = {
        "cookie": f"__Host-access={person['access_token']}; __Secure-refresh={person['refresh_token']}"
    }
    name = {"update_mask": "name", "profile": {"name": "x"}}
    foreign = (
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": ORIGIN + "/"},
        {"origin": ORIGIN + ".evil.example"},
        {"origin": ORIGIN + ":8080"},
        {"origin": "https://login.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "cross-site", "origin": ORIGIN},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
        {"referer": ORIGIN + "/profile"},
    )
    for headers in foreign:
        for method, path in (
            ("PATCH", "/v1/profile"),
            ("POST", "/v1/password/change"),
            ("DELETE", "/v1/sessions"),
            ("POST", "/v1/profile/withdraw"),
            ("POST", "/v1/factors/begin"),
        ):
            data = name if method == "PATCH" else None if method == "DELETE" else {}
            answer = http.send(method, path, data=data, headers=cookie | headers)
            tried.that(
                answer.status == 403 and answer.json["reason"] == "FOREIGN_ORIGIN",
                path,
                headers,
                answer,
            )
        if headers and "referer" not in headers:
            for path in ("/logout", "/session/renew"):
                answer = http.send("POST", path, headers=cookie | headers)
                tried.that(answer.status == 403, path, headers, answer)
    # Forms of pages: from other sites, and without the token that goes with the page.
    for headers in (*foreign, {"cookie": cookie["cookie"] + "; __Host-csrf=x"}):
        for path in (
            "/login",
            "/login/code",
            "/login/code/resend",
            "/login/code/verify",
            "/login/factor",
            "/login/passkey",
            "/logout",
            "/sign-up",
            "/sign-up/verify",
            "/password/forgotten",
            "/password/new",
            "/profile",
            "/profile/password",
            "/profile/devices/sign-out-all",
            "/profile/factors/totp",
            "/profile/addresses/remove",
            "/profile/withdraw",
        ):
            form = {"identifier": person["email"], "password": PASSWORD, "csrf_token": ""}
            answer = http.post(path, form=form, headers=cookie | headers)
            tried.that(answer.status in (403, 404, 405), path, headers, answer)
    still = http.get("/v1/profile", headers=bearer(person["access_token"]))
    tried.that(still.status == 200, "the session was ended from another site")
    for headers in ({"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}):
        answer = http.send("PATCH", "/v1/profile", data=name, headers=cookie | headers)
        tried.that(answer.status == 200, "its own pages are refused", headers, answer)
    for method in ("OPTIONS", "GET"):
        answer = http.send(
            method,
            "/v1/profile",
            headers=cookie
            | {
                "origin": "http://evil.example",
                "access-control-request-method": "PATCH",
                "access-control-request-headers": "authorization",
            },
        )
        shared = [
            header for header in answer.headers if header.lower().startswith("access-control-")
        ]
        tried.that(not shared, "CORS", answer)
    for host in (
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "login.example.evil.example",
        "evil.example#login.example",
        "login.example@evil.example",
        "evil.example@login.example",
        "2130706433",
        "",
        "a b",
        "login.example, evil.example",
        "login.example evil.example",
    ):
        received = raw(
            server.gateway,
            f"GET /v1/openapi.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        )
        tried.that(statuses(received) in ([400], [421]), "Host:", host, received[:40])
    two = "GET /v1/openapi.json HTTP/1.1\r\nHost: login.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    tried.that(statuses(raw(server.gateway, two)) in ([400], [421]), "two Host headers")
    far = "GET http://evil.example/v1/openapi.json HTTP/1.1\r\nHost: login.example\r\nConnection: close\r\n\r\n"
    tried.that(statuses(raw(server.gateway, far)) in ([400], [421]), "another authority")


ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "http://evil.example",
    "https://evil.example",
    "HTTPS://EVIL.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "https://shop.example@evil.example",
    "https://shop.example:x@evil.example",
    "https://shop.example:80@evil.example/",
    "https://evil.example#shop.example",
    "https://evil.example?shop.example",
    "https://evil.example/shop.example",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://a.apps.example.evil.example",
    "https://evilapps.example",
    "https://apps.example",
    "https://shop.example%2eevil.example",
    "https://shop.example%00.evil.example",
    "https://shop.example%23.evil.example",
    "https://shop.example\\.evil.example",
    "https://shop.example;evil.example",
    "https://[::1]evil.example",
    "http://login.example@evil.example",
    "http://login.example.evil.example",
    "//login.example@evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://\u0455hop.example",
    "ftp://shop.example",
    "ws://shop.example",
    ".evil.example",
    "@evil.example",
    "evil.example",
    "https://evil.example\\@shop.example",
    "http://2130706433",
    "https://shop.example\r\nSet-Cookie: a=b",
    "/x\r\nSet-Cookie: a=b",
    "//%65vil.example",
    "http:login.example",
    "http:/\\evil.example",
    "file:///etc/passwd",
    "//\u3002evil.example",
)


def elsewhere(tried, server, person):
    """A sign-in leads to no stranger's site, however it is spelled."""
    http = server.http
    for place in ELSEWHERE:
        for refresh in (None, "nonsense", person["refresh_token"]):
            headers = {"cookie": f"__Secure-refresh={refresh}"} if refresh else {}
            answer = http.get(
                "/session/renew?return_to=" + urllib.parse.quote(place, safe=""), headers=headers
            )
            there = answer.headers["location"]
            leads = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query).get(
                "return_to", [there]
            )[0]
            tried.that(
                answer.status in (303, 307) and leads in ("/", "/profile"), repr(place), there
            )
    for scheme, host, path in (
        ("https", "evil.example", "/"),
        ("https", "shop.example@evil.example", "/"),
        ("https", "shop.example", "@evil.example"),
        ("https", "evil.example/", "/"),
        ("javascript", "shop.example", "/"),
        ("", "", "//evil.example"),
        ("https", "shop.example.evil.example", "/"),
        ("https", "shop.example\\", "/.evil.example"),
        ("https://evil.example/?", "shop.example", "/"),
        ("https", "evil.example#", "/"),
        ("https", "evil.example?", "/"),
        ("http", "login.example:80@evil.example", "/"),
    ):
        told = {
            "x-forwarded-method": "GET",
            "x-forwarded-proto": scheme,
            "x-forwarded-host": host,
            "x-forwarded-uri": path,
        }
        answer = http.get("/auth/verify", headers=told | {"accept": "text/html"})
        tried.that(answer.status == 401 and not answer.headers["location"], told, answer)


def who_is_there(tried, server):
    """Neither status nor body nor time tells who has an account."""
    http = Http(server.gateway, quiet=True)
    there = [server.sign_up()[0] for _ in range(12)]
    nobody = [new_address() for _ in there]
    time.sleep(1.2)
    for path, request in (
        ("/token/pair", lambda email: {"email": email, "password": "not it at all"}),
        ("/v1/password/forgotten", lambda email: {"identifier": {"email": email}}),
        (
            "/v1/verifications",
            lambda email: {"identifier": {"email": email}, "purpose": "PURPOSE_SIGN_IN"},
        ),
        (
            "/v1/verifications",
            lambda email: {"identifier": {"email": email}, "purpose": "PURPOSE_SIGN_UP"},
        ),
        ("/v1/sign-up", lambda email: {"identifier": {"email": email}, "password": PASSWORD}),
    ):
        times, shapes = ([], []), set()
        for pair in zip(there, nobody):
            for which, email in enumerate(pair):
                started = time.perf_counter()
                answer = http.post(path, request(email))
                times[which].append(1000 * (time.perf_counter() - started))
                body = re.sub(r'"[0-9a-f-]{36}"|"[0-9T:.Z-]{20,}"|\d', "", answer.body.decode())
                shapes.add((answer.status, body, tuple(sorted(answer.headers.keys()))))
        known, unknown = map(statistics.median, times)
        print(
            f"    {path}: {known:.1f} ms for who is there, {unknown:.1f} ms for who is not (medians)"
        )
        tried.that(len(shapes) == 1, path, shapes)
        tried.that(max(known, unknown) < 2.5 * min(known, unknown) + 20, path, known, unknown)
        time.sleep(1.2)


def sources(tried, binary):
    """The limits of one source are not evaded by headers that say it is another one."""
    limits = {"COUNTERSIGN__PASSWORDS__ATTEMPTS_PER_SOURCE": "5"}

    def guesses(http, headers):
        wrong = {"email": "mina@example.com", "password": "not it at all"}
        return [http.post("/token/pair", wrong, headers=headers(i)).status for i in range(12)]

    for trusted, spellings in (
        (
            {},
            (
                lambda i: {"x-forwarded-for": f"203.0.113.{i}"},
                lambda i: {"forwarded": f"for=203.0.113.{i}"},
                lambda i: {
                    "x-real-ip": f"203.0.113.{i}",
                    "true-client-ip": f"203.0.113.{i}",
                    "cf-connecting-ip": f"203.0.113.{i}",
                },
            ),
        ),
        (
            {"COUNTERSIGN__GATEWAY__TRUSTED_PROXIES": "127.0.0.1/32"},
            (
                lambda i: {"x-forwarded-for": f"203.0.113.{i}, 198.51.100.7"},
                lambda i: {"x-forwarded-for": f"203.0.113.{i}, 127.0.0.1, 198.51.100.7"},
                lambda i: {"x-real-ip": f"203.0.113.{i}", "x-forwarded-for": "198.51.100.7"},
            ),
        ),
    ):
        server = Edge(binary, limits | trusted)
        server.http.quiet = True
        try:
            for headers in spellings:
                answered = guesses(server.http, headers)
                tried.that(429 in answered and answered[-1] == 429, headers(1), answered)
        finally:
            server.stop()


def strangers_keys(tried, binary):
    """With no caller configured a made-up key is nobody's, either: a proxy may stand before the gateway."""
    server = Edge(binary, UNLIMITED)
    try:
        email, _ = server.sign_up()
        token = server.sign_in(email)["access_token"]
        for path in ("/v1/users", "/v1/audit-events"):
            answer = server.http.get(path, headers=bearer("csk_made-up"))
            tried.that(answer.status in (401, 403), path, answer)
        answer = server.http.post(
            "/introspect", form={"token": token}, headers=basic("x", "made-up")
        )
        tried.that(answer.status == 401, "/introspect", answer)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    tried = Tried()
    server = Edge(binary, SETTINGS)
    server.http.quiet = True
    try:
        operator = server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        tried.through(withheld, server, server.person(), server.person())
        for attack in (credentials, other_sites, elsewhere):
            tried.through(attack, server, server.person())
        tried.through(who_is_there, server)
    finally:
        server.stop()
    tried.through(sources, binary)
    tried.through(strangers_keys, binary)
    tried.end()


if __name__ == "__main__":
    main()
