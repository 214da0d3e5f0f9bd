"""A gateway for browsers: it signs a person in, keeps the tokens to itself, renews
them, and calls a service with them. The browser has a cookie that says nothing.

    POST /login    {"email": …, "password": …}
    GET  /…        the answer of the protected service, see protect.py
    POST /logout
"""

import http.client
import http.cookies
import http.server
import json
import secrets
import time

import grpc

import connection
from countersign.v1 import auth_pb2, auth_pb2_grpc, types_pb2

# What a reason means for the browser. Any other error is "could not tell": 503, and
# nobody is signed out by it.
REFUSALS = {
    "FIELD_INVALID": 400,
    "SIGN_IN_REFUSED": 401,
    "USER_SUSPENDED": 403,
    "USER_WITHDRAWN": 403,
    "TOO_MANY_ATTEMPTS": 429,
    "REFRESH_TOKEN_INVALID": 401,
    "REFRESH_TOKEN_REUSED": 401,
    "SESSION_ENDED": 401,
}
# The tokens of each cookie. A real gateway keeps them where a restart does not lose them.
SESSIONS = {}


class Gateway(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        # Another site's form cannot send this type, and SameSite keeps its scripts out.
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get_content_type() != "application/json":
            return self.answer(415, {"error": "send application/json"})
        doing = {"/login": self.sign_in, "/logout": self.sign_out}.get(self.path)
        if doing is None:
            return self.answer(404, {"error": "not_found"})
        self.guarded(doing, body)

    def do_GET(self):
        self.guarded(self.forward)

    def guarded(self, doing, *given):
        """Does it, and says of an error of Countersign whether it is a "no"."""
        try:
            doing(*given)
        except grpc.RpcError as error:
            reason = connection.reason(error)
            status = REFUSALS.get(reason, 503)
            if status == 503:
                self.log_error("Countersign: %s %s", error.code().name, reason)
                return self.answer(503, {"error": "unavailable"}, {"retry-after": "1"})
            if status == 401 and doing == self.forward:
                SESSIONS.pop(self.cookie(), None)
            self.answer(status, {"error": reason})

    def sign_in(self, body):
        try:
            given = json.loads(body)
            email, password = str(given["email"]), str(given["password"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "email and password are needed"})
        grant = auth_pb2.PasswordGrant(
            identifier=types_pb2.Identifier(email=email), password=password
        )
        request = auth_pb2.IssueTokensRequest(
            password=grant, scopes=["profile"], client_context=self.context()
        )
        answer = connection.call(AUTH.IssueTokens, request)
        if answer.WhichOneof("outcome") == "mfa_required":
            # Ask for a code, and give it to SessionService.ValidateMfaSession.
            return self.answer(403, {"error": "MFA_REQUIRED"})
        cookie = secrets.token_urlsafe(32)
        SESSIONS[cookie] = answer.tokens
        # `Secure`, too, as soon as it is served over HTTPS.
        header = f"session={cookie}; Path=/; HttpOnly; SameSite=Strict"
        self.answer(200, {"user_id": answer.tokens.user_id}, {"set-cookie": header})

    def sign_out(self, _):
        cookie = self.cookie()
        if cookie in SESSIONS:
            request = auth_pb2.RevokeTokenRequest(token=SESSIONS[cookie].refresh_token)
            connection.call(AUTH.RevokeToken, request)
            SESSIONS.pop(cookie, None)
        self.answer(200, {}, {"set-cookie": "session=; Path=/; Max-Age=0"})

    def forward(self):
        cookie = self.cookie()
        if cookie not in SESSIONS:
            return self.answer(401, {"error": "sign in"})
        tokens = SESSIONS[cookie]
        if tokens.access_token_expire_time.seconds <= time.time() + 5:
            # Two requests may do this at once: both get the same new tokens.
            request = auth_pb2.RefreshTokensRequest(
                refresh_token=tokens.refresh_token, client_context=self.context()
            )
            tokens = connection.call(AUTH.RefreshTokens, request).tokens
            SESSIONS[cookie] = tokens
        service = http.client.HTTPConnection(SERVICE, timeout=10)
        try:
            headers = {"authorization": f"Bearer {tokens.access_token}"}
            service.request("GET", self.path, headers=headers)
            response = service.getresponse()
            self.answer(response.status, json.loads(response.read()))
        except (OSError, ValueError):
            self.answer(502, {"error": "the service does not answer"})
        finally:
            service.close()

    def cookie(self):
        jar = http.cookies.SimpleCookie(self.headers.get("cookie", ""))
        return jar["session"].value if "session" in jar else ""

    def context(self):
        """For whom the gateway calls: attempts are counted by the address."""
        agent = self.headers.get("user-agent", "")[:512]
        return types_pb2.ClientContext(ip_address=self.client_address[0], user_agent=agent)

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
    given = connection.arguments(__doc__.split(":")[0], 8091)
    SERVICE = given.service
    AUTH = auth_pb2_grpc.AuthServiceStub(connection.channel(given))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), Gateway)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
