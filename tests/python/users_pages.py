"""Looks after users on the gateway's pages, in Chromium, with and without scripts, in
Korean and English, on a phone and a desktop.

Operators find, create, change, suspend, reinstate, withdraw and delete users, by mouse and by
keys alone; two of them at once lose nothing. Who is no operator, or none any more, finds
nothing; what another site sends is refused; no text of a user becomes markup. axe-core looks at
each page in both themes. It exits 0 if every page is as promised."""

import argparse
import pathlib
import subprocess
import tempfile
import threading
import urllib.parse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from office import ACTIONS, ACTIVE, NEVER, ROLE, SUSPENDED, Office, signed_in
from pages import ARGUMENTS, DESKTOP, MOST_BYTES, PASSWORD, PHONE, Pages
from users_refused import markup, oneself, other_sites, recent_sign_in, who_may
from walk import Client


def journey(browser, office, language, scripts, viewport):
    """From the account to a user who is changed, suspended, reinstated, withdrawn and deleted."""
    name = f"op-{language}-{scripts}-{viewport['width']}".lower()
    operator = office.operator(browser, name, language, scripts, viewport)
    page = operator.page
    page.click(".account-nav a[href='/users']")
    operator.is_at("/users")
    assert page.get_attribute("html", "lang") == language[:2]

    page.click("a[href='/users/new']")
    email = f"{name}-minji@example.com"
    operator.sends(identifiers="nonsense@", roles="a" * 65, name="Minji")
    assert page.title().startswith(("Error:", "오류:")), page.title()
    assert page.get_attribute("#identifiers", "aria-invalid") == "true"
    assert page.get_attribute("#roles", "aria-invalid") == "true"
    assert page.input_value("#name") == "Minji"
    operator.sends(identifiers=f"{email}\n{name}.minji", password=PASSWORD, roles="staff, billing")
    assert page.locator(".notice.success").is_visible()
    path = page.url.removeprefix(office.origin).split("?")[0]
    user_id = path.removeprefix("/users/")
    assert list(office.knows(user_id).roles) == ["billing", "staff"]
    assert len(office.knows(user_id).identifiers) == 2

    # It is found by the beginning of what it signs in with, and by its id.
    for term in (email[:-4].upper(), f"{name}.min", user_id):
        operator.goes_to("/users")
        if scripts:
            page.locator("#q").press_sequentially(term, delay=1)
            expect(page.locator("#results tbody tr")).to_have_count(1)
            expect(page.locator("#results-status")).to_contain_text("1")
            assert page.evaluate("document.activeElement.id") == "q", "the field has lost the focus"
            assert f"q={urllib.parse.quote_plus(term)}" in page.url, page.url
        else:
            page.fill("#q", term)
            page.click(".search button[type=submit]")
        assert page.locator("#results tbody tr").count() == 1, term
    page.fill("#q", "nobody-is-called-so")
    if not scripts:
        page.click(".search button[type=submit]")
    expect(page.locator("#results .empty")).to_be_visible()

    operator.goes_to(path)
    page.click(f"a[href='{path}/edit']")
    operator.sends(name="민지 <b>&\"'", time_zone="Seoul time")
    assert page.get_attribute("#time_zone", "aria-invalid") == "true"
    operator.sends(time_zone="Asia/Seoul", scopes="")
    assert operator.reads("h1").startswith("민지 <b>&\"'"), operator.reads("h1")

    victim = signed_in(browser, office, f"{name}-minji")
    operator.goes_to(path)
    page.click(f"a[href='{path}/suspend']")
    assert email in operator.reads("main"), "the page does not name the user"
    page.check("#end-time")
    page.fill("#until", "2020-01-01T09:00")
    operator.sends(reason="spam")
    assert page.get_attribute("#until", "aria-invalid") == "true"
    assert page.input_value("#reason") == "spam" and page.is_checked("#end-time")
    page.fill("#until", "2999-01-01T09:00")
    page.click("main form button.primary")
    assert page.locator(".notice.success").is_visible()
    assert "spam" in operator.reads(".notice.warning")
    known = office.knows(user_id)
    assert known.state == SUSPENDED and known.suspension.reason == "spam", known
    assert known.suspension.end_time.seconds == 32472176400, known.suspension
    victim.goes_to("/profile")
    victim.is_at("/login")
    victim.ends()

    # What is there already stays, if nothing is changed.
    page.click(f"a[href='{path}/suspend']")
    page.click("main form button.primary")
    again = office.knows(user_id).suspension
    assert (again.reason, again.end_time) == ("spam", known.suspension.end_time), again
    for action, before in (("reinstate", None), ("withdraw", "#understood"), ("reinstate", None)):
        operator.goes_to(path)
        page.click(f"a[href='{path}/{action}']")
        if before:
            page.click("main form button.primary")
            assert page.get_attribute(before, "aria-invalid") == "true"
            page.check(before)
        page.click("main form button.primary")
        assert page.locator(".notice.success").is_visible(), action
    page.click(f"a[href='{path}/delete']")
    operator.sends(identifier="another@example.com")
    assert page.get_attribute("#identifier", "aria-invalid") == "true"
    operator.sends(identifier=operator.reads("label[for=identifier] .mono").upper())
    operator.is_at("/users")
    assert page.locator(".notice.success").is_visible()
    assert operator.goes_to(path).status == 404
    operator.faults = [fault for fault in operator.faults if "404" not in fault]
    operator.ends()
    print(f"    {language}, scripts {scripts}, {viewport['width']} px: as promised")


def pages_of_a_list(browser, office):
    """Each user is on one page of the list, in either order, and in the searches."""
    ids = [office.has(f"listed-{number:02}", roles=["listed"]).user_id for number in range(40)]
    operator = office.operator(browser, "librarian")
    page = operator.page

    def walk(path):
        operator.goes_to(path)
        found = []
        while True:
            rows = page.locator("#results .row-link")
            found += [row.get_attribute("href").rsplit("/", 1)[1] for row in rows.all()]
            assert rows.count() <= 12, rows.count()
            if not page.locator("a[rel=next]").count():
                return found
            page.click("a[rel=next]")

    assert walk("/users?role=listed") == ids[::-1]
    assert walk("/users?role=listed&order=oldest") == ids
    assert walk("/users?q=listed-") == ids
    assert page.locator("nav.pager a").count() == 1, "there is no way back to the first page"
    page.click("nav.pager a")
    assert page.locator("#results .row-link").count() == 12
    assert walk("/users?q=listed-&role=staff") == ids and page.locator("#results .notice").count()
    assert not walk("/users?q=listed-&state=suspended")
    assert not walk("/users?q=%00") and not walk("/users?q=%2B82-x")
    for wrong in ("role=a%20b", "group=nowhere%20here", "page=0.nonsense"):
        assert operator.goes_to(f"/users?{wrong}").status == 422, wrong
        assert page.locator(".error-summary").is_visible()
    operator.ends()
    print("    40 users over pages, in three orders: each once")


def by_keys_alone(browser, office):
    """No mouse: everything is reached, and nothing holds the focus."""
    user = office.has("keyed", roles=["keyed"], profile={"name": "Keyed"})
    office.has("keyed-too", roles=["keyed"])
    operator = office.operator(browser, "typist")
    page, press = operator.page, operator.page.keyboard.press
    focused = lambda: page.evaluate(
        "(({id, textContent}) => id || textContent.trim().slice(0, 40))"
        "(document.activeElement === document.body ? {id: 'body'} : document.activeElement)"
    )
    operator.goes_to("/users?role=keyed")
    order = []
    for _ in range(60):
        press("Tab")
        order.append(focused())
        if order[-1] == "body":
            break
        ring = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement);"
            " return s.outlineStyle !== 'none' || s.boxShadow !== 'none' })()"
        )
        assert ring, f"{order[-1]} shows no focus"
    else:
        raise AssertionError(f"the focus does not come round: {order}")
    for wanted in ("Skip to main content", "New user", "q", "state", "More filters", "group", "role", "order"):
        assert wanted in order, f"{wanted} is not reached: {order}"
    assert order.index("q") < order.index("state") < order.index("group")

    press("j")
    first = focused()
    press("j")
    assert focused() != first
    press("k")
    assert focused() == first
    press("/")
    assert focused() == "q"
    page.keyboard.type("keyed@")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    press("Escape")
    assert focused() == "body" and page.input_value("#q") == "keyed@"
    press("?")
    assert page.locator("#shortcuts").is_visible()
    press("Escape")
    # Chromium takes the focus out of a closed dialog with the next frame.
    page.wait_for_function("!document.querySelector('#shortcuts').contains(document.activeElement)")
    assert not page.locator("#shortcuts").is_visible()
    press("j")
    press("Enter")
    operator.is_at(f"/users/{user.user_id}")
    press("e")
    operator.is_at(f"/users/{user.user_id}/edit")
    page.focus("#name")
    press("End")
    page.keyboard.type("une/?")
    assert page.input_value("#name").endswith("une/?"), "shortcuts work in fields"
    press("Enter")
    operator.is_at(f"/users/{user.user_id}")
    assert office.knows(user.user_id).profile.name == "Keyedune/?"
    press("u")
    operator.is_at("/users")
    press("n")
    operator.is_at("/users/new")
    # Deleted without a mouse, from the list on.
    operator.goes_to("/users?q=keyed@")
    press("j")
    press("Enter")
    operator.is_at(f"/users/{user.user_id}")
    while focused() != "Delete":
        press("Tab")
    press("Enter")
    operator.is_at(f"/users/{user.user_id}/delete")
    while focused() != "identifier":
        press("Tab")
    page.keyboard.type("keyed@example.com")
    press("Enter")
    operator.is_at("/users")
    # Who turns the shortcuts off types what he likes.
    press("?")
    page.focus("#shortcuts-on")
    press("Space")
    press("Escape")
    press("n")
    page.wait_for_timeout(200)
    operator.is_at("/users")
    operator.ends()
    print(f"    by keys alone, {len(set(order))} places in the order of the list: as promised")


def sessions(browser, office):
    """Devices are signed out one by one, and all at once; the audit log names the operator."""
    user = office.has("traveller")
    operator = office.operator(browser, "conductor")
    devices = [signed_in(browser, office, "traveller") for _ in range(4)]
    page, path = operator.page, f"/users/{user.user_id}"
    operator.goes_to(path)
    assert page.locator("section[aria-labelledby=sessions] li").count() == 4
    page.locator("section[aria-labelledby=sessions] button").first.click()
    page.click("dialog button[value=yes]")
    expect(page.locator("section[aria-labelledby=sessions] li")).to_have_count(3)
    out = 0
    for device in devices:
        device.goes_to("/profile")
        out += "/login" in device.page.url
    assert out == 1, f"{out} devices were signed out"
    page.click(f"a[href='{path}/sign-out']")
    page.click("main form button.primary")
    assert page.locator("section[aria-labelledby=sessions] li").count() == 0
    for device in devices:
        device.goes_to("/profile")
        device.is_at("/login")
        device.ends()
    events = operator.reads("section[aria-labelledby=events]")
    assert "Signed out everywhere" in events and "gateway-operators" in events, events
    assert page.locator(f"section[aria-labelledby=events] a[href='/users/{operator.user.user_id}']").count() == 2
    page.click("section[aria-labelledby=events] .pager a")
    assert "Created" in operator.reads("section[aria-labelledby=events]")
    operator.ends()
    print("    devices and the audit log: as promised")


def two_operators(browser, office):
    """What another operator has changed meanwhile is shown, and nothing that was typed is lost."""
    user = office.has("shared", profile={"name": "Before"}, roles=["staff"])
    path = f"/users/{user.user_id}"
    one, other = (office.operator(browser, name) for name in ("first-op", "second-op"))
    for operator in (one, other):
        operator.goes_to(f"{path}/edit")
    other.sends(name="By the other", roles="staff lead")
    one.sends(name="By the one", external_id="X-1")
    assert one.page.locator(".error-summary").is_visible()
    assert one.page.input_value("#name") == "By the one" and one.page.input_value("#external_id") == "X-1"
    differences = one.reads("section[aria-labelledby=differences]")
    assert "By the other" in differences and "X-1" not in differences, differences
    assert one.page.input_value("#roles") == "lead staff", "what the other has changed is lost"
    assert office.knows(user.user_id).profile.name == "By the other"
    one.sends(name="By both")
    one.is_at(path)
    known = office.knows(user.user_id)
    assert known.profile.name == "By both" and known.external_id == "X-1", known
    assert list(known.roles) == ["lead", "staff"], known

    # So it is with what is asked before.
    for action in ("withdraw", "suspend", "delete"):
        one.goes_to(f"{path}/{action}")
        other.goes_to(f"{path}/edit")
        other.sends(name=f"Changed before {action}")
        fields = {"delete": {"identifier": "shared@example.com"}, "suspend": {"reason": "why"}}
        if action == "withdraw":
            one.page.check("#understood")
        one.sends(**fields.get(action, {}))
        assert one.page.locator(".error-summary").is_visible(), action
        assert office.knows(user.user_id).state == ACTIVE, f"{action} went through"
    assert one.page.input_value("#identifier") == "shared@example.com"
    one.page.click("main form button.primary")
    one.is_at("/users")
    other.goes_to(path)
    assert "not found" in other.reads("main").lower()
    for operator in (one, other):
        operator.faults = [fault for fault in operator.faults if "404" not in fault]
        operator.ends()
    print("    two operators at once: nothing was lost")


def accessibility(browser, office):
    """axe-core finds nothing, on any page in either theme, language and size."""
    user = office.has("looked-at", profile={"name": "Looked At"}, roles=["staff"], external_id="7")
    suspended = office.has("looked-at-too")
    office.client.call("SuspendUser", user_id=suspended.user_id, reason="why")
    operator = office.operator(browser, "axe-op")
    path = f"/users/{user.user_id}"
    pages = ["/users", "/users?q=zzz", "/users?q=looked&role=x", "/users?role=a%20b", "/users/new", path]
    pages += [f"{path}/{action}" for action in (*ACTIONS, "edit")]
    pages += [f"/users/{suspended.user_id}", f"/users/{operator.user.user_id}/delete", "/profile"]
    looks = sum(look(operator, path) for path in pages)
    # Forms that are refused, and the keys.
    operator.goes_to("/users/new?lang=en")
    operator.sends(identifiers="@", roles="a" * 70, locale="?", time_zone="?", group="?")
    looks += violations(operator, "the refused form")
    operator.goes_to("/users")
    operator.page.keyboard.press("?")
    looks += violations(operator, "the keys")
    operator.page.emulate_media(forced_colors="active")
    operator.goes_to("/users")
    looks += violations(operator, "forced colours")
    operator.faults.clear()
    operator.ends()
    print(f"    axe-core, {looks} looks at pages: 0 violations")


def look(operator, path):
    """Each two of theme, language and size come together once."""
    looks = (("light", "ko", PHONE), ("light", "en", DESKTOP), ("dark", "en", PHONE), ("dark", "ko", DESKTOP))
    for theme, language, viewport in looks:
        operator.page.emulate_media(color_scheme=theme)
        operator.page.set_viewport_size(viewport)
        mark = "&" if "?" in path else "?"
        operator.goes_to(f"{path}{mark}lang={language}")
        where = f"{path} {theme} {language} {viewport['width']}"
        violations(operator, where)
        wide = operator.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], f"{where}: {wide} px wide"
    return len(looks)


def violations(operator, where):
    found = Axe().run(operator.page)
    assert found.violations_count == 0, f"{where}: {found.generate_report()}"
    return 1


def weight(browser, office):
    """What the heaviest pages cost, before images."""
    operator = office.operator(browser, "weigher", language="ko-KR")
    size = lambda path: len(operator.page.request.get(office.origin + path).body())
    assets = size("/assets/style.css") + size("/assets/page.js")
    busy = office.has("busy", profile={"name": "민지 김"})
    for _ in range(6):
        signed_in(browser, office, "busy").context.close()
    for number in range(6):
        operator.goes_to(f"/users/{busy.user_id}/edit")
        operator.sends(name=f"민지 {number}")
    heaviest = max(size(path) for path in ("/users", f"/users/{busy.user_id}", "/users/new"))
    assert assets + heaviest <= MOST_BYTES, f"{assets} + {heaviest} bytes"
    operator.ends()
    print(f"    pages of at most {assets + heaviest} bytes")


def without_the_setting(browser, binary, data):
    """Where no role is named there are no such pages."""
    server = Pages(binary, data)
    Client(server.address).call(
        "CreateUser", identifiers=[{"email": "olga@example.com"}], password=PASSWORD, roles=[ROLE]
    )
    person = signed_in(browser, server, "olga")
    assert person.page.locator("a[href^='/users']").count() == 0
    for path in ("/users", "/users/new", f"/users/{NEVER}"):
        assert person.goes_to(path).status == 404, path
    server.stop()
    print("    without the setting: no such pages")


def gateway_alone(browser, binary, data):
    """`countersign gateway` with a key of its own for operators."""
    server = Office(binary, data, {"COUNTERSIGN__GATEWAY__LISTEN": "127.0.0.1:0"})
    user = server.has("far-away")
    server.has("remote-op", roles=[ROLE])

    def caller(name, role):
        done = subprocess.run(
            [binary, "--data-dir", data, "caller", "new", "--name", name, "--role", role],
            capture_output=True, text=True, check=True,
        )
        return next(word for word in (done.stdout + done.stderr).split() if word.startswith("csk_"))

    environment = {
        "PATH": "/usr/bin",
        "COUNTERSIGN__LOG__FORMAT": "json",
        "COUNTERSIGN__GATEWAY__LISTEN": "127.0.0.1:0",
        "COUNTERSIGN__GATEWAY__ENDPOINT": f"http://{server.address}",
        "COUNTERSIGN__GATEWAY__API_KEY": caller("edge", "gateway"),
        "COUNTERSIGN__GATEWAY__OPERATOR_ROLE": ROLE,
    }
    refused = subprocess.run([binary, "gateway"], env=environment, capture_output=True, text=True)
    assert refused.returncode == 78 and "gateway.operator_api_key" in refused.stderr, refused.stderr
    key = pathlib.Path(data) / "operators.key"
    key.write_text(caller("desk", "operator") + "\n")
    environment["COUNTERSIGN__GATEWAY__OPERATOR_API_KEY_FILE"] = str(key)
    process = subprocess.Popen(
        [binary, "gateway"], env=environment, stderr=subprocess.PIPE, text=True
    )
    line = next(line for line in process.stderr if "the gateway listens" in line)
    threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
    mounted, address = server.origin, line.split('"address":"')[1].split('"')[0]
    server.origin, server.gateway = f"http://{address}", address
    person = signed_in(browser, server, "remote-op")
    person.page.wait_for_timeout(1500)
    person.goes_to(f"/users/{user.user_id}/suspend")
    person.sends(reason="from afar")
    person.is_at(f"/users/{user.user_id}")
    events = person.reads("section[aria-labelledby=events]")
    assert "Suspended" in events and "desk" in events, events
    # The one that is mounted goes on with its own key, also since there are callers.
    server.origin = mounted
    other = signed_in(browser, server, "remote-op")
    other.goes_to(f"/users/{user.user_id}/reinstate")
    other.page.click("main form button.primary")
    other.is_at(f"/users/{user.user_id}")
    other.ends()
    server.stop()
    # An outage is told as one, and nobody is signed out by it.
    server.origin = f"http://{address}"
    for path in ("/users", f"/users/{user.user_id}"):
        answer = person.goes_to(path)
        assert answer.status in (502, 503, 504), answer.status
        assert "did not work" in person.reads("main"), person.reads("main")
    assert person.cookie("__Host-access")
    person.faults = [fault for fault in person.faults if "50" not in fault]
    person.ends()
    process.terminate()
    assert process.wait(timeout=30) == 0
    print("    the gateway alone, with a key for operators in a file: as promised")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="target/debug/countersign")
    parser.add_argument("--only", help="one of the walks, by its name")
    arguments = parser.parse_args()
    binary = pathlib.Path(arguments.server).resolve()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        office = Office(binary, pathlib.Path(folder) / "data")
        for language, scripts, viewport in (
            ("ko-KR", True, PHONE),
            ("ko-KR", False, DESKTOP),
            ("en-GB", True, DESKTOP),
            ("en-GB", False, PHONE),
        ):
            if arguments.only in (None, "journey"):
                journey(browser, office, language, scripts, viewport)
        for walk in (
            pages_of_a_list,
            by_keys_alone,
            sessions,
            two_operators,
            oneself,
            who_may,
            other_sites,
            markup,
            recent_sign_in,
            accessibility,
            weight,
        ):
            if arguments.only in (None, walk.__name__):
                walk(browser, office)
        office.stop()
        for walk in (without_the_setting, gateway_alone):
            if arguments.only in (None, walk.__name__):
                walk(browser, binary, pathlib.Path(folder) / walk.__name__)
        browser.close()


if __name__ == "__main__":
    main()
