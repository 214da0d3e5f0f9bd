"""Signs a person up, in, and sets a password anew by links alone, with programs
that are not ours: aiosmtpd takes the mails, Python's email package reads them,
urllib takes the links apart, and grpcio knows the service through reflection
alone.

It starts the server on SQLite with the in-process store, and with Redis, and
prints each call. It exits 0 if every answer is as promised."""

import argparse
import html
import pathlib
import re
import threading
import urllib.parse

import grpc
from aiosmtpd.controller import Controller

from senders import Mailbox, free_port, smtp_settings
from walk import REDIS, Client, Server

PREFIX = "https://shop.example/confirm?lang=ko"
OTHER_PREFIX = "https://shop.example/confirm"
MINA = {"email": "mina@example.com"}
PASSWORD = "seven brown otters hum at noon"
SIGN_UP, SIGN_IN = 1, 2
LOOKS = 20

NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT
DENIED = grpc.StatusCode.PERMISSION_DENIED


def plain(mail):
    return mail.get_body(("plain",)).get_content()


class Person:
    """Reads mails, and opens the links in them."""

    def __init__(self, client, box):
        self.client = client
        self.box = box
        self.read = 0

    def mails(self):
        """The mails with a link. Notices have none, and may come late."""
        return [mail for mail in list(self.box.mails) if "https://" in plain(mail)]

    def link(self):
        """The link in the next mail: the same in its text and in its HTML."""
        for _ in range(100):
            if len(self.mails()) > self.read:
                break
            threading.Event().wait(0.1)
        assert len(self.mails()) > self.read, "no mail came"
        mail = self.mails()[self.read]
        self.read += 1
        page = mail.get_body(("html",)).get_content()
        [link] = re.findall(r"https://\S+", plain(mail))
        hrefs = {html.unescape(href) for href in re.findall(r'href="([^"]+)"', page)}
        assert hrefs == {link}, (hrefs, link)
        assert link not in mail["Subject"]
        return link

    def token(self):
        """What a page in a browser finds behind `#`."""
        link = urllib.parse.urlsplit(self.link())
        assert urllib.parse.urlunsplit(link._replace(fragment="")) == PREFIX, link
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", link.fragment), link
        return link.fragment

    def asks(self, purpose):
        self.client.call("SendCode", identifier=MINA, purpose=purpose, link_prefix=PREFIX)
        return self.token()

    def proves(self, token):
        """Many look at the page, and one confirms on it."""
        for _ in range(LOOKS):
            shown = self.client.call("GetVerification", link_token=token).verification
            assert shown.masked_address == "m***@example.com", shown
        proof = self.client.call("CheckCode", link_token=token).proof
        gone(self.client, token)
        return proof


def gone(client, token):
    client.refused(NOT_FOUND, "VERIFICATION_NOT_FOUND", "CheckCode", link_token=token)
    client.refused(NOT_FOUND, "VERIFICATION_NOT_FOUND", "GetVerification", link_token=token)


def by_links_alone(person):
    client = person.client
    proof = person.proves(person.asks(SIGN_UP))
    user_id = client.call("SignUp", identifier=MINA, proof=proof).user_id

    grant = {"proof": person.proves(person.asks(SIGN_IN))}
    tokens = client.call("IssueTokens", verified_code=grant).tokens
    valid = client.call("ValidateToken", access_token=tokens.access_token).valid
    assert (valid.subject, list(valid.authentication_methods)) == (user_id, ["otp"]), valid
    client.refused(DENIED, "PROOF_INVALID", "IssueTokens", verified_code=grant)

    client.call("StartPasswordReset", identifier=MINA, link_prefix=PREFIX)
    reset = {"proof": person.proves(person.token()), "new_password": PASSWORD}
    # A proof for a reset signs nobody in.
    client.refused(DENIED, "PROOF_INVALID", "IssueTokens", verified_code={"proof": reset["proof"]})
    client.call("ResetPassword", **reset)
    client.refused(DENIED, "PROOF_INVALID", "ResetPassword", **reset)
    password = {"identifier": MINA, "password": PASSWORD}
    assert client.call("IssueTokens", password=password).tokens.user_id == user_id


def what_ends_a_link(person):
    client = person.client
    first = person.asks(SIGN_IN)
    second = person.asks(SIGN_IN)
    gone(client, first)
    # A code in its place ends it, too.
    sent = client.call("SendCode", identifier=MINA, purpose=SIGN_IN, code="604182")
    gone(client, second)
    client.call("CancelVerification", verification_id=sent.verification_id)
    third = person.asks(SIGN_IN)
    shown = client.call("GetVerification", link_token=third).verification
    client.call("CancelVerification", verification_id=shown.verification_id)
    gone(client, third)
    # A link has no code to guess.
    fourth = person.asks(SIGN_IN)
    shown = client.call("GetVerification", link_token=fourth).verification
    named = {"verification_id": shown.verification_id}
    client.refused(NOT_FOUND, "VERIFICATION_NOT_FOUND", "CheckCode", **named, code="604182")
    # Whoever holds the id and guesses the rest holds nothing, and takes nothing.
    for place in (22, 30, 41):
        other = "A" if fourth[place] != "A" else "B"
        gone(client, fourth[:place] + other + fourth[place + 1 :])
    person.proves(fourth)


def strangers(person):
    """Who has no account gets no link, and the answer is the same."""
    client = person.client
    before = len(person.mails())
    nobody = {"email": "nobody@example.com"}
    sent = client.call("SendCode", identifier=nobody, purpose=SIGN_IN, link_prefix=PREFIX)
    assert len(sent.verification_id) == 36, sent
    client.call("StartPasswordReset", identifier=nobody, link_prefix=PREFIX)
    # What is sent after it comes, so that it would have come before.
    person.asks(SIGN_IN)
    assert len(person.mails()) == before + 1, [mail["To"] for mail in person.mails()]


def wrong_requests(client):
    wanted = {"identifier": MINA, "purpose": SIGN_IN}
    for wrong in (
        {"link_prefix": OTHER_PREFIX},
        {"link_prefix": PREFIX + "&next=https://elsewhere.example"},
        {"link_prefix": "javascript:alert(1)"},
        {"link_prefix": PREFIX, "code": "604182"},
    ):
        client.refused(INVALID, "FIELD_INVALID", "SendCode", **wanted | wrong)
        client.refused(INVALID, "FIELD_INVALID", "StartPasswordReset", identifier=MINA, **wrong)
    token = "A" * 43
    gone(client, token)
    for wrong in (
        {"link_token": token, "code": "604182"},
        {"link_token": token[:-1]},
        {"link_token": token + "A"},
        {"link_token": "+" * 43},
        {"link_token": ""},
    ):
        client.refused(INVALID, "FIELD_INVALID", "CheckCode", **wrong)
    both = {"link_token": token, "verification_id": "01890a5d-ac96-774b-bcce-b302099a8057"}
    client.refused(INVALID, "FIELD_INVALID", "GetVerification", **both)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    stores = {"SQLite, in-process store": {}, "SQLite and Redis": {"COUNTERSIGN__REDIS__URL": REDIS}}
    opened = 0
    for name, settings in stores.items():
        print(f"{name}:")
        box, port = Mailbox(), free_port()
        controller = Controller(box, hostname="127.0.0.1", port=port)
        controller.start()
        links = {
            "COUNTERSIGN__VERIFICATION__LINK_PREFIXES": PREFIX,
            "COUNTERSIGN__VERIFICATION__COOLDOWN": "0s",
        }
        mail = smtp_settings(f"smtp://127.0.0.1:{port}?tls=off", None, login=False)
        try:
            server = Server(binary, settings | mail | links)
            try:
                person = Person(Client(server.address), box)
                wrong_requests(person.client)
                by_links_alone(person)
                what_ends_a_link(person)
                opened += person.read
                strangers(person)
            finally:
                server.stop()
        finally:
            controller.stop()
    print(f"{opened} links came by mail on {len(stores)} of {len(stores)} stores; spent by {LOOKS} looks: 0")


if __name__ == "__main__":
    main()
