"""Enrols an authenticator app and an address, and signs in with them, by clients that
are not ours: Python's grpcio, which knows the service through reflection alone, and
pyotp, which makes the codes as people's apps do.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import pathlib
import time

import grpc
import pyotp

from walk import REDIS, Client, Server

EMAIL = {"email": "mina@example.com"}
PASSWORD = "seven brown otters hum at noon"
PURPOSE_SIGN_UP = 1
TOTP = 1
RECOVERY_CODE = 2
CODE_BY_MAIL = 5

DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def sign_up(client):
    sent = client.call("SendCode", identifier=EMAIL, purpose=PURPOSE_SIGN_UP, code="604182")
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="604182").proof
    client.call("SignUp", identifier=EMAIL, password=PASSWORD, proof=proof)


def sign_in(client):
    return client.call("IssueTokens", password={"identifier": EMAIL, "password": PASSWORD})


def methods(client, tokens):
    valid = client.call("ValidateToken", access_token=tokens.access_token).valid
    return sorted(valid.authentication_methods)


def enroll(client, access_token):
    """The secret, by its URI and typed in; the recovery codes; the code used."""
    begun = client.call("BeginEnrollment", access_token=access_token, kind=TOTP, label="phone")
    app = pyotp.parse_uri(begun.otpauth_uri)
    assert app.secret == begun.secret == pyotp.TOTP(begun.secret).secret, begun
    assert (app.digits, app.interval, app.digest().name) == (6, 30, "sha1"), begun.otpauth_uri
    assert "<svg" in begun.qr_code_svg, begun.qr_code_svg[:80]
    confirm = {"access_token": access_token, "enrollment_id": begun.enrollment_id}
    code = app.now()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ConfirmEnrollment", **confirm, code=wrong)
    confirmed = client.call("ConfirmEnrollment", **confirm, code=code)
    client.refused(NOT_FOUND, "ENROLLMENT_NOT_FOUND", "ConfirmEnrollment", **confirm, code=code)
    recovery = list(confirmed.recovery_codes)
    assert len(set(recovery)) == 10, recovery
    return app, confirmed.factor_id, recovery, code


def second_factor(client):
    sign_up(client)
    tokens = sign_in(client).tokens
    assert methods(client, tokens) == ["pwd"]
    app, factor_id, recovery, used = enroll(client, tokens.access_token)

    asked = sign_in(client)
    assert asked.WhichOneof("outcome") == "mfa_required", asked
    assert list(asked.mfa_required.factors) == [TOTP, RECOVERY_CODE], asked
    answer = {"mfa_session_id": asked.mfa_required.mfa_session_id}
    # The code that confirmed the enrolment is used.
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ValidateMfaSession", **answer, code=used)
    code = app.at(int(time.time()) + 30)
    both = client.call("ValidateMfaSession", **answer, code=f"{code[:3]} {code[3:]}").tokens
    assert methods(client, both) == ["mfa", "otp", "pwd"]
    client.refused(NOT_FOUND, "MFA_SESSION_NOT_FOUND", "ValidateMfaSession", **answer, code=code)

    # On paper, typed in another way; once.
    for typed in (recovery[0].upper(), recovery[1].replace("-", " ")):
        answer = {"mfa_session_id": sign_in(client).mfa_required.mfa_session_id}
        client.call("ValidateMfaSession", **answer, code=typed)
    answer = {"mfa_session_id": sign_in(client).mfa_required.mfa_session_id}
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ValidateMfaSession", **answer, code=recovery[0])

    whose = {"access_token": both.access_token}
    listed = client.call("ListFactors", **whose)
    assert [f.label for f in listed.factors] == ["phone"], listed
    assert listed.remaining_recovery_codes == 8, listed
    client.call("RemoveFactor", **whose, factor_id=factor_id)
    client.refused(NOT_FOUND, "FACTOR_NOT_FOUND", "RemoveFactor", **whose, factor_id=factor_id)
    client.refused(NOT_FOUND, "FACTOR_NOT_FOUND", "RegenerateRecoveryCodes", **whose)
    assert sign_in(client).WhichOneof("outcome") == "tokens"


def code_by_mail(client, server):
    """The address is enrolled by a code that is sent to it, and answers by another."""
    whose = {"access_token": sign_in(client).tokens.access_token}
    begun = client.call("BeginEnrollment", **whose, kind=CODE_BY_MAIL)
    assert begun.masked_address == "m***@example.com", begun
    confirm = {**whose, "enrollment_id": begun.enrollment_id}
    code = server.code_to(begun.masked_address)
    factor_id = client.call("ConfirmEnrollment", **confirm, code=code).factor_id

    asked = sign_in(client).mfa_required
    assert list(asked.factors) == [RECOVERY_CODE, CODE_BY_MAIL], asked
    [offered] = asked.code_factors
    assert (offered.factor_id, offered.masked_address) == (factor_id, "m***@example.com"), asked
    answer = {"mfa_session_id": asked.mfa_session_id}
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ValidateMfaSession", **answer, code=code)
    client.call("SendMfaCode", **answer, factor_id=factor_id)
    code = server.code_to(offered.masked_address)
    both = client.call("ValidateMfaSession", **answer, code=code).tokens
    assert methods(client, both) == ["mfa", "otp", "pwd"]
    client.refused(NOT_FOUND, "MFA_SESSION_NOT_FOUND", "ValidateMfaSession", **answer, code=code)
    client.call("RemoveFactor", access_token=both.access_token, factor_id=factor_id)


def wrong_requests(client):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    client.refused(invalid, "FIELD_INVALID", "BeginEnrollment", access_token="", kind=TOTP)
    client.refused(
        UNAUTHENTICATED, "ACCESS_TOKEN_INVALID", "BeginEnrollment", access_token="a.b.c", kind=TOTP
    )
    for kind in (0, RECOVERY_CODE, 9):
        client.refused(invalid, "FIELD_INVALID", "BeginEnrollment", access_token="a.b.c", kind=kind)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    stores = {"SQLite, in-process store": {}, "SQLite and Redis": {"COUNTERSIGN__REDIS__URL": REDIS}}
    for name, settings in stores.items():
        print(f"{name}:")
        server = Server(binary, settings)
        try:
            client = Client(server.address)
            wrong_requests(client)
            second_factor(client)
            code_by_mail(client, server)
        finally:
            server.stop()
    print(f"an app of pyotp and codes by mail were enrolled and used on {len(stores)} of {len(stores)} stores")


if __name__ == "__main__":
    main()
