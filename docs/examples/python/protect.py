"""A service that only people who are signed in can use: it asks Countersign about
each access token, and answers as RFC 6750 says.

    GET /me        anybody who is signed in
    GET /profile   whose token has the scope `profile`
"""

import http.server
import json

import grpc

import connection
from countersign.v1 import auth_pb2, auth_pb2_grpc

SCOPES = {"/me": [], "/profile": ["profile"]}
Rejected = auth_pb2.RejectionReason


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path not in SCOPES:
            return self.answer(404, {"error": "not_found"})
        scopes = SCOPES[self.path]
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            # Nothing was shown, so nothing is said to be wrong with it.
            return self.challenge(401, 'Bearer realm="example"')
        question = auth_pb2.ValidateTokenRequest(access_token=token.strip(), required_scopes=scopes)
        try:
            answer = connection.call(AUTH.ValidateToken, question)
        except grpc.RpcError as error:
            # Nobody could tell: that is no "no". The client keeps its token and asks again.
            self.log_error("ValidateToken: %s %s", error.code().name, connection.reason(error))
            return self.answer(503, {"error": "unavailable"}, {"retry-after": "1"})
        if answer.WhichOneof("verdict") == "valid":
            who = answer.valid
            said = {"user_id": who.subject, "group_id": who.group_id, "scopes": list(who.scopes)}
            return self.answer(200, said)
        self.reject(answer.rejected, scopes)

    def reject(self, rejection, scopes):
        why = Rejected.Name(rejection.reason).removeprefix("REJECTION_REASON_")
        if rejection.reason == Rejected.REJECTION_REASON_INSUFFICIENT_SCOPE:
            self.challenge(403, f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"', why)
        else:
            # Expired, revoked, altered, of another audience or issuer, no token at all.
            self.challenge(401, 'Bearer error="invalid_token"', why)

    def challenge(self, status, challenge, why="ACCESS_TOKEN_MISSING"):
        self.answer(status, {"error": why}, {"www-authenticate": challenge})

    def answer(self, status, body, headers=()):
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("cache-control", "no-store")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    given = connection.arguments(__doc__.split(":")[0], 8090)
    AUTH = auth_pb2_grpc.AuthServiceStub(connection.channel(given))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), Service)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
