"""Puts Envoy in front of a sample application, with deploy/envoy/envoy.yaml as it stands but
for its addresses, and asks it as browsers, programs and impostors do.

Then the same with an Envoy that removes no header by itself, in both forms in which it
sends headers: what Countersign answers must be enough. Exits 0 if nobody passes who should
not, and no identity reaches the application but that of the token."""

import argparse
import collections
import http.client
import http.server
import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time

from walk import Client, Server

EXAMPLE = pathlib.Path(__file__).parent.parent.parent / "deploy/envoy/envoy.yaml"
NAMES = ("user", "group", "session", "scopes", "roles", "client")
PASSWORD = secrets.token_urlsafe(18)


class Application(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that it got, each with its name as it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        if self.headers.get("transfer-encoding") == "chunked":
            self.read_chunks()
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def read_chunks(self):
        """Trailers are headers to this application."""
        while int(self.rfile.readline(), 16) > 0:
            self.rfile.readline()
        while (line := self.rfile.readline().strip()) != b"":
            name, value = line.decode().split(":", 1)
            self.headers[name] = value.strip()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Envoy:
    """Envoy with a configuration, between an application and Countersign."""

    def __init__(self, folder, key, application, countersign, change=lambda text: text):
        self.port = free_port()
        self.config = folder / "envoy.yaml"
        # As the head of the file says.
        ports = {"Envoy listens": ("10000", self.port)}
        ports |= {"the application": ("9000", application), "Countersign": ("50051", countersign)}
        edits = [f"-e/# {mark}/s/{old}/{new}/" for mark, (old, new) in ports.items()]
        text = subprocess.run(["sed", *edits, EXAMPLE], capture_output=True, text=True, check=True).stdout
        self.config.write_text(change(text))
        binary = pathlib.Path(sys.executable).parent / "envoy"
        command = [binary, "--config-path", self.config, "--disable-hot-restart", "--log-level", "error"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COUNTERSIGN_API_KEY": key}
        self.process = subprocess.Popen([*command, "--concurrency", "2"], env=environment)
        began = time.monotonic()
        while True:
            assert self.process.poll() is None, "Envoy ended"
            assert time.monotonic() - began < 30, "Envoy does not answer"
            try:
                # Until it has its clusters, and knows that Countersign is there.
                if self.ask("/")[0] in (200, 401):
                    break
            except OSError:
                pass
            time.sleep(0.1)

    def ask(self, path, *headers, method="GET", body=None, trailers=()):
        """The status, the challenge and what the application was told of who is asking."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        if trailers:
            connection.putheader("transfer-encoding", "chunked")
            connection.endheaders()
            lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
            connection.send(f"1\r\na\r\n0\r\n{lines}\r\n".encode())
        else:
            connection.endheaders()
        answer = connection.getresponse()
        status, challenge = answer.status, answer.getheader("www-authenticate")
        content = answer.read()
        connection.close()
        return status, challenge, told(json.loads(content)) if status == 200 else None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def told(headers):
    """The identity that an application reads in its headers, if it is as careless with their
    names as CGI is: whatever is no letter and no digit is a hyphen."""
    identity = collections.defaultdict(list)
    for name, value in headers:
        name = re.sub("[^a-z0-9]", "-", name.lower())
        if name.startswith("x-auth-"):
            identity[name.removeprefix("x-auth-")].append(value)
    return dict(identity)


def expect(what, seen, wanted):
    assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"
    print(f"    {what}: {wanted}")


def bearer(token):
    return "authorization", f"Bearer {token}"


def spellings(name):
    """Of the name of a header, with those that look like it."""
    yield from (name, name.title(), name.upper(), name.replace("-", "_"), name.replace("-", "_").upper())
    yield from (name.replace("-", "_", 1), name[:-1] + name[-1].upper(), name.replace("-", "."))
    yield name.replace("-", "~")


def impostors(envoy, path, credentials, identity):
    """How many requests were made that say who they are, none of which was believed."""
    asked, refused = 0, 0
    for name in NAMES:
        for spelling in spellings(f"x-auth-{name}"):
            for values in (["root"], ["root", "root"], [""], ["root,admin"]):
                spoofed = [(spelling, value) for value in values]
                for headers in ([*credentials, *spoofed], [*spoofed, *credentials]):
                    status, _, seen = envoy.ask(path, *headers)
                    asked += 1
                    refused += status != 200
                    assert status in (200, 400), (status, headers)
                    assert status == 400 or seen == identity, f"{headers}: {seen} instead of {identity}"
        # A hop may be told to drop what the hop before has set, and trailers may be taken
        # for headers.
        full = f"x-auth-{name}"
        status, _, seen = envoy.ask(path, *credentials, ("connection", f"close, {full}"))
        assert (status, seen) == (200, identity), (status, seen)
        for trailer in (full, full.replace("-", "_")):
            status, _, seen = envoy.ask(path, *credentials, method="POST", trailers=[(trailer, "root")])
            assert (status, seen) == (200, identity), (status, seen)
        asked += 3
    return asked, refused


def over_http2(envoy, path, token, identity):
    """The same over HTTP/2, where names are in lower case."""
    spoofed = [f"-Hx-auth-{name}: root" for name in NAMES] * 2
    spoofed += [f"-Hx_auth_{name}: root" for name in NAMES]
    credentials = [f"-Hauthorization: Bearer {token}"] if token else []
    url = f"http://127.0.0.1:{envoy.port}{path}"
    command = ["curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", *credentials, *spoofed, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = told(json.loads(done.stdout))
    assert seen == identity, f"{seen} instead of {identity}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=application.serve_forever, daemon=True).start()
    server = Server(binary, {"COUNTERSIGN__TOKENS__SCOPES": "reports:read"})
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(binary, server, application.server_address[1], pathlib.Path(folder))
        finally:
            if server.process.poll() is None:
                server.stop()


def new_key(binary, server, name, role):
    command = [binary, "--data-dir", server.folder.name + "/data", "caller", "new"]
    done = subprocess.run([*command, "--name", name, "--role", role], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def sign_in(client, key, email, **more):
    grant = {"identifier": email, "password": PASSWORD}
    return client.call("IssueTokens", (bearer(key),), password=grant, **more).tokens


def run(binary, server, application, folder):
    client = Client(server.address)
    email = {"email": f"envoy-{secrets.token_hex(6)}@example.com"}
    sent = client.call("SendCode", identifier=email, purpose=1, code="427619")
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="427619").proof
    user_id = client.call("SignUp", identifier=email, password=PASSWORD, proof=proof).user_id
    gateway = new_key(binary, server, "web", "gateway")
    proxy = new_key(binary, server, "envoy", "service")
    time.sleep(3)  # until the server knows of them
    countersign = server.address.rsplit(":", 1)[1]
    plain = sign_in(client, gateway, email)
    reader = sign_in(client, gateway, email, scopes=["reports:read"])
    ended = sign_in(client, gateway, email)
    identity = {"user": [user_id], "group": ["default"], "client": ["web"]}
    of_plain = identity | {"session": [plain.session_id]}
    of_reader = identity | {"session": [reader.session_id], "scopes": ["reports:read"]}
    invalid = 'Bearer error="invalid_token"'

    envoy = Envoy(folder, proxy, application, countersign)
    try:
        expect("no token", envoy.ask("/"), (401, "Bearer", None))
        expect("a bad token", envoy.ask("/", bearer("garbage")), (401, invalid, None))
        expect("a refresh token", envoy.ask("/", bearer(plain.refresh_token)), (401, invalid, None))
        expect("a good token", envoy.ask("/", bearer(plain.access_token)), (200, None, of_plain))
        cookie = ("cookie", f"theme=dark; __Host-access={plain.access_token}")
        expect("a good cookie", envoy.ask("/", cookie), (200, None, of_plain))
        expect("a cookie, and a bad token", envoy.ask("/", cookie, bearer("garbage")), (401, invalid, None))
        twice = [bearer(plain.access_token), bearer(plain.access_token)]
        expect("two tokens", envoy.ask("/", *twice), (401, invalid, None))
        lacking = 'Bearer error="insufficient_scope", scope="reports:read"'
        for path in ("/reports", "/reports/today", "/%72eports", "//reports", "/a/../reports"):
            expect(f"{path} without the scope", envoy.ask(path, bearer(plain.access_token)), (403, lacking, None))
        expect("/reports with the scope", envoy.ask("/reports", bearer(reader.access_token)), (200, None, of_reader))
        step_up = 'Bearer error="insufficient_user_authentication", acr_values="aal2"'
        expect("/payments by a password", envoy.ask("/payments", bearer(plain.access_token)), (401, step_up, None))
        expect("/public without a token", envoy.ask("/public"), (200, None, {}))
        expect("/public with one", envoy.ask("/public", bearer(reader.access_token)), (200, None, of_reader))
        expect("/public with a bad one", envoy.ask("/public", bearer("garbage")), (401, invalid, None))
        expect("before it is revoked", envoy.ask("/", bearer(ended.access_token))[0], 200)
        client.call("RevokeToken", (bearer(gateway),), token=ended.access_token)
        expect("after it is revoked", envoy.ask("/", bearer(ended.access_token)), (401, invalid, None))

        cases = [("/", [bearer(plain.access_token)], of_plain), ("/public", [], {})]
        for path, credentials, of_whom in cases:
            asked, refused = impostors(envoy, path, credentials, of_whom)
            print(f"    {asked} impostors at {path}: {refused} refused, the others not believed")
            over_http2(envoy, path, plain.access_token if credentials else None, of_whom)
    finally:
        envoy.stop()

    def trusting(raw):
        def change(text):
            text = re.sub(r" +early_header_mutation_extensions:.*?(?= +route_config:)", "", text, flags=re.DOTALL)
            text = text.replace("headers_with_underscores_action: DROP_HEADER", "{}")
            text = re.sub(r"common_http_protocol_options:\s*\{\}", "common_http_protocol_options: {}", text)
            assert "- remove:" not in text and "underscores_action" not in text
            return text if raw else text.replace("encode_raw_headers: true", "encode_raw_headers: false")

        return change

    for raw in (True, False):
        envoy = Envoy(folder, proxy, application, countersign, trusting(raw))
        try:
            for path, credentials, of_whom in cases:
                asked, refused = impostors(envoy, path, credentials, of_whom)
                form = "raw headers" if raw else "headers by name"
                print(f"    {asked} impostors at {path}, by Countersign alone ({form}): {refused} refused, "
                      "the others not believed")
                over_http2(envoy, path, plain.access_token if credentials else None, of_whom)
            twice = [bearer(plain.access_token), bearer("garbage")]
            for headers in (twice, twice[::-1]):
                expect("two tokens", envoy.ask("/", *headers), (401, invalid, None))
        finally:
            envoy.stop()

    # What the application would believe, if nobody were asked.
    asks_nobody = (
        'route: {cluster: application}\n                          typed_per_filter_config: '
        '{envoy.filters.http.ext_authz: {"@type": type.googleapis.com/'
        'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}'
    )
    route = "- match: {prefix: /}\n                          route: {cluster: application}"
    assert route in EXAMPLE.read_text()
    open_route = route.replace("route: {cluster: application}", asks_nobody)
    envoy = Envoy(folder, proxy, application, countersign, lambda text: trusting(True)(text).replace(route, open_route))
    try:
        for name in ("x-auth-user", "X-Auth-User", "x_auth_user", "x.auth.user"):
            expect(f"{name} where nobody is asked", envoy.ask("/", (name, "root")), (200, None, {"user": ["root"]}))
    finally:
        envoy.stop()

    wrong = lambda text: text.replace("scopes: reports:read", "scope: reports:read")
    envoy = Envoy(folder, proxy, application, countersign, wrong)
    try:
        expect("a mistake in a route", envoy.ask("/reports", bearer(reader.access_token)), (503, None, None))
        server.stop()
        stopped = envoy.ask("/", bearer(plain.access_token))
        expect("Countersign is stopped", stopped, (503, None, None))
        expect("and no token", envoy.ask("/public"), (503, None, None))
    finally:
        envoy.stop()
    print("Envoy let pass who may, and nobody else")


if __name__ == "__main__":
    main()
