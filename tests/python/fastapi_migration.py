"""Does what docs/migrating/fastapi.md says, snippet by snippet: writes its files, runs
its commands in their order, and looks after each step whether what the page says is so,
with HTTP clients and, from nginx on, in Chromium.

The ports are those of the page, as root in a network of its own. It exits 0 if
every step works and nobody was signed out by one."""

import argparse
import base64
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

from passlib.context import CryptContext
from playwright.sync_api import sync_playwright

from proxies import own_network

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/migrating/fastapi.md"
PASSWORD = "correct horse battery"
# Programs that stay, and where they listen.
STAYING = {"uvicorn": 8000, "nginx": 8888, "countersign": 8080}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]


class Checks:
    def __init__(self):
        self.count = 0

    def __call__(self, what, seen, wanted):
        assert seen == wanted, f"{what}: {seen!r} instead of {wanted!r}"
        self.count += 1
        print(f"    {what}: {wanted}")


def sections():
    """The fenced blocks below each heading, with their languages."""
    text = DOCUMENT.read_text()
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        heading = part.splitlines()[0]
        blocks = re.findall(r"^```(\w+)\n(.*?)^```$", part, flags=re.MULTILINE | re.DOTALL)
        yield heading.split(".")[0] if heading[0].isdigit() else "0", blocks


def stays(words):
    name = words[0]
    if name == "countersign":
        return words[1:] == ["--config", "countersign.toml"]
    return name in STAYING


class Reader:
    """Somebody who follows the page, in a folder of its own."""

    def __init__(self, folder, binary):
        self.folder, self.running, self.run = folder, {}, 0
        programs = folder / "bin"
        programs.mkdir()
        (programs / "countersign").symlink_to(binary)
        for name in ("python", "uvicorn"):
            (programs / name).symlink_to(pathlib.Path(sys.executable).parent / name)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "CLONE": str(ROOT),
        }

    def follows(self, blocks):
        for language, text in blocks:
            if language == "console":
                for line in text.splitlines():
                    self.types(line.removeprefix("$ "))
                    self.run += 1
            else:
                name = re.match(r"(?:#|//) (\S+)\n", text)
                assert name, f"a block without the name of its file: {text[:60]}"
                (self.folder / name[1]).write_text(text)

    def types(self, line):
        print(f"  $ {line}")
        words = line.split()
        if words[0] == "export":
            name, _, value = line.removeprefix("export ").partition("=")
            said = subprocess.run(
                ["bash", "-c", f"printf %s {value}"],
                cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True,
            )
            self.environment[name] = said.stdout.strip()
        elif stays(words):
            self.stops(words[0])
            # The shell is replaced, so that a signal reaches the program.
            self.running[words[0]] = subprocess.Popen(
                ["bash", "-c", "exec " + line],
                cwd=self.folder, env=self.environment,
                stdout=subprocess.DEVNULL, stderr=open(self.folder / f"{words[0]}.log", "a"),
            )
            self.waits(words[0])
        else:
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=self.folder, env=self.environment, capture_output=True, text=True,
            )
            assert done.returncode == 0, (line, done.returncode, done.stdout, done.stderr)

    def waits(self, name):
        due = time.monotonic() + 20
        while True:
            assert self.running[name].poll() is None, (self.folder / f"{name}.log").read_text()
            try:
                return socket.create_connection(("127.0.0.1", STAYING[name]), 1).close()
            except OSError:
                assert time.monotonic() < due, f"{name} does not listen"
                time.sleep(0.1)

    def stops(self, name):
        process = self.running.pop(name, None)
        if process:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)

    def leaves(self):
        for name in list(self.running):
            self.stops(name)


def ask(method, path, data=None, token=None, form=None, port=8000):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers, body = {"host": f"localhost:{port}"}, None
    if token:
        headers["authorization"] = f"Bearer {token}"
    if data is not None:
        headers["content-type"], body = "application/json", json.dumps(data)
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urllib.parse.urlencode(form)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None, answer.headers
    finally:
        connection.close()


def old_table(folder):
    """The table of the application, with two people and one who has left."""
    passwords = CryptContext(schemes=["bcrypt"], bcrypt__rounds=6)
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT NOT NULL,"
            " hashed_password TEXT, is_active INTEGER NOT NULL DEFAULT 1)"
        )
        for row in ((7, "mina", 1), (8, "juno", 1), (9, "nari", 0)):
            number, name, active = row
            given = (number, f"{name}@example.com", name.title(), passwords.hash(PASSWORD), active)
            database.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?)", given)


def sign_in(name, password=PASSWORD):
    form = {"username": f"{name}@example.com", "password": password}
    return ask("POST", "/api/login", form=form)


def claims(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def asking(check, reader, old):
    status, said, _ = ask("GET", "/api/me", token=old["access_token"])
    check("an old token, asked about", (status, said), (200, {"id": 7, "name": "Mina"}))


def moved(check, reader, old):
    """Old tokens go on, and new ones look like them."""
    asking(check, reader, old)
    status, tokens, _ = sign_in("mina")
    said = claims(tokens["access_token"])
    check("a sign-in", (status, said["id"], said["type"]), (200, 7, "access"))
    me = ask("GET", "/api/me", token=tokens["access_token"])[:2]
    check("with its token", me, (200, {"id": 7, "name": "Mina"}))
    check("a wrong password", sign_in("mina", "not it at all")[0], 401)
    check("nobody's address", sign_in("nobody")[0], 401)
    check("who has left", sign_in("nari")[0] in (401, 403), True)
    status, renewed, _ = ask("POST", "/api/refresh", {"refresh_token": old["refresh_token"]})
    me = ask("GET", "/api/me", token=renewed["access_token"])[:2]
    check("an old refresh token, exchanged", (status, *me), (200, 200, {"id": 7, "name": "Mina"}))
    again = ask("POST", "/api/refresh", {"refresh_token": renewed["refresh_token"]})
    check("and renewed", again[0], 200)
    status, said, headers = ask("GET", "/api/me", token="nonsense")
    seen = (status, said["detail"], headers["www-authenticate"])
    check("nonsense", seen, (401, "MALFORMED", 'Bearer error="invalid_token"'))
    status, _, headers = ask("GET", "/api/me")
    check("no token", (status, headers["www-authenticate"]), (401, "Bearer"))

    reader.stops("countersign")
    status, _, headers = ask("GET", "/api/me", token=tokens["access_token"])
    check("an outage", (status, headers["retry-after"]), (503, "1"))
    check("an outage, sign-in", sign_in("mina")[0], 503)
    reader.types("countersign --config countersign.toml")
    check("and after it", ask("GET", "/api/me", token=tokens["access_token"])[0], 200)
    # The way back: the application that was verifies what is issued now.
    reader.types("uvicorn before:app --port 8000")
    me = ask("GET", "/api/me", token=tokens["access_token"])[:2]
    check("a new token, in the old application", me, (200, {"id": 7, "name": "Mina"}))
    reader.types("uvicorn app:app --port 8000")


def cookies(check, reader):
    """In a browser, with nothing but cookies."""
    origin = "http://localhost:8888"
    check("nobody, by the proxy", ask("GET", "/api/me", port=8888)[0], 401)
    script = (reader.folder / "api.js").read_text()

    def me(page):
        return page.evaluate(script + "; api('/api/me').then((answer) => answer.json())")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context()
        context.set_default_timeout(10_000)
        page = context.new_page()

        def signs_in(address):
            page.goto(f"{origin}/login?return_to=/api/me")
            page.fill("#identifier", address)
            page.fill("#password", PASSWORD)
            page.click("main form button.primary")
            page.wait_for_url(f"{origin}/api/me")

        signs_in("juno@example.com")
        check("with the old password", me(page), {"id": 8, "name": "Juno"})
        check("for scripts there is no cookie", page.evaluate("document.cookie"), "")
        context.clear_cookies(name="__Host-access")
        check("renewed silently", me(page), {"id": 8, "name": "Juno"})
        other = context.new_page()
        other.goto(f"{origin}/api/me")
        context.clear_cookies(name="__Host-access")
        both = "; Promise.all([api('/api/me'), api('/api/me')]).then((all) => all.map((one) => one.status))"
        check("twice at once", page.evaluate(script + both), [200, 200])
        check("in another tab", me(other), {"id": 8, "name": "Juno"})
        context.clear_cookies()
        status = page.evaluate(script + "; api('/api/me').then((answer) => answer.status)")
        page.wait_for_url(re.compile(re.escape(origin) + "/login"))
        check("signed out, it leads to the sign-in", status, 401)

        # Somebody whom the old application never knew.
        page.goto(f"{origin}/sign-up")
        page.fill("#identifier", "new@example.com")
        page.fill("#password", PASSWORD)
        page.click("main form button.primary")
        page.wait_for_url(lambda url: url.startswith(f"{origin}/sign-up/verify"))
        log = (reader.folder / "countersign.log").read_text()
        page.fill("#code", re.findall(r"code=\W*(\d{6})", log)[-1])
        page.click("main form button.primary")
        page.wait_for_url(lambda url: url.startswith(f"{origin}/login"))
        signs_in("new@example.com")
        check("somebody whom the table did not have", me(page), {"id": 10, "name": ""})
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = parser.parse_args().server.resolve()
    own_network()
    check = Checks()
    steps = dict(sections())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        reader = Reader(folder, binary)
        old_table(folder)
        try:
            reader.follows(steps["0"])
            status, old, _ = sign_in("mina")
            me = ask("GET", "/api/me", token=old["access_token"])[:2]
            check("as it was", (status, *me), (200, 200, {"id": 7, "name": "Mina"}))
            for number in ("1", "2"):
                reader.follows(steps[number])
            asking(check, reader, old)
            reader.follows(steps["3"])
            moved(check, reader, old)
            reader.follows(steps["4"])
            with sqlite3.connect(folder / "shop.db") as database:
                linked = database.execute("SELECT count(countersign_id) FROM users").fetchone()[0]
            check("users of the table with an id here", linked, 3)
            cookies(check, reader)
        finally:
            reader.leaves()
    print(f"{reader.run} commands of the page ran, {check.count} of {check.count} checks hold")


if __name__ == "__main__":
    main()
