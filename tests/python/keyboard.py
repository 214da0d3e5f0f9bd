"""Walks every flow of the pages in Chromium with the keyboard alone: no mouse, and no
script that moves the focus. At each stop of Tab the focus is seen; on each page Tab
comes to everything that can be used, leads out again, and back by Shift+Tab; after an
error the focus is on its summary.

It starts the server on SQLite. It exits 0 if every flow ends where it should."""

import argparse
import pathlib
import secrets
import socket
import tempfile
import time

import pyotp
from playwright.sync_api import sync_playwright

from pages import ARGUMENTS, DESKTOP, OTHER_PASSWORD, PASSWORD, Pages
from walk import Client

PURPOSE_SIGN_UP = 1
MOST_STOPS = 80

# What has the focus, and how that is seen. An outline of `auto` is the browser's own.
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
    && box.top < innerHeight && box.left < innerWidth;
  return {
    name: e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + ' ' + (e.getAttribute('aria-label')
      || e.textContent || e.name || '').trim().replace(/\\s+/g, ' ').slice(0, 40),
    outline, shadow: style.boxShadow, inside,
    at: [...document.querySelectorAll('*')].indexOf(e),
    dialog: !!e.closest('dialog'),
  };
}"""
# What Tab has to come to: that which can be used and is shown.
USABLE = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((e) => !e.disabled && e.tabIndex >= 0 && e.type !== 'hidden' && e.checkVisibility()
    && e.getBoundingClientRect().width > 0)
  .map((e) => [...document.querySelectorAll('*')].indexOf(e))"""
SHADOWS = """() => [...document.querySelectorAll('*')].map((e) => getComputedStyle(e).boxShadow)"""


class Keyboard:
    """Somebody at a keyboard."""

    def __init__(self, browser, server):
        self.server = server
        # Without motion, so that a look is what it is at once.
        still = {"reduced_motion": "reduce"}
        self.context = browser.new_context(locale="en-GB", viewport=DESKTOP, **still)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.stops, self.rounds, self.errors = 0, {}, 0
        self.page.on("pageerror", lambda error: self.fails(str(error)))

    def fails(self, what):
        raise AssertionError(f"{self.page.url}: {what}")

    def opens(self, path):
        """As by the address bar."""
        self.page.goto(self.server.origin + path)

    def press(self, key):
        self.page.keyboard.press(key)

    def focused(self):
        """What has the focus, which is seen."""
        now = self.page.evaluate(FOCUSED)
        if now:
            self.stops += 1
            if not now["outline"] and now["shadow"] == "none":
                self.fails(f"the focus is not seen on {now['name']}")
            if not now["inside"]:
                self.fails(f"the focus is out of sight on {now['name']}")
        return now

    def has(self, selector):
        return self.page.evaluate("(s) => document.activeElement.matches(s)", selector)

    def waits_for(self, selector):
        """Until it has the focus."""
        due = time.monotonic() + 5
        while not self.has(selector):
            if time.monotonic() > due:
                self.fails(f"{selector} has not the focus: {self.page.evaluate(FOCUSED)}")
            time.sleep(0.02)

    def to(self, selector, key="Tab"):
        """By Tab, from where the focus is."""
        passed = []
        for _ in range(MOST_STOPS):
            if self.has(selector):
                return self.focused()
            self.press(key)
            now = self.focused()
            passed.append(now and now["name"])
        self.fails(f"{key} does not come to {selector}: {passed[:20]}")

    def types(self, selector, text):
        self.to(selector)
        self.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def goes(self, key="Enter"):
        """What is pressed leads to another page."""
        with self.page.expect_navigation():
            self.press(key)
        self.page.wait_for_load_state()

    def uses(self, selector, key="Enter"):
        self.to(selector)
        self.goes(key)

    def is_at(self, path):
        at = self.page.url.removeprefix(self.server.origin).split("?")[0].split("#")[0]
        if at != path:
            self.fails(f"not {path}: {self.page.inner_text('body')[:300]}")

    def around(self):
        """Tab comes to everything that can be used, leads out, and back by Shift+Tab."""
        self.page.wait_for_load_state()
        place = self.page.url.removeprefix(self.server.origin).split("?")[0]
        place += " " + self.page.inner_text("h1")
        if place in self.rounds:
            return
        there, back = self.stops_of("Tab"), self.stops_of("Shift+Tab")
        if missing := set(self.page.evaluate(USABLE)) - set(there):
            self.fails(f"Tab does not come to {len(missing)} elements")
        # Around and around: from the first element of the page on.
        there = there[there.index(min(there)) :] + there[: there.index(min(there))]
        back = back[back.index(max(back)) :] + back[: back.index(max(back))]
        if there != sorted(there):
            self.fails(f"the order of Tab is not that of the page: {there}")
        if back != there[::-1]:
            self.fails(f"Shift+Tab does not go the way back: {there} {back}")
        self.rounds[place] = len(there)

    def stops_of(self, key):
        """Where the key stops, until it has come around: each looks different with the focus."""
        # With the focus elsewhere, to compare with.
        self.press(key)
        first, shadows = self.focused(), self.page.evaluate(SHADOWS)
        there = []
        for _ in range(MOST_STOPS):
            self.press(key)
            now = self.focused()
            if not now:
                continue
            if now["at"] in there:
                return there
            compared = not first or now["at"] != first["at"]
            if compared and not now["outline"] and now["shadow"] == shadows[now["at"]]:
                self.fails(f"{now['name']} looks the same with and without the focus")
            there.append(now["at"])
        self.fails(f"{key} never comes around: {there}")

    def is_told(self, *fields):
        """After an error: its summary has the focus, and its links lead to the fields."""
        self.waits_for(".error-summary")
        self.focused()
        self.errors += 1
        for field in fields[:1]:
            self.press("Tab")
            if not self.has(".error-summary a"):
                self.fails("the summary has no link after it")
            self.focused()
            self.press("Enter")
            self.waits_for(field)
            self.focused()

    def answers(self, selector):
        """A dialog: Escape takes it back, and the second time it is confirmed."""
        self.to(selector)
        self.press("Enter")
        self.page.wait_for_selector("dialog[open]")
        for _ in range(6):
            self.press("Tab")
            now = self.focused()
            if now and not now["dialog"]:
                self.fails(f"{now['name']} behind the dialog has the focus")
        self.press("Escape")
        self.page.wait_for_selector("dialog", state="hidden")
        self.waits_for(selector)
        # As quick as a person may be.
        self.page.wait_for_timeout(100)
        self.press("Space")
        self.page.wait_for_selector("dialog[open]")
        self.to("dialog button[value=yes]")
        self.goes()

    def code(self, email):
        self.types("#code", self.server.code_for(email))
        self.goes()

    def signs_out(self):
        self.uses(".masthead form button")
        self.is_at("/logout")
        self.around()


def sign_up(person, email):
    """By a code, with every mistake before."""
    person.opens("/login")
    person.around()
    person.opens("/login")
    person.uses("a[href^='/sign-up']")
    person.around()
    person.opens("/sign-up")
    if not person.has("#identifier"):
        person.fails("the first field has not the focus")
    person.types("#identifier", "nonsense")
    person.types("#password", "short")
    person.to("[data-reveal]")
    person.press("Space")
    assert person.page.get_attribute("#password", "type") == "text"
    person.press("Enter")
    assert person.page.get_attribute("#password", "type") == "password"
    person.uses("main form button.primary")
    person.is_told("#identifier")
    person.around()
    person.types("#identifier", email)
    person.types("#password", PASSWORD)
    person.goes()
    person.is_at("/sign-up/verify")
    person.around()
    code = person.server.code_for(email)
    person.types("#code", "000000" if code != "000000" else "111111")
    person.goes()
    person.is_told("#code")
    person.types("#code", code)
    person.uses("main form button.primary", "Space")
    person.is_at("/login")


def link(person, client, email):
    """A link in a message leads to a button that has the focus."""
    prefix = person.server.origin + "/confirm"
    sent = {"identifier": {"email": email}, "purpose": PURPOSE_SIGN_UP, "link_prefix": prefix}
    client.call("SendCode", **sent)
    link = person.server.link_to(f"{email[0]}***@{email.split('@')[1]}")
    person.opens("/confirm")
    person.around()
    person.opens("/login")
    person.page.goto(link)
    if not person.has("[type=submit]"):
        person.fails("the button has not the focus")
    person.focused()
    person.goes()
    person.types("#identifier", email)
    person.types("#password", PASSWORD)
    person.goes()
    person.is_at("/login")


def password(person, email, word=PASSWORD):
    person.opens("/login")
    person.types("#identifier", email)
    person.types("#password", word)
    person.goes()


def sign_in(person, email):
    person.opens("/login")
    person.types("#identifier", email)
    person.types("#password", "wrong")
    person.goes()
    person.is_told()
    password(person, email)
    person.is_at("/profile")


def by_code(person, email):
    person.opens("/login")
    person.types("#identifier", email)
    person.uses("button[formaction='/login/code']")
    person.around()
    person.types("#code", "000000")
    person.goes()
    person.is_told("#code")
    person.code(email)
    person.is_at("/profile")


def forgotten(person, email):
    """Back to the password that it was."""
    for word in (OTHER_PASSWORD, PASSWORD):
        person.opens("/login")
        person.uses("a[href='/password/forgotten']")
        person.around()
        person.types("#identifier", "nonsense")
        person.goes()
        person.is_told("#identifier")
        person.types("#identifier", email)
        person.goes()
        person.is_at("/password/forgotten")
        person.around()
        person.code(email)
        person.types("#password", "short")
        person.goes()
        person.is_told("#password")
        person.around()
        person.types("#password", word)
        person.uses("main form button.primary", "Space")
        person.is_at("/login")


def profile(person):
    person.opens("/profile")
    person.around()
    person.opens("/profile")
    person.to(".skip-link")
    person.press("Enter")
    if not person.has("#main"):
        person.fails("the skip link does not lead to the content")
    person.types("#name", "Mina")
    person.to("#locale")
    before = person.page.input_value("#locale")
    person.press("ArrowDown")
    assert person.page.input_value("#locale") != before, "the keyboard does not choose"
    person.types("#time_zone", "no time zone!")
    person.goes()
    person.is_told("#time_zone")
    person.types("#time_zone", "Asia/Seoul")
    person.uses("main form button.primary")
    assert person.page.input_value("#name") == "Mina"
    person.opens("/profile?lang=en")
    person.uses("a[href='/profile/password']")
    person.around()
    person.types("#current_password", "wrong")
    person.types("#password", OTHER_PASSWORD)
    person.goes()
    person.is_told("#current_password")
    person.types("#current_password", PASSWORD)
    person.types("#password", PASSWORD + " of mine")
    person.goes()
    person.is_at("/profile")


def addresses(person, more):
    person.opens("/profile")
    person.uses("a[href='/profile/addresses']")
    person.around()
    person.types("#identifier", "nonsense")
    person.goes()
    person.is_told("#identifier")
    person.types("#identifier", more)
    person.goes()
    person.is_at("/profile/addresses/verify")
    person.around()
    person.code(more)
    person.is_at("/profile/addresses")
    person.uses("a[href*='replaces=']")
    person.to("#identifier")
    person.uses("main form a[href='/profile/addresses']")
    person.answers(f"[aria-label='Remove: {more}']")
    assert f"Remove: {more}" not in person.page.content()


def devices(person, other, email, word):
    password(other, email, word)
    person.opens("/profile/devices")
    person.around()
    person.opens("/profile/devices")
    person.answers("form[action$='/sign-out'] button")
    assert person.page.locator("ul.rows > li").count() == 1
    other.opens("/profile")
    other.is_at("/login")
    password(other, email, word)
    person.opens("/profile/devices")
    person.answers("button[name=keep_current][value=true]")
    other.opens("/profile")
    other.is_at("/login")


def totp(person, email, word):
    """Enrolled, asked for, and what stands in for it."""
    person.opens("/profile/factors")
    person.around()
    person.opens("/profile/factors")
    person.uses("form[action='/profile/factors/totp'] button")
    person.to("summary")
    person.press("Enter")
    secret = person.page.inner_text("#secret").replace(" ", "")
    app = pyotp.TOTP(secret)
    person.around()
    person.types("#code", "000000")
    person.goes()
    person.is_told("#code")
    person.types("#code", app.now())
    enrolled = int(time.time()) // 30
    person.goes()
    codes = person.page.inner_text("#codes").split()
    assert len(codes) == 10, codes
    person.around()
    person.to("[data-copy]")
    person.press("Enter")
    person.uses("main a.primary")
    person.is_at("/profile/factors")
    person.signs_out()

    password(person, email, word)
    person.is_at("/login/factor")
    person.around()
    person.types("#code", "000000")
    person.goes()
    person.is_told("#code")
    person.types("#code", app.at((enrolled + 1) * 30))
    person.uses("main form button.primary")
    person.is_at("/profile")
    person.signs_out()

    password(person, email, word)
    person.uses("a[href*='factor=RECOVERY_CODE']")
    person.around()
    person.types("#code", codes[0])
    person.goes()
    person.is_at("/profile")
    return codes[1:]


def step_up(person, codes):
    """Shown once more, before what matters."""
    asked = "/profile/confirm?return_to=/profile/addresses&second_factor=true&sent=false"
    person.opens(asked)
    person.around()
    person.opens(asked)
    person.types("#code", "000000")
    person.goes()
    person.is_told("#code")
    person.types("#code", codes[0])
    person.uses("main form button.primary")
    person.is_at("/profile/addresses")


def step_up_by_password(person, word):
    asked = "/profile/confirm?return_to=/profile/addresses&second_factor=false&sent=false"
    person.opens(asked)
    person.around()
    person.opens(asked)
    person.types("#current_password", "wrong")
    person.goes()
    person.is_told("#current_password")
    person.types("#current_password", word)
    person.goes()
    person.is_at("/profile/addresses")


def passkey(person, email):
    """Made, and enough to sign in."""
    devtools = person.context.new_cdp_session(person.page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    options |= {"automaticPresenceSimulation": True}
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def touch(enabled):
        devtools.send("WebAuthn.setAutomaticPresenceSimulation", added | {"enabled": enabled})

    person.opens("/profile/factors")
    person.uses("form[action='/profile/factors/passkey'] button")
    person.around()
    person.uses("form[data-passkey] button.primary")
    person.uses("main a.primary")
    person.is_at("/profile/factors")
    # The list of factors, with buttons that ask.
    person.around()
    person.answers("form[action='/profile/factors/recovery-codes'] button")
    person.uses("main a.primary")
    person.signs_out()
    # A finger that is on the key already would sign in by the browser's autofill.
    touch(False)
    person.opens("/login")
    person.to("form[data-passkey] button")
    touch(True)
    person.goes()
    person.is_at("/profile")


def withdraw(person):
    person.opens("/profile")
    person.uses("a[href='/profile/withdraw']")
    person.around()
    person.uses("main form button.danger")
    person.is_told("#understood")
    person.press("Space")
    assert person.page.is_checked("#understood")
    person.uses("main form button.danger")
    if person.page.locator("dl.facts time").count() != 1:
        person.fails(person.page.inner_text("body")[:300])
    person.around()


def free_port():
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = parser.parse_args().server.resolve()
    port = free_port()
    origin = f"http://localhost:{port}"
    settings = {
        "COUNTERSIGN__GATEWAY__LISTEN": f"127.0.0.1:{port}",
        "COUNTERSIGN__GATEWAY__PUBLIC_URL": origin,
        "COUNTERSIGN__PASSKEYS__RP_ID": "localhost",
        "COUNTERSIGN__PASSKEYS__ORIGINS": origin,
        "COUNTERSIGN__VERIFICATION__LINK_PREFIXES": origin + "/confirm",
    }
    flows = 0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        server = Pages(binary, pathlib.Path(folder) / "data", settings)
        server.origin = origin
        client = Client(server.address)
        person, other = Keyboard(browser, server), Keyboard(browser, server)
        email, linked, more = (f"mina@{secrets.token_hex(4)}.example" for _ in range(3))
        word = PASSWORD + " of mine"
        codes = []
        try:
            for name, flow in (
                ("sign-up with a code", lambda: sign_up(person, email)),
                ("a link that confirms", lambda: link(person, client, linked)),
                ("sign-in by password", lambda: sign_in(person, email)),
                ("signing out", person.signs_out),
                ("sign-in by code", lambda: by_code(person, email)),
                ("a forgotten password", lambda: forgotten(person, email)),
                ("sign-in after it", lambda: password(person, email)),
                ("profile and password", lambda: profile(person)),
                ("addresses", lambda: addresses(person, more)),
                ("devices", lambda: devices(person, other, email, word)),
                ("step-up by password", lambda: step_up_by_password(person, word)),
                ("second factor and recovery code", lambda: codes.extend(totp(person, email, word))),
                ("step-up by a recovery code", lambda: step_up(person, codes)),
                ("another person's sign-in", lambda: password(other, linked)),
                ("passkey", lambda: passkey(other, linked)),
                ("closing the account", lambda: withdraw(other)),
            ):
                flow()
                flows += 1
                print(f"    {name}: with the keyboard alone")
        finally:
            browser.close()
            server.stop()
    pages = person.rounds | other.rounds
    stops, errors = person.stops + other.stops, person.errors + other.errors
    for page, count in sorted(pages.items()):
        print(f"    {page}: {count} stops, there and back")
    print(f"{flows} of {flows} flows, {len(pages)} pages, {stops} stops seen, {errors} errors told")


if __name__ == "__main__":
    main()
