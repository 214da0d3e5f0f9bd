"""Walks the pages of the gateway in a real browser, Chromium, with and without
scripts, in Korean and English, on a phone and a desktop.

A person signs up, proves the address by a code, signs in, says something of
itself, stays signed in past the life of the access token and a restart of the
server, is asked for nothing twice by two tabs at once, and is signed out
everywhere when an operator suspends it. axe-core looks at each page in both
themes. It exits 0 if every page is as promised."""

import argparse
import collections
import pathlib
import re
import tempfile
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from edge import UNLIMITED
from walk import Client, Server

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "another good battery"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1440, "height": 900}
MOST_BYTES = 50 * 1024


class Pages(Server):
    """The server with its gateway."""

    def __init__(self, binary, data, settings=()):
        super().__init__(
            binary,
            {
                "COUNTERSIGN__GATEWAY__LISTEN": "127.0.0.1:0",
                "COUNTERSIGN__DATA_DIR": str(data),
            }
            | UNLIMITED
            | {"COUNTERSIGN__VERIFICATION__COOLDOWN": "0s"}
            | dict(settings),
        )
        with self.changed:
            assert self.changed.wait_for(lambda: self.gateway, 10), "the gateway does not listen"
        self.origin = f"http://{self.gateway}"


class Person:
    """Somebody before a browser."""

    def __init__(self, browser, server, language, scripts=True, viewport=DESKTOP):
        self.server = server
        self.context = browser.new_context(
            locale=language, java_script_enabled=scripts, viewport=viewport
        )
        self.page = self.context.new_page()
        self.foreign, self.faults = [], []
        self.page.on("request", self._requested)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)

    def _requested(self, request):
        if not request.url.startswith((self.server.origin, "data:")):
            self.foreign.append(request.url)

    def _said(self, message):
        # A form that is refused is a page with status 422.
        if message.type == "error" and "422" not in message.text:
            self.faults.append(message.text)

    def goes_to(self, path):
        return self.page.goto(self.server.origin + path)

    def sends(self, **fields):
        """Fills a form and sends it."""
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)
        self.page.click("main form button.primary")

    def is_at(self, path):
        self.page.wait_for_url(lambda url: url.removeprefix(self.server.origin).split("?")[0] == path)

    def reads(self, selector):
        return " ".join(self.page.text_content(selector).split())

    def signs_up(self, email):
        self.goes_to("/sign-up")
        self.sends(identifier="nonsense", password="short")
        assert self.page.title().startswith(("Error:", "오류:")), self.page.title()
        assert self.page.get_attribute("#identifier", "aria-invalid") == "true"
        assert self.page.get_attribute("#password", "aria-invalid") == "true"
        assert self.page.input_value("#identifier") == "nonsense"
        self.sends(identifier=email, password=PASSWORD)
        self.is_at("/sign-up/verify")
        code = self.server.code_for(email)
        self.sends(code="000000" if code != "000000" else "111111")
        assert self.page.get_attribute("#code", "aria-invalid") == "true"
        self.sends(code=code)
        self.is_at("/login")

    def signs_in(self, email, password=PASSWORD):
        self.goes_to("/login")
        self.sends(identifier=email, password="wrong")
        refused = self.reads(".error-summary")
        self.sends(identifier="nobody@example.com", password="wrong")
        assert self.reads(".error-summary") == refused, "an unknown person has another answer"
        self.sends(identifier=email, password=password)
        self.is_at("/profile")

    def cookie(self, name):
        cookies = {cookie["name"]: cookie for cookie in self.context.cookies()}
        return cookies.get(name)

    def ends(self):
        assert not self.foreign, f"requests to other hosts: {self.foreign}"
        assert not self.faults, f"the browser complains: {self.faults}"
        self.context.close()


def journey(browser, server, language, scripts, viewport):
    """From signing up to signing out."""
    person = Person(browser, server, language, scripts, viewport)
    email = f"mina-{language}-{scripts}-{viewport['width']}@example.com".lower()
    answer = person.goes_to("/")
    person.is_at("/login")
    assert person.page.get_attribute("html", "lang") == language[:2]
    headers = answer.headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"], headers
    assert headers["cache-control"] == "no-store", headers
    person.signs_up(email)
    person.signs_in(email)
    for name, path in (("__Host-access", "/"), ("__Secure-refresh", "/session"), ("__Host-device", "/")):
        cookie = person.cookie(name)
        expected = (path, True, True, "Lax")
        found = (cookie["path"], cookie["secure"], cookie["httpOnly"], cookie["sameSite"])
        assert found == expected, f"{name}: {found}"
    person.sends(name="민아 <b>&\"'", time_zone="Asia/Seoul")
    assert person.page.locator(".notice").is_visible()
    assert person.page.input_value("#name") == "민아 <b>&\"'"

    # The access token is gone: it is renewed, and a form that was sent without it is not lost.
    before = person.cookie("__Secure-refresh")["value"]
    person.context.clear_cookies(name="__Host-access")
    person.goes_to("/profile")
    person.is_at("/profile")
    assert person.cookie("__Secure-refresh")["value"] != before
    person.context.clear_cookies(name="__Host-access")
    person.sends(name="Mina")
    assert person.page.input_value("#name") == "Mina"

    # Another device is seen, and signed out from here.
    other = Person(browser, server, language, scripts, viewport)
    other.signs_in(email)
    person.goes_to("/profile/devices")
    assert person.page.locator("ul.rows > li").count() == 2
    person.page.locator("ul.rows form button").click()
    if scripts:
        person.page.click("dialog button[value=yes]")
    expect(person.page.locator("ul.rows > li")).to_have_count(1)
    other.goes_to("/profile")
    other.is_at("/login")
    other.ends()

    person.goes_to("/profile/password")
    person.sends(current_password="wrong", password=OTHER_PASSWORD)
    assert person.page.get_attribute("#current_password", "aria-invalid") == "true"
    person.sends(current_password=PASSWORD, password=OTHER_PASSWORD)
    person.is_at("/profile")
    person.page.click(".masthead form button")
    person.is_at("/logout")
    assert person.cookie("__Host-access") is None and person.cookie("__Secure-refresh") is None
    person.goes_to("/profile")
    person.is_at("/login")
    person.signs_in(email, OTHER_PASSWORD)
    person.ends()
    print(f"    {language}, scripts {scripts}, {viewport['width']} px: as promised")


def forgotten(browser, server):
    """A password is forgotten and set anew, and a code signs in without one."""
    person = Person(browser, server, "en-GB")
    email = "forgetful@example.com"
    person.signs_up(email)
    person.goes_to("/password/forgotten")
    person.sends(identifier=email)
    person.sends(code=server.code_for(email))
    person.sends(password="short")
    assert person.page.get_attribute("#password", "aria-invalid") == "true"
    person.sends(password=OTHER_PASSWORD)
    person.is_at("/login")
    person.signs_in(email, OTHER_PASSWORD)
    person.page.click(".masthead form button")
    person.goes_to("/login?return_to=/profile/devices")
    person.page.fill("#identifier", email)
    person.page.click("button[formaction='/login/code']")
    person.sends(code=server.code_for(email))
    person.is_at("/profile/devices")
    person.ends()
    print("    a forgotten password and a sign-in by code: as promised")


def restart_and_suspension(browser, binary, data):
    """The session outlives the server, and ends with a suspension."""
    server = Pages(binary, data)
    listen = {"COUNTERSIGN__GATEWAY__LISTEN": server.gateway}
    person = Person(browser, server, "en-GB")
    email = "lasting@example.com"
    person.signs_up(email)
    person.signs_in(email)
    user_id = person.reads(".facts .mono")
    server.stop()
    server = Pages(binary, data, listen)
    person.server = server
    person.goes_to("/profile")
    person.is_at("/profile")
    client = Client(server.address)
    client.call("SuspendUser", user_id=user_id, reason="fraud")
    person.goes_to("/profile")
    person.is_at("/login")
    person.sends(identifier=email, password=PASSWORD)
    assert "suspended" in person.reads(".error-summary").lower(), person.reads(".error-summary")
    person.ends()
    server.stop()
    print("    a restart and a suspension: as promised")


def two_tabs(browser, server, times):
    """Two tabs renew at once, again and again: nobody is signed out."""
    person = Person(browser, server, "en-GB")
    email = "tabs@example.com"
    person.signs_up(email)
    person.signs_in(email)
    renew = """async (times) => {
        let out = 0;
        for (let i = 0; i < times; i++) {
            const both = await Promise.all([0, 1].map(() => fetch('/session/renew?return_to=/assets/icon.svg')));
            out += both.filter((answer) => answer.url.includes('/login')).length;
        }
        return out;
    }"""
    # What the browser really sent: at once means with the same token.
    sent = collections.Counter()

    def was_sent(event):
        cookies = event["headers"].get("Cookie") or event["headers"].get("cookie", "")
        sent.update(re.findall(r"__Secure-refresh=([^;]*)", cookies))

    devtools = person.context.new_cdp_session(person.page)
    devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSentExtraInfo", was_sent)
    out = person.page.evaluate(renew, times)
    devtools.detach()
    assert out == 0, f"signed out {out} times of {2 * times}"
    at_once = sum(count == 2 for count in sent.values())
    assert at_once > times / 2, f"only {at_once} of {times} times at once: {sent.total()} sent"
    person.goes_to("/profile")
    person.is_at("/profile")
    person.ends()
    print(f"    two tabs renewed {times} times, {at_once} of them at once: nobody was signed out")


def accessibility(browser, server):
    """axe-core finds nothing, on any page in either theme and language."""
    person = Person(browser, server, "en-GB")
    email = "axe@example.com"
    person.signs_up(email)
    looked = 0
    for path in ("/login", "/sign-up", "/password/forgotten", "/confirm", "/addresses/undo"):
        looked += look(person, path)
    person.signs_in(email)
    account = ("", "/devices", "/password", "/factors", "/addresses", "/withdraw")
    for path in account:
        looked += look(person, "/profile" + path)
    person.ends()
    print(f"    axe-core, {looked} looks at pages: 0 violations")


def look(person, path):
    looks = 0
    for theme in ("light", "dark"):
        for language in ("ko", "en"):
            for viewport in (PHONE, DESKTOP):
                person.page.emulate_media(color_scheme=theme)
                person.page.set_viewport_size(viewport)
                person.goes_to(f"{path}?lang={language}")
                found = Axe().run(person.page)
                where = f"{path} {theme} {language} {viewport['width']}"
                assert found.violations_count == 0, f"{where}: {found.generate_report()}"
                wide = person.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= viewport["width"], f"{where}: {wide} px wide"
                looks += 1
    return looks


def weight(server):
    """What a page costs, before images."""
    def size(path):
        with urllib.request.urlopen(server.origin + path) as answer:
            return len(answer.read())
    assets = sum(size(path) for path in ("/assets/style.css", "/assets/page.js"))
    heaviest = max(size(path) for path in ("/login", "/sign-up", "/password/forgotten"))
    assert assets + heaviest <= MOST_BYTES, f"{assets} + {heaviest} bytes"
    print(f"    pages of at most {assets + heaviest} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="target/debug/countersign")
    parser.add_argument("--times", type=int, default=200, help="renewals by two tabs at once")
    arguments = parser.parse_args()
    binary = pathlib.Path(arguments.server).resolve()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        server = Pages(binary, pathlib.Path(folder) / "data")
        for language in ("ko-KR", "en-GB"):
            for scripts in (True, False):
                for viewport in (PHONE, DESKTOP):
                    journey(browser, server, language, scripts, viewport)
        forgotten(browser, server)
        accessibility(browser, server)
        weight(server)
        two_tabs(browser, server, arguments.times)
        server.stop()
        restart_and_suspension(browser, binary, pathlib.Path(folder) / "other")
        browser.close()


if __name__ == "__main__":
    main()
