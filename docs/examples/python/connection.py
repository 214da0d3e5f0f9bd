"""A channel to Countersign, and what its errors say."""

import argparse
import os

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# After a restart of the server a channel is back within a second; by default it may
# wait for two minutes.
OPTIONS = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000))


def arguments(description, port):
    """The arguments of a program, with the host and port where it listens."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--countersign", default="127.0.0.1:50051", help="its host and port")
    parser.add_argument("--ca", help="the certificate of the authority, if it serves TLS")
    parser.add_argument("--port", type=int, default=port, help="where this program listens")
    parser.add_argument("--service", default="127.0.0.1:8090", help="the protected service")
    return parser.parse_args()


def channel(given):
    if given.ca is None:
        return grpc.insecure_channel(given.countersign, OPTIONS)
    with open(given.ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    return grpc.secure_channel(given.countersign, credentials, OPTIONS)


def call(rpc, request):
    """Calls an RPC with the key of this caller, if it has one."""
    key = os.environ.get("COUNTERSIGN_API_KEY")
    metadata = (("authorization", f"Bearer {key}"),) if key else ()
    return rpc(request, timeout=5, metadata=metadata)


def reason(error):
    """The reason of a grpc.RpcError, a name from error_reason.proto; empty if it is not of Countersign."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == "countersign":
            return info.reason
    return ""
