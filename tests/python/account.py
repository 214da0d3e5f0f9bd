"""Steps a session up and changes addresses as a person's profile page would, by a
client that is not ours: Python's grpcio, which knows the service through
reflection alone. pyotp makes the codes of the second factor.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import pathlib
import time

import grpc

from factors import CODE_BY_MAIL, enroll, sign_in, sign_up
from walk import REDIS, Client, Server

OLD = {"email": "mina@example.com"}
NEW = {"email": "juno@example.com"}
OTHER = {"email": "seo@example.com"}
PHONE = {"phone": "+821012345678"}
PASSWORD = "seven brown otters hum at noon"
CHANGE_IDENTIFIER = 4
INSUFFICIENT, REVOKED = 12, 10
UNDO_LINK = "https://shop.example/undo"
SETTINGS = {
    "COUNTERSIGN__IDENTIFIERS__UNDO_LINK": UNDO_LINK,
    "COUNTERSIGN__VERIFICATION__COOLDOWN": "0s",
}

DENIED = grpc.StatusCode.PERMISSION_DENIED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
TAKEN = grpc.StatusCode.ALREADY_EXISTS
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


def valid(client, access_token, **wanted):
    answer = client.call("ValidateToken", access_token=access_token, **wanted)
    assert answer.WhichOneof("verdict") == "valid", answer
    return answer.valid


def insufficient(client, access_token, **wanted):
    answer = client.call("ValidateToken", access_token=access_token, **wanted)
    assert answer.rejected.reason == INSUFFICIENT, answer
    return answer.rejected


def step_up(client, server):
    sign_up(client)
    tokens = sign_in(client).tokens
    whose = {"access_token": tokens.access_token}
    app, _, recovery, _ = enroll(client, tokens.access_token)
    rejected = insufficient(client, tokens.access_token, acr_values=["aal2"])
    assert list(rejected.acr_values) == ["aal2"], rejected
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "StepUpSession", **whose, code="000000")
    client.refused(INVALID, "FIELD_INVALID", "StepUpSession", **whose)

    code = app.at(int(time.time()) + 30)
    stepped = client.call("StepUpSession", **whose, code=code)
    assert (stepped.session_id, stepped.acr) == (tokens.session_id, "aal2"), stepped
    claims = valid(client, stepped.access_token, acr_values=["aal2"])
    assert sorted(claims.authentication_methods) == ["mfa", "otp", "pwd"], claims
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "StepUpSession", **whose, code=code)
    # The token from before stays what it is, and the refresh token good.
    insufficient(client, tokens.access_token, acr_values=["aal2"])
    renewed = client.call("RefreshTokens", refresh_token=tokens.refresh_token).tokens
    valid(client, renewed.access_token, acr_values=["aal2"])

    # A moment later that is too long ago. The password alone is not enough for
    # somebody with a second factor; a recovery code is, once.
    time.sleep(2.1)
    age = {"max_authentication_age": {"seconds": 1}}
    rejected = insufficient(client, renewed.access_token, **age)
    assert rejected.max_authentication_age.seconds == 1, rejected
    whose = {"access_token": renewed.access_token}
    client.refused(
        PRECONDITION, "SECOND_FACTOR_REQUIRED", "StepUpSession", **whose, password=PASSWORD
    )
    again = client.call("StepUpSession", **whose, code=recovery[0])
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "StepUpSession", **whose, code=recovery[0])
    assert again.acr == "aal2", again
    valid(client, again.access_token, max_authentication_age={"seconds": 30}, acr_values=["aal2"])

    # By a code that is sent to an enrolled address.
    whose = {"access_token": again.access_token}
    begun = client.call("BeginEnrollment", **whose, kind=CODE_BY_MAIL)
    code = server.code_to(begun.masked_address)
    confirm = {**whose, "enrollment_id": begun.enrollment_id, "code": code}
    factor_id = client.call("ConfirmEnrollment", **confirm).factor_id
    sent = client.call("SendStepUpCode", **whose)
    assert (sent.factor_id, sent.masked_address) == (factor_id, begun.masked_address), sent
    code = server.code_to(sent.masked_address)
    client.call("StepUpSession", **whose, code=code)
    client.refused(DENIED, "SECOND_FACTOR_WRONG", "StepUpSession", **whose, code=code)
    for factor in client.call("ListFactors", **whose).factors:
        client.call("RemoveFactor", **whose, factor_id=factor.factor_id)


def prove(client, access_token, address):
    """The gateway delivers the code by itself."""
    asked = {"identifier": address, "purpose": CHANGE_IDENTIFIER, "access_token": access_token}
    sent = client.call("SendCode", **asked, code="604182")
    return client.call("CheckCode", verification_id=sent.verification_id, code="604182").proof


def addresses(client, server):
    tokens = sign_in(client).tokens
    whose = {"access_token": tokens.access_token}
    client.call("AddIdentifier", **whose, proof=prove(client, tokens.access_token, PHONE))
    client.refused(
        TAKEN, "IDENTIFIER_TAKEN", "AddIdentifier",
        **whose, proof=prove(client, tokens.access_token, PHONE),
    )
    client.refused(INVALID, "FIELD_INVALID", "AddIdentifier", **whose, proof="A" * 43)
    proof = prove(client, tokens.access_token, NEW)
    changed = client.call("ChangeIdentifier", **whose, identifier=OLD, proof=proof)
    client.refused(
        NOT_FOUND, "IDENTIFIER_NOT_FOUND", "ChangeIdentifier",
        **whose, identifier=OLD, proof=prove(client, tokens.access_token, OTHER),
    )
    client.refused(DENIED, "PROOF_INVALID", "AddIdentifier", **whose, proof=proof)
    assert changed.identifier.email == NEW["email"], changed
    listed = client.call("ListIdentifiers", **whose)
    found = sorted(i.email or i.phone for i in listed.identifiers)
    assert found == [PHONE["phone"], NEW["email"]], listed
    assert len(listed.undoable_changes) == 2, listed
    client.refused(NOT_FOUND, "IDENTIFIER_NOT_FOUND", "RemoveIdentifier", **whose, identifier=OLD)
    client.refused(
        UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens",
        password={"identifier": OLD, "password": PASSWORD},
    )

    # The old address is told, and takes the account back.
    link = server.link_to("m***@example.com")
    assert link.startswith(UNDO_LINK + "#"), link
    token = link.partition("#")[2]
    client.refused(NOT_FOUND, "UNDO_NOT_FOUND", "UndoIdentifierChange", undo_token="A" * 22)
    client.call("UndoIdentifierChange", undo_token=token)
    client.refused(NOT_FOUND, "UNDO_NOT_FOUND", "UndoIdentifierChange", undo_token=token)
    answer = client.call("ValidateToken", access_token=tokens.access_token)
    assert answer.rejected.reason == REVOKED, answer
    for identifier in (OLD, NEW, PHONE):
        grant = {"identifier": identifier, "password": PASSWORD}
        client.refused(UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens", password=grant)
    reset = client.call("StartPasswordReset", identifier=OLD)
    code = server.code_to("m***@example.com")
    proof = client.call("CheckCode", verification_id=reset.verification_id, code=code).proof
    client.call("ResetPassword", proof=proof, new_password=PASSWORD)
    whose = {"access_token": sign_in(client).tokens.access_token}
    [kept] = client.call("ListIdentifiers", **whose).identifiers
    assert kept.email == OLD["email"], kept
    client.refused(
        PRECONDITION, "LAST_IDENTIFIER", "RemoveIdentifier", **whose, identifier=OLD
    )


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
            step_up(client, server)
            addresses(client, server)
        finally:
            server.stop()
    print(f"step-ups and changes of addresses as promised on {len(stores)} of {len(stores)} stores")


if __name__ == "__main__":
    main()
