"""What resource servers use of the gateway: PyJWT and python-jose verify tokens by
the published keys, and OAuth's metadata, introspection and revocation answer as
their RFCs say.

It starts the server on SQLite, once for each algorithm, and prints each call. It
exits 0 if every answer is as promised."""

import argparse
import pathlib
import time

import jwt
from jose import jwt as jose_jwt

from edge import JSON, UNLIMITED, Edge, basic, bearer, wait_for_caller

ISSUER = "https://login.example"


def keys(server, email, algorithm):
    """PyJWT and python-jose verify by the published keys."""
    http = server.http
    published = http.get("/.well-known/jwks.json")
    assert published.type in (JSON, "application/jwk-set+json"), published
    assert "max-age" in published.headers["cache-control"], published
    jwks = published.json
    assert len(jwks["keys"]) >= 2, "the next key is not published"
    assert not any(
        {"d", "p", "q", "k"} & set(key) for key in jwks["keys"]
    ), "a private key is published"
    token = server.sign_in(email)["access_token"]
    kid = jwt.get_unverified_header(token)["kid"]
    given = {"audience": "countersign", "issuer": ISSUER}
    key = jwt.PyJWKSet.from_dict(jwks)[kid]
    payload = jwt.decode(token, key, algorithms=[algorithm], **given)
    assert payload["grp"] == "default", payload
    client = jwt.PyJWKClient(f"http://{server.gateway}/.well-known/jwks.json")
    assert client.get_signing_key_from_jwt(token).key_id == kid
    if algorithm != "EdDSA":  # which python-jose does not know
        assert jose_jwt.decode(token, jwks, algorithms=[algorithm], **given) == payload
    try:
        jwt.decode(token[:-6] + "AAAAAA", key, algorithms=[algorithm], **given)
    except jwt.InvalidSignatureError:
        return
    raise AssertionError("an altered token was verified")


def metadata(server):
    """RFC 8414: for what is really offered."""
    http = server.http
    answer = http.get("/.well-known/oauth-authorization-server")
    said = answer.json
    assert answer.status == 200 and answer.type == JSON and said["issuer"] == ISSUER, answer
    for name in ("token_endpoint", "jwks_uri", "introspection_endpoint", "revocation_endpoint"):
        assert said[name].startswith(ISSUER + "/"), said
        path = said[name].removeprefix(ISSUER)
        assert http.send("GET" if name == "jwks_uri" else "POST", path).status not in (
            404,
            405,
        ), path
    assert {"password", "refresh_token"} == set(said["grant_types_supported"]), said
    assert isinstance(said["response_types_supported"], list), said
    there = http.get("/.well-known/change-password")
    assert there.status in (302, 303, 307) and there.headers["location"].startswith("/"), there


def introspect(server, email, service, operator):
    """Resource servers ask by an API key, and are never told why."""
    http = server.http
    tokens = server.sign_in(email)
    ask = {"token": tokens["access_token"]}
    key = basic("shop", service)
    answer = http.post("/introspect", form=ask, headers=key)
    said = answer.json
    assert (
        answer.status == 200 and said["active"] is True and said["sub"] == tokens["user_id"]
    ), answer
    assert said["token_type"] == "Bearer" and said["exp"] > time.time(), said
    assert answer.headers["cache-control"] == "no-store", answer
    assert http.post("/introspect", form=ask, headers=bearer(service)).json["active"] is True
    assert http.post("/introspect", form=ask | {"client_secret": service}).json["active"] is True
    http.done("POST", "/token/revoke", {"token": tokens["refresh_token"]})
    time.sleep(1.2)
    for token in (tokens["access_token"], tokens["refresh_token"], "nonsense", "a.b.c", ""):
        answer = http.post("/introspect", form={"token": token}, headers=key)
        assert answer.status in (200, 400) and answer.json.get("active", False) is False, answer
        assert answer.status == 400 or set(answer.json) == {"active"}, answer
    for headers in (
        {},
        basic("shop", service + "x"),
        basic("shop", "csk_made-up"),
        basic("shop", ""),
        basic("ops", operator),
        {"authorization": "Basic !"},
        bearer(tokens["access_token"]),
    ):
        answer = http.post("/introspect", form=ask, headers=headers)
        assert answer.status == 401 and answer.json["error"] == "invalid_client", answer
        assert answer.headers["www-authenticate"].startswith("Basic"), answer
    assert http.post("/introspect", ask, headers=key).status in (400, 415)


def run(binary, algorithm):
    print(f"{algorithm}:")
    settings = UNLIMITED | {
        "COUNTERSIGN__TOKENS__ALGORITHM": algorithm,
        "COUNTERSIGN__TOKENS__ISSUER": ISSUER,
        "COUNTERSIGN__GATEWAY__PUBLIC_URL": ISSUER,
    }
    server = Edge(binary, settings)
    try:
        service = server.caller("shop", "service")
        operator = server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        email, _ = server.sign_up()
        keys(server, email, algorithm)
        metadata(server)
        introspect(server, email, service, operator)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    for algorithm in ("EdDSA", "ES256", "RS256"):
        run(binary, algorithm)
    print("tokens of 3 of 3 algorithms verify by the published keys")


if __name__ == "__main__":
    main()
