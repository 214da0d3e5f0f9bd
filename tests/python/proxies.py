"""Runs nginx and Caddy with the example files of deploy/ as they stand, before a
sample application that is Python's own http.server, and attacks it: whatever a
client sends, the application hears of nobody but of who is signed in.

The ports are those of the examples: 8000 (application), 8080 (gateway), 8888 (nginx)
and 8889 (Caddy), as root in a network of its own, where they are free. It starts the
server on SQLite and a gateway of its own. It exits 0 if no attack succeeds."""

import argparse
import ctypes
import fcntl
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import yaml

from edge import JSON, PASSWORD, PROBLEM, UNLIMITED, Edge, Http, bearer, raw, wait_for_caller

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
GATEWAY, APPLICATION = "127.0.0.1:8080", "127.0.0.1:8000"
NAMES = ("User", "Group", "Session", "Client", "Scopes", "Roles")
PAGE = {"accept": "text/html,application/xhtml+xml"}


CLONE_NEWNET, SIOCSIFFLAGS, UP = 0x40000000, 0x8914, 1


def own_network():
    """Leaves the machine's network for an empty one, if that is allowed."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", UP))


class Application(http.server.ThreadingHTTPServer):
    """Says what it was sent, and keeps count."""

    def __init__(self):
        self.count = 0
        super().__init__(("127.0.0.1", 8000), Echo)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers["content-length"] or 0)
        body = self.rfile.read(length).decode(errors="replace")
        self.server.count += 1
        said = {"path": self.path, "method": self.command, "body": body}
        said["headers"] = list(self.headers.raw_items())
        text = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", JSON)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass


class Gateway:
    """`countersign gateway`, which asks a server elsewhere."""

    def __init__(self, binary, server, key, public_url):
        environment = {"PATH": os.environ["PATH"], "HOME": server.folder.name} | {
            "COUNTERSIGN__GATEWAY__LISTEN": GATEWAY,
            "COUNTERSIGN__GATEWAY__ENDPOINT": f"http://{server.address}",
            "COUNTERSIGN__GATEWAY__API_KEY": key,
            "COUNTERSIGN__GATEWAY__PUBLIC_URL": public_url,
            "COUNTERSIGN__GATEWAY__TRUSTED_PROXIES": "127.0.0.1/32",
            "COUNTERSIGN__METRICS__LISTEN": "",
            "COUNTERSIGN__DATA_DIR": server.folder.name + "/gateway",
        }
        self.process = subprocess.Popen(
            [binary, "gateway"], cwd=server.folder.name, env=environment, stderr=subprocess.DEVNULL
        )
        listens(GATEWAY, self.process)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(timeout=40)


def listens(address, process):
    host, port = address.split(":")
    due = time.monotonic() + 20
    while True:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        try:
            return socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            assert time.monotonic() < due, f"nobody listens on {address}"
            time.sleep(0.1)


def heard(answer):
    """Who the application was told it is, as CGI and WSGI would tell it."""
    said = {}
    for name, value in answer["headers"]:
        name = name.upper().replace("-", "_").strip()
        if name.startswith("X_AUTH_") and value:
            said.setdefault(name, []).append(value)
    return said


def spoofs():
    """Headers by which a stranger says who it is."""
    for name in NAMES:
        for spelling in (
            f"X-Auth-{name}",
            f"x-auth-{name.lower()}",
            f"X-AUTH-{name.upper()}",
            f"x-AuTh-{name}",
            f"X_Auth_{name}",
            f"x_auth_{name.lower()}",
            f"X-Auth_{name}",
            f"X_Auth-{name}",
            f"X-Auth-{name} ",
            f"X-Auth-{name}\t",
        ):
            yield [f"{spelling}: admin"]
        yield [f"X-Auth-{name}: admin", f"x-auth-{name}: root"]
        yield [f"X-Auth-{name}:", f"X-Auth-{name}: admin"]
        yield [f"X_Auth_{name}: admin", f"X-Auth-{name}: admin", f"X_AUTH-{name}: admin"]
        yield [f"X-Auth-{name}: admin", f"Connection: X-Auth-{name}"]
        yield [f"X-Auth-{name}: admin", f"Connection: close, x-auth-{name.lower()}"]
        yield [f"X-Other: a\r\n X-Auth-{name}: admin"]
        yield [f"X-Other: a\nX-Auth-{name}: admin"]
        yield [f"X-Other: a\rX-Auth-{name}: admin"]
        yield [f"X-Auth-{name}: admin, admin"]
        yield [f"\u0425-Auth-{name}: admin"]
        yield [f"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nX-Auth-{name}: admin"]
    yield ["Connection: " + ", ".join(f"X-Auth-{name}" for name in NAMES)]
    yield ["X-Forwarded-User: admin", "Remote-User: admin", "X-Auth: admin"]
    yield ["X-Original-URL: /public/x", "X-Rewrite-URL: /public/x"]
    yield [
        "X-Forwarded-Uri: /public/x",
        "X-Forwarded-Method: GET",
        "X-Forwarded-Host: evil.example",
    ]
    yield ["X-HTTP-Method-Override: GET", "X-Forwarded-Prefix: /public"]


def tried(proxy, path, headers):
    """The status, and what the application was sent, if it was asked."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: localhost:{proxy.rsplit(':')[-1]}",
        *headers,
        "Connection: close",
    ]
    received = raw(proxy, "\r\n".join(lines) + "\r\n\r\n", wait=2)
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1]) if head.startswith(b"HTTP/1.1 ") else 0
    try:
        start, end = body.index(b"{"), body.rindex(b"}") + 1
        answer = json.loads(body[start:end])
    except ValueError:
        answer = None
    return status, answer if answer and "headers" in answer else None


def spoofing(proxy, application, identity):
    """Everything under `spoofs`, of somebody, of nobody and where nobody is asked; and how often it succeeded."""
    own = {f"X_AUTH_{name.upper()}": [value] for name, value in identity.items() if value}
    token = f"Authorization: Bearer {identity['token']}"
    own.pop("X_AUTH_TOKEN")
    tries, successes = 0, []
    for headers in spoofs():
        for path, more, expected in (("/x", [token], own), ("/public/x", [], {}), ("/x", [], None)):
            before = application.count
            status, answer = tried(proxy, path, headers + more)
            tries += 1
            if answer is None:
                asked = application.count - before
                if status < 400 or (asked and expected is None):
                    successes.append((headers, path, status, asked))
            elif expected is None or heard(answer) != expected:
                successes.append((headers, path, answer and heard(answer)))
    for success in successes:
        print("    spoofed:", success)
    print(f"    {tries} attempts to be somebody else, {len(successes)} successes")
    assert not successes, f"{len(successes)} of {tries} attempts succeeded"


def protects(name, proxy, server, application):
    http_ = Http(proxy)
    origin = f"http://localhost:{proxy.rsplit(':')[-1]}"
    host = {"host": origin.removeprefix("http://")}
    email, user_id = server.sign_up()
    tokens = Http(GATEWAY).done("POST", "/token/pair", {"email": email, "password": PASSWORD})
    access, refresh = tokens["access_token"], tokens["refresh_token"]

    # Nothing in the query of a request answers for it.
    for query in ("anonymous=true", "scope=", "anonymous=true&scope=", "audience="):
        answer = http_.get(f"/x?{query}", headers=host)
        assert answer.status == 401 and application.count == 0, answer

    # Programs: 401 with a problem; with a token, the application hears who it is.
    answer = http_.get("/x?a=b", headers=host)
    assert answer.status == 401 and answer.type == PROBLEM, answer
    assert answer.headers["www-authenticate"].startswith("Bearer"), answer
    assert application.count == 0, "the application was asked"
    for headers in (bearer(access), {"cookie": f"__Host-access={access}"}):
        answer = http_.done("GET", "/x?a=b&c=d", headers=headers | host)
        said = heard(answer)
        assert answer["path"] == "/x?a=b&c=d", answer
        assert said["X_AUTH_USER"] == [user_id] and said["X_AUTH_GROUP"] == ["default"], said
        assert said["X_AUTH_SESSION"] == [tokens["session_id"]], said
        assert said["X_AUTH_CLIENT"] == ["edge"] and "X_AUTH_SCOPES" not in said, said
    answer = http_.done("POST", "/x", {"a": 1}, headers=bearer(access) | host)
    assert json.loads(answer["body"]) == {"a": 1} and answer["method"] == "POST", answer
    assert http_.send("HEAD", "/x", headers=bearer(access) | host).status == 200
    for wrong in (
        bearer("nonsense"),
        bearer(access[:-4] + "AAAA"),
        {"cookie": "__Host-access=nonsense"},
    ):
        assert http_.get("/x", headers=wrong | host).status == 401
    two = [f"Authorization: Bearer {access}", "Authorization: Bearer nonsense"]
    status, answer = tried(proxy, "/x", two)
    assert status in (400, 401) and answer is None, "two Authorization headers pass"

    # A scope.
    answer = http_.get("/orders/7", headers=bearer(access) | host)
    assert answer.status == 403 and answer.type == PROBLEM, answer
    assert answer.json["reason"] == "INSUFFICIENT_SCOPE", answer
    # No query of the stranger's takes back what the proxy asks for.
    for query in ("scope=orders.read", "scope=", "scope=orders.read&a=b", "a=b", "scope=x&scope=y"):
        answer = http_.get(f"/orders/7?{query}", headers=bearer(access) | host)
        assert answer.status == 403 and answer.type == PROBLEM, (query, answer)
    grant = {"email": email, "password": PASSWORD, "scopes": ["orders.read"]}
    scoped = Http(GATEWAY).done("POST", "/token/pair", grant)["access_token"]
    answer = http_.done("GET", "/orders/7", headers=bearer(scoped) | host)
    assert heard(answer)["X_AUTH_SCOPES"] == ["orders.read"], answer
    for path in (
        "/public/../orders/7",
        "/orders/./7",
        "/%6frders/7",
        "//orders/7",
        "/orders%2f7",
        "/x/..;/orders/7",
    ):
        status, answer = tried(proxy, path, [f"Authorization: Bearer {access}"])
        if answer:
            print(f"    {path} with no scope reaches the application as {answer['path']}")

    # Browsers are led to the sign-in, and back; where they are signed in, without a page between.
    answer = http_.get("/x?a=b&c=d", headers=PAGE | host)
    assert answer.status in (302, 303), answer
    place = answer.headers["location"]
    assert place.startswith(origin + "/session/renew?return_to="), place
    path = place.removeprefix(origin)
    answer = http_.get(path, headers=PAGE | host)
    assert answer.status == 303 and answer.headers["location"].startswith(
        "/login?return_to="
    ), answer
    answer = http_.get(path, headers=PAGE | host | {"cookie": f"__Secure-refresh={refresh}"})
    assert answer.status == 307 and answer.headers["location"] == origin + "/x?a=b&c=d", answer
    cookies = answer.headers.get_all("set-cookie")
    fresh = next(cookie for cookie in cookies if cookie.startswith("__Host-access=")).split(";")[0]
    assert heard(http_.done("GET", "/x", headers=host | {"cookie": fresh}))["X_AUTH_USER"] == [
        user_id
    ]
    assert http_.post("/x", {"a": 1}, headers=PAGE | host).status == 401
    evil = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-uri": "//evil.example",
        "x-forwarded-proto": "http",
    }
    answer = http_.get("/x", headers=PAGE | host | evil)
    assert answer.headers["location"].startswith(origin + "/session/renew?return_to="), answer
    assert "evil" not in answer.headers["location"], answer
    answer = http_.get("/x", headers=PAGE | {"host": "evil.example"})
    # Caddy has nothing for other hosts, and says 200 to that.
    assert not answer.body or answer.status != 200, answer
    assert "evil" not in (answer.headers["location"] or ""), answer
    # The gateway's own, and what stays inside.
    assert http_.get("/.well-known/change-password", headers=host).status in (302, 303, 307)
    for inside in ("/token/pair", "/introspect", "/v1/users", "/auth/verify", "/_countersign"):
        before = application.count
        answer = http_.get(inside, headers=host)
        assert answer.status in (401, 404), answer
        assert application.count == before, inside
    assert heard(http_.done("GET", "/public/x", headers=host)) == {}

    identity = {"user": user_id, "group": "default", "session": tokens["session_id"]}
    identity |= {"client": "edge", "scopes": "", "roles": "", "token": access}
    spoofing(proxy, application, identity)
    return access


def down(proxy, gateway, server, application, access):
    """Nobody is let through while nobody can tell: the service gone, the gateway mute, the gateway gone."""
    headers = bearer(access) | {"host": f"localhost:{proxy.rsplit(':')[-1]}"}
    http_ = Http(proxy)
    gateway.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    before = application.count
    started = time.monotonic()
    assert http_.get("/x", headers=headers).status >= 500
    assert time.monotonic() - started < 15
    gateway.process.send_signal(signal.SIGCONT)
    assert http_.get("/x", headers=headers).status == 200
    server.stop()
    time.sleep(1.5)
    for more in ({}, PAGE):
        assert http_.get("/x", headers=headers | more).status >= 500
    gateway.stop()
    for more in ({}, PAGE, {"authorization": ""}):
        assert http_.get("/x", headers=headers | more).status >= 500
    assert application.count == before + 1, "somebody was let through"


def run(binary, name, command, proxy, application):
    print(f"{name}:")
    origin = f"http://localhost:{proxy.rsplit(':')[-1]}"
    settings = UNLIMITED | {"COUNTERSIGN__TOKENS__SCOPES": "profile,orders.read"}
    server = Edge(binary, settings)
    with tempfile.TemporaryDirectory() as folder:
        key = server.caller("edge", "gateway")
        operator = server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        gateway = Gateway(binary, server, key, origin)
        process = subprocess.Popen(
            command(folder),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": folder},
        )
        try:
            listens(proxy, process)
            application.count = 0
            access = protects(name, proxy, server, application)
            down(proxy, gateway, server, application, access)
        finally:
            process.terminate()
            process.wait(timeout=20)
            for other in (gateway.process, server.process):
                if other.poll() is None:
                    other.kill()
                    other.wait()


def nginx(folder):
    return ["nginx", "-p", folder, "-c", str(DEPLOY / "nginx/nginx.conf"), "-g", "daemon off;"]


def caddy(_):
    return ["caddy", "run", "--config", str(DEPLOY / "caddy/Caddyfile"), "--adapter", "caddyfile"]


def traefik():
    """Of Traefik's files, which nothing runs here: that they name what the others name."""
    routes = yaml.safe_load((DEPLOY / "traefik/dynamic.yml").read_text())["http"]
    static = yaml.safe_load((DEPLOY / "traefik/traefik.yml").read_text())
    assert static["providers"]["file"]["filename"] == "deploy/traefik/dynamic.yml", static
    pages = re.search(r"PathRegexp\(`(.*?)`\)", routes["routers"]["gateway"]["rule"])[1]
    for other in ("nginx/nginx.conf", "caddy/Caddyfile"):
        assert pages in (DEPLOY / other).read_text(), f"{other} has other pages than {pages}"
    for router in routes["routers"].values():
        assert router["service"] in routes["services"], router
        assert set(router.get("middlewares", ())) <= set(routes["middlewares"]), router
    asked = [one["forwardAuth"] for one in routes["middlewares"].values() if "forwardAuth" in one]
    removed = {name.lower() for name in routes["middlewares"]["nobody"]["headers"]["customRequestHeaders"]}
    names = {line.partition(":")[0].strip() for headers in spoofs() for line in headers}
    aliases = {name for name in names if re.fullmatch(r"(?i)x[-_]auth[-_][a-z]+", name)}
    for name in aliases:
        assert name.lower() in removed, name
        for question in asked:
            assert question["address"].startswith(f"http://{GATEWAY}/auth/verify"), question
            assert re.search(question["authResponseHeadersRegex"], name), name
    print(f"Traefik's files take {len(aliases)} of {len(aliases)} spellings of strangers away")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    traefik()
    own_network()
    application = Application()
    run(binary, "nginx", nginx, "127.0.0.1:8888", application)
    run(binary, "Caddy", caddy, "127.0.0.1:8889", application)
    print("2 of 2 proxies protect the application, and nobody became somebody else")


if __name__ == "__main__":
    main()
