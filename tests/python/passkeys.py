"""Enrols passkeys and signs in with them, by parties that are not ours: Chromium
with its virtual authenticator, at a page on http://localhost, and Python's
grpcio, which knows the service through reflection alone.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import json
import pathlib

import grpc

from browser import Browser, page
from factors import PASSWORD, PURPOSE_SIGN_UP, methods
from walk import REDIS, Client, Server

RECOVERY_CODE = 2
PASSKEY = 3

DENIED = grpc.StatusCode.PERMISSION_DENIED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def sign_up(client, email):
    address = {"email": email}
    sent = client.call("SendCode", identifier=address, purpose=PURPOSE_SIGN_UP, code="604182")
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="604182").proof
    client.call("SignUp", identifier=address, password=PASSWORD, proof=proof)


def sign_in(client, email):
    grant = {"identifier": {"email": email}, "password": PASSWORD}
    return client.call("IssueTokens", password=grant)


def enroll(client, browser, email):
    whose = {"access_token": sign_in(client, email).tokens.access_token}
    begun = client.call("BeginEnrollment", **whose, kind=PASSKEY, label="key")
    credential = browser.create(begun.creation_options)
    confirm = {**whose, "enrollment_id": begun.enrollment_id}
    client.refused(INVALID, "FIELD_INVALID", "ConfirmEnrollment", **confirm, code="123456")
    changed = json.loads(credential)
    changed["response"]["attestationObject"] = "oA"
    client.refused(
        INVALID, "FIELD_INVALID", "ConfirmEnrollment", **confirm, credential=json.dumps(changed)
    )
    confirmed = client.call("ConfirmEnrollment", **confirm, credential=credential)
    assert len(confirmed.recovery_codes) == 10, confirmed
    # A browser makes no second passkey where the user has one.
    again = client.call("BeginEnrollment", **whose, kind=PASSKEY)
    excluded = json.loads(again.creation_options)["excludeCredentials"]
    assert [one["id"] for one in excluded] == [json.loads(credential)["id"]], excluded


def second_factor(client, browser, email):
    asked = sign_in(client, email).mfa_required
    assert list(asked.factors) == [RECOVERY_CODE, PASSKEY], asked
    session = {"mfa_session_id": asked.mfa_session_id}
    begun = client.call("BeginMfaAssertion", **session)
    first = browser.get(begun.request_options)
    begun = client.call("BeginMfaAssertion", **session)
    # It answers a challenge that was replaced.
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ValidateMfaSession", **session, credential=first)
    begun = client.call("BeginMfaAssertion", **session)
    answer = browser.get(begun.request_options)
    tokens = client.call("ValidateMfaSession", **session, credential=answer).tokens
    shown = methods(client, tokens)
    assert shown == ["mfa", "pop", "pwd", "user"], shown


def only_factor(client, browser):
    begun = client.call("BeginPasskeySignIn")
    credential = browser.get(begun.request_options)
    issued = client.call("IssueTokens", passkey={"credential": credential})
    shown = methods(client, issued.tokens)
    assert shown == ["mfa", "pop", "user"], shown
    client.refused(
        UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens", passkey={"credential": credential}
    )


def no_only_factor(client, browser):
    begun = client.call("BeginPasskeySignIn")
    try:
        browser.get(begun.request_options)
    except RuntimeError as error:
        assert "NotAllowedError" in str(error), error
    else:
        raise AssertionError("the browser answers for a key that cannot sign in by itself")


def walk(client, browser):
    kinds = [
        # A phone or a laptop, and security keys with less and less.
        {"resident": True, "verifies": True},
        {"resident": True, "verifies": False},
        {"resident": False, "verifies": True},
        {"resident": False, "verifies": False},
    ]
    for number, kind in enumerate(kinds):
        print(f"  an authenticator with {kind}:")
        email = f"person{number}@example.com"
        authenticator = browser.authenticator(**kind)
        sign_up(client, email)
        enroll(client, browser, email)
        second_factor(client, browser, email)
        if kind["resident"] and kind["verifies"]:
            only_factor(client, browser)
        else:
            no_only_factor(client, browser)
        browser.remove(authenticator)
    return len(kinds)


def not_configured(binary):
    server = Server(binary, {})
    try:
        client = Client(server.address)
        client.refused(PRECONDITION, "PASSKEYS_NOT_CONFIGURED", "BeginPasskeySignIn")
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    stores = {"SQLite, in-process store": {}, "SQLite and Redis": {"COUNTERSIGN__REDIS__URL": REDIS}}
    not_configured(binary)
    used = 0
    with page() as origin, page() as elsewhere:
        passkeys = {
            "COUNTERSIGN__PASSKEYS__RP_ID": "localhost",
            "COUNTERSIGN__PASSKEYS__ORIGINS": origin,
        }
        for name, settings in stores.items():
            print(f"{name}:")
            server = Server(binary, {**settings, **passkeys})
            browser, other = Browser(origin), Browser(elsewhere)
            try:
                client = Client(server.address)
                used += walk(client, browser)
                # A page that is not listed gets an answer, which is not taken.
                other.authenticator()
                sign_up(client, "other@example.com")
                whose = {
                    "access_token": sign_in(client, "other@example.com").tokens.access_token
                }
                begun = client.call("BeginEnrollment", **whose, kind=PASSKEY)
                client.refused(
                    DENIED,
                    "SECOND_FACTOR_WRONG",
                    "ConfirmEnrollment",
                    **whose,
                    enrollment_id=begun.enrollment_id,
                    credential=other.create(begun.creation_options),
                )
            finally:
                browser.close()
                other.close()
                server.stop()
    print(f"{used} of {4 * len(stores)} authenticators of Chromium were enrolled and used")


if __name__ == "__main__":
    main()
