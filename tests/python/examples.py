"""Runs the examples of docs/examples as their README says, in Python and in Node.js,
and uses them as a browser and as a client of a service would: signing in, good, bad,
expired and revoked tokens, a scope that is lacking, an outage, and a restart.

It starts the server on SQLite, and prints each check. It exits 0 if every answer is
as the README says."""

import argparse
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

from edge import PASSWORD, UNLIMITED, Edge, bearer, new_address, wait_for_caller
from walk import Client, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "docs/examples"
ACCESS_TTL = 10
LEEWAY = 5


class Checks:
    def __init__(self, language):
        self.language, self.count = language, 0

    def __call__(self, what, seen, wanted):
        assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"
        self.count += 1
        print(f"    {self.language}, {what}: {wanted}")


class Program:
    """One of the programs, on a port of its own choice."""

    def __init__(self, command, folder, key, *arguments, **environment):
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "COUNTERSIGN_API_KEY": key}
        self.process = subprocess.Popen(
            [*command, "--port", "0", *arguments],
            cwd=folder,
            env=own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
        assert found, f"{command} does not listen: {line!r}"
        self.address = found[1]

    def ask(self, method, path, data=None, headers=()):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            headers = dict(headers)
            if data is not None:
                headers.setdefault("content-type", "application/json")
            body = None if data is None else json.dumps(data)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def python(folder):
    """The steps of the README, but for the installation: the versions are ours, too."""
    wanted = set((HERE / "python/requirements.txt").read_text().split())
    ours = set((ROOT / "tests/python/requirements.txt").read_text().split())
    assert wanted <= ours, f"not the versions of the tests: {wanted - ours}"
    (folder / "generated").mkdir()
    protos = sorted(str(file) for file in (ROOT / "proto/countersign/v1").glob("*.proto"))
    outputs = ["--python_out=generated", "--grpc_python_out=generated"]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "proto")]
    subprocess.run([*protoc, *outputs, *protos], cwd=folder, check=True)
    return [sys.executable], "py", {"PYTHONPATH": "generated"}


def node(folder, prefix):
    modules = (prefix / "node_modules").resolve()
    for name, version in json.loads((folder / "package.json").read_text())["dependencies"].items():
        installed = json.loads((modules / name / "package.json").read_text())["version"]
        assert installed == version, f"{name} {installed} is installed, not {version}"
    (folder / "node_modules").symlink_to(modules)
    return ["node"], "mjs", {}


def issue(client, key, email, *scopes):
    return client.call(
        "IssueTokens",
        (("authorization", f"Bearer {key}"),),
        password={"identifier": {"email": email}, "password": PASSWORD},
        scopes=scopes,
    ).tokens


def protects(check, service, client, key, email, user_id):
    def me(path, *shown):
        headers = {"authorization": " ".join(shown)} if shown else {}
        answer, said = service.ask("GET", path, headers=headers)
        challenge = answer.headers["www-authenticate"] or ""
        return answer.status, said.get("error") or said["user_id"], challenge

    tokens = issue(client, key, email)
    token = tokens.access_token
    invalid = 'Bearer error="invalid_token"'
    missing = (401, "ACCESS_TOKEN_MISSING", 'Bearer realm="example"')
    check("no token", me("/me"), missing)
    check("another scheme", me("/me", "Basic", "bWluYTo="), missing)
    check("a good token", me("/me", "Bearer", token), (200, user_id, ""))
    check("a scheme in lower case", me("/me", "bearer", token), (200, user_id, ""))
    check("nonsense", me("/me", "Bearer", "nonsense"), (401, "MALFORMED", invalid))
    altered = token[:-6] + "AAAAAA"
    check("an altered token", me("/me", "Bearer", altered), (401, "BAD_SIGNATURE", invalid))
    lacking = 'Bearer error="insufficient_scope", scope="profile"'
    wanted = (403, "INSUFFICIENT_SCOPE", lacking)
    check("a scope that is lacking", me("/profile", "Bearer", token), wanted)
    scoped = issue(client, key, email, "profile")
    check("the scope", me("/profile", "Bearer", scoped.access_token), (200, user_id, ""))
    check("another path", service.ask("GET", "/nothing")[0].status, 404)
    revoked = (("authorization", f"Bearer {key}"),)
    client.call("RevokeToken", revoked, token=scoped.refresh_token)
    wanted = (401, "REVOKED", invalid)
    check("a revoked token", me("/me", "Bearer", scoped.access_token), wanted)
    return token


def cookie_of(answer):
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said and "SameSite=Strict" in said and "Path=/" in said, said
    return {"cookie": said.split(";")[0]}


def logs_in(check, gateway, email, user_id):
    right = {"email": email, "password": PASSWORD}
    wrong = right | {"password": "not " + PASSWORD}
    answer, said = gateway.ask("POST", "/login", wrong)
    check("a wrong password", (answer.status, said), (401, {"error": "SIGN_IN_REFUSED"}))
    stranger = right | {"email": new_address()}
    answer, said = gateway.ask("POST", "/login", stranger)
    check("nobody's address", (answer.status, said), (401, {"error": "SIGN_IN_REFUSED"}))
    answer, said = gateway.ask("POST", "/login", right | {"email": "nonsense"})
    check("what is no address", (answer.status, said), (400, {"error": "FIELD_INVALID"}))
    check("no password", gateway.ask("POST", "/login", {"email": email})[0].status, 400)
    check("no JSON", gateway.ask("POST", "/login", 5)[0].status, 400)
    form = {"content-type": "application/x-www-form-urlencoded"}
    check("a form", gateway.ask("POST", "/login", right, form)[0].status, 415)
    check("nobody is signed in", gateway.ask("GET", "/me")[0].status, 401)
    answer, said = gateway.ask("POST", "/login", right)
    check("the right password", (answer.status, said), (200, {"user_id": user_id}))
    cookie = cookie_of(answer)
    answer, said = gateway.ask("GET", "/profile", headers=cookie)
    seen = (answer.status, said["user_id"], said["scopes"])
    check("the service, through the gateway", seen, (200, user_id, ["profile"]))
    made_up = {"cookie": "session=" + secrets.token_urlsafe(32)}
    check("a cookie of nobody", gateway.ask("GET", "/me", headers=made_up)[0].status, 401)
    return cookie


def suspended(check, gateway, client, ops, email, user_id):
    """Who is suspended hears so, and its session has ended."""
    right = {"email": email, "password": PASSWORD}
    answer, _ = gateway.ask("POST", "/login", right)
    cookie = cookie_of(answer)
    check("before it is suspended", gateway.ask("GET", "/me", headers=cookie)[0].status, 200)
    key = (("authorization", f"Bearer {ops}"),)
    client.call("SuspendUser", key, user_id=user_id, reason="overdue")
    answer, said = gateway.ask("POST", "/login", right)
    check("who is suspended", (answer.status, said), (403, {"error": "USER_SUSPENDED"}))
    check("and its session", gateway.ask("GET", "/me", headers=cookie)[0].status, 401)


def over_tls(check, binary, folder, clone, command, suffix, environment):
    """With `--ca`, as the README says; under another authority nobody can tell."""
    names = []
    for name in ("tls", "other"):
        files = [folder / f"{name}.key", folder / f"{name}.crt"]
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
        request += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        made = [*request, "-keyout", files[0], "-out", files[1]]
        subprocess.run(made, check=True, capture_output=True)
        names.append(files)
    (key, certificate), (_, other) = names
    server = Server(
        binary,
        {
            "COUNTERSIGN__SERVER__TLS_CERTIFICATE": str(certificate),
            "COUNTERSIGN__SERVER__TLS_PRIVATE_KEY": str(key),
        },
    )
    at = ("--countersign", "localhost:" + server.address.rpartition(":")[2])
    try:
        for authority, wanted in ((certificate, 401), (other, 503)):
            more = (*at, "--ca", str(authority))
            program = Program([*command, f"protect.{suffix}"], clone, "", *more, **environment)
            try:
                answer, _ = program.ask("GET", "/me", headers={"authorization": "Bearer nonsense"})
                check(f"TLS, with {authority.name}", answer.status, wanted)
            finally:
                program.stop()
    finally:
        server.stop()


def outlives(check, server, start, programs, client, key, email, user_id, token, cookie):
    """An access token expires; the server goes and comes back; the session goes on."""
    service, gateway = programs
    shown = {"authorization": f"Bearer {token}"}
    time.sleep(ACCESS_TTL + LEEWAY + 1)
    answer, said = service.ask("GET", "/me", headers=shown)
    check("an expired token", (answer.status, said), (401, {"error": "EXPIRED"}))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = lambda _: gateway.ask("GET", "/me", headers=cookie)[0].status
        check("four requests renew at once", list(pool.map(asked, range(4))), [200] * 4)

    fresh = {"authorization": f"Bearer {issue(client, key, email).access_token}"}
    check("before the outage", service.ask("GET", "/me", headers=fresh)[0].status, 200)
    server.ends()
    for name, program, headers in (("service", service, fresh), ("gateway", gateway, cookie)):
        answer, _ = program.ask("GET", "/me", headers=headers)
        seen = (answer.status, answer.headers["www-authenticate"])
        check(f"an outage, {name}", seen, (503, None))
    right = {"email": email, "password": PASSWORD}
    answer, said = gateway.ask("POST", "/login", right)
    seen = (answer.status, said, answer.headers["retry-after"])
    check("an outage, sign-in", seen, (503, {"error": "unavailable"}, "1"))
    time.sleep(ACCESS_TTL)  # the gateway has to renew now, and cannot
    answer, _ = gateway.ask("GET", "/me", headers=cookie)
    check("an outage, renewal", answer.status, 503)
    server = start(server)
    due = time.monotonic() + 10
    while gateway.ask("GET", "/me", headers=cookie)[0].status == 503:
        assert time.monotonic() < due, "the gateway does not find the server again"
        time.sleep(0.1)
    answer, said = gateway.ask("GET", "/me", headers=cookie)
    check("after the restart", (answer.status, said.get("user_id")), (200, user_id))
    check("signing out", gateway.ask("POST", "/logout", {}, cookie)[0].status, 200)
    check("signed out", gateway.ask("GET", "/me", headers=cookie)[0].status, 401)
    return server


class Restarting(Edge):
    """A server that leaves its data when it ends, and its ports to the next."""

    def ends(self):
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0


def run(binary, language, prepared):
    """Everything with the programs in one language: how many checks there were."""
    check = Checks(language)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ending:
        folder = pathlib.Path(folder)
        settings = UNLIMITED | {
            "COUNTERSIGN__TOKENS__ACCESS_TTL": f"{ACCESS_TTL}s",
            "COUNTERSIGN__DATA_DIR": str(folder / "data"),
        }
        # As in a clone: an example reads the contract beside it.
        clone = folder / "clone/docs/examples" / language
        left_out = shutil.ignore_patterns("node_modules", "generated", "venv")
        shutil.copytree(HERE / language, clone, ignore=left_out)
        (folder / "clone/proto").symlink_to(ROOT / "proto")
        command, suffix, environment = prepared(clone)

        server = Restarting(binary, settings)
        running = [server]
        ending.callback(lambda: running[-1].process.poll() is None and running[-1].ends())

        def caller(name, role):
            command = [binary, "--data-dir", str(folder / "data"), "caller", "new"]
            said = subprocess.run(
                [*command, "--name", name, "--role", role], capture_output=True, text=True, check=True
            ).stdout
            return next(word for word in said.split() if word.startswith("csk_"))

        email, user_id = server.sign_up()
        second = server.sign_up()
        shop, web, ops = caller("shop", "service"), caller("web", "gateway"), caller("ops", "operator")
        wait_for_caller(server.http, bearer(ops))
        client = Client(server.address)
        at = ("--countersign", server.address)
        service = Program([*command, f"protect.{suffix}"], clone, shop, *at, **environment)
        ending.callback(service.stop)
        there = (*at, "--service", service.address)
        gateway = Program([*command, f"login.{suffix}"], clone, web, *there, **environment)
        ending.callback(gateway.stop)
        unknown = Program([*command, f"protect.{suffix}"], clone, "csk_made-up", *at, **environment)
        ending.callback(unknown.stop)

        token = protects(check, service, client, web, email, user_id)
        shown = {"authorization": f"Bearer {token}"}
        answer, _ = unknown.ask("GET", "/me", headers=shown)
        check("a service without a good key", answer.status, 503)
        suspended(check, gateway, client, ops, *second)
        over_tls(check, binary, folder, clone, command, suffix, environment)
        cookie = logs_in(check, gateway, email, user_id)

        def start(before):
            again = {
                "COUNTERSIGN__SERVER__LISTEN": before.address,
                "COUNTERSIGN__GATEWAY__LISTEN": before.gateway,
            }
            running.append(Restarting(binary, settings | again))
            return running[-1]

        programs = (service, gateway)
        outlives(check, server, start, programs, client, web, email, user_id, token, cookie)
    return check.count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    parser.add_argument("--npm-prefix", required=True, type=pathlib.Path, help="where npm installed")
    arguments = parser.parse_args()
    binary = str(arguments.server.resolve())
    prepared = {"python": python, "node": lambda folder: node(folder, arguments.npm_prefix)}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        count = sum(pool.map(lambda language: run(binary, language, prepared[language]), prepared))
    print(f"the examples answered as their README says, {count} of {count} checks")


if __name__ == "__main__":
    main()
