"""A headless Chromium with a page on http://localhost, driven over the DevTools
protocol, and its virtual authenticator."""

import contextlib
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time

import websocket

PAGE = b"<!doctype html><meta charset=utf-8><title>passkeys</title>"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page():
    """The origin of a page."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()


class Browser:
    """One tab of Chromium at an origin."""

    def __init__(self, origin, binary="chromium"):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        arguments += ["--remote-debugging-port=0", "--remote-allow-origins=*"]
        arguments += [f"--user-data-dir={self.folder.name}", "about:blank"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([binary, *arguments], stdout=quiet, stderr=quiet)
        self.calls = 0
        target = self.address()
        self.socket = websocket.create_connection(target, timeout=60)
        tab = self.send("Target.createTarget", session=None, url=origin)["targetId"]
        attach = {"targetId": tab, "flatten": True}
        self.session = self.send("Target.attachToTarget", session=None, **attach)["sessionId"]
        self.send("WebAuthn.enable", enableUI=False)
        deadline = time.monotonic() + 30
        while self.run("document.readyState + location.origin") != "complete" + origin:
            assert time.monotonic() < deadline, "the page does not load"
            time.sleep(0.1)

    def address(self):
        """The address of the browser's DevTools, once it has written it."""
        file = pathlib.Path(self.folder.name) / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if file.exists() and len(lines := file.read_text().split()) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            assert self.process.poll() is None, "Chromium has ended"
            time.sleep(0.1)
        raise AssertionError("Chromium does not start")

    def send(self, method, session="own", **parameters):
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        if session == "own":
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while (answer := json.loads(self.socket.recv())).get("id") != self.calls:
            pass
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def run(self, script):
        """The value of a script, which may be a promise."""
        answer = self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def authenticator(self, resident=True, verifies=True):
        """A new virtual authenticator over CTAP 2."""
        options = {
            "protocol": "ctap2",
            "transport": "internal" if resident else "usb",
            "hasResidentKey": resident,
            "hasUserVerification": verifies,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        }
        added = self.send("WebAuthn.addVirtualAuthenticator", options=options)
        return added["authenticatorId"]

    def remove(self, authenticator):
        self.send("WebAuthn.removeVirtualAuthenticator", authenticatorId=authenticator)

    def create(self, options):
        """What the browser answers to creation options, as JSON."""
        return self.run(
            "(async (options) => JSON.stringify((await navigator.credentials.create({publicKey:"
            f" PublicKeyCredential.parseCreationOptionsFromJSON(options)}})).toJSON()))({options})"
        )

    def get(self, options):
        """What the browser answers to request options, as JSON."""
        return self.run(
            "(async (options) => JSON.stringify((await navigator.credentials.get({publicKey:"
            f" PublicKeyCredential.parseRequestOptionsFromJSON(options)}})).toJSON()))({options})"
        )

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()
