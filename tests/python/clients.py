"""Calls the server with programs that are not ours: grpc.health's own client, grpcio's reflection,
curl, h2load, and buf curl where buf is named.

Prints what each of them was told, and exits 0 if all of it is as the
specifications have it."""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from walk import SERVICES, Server

HEALTH = "/grpc.health.v1.Health/Check"
LIST_KEYS = "/countersign.v1.AuthService/ListSigningKeys"
VALIDATE = "/countersign.v1.AuthService/ValidateToken"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def expect(what, seen, wanted):
    assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"
    print(f"    {what}: {wanted}")


def health(server):
    """Check, List and Watch, to the end of the server."""
    channel = grpc.insecure_channel(server.address)
    stub = health_pb2_grpc.HealthStub(channel)

    def check(service):
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status

    expect("Check of the server", check(""), SERVING)
    try:
        check("shop.v1.Orders")
        raise AssertionError("Check of an unknown service was answered")
    except grpc.RpcError as error:
        expect("Check of an unknown service", error.code(), grpc.StatusCode.NOT_FOUND)
    listed = stub.List(health_pb2.HealthListRequest(), timeout=5).statuses
    services = ["", *SERVICES]
    expect("List", {name: told.status for name, told in listed.items()}, dict.fromkeys(services, SERVING))
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="countersign.v1.AuthService"), timeout=60)
    expect("Watch begins with", next(watch).status, SERVING)
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="shop.v1.Orders"), timeout=5)
    expect("Watch of an unknown service", next(unknown).status, SERVICE_UNKNOWN)
    unknown.cancel()
    server.stop()
    expect("Watch at the end of the server", next(watch).status, NOT_SERVING)


def reflection(server):
    """What there is, and what is wrong with a question."""
    channel = grpc.insecure_channel(server.address)
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)

    def ask(**question):
        question = reflection_pb2.ServerReflectionRequest(**question)
        return next(stub.ServerReflectionInfo(iter([question]), timeout=5))

    services = {service.name for service in ask(list_services="").list_services_response.service}
    expect("reflection lists AuthService", "countersign.v1.AuthService" in services, True)
    try:
        ask(file_containing_symbol="a" * 5_000)
        raise AssertionError("a question of 5,000 bytes was answered")
    except grpc.RpcError as error:
        expect("reflection, 5,000 bytes", error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)


def curl(server, folder):
    """HTTP/2 without TLS, from the first byte on."""
    url = f"http://{server.address}"
    empty = folder / "empty"
    empty.write_bytes(bytes(5))
    grpc_headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    asked = ("curl", "-sS", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null")

    def status_line(*arguments):
        code, said = run(*asked, *arguments)
        assert code == 0, said
        return said.splitlines()[0].split()[1], said.lower()

    status, said = status_line(*grpc_headers, "--data-binary", f"@{empty}", url + LIST_KEYS)
    expect("curl, a call", (status, "grpc-status: 0" in said), ("200", True))
    assert "x-request-id: " in said, said
    status, said = status_line(*grpc_headers, "--data-binary", f"@{empty}", url + "/shop.v1.Orders/Buy")
    expect("curl, an unknown RPC", (status, "grpc-status: 12" in said), ("200", True))
    status, said = status_line(url + LIST_KEYS)
    expect("curl, GET", (status, "allow: post" in said), ("405", True))
    status, _ = status_line("-H", "content-type: application/json", "-d", "{}", url + LIST_KEYS)
    expect("curl, JSON", status, "415")
    code, _ = run("curl", "-sS", "--http1.1", url)
    assert code != 0, "HTTP/1.1 was answered"
    print("    curl, HTTP/1.1: closed")


def h2load(server, folder):
    """As much as it can: all are answered. Questions that need no key are cut off."""
    question = folder / "question"
    token = b"\x0a\x07garbage"
    question.write_bytes(b"\0" + len(token).to_bytes(4, "big") + token)
    headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    load = ("h2load", "-n", "5000", "-c", "4", "-m", "32", "-t", "1", *headers)
    code, said = run(*load, "-d", str(question), f"http://{server.address}{VALIDATE}")
    assert code == 0, said
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", said)
    assert counts, said
    expect("h2load, validations (succeeded, failed, errored)", counts.groups(), ("5000", "0", "0"))
    empty = folder / "empty"
    empty.write_bytes(bytes(5))
    _, said = run(*load, "-d", str(empty), f"http://{server.address}{HEALTH}")
    succeeded = int(re.search(r"(\d+) succeeded", said).group(1))
    assert 0 < succeeded < 5000, said
    print(f"    h2load, questions about health without a key: {succeeded} of 5000 answered, then cut off")


def buf_curl(server, buf):
    """By reflection, and with the error as buf shows it."""
    url = f"http://{server.address}"
    call = (buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge")
    code, said = run(*call, "-d", "{}", url + LIST_KEYS)
    assert code == 0, said
    assert json.loads(said)["signingKeys"], said
    print("    buf curl, ListSigningKeys: OK")
    code, said = run(*call, "-d", "{}", url + "/countersign.v1.AuthService/RefreshTokens")
    assert code != 0 and "invalid_argument" in said and "refresh_token" in said, said
    print("    buf curl, RefreshTokens without a token: invalid_argument, refresh_token")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    parser.add_argument("--buf", type=pathlib.Path, help="the buf binary")
    arguments = parser.parse_args()
    server = Server(str(arguments.server.resolve()), {})
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        curl(server, folder)
        h2load(server, folder)
    if arguments.buf:
        buf_curl(server, str(arguments.buf.resolve()))
    reflection(server)
    health(server)
    print("programs that are not ours were answered as the specifications have it")


main()
