"""Has Node's jose verify access tokens by the published keys, before and after they
rotate, and openid-client be a resource server: it finds the endpoints by OAuth's
metadata (RFC 8414), signs in, asks about tokens (RFC 7662) and ends them (RFC 7009).
PyJWT and python-jose are in gateway_oauth.py.

It starts the server on SQLite, once for each algorithm, and prints each check. It
exits 0 if every answer is as the RFCs say."""

import argparse
import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from edge import PASSWORD, UNLIMITED, Edge, bearer, wait_for_caller

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "node"
ACCESS_TTL, LEEWAY = 10, 5


class Checks:
    def __init__(self, algorithm):
        self.algorithm, self.count = algorithm, 0

    def __call__(self, what, seen, wanted):
        assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"
        self.count += 1
        print(f"    {self.algorithm}, {what}: {wanted}")


class Script:
    """A script of tests/node, with which lines of JSON are exchanged."""

    def __init__(self, folder, name, *arguments):
        self.process = subprocess.Popen(
            ["node", folder / name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )

    def __call__(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the script ended with {self.process.wait(timeout=10)}"
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def installed(prefix, folder):
    """The scripts beside what npm has installed, in the versions that are pinned."""
    modules = (prefix / "node_modules").resolve()
    pinned = json.loads((SCRIPTS / "package.json").read_text())["dependencies"]
    for name, version in pinned.items():
        there = json.loads((modules / name / "package.json").read_text())["version"]
        assert there == version, f"{name} {there} is installed, not {version}"
    shutil.copytree(SCRIPTS, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(modules)


def free_port():
    """The metadata's issuer has to be known before the server starts."""
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def keys(server, *command):
    data = ("--data-dir", server.folder.name + "/data")
    done = subprocess.run([server.binary, *data, "keys", *command], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


def verifies(check, server, script, email):
    """jose, by a key set that it keeps and by new ones."""

    def outcome(token, audience="countersign", keys="kept"):
        said = script(token=token, audience=audience, keys=keys)
        return said.get("code") or said["claims"]["sub"]

    def sign_in():
        tokens = server.sign_in(email)
        return tokens["access_token"], tokens["user_id"]

    first, user_id = sign_in()
    said = script(token=first, audience="countersign", keys="kept")
    claims = said["claims"]
    seen = (claims["sub"], claims["aud"], claims["grp"], claims["amr"], said["fetched"])
    check("jose, a good token", seen, (user_id, "countersign", "default", ["pwd"], 1))
    check("another audience", outcome(first, "shop"), "ERR_JWT_CLAIM_VALIDATION_FAILED")
    altered = first[:-6] + "AAAAAA"
    check("an altered token", outcome(altered), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED")
    check("a token of nobody", outcome("a.b.c")[:8], "ERR_JWS_")
    bare = ".".join(first.split(".")[:2]) + "."
    check("without a signature", outcome(bare), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED")

    # The next key is published before it signs: who keeps the set need not ask again.
    keys(server, "rotate")
    due = time.monotonic() + 10
    while (second := sign_in()[0]).split(".")[0] == first.split(".")[0]:
        assert time.monotonic() < due, "the next key does not sign"
        time.sleep(0.2)
    said = script(token=second, audience="countersign", keys="kept")
    seen = (said["claims"]["sub"], said["fetched"])
    check("after a rotation, with the set that was kept", seen, (user_id, 0))
    check("a token from before, with the set that was kept", outcome(first), user_id)
    check("a token from before, with a new set", outcome(first, keys="fresh"), user_id)

    assert time.time() < claims["exp"] + LEEWAY, "the rotation took longer than the token lived"
    time.sleep(max(0, claims["exp"] + LEEWAY + 1 - time.time()))
    check("an expired token", outcome(first), "ERR_JWT_EXPIRED")

    # A key that somebody else has is published no more.
    third, _ = sign_in()
    check("before the key is revoked", outcome(third, keys="fresh"), user_id)
    kid = kid_of(third)
    keys(server, "revoke", kid)
    due = time.monotonic() + 10
    while kid in {key["kid"] for key in published(server)}:
        assert time.monotonic() < due, "a revoked key is still published"
        time.sleep(0.2)
    check("after it is revoked", outcome(third, keys="fresh"), "ERR_JWKS_NO_MATCHING_KEY")
    fourth, _ = sign_in()
    check("with the key after it", outcome(fourth, keys="fresh"), user_id)


def kid_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def published(server):
    return server.http.get("/.well-known/jwks.json").json["keys"]


def asks(check, server, script, email, user_id, service, issuer):
    """openid-client, which knows the issuer alone."""
    metadata = script(do="metadata")
    seen = (metadata["issuer"], metadata["introspection_endpoint"])
    check("openid-client, the metadata", seen, (issuer, issuer + "/introspect"))
    grant = {"username": email, "password": PASSWORD, "scope": "profile"}
    tokens = script(do="signIn", **grant)
    check("the grant `password`", (tokens["token_type"], tokens["expires_in"] > 0), ("bearer", True))
    wrong = script(do="signIn", **grant | {"password": "not " + PASSWORD})
    check("a wrong password", (wrong["failed"], wrong["status"]), ("invalid_grant", 400))
    renewed = script(do="renew", refresh_token=tokens["refresh_token"])
    check("the grant `refresh_token`", bool(renewed["access_token"]), True)
    for by in ("basic", "post"):
        said = script(do="introspect", token=renewed["access_token"], key=service, by=by)
        seen = (said["active"], said["sub"], said["scope"], said["iss"], said["token_type"].lower())
        wanted = (True, user_id, "profile", issuer, "bearer")
        check(f"introspection, client_secret_{by}", seen, wanted)
    ask = {"do": "introspect", "key": service, "by": "basic"}
    check("of a refresh token", script(**ask, token=renewed["refresh_token"]), {"active": False})
    check("of nonsense", script(**ask, token="nonsense"), {"active": False})
    stranger = script(**ask | {"key": "csk_made-up"}, token=renewed["access_token"])
    check("by a stranger", stranger.get("status"), 401)
    check("revocation", script(do="revoke", token=renewed["refresh_token"]), {"revoked": True})
    time.sleep(1.2)
    check("of a revoked token", script(**ask, token=renewed["access_token"]), {"active": False})
    ended = script(do="renew", refresh_token=renewed["refresh_token"])
    check("renewal of what was revoked", (ended["failed"], ended["status"]), ("invalid_grant", 400))
    check("revocation of nonsense", script(do="revoke", token="nonsense"), {"revoked": True})


def run(binary, folder, algorithm):
    """All checks with tokens of one algorithm, and how many there were."""
    check = Checks(algorithm)
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    settings = UNLIMITED | {
        "COUNTERSIGN__TOKENS__ALGORITHM": algorithm,
        "COUNTERSIGN__TOKENS__ISSUER": issuer,
        "COUNTERSIGN__TOKENS__ACCESS_TTL": f"{ACCESS_TTL}s",
        "COUNTERSIGN__TOKENS__SCOPES": "profile",
        "COUNTERSIGN__GATEWAY__PUBLIC_URL": issuer,
        "COUNTERSIGN__GATEWAY__LISTEN": f"127.0.0.1:{port}",
    }
    server = Edge(binary, settings)
    server.http.quiet = True
    with contextlib.ExitStack() as ending:
        ending.callback(server.stop)
        service, operator = server.caller("shop", "service"), server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        email, user_id = server.sign_up()
        script = Script(folder, "resource_server.mjs", issuer)
        ending.callback(script.stop)
        asks(check, server, script, email, user_id, service, issuer)
        jwks = f"{issuer}/.well-known/jwks.json"
        script = Script(folder, "verify.mjs", jwks, issuer, algorithm)
        ending.callback(script.stop)
        verifies(check, server, script, email)
    return check.count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    parser.add_argument("--npm-prefix", required=True, type=pathlib.Path, help="where npm installed")
    arguments = parser.parse_args()
    binary = str(arguments.server.resolve())
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor() as pool:
        folder = pathlib.Path(name)
        installed(arguments.npm_prefix, folder)
        algorithms = ("EdDSA", "ES256", "RS256")
        count = sum(pool.map(lambda algorithm: run(binary, folder, algorithm), algorithms))
    print(f"jose and openid-client were answered as the RFCs say, {count} of {count} checks")


if __name__ == "__main__":
    main()
