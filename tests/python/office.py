"""What the suites of user management share: a server whose pages operators may use, people who are
signed in, forms that no page has sent, and sessions that are older than they are."""

import http.client
import pathlib
import sqlite3
import urllib.parse

from pages import DESKTOP, PASSWORD, Pages, Person
from walk import Client

ROLE = "countersign-operator"
NEVER = "00000000-0000-7000-8000-000000000000"
ACTIONS = ("sign-out", "suspend", "reinstate", "withdraw", "delete")
ACTIVE, SUSPENDED = 2, 3


class Office(Pages):
    """The server with its gateway, whose pages operators may use, and a program's way to it."""

    def __init__(self, binary, data, settings=()):
        super().__init__(binary, data, {"COUNTERSIGN__GATEWAY__OPERATOR_ROLE": ROLE} | dict(settings))
        self.data = pathlib.Path(data)
        self.client = Client(self.address)

    def has(self, name, **more):
        """A new user."""
        email = f"{name}@example.com"
        return self.client.call(
            "CreateUser", identifiers=[{"email": email}], password=PASSWORD, **more
        ).user

    def operator(self, browser, name, language="en-GB", scripts=True, viewport=DESKTOP):
        """Somebody who may, and is signed in."""
        user = self.has(name, roles=[ROLE], profile={"name": name.title()})
        person = signed_in(browser, self, name, language, scripts, viewport)
        person.user = user
        return person

    def knows(self, user_id):
        return self.client.call("GetUser", user_id=user_id).user


def signed_in(browser, server, name, language="en-GB", scripts=True, viewport=DESKTOP):
    person = Person(browser, server, language, scripts, viewport)
    person.page.on("dialog", lambda dialog: person.faults.append(f"a dialog: {dialog.message}"))
    person.goes_to("/login")
    person.sends(identifier=f"{name}@example.com", password=PASSWORD)
    person.is_at("/profile")
    return person


def csrf_of(person):
    return person.cookie("__Host-csrf")["value"]


def posts(office, person, path, fields, headers=(), cookies=True):
    """What a program gets that sends a form with the cookies of a browser."""
    host = office.gateway
    connection = http.client.HTTPConnection(host, timeout=20)
    headers = {"content-type": "application/x-www-form-urlencoded"} | dict(headers)
    if person and cookies:
        pairs = (f"{cookie['name']}={cookie['value']}" for cookie in person.context.cookies())
        headers["cookie"] = "; ".join(pairs)
    connection.request("POST", path, body=urllib.parse.urlencode(fields), headers=headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


def ages(office, user_id):
    """The sessions of a user were authenticated 11 minutes ago."""
    database = sqlite3.connect(office.data / "countersign.db", timeout=10)
    raw = bytes.fromhex(user_id.replace("-", ""))
    with database:
        changed = database.execute(
            "update sessions set created_at = created_at - 660000,"
            " authenticated_at = authenticated_at - 660000 where user_id = ?",
            (raw,),
        )
    assert changed.rowcount > 0
    database.close()
