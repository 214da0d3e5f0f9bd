"""Writes hashes of other implementations.

python -m venv venv && venv/bin/pip install django passlib 'bcrypt<4.1' argon2-cffi cryptography
venv/bin/python made.py > made.tsv

Each line: who made it, the password, the hash, and its format where it is not
`auto`. Costs are low, so that many are compared in a test.
"""

import base64
import crypt
import hashlib
import subprocess
import sys

import argon2
import bcrypt
import django
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.conf import settings
from passlib import hash as passlib

settings.configure()
django.setup()
from django.contrib.auth import hashers  # noqa: E402

PASSWORDS = [
    "correct horse",
    "비밀번호 셋 pässwörd",
    "a",
    "seventy-two bytes and more: " + "0123456789" * 10,
]


def line(maker, password, hashed, form="auto"):
    print(maker, password, hashed, form, sep="\t")


def b64(data):
    return base64.b64encode(data).decode().rstrip("=")


def ab64(data):
    return b64(data).replace("+", ".")


def low(cls, **costs):
    hasher = cls()
    for name, value in costs.items():
        setattr(hasher, name, value)
    return hasher


def openssl_passwd(algorithm, salt, password):
    command = ["openssl", "passwd", algorithm, "-salt", salt, "-stdin"]
    done = subprocess.run(command, input=password.encode(), capture_output=True, check=True)
    return done.stdout.decode().strip()


def phpass_by_hand(password, salt=b"saltsalt", cost="5"):
    alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    digest = hashlib.md5(salt + password.encode()).digest()
    for _ in range(1 << alphabet.index(cost)):
        digest = hashlib.md5(digest + password.encode()).digest()
    signs = ""
    for at in range(0, 16, 3):
        three = digest[at : at + 3]
        value = int.from_bytes(three, "little")
        for _ in range(len(three) + 1):
            signs += alphabet[value & 63]
            value >>= 6
    return f"$P${cost}{salt.decode()}{signs}"


for password in PASSWORDS:
    raw = password.encode()
    salt = "Na3lKpQ0wZ"
    # Django
    for cls, costs, salted in [
        (hashers.PBKDF2PasswordHasher, {"iterations": 1200}, salt),
        (hashers.PBKDF2SHA1PasswordHasher, {"iterations": 1300}, salt),
        (hashers.Argon2PasswordHasher, {"memory_cost": 1024, "time_cost": 2, "parallelism": 8}, salt),
        (hashers.ScryptPasswordHasher, {"work_factor": 1024, "parallelism": 5}, salt),
        (hashers.MD5PasswordHasher, {}, salt),
    ]:
        hasher = low(cls, **costs)
        line("django", password, hasher.encode(password, salted))
    for cls in [hashers.BCryptSHA256PasswordHasher, hashers.BCryptPasswordHasher]:
        if cls is hashers.BCryptPasswordHasher and len(raw) > 72 and bcrypt.__version__ >= "5":
            continue
        hasher = cls()
        line("django", password, hasher.encode(password, bcrypt.gensalt(5)))
    # passlib
    line("passlib", password, passlib.pbkdf2_sha1.using(rounds=900).hash(password))
    line("passlib", password, passlib.pbkdf2_sha256.using(rounds=900).hash(password))
    line("passlib", password, passlib.pbkdf2_sha512.using(rounds=900).hash(password))
    line("passlib", password, passlib.django_pbkdf2_sha256.using(rounds=900).hash(password))
    line("passlib", password, passlib.django_pbkdf2_sha1.using(rounds=900).hash(password))
    line("passlib", password, passlib.sha256_crypt.using(rounds=1000).hash(password))
    line("passlib", password, passlib.sha256_crypt.using(rounds=5000).hash(password))
    line("passlib", password, passlib.sha512_crypt.using(rounds=1001).hash(password))
    line("passlib", password, passlib.sha512_crypt.using(rounds=5000).hash(password))
    line("passlib", password, passlib.phpass.using(rounds=9).hash(password))
    line("passlib", password, passlib.phpass.using(rounds=9, ident="H").hash(password))
    line("passlib", password, passlib.scrypt.using(rounds=8).hash(password))
    line("passlib", password, passlib.argon2.using(memory_cost=256, rounds=2, parallelism=2).hash(password))
    line("passlib", password, passlib.bcrypt.using(rounds=4, ident="2a").hash(password))
    line("passlib", password, passlib.bcrypt.using(rounds=4, ident="2y").hash(password))
    line("passlib", password, passlib.bcrypt.using(rounds=4, ident="2b").hash(password))
    line("passlib", password, passlib.bcrypt_sha256.using(rounds=4).hash(password))
    line("passlib", password, passlib.bcrypt_sha256.using(rounds=4, version=1).hash(password))
    line("passlib", password, passlib.django_bcrypt.using(rounds=4).hash(password))
    line("passlib", password, passlib.django_bcrypt_sha256.using(rounds=4).hash(password))
    line("passlib", password, passlib.django_salted_sha1.hash(password))
    line("passlib", password, passlib.django_salted_md5.hash(password))
    # bcrypt, of the password and of digests of it
    line("bcrypt", password, bcrypt.hashpw(raw[:72], bcrypt.gensalt(4)).decode())
    line("bcrypt", password, bcrypt.hashpw(raw[:72], bcrypt.gensalt(4, b"2a")).decode())
    for name in ["md5", "sha1", "sha256", "sha512"]:
        digest = hashlib.new(name, raw)
        inner = digest.hexdigest().encode()[:72]
        hashed = bcrypt.hashpw(inner, bcrypt.gensalt(4)).decode()
        line("bcrypt", password, hashed, f"bcrypt(hex({name}))")
        inner = base64.b64encode(digest.digest())[:72]
        hashed = bcrypt.hashpw(inner, bcrypt.gensalt(4)).decode()
        line("bcrypt", password, hashed, f"bcrypt(base64({name}))")
    inner = hashlib.sha256(raw).hexdigest().encode()
    line("bcrypt", password, "bcrypt_sha256$" + "$" + bcrypt.hashpw(inner, bcrypt.gensalt(4)).decode()[1:])
    # argon2-cffi
    for kind in argon2.Type:
        hasher = argon2.PasswordHasher(memory_cost=512, time_cost=3, parallelism=1, type=kind)
        line("argon2-cffi", password, hasher.hash(password))
    # hashlib (OpenSSL)
    digest = hashlib.pbkdf2_hmac("sha256", raw, b"hashlib-salt", 700)
    line("hashlib", password, f"pbkdf2_sha256$700$hashlib-salt${base64.b64encode(digest).decode()}")
    line("hashlib", password, f"$pbkdf2-sha256$700${ab64(b'hashlib-salt')}${ab64(digest)}")
    digest = hashlib.pbkdf2_hmac("sha1", raw, b"hashlib-salt", 700)
    line("hashlib", password, f"pbkdf2_sha1$700$hashlib-salt${base64.b64encode(digest).decode()}")
    digest = hashlib.pbkdf2_hmac("sha512", raw, b"hashlib-salt", 700)
    line("hashlib", password, f"$pbkdf2-sha512$700${ab64(b'hashlib-salt')}${ab64(digest)}")
    digest = hashlib.scrypt(raw, salt=b"hashlib-salt", n=512, r=4, p=2, dklen=48)
    line("hashlib", password, f"$scrypt$ln=9,r=4,p=2${b64(b'hashlib-salt')}${b64(digest)}")
    digest = hashlib.scrypt(raw, salt=b"hashlib-salt", n=512, r=8, p=1, dklen=64)
    line("hashlib", password, f"scrypt$512$hashlib-salt$8$1${base64.b64encode(digest).decode()}")
    for name in ["md5", "sha1", "sha256", "sha512"]:
        digest = hashlib.new(name, b"pepper" + raw).hexdigest()
        line("hashlib", password, f"{name}$pepper${digest}")
        line("hashlib", password, f"pepper${digest}", f"{name}(salt+password)")
        digest = hashlib.new(name, raw + b"pepper").hexdigest()
        line("hashlib", password, f"pepper${digest.upper()}", f"{name}(password+salt)")
        line("hashlib", password, hashlib.new(name, raw).hexdigest(), f"{name}(salt+password)")
    line("hashlib", password, phpass_by_hand(password))
    # cryptography
    digest = PBKDF2HMAC(hashes.SHA256(), 32, b"cryptography", 600).derive(raw)
    line("cryptography", password, f"$pbkdf2-sha256$600${ab64(b'cryptography')}${ab64(digest)}")
    digest = PBKDF2HMAC(hashes.SHA512(), 64, b"cryptography", 600).derive(raw)
    line("cryptography", password, f"$pbkdf2-sha512$600${ab64(b'cryptography')}${ab64(digest)}")
    digest = Scrypt(b"cryptography", 32, 1024, 8, 1).derive(raw)
    line("cryptography", password, f"$scrypt$ln=10,r=8,p=1${b64(b'cryptography')}${b64(digest)}")
    # libxcrypt and OpenSSL
    for setting in ["$5$xcryptsalt", "$5$rounds=1234$xcryptsalt", "$6$xcryptsalt", "$6$rounds=1234$xcryptsalt"]:
        line("libxcrypt", password, crypt.crypt(password, setting))
    for setting in ["$2b$04$", "$2a$04$", "$2y$04$"]:
        made = crypt.crypt(password, setting + "abcdefghijklmnopqrstuu")
        if made and made.startswith(setting):
            line("libxcrypt", password, made)
    line("openssl", password, openssl_passwd("-5", "opensslsalt", password))
    line("openssl", password, openssl_passwd("-6", "opensslsalt", password))
