"""Tokens in the form of an old server, with the code of old servers: a Django
project with djangorestframework-simplejwt, and FastAPI projects with python-jose
and with PyJWT. They verify Countersign's tokens, and Countersign theirs.

It starts the server on SQLite, and prints each call. It exits 0 if every answer
is as promised."""

import argparse
import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import secrets
import tempfile
import time

import django
import grpc
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings
from jose import jwt as jose_jwt

from walk import Client, Server

SECRET_KEY = "django-insecure-" + secrets.token_urlsafe(16)
FASTAPI_KEY = secrets.token_hex(10)
OLD_ID = 7
PASSWORD = "correct horse battery"
PURPOSE_SIGN_UP = 1
SIGNED_OUT = grpc.StatusCode.UNAUTHENTICATED


def profile(name, **settings):
    prefix = f"COUNTERSIGN__TOKENS__PROFILES__{name.upper()}__"
    return {prefix + setting.upper(): value for setting, value in settings.items()}


def settings(folder, **more):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = pathlib.Path(folder, "old-rsa.pem")
    path.write_bytes(pem)
    every = {"groups": "default"} | more
    return key, {
        "COUNTERSIGN__TOKENS__AUDIENCES": "new,django,fastapi,subject",
        **profile(
            "django", secret=SECRET_KEY, claims="user_id=external_id_number",
            constants="token_type=access", refresh_constants="token_type=refresh",
            audiences="django", **every,
        ),
        **profile(
            "fastapi", secret=FASTAPI_KEY, claims="id=external_id_number",
            constants="type=access", refresh_constants="type=refresh",
            audiences="fastapi", **every,
        ),
        **profile(
            "subject", algorithm="RS256", private_key=str(path), claims="sub=external_id",
            issuer="https://old.example.com", constants="scope=app", audiences="subject", **every,
        ),
    }


def start_django():
    """A project as it is without any of ours: its settings, its user, its tokens."""
    django_settings.configure(
        SECRET_KEY=SECRET_KEY,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "rest_framework_simplejwt",
        ],
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return User.objects.create_user("mina", id=OLD_ID, email="mina@example.com")


def sign_up(server, client):
    """A user whose id in the old server is known."""
    email = f"{secrets.token_hex(6)}@example.com"
    sent = client.call("SendCode", identifier={"email": email}, purpose=PURPOSE_SIGN_UP)
    code = server.code_for(email)
    proof = client.call("CheckCode", verification_id=sent.verification_id, code=code).proof
    signed_up = client.call(
        "SignUp", identifier={"email": email}, proof=proof, password=PASSWORD
    )
    client.call(
        "UpdateUser", user_id=signed_up.user_id, external_id=str(OLD_ID),
        update_mask={"paths": ["external_id"]},
    )
    return email, signed_up.user_id


def sign_in(client, email, audience):
    grant = {"identifier": {"email": email}, "password": PASSWORD}
    return client.call("IssueTokens", password=grant, audience=audience).tokens


def valid(client, token, audience):
    answer = client.call("ValidateToken", access_token=token, audience=audience)
    assert answer.WhichOneof("verdict") == "valid", answer
    return answer.valid


def rejected(client, token, audience):
    answer = client.call("ValidateToken", access_token=token, audience=audience)
    assert answer.WhichOneof("verdict") == "rejected", answer
    return answer.rejected.reason


WRONG_TYPE, BAD_SIGNATURE, WRONG_AUDIENCE, REVOKED = 2, 4, 6, 10


def simplejwt(client, email, user_id, user):
    """djangorestframework-simplejwt: its own classes sign and verify."""
    from rest_framework_simplejwt.authentication import JWTAuthentication
    from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

    def verify(token):
        backend = JWTAuthentication()
        return backend.get_user(backend.get_validated_token(token.encode()))

    ours = sign_in(client, email, "django")
    assert verify(ours.access_token) == user
    claims = valid(client, ours.access_token, "django")
    assert (claims.subject, claims.external_id) == (user_id, str(OLD_ID)), claims
    assert claims.session_id == ours.session_id

    theirs = RefreshToken.for_user(user)
    access = theirs.access_token
    claims = valid(client, str(access), "django")
    assert (claims.subject, claims.external_id, claims.session_id) == ("", str(OLD_ID), ""), claims
    assert claims.token_id == access["jti"]
    assert rejected(client, str(theirs), "django") == WRONG_TYPE
    assert rejected(client, str(access), "new") == WRONG_AUDIENCE

    # Nobody is logged out: the old refresh token yields a session of ours, once.
    renewed = client.call("RefreshTokens", refresh_token=str(theirs)).tokens
    assert renewed.user_id == user_id
    assert verify(renewed.access_token) == user
    again = client.call("RefreshTokens", refresh_token=str(theirs)).tokens
    assert again.refresh_token == renewed.refresh_token
    client.call("RefreshTokens", refresh_token=renewed.refresh_token)
    client.refused(
        SIGNED_OUT, "REFRESH_TOKEN_REUSED", "RefreshTokens", refresh_token=str(theirs)
    )

    # A lifetime that has passed, and another key.
    stale = AccessToken.for_user(user)
    stale.set_exp(lifetime=-datetime.timedelta(minutes=1))
    assert client.call("ValidateToken", access_token=str(stale), audience="django").HasField("rejected")
    forged = jwt.encode(dict(access.payload), SECRET_KEY + "x", "HS256")
    assert rejected(client, forged, "django") == BAD_SIGNATURE
    return str(access)


def jose(client, email):
    """python-jose, as FastAPI projects use it: `{"id": 7, "type": "access"}`."""
    ours = sign_in(client, email, "fastapi").access_token
    payload = jose_jwt.decode(ours, FASTAPI_KEY, algorithms=["HS256"])
    assert (payload["id"], payload["type"]) == (OLD_ID, "access"), payload
    assert jose_jwt.get_unverified_header(ours) == {"alg": "HS256", "typ": "JWT"}
    now = int(time.time())
    expiry = now + 600
    theirs = jose_jwt.encode({"exp": expiry, "id": OLD_ID, "type": "access"}, FASTAPI_KEY, "HS256")
    claims = valid(client, theirs, "fastapi")
    assert claims.external_id == str(OLD_ID) and claims.expire_time.seconds == expiry
    refresh = jose_jwt.encode({"exp": expiry, "id": OLD_ID, "type": "refresh"}, FASTAPI_KEY, "HS256")
    assert rejected(client, refresh, "fastapi") == WRONG_TYPE
    renewed = client.call("RefreshTokens", refresh_token=refresh).tokens.access_token
    assert jose_jwt.decode(renewed, FASTAPI_KEY, algorithms=["HS256"])["id"] == OLD_ID
    # The key of one profile signs no token of another.
    swapped = jose_jwt.encode({"exp": expiry, "id": OLD_ID, "type": "access"}, SECRET_KEY, "HS256")
    assert client.call("ValidateToken", access_token=swapped, audience="fastapi").HasField("rejected")
    return theirs


def pyjwt(client, email, key):
    """PyJWT, with an RSA key and `{"sub": "7"}`."""
    issuer = "https://old.example.com"
    ours = sign_in(client, email, "subject").access_token
    payload = jwt.decode(ours, key.public_key(), algorithms=["RS256"], issuer=issuer)
    assert payload["sub"] == str(OLD_ID), payload
    moment = datetime.datetime.now(datetime.timezone.utc)
    theirs = {
        "iss": issuer, "sub": str(OLD_ID), "scope": "app",
        "iat": moment, "exp": moment + datetime.timedelta(minutes=10),
    }
    claims = valid(client, jwt.encode(theirs, key, "RS256"), "subject")
    assert (claims.external_id, claims.issuer) == (str(OLD_ID), issuer), claims
    other = jwt.encode(theirs | {"iss": "https://other.example.com"}, key, "RS256")
    assert client.call("ValidateToken", access_token=other, audience="subject").HasField("rejected")
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    # The public key taken for a secret.
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(
        json.dumps({"iss": issuer, "sub": "7", "scope": "app", "exp": int(time.time()) + 60}).encode()
    )
    confused = signed + b"." + part(hmac.new(pem, signed, hashlib.sha256).digest())
    assert client.call(
        "ValidateToken", access_token=confused.decode(), audience="subject"
    ).HasField("rejected")


def put_out(client, email, user_id, old):
    """Ending all sessions of the user ends the old server's tokens, too."""
    ours = sign_in(client, email, "django")
    client.call("RevokeUserSessions", person={"user_id": user_id})
    for token, audience in [(ours.access_token, "django")] + old:
        assert rejected(client, token, audience) == REVOKED


def run(binary, user):
    with tempfile.TemporaryDirectory() as folder:
        key, given = settings(folder)
        server = Server(binary, given)
        try:
            client = Client(server.address)
            email, user_id = sign_up(server, client)
            theirs = simplejwt(client, email, user_id, user)
            of_jose = jose(client, email)
            pyjwt(client, email, key)
            put_out(client, email, user_id, [(theirs, "django"), (of_jose, "fastapi")])
        finally:
            server.stop()
        print("after the date until which they are accepted:")
        _, given = settings(folder, accept_until="2026-01-01")
        server = Server(binary, given)
        try:
            client = Client(server.address)
            email, _ = sign_up(server, client)
            assert rejected(client, theirs, "django") == WRONG_TYPE
            ours = sign_in(client, email, "django").access_token
            assert jwt.get_unverified_header(ours)["typ"] == "at+jwt"
        finally:
            server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    run(str(parser.parse_args().server.resolve()), start_django())
    print("tokens of 3 of 3 old servers verify both ways")


if __name__ == "__main__":
    main()
