"""Signs a person in on devices that get to be known, while strangers guess, by a
client that is not ours: Python's grpcio, which knows the service through
reflection alone. pyotp makes the codes of the second factor.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import pathlib
import re
import time

import grpc
import pyotp

from walk import REDIS, Client, Server

MINA = {"email": "mina@example.com"}
JUNO = {"email": "juno@example.com"}
PASSWORD = "seven brown otters hum at noon"
NEW_PASSWORD = "four herons wade past the pier"
SIGN_UP = 1
PASSWORD_RESET_CODE = "604182"
TOTP = 1
# A lower number than the default, so that strangers are done sooner.
TRIES_BY_SOURCE = 5
LIFETIME_DAYS = 90
SETTINGS = {
    "COUNTERSIGN__PASSWORDS__ATTEMPTS_PER_SOURCE": str(TRIES_BY_SOURCE),
    "COUNTERSIGN__DEVICES__LIFETIME": f"{LIFETIME_DAYS}d",
    "COUNTERSIGN__MFA__REMEMBER_DEVICE": "30d",
    "COUNTERSIGN__VERIFICATION__COOLDOWN": "0s",
}

DENIED = grpc.StatusCode.PERMISSION_DENIED
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def sign_up(client, identifier):
    sent = client.call("SendCode", identifier=identifier, purpose=SIGN_UP, code="427619")
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="427619").proof
    client.call("SignUp", identifier=identifier, password=PASSWORD, proof=proof)


def request(identifier, device=None, password=PASSWORD):
    """`device` is the token that the gateway keeps; empty: it has none yet."""
    fields = {"password": {"identifier": identifier, "password": password}}
    return fields if device is None else fields | {"device_token": device}


def new_device(client, identifier, password=PASSWORD):
    issued = client.call("IssueTokens", **request(identifier, "", password))
    assert re.fullmatch(r"csd_[A-Za-z0-9_-]{43}", issued.device_token), issued
    days = (issued.device_token_expire_time.seconds - time.time()) / 86_400
    assert LIFETIME_DAYS - 0.01 < days <= LIFETIME_DAYS + 0.01, days
    return issued.device_token


def guess(client, identifier, device=None):
    """Wrong passwords, until no more are compared. How many were."""
    wrong = request(identifier, device, "not " + PASSWORD)
    for tried in range(100):
        try:
            client.call("IssueTokens", **wrong)
        except grpc.RpcError as error:
            if error.code() == EXHAUSTED:
                return tried
            assert error.code() == UNAUTHENTICATED, error
        else:
            raise AssertionError("a wrong password was right")
    raise AssertionError("there is no end to the tries")


def is_known(client, identifier, device, password=PASSWORD):
    """Whether somebody is let in with it though strangers have used up all tries."""
    try:
        issued = client.call("IssueTokens", **request(identifier, device, password))
    except grpc.RpcError as error:
        assert error.code() == EXHAUSTED, error
        return False
    assert issued.tokens.access_token and not issued.device_token, issued
    return True


def strangers_guess(client):
    sign_up(client, MINA)
    untold = client.call("IssueTokens", **request(MINA))
    assert not untold.device_token and not untold.HasField("device_token_expire_time"), untold
    mine, second = new_device(client, MINA), new_device(client, MINA)
    assert mine != second
    # It stays as it is from one sign-in to the next.
    again = client.call("IssueTokens", **request(MINA, mine))
    assert not again.device_token and again.HasField("device_token_expire_time"), again

    assert guess(client, MINA) == TRIES_BY_SOURCE
    client.refused(EXHAUSTED, "TOO_MANY_ATTEMPTS", "IssueTokens", **request(MINA))
    client.refused(EXHAUSTED, "TOO_MANY_ATTEMPTS", "IssueTokens", **request(MINA, ""))
    for _ in range(2 * TRIES_BY_SOURCE):
        assert is_known(client, MINA, mine)
    # A thief of one device has its tries, and no others.
    assert guess(client, MINA, second) == TRIES_BY_SOURCE
    assert is_known(client, MINA, mine)
    assert not is_known(client, MINA, second)
    return mine


def others_tokens(client, mine):
    """What is not a known device of the account is none."""
    sign_up(client, JUNO)
    theirs = new_device(client, JUNO)
    altered = mine[:-2] + ("AA" if not mine.endswith("AA") else "BB")
    for other in (theirs, altered, "csd_" + "A" * 43):
        assert not is_known(client, MINA, other), other
    # For its own user it was spent by nothing of that.
    assert guess(client, JUNO) == TRIES_BY_SOURCE
    assert is_known(client, JUNO, theirs)
    for wrong in ("csd_", "A" * 47, mine + "A", "csr_" + mine[4:]):
        assert not is_known(client, MINA, wrong), wrong


def second_factor(client, mine):
    """It is not asked for where it was shown and the person said so."""
    access_token = client.call("IssueTokens", **request(MINA, mine)).tokens.access_token
    begun = client.call("BeginEnrollment", access_token=access_token, kind=TOTP, label="phone")
    app = pyotp.parse_uri(begun.otpauth_uri)
    confirmed = client.call(
        "ConfirmEnrollment",
        access_token=access_token, enrollment_id=begun.enrollment_id, code=app.now(),
    )
    recovery = list(confirmed.recovery_codes)

    def asked():
        issued = client.call("IssueTokens", **request(MINA, mine))
        is_asked = issued.WhichOneof("outcome") == "mfa_required"
        return {"mfa_session_id": issued.mfa_required.mfa_session_id} if is_asked else issued

    answered = client.call("ValidateMfaSession", **asked(), code=recovery.pop())
    assert not answered.device_token and answered.HasField("device_token_expire_time"), answered
    wrong = asked()
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "ValidateMfaSession", **wrong, code="0000000000", remember_device=True)
    client.call("ValidateMfaSession", **wrong, code=recovery.pop(), remember_device=True)
    remembered = asked()
    assert remembered.WhichOneof("outcome") == "tokens", remembered
    # That is not enough to change the factors.
    whose = {"access_token": remembered.tokens.access_token}
    client.refused(PRECONDITION, "SECOND_FACTOR_REQUIRED", "RegenerateRecoveryCodes", **whose)
    both = client.call("ValidateMfaSession", **elsewhere(client), code=recovery.pop()).tokens
    whose = {"access_token": both.access_token}
    recovery = list(client.call("RegenerateRecoveryCodes", **whose).recovery_codes)
    # Since the codes are others, it is asked for again.
    client.call("ValidateMfaSession", **asked(), code=recovery.pop())
    client.call("RemoveFactor", **whose, factor_id=confirmed.factor_id)


def elsewhere(client):
    """A sign-in with the second factor on a device of its own, after the tries of
    strangers are forgotten: by the proof of the address."""
    sent = client.call("SendCode", identifier=MINA, purpose=2, code=PASSWORD_RESET_CODE)
    checked = client.call("CheckCode", verification_id=sent.verification_id, code=PASSWORD_RESET_CODE)
    issued = client.call("IssueTokens", verified_code={"proof": checked.proof}, device_token="")
    return {"mfa_session_id": issued.mfa_required.mfa_session_id}


def what_ends_it(client, mine):
    """All sessions ended, or a new password."""
    assert is_known(client, MINA, mine)
    access_token = client.call("IssueTokens", **request(MINA, mine)).tokens.access_token
    client.call("RevokeUserSessions", person={"access_token": access_token})
    assert not is_known(client, MINA, mine)

    reset = {"identifier": MINA, "code": PASSWORD_RESET_CODE}
    sent = client.call("SendCode", identifier=MINA, purpose=2, code=PASSWORD_RESET_CODE)
    checked = client.call("CheckCode", verification_id=sent.verification_id, code=PASSWORD_RESET_CODE)
    issued = client.call("IssueTokens", verified_code={"proof": checked.proof}, device_token="")
    known = issued.device_token
    assert is_known(client, MINA, known)
    sent = client.call("StartPasswordReset", **reset)
    checked = client.call("CheckCode", verification_id=sent.verification_id, code=PASSWORD_RESET_CODE)
    client.call("ResetPassword", proof=checked.proof, new_password=NEW_PASSWORD)
    assert not is_known(client, MINA, known, NEW_PASSWORD)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    stores = {"SQLite, in-process store": {}, "SQLite and Redis": {"COUNTERSIGN__REDIS__URL": REDIS}}
    for name, settings in stores.items():
        print(f"{name}:")
        server = Server(binary, settings | SETTINGS)
        try:
            client = Client(server.address)
            mine = strangers_guess(client)
            others_tokens(client, mine)
            second_factor(client, mine)
            what_ends_it(client, mine)
        finally:
            server.stop()
    print(f"a device was known, and no other, on {len(stores)} of {len(stores)} stores")


if __name__ == "__main__":
    main()
