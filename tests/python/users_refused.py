"""What user management must not do: walks of users_pages.py, each for a browser and an office."""

import urllib.parse

import pyotp
from playwright.sync_api import expect

from office import ACTIONS, ACTIVE, NEVER, ROLE, ages, csrf_of, posts, signed_in
from pages import PASSWORD

MARKUP = "\"'><img src=x onerror=window.xss=1>"
TOTP = 1


def oneself(browser, office):
    """An operator does not lock himself out by a slip."""
    operator = office.operator(browser, "careful")
    path = f"/users/{operator.user.user_id}"
    operator.goes_to(path)
    assert operator.page.locator("section[aria-labelledby=actions] a").count() == 1
    csrf = csrf_of(operator)
    for action in ("suspend", "withdraw", "delete"):
        assert operator.goes_to(f"{path}/{action}").status == 422
        assert operator.page.locator("main form").count() == 0
        fields = {"understood": "true", "identifier": "careful@example.com", "csrf_token": csrf}
        answer = posts(office, operator, f"{path}/{action}", fields)
        assert answer.status == 422, answer.status
    operator.goes_to(f"{path}/edit")
    operator.sends(roles="staff")
    assert operator.page.get_attribute("#roles", "aria-invalid") == "true"
    known = office.knows(operator.user.user_id)
    assert known.state == ACTIVE and list(known.roles) == [ROLE], known
    operator.ends()
    print("    an operator's own account: spared")


def who_may(browser, office):
    """Who has not the role finds nothing; who loses it, or is suspended, from the next page on."""
    user = office.has("secret")
    plain = office.has("plain", roles=["staff", ROLE.upper(), f"{ROLE}s"])
    person = signed_in(browser, office, "plain")
    person.goes_to("/profile")
    assert person.page.locator("a[href^='/users']").count() == 0
    paths = ["/users", "/users?q=secret", "/users/new", f"/users/{user.user_id}", f"/users/{NEVER}"]
    paths += [f"/users/{user.user_id}/{action}" for action in (*ACTIONS, "edit")]
    person.goes_to("/users/nothing/at/all")
    for path in paths:
        assert person.goes_to(path).status == 404, path
        text = person.reads("main").lower()
        assert "not found" in text and "secret" not in text and "role" not in text, text
        form = {"csrf_token": csrf_of(person), "etag": "", "session_id": NEVER}
        answer = posts(office, person, path.split("?")[0], form)
        assert answer.status in (404, 405), (path, answer.status)
    assert office.knows(user.user_id) == user

    for name, end in (("demoted", "roles"), ("suspended-op", "state")):
        operator = office.operator(browser, name)
        operator.goes_to(f"/users/{user.user_id}/suspend")
        token = operator.cookie("__Host-access")["value"]
        if end == "roles":
            office.client.call(
                "UpdateUser", user_id=operator.user.user_id, update_mask={"paths": ["roles"]}, roles=[]
            )
        else:
            office.client.call("SuspendUser", user_id=operator.user.user_id)
        operator.sends(reason="too late")
        assert office.knows(user.user_id) == user, f"{name} went through"
        assert operator.cookie("__Host-access") is None or operator.cookie("__Host-access")["value"] == token
        answer = operator.goes_to("/users")
        assert (answer.status == 404) if end == "roles" else ("/login" in operator.page.url), name
    for path in paths:
        answer = posts(office, None, path.split("?")[0], {"csrf_token": "x"})
        assert answer.status in (403, 404, 405), (path, answer.status)
    print(f"    {len(paths)} pages for who is no operator, or none any more: refused")


def other_sites(browser, office):
    """What another site sends, or has no token, changes nothing."""
    user = office.has("aimed-at")
    operator = office.operator(browser, "target")
    operator.goes_to("/users")
    csrf = csrf_of(operator)
    fields = {"reason": "x", "understood": "true", "identifier": "aimed-at@example.com", "session_id": NEVER}
    fields["end"] = "good"
    # A form that does not say what it was made of changes nothing, either.
    blind = posts(office, operator, f"/users/{user.user_id}/suspend", fields | {"csrf_token": csrf})
    assert blind.status == 422 and office.knows(user.user_id) == user, blind.status
    fields["etag"] = user.etag
    tried = 0
    paths = ["/users/new", f"/users/{user.user_id}/edit", f"/users/{user.user_id}/sessions"]
    for path in paths + [f"/users/{user.user_id}/{action}" for action in ACTIONS]:
        for form, headers in (
            (fields, {}),
            (fields | {"csrf_token": ""}, {}),
            (fields | {"csrf_token": "A" * 22}, {}),
            (fields | {"csrf_token": csrf}, {"origin": "https://evil.example"}),
            (fields | {"csrf_token": csrf}, {"sec-fetch-site": "cross-site"}),
            (fields | {"csrf_token": csrf}, {"sec-fetch-site": "same-site", "origin": office.origin}),
            (fields | {"csrf_token": csrf}, {"host": "evil.example"}),
        ):
            answer = posts(office, operator, path, form, headers)
            assert answer.status in (403, 421), (path, form, headers, answer.status)
            tried += 1
    assert office.knows(user.user_id) == user
    good = posts(office, operator, f"/users/{user.user_id}/suspend", fields | {"csrf_token": csrf})
    assert good.status == 303, good.status
    operator.ends()
    print(f"    {tried} forms of other sites: refused")


def markup(browser, office):
    """No text of a user, and none that is typed, becomes markup."""
    name = f"Eve {MARKUP}"
    attributes = {"fields": {f"key {MARKUP}": {"string_value": MARKUP}}}
    role = "<img/src=x/onerror=window.xss=1>"
    user = office.client.call(
        "CreateUser",
        identifiers=[{"email": "eve+img@example.com"}],
        password=PASSWORD,
        external_id=MARKUP,
        roles=[role],
        scopes=[role],
        profile={"name": name, "attributes": attributes},
    ).user
    context = browser.new_context(user_agent=f"curl {MARKUP}")
    tab = context.new_page()
    tab.goto(office.origin + "/login")
    tab.fill("#identifier", "eve+img@example.com")
    tab.fill("#password", PASSWORD)
    tab.click("main form button.primary")
    tab.wait_for_url("**/profile")
    operator = office.operator(browser, "reader")
    page, path = operator.page, f"/users/{user.user_id}"
    looked = 0

    def holds(*texts):
        nonlocal looked
        page.wait_for_timeout(50)
        assert page.evaluate("window.xss") is None
        assert page.locator("main img, main script").count() == 0, page.url
        shown = page.content()
        for text in texts:
            assert text in page.inner_text("body") or text in operator_values(page), (page.url, text)
        assert "<img" not in shown.replace("&lt;img", ""), page.url
        looked += 1

    operator.goes_to(path)
    holds(name, MARKUP, role, f"curl {MARKUP}")
    page.locator("section[aria-labelledby=sessions] button").first.click()
    assert page.locator("dialog[open] img").count() == 0
    page.click("dialog button[value=no]")
    for action in ACTIONS + ("edit",):
        operator.goes_to(f"{path}/{action}")
        holds()
    operator.goes_to(f"{path}/suspend")
    operator.sends(reason=MARKUP)
    holds(MARKUP)
    operator.goes_to("/users")
    holds(name)
    for key in ("q", "group", "role", "order", "state", "page", "done", "lang"):
        operator.goes_to(f"/users?{key}={urllib.parse.quote(MARKUP)}")
        holds()
        operator.goes_to(f"{path}?{key}={urllib.parse.quote(MARKUP)}")
        holds()
    for key in ("sessions", "events"):
        operator.goes_to(f"{path}?{key}={urllib.parse.quote(MARKUP)}")
        holds()
    operator.goes_to("/users")
    page.locator("#q").press_sequentially(MARKUP, delay=1)
    expect(page.locator("#results .empty")).to_be_visible()
    holds(MARKUP)
    operator.goes_to("/users/new")
    fields = ("identifiers", "group", "name", "locale", "time_zone", "roles", "scopes", "external_id")
    operator.sends(**{field: MARKUP for field in fields})
    holds(*[MARKUP] * len(fields))
    operator.goes_to(f"/users/{urllib.parse.quote(MARKUP, safe='')}")
    holds()
    operator.faults = [fault for fault in operator.faults if "40" not in fault]
    operator.ends()
    context.close()
    print(f"    markup in every text, {looked} looks: none came alive")


def operator_values(page):
    return page.evaluate("[...document.querySelectorAll('input, textarea')].map((f) => f.value).join('\\n')")


def recent_sign_in(browser, office):
    """Who signed in a while ago, or has a second factor and has not shown it, shows something first."""
    user = office.has("guarded")
    operator = office.operator(browser, "tired")
    page, path = operator.page, f"/users/{user.user_id}"
    operator.goes_to(f"{path}/suspend")
    page.fill("#reason", "typed before")
    ages(office, operator.user.user_id)
    operator.context.clear_cookies(name="__Host-access")
    page.click("main form button.primary")
    # The form comes again as it was, with a way to show who it is beside it.
    assert page.input_value("#reason") == "typed before"
    with operator.context.expect_page() as opened:
        page.click(".notice a[target=_blank]")
    tab = opened.value
    tab.fill("#current_password", PASSWORD)
    tab.click("main form button.primary")
    tab.wait_for_url(f"**{path}")
    assert office.knows(user.user_id) == user
    page.click("main form button.primary")
    operator.is_at(path)
    assert office.knows(user.user_id).suspension.reason == "typed before"

    # Looking needs none.
    ages(office, operator.user.user_id)
    operator.context.clear_cookies(name="__Host-access")
    for looking in ("/users", path):
        operator.goes_to(looking)
        operator.is_at(looking)
    for asking in ("/users/new", *(f"{path}/{action}" for action in (*ACTIONS, "edit"))):
        operator.goes_to(asking)
        operator.is_at("/profile/confirm")
    page.fill("#current_password", PASSWORD)
    page.click("main form button.primary")
    operator.is_at(f"{path}/edit")

    # A second factor, once there is one.
    token = operator.cookie("__Host-access")["value"]
    begun = office.client.call("BeginEnrollment", access_token=token, kind=TOTP)
    app = pyotp.TOTP(begun.secret)
    office.client.call(
        "ConfirmEnrollment", access_token=token, enrollment_id=begun.enrollment_id, code=app.now()
    )
    operator.goes_to(f"{path}/reinstate")
    operator.is_at("/profile/confirm")
    codes = office.client.call("RegenerateRecoveryCodes", access_token=token).recovery_codes
    page.fill("#code", codes[0])
    page.click("main form button.primary")
    operator.is_at(f"{path}/reinstate")
    page.click("main form button.primary")
    operator.is_at(path)
    assert office.knows(user.user_id).state == ACTIVE
    operator.ends()
    print("    a sign-in of long ago and a second factor: asked for first")
