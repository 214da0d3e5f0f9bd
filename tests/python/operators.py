"""Looks after users as an operator's tool would, while they sign in, by a client
that is not ours: Python's grpcio, which knows the service through reflection
alone.

It starts the server on SQLite with the in-process store, and on PostgreSQL and
MariaDB with Redis, and prints each call. It exits 0 if every answer is as
promised."""

import argparse
import datetime
import pathlib
import time

import grpc
from google.rpc import error_details_pb2

from walk import MARIADB, POSTGRES, REDIS, Client, Server, details, with_database

PASSWORD = "seven brown otters hum at noon"
SIGN_UP = 1
ACTIVE, SUSPENDED, WITHDRAWN = 2, 3, 4
REVOKED = 10
USER_CREATED, USER_SUSPENDED = 1, 6

ABORTED = grpc.StatusCode.ABORTED
DENIED = grpc.StatusCode.PERMISSION_DENIED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
TAKEN = grpc.StatusCode.ALREADY_EXISTS
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED

KOREAN = (("accept-language", "ko"),)


def address(name):
    return {"email": f"{name}@example.com"}


def korean(error):
    [message] = details(error, error_details_pb2.LocalizedMessage)
    assert message.locale == "ko", message
    return message.message


def request(address, password=PASSWORD):
    return {"password": {"identifier": address, "password": password}}


def is_revoked(client, tokens):
    answer = client.call("ValidateToken", access_token=tokens.access_token)
    return answer.rejected.reason == REVOKED


def create_and_change(client):
    mina = address("mina")
    new = {
        "identifiers": [mina],
        "password": PASSWORD,
        "external_id": "7",
        "profile": {"name": "김민아", "locale": "ko", "attributes": {"plan": "gold", "seats": 3}},
        "roles": ["editor"],
    }
    user = client.call("CreateUser", **new).user
    assert user.state == ACTIVE and user.profile.name == "김민아", user
    assert dict(user.profile.attributes) == {"plan": "gold", "seats": 3}, user
    client.refused(TAKEN, "IDENTIFIER_TAKEN", "CreateUser", identifiers=[mina])
    other = address("other")
    client.refused(
        TAKEN, "EXTERNAL_ID_TAKEN", "CreateUser", identifiers=[other], external_id="7"
    )

    shown = client.call("GetUser", user_id=user.user_id).user
    assert shown == user, (shown, user)
    client.refused(
        NOT_FOUND, "USER_NOT_FOUND", "GetUser", user_id="00000000-0000-7000-8000-000000000000"
    )
    client.refused(INVALID, "FIELD_INVALID", "GetUser", user_id="mina")

    mask = {"paths": ["profile.name", "roles"]}
    changed = client.call(
        "UpdateUser", user_id=user.user_id, etag=user.etag, update_mask=mask,
        profile={"name": "Mina", "locale": "fr"}, roles=["editor", "owner"],
    ).user
    assert (changed.profile.name, changed.profile.locale) == ("Mina", "ko"), changed
    assert sorted(changed.roles) == ["editor", "owner"] and changed.etag != user.etag, changed
    client.refused(
        ABORTED, "ETAG_MISMATCH", "UpdateUser",
        user_id=user.user_id, etag=user.etag, update_mask=mask,
    )
    client.refused(
        INVALID, "FIELD_INVALID", "UpdateUser",
        user_id=user.user_id, update_mask={"paths": ["state"]},
    )
    return mina, user.user_id


def suspend(client, mina, user_id):
    tokens = client.call("IssueTokens", **request(mina)).tokens
    suspended = client.call("SuspendUser", user_id=user_id, reason="spam").user
    assert (suspended.state, suspended.suspension.reason) == (SUSPENDED, "spam"), suspended
    assert is_revoked(client, tokens), "a suspended user's token is good"
    client.refused(
        UNAUTHENTICATED, "SESSION_ENDED", "RefreshTokens", refresh_token=tokens.refresh_token
    )
    # The state is told to whoever knows the password, and to nobody else.
    error = client.refused(DENIED, "USER_SUSPENDED", "IssueTokens", KOREAN, **request(mina))
    assert korean(error) == "보호조치된 계정입니다.", error
    wrong = request(mina, "not " + PASSWORD)
    error = client.refused(UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens", KOREAN, **wrong)
    told = "이메일 또는 패스워드가 올바르지 않습니다. 다시 입력해주세요."
    assert korean(error) == told, error

    client.call("ReinstateUser", user_id=user_id)
    client.refused(PRECONDITION, "USER_STATE_CONFLICT", "ReinstateUser", user_id=user_id)
    client.call("IssueTokens", **request(mina))
    past = {"seconds": int(time.time()) - 60}
    client.refused(INVALID, "FIELD_INVALID", "SuspendUser", user_id=user_id, end_time=past)
    # One that ends by itself.
    soon = {"seconds": int(time.time()) + 3}
    client.call("SuspendUser", user_id=user_id, end_time=soon)
    client.refused(DENIED, "USER_SUSPENDED", "IssueTokens", **request(mina))
    time.sleep(3.5)
    client.call("IssueTokens", **request(mina))


def leave(client):
    juno = address("juno")
    user_id = client.call("CreateUser", identifiers=[juno], password=PASSWORD).user.user_id
    tokens = client.call("IssueTokens", **request(juno)).tokens
    whose = {"access_token": tokens.access_token}
    named = client.call(
        "UpdateProfile", **whose, update_mask={"paths": ["name"]}, profile={"name": "Juno"}
    )
    assert named.profile.name == "Juno", named
    client.refused(
        INVALID, "FIELD_INVALID", "UpdateProfile", **whose, update_mask={"paths": ["attributes"]}
    )
    client.call("WithdrawProfile", **whose)
    assert is_revoked(client, tokens), "the token of somebody who has left is good"
    error = client.refused(DENIED, "USER_WITHDRAWN", "IssueTokens", KOREAN, **request(juno))
    [info] = details(error, error_details_pb2.ErrorInfo)
    rejoin = datetime.datetime.fromisoformat(info.metadata["rejoin_time"].replace("Z", "+00:00"))
    days = (rejoin - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86_400
    assert 6.99 < days <= 7.0, days
    told = korean(error)
    assert told.startswith("탈퇴 회원입니다. 탈퇴 후 7일동안 다시 가입할수 없어요."), told
    # Who has proved the address is told, too.
    sent = client.call("SendCode", identifier=juno, purpose=SIGN_UP, code="427619")
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="427619").proof
    client.refused(
        DENIED, "USER_WITHDRAWN", "SignUp", identifier=juno, password=PASSWORD, proof=proof
    )
    shown = client.call("GetUser", user_id=user_id).user
    assert shown.state == WITHDRAWN, shown
    client.call("ReinstateUser", user_id=user_id)
    client.call("IssueTokens", **request(juno))
    client.call("DeleteUser", user_id=user_id)
    client.refused(NOT_FOUND, "USER_NOT_FOUND", "GetUser", user_id=user_id)
    client.refused(UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens", **request(juno))


def pages(client):
    names = [f"page{number:02}" for number in range(25)]
    for name in names:
        client.call("CreateUser", identifiers=[address(name)])
    query = {"group_id": "default", "identifier_prefix": {"email": "page"}}
    found, token = [], ""
    while True:
        page = client.call("ListUsers", **query, page_size=10, page_token=token)
        found += [user.identifiers[0].email for user in page.users]
        token = page.next_page_token
        if not token:
            break
        assert len(page.users) == 10, page
        client.refused(
            INVALID, "FIELD_INVALID", "ListUsers", group_id="default", page_token=token
        )
    assert found == [address(name)["email"] for name in names], found
    client.refused(INVALID, "FIELD_INVALID", "ListUsers", page_token="nonsense")
    client.refused(INVALID, "FIELD_INVALID", "ListUsers", page_size=-1)
    newest = client.call("ListUsers", page_size=1, state=ACTIVE).users
    assert len(newest) == 1 and newest[0].state == ACTIVE, newest


def audited(client, user_id):
    """What was done is told, newest first, page by page, and to nobody without a query."""
    actions, token = [], ""
    while True:
        page = client.call("ListAuditEvents", user_id=user_id, page_size=2, page_token=token)
        # What was refused is an entry of its hour, which may have begun before the user was there.
        actions += [event.action for event in page.events if not event.HasField("refused")]
        token = page.next_page_token
        if not token:
            break
        client.refused(INVALID, "FIELD_INVALID", "ListAuditEvents", page_token=token)
    assert actions[-1] == USER_CREATED and USER_SUSPENDED in actions, actions
    [told] = client.call(
        "ListAuditEvents", user_id=user_id, actions=[USER_CREATED]
    ).events
    assert told.target.user_id == user_id and told.actor.caller_id == "local", told
    assert "@" not in told.target.masked_address.replace("***@", ""), told
    client.refused(INVALID, "FIELD_INVALID", "ListAuditEvents", actions=[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())

    def run(name, settings):
        print(f"{name}:")
        server = Server(binary, settings | {"COUNTERSIGN__VERIFICATION__COOLDOWN": "0s"})
        try:
            client = Client(server.address)
            mina, user_id = create_and_change(client)
            suspend(client, mina, user_id)
            audited(client, user_id)
            leave(client)
            pages(client)
        finally:
            server.stop()

    def on(name):
        return lambda url: run(
            name, {"COUNTERSIGN__DATABASE__URL": url, "COUNTERSIGN__REDIS__URL": REDIS}
        )

    run("SQLite, in-process store", {})
    with_database(POSTGRES, "psql", on("PostgreSQL and Redis"))
    with_database(MARIADB, "mariadb", on("MariaDB and Redis"))
    print("users were looked after as promised on 3 of 3 stores")


if __name__ == "__main__":
    main()
