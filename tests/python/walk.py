"""Walks the main job with a client that is not ours: Python's grpcio, which
knows the service through reflection alone.

It starts the server on SQLite, on PostgreSQL with Redis and on MariaDB with
Redis, and prints each call. It exits 0 if every answer is as promised."""

import argparse
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

POSTGRES = os.environ.get("COUNTERSIGN_TEST_POSTGRES", "postgres://root@127.0.0.1:5432/test")
MARIADB = os.environ.get("COUNTERSIGN_TEST_MARIADB", "mysql://root@127.0.0.1:3306/test")
REDIS = os.environ.get("COUNTERSIGN_TEST_REDIS", "redis://127.0.0.1:6379")
SERVICES = (
    "countersign.v1.AuthService",
    "countersign.v1.FactorService",
    "countersign.v1.FederationService",
    "countersign.v1.GroupService",
    "countersign.v1.ServiceAccountService",
    "countersign.v1.SessionService",
    "countersign.v1.UserService",
    "countersign.v1.VerificationService",
    "envoy.service.auth.v3.Authorization",
)


class Client:
    """Calls RPCs by name with dictionaries, by what reflection tells."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        grpc.channel_ready_future(self.channel).result(timeout=10)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)
        self.methods = {}
        for name in SERVICES:
            assert name in self.database.get_services(), f"reflection does not list {name}"
            for method in self.pool.FindServiceByName(name).methods:
                self.methods[method.name] = (f"/{name}/{method.name}", method)

    def call(self, rpc, metadata=(), /, **fields):
        path, method = self.methods[rpc]
        request = message_factory.GetMessageClass(method.input_type)(**fields)
        answer = message_factory.GetMessageClass(method.output_type)
        stub = self.channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        response = stub(request, timeout=10, metadata=metadata)
        print(f"    {rpc}: OK")
        return response

    def refused(self, status, reason, rpc, metadata=(), /, **fields):
        try:
            self.call(rpc, metadata, **fields)
        except grpc.RpcError as error:
            infos = details(error, error_details_pb2.ErrorInfo)
            assert error.code() == status, f"{rpc}: {error.code()} instead of {status}: {error.details()}"
            assert [i.reason for i in infos] == [reason], f"{rpc}: {infos} instead of {reason}"
            assert infos[0].domain == "countersign", infos
            print(f"    {rpc}: {status.name} {reason}")
            return error
        raise AssertionError(f"{rpc} was not refused")


def details(error, kind):
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error}"
    found = []
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


class Server:
    """The server as a process of its own, in an empty folder."""

    def __init__(self, binary, settings):
        self.folder = tempfile.TemporaryDirectory()
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name}
        environment |= {
            "COUNTERSIGN__SERVER__LISTEN": "127.0.0.1:0",
            "COUNTERSIGN__SERVER__DRAIN_DELAY": "0s",
            "COUNTERSIGN__METRICS__LISTEN": "",
            "COUNTERSIGN__GATEWAY__LISTEN": "",
            "COUNTERSIGN__LOG__FORMAT": "json",
            "COUNTERSIGN__DATA_DIR": self.folder.name + "/data",
        } | settings
        self.codes, self.links = {}, {}
        self.process = subprocess.Popen(
            [binary], cwd=self.folder.name, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.address, self.gateway = None, None
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        with self.changed:
            assert self.changed.wait_for(lambda: self.address or self.process.poll() is not None, 30)
        assert self.address, f"the server ended with {self.process.wait()}"

    def _read(self):
        for line in self.process.stderr:
            try:
                fields = json.loads(line)
            except json.JSONDecodeError:
                print(line, end="", file=sys.stderr)
                continue
            with self.changed:
                if fields.get("message") == "listening":
                    self.address = fields["address"]
                if fields.get("message") == "the gateway listens":
                    self.gateway = fields["address"]
                if "code" in fields and "to" in fields:
                    self.codes[fields["to"]] = fields["code"]
                if "link" in fields and "to" in fields:
                    self.links[fields["to"]] = fields["link"]
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def code_for(self, email):
        """The code that the log sender wrote; it masks the address."""
        name, domain = email.split("@")
        return self.code_to(f"{name[0]}***@{domain}")

    def code_to(self, masked):
        """The code that the log sender wrote to a masked address."""
        with self.changed:
            assert self.changed.wait_for(lambda: masked in self.codes, 10), f"no code for {masked}"
            return self.codes.pop(masked)

    def link_to(self, masked):
        """The link that the log sender wrote to a masked address."""
        with self.changed:
            assert self.changed.wait_for(lambda: masked in self.links, 10), f"no link for {masked}"
            return self.links.pop(masked)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.folder.cleanup()
        assert code == 0, f"the server ended with {code} after SIGTERM"


def walk(server):
    client = Client(server.address)
    stub = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", *SERVICES):
        status = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status
        assert status == health_pb2.HealthCheckResponse.SERVING, f"{service or 'server'}: {status}"

    email = {"email": f"walk-{secrets.token_hex(6)}@example.com"}
    password = secrets.token_urlsafe(18)
    PURPOSE_SIGN_UP, PURPOSE_SIGN_IN = 1, 2

    sent = client.call("SendCode", identifier=email, purpose=PURPOSE_SIGN_UP, code="427619")
    client.refused(
        grpc.StatusCode.PERMISSION_DENIED, "CODE_WRONG", "CheckCode",
        verification_id=sent.verification_id, code="000000",
    )
    proof = client.call("CheckCode", verification_id=sent.verification_id, code="427619").proof
    user_id = client.call("SignUp", identifier=email, password=password, proof=proof).user_id
    client.refused(
        grpc.StatusCode.PERMISSION_DENIED, "PROOF_INVALID", "SignUp",
        identifier=email, password=password, proof=proof,
    )

    client.refused(
        grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens",
        password={"identifier": email, "password": "not " + password},
    )
    grant = {"identifier": email, "password": password}
    tokens = client.call("IssueTokens", password=grant).tokens
    assert tokens.user_id == user_id

    valid = client.call("ValidateToken", access_token=tokens.access_token).valid
    assert valid.subject == user_id and valid.session_id == tokens.session_id, valid
    altered = client.call("ValidateToken", access_token=tokens.access_token[:-4] + "AAAA")
    assert altered.rejected.reason == 4, altered

    renewed = client.call("RefreshTokens", refresh_token=tokens.refresh_token).tokens
    again = client.call("RefreshTokens", refresh_token=tokens.refresh_token).tokens
    assert again.refresh_token == renewed.refresh_token, "a retry got another successor"

    person = {"access_token": renewed.access_token}
    sessions = client.call("ListSessions", person=person).sessions
    assert [s.session_id for s in sessions] == [tokens.session_id] and sessions[0].current
    shown = client.call("GetSession", person=person, session_id=tokens.session_id).session
    assert shown.user_id == user_id

    client.call("RevokeToken", token=renewed.refresh_token)
    revoked = client.call("ValidateToken", access_token=renewed.access_token)
    assert revoked.rejected.reason == 10, revoked
    client.refused(
        grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED", "RefreshTokens",
        refresh_token=renewed.refresh_token,
    )

    # A second person, without a proof: the code comes by the log sender.
    second = {"email": f"walk-{secrets.token_hex(6)}@example.com"}
    pending = client.call("SignUp", identifier=second, password=password).pending
    client.refused(
        grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_REFUSED", "IssueTokens",
        password={"identifier": second, "password": password},
    )
    code = server.code_for(second["email"])
    client.call("ConfirmSignUp", verification_id=pending.verification_id, code=code)
    client.call("IssueTokens", password={"identifier": second, "password": password})

    keys = client.call("ListSigningKeys")
    kids = {key["kid"] for key in json.loads(keys.jwks)["keys"]}
    assert {key.key_id for key in keys.signing_keys} == kids, "the JWKS lists other keys"

    error = client.refused(
        grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", "SignUp", (("accept-language", "ko-KR"),),
        identifier={"email": "nonsense"}, password="short", group_id="Not A Group",
    )
    [bad] = details(error, error_details_pb2.BadRequest)
    fields = {violation.field for violation in bad.field_violations}
    assert fields == {"identifier.email", "password", "group_id"}, fields
    [message] = details(error, error_details_pb2.LocalizedMessage)
    assert message.locale == "ko", message


def with_database(url, client, run):
    """Runs with a database of its own on the server at `url`."""
    name = "countersign_walk_" + secrets.token_hex(4)
    parts = urllib.parse.urlsplit(url)
    host, user = ["-h", parts.hostname, "-P" if client == "mariadb" else "-p", str(parts.port)], parts.username
    if client == "mariadb":
        command = ["mariadb", "--protocol=tcp", *host, "-u", user, "-e"]
    else:
        command = ["psql", "-q", *host, "-U", user, "-d", parts.path[1:], "-c"]
    subprocess.run([*command, f"CREATE DATABASE {name}"], check=True)
    try:
        run(parts._replace(path="/" + name).geturl())
    finally:
        subprocess.run([*command, f"DROP DATABASE {name}"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())

    def run(name, settings):
        print(f"{name}:")
        server = Server(binary, settings)
        try:
            walk(server)
        finally:
            server.stop()

    def on(name):
        return lambda url: run(
            name, {"COUNTERSIGN__DATABASE__URL": url, "COUNTERSIGN__REDIS__URL": REDIS}
        )

    run("SQLite, in-process store", {})
    with_database(POSTGRES, "psql", on("PostgreSQL and Redis"))
    with_database(MARIADB, "mariadb", on("MariaDB and Redis"))
    print("the main job was walked on 3 of 3 stores")


if __name__ == "__main__":
    main()
