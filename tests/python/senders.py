"""Sends mail to aiosmtpd and webhooks to a receiver that verifies them with the
published library of Standard Webhooks: two counterparts that are not ours.

It runs `countersign message test` against each, plain, over STARTTLS, over TLS
and with certificates that are wrong, and then a server that sends a code by
mail. It exits 0 if every message arrived that should, and no other."""

import argparse
import email
import email.policy
import http.server
import json
import logging
import os
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from walk import Client, Server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
USER, PASSWORD = "mina", "correct horse"


class Mailbox:
    """Keeps what aiosmtpd takes."""

    def __init__(self):
        self.mails = []
        self.logins = 0

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 2.0.0 queued as 4711"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins += 1
        is_good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_good)


def free_port():
    """aiosmtpd has to be told its port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def certificates(folder):
    """An authority, a certificate for localhost and one for elsewhere.example."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority")
    contexts = {}
    for name in ("localhost", "elsewhere.example"):
        openssl(
            "req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.crt",
            "-CA", "ca.crt", "-CAkey", "ca.key", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE",
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
        contexts[name] = context
    return contexts


def message_test(binary, to, settings):
    """What `countersign message test` lists, and its exit code."""
    environment = {"PATH": os.environ["PATH"]} | settings
    ran = subprocess.run(
        [binary, "message", "test", "--to", to, "--locale", "ko", "--json"],
        env=environment, capture_output=True, text=True, timeout=60,
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
    rows = json.loads(ran.stdout)
    for row in rows:
        print(f"    {row['provider']}: {row['outcome']}, {row['why'] or row['said']}")
    return ran.returncode, rows


def smtp_settings(url, ca, login=True):
    settings = {
        "COUNTERSIGN__DELIVERY__EMAIL": "smtp",
        "COUNTERSIGN__DELIVERY__PRODUCT_NAME": "상점 & Co",
        "COUNTERSIGN__SMTP__URL": url,
        "COUNTERSIGN__SMTP__FROM": "Shop <no-reply@shop.example>",
    }
    if ca:
        settings["COUNTERSIGN__DELIVERY__TLS_CA"] = str(ca)
    if login:
        settings["COUNTERSIGN__SMTP__USERNAME"] = USER
        settings["COUNTERSIGN__SMTP__PASSWORD"] = PASSWORD
    return settings


def mail(binary, folder, contexts):
    ca = folder / "ca.crt"
    arrived = 0
    for form, name, trusted, is_good in (
        ("plain", None, None, True),
        ("starttls", "localhost", ca, True),
        ("starttls", "localhost", None, False),
        ("starttls", "elsewhere.example", ca, False),
        ("implicit", "localhost", ca, True),
        ("implicit", "localhost", None, False),
        ("implicit", "elsewhere.example", ca, False),
    ):
        box = Mailbox()
        port = free_port()
        # aiosmtpd counts TLS from the first byte as none.
        options = {"authenticator": box.authenticate, "auth_require_tls": form == "starttls"}
        if form == "implicit":
            options["ssl_context"] = contexts[name]
        elif form == "starttls":
            options |= {"tls_context": contexts[name], "require_starttls": True}
        controller = Controller(box, hostname="127.0.0.1", port=port, **options)
        controller.start()
        try:
            url = {
                "plain": f"smtp://127.0.0.1:{port}?tls=off",
                "starttls": f"smtp://localhost:{port}",
                "implicit": f"smtps://localhost:{port}",
            }[form]
            print(f"  {form}, a certificate for {name}, {'our' if trusted else 'no'} authority:")
            code, rows = message_test(binary, "mina@example.com", smtp_settings(url, trusted))
            assert (code == 0, len(box.mails), box.logins) == (is_good, is_good, is_good), rows
            arrived += len(box.mails)
            if is_good:
                check(box.mails[0])
            else:
                assert rows[0]["outcome"] == "refused", rows
            if form == "plain":
                code, rows = message_test(binary, "nobody@example.com", smtp_settings(url, None))
                assert (code, rows[0]["outcome"]) == (1, "rejected"), rows
                assert rows[0]["why"] == "RCPT failed: 550", rows
        finally:
            controller.stop()
    return arrived


def check(mail):
    """A mail is whole for a reader that is not ours."""
    assert mail["Subject"] == "[상점 & Co] 시험 메시지", mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@shop\.example>", mail["Message-ID"]), mail["Message-ID"]
    assert not mail.defects, mail.defects
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    assert "시험 메시지입니다." in text and "시험 메시지입니다." in html, (text, html)


def code_by_mail(binary):
    """A server sends a code by mail, and the code is good."""
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        server = Server(binary, smtp_settings(f"smtp://127.0.0.1:{port}?tls=off", None, login=False))
        try:
            client = Client(server.address)
            sent = client.call("SendCode", identifier={"email": "june@example.com"}, purpose=1)
            for _ in range(100):
                if box.mails:
                    break
                threading.Event().wait(0.1)
            [mail] = box.mails
            [code] = re.findall(r"^(\d{6})\r?$", mail.get_body(("plain",)).get_content(), re.M)
            assert code in mail.get_body(("html",)).get_content()
            assert code not in mail["Subject"]
            client.call("CheckCode", verification_id=sent.verification_id, code=code)
        finally:
            server.stop()
    finally:
        controller.stop()


def webhooks(binary):
    """Each webhook is verified by the published library, with either secret."""
    verified, refused = [], []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            for secret in (SECRET, OTHER_SECRET):
                verified.append((secret, Webhook(secret).verify(body, headers)))
            for wrong in (body + b" ", body.replace(b"0", b"1", 1)):
                try:
                    Webhook(SECRET).verify(wrong, headers)
                except WebhookVerificationError:
                    refused.append(wrong)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "COUNTERSIGN__DELIVERY__SMS": "webhook",
        "COUNTERSIGN__WEBHOOK__URL": f"http://127.0.0.1:{server.server_port}/send",
        "COUNTERSIGN__WEBHOOK__SECRET": SECRET,
        "COUNTERSIGN__WEBHOOK__OLD_SECRET": OTHER_SECRET,
    }
    code, rows = message_test(binary, "010-1234-5678", settings)
    server.shutdown()
    assert code == 0 and len(verified) == 2 and len(refused) == 2, (rows, verified, refused)
    data = verified[0][1]["data"]
    assert data["to"] == "+821012345678" and data["channel"] == "sms", data
    return len(verified)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    binary = str(parser.parse_args().server.resolve())
    # It tells each handshake that fails, as it should, in many lines.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        print("mail:")
        arrived = mail(binary, folder, certificates(folder))
    print("a code by mail:")
    code_by_mail(binary)
    print("webhooks:")
    verified = webhooks(binary)
    print(f"{arrived} of 3 mails arrived, 0 of 4 by a wrong certificate; {verified} of 2 signatures verified")


if __name__ == "__main__":
    main()
