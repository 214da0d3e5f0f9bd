"""Signs people in with accounts at an OpenID Connect issuer that is not ours (npm
oidc-provider), in a real browser and with plain HTTP: signing up with what the
issuer told, signing in again, linking and unlinking, and what an attacker would
send back in its place. It exits 0 if everybody who should is signed in, and
nobody else is."""

import argparse
import contextlib
import http.cookiejar
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from playwright.sync_api import sync_playwright

from edge import Tried
from keyboard import Keyboard
from pages import ARGUMENTS, DESKTOP, PASSWORD, PHONE, Pages, Person, look
from xss import PAYLOADS, Findings, Visitor

SCRIPT = pathlib.Path(__file__).parents[1] / "node/oidc_provider.mjs"
PROVIDER = "COUNTERSIGN__FEDERATION__PROVIDERS__"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def issuer(npm_prefix, redirect_uri, **options):
    """An issuer of its own process."""
    port = free_port()
    # Beside the packages, where Node looks for them.
    script = pathlib.Path(npm_prefix) / f"oidc-provider-{port}.mjs"
    shutil.copy(SCRIPT, script)
    arguments = ["node", script.name, str(port), redirect_uri, json.dumps(options)]
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        arguments, cwd=npm_prefix, stdin=pipe, stdout=pipe, stderr=quiet, text=True
    )
    try:
        for line in process.stdout:
            if line.startswith("listening "):
                break
        else:
            raise AssertionError("the issuer does not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        script.unlink()


def provider(name, url, **more):
    settings = {
        "KIND": "oidc",
        "DISPLAY_NAME": name.title(),
        "ISSUER": url,
        "CLIENT_ID": "countersign",
        "CLIENT_SECRET": "countersign-secret",
        "ALLOW_PRIVATE_ADDRESSES": "true",
    } | more
    return {f"{PROVIDER}{name.upper()}__{key}": value for key, value in settings.items()}


class Guest(Person):
    """Somebody who has an account at the issuer, too."""

    def __init__(self, *arguments, issuers=(), **more):
        self.issuers = issuers
        super().__init__(*arguments, **more)

    def _requested(self, request):
        # What the issuer's own page asks for is not ours.
        is_there = request.frame.url.startswith(self.issuers)
        if not is_there and not request.url.startswith(self.issuers):
            super()._requested(request)

    def _said(self, message):
        pass

    def authenticates_as(self, name):
        """At the issuer, whose page this is not about."""
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", "x")
        self.page.click("[type=submit]")
        self.page.click("[type=submit]")

    def signs_in_with(self, display_name, name):
        self.goes_to("/login")
        self.page.click(f".providers a:has-text('{display_name}')")
        self.authenticates_as(name)


def signs_up_and_in(guest, server):
    """The issuer answers for the address: nothing is asked for but a click."""
    guest.signs_in_with("Corp", "mina")
    guest.is_at("/sign-up/continue")
    assert guest.page.input_value("#identifier") == "mina@people.example"
    assert not guest.cookie("__Host-access"), "signed in without an account"
    guest.page.click("main form button.primary")
    guest.is_at("/profile")
    assert "mina@people.example" in guest.reads("main")
    assert not guest.cookie("__Host-account") and not guest.cookie("__Host-federated")
    guest.page.click("form[action='/logout'] button")
    guest.is_at("/logout")
    # The same account is the same person.
    guest.context.clear_cookies()
    guest.signs_in_with("Corp", "mina")
    guest.is_at("/profile")
    guest.goes_to("/profile/accounts")
    assert "m***@people.example" in guest.reads("main"), guest.reads("main")


def accessible(guest, server):
    """axe-core finds nothing on the pages of providers, in either theme and language."""
    guest.signs_in_with("Corp", "axel")
    guest.is_at("/sign-up/continue")
    looks = look(guest, "/sign-up/continue") + look(guest, "/login")
    guest.goes_to("/sign-up/continue")
    guest.page.click("main form button.primary")
    guest.is_at("/profile")
    looks += look(guest, "/profile/accounts")
    print(f"    axe-core, {looks} looks at pages: 0 violations")


def by_keyboard(browser, server):
    """Signing up and in, linking and unlinking, without a mouse; the issuer's page is not ours."""
    person = Keyboard(browser, server)

    def at_the_issuer(name):
        person.page.wait_for_selector("[name=login]")
        person.page.fill("[name=login]", name)
        person.page.fill("[name=password]", "x")
        person.page.click("[type=submit]")
        person.page.click("[type=submit]")
        person.page.wait_for_load_state()

    person.opens("/login")
    person.uses(".providers a[href*='/with/corp']")
    at_the_issuer("kim")
    person.is_at("/sign-up/continue")
    person.around()
    person.types("#identifier", "nonsense")
    person.uses("main form button.primary")
    person.is_told("#identifier")
    person.types("#identifier", "kim@people.example")
    person.uses("main form button.primary")
    person.is_at("/profile")
    person.opens("/profile/accounts")
    person.around()
    person.uses(".providers a[href*='/with/loose']")
    at_the_issuer("kim2")
    person.is_at("/profile/accounts")
    person.around()
    person.answers(".rows li:last-child button")
    person.is_at("/profile/accounts")
    assert person.page.locator(".rows li").count() == 1
    print(f"    {len(person.rounds)} pages walked around, {person.stops} stops of the focus seen")
    person.context.close()


def markup(tried, server):
    """Nothing that is sent in a field of these pages becomes a part of the page."""
    findings = Findings()
    visitor = Visitor(server, findings)
    browser = Browser(server.origin)
    browser.comes_back(browser.returns("corp", "nobody-yet"))
    visitor.send("GET", "/login")
    visitor.cookies |= {cookie.name: cookie.value for cookie in browser.jar}
    signed_in = Browser(server.origin)
    signed_in.comes_back(signed_in.returns("corp", "mina"))
    session = {cookie.name: cookie.value for cookie in signed_in.jar}
    callback = "/login/with/corp/callback"
    for payload in PAYLOADS:
        quoted = urllib.parse.quote(payload)
        for name in ("code", "state", "iss", "error", "user"):
            query = urllib.parse.urlencode({"code": "x", "state": "x"} | {name: payload})
            visitor.looks(f"{name} of the query", payload, "GET", f"{callback}?{query}")
            form = {"code": "x", "state": "x"} | {name: payload}
            elsewhere = {"sec-fetch-site": "cross-site", "cookie": ""}
            visitor.looks(f"{name} of a form", payload, "POST", callback, form, elsewhere)
        visitor.looks("return_to", payload, "GET", f"/login/with/nobody?return_to={quoted}")
        visitor.looks("the provider", payload, "GET", f"/login/with/{quoted}")
        form = {"identifier": payload}
        visitor.looks("the address", payload, "POST", "/sign-up/continue", form)
        form = {"identifier": payload, "verification_id": payload, "code": payload}
        visitor.looks("the code", payload, "POST", "/sign-up/continue/verify", form)
        member = Visitor(server, findings)
        member.cookies |= session
        member.looks("done", payload, "GET", f"/profile/accounts?done={quoted}&refused={quoted}")
        member.looks("the account", payload, "POST", f"/profile/accounts/{quoted}/unlink", {})
    for where, payload, what in findings.faults:
        tried.that(False, where, payload, what)
    tried.count += findings.asked
    print(f"markup: {findings.asked} tried, {len(findings.reflected)} fields show what was sent")


def proves_an_address(guest, server):
    """An issuer that is not believed: the address is proved by a code."""
    guest.signs_in_with("Loose", "suho")
    guest.is_at("/sign-up/continue")
    guest.sends(identifier="suho@people.example")
    guest.is_at("/sign-up/continue")
    code = server.code_for("suho@people.example")
    guest.sends(code="000000" if code != "000000" else "111111")
    assert guest.page.get_attribute("#code", "aria-invalid") == "true"
    guest.sends(code=code)
    guest.is_at("/profile")


def never_by_address(guest, server):
    """Who has the address of somebody there is nobody here: a proof is asked for."""
    guest.goes_to("/sign-up")
    guest.sends(identifier="jiho@people.example", password=PASSWORD)
    guest.sends(code=server.code_for("jiho@people.example"))
    guest.is_at("/login")
    guest.signs_in_with("Corp", "jiho")
    guest.is_at("/sign-up/continue")
    guest.page.click("main form button.primary")
    assert guest.page.get_attribute("#identifier", "aria-invalid") == "true"
    assert not guest.cookie("__Host-access")
    # Signed in by the password, the person links it.
    guest.page.click("main a.button.full")
    guest.is_at("/login")
    guest.sends(identifier="jiho@people.example", password=PASSWORD)
    guest.is_at("/profile/accounts")
    guest.page.click("form[action='/profile/accounts/link'] button")
    guest.page.wait_for_url(lambda url: url.endswith("?done=linked"))
    assert "j***@people.example" in guest.reads("main")
    # Another account besides, from the page itself.
    guest.page.click(".providers a:has-text('Loose')")
    guest.authenticates_as("jiho2")
    guest.page.wait_for_url(lambda url: url.endswith("?done=linked"))
    assert guest.page.locator(".rows li").count() == 2
    guest.page.click(".rows li:has-text('Loose') button")
    guest.page.click("dialog button[value=yes]")
    guest.page.wait_for_url(lambda url: url.endswith("?done=unlinked"))
    assert guest.page.locator(".rows li").count() == 1
    # An account that is somebody's is not linked again. The issuer knows the browser.
    guest.context.clear_cookies(name=re.compile("^_(session|interaction)"))
    guest.page.click(".providers a:has-text('Loose')")
    guest.authenticates_as("suho")
    guest.page.wait_for_url(lambda url: "refused=" in url)
    assert guest.page.locator(".error-summary").count() == 1
    assert guest.page.locator(".rows li").count() == 1


class Browser:
    """A browser without scripts, of which every step can be bent."""

    def __init__(self, origin):
        self.origin = origin
        self.jar = http.cookiejar.CookieJar(
            http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        )
        stay = type("Stay", (urllib.request.HTTPRedirectHandler,), {"redirect_request": lambda *_: None})
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(cookies, stay)

    def send(self, url, form=None, headers=()):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data=data, headers=dict(headers))
        try:
            return self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as answer:
            return answer

    def follow(self, url, until):
        """Follows redirects to the first address that begins with `until`."""
        for _ in range(10):
            if url.startswith(until):
                return url
            answer = self.send(url)
            assert answer.status in (302, 303), (url, answer.status, answer.read()[:300])
            url = urllib.parse.urljoin(url, answer.headers["location"])
        raise AssertionError("there is no end of redirects")

    def begins(self, name):
        """The address at the issuer."""
        return self.send(f"{self.origin}/login/with/{name}").headers["location"]

    def returns(self, name, login):
        """The address that the issuer sends the browser back to."""
        return self.authenticates(self.begins(name), login)

    def authenticates(self, url, login):
        issuer = urllib.parse.urlsplit(url)
        issuer = f"{issuer.scheme}://{issuer.netloc}"
        interaction = self.follow(url, f"{issuer}/interaction/")
        for form in ({"prompt": "login", "login": login, "password": "x"}, {"prompt": "consent"}):
            answer = self.send(interaction, form)
            url = urllib.parse.urljoin(interaction, answer.headers["location"])
            while not url.startswith((f"{issuer}/interaction/", self.origin)):
                answer = self.send(url)
                url = urllib.parse.urljoin(url, answer.headers["location"])
            if url.startswith(self.origin):
                return url
            interaction = url
        return url

    @property
    def is_signed_in(self):
        return any(cookie.name == "__Host-access" for cookie in self.jar)

    def comes_back(self, url):
        return self.send(url)


def altered(url, **changes):
    parts = urllib.parse.urlsplit(url)
    pairs = dict(urllib.parse.parse_qsl(parts.query)) | changes
    query = urllib.parse.urlencode({key: value for key, value in pairs.items() if value is not None})
    return urllib.parse.urlunsplit(parts._replace(query=query))


def attacks(tried, server):
    """What comes back is another's, old, or bent: nobody is signed in by it."""
    origin = server.origin

    def refused(browser, url, what, form=None, headers=()):
        answer = browser.send(url, form, headers)
        body = answer.read().decode()
        tried.that(not browser.is_signed_in, what, answer.status)
        tried.that(answer.status in (200, 400, 403, 422), what, answer.status)
        return body

    honest = Browser(origin)
    honest.comes_back(honest.returns("corp", "mina"))
    assert honest.is_signed_in, "the honest way does not sign in: nothing would be shown"
    for what, changes in {
        "another state": {"state": "A" * 43},
        "no state": {"state": None},
        "another code": {"code": "made-up"},
        "no code": {"code": None},
        "another issuer": {"iss": "https://evil.example"},
        "no issuer, though it says that it sends one": {"iss": None},
        "an error beside the code": {"error": "access_denied"},
        "an error of scripts": {"error": "<script>alert(1)</script>", "code": None},
    }.items():
        browser = Browser(origin)
        body = refused(browser, altered(browser.returns("corp", "mina"), **changes), what)
        tried.that("<script>alert(1)" not in body, what, body)
    for name in ("code", "state", "iss"):
        browser = Browser(origin)
        back = browser.returns("corp", "mina")
        refused(browser, f"{back}&{name}=twice", f"{name} twice")
    # The same answer twice; in another browser; at another provider's address.
    browser = Browser(origin)
    back = browser.returns("corp", "mina")
    cookies = list(browser.jar)
    browser.comes_back(back)
    assert browser.is_signed_in
    again = Browser(origin)
    for cookie in cookies:
        again.jar.set_cookie(cookie)
    refused(again, back, "an answer twice")
    stranger = Browser(origin)
    refused(stranger, Browser(origin).returns("corp", "mina"), "another browser's answer")
    fixated = Browser(origin)
    fixated.begins("corp")
    refused(fixated, Browser(origin).returns("corp", "mina"), "another's answer in one's own sign-in")
    browser = Browser(origin)
    back = browser.returns("corp", "mina")
    refused(browser, back.replace("/with/corp/", "/with/loose/"), "an answer at another provider's")
    # The code of one sign-in in another.
    one, two = Browser(origin), Browser(origin)
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(one.returns("corp", "mina")).query))["code"]
    refused(two, altered(two.returns("corp", "mina"), code=code), "a code of another sign-in")
    # What the browser keeps cannot be made, nor bent.
    browser = Browser(origin)
    back = browser.returns("corp", "mina")
    kept = next(cookie for cookie in browser.jar if cookie.name == "__Host-federated")
    kept.value = kept.value[:60] + ("A" if kept.value[60] != "A" else "B") + kept.value[61:]
    refused(browser, back, "a bent cookie")
    # A form from elsewhere is sent again by this site, and what stands in it does no harm.
    bomb = "\"><script>alert(1)</script>"
    browser = Browser(origin)
    form = {"code": bomb, "state": bomb, "user": bomb}
    headers = {"origin": "https://appleid.apple.com", "sec-fetch-site": "cross-site"}
    body = refused(browser, f"{origin}/login/with/corp/callback", "a form", form, headers)
    tried.that("<script>alert(1)" not in body, "a form of scripts", body)
    tried.that("data-send" in body, "a form that is not sent again", body)
    # A way back to another host, and a provider that is none.
    answer = Browser(origin).send(f"{origin}/login/with/nobody")
    tried.that(answer.status == 422, "an unknown provider", answer.status)
    browser = Browser(origin)
    away = browser.send(f"{origin}/login/with/corp?return_to=https://evil.example/").headers["location"]
    back = browser.comes_back(browser.authenticates(away, "mina"))
    tried.that(back.headers["location"] == "/profile", "an open redirect", back.headers["location"])
    # Notifications: nobody's are refused, and say nothing of accounts.
    for name, status in (("corp", (400, 403)), ("nobody", (404,))):
        answer = Browser(origin).send(f"{origin}/login/with/{name}/notifications", {"payload": "x"})
        tried.that(answer.status in status, "a made-up notification", name, answer.status)
    # Linking: of one person's browser in another's session.
    owner, victim = Browser(origin), Browser(origin)
    owner.comes_back(owner.returns("corp", "mina"))
    victim.comes_back(victim.returns("corp", "jiho"))
    assert owner.is_signed_in and victim.is_signed_in
    # Nobody begins that but the person's own page: no other site, and no address without its token.
    page = owner.send(f"{origin}/profile/accounts").read().decode()
    begin = re.search(r'href="(/profile/accounts/with/loose[^"]*)"', page)[1].replace("&amp;", "&")
    foreign = {"sec-fetch-site": "cross-site"}
    for path, headers in ((begin, foreign), ("/profile/accounts/with/loose", {})):
        led = owner.send(origin + path, headers=headers).headers["location"]
        tried.that(led == "/profile/accounts", "linking begun by another site", led)
    led = owner.send(f"{origin}/login/with/corp", headers=foreign).headers["location"]
    tried.that(led.startswith("/login?"), "another's sign-in in a session", led)
    away = owner.send(origin + begin).headers["location"]
    back = owner.authenticates(away, "evil")
    kept = next(cookie for cookie in owner.jar if cookie.name == "__Host-federated")
    victim.jar.set_cookie(kept)
    victim.comes_back(back)
    body = victim.send(f"{origin}/profile/accounts").read().decode()
    tried.that("e***@people.example" not in body, "linked to another person", body)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--npm-prefix", required=True, help="where oidc-provider is installed")
    arguments = parser.parse_args()
    port = free_port()
    back = f"http://127.0.0.1:{port}/login/with/{{}}/callback"
    with (
        tempfile.TemporaryDirectory() as folder,
        issuer(arguments.npm_prefix, back.format("corp")) as corp,
        issuer(arguments.npm_prefix, back.format("loose"), algorithm="ES256", userinfo=True) as loose,
    ):
        settings = {"COUNTERSIGN__GATEWAY__LISTEN": f"127.0.0.1:{port}"}
        settings |= provider("corp", corp, TRUST_EMAIL="true") | provider("loose", loose)
        binary = pathlib.Path(arguments.server).resolve()
        server = Pages(binary, pathlib.Path(folder) / "data", settings)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=ARGUMENTS
                )
                ways = [
                    (signs_up_and_in, "ko-KR", True, PHONE),
                    (proves_an_address, "en-US", False, DESKTOP),
                    (never_by_address, "en-US", True, DESKTOP),
                ]
                for way, language, scripts, viewport in ways:
                    guest = Guest(
                        browser, server, language, scripts, viewport, issuers=(corp, loose)
                    )
                    way(guest, server)
                    guest.ends()
                    print(f"{way.__name__}: as promised")
                guest = Guest(browser, server, "en-US", issuers=(corp, loose))
                accessible(guest, server)
                guest.ends()
                by_keyboard(browser, server)
                browser.close()
            tried = Tried()
            attacks(tried, server)
            markup(tried, server)
            tried.end()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
