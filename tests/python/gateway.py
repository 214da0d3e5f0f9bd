"""Drives the HTTP gateway with a client that is not ours, Python's http.client:
signing up and in, tokens, sessions, factors, profiles, passwords, users, and what
its errors say.

It starts the server on SQLite, and prints each call. It exits 0 if every answer
is as promised, and as the OpenAPI document says."""

import argparse
import concurrent.futures
import pathlib
import re
import time

import pyotp

from edge import (
    JSON,
    PASSWORD,
    PROBLEM,
    UNLIMITED,
    Edge,
    basic,
    bearer,
    new_address,
    wait_for_caller,
)
from gateway_document import conforms, document

NEW_PASSWORD = "another horse, another battery"
GRANTED = {
    "COUNTERSIGN__TOKENS__SCOPES": "profile,orders.read",
    "COUNTERSIGN__TOKENS__AUDIENCES": "countersign,shop",
}


def claims_of(http, token, **more):
    return http.done("POST", "/token/verify", {"token": token} | more)


def sign_up(server):
    """By a code that is sent, and without a proof: pending until it is confirmed."""
    http = server.http
    email, user_id = server.sign_up()
    pending = new_address()
    new = {"identifier": {"email": pending}, "password": PASSWORD}
    answer = http.done("POST", "/v1/sign-up", new)["pending"]
    unproved = {"email": pending, "password": PASSWORD}
    http.refused(401, "SIGN_IN_REFUSED", "POST", "/token/pair", unproved)
    shown = http.done("GET", f"/v1/verifications/{answer['verification_id']}")["verification"]
    assert shown["masked_address"] == pending.replace("ina@", "***@"), shown
    wrong = {"verification_id": answer["verification_id"], "code": "00000a"}
    http.refused(403, "CODE_WRONG", "POST", "/v1/sign-up/confirm", wrong)
    http.done("POST", "/v1/sign-up/confirm", wrong | {"code": server.code_for(pending)})
    assert server.sign_in(pending)["user_id"] != user_id
    taken = {"identifier": {"email": email}, "password": PASSWORD}
    time.sleep(1.1)  # verification.cooldown
    assert set(http.done("POST", "/v1/sign-up", taken)["pending"]) == set(
        answer
    ), "it tells who is there"
    return email, user_id


def pair(server, email, user_id):
    """Each way in which clients write a sign-in."""
    http = server.http
    for name in ("identifier", "email", "username"):
        answer = http.post("/token/pair", {name: email, "password": PASSWORD})
        tokens = answer.json
        assert answer.status == 200 and tokens["token_type"] == "Bearer", answer
        assert tokens["user_id"] == user_id and 290 <= tokens["expires_in"] <= 300, tokens
        assert "no-store" in (answer.headers["cache-control"] or ""), answer
    oauth = {
        "grant_type": "password",
        "username": email,
        "password": PASSWORD,
        "scope": "orders.read",
    }
    more = {"client_id": "app", "client_secret": ""}
    for form in (oauth, oauth | more, {"username": email, "password": PASSWORD}):
        for path in ("/token/pair", "/token"):
            if path == "/token" and "grant_type" not in form:
                continue
            answer = http.post(path, form=form)
            assert answer.status == 200 and "no-store" in (
                answer.headers["cache-control"] or ""
            ), answer
            scope = claims_of(http, answer.json["access_token"]).get("scope", "")
            assert scope == form.get("scope", ""), scope
    for_shop = {"email": email, "password": PASSWORD, "audience": "shop", "scopes": ["profile"]}
    claims = claims_of(
        http, http.done("POST", "/token/pair", for_shop)["access_token"], audience="shop"
    )
    assert (claims["aud"], claims["scope"], claims["sub"]) == ("shop", "profile", user_id), claims

    wrong = {"email": email, "password": "not " + PASSWORD}
    http.refused(401, "SIGN_IN_REFUSED", "POST", "/token/pair", wrong)
    strange = {"email": "nobody@example.com", "password": PASSWORD}
    http.refused(401, "SIGN_IN_REFUSED", "POST", "/token/pair", strange)
    grant = oauth | {"grant_type": "client_credentials"}
    assert http.post("/token", form=grant).json["error"] == "unsupported_grant_type"
    wrong = oauth | {"password": "not it"}
    answer = http.post("/token", form=wrong)
    assert answer.status == 400 and answer.json["error"] == "invalid_grant", answer


def refresh(server, email):
    """Two refreshes with one token get one successor; an old one ends the session."""
    http = server.http
    first = server.sign_in(email)
    by = {"refresh_token": first["refresh_token"]}
    one = http.done("POST", "/token/refresh", by)
    two = http.done("POST", "/token/refresh", {"refresh": first["refresh_token"]})
    form = http.post("/token/refresh", form=by | {"grant_type": "refresh_token"}).json
    oauth = http.post("/token", form=by | {"grant_type": "refresh_token"}).json
    for again in (two, form, oauth):
        assert again["refresh_token"] == one["refresh_token"], "a retry got another successor"
    http.done("POST", "/token/refresh", {"refresh_token": one["refresh_token"]})
    http.refused(401, "REFRESH_TOKEN_REUSED", "POST", "/token/refresh", by)
    http.refused(
        401, "SESSION_ENDED", "POST", "/token/refresh", {"refresh_token": one["refresh_token"]}
    )
    broken = http.post("/token/refresh", {"refresh_token": "nonsense"})
    assert broken.status in (400, 401) and broken.type == PROBLEM, broken


def verify(server, email, user_id):
    """Good, altered, for another audience, without a scope; by header and by cookie."""
    http = server.http
    token = server.sign_in(email)["access_token"]
    claims = claims_of(http, token)
    assert (claims["sub"], claims["grp"], claims["amr"]) == (user_id, "default", ["pwd"]), claims
    altered = {"token": token[:-4] + "AAAA"}
    http.refused(401, "BAD_SIGNATURE", "POST", "/token/verify", altered)
    http.refused(401, "MALFORMED", "POST", "/token/verify", {"token": "nonsense"})
    # The answers before, which are kept for a moment, answer no other question.
    for question, status, reason in (
        ({"audience": "shop"}, 401, "WRONG_AUDIENCE"),
        ({"scopes": ["orders.read"]}, 403, "INSUFFICIENT_SCOPE"),
    ):
        http.refused(status, reason, "POST", "/token/verify", {"token": token} | question)
    for headers in (bearer(token), {"cookie": f"a=b; __Host-access={token}"}):
        answer = http.get("/auth/verify", headers=headers)
        assert answer.status == 200 and answer.headers["x-auth-user"] == user_id, answer
        assert answer.headers["x-auth-group"] == "default", answer
        assert answer.headers["x-auth-session"] == claims["sid"], answer
        assert {"x-auth-scopes", "x-auth-roles", "x-auth-client"} <= set(answer.headers), answer
        assert answer.headers["cache-control"] == "no-store" and not answer.body, answer
        http.refused(
            403, "INSUFFICIENT_SCOPE", "GET", "/auth/verify?scope=orders.read", headers=headers
        )
        http.refused(400, "FIELD_INVALID", "GET", "/auth/verify?scopes=orders.read", headers=headers)
        # A query that the stranger may have sent the proxy never asks for less than it says.
        for uri in ("/cart?scope=orders.read", "/auth/verify?scope=orders.read"):
            theirs = headers | {"x-forwarded-uri": uri}
            answer = http.get("/auth/verify?scope=orders.read", headers=theirs)
            assert answer.status == 403, answer
        theirs = headers | {"x-forwarded-uri": "/cart?scope=orders.read&a=b"}
        answer = http.get("/auth/verify?scope=orders.read&a=b", headers=theirs)
        assert answer.status == 403, answer
        theirs = headers | {"x-forwarded-uri": "/cart?a=b"}
        assert http.get("/auth/verify?a=b", headers=theirs).status == 200
    # Cookies of applications on the same host are any bytes.
    for other in (b"name=\xeb\xaf\xb8", b"\xff", b"=", b"__Host-access"):
        headers = {"cookie": other + f"; __Host-access={token}; c=d".encode()}
        answer = http.get("/auth/verify", headers=headers)
        assert answer.status == 200, (other, answer)
    headers = {"cookie": b"__Host-access=\xff"}
    http.refused(401, "ACCESS_TOKEN_MISSING", "GET", "/auth/verify", headers=headers)
    answer = http.refused(401, "ACCESS_TOKEN_MISSING", "GET", "/auth/verify")
    assert answer.headers["www-authenticate"].startswith("Bearer"), answer
    answer = http.refused(405, "METHOD_UNKNOWN", "POST", "/auth/verify", {})
    assert answer.headers["allow"] == "GET,HEAD", answer
    assert answer.headers["x-content-type-options"] == "nosniff", answer
    http.refused(400, "FIELD_INVALID", "GET", "/auth/verify?anonymous=true")
    theirs = {"x-forwarded-uri": "/cart?anonymous=true"}
    http.refused(401, "ACCESS_TOKEN_MISSING", "GET", "/auth/verify?anonymous=true", headers=theirs)
    assert http.get("/auth/verify/optional").headers["x-auth-user"] == ""
    http.refused(401, "MALFORMED", "GET", "/auth/verify/optional", headers=bearer("nonsense"))


def mfa(server):
    """TOTP is enrolled and asked for."""
    http = server.http
    email, _ = server.sign_up()
    person = bearer(server.sign_in(email)["access_token"])
    kind = {"kind": "FACTOR_KIND_TOTP", "label": "phone"}
    begun = http.done("POST", "/v1/factors/begin", kind, headers=person)
    assert begun["qr_code_svg"].startswith("<svg") or "<svg" in begun["qr_code_svg"], begun
    totp = pyotp.parse_uri(begun["otpauth_uri"])
    enrolled = {"enrollment_id": begun["enrollment_id"], "code": totp.now()}
    answer = http.done("POST", "/v1/factors/confirm", enrolled, headers=person)
    recovery = answer["recovery_codes"]
    assert recovery and answer["factor_id"], answer
    listed = http.done("GET", "/v1/factors", headers=person)
    assert "FACTOR_KIND_TOTP" in [factor["kind"] for factor in listed["factors"]], listed

    grant = {"email": email, "password": PASSWORD}
    asked = http.refused(403, "MFA_REQUIRED", "POST", "/token/pair", grant)
    assert "TOTP" in asked.json["factors"], asked
    assert "no-store" in (asked.headers["cache-control"] or ""), asked
    mfa_session = {"mfa_session_id": asked.json["mfa_session_id"]}
    http.refused(403, "SECOND_FACTOR_WRONG", "POST", "/token/mfa", mfa_session | {"code": "000000"})
    # The step of the enrolment is used up.
    spent = mfa_session | {"code": enrolled["code"]}
    http.refused(403, "SECOND_FACTOR_WRONG", "POST", "/token/mfa", spent)
    next_code = totp.at(int(time.time()) + 30)
    tokens = http.done("POST", "/token/mfa", mfa_session | {"code": next_code})
    assert "mfa" in claims_of(http, tokens["access_token"])["amr"]
    http.refused(
        404, "MFA_SESSION_NOT_FOUND", "POST", "/token/mfa", mfa_session | {"code": next_code}
    )
    asked = http.refused(403, "MFA_REQUIRED", "POST", "/token/pair", grant).json
    by_recovery = {"mfa_session_id": asked["mfa_session_id"], "code": recovery[0]}
    http.done("POST", "/token/mfa", by_recovery)


def sessions(server, email):
    """Listed, shown, ended: one, by a token, and all."""
    http = server.http
    one, two, three = (server.sign_in(email) for _ in range(3))
    person = bearer(one["access_token"])
    listed = http.done("GET", "/v1/sessions?page_size=2", headers=person)
    assert len(listed["sessions"]) == 2 and listed["next_page_token"], listed
    following = http.done(
        "GET", f"/v1/sessions?page_token={listed['next_page_token']}", headers=person
    )
    every = {session["session_id"] for session in listed["sessions"] + following["sessions"]}
    assert {tokens["session_id"] for tokens in (one, two, three)} <= every
    shown = http.done("GET", f"/v1/sessions/{one['session_id']}", headers=person)["session"]
    assert shown["current"] and shown["ip_address"] == "127.0.0.1", shown
    http.done("DELETE", f"/v1/sessions/{two['session_id']}", headers=person)
    gone(http, two)
    assert http.done("POST", "/token/revoke", {"token": three["refresh_token"]}) == {}
    gone(http, three)
    four = server.sign_in(email)
    assert http.send("POST", "/revoke", form={"token": four["access_token"]}).status == 200
    gone(http, four)
    assert http.send("POST", "/revoke", form={"token": "nonsense"}).status == 200
    five = server.sign_in(email)
    assert (
        http.done("DELETE", "/v1/sessions?keep_current=true", headers=person)["revoked_count"] > 0
    )
    gone(http, five)
    http.done("GET", "/v1/profile", headers=person)
    http.done("DELETE", "/v1/sessions", headers=person)
    gone(http, one)


def gone(http, tokens):
    """The session is over, at once."""
    http.refused(
        401, "SESSION_ENDED", "POST", "/token/refresh", {"refresh_token": tokens["refresh_token"]}
    )
    access = tokens["access_token"]
    http.refused(401, "REVOKED", "POST", "/token/verify", {"token": access})
    for person in (bearer(access), {"cookie": f"__Host-access={access}"}):
        http.refused(401, "REVOKED", "GET", "/auth/verify", headers=person)
        http.refused(401, "REVOKED", "GET", "/v1/profile", headers=person)


def profile(server, email):
    http = server.http
    person = bearer(server.sign_in(email)["access_token"])
    new = {"profile": {"name": "민아", "locale": "ko-KR", "time_zone": "Asia/Seoul"}}
    masked = new | {"update_mask": "name,locale,timeZone"}
    http.done("PATCH", "/v1/profile", masked, headers=person)
    shown = http.done("GET", "/v1/profile", headers=person)
    assert (
        shown["profile"]["name"] == "민아" and shown["profile"]["time_zone"] == "Asia/Seoul"
    ), shown
    stale = masked | {"etag": "no etag of it"}
    answer = http.send("PATCH", "/v1/profile", data=stale, headers=person)
    assert answer.status in (400, 409) and answer.type == PROBLEM, answer
    http.refused(401, "ACCESS_TOKEN_MISSING", "GET", "/v1/profile")


def passwords(server):
    """Changed by who knows it, and reset by a code."""
    http = server.http
    email, _ = server.sign_up()
    person = bearer(server.sign_in(email)["access_token"])
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    wrong = change | {"current_password": "not it at all"}
    answer = http.send("POST", "/v1/password/change", data=wrong, headers=person)
    assert answer.status in (401, 403) and answer.type == PROBLEM, answer
    short = http.refused(
        400,
        "FIELD_INVALID",
        "POST",
        "/v1/password/change",
        change | {"new_password": "short"},
        headers=person,
    )
    assert [error["field"] for error in short.json["errors"]] == ["new_password"], short
    http.done("POST", "/v1/password/change", change, headers=person)
    server.sign_in(email, NEW_PASSWORD)
    http.refused(
        401, "SIGN_IN_REFUSED", "POST", "/token/pair", {"email": email, "password": PASSWORD}
    )
    time.sleep(1.2)
    forgotten = http.done("POST", "/v1/password/forgotten", {"identifier": {"email": email}})
    code = {"verification_id": forgotten["verification_id"], "code": server.code_for(email)}
    proof = {"proof": http.done("POST", "/v1/verifications/check", code)["proof"]}
    http.done("POST", "/v1/password/reset", proof | {"new_password": PASSWORD})
    http.refused(
        403, "PROOF_INVALID", "POST", "/v1/password/reset", proof | {"new_password": NEW_PASSWORD}
    )
    server.sign_in(email)
    http.refused(401, "REVOKED", "GET", "/v1/profile", headers=person)


def operators(server, operator, service):
    """Users, by an operator's key and by no other."""
    http = server.http
    tool = bearer(operator)
    email = new_address()
    new = {"identifiers": [{"email": email}], "password": PASSWORD, "roles": []}
    created = http.done("POST", "/v1/users", new, headers=tool)
    user_id = created["user"]["user_id"]
    assert http.done("GET", f"/v1/users/{user_id}", headers=tool)["user"]["user_id"] == user_id
    listed = http.done("GET", "/v1/users?page_size=1", headers=tool)
    assert len(listed["users"]) == 1 and listed["next_page_token"], listed
    named = {"external_id": "7", "update_mask": "externalId"}
    answer = http.done("PATCH", f"/v1/users/{user_id}", named, headers=tool)
    assert answer["user"]["external_id"] == "7", answer
    tokens = server.sign_in(email)
    http.done("POST", f"/v1/users/{user_id}/suspend", {"reason": "overdue"}, headers=tool)
    grant = {"email": email, "password": PASSWORD}
    http.refused(403, "USER_SUSPENDED", "POST", "/token/pair", grant)
    gone_by = http.post("/token/refresh", {"refresh_token": tokens["refresh_token"]})
    assert gone_by.status in (401, 403), gone_by
    http.done("POST", f"/v1/users/{user_id}/reinstate", {}, headers=tool)
    server.sign_in(email)
    events = http.done("GET", f"/v1/audit-events?user_id={user_id}", headers=tool)
    assert events["events"], events
    http.done("DELETE", f"/v1/users/{user_id}", headers=tool)
    http.refused(404, "USER_NOT_FOUND", "GET", f"/v1/users/{user_id}", headers=tool)
    http.refused(401, "SIGN_IN_REFUSED", "POST", "/token/pair", grant)

    person = server.sign_up()[0]
    token = server.sign_in(person)["access_token"]
    for headers in (
        {},
        bearer(token),
        {"cookie": f"__Host-access={token}"},
        basic("ops", operator),
    ):
        http.refused(401, "CALLER_UNKNOWN", "GET", "/v1/users", headers=headers)
    http.refused(401, "CALLER_UNKNOWN", "GET", "/v1/users", headers=bearer("csk_made-up"))
    http.refused(401, "CALLER_UNKNOWN", "GET", "/v1/users", headers=bearer(operator + "x"))
    http.refused(403, "CALLER_NOT_PERMITTED", "GET", "/v1/users", headers=bearer(service))


def renewal(server, email):
    """The browser's session: its cookies, and many tabs that renew them at once."""
    http = server.http
    tokens = server.sign_in(email)
    refresh = tokens["refresh_token"]

    def renew(_):
        return http.get(
            "/session/renew?return_to=/x", headers={"cookie": f"__Secure-refresh={refresh}"}
        )

    with concurrent.futures.ThreadPoolExecutor(8) as tabs:
        for _ in range(20):
            successors = set()
            for answer in tabs.map(renew, range(8)):
                assert answer.status == 307 and answer.headers["location"] == "/x", answer
                assert answer.headers["cache-control"] == "no-store", answer
                access, refreshed = sorted(answer.headers.get_all("set-cookie"))
                assert re.fullmatch(
                    r"__Host-access=[^;]+; Path=/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax",
                    access,
                ), access
                assert re.fullmatch(
                    r"__Secure-refresh=[^;]+; Path=/session; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax",
                    refreshed,
                ), refreshed
                successors.add(refreshed.split(";")[0].split("=", 1)[1])
            assert len(successors) == 1, "tabs got several successors"
            [refresh] = successors
    assert claims_of(http, access.split(";")[0].split("=", 1)[1])["sid"] == tokens["session_id"]
    answer = http.get(
        "/session/renew", headers={"cookie": f"__Secure-refresh={tokens['refresh_token']}"}
    )
    assert answer.status == 303 and answer.headers["location"].startswith("/login"), answer
    gone = answer.headers.get_all("set-cookie")
    assert all("Max-Age=0" in cookie for cookie in gone), gone
    names = sorted(cookie.split("=")[0] for cookie in gone)
    assert names == ["__Host-access", "__Host-account", "__Secure-refresh"], gone


def problems(server):
    """Errors name the field, and speak Korean and English."""
    http = server.http
    wrong = {"identifier": {"email": "nonsense"}, "password": "short", "group_id": "Not A Group"}
    details = set()
    for language, hangul in (("ko-KR,ko;q=0.9", True), ("en", False), ("xx", False), (None, False)):
        headers = {"accept-language": language} if language else {}
        answer = http.refused(400, "FIELD_INVALID", "POST", "/v1/sign-up", wrong, headers=headers)
        fields = {error["field"] for error in answer.json["errors"]}
        assert fields == {"identifier.email", "password", "group_id"}, answer
        said = answer.json["detail"]
        assert any("가" <= letter <= "힣" for letter in said) is hangul, said
        details.add(said)
    assert len(details) == 2, details
    for method, path, status, reason in (
        ("GET", "/nothing", 404, "PATH_UNKNOWN"),
        ("GET", "/v1", 404, "PATH_UNKNOWN"),
        ("GET", "/token/pair", 405, "METHOD_UNKNOWN"),
        ("PUT", "/v1/profile", 405, "METHOD_UNKNOWN"),
    ):
        answer = http.refused(status, reason, method, path)
        assert status != 405 or answer.headers["allow"], answer


def waits(binary):
    """What comes too often is told when to come again."""
    server = Edge(binary)
    try:
        http = server.http
        address = {"identifier": {"email": "mina@example.com"}, "purpose": "PURPOSE_SIGN_UP"}
        http.done("POST", "/v1/verifications", address)
        answer = http.refused(429, "TOO_MANY_MESSAGES", "POST", "/v1/verifications", address)
        assert 1 <= int(answer.headers["retry-after"]) <= 60, answer
        assert answer.json["retry_after"] == int(answer.headers["retry-after"]), answer
    finally:
        server.stop()


def expired(binary):
    """A token that has expired is good for nothing but for ending its session."""
    server = Edge(binary, UNLIMITED | {"COUNTERSIGN__TOKENS__ACCESS_TTL": "10s"})
    try:
        http = server.http
        email, _ = server.sign_up()
        tokens = server.sign_in(email)
        token = tokens["access_token"]
        assert tokens["expires_in"] <= 10, tokens
        # The leeway is five seconds.
        time.sleep(16)
        http.refused(401, "EXPIRED", "POST", "/token/verify", {"token": token})
        for headers in (bearer(token), {"cookie": f"__Host-access={token}"}):
            http.refused(401, "EXPIRED", "GET", "/auth/verify", headers=headers)
            answer = http.get("/v1/profile", headers=headers)
            assert answer.status == 401 and answer.type == PROBLEM, answer
        renewed = http.done("POST", "/token/refresh", {"refresh_token": tokens["refresh_token"]})
        claims_of(http, renewed["access_token"])
        http.done("POST", "/token/revoke", {"token": token})
        gone(http, renewed)
    finally:
        server.stop()


def code_and_message(binary):
    """The bodies that clients of some older servers expect, with 600 for who is suspended."""
    server = Edge(binary, UNLIMITED | {"COUNTERSIGN__GATEWAY__CODE_AND_MESSAGE_GROUPS": "default"})
    try:
        http = server.http
        email, user_id = server.sign_up()
        tool = bearer(server.caller("ops", "operator"))
        wrong = {"email": email, "password": "not it at all"}

        def body(status, code, path, data):
            answer = http.post(path, data)
            assert answer.status == status and answer.type == JSON, answer
            assert set(answer.json) == {"code", "message"} and answer.json["code"] == code, answer

        body(401, 401, "/token/pair", wrong)
        body(400, 400, "/token/pair", {"nothing": 1})
        body(401, 401, "/token/verify", {"token": "nonsense"})
        body(401, 401, "/token/pair", wrong | {"group_id": "default"})
        wait_for_caller(http, tool)
        http.done("POST", f"/v1/users/{user_id}/suspend", {"reason": "overdue"}, headers=tool)
        body(403, 600, "/token/pair", {"email": email, "password": PASSWORD})
        # Who must show a second factor learns where.
        email, _ = server.sign_up()
        person = bearer(server.sign_in(email)["access_token"])
        kind = {"kind": "FACTOR_KIND_TOTP", "label": "phone"}
        begun = http.done("POST", "/v1/factors/begin", kind, headers=person)
        totp = pyotp.parse_uri(begun["otpauth_uri"])
        enrolled = {"enrollment_id": begun["enrollment_id"], "code": totp.now()}
        http.done("POST", "/v1/factors/confirm", enrolled, headers=person)
        asked = http.post("/token/pair", {"email": email, "password": PASSWORD})
        assert asked.status == 403 and asked.json["code"] == 403, asked
        answer = {
            "mfa_session_id": asked.json["mfa_session_id"],
            "code": totp.at(int(time.time()) + 30),
        }
        http.done("POST", "/token/mfa", answer)
        # Outside /token, and in other groups, an error is a problem.
        http.refused(401, "ACCESS_TOKEN_MISSING", "GET", "/v1/profile")
    finally:
        server.stop()


def run(binary):
    server = Edge(binary, UNLIMITED | GRANTED)
    try:
        service = server.caller("shop", "service")
        operator = server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        email, user_id = sign_up(server)
        pair(server, email, user_id)
        refresh(server, email)
        verify(server, email, user_id)
        mfa(server)
        sessions(server, email)
        profile(server, email)
        passwords(server)
        operators(server, operator, service)
        problems(server)
        renewal(server, email)
        conforms(document(server), server.http.seen)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    run(binary)
    waits(binary)
    expired(binary)
    code_and_message(binary)
    print("the gateway's answers are as promised")


if __name__ == "__main__":
    main()
