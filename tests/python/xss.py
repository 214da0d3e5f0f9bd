"""Sends what would be a script, or break out of where it stands, in every field of every
page, in queries, paths, headers and cookies, and in what is stored (names, user names,
devices): none of it becomes an element, an attribute or an address in the HTML, as
html5lib reads it. A sample is tried in Chromium, with the policy (CSP) turned off, so
that escaping alone has to hold.

It starts the server on SQLite. It exits 0 if nothing was executed, and nothing could be."""

import argparse
import concurrent.futures
import hashlib
import http.client
import pathlib
import re
import tempfile
import time
import urllib.parse

import html5lib
from playwright.sync_api import sync_playwright

from edge import new_address
from pages import ARGUMENTS, PASSWORD, Pages

MARK = "xss7q"
RUN = f"window.{MARK}=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"\"><script>{RUN}</script>",
    f"'><img {MARK}=1 src=x onerror={RUN}>",
    f"\"><svg/onload={RUN} {MARK}>",
    f"\" autofocus onfocus=\"{RUN}\" {MARK}=\"",
    f"' onmouseover='{RUN}' {MARK}='",
    f"` onfocus=`{RUN}` {MARK}=`",
    f"</title><script>{RUN}</script>",
    f"</textarea></select></style></noscript></template><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f"javascript:{RUN}//{MARK}",
    f"JaVa\tScRiPt:{RUN}//{MARK}",
    f"data:text/html,<script>{RUN}</script>{MARK}",
    f"//{MARK}.example/%2f..",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror={RUN}&gt;\" {MARK}>",
    f"<svg><style>&lt;img src=x onerror={RUN} {MARK}&gt;</style></svg>",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4- {MARK}",
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e {MARK} \u2028\u202e",
    f"{{{{7*7}}}}${{7*7}}<%=7*7%>#{{7*7}}{{% include '{MARK}' %}}",
    f"<iframe srcdoc=\"&lt;script&gt;parent.{MARK}=1&lt;/script&gt;\" {MARK}>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#34; onfocus=&#34;{RUN}&#34; {MARK}",
)
# What may stand where an address stands.
ADDRESS = re.compile(r"/(?!/)|#|otpauth://|data:image/(svg\+xml|png);base64,[A-Za-z0-9+/=]*$|$")
ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "xlink:href", "srcset"}
ALLOWED = {"script": {"/assets/page.js"}, "link": {"/assets/icon.svg", "/assets/style.css"}}
NEVER = {"iframe", "object", "embed", "base", "frame", "applet", "style", "math", "template"}


class Findings:
    def __init__(self, quiet=False):
        self.quiet = quiet
        self.asked, self.pages, self.reflected, self.faults = 0, set(), {}, []

    def fault(self, where, payload, what):
        self.faults.append((where, payload, what))
        if self.quiet:
            return
        print(f"    FOUND in {where}: {what}: {payload[:80]!r}")


class Visitor:
    """A browser without a screen: cookies, forms, and a look at each page."""

    def __init__(self, server, findings, agent="Mozilla/5.0"):
        self.server, self.findings, self.agent = server, findings, agent
        self.cookies = {}
        if server:
            self.connection = http.client.HTTPConnection(server.gateway, timeout=20)

    def send(self, method, path, fields=None, headers=()):
        sent = {"user-agent": self.agent, "accept": "text/html", "sec-fetch-site": "same-origin"}
        cookies = {n: v for n, v in self.cookies.items() if n != "__Secure-refresh"}
        if path.startswith("/session"):
            cookies = self.cookies
        sent["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = None
        if fields is not None:
            fields = {"csrf_token": self.cookies.get("__Host-csrf", "")} | fields
            body = urllib.parse.urlencode(fields)
            sent["content-type"] = "application/x-www-form-urlencoded"
        sent |= {name: value.encode() for name, value in dict(headers).items()}
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if not headers:
            for line in answer.headers.get_all("set-cookie") or ():
                name, _, value = line.split(";")[0].partition("=")
                self.cookies[name] = value
        self.findings.asked += 1
        return answer, text

    def looks(self, where, payload, method, path, fields=None, headers=()):
        """The page, after a look at it."""
        answer, text = self.send(method, path, fields, headers)
        findings = self.findings
        location = answer.headers.get("location")
        if location and not re.match(r"/(?!/)", location):
            findings.fault(where, payload, f"it leads to {location}")
        if not text:
            return answer, text
        kind = answer.headers["content-type"]
        if answer.headers["x-content-type-options"] != "nosniff":
            findings.fault(where, payload, "the browser may guess the type")
        policy = answer.headers["content-security-policy"] or ""
        if "default-src 'none'" not in policy or "script-src 'self';" not in policy or "unsafe" in policy:
            findings.fault(where, payload, f"the policy is {policy!r}")
        if kind.split(";")[0] in ("application/problem+json", "application/json"):
            return answer, text
        if kind.lower().replace(" ", "") != "text/html;charset=utf-8":
            findings.fault(where, payload, f"it is {kind}")
        if MARK in text:
            findings.reflected[where] = findings.reflected.get(where, 0) + 1
        if set(payload) & set("<>\"'") and len(payload) > 12 and payload in text:
            findings.fault(where, payload, "it stands there as it was sent")
        # The same page, but for what is new each time, was looked at before.
        plain = re.sub(r'(name="csrf_token" value|data-options|name="etag" value)="[^"]*"', "", text)
        digest = hashlib.sha256(plain.encode()).digest()
        if digest not in findings.pages:
            findings.pages.add(digest)
            self.reads(where, payload, text)
        return answer, text

    def reads(self, where, payload, text):
        """What a browser makes of it."""
        fault = lambda what: self.findings.fault(where, payload, what)
        tree = html5lib.parse(text, treebuilder="etree", namespaceHTMLElements=False)
        for element in tree.iter():
            if not isinstance(element.tag, str):
                if MARK in (element.text or ""):
                    fault("it is in a comment")
                continue
            tag = element.tag.rpartition("}")[2].lower()
            own = {name.rpartition("}")[2].lower(): value for name, value in element.attrib.items()}
            if MARK in tag or any(MARK in name for name in own):
                fault(f"it is an element or an attribute: <{tag} {own}>")
            if tag in NEVER:
                fault(f"an element that no page has: <{tag}>")
            if tag in ALLOWED and own.get("src", own.get("href")) not in ALLOWED[tag]:
                fault(f"<{tag} {own}>")
            if tag == "script" and (element.text or "").strip():
                fault("a script within the page")
            if tag == "meta" and own.get("http-equiv"):
                fault(f"<meta {own}>")
            for name, value in own.items():
                if name.startswith("on") or name in ("style", "srcdoc"):
                    fault(f"an attribute that no page has: {name}")
                if name in ADDRESSES and not ADDRESS.match(value):
                    fault(f"{name} leads to {value[:80]!r}")

    def signs_in(self, email):
        self.send("GET", "/login")
        answer, _ = self.send("POST", "/login", {"identifier": email, "password": PASSWORD})
        assert answer.status == 303, answer.status
        return self


def detects():
    """What a page would be that escapes nothing is found, for each payload that is markup."""
    places = (
        "<p>{}</p>",
        "<input value=\"{}\">",
        "<input value='{}'>",
        "<title>{}</title>",
        "<textarea>{}</textarea>",
        "<!-- {} -->",
        "<a href=\"{}\">x</a>",
    )
    found = 0
    for payload in PAYLOADS:
        findings = Findings(quiet=True)
        for place in places:
            page = "<!doctype html><html><body>" + place.format(payload)
            Visitor(None, findings).reads("itself", payload, page)
        found += bool(findings.faults)
        harmless = not set(payload) & set("<\"'`") and ":" not in payload and "//" not in payload
        assert findings.faults or harmless, f"it would not be found: {payload!r}"
    return found


def hidden(text, name):
    return re.search(rf'name="{name}" value="([^"]*)"', text)[1]


def fields_of_strangers(visitor, email):
    """The forms of who is not signed in: address, values that get far, and each field."""
    _, text = visitor.send("POST", "/password/forgotten", {"identifier": email})
    forgotten = hidden(text, "verification_id")
    time.sleep(0.1)
    _, text = visitor.send("POST", "/login/code", {"identifier": email, "return_to": "/profile"})
    code = hidden(text, "verification_id")
    new = new_address()
    answer, _ = visitor.send("POST", "/sign-up", {"identifier": new, "password": PASSWORD})
    sign_up = re.search(r"verification_id=([^&]*)", answer.headers["location"])[1]
    verify = {"identifier": email, "code": "!", "return_to": "/profile"}
    yield "/login", {"identifier": "nobody!", "password": "", "return_to": "/profile"}
    yield "/login/code", {"identifier": "nobody!", "return_to": "/profile"}
    yield "/login/code/verify", verify | {"verification_id": code}
    yield "/login/code/resend", verify | {"verification_id": code}
    yield "/login/passkey", {"credential": "{}", "return_to": "/profile"}
    yield "/login/factor", {"factor": "TOTP", "code": "!", "credential": "", "return_to": "/", "remember_device": "true"}
    yield "/login/factor/send", {"factor": "SMS", "return_to": "/"}
    yield "/sign-up", {"identifier": "nobody!", "username": "!", "password": "short", "return_to": "/", "proof": "x"}
    yield "/sign-up/verify", verify | {"verification_id": sign_up}
    yield "/sign-up/resend", verify | {"verification_id": sign_up}
    yield "/password/forgotten", {"identifier": "nobody!"}
    yield "/password/code", verify | {"verification_id": forgotten}
    yield "/password/resend", verify | {"verification_id": forgotten}
    yield "/password/new", {"proof": "x", "password": "short"}
    yield "/confirm", {"link_token": "x"}
    yield "/addresses/undo", {"link_token": "x"}
    yield "/logout", {"return_to": "/"}


def fields_of_people(visitor, email):
    _, text = visitor.send("POST", "/profile/factors/totp", {})
    totp = {name: hidden(text, name) for name in ("enrollment_id", "qr_code", "secret", "otpauth_uri")}
    _, text = visitor.send("GET", "/profile")
    profile = {"etag": hidden(text, "etag"), "name": "x", "locale": "en", "time_zone": "!"}
    yield "/profile", profile
    yield "/profile/addresses", {"identifier": "!", "replaces": email}
    yield "/profile/addresses/verify", {"verification_id": "x", "identifier": "!", "replaces": email, "code": "!"}
    yield "/profile/addresses/resend", {"verification_id": "x", "identifier": "!", "replaces": email}
    yield "/profile/addresses/remove", {"address": "!"}
    yield "/profile/password", {"current_password": "", "password": "short"}
    yield "/profile/factors/totp", totp | {"code": "!"}
    yield "/profile/factors/passkey", {"enrollment_id": "x", "credential": "{}"}
    yield "/profile/factors/address", {"address": email, "enrollment_id": "x", "code": "!"}
    yield "/profile/confirm", {"current_password": "", "code": "!", "credential": "", "return_to": "/profile"}
    yield "/profile/confirm/send", {"factor_id": "x", "return_to": "/profile"}
    yield "/profile/devices/sign-out-all", {"keep_current": "x"}
    yield "/profile/withdraw", {"understood": "no"}


QUERIES = {
    "/login": ("return_to", "lang", "done"),
    "/login/factor": ("factor", "return_to", "lang"),
    "/sign-up": ("return_to", "lang", "proof"),
    "/sign-up/verify": ("verification_id", "return_to", "lang"),
    "/password/forgotten": ("lang", "identifier"),
    "/confirm": ("lang", "link_token"),
    "/addresses/undo": ("lang", "link_token"),
    "/session/renew": ("return_to",),
}
OWN_QUERIES = {
    "/profile": ("done", "lang"),
    "/profile/addresses": ("replaces", "done", "lang"),
    "/profile/devices": ("page", "done", "lang"),
    "/profile/factors": ("done", "lang"),
    "/profile/password": ("done", "lang"),
    "/profile/confirm": ("return_to", "second_factor", "sent", "lang"),
    "/profile/withdraw": ("lang",),
}
PATHS = ("/{}", "/assets/{}", "/profile/{}", "/login/{}", "/.well-known/{}")
OWN_PATHS = ("/profile/devices/{}/sign-out", "/profile/factors/{}/remove")
HEADERS = ("accept-language", "referer", "user-agent", "origin", "x-request-id")
HEADERS += ("x-forwarded-host", "x-forwarded-proto", "x-forwarded-uri")
COOKIES = ("__Host-csrf", "__Host-language", "__Host-device", "__Host-mfa", "__Host-access")


def reflected(visitor, forms, queries, paths):
    """What is sent comes back as text, if at all."""
    for path, fields in forms:
        for field in (*fields, "csrf_token"):
            for payload in PAYLOADS:
                where = f"POST {path} {field}"
                visitor.looks(where, payload, "POST", path, fields | {field: payload})
    for path, names in queries.items():
        for name in names:
            for payload in PAYLOADS:
                query = urllib.parse.urlencode({name: payload})
                visitor.looks(f"GET {path}?{name}", payload, "GET", f"{path}?{query}")
            twice = f"{path}?{name}=x&{query}"
            visitor.looks(f"GET {path}?{name}, twice", payload, "GET", twice)
    for path in paths:
        for payload in PAYLOADS:
            method = "POST" if path in OWN_PATHS else "GET"
            full = path.format(urllib.parse.quote(payload, safe=""))
            visitor.looks(f"{method} {path}", payload, method, full, {} if method == "POST" else None)


def around(visitor):
    """Headers and cookies."""
    for name in HEADERS:
        for payload in PAYLOADS:
            headers = {name: payload.replace("\t", "")}
            visitor.looks(f"the header {name}", payload, "GET", "/login", headers=headers)
    for name in COOKIES:
        for payload in PAYLOADS:
            value = payload.replace("\t", "").replace(";", "")
            headers = {"cookie": f"{name}={value}"}
            visitor.looks(f"the cookie {name}", payload, "GET", "/login", headers=headers)


def stored(server, findings, email):
    """Names and devices, on every page of the account."""
    pages = ("", "/addresses", "/password", "/factors", "/devices", "/withdraw", "/confirm")
    for payload in PAYLOADS:
        agent = payload.encode("ascii", "ignore").decode().replace("\t", "")
        person = Visitor(server, findings, agent).signs_in(email)
        _, text = person.send("GET", "/profile")
        fields = {"etag": hidden(text, "etag"), "name": payload, "locale": "", "time_zone": ""}
        person.looks("the stored name", payload, "POST", "/profile", fields)
        for page in pages:
            person.looks(f"stored, /profile{page}", payload, "GET", "/profile" + page)


def in_chromium(server, findings, email):
    """With the policy off: nothing but the escaping stands between."""
    with sync_playwright() as playwright:
        return looks_of(playwright, server, findings, email)


def looks_of(playwright, server, findings, email):
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
    context = browser.new_context(locale="en-GB", bypass_csp=True)
    context.set_default_timeout(10_000)
    page = context.new_page()
    opened = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    looks = 0

    def look(where, payload):
        nonlocal looks
        looks += 1
        # A focus and a pointer set off what waits for them.
        page.keyboard.press("Tab")
        page.mouse.move(200, 200)
        if page.evaluate(f"window.{MARK}") or opened:
            findings.fault(where, payload, "it was executed in Chromium")
        if not page.url.startswith(server.origin):
            findings.fault(where, payload, f"it leads to {page.url}")

    try:
        # The detection works: what is not escaped is executed.
        page.goto(server.origin + "/login")
        page.evaluate("(html) => { document.body.innerHTML = html; }", PAYLOADS[2])
        page.wait_for_timeout(100)
        assert page.evaluate(f"window.{MARK}") == 1, "Chromium does not execute it even so"
        for payload in PAYLOADS:
            for path, values in (
                ("/login", {"identifier": payload, "password": "x"}),
                ("/sign-up", {"identifier": payload, "username": payload, "password": "short"}),
                ("/password/forgotten", {"identifier": payload}),
            ):
                page.goto(server.origin + path)
                for name, value in values.items():
                    page.fill(f"#{name}", value)
                with page.expect_navigation():
                    page.press(f"#{name}", "Enter")
                look(f"POST {path}", payload)
            page.goto(f"{server.origin}/confirm#{payload}")
            look("/confirm#", payload)
            page.goto("about:blank")
        page.goto(server.origin + "/login")
        page.fill("#identifier", email)
        page.fill("#password", PASSWORD)
        with page.expect_navigation():
            page.press("#password", "Enter")
        for payload in PAYLOADS:
            page.goto(server.origin + "/profile")
            page.fill("#name", payload)
            with page.expect_navigation():
                page.press("#name", "Enter")
            look("the stored name", payload)
        for path in ("/profile/devices", "/profile/addresses", "/profile/factors"):
            page.goto(server.origin + path)
            look(path, "stored devices and names")
    finally:
        browser.close()
    return looks


def sign_up(server, findings):
    """Somebody who has signed up, and its browser."""
    email, visitor = new_address(), Visitor(server, findings)
    visitor.send("GET", "/login")
    answer, _ = visitor.send("POST", "/sign-up", {"identifier": email, "password": PASSWORD})
    named = re.search(r"verification_id=([^&]*)", answer.headers["location"])[1]
    code = {"verification_id": named, "code": server.code_for(email)}
    visitor.send("POST", "/sign-up/verify", code)
    return email, visitor


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = parser.parse_args().server.resolve()
    findings = Findings()
    print(f"    unescaped, {detects()} of {len(PAYLOADS)} payloads would be found")
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        server = Pages(binary, pathlib.Path(folder) / "data")
        try:
            started = time.monotonic()
            email, visitor = sign_up(server, findings)
            other, _ = sign_up(server, findings)
            looks = pool.submit(in_chromium, server, findings, other)
            reflected(visitor, fields_of_strangers(visitor, email), QUERIES, PATHS)
            around(visitor)
            print(f"    strangers: {findings.asked} requests, {time.monotonic() - started:.0f} s")
            visitor.signs_in(email)
            reflected(visitor, fields_of_people(visitor, email), OWN_QUERIES, OWN_PATHS)
            print(f"    people: {findings.asked} requests, {time.monotonic() - started:.0f} s")
            stored(server, findings, email)
            print(f"    stored: {findings.asked} requests, {time.monotonic() - started:.0f} s")
            looks = looks.result()
        finally:
            server.stop()
    for where, count in sorted(findings.reflected.items()):
        print(f"    {where}: comes back as text, {count} of {len(PAYLOADS)}")
    print(
        f"{len(findings.faults)} of {findings.asked} requests and {looks} looks in Chromium let a"
        f" script through; {len(PAYLOADS)} payloads, {len(findings.pages)} different pages"
    )
    assert not findings.faults


if __name__ == "__main__":
    main()
