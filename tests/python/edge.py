"""What the suites of the gateway share: a server that speaks HTTP as well, a
client of it that is Python's own http.client, people who have signed up, and
connections on which any bytes can be sent."""

import base64
import http.client
import json
import re
import secrets
import socket
import subprocess
import time
import urllib.parse

from walk import Server

PASSWORD = "correct horse battery"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
# So that no suite runs into the limits of one source.
UNLIMITED = {
    "COUNTERSIGN__VERIFICATION__COOLDOWN": "1s",
    "COUNTERSIGN__VERIFICATION__SENDS_PER_SOURCE": "10000",
    "COUNTERSIGN__VERIFICATION__ABUSE": "record",
    "COUNTERSIGN__PASSWORDS__ATTEMPTS_PER_SOURCE": "1000",
    "COUNTERSIGN__PASSWORDS__ATTEMPTS_PER_SOURCE_DAILY": "10000",
    "COUNTERSIGN__PASSWORDS__FAILURES_PER_SOURCE": "10000",
}


class Answer:
    """An answer of the gateway."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.type = (response.headers.get("content-type") or "").split(";")[0]

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers.items()} {self.body[:600]!r}"


class Http:
    """Calls the gateway, and prints each call."""

    def __init__(self, address, quiet=False):
        self.address, self.quiet = address, quiet
        # What was done, for comparing it with the document.
        self.seen = []

    def send(self, method, path, *, data=None, form=None, body=None, headers=()):
        headers = dict(headers)
        if data is not None:
            body = json.dumps(data).encode()
            headers.setdefault("content-type", JSON)
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            headers.setdefault("content-type", FORM)
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if not self.quiet:
            print(f"    {method} {path[:60]}: {answer.status}")
        return answer

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def post(self, path, data=None, **more):
        return self.send("POST", path, data=data, **more)

    def done(self, method, path, data=None, **more):
        answer = self.send(method, path, data=data, **more)
        assert answer.status == 200 and answer.type == JSON, answer
        self.seen.append((method, path.split("?")[0], answer.json))
        return answer.json

    def refused(self, status, reason, method, path, data=None, **more):
        answer = self.send(method, path, data=data, **more)
        problem = answer.json
        assert answer.status == status, answer
        assert answer.type == PROBLEM and problem["status"] == status, answer
        assert problem["reason"] == reason and problem["detail"] and problem["title"], answer
        return answer


def new_address():
    """An address that nobody has; the log masks all but its domain, which is of no other."""
    return f"mina@{secrets.token_hex(6)}.example"


def bearer(token, **more):
    return {"authorization": f"Bearer {token}"} | more


def basic(name, secret):
    pair = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


class Edge(Server):
    """The server with its gateway, on ports of its own."""

    def __init__(self, binary, settings=None):
        self.binary = binary
        given = {"COUNTERSIGN__GATEWAY__LISTEN": "127.0.0.1:0"} | (settings or {})
        super().__init__(binary, given)
        with self.changed:
            ended = lambda: self.gateway or self.process.poll() is not None
            assert self.changed.wait_for(ended, 10) and self.gateway, "the server has no gateway"
        self.http = Http(self.gateway)

    def caller(self, name, *roles):
        """A new caller's API key."""
        given = [argument for role in roles for argument in ("--role", role)]
        command = [
            self.binary,
            "--data-dir",
            self.folder.name + "/data",
            "caller",
            "new",
            "--name",
            name,
        ]
        done = subprocess.run([*command, *given], capture_output=True, text=True, check=True)
        return next(word for word in (done.stdout + done.stderr).split() if word.startswith("csk_"))

    def sign_up(self, email=None, **more):
        """A person who has proved an address; the address and the person's id."""
        email = email or new_address()
        address = {"identifier": {"email": email}}
        sent = self.http.done("POST", "/v1/verifications", address | {"purpose": "PURPOSE_SIGN_UP"})
        checked = {"verification_id": sent["verification_id"], "code": self.code_for(email)}
        proof = self.http.done("POST", "/v1/verifications/check", checked)["proof"]
        new = address | {"proof": proof, "password": PASSWORD} | more
        return email, self.http.done("POST", "/v1/sign-up", new)["user_id"]

    def sign_in(self, email, password=PASSWORD):
        return self.http.done("POST", "/token/pair", {"email": email, "password": password})

    def person(self):
        """Somebody who has just signed up and in: the tokens, and the address."""
        email, _ = self.sign_up()
        return self.sign_in(email) | {"email": email}


def raw(address, *parts, pause=0, wait=5):
    """All that comes back on a connection on which these bytes were sent."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        for part in parts:
            connection.sendall(part if isinstance(part, bytes) else part.encode())
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):
            pass
        return received


def wait_for_caller(http, headers):
    """A running server knows a new caller within seconds, and from then on nobody else."""
    due = time.monotonic() + 10
    stranger = bearer("csk_made-up")
    while (
        http.get("/v1/users", headers=headers).status != 200
        or http.get("/v1/users", headers=stranger).status == 200
    ):
        assert time.monotonic() < due, "the server does not know its caller"
        time.sleep(0.5)


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]


class Tried:
    """What was tried, and what of it succeeded."""

    def __init__(self):
        self.count, self.successes = 0, []

    def that(self, holds, *what):
        self.count += 1
        if not holds:
            print("    SUCCEEDED:", *(str(part)[:300] for part in what))
            self.successes.append(what)

    def through(self, attack, target, *given):
        """Tries all of one kind; a server has to outlive it."""
        before = self.count
        attack(self, target, *given)
        if isinstance(target, Edge):
            assert target.process.poll() is None, f"the server did not outlive {attack.__name__}"
        print(f"{attack.__name__}: {self.count - before} tried")

    def end(self):
        print(f"{len(self.successes)} of {self.count} attacks succeeded")
        assert not self.successes
