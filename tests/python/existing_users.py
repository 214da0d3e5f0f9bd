"""Replaces the sign-in of two projects with users of their own, a Django project
and a FastAPI project (tests/python/existing), without changing a line of theirs:
all of their users sign in with the passwords that they have, each side's tokens
are good on the other, and what the old table says of a user is obeyed.

It runs on PostgreSQL and on MariaDB, and prints each call. It exits 0 if every
answer is as promised."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import grpc

from walk import MARIADB, POSTGRES, REDIS, Client, Server, with_database

HERE = pathlib.Path(__file__).parent / "existing"
DENIED = grpc.StatusCode.PERMISSION_DENIED
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


class Project:
    """One of the projects, as a process of its own."""

    def __init__(self, script, url):
        self.command = [sys.executable, str(HERE / script)]
        self.environment = os.environ | {"DATABASE_URL": url}
        created = subprocess.run(
            [*self.command, "create"],
            env=self.environment, check=True, stdout=subprocess.PIPE, text=True,
        )
        self.users = json.loads(created.stdout)
        self.process = subprocess.Popen(
            [*self.command, "serve", "0"],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.port = int(self.process.stdout.readline().rpartition(" ")[2])

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def ask(self, path, token=None, body=None):
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, headers, method="POST" if data else "GET"
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


class Django(Project):
    table = "auth_user"
    settings = {
        "COUNTERSIGN__LEGACY__TABLE": "auth_user",
        "COUNTERSIGN__LEGACY__EMAIL_COLUMN": "email",
        "COUNTERSIGN__LEGACY__NAME_COLUMN": "first_name",
        "COUNTERSIGN__LEGACY__PASSWORD_COLUMN": "password",
        "COUNTERSIGN__LEGACY__ACTIVE_COLUMN": "is_active",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__SECRET": (
            "django-insecure-k7w2!s9qv_4m#x1z-shop-of-otters-and-herons"
        ),
        "COUNTERSIGN__TOKENS__PROFILES__OLD__CLAIMS": "user_id=external_id",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__CONSTANTS": "token_type=access",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__REFRESH_CONSTANTS": "token_type=refresh",
    }

    def __init__(self, url):
        super().__init__("django_project.py", url)

    def sign_in(self, user):
        name = user["email"].partition("@")[0]
        status, tokens = self.ask("/api/token/", body={"username": name, "password": user["password"]})
        assert status == 200, tokens
        return tokens["access"], tokens["refresh"]

    def me(self, token):
        status, answer = self.ask("/api/me/", token)
        return answer["id"] if status == 200 else status


class FastApi(Project):
    table = "users"
    settings = {
        "COUNTERSIGN__LEGACY__TABLE": "users",
        "COUNTERSIGN__LEGACY__EMAIL_COLUMN": "email",
        "COUNTERSIGN__LEGACY__PHONE_COLUMN": "phone_number",
        "COUNTERSIGN__LEGACY__NAME_COLUMN": "nickname",
        "COUNTERSIGN__LEGACY__PASSWORD_COLUMN": "hashed_password",
        "COUNTERSIGN__LEGACY__ACTIVE_COLUMN": "is_active",
        "COUNTERSIGN__LEGACY__BANNED_COLUMN": "is_banned",
        "COUNTERSIGN__LEGACY__WITHDRAWN_AT_COLUMN": "withdrawn_at",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__SECRET": "seventeen herons",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__CLAIMS": "id=external_id_number",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__CONSTANTS": "type=access",
        "COUNTERSIGN__TOKENS__PROFILES__OLD__REFRESH_CONSTANTS": "type=refresh",
    }

    def __init__(self, url):
        super().__init__("fastapi_project.py", url)

    def sign_in(self, user):
        query = urllib.parse.urlencode({key: user[key] for key in ("email", "password")})
        status, tokens = self.ask(f"/login/access-token?{query}", body={})
        assert status == 200, tokens
        return tokens["access_token"], tokens["refresh_token"]

    def me(self, token):
        status, answer = self.ask("/users/me", token)
        return answer["id"] if status == 200 else status


def request(user, password=None):
    password = user["password"] if password is None else password
    return {"password": {"identifier": {"email": user["email"]}, "password": password}}


def tokens_of(client, user):
    return client.call("IssueTokens", **request(user)).tokens


def replace(client, project, is_unwritten):
    """Signs everybody in, and counts."""
    [*active] = [user for user in project.users if user["state"] == "active"]
    # Their own tokens, while nobody is known here yet.
    first_access, first_refresh = project.sign_in(active[0])
    valid = client.call("ValidateToken", access_token=first_access).valid
    assert valid.external_id == str(active[0]["id"]), valid
    # Nobody is logged out: a refresh token of theirs is exchanged, and its user adopted.
    exchanged = client.call("RefreshTokens", refresh_token=first_refresh).tokens
    assert project.me(exchanged.access_token) == active[0]["id"], exchanged

    for user in active:
        client.refused(
            UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens",
            **request(user, "not " + user["password"]),
        )
        tokens = tokens_of(client, user)
        # The project knows who it is by our token, and by the one that a refresh gives.
        assert project.me(tokens.access_token) == user["id"], user
        renewed = client.call("RefreshTokens", refresh_token=tokens.refresh_token).tokens
        assert project.me(renewed.access_token) == user["id"], user
        valid = client.call("ValidateToken", access_token=renewed.access_token).valid
        assert valid.external_id == str(user["id"]), valid
        # Again, under the new hash.
        again = tokens_of(client, user)
        assert again.user_id == tokens.user_id, (again, tokens)
        shown = client.call("GetUser", user_id=tokens.user_id).user
        assert shown.external_id == str(user["id"]), shown

    # Once: who has the first one still is somebody else.
    client.call("RefreshTokens", refresh_token=exchanged.refresh_token)
    client.refused(
        UNAUTHENTICATED, "REFRESH_TOKEN_REUSED", "RefreshTokens", refresh_token=first_refresh
    )

    for user in project.users:
        told = {"banned": "USER_SUSPENDED", "left": "USER_WITHDRAWN"}.get(user["state"])
        if told is None:
            continue
        client.refused(DENIED, told, "IssueTokens", **request(user))
        client.refused(
            UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens",
            **request(user, "not " + user["password"]),
        )

    assert is_unwritten(), "the old table was written"
    # We know who it is by the project's tokens. Django writes a hash of its first kind
    # at a sign-in.
    for user in active:
        access, refresh = project.sign_in(user)
        valid = client.call("ValidateToken", access_token=access).valid
        assert valid.external_id == str(user["id"]), valid
        rejected = client.call("ValidateToken", access_token=refresh)
        assert rejected.WhichOneof("verdict") == "rejected", rejected
        # What was changed there since is nothing to us.
        tokens_of(client, user)

    # A token that was altered is good nowhere.
    altered = again.access_token[:-4] + ("AAAA" if again.access_token[-4:] != "AAAA" else "BBBB")
    assert project.me(altered) == 401
    return len(active)


def contents(url, table):
    """All that the table holds, as text."""
    parts = urllib.parse.urlsplit(url)
    host, name = ["-h", parts.hostname], parts.path[1:]
    query = f"SELECT * FROM {table} ORDER BY id"
    if parts.scheme == "mysql":
        command = ["mariadb", "--protocol=tcp", *host, "-P", str(parts.port), "-u", parts.username]
        command += ["--batch", "-e", query, name]
    else:
        command = ["psql", "-q", "-A", *host, "-p", str(parts.port), "-U", parts.username]
        command += ["-d", name, "-c", query]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    signed_in = []

    def on(kind, settings):
        def run(url):
            print(f"{kind.__name__}, {urllib.parse.urlsplit(url).scheme}:")
            project = kind(url)
            try:
                before = contents(url, kind.table)

                def is_unwritten():
                    return contents(url, kind.table) == before

                own = {
                    "COUNTERSIGN__LEGACY__URL": url,
                    "COUNTERSIGN__TOKENS__PROFILES__OLD__AUDIENCES": "countersign",
                    "COUNTERSIGN__TOKENS__PROFILES__OLD__GROUPS": "default",
                }
                server = Server(binary, settings | kind.settings | own)
                try:
                    signed_in.append(replace(Client(server.address), project, is_unwritten))
                finally:
                    server.stop()
            finally:
                project.stop()

        return run

    for kind in (Django, FastApi):
        with_database(POSTGRES, "psql", on(kind, {"COUNTERSIGN__REDIS__URL": REDIS}))
        with_database(MARIADB, "mariadb", on(kind, {}))
    print(
        f"two projects were replaced on 2 of 2 databases: {sum(signed_in)} of {sum(signed_in)} users "
        "signed in, no password was asked anew, writes to the old tables 0"
    )


if __name__ == "__main__":
    main()
