"""Does what ServerKit's four calls and the phone model's SmsAuth did, with the
codes and times of their documents, by a client that is not ours: Python's
grpcio, which knows the service through reflection alone.

The documents write the phone number as 000-0000-0000, which is a placeholder
and no number anywhere. 010-1234-5678 stands for it here.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import pathlib
import secrets
import time

import grpc

from walk import REDIS, Client, Server

PHONE = {"phone": "010-1234-5678"}
PURPOSE_SIGN_UP = 1
MFA_CHANNEL_PHONE = 1
SMS_AUTH = {
    "COUNTERSIGN__VERIFICATION__CODE_DIGITS": "4",
    "COUNTERSIGN__VERIFICATION__COOLDOWN": "1s",
}
OTP = ["otp"]

NOT_FOUND = grpc.StatusCode.NOT_FOUND
DENIED = grpc.StatusCode.PERMISSION_DENIED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def seconds_left(answer):
    return answer.expire_time.seconds - time.time()


def sign_up_2fa(client):
    """signUp2faSave and signUp2faCheck: `k2lsdj0` under a number for 1000 s."""
    sent = client.call(
        "SendCode", identifier=PHONE, purpose=PURPOSE_SIGN_UP, code="k2lsdj0", ttl={"seconds": 1000}
    )
    assert 990 < seconds_left(sent) <= 1001, sent
    address = {"identifier": {"phone": "+82 10 1234 5678"}, "purpose": PURPOSE_SIGN_UP}
    # fail
    client.refused(DENIED, "CODE_WRONG", "CheckCode", address=address, code="k2lsdj1")
    # true, once
    proof = client.call("CheckCode", address=address, code="k2lsdj0").proof
    client.refused(NOT_FOUND, "VERIFICATION_NOT_FOUND", "CheckCode", address=address, code="k2lsdj0")
    return client.call("SignUp", identifier=PHONE, proof=proof).user_id


def mfa_session(client, user_id):
    """createMFASession and validateMFASession: `dk92kdks` for a user for 300 s."""
    wanted = {"user_id": user_id, "code": "dk92kdks", "ttl": {"seconds": 300}}
    created = client.call("CreateMfaSession", **wanted)
    assert 290 < seconds_left(created) <= 301, created
    assert user_id not in created.mfa_session_id and "dk92kdks" not in created.mfa_session_id
    answer = {"mfa_session_id": created.mfa_session_id, "code": "dk92kdks"}
    client.refused(DENIED, "CODE_WRONG", "ValidateMfaSession", **answer | {"code": "dk92kdk5"})
    client.refused(NOT_FOUND, "MFA_SESSION_NOT_FOUND", "ValidateMfaSession", group_id="staff", **answer)
    tokens = client.call("ValidateMfaSession", **answer).tokens
    assert tokens.user_id == user_id, tokens
    valid = client.call("ValidateToken", access_token=tokens.access_token).valid
    assert list(valid.authentication_methods) == OTP, valid
    client.call("RefreshTokens", refresh_token=tokens.refresh_token)
    client.refused(NOT_FOUND, "MFA_SESSION_NOT_FOUND", "ValidateMfaSession", **answer)
    # A second code within the minute, as for every message to this user.
    client.refused(EXHAUSTED, "TOO_MANY_MESSAGES", "CreateMfaSession", **wanted)


def wrong_requests(client):
    """What a caller of the old module may get wrong."""
    client.refused(INVALID, "FIELD_INVALID", "CreateMfaSession", code="dk92kdks")
    client.refused(INVALID, "FIELD_INVALID", "CreateMfaSession", user_id="userId1", code="dk92kdks")
    client.refused(
        INVALID, "FIELD_INVALID", "CreateMfaSession",
        identifier=PHONE, group_id="userGroup1", code="dk92kdks",
    )
    for wrong in ({"code": "12"}, {"ttl": {"seconds": 4000}}, {"ttl": {}}, {"channel": 9}):
        fields = {"identifier": PHONE, "code": "dk92kdks"} | wrong
        client.refused(INVALID, "FIELD_INVALID", "CreateMfaSession", **fields)
    for answer in ({}, {"mfa_session_id": "code:userId1", "code": "dk92kdks"}):
        client.refused(INVALID, "FIELD_INVALID", "ValidateMfaSession", **answer)
    placeholder = {"phone": "000-0000-0000"}
    client.refused(
        INVALID, "FIELD_INVALID", "SendCode",
        identifier=placeholder, purpose=PURPOSE_SIGN_UP, code="k2lsdj0",
    )


def phone_model(server, client):
    """SmsAuth: a code of 4 digits is sent to a 010 number, good for 5 minutes."""
    phone = {"phone": "010" + "".join(secrets.choice("23456789") for _ in range(8))}
    sent = client.call("SendCode", identifier=phone, purpose=PURPOSE_SIGN_UP)
    assert 290 < seconds_left(sent) <= 301, sent
    masked = client.call("GetVerification", verification_id=sent.verification_id)
    code = server.code_to(masked.verification.masked_address)
    assert len(code) == 4 and code.isdigit(), code
    wrong = f"{(int(code) + 1) % 10000:04}"
    address = {"identifier": phone, "purpose": PURPOSE_SIGN_UP}
    client.refused(DENIED, "CODE_WRONG", "CheckCode", address=address, code=wrong)
    proof = client.call("CheckCode", address=address, code=code).proof
    user_id = client.call("SignUp", identifier=phone, proof=proof).user_id
    # An MFA session whose code the service makes and sends, to whom both name.
    for user in ({"identifier": phone}, {"user_id": user_id, "channel": MFA_CHANNEL_PHONE}):
        time.sleep(1.2)
        created = client.call("CreateMfaSession", **user)
        code = server.code_to(masked.verification.masked_address)
        answer = {"mfa_session_id": created.mfa_session_id, "code": code}
        assert client.call("ValidateMfaSession", **answer).tokens.user_id == user_id


def run(binary, name, settings):
    print(f"{name}:")
    server = Server(binary, settings)
    try:
        client = Client(server.address)
        wrong_requests(client)
        mfa_session(client, sign_up_2fa(client))
    finally:
        server.stop()
    print(f"{name}, codes of 4 digits:")
    server = Server(binary, settings | SMS_AUTH)
    try:
        phone_model(server, Client(server.address))
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    run(binary, "SQLite, in-process store", {})
    run(binary, "SQLite and Redis", {"COUNTERSIGN__REDIS__URL": REDIS})
    print("ServerKit's four calls and the phone model's flow were done on 2 of 2 stores")


if __name__ == "__main__":
    main()
