"""A project as many have one: Django's own users and hashers, and tokens by
djangorestframework-simplejwt. Countersign replaces its sign-in; nothing here
knows of it.

`create` makes the tables and a user under each hasher, and prints what they sign
in with; `serve PORT` serves the API. The database is DATABASE_URL."""

import json
import os
import sys
import urllib.parse
import wsgiref.simple_server

import django
from django.conf import settings

URL = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
ENGINES = {"postgres": "postgresql", "mysql": "mysql"}
if URL.scheme == "mysql":
    import pymysql

    pymysql.install_as_MySQLdb()

settings.configure(
    SECRET_KEY="django-insecure-k7w2!s9qv_4m#x1z-shop-of-otters-and-herons",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": f"django.db.backends.{ENGINES[URL.scheme]}",
            "NAME": URL.path[1:],
            "USER": URL.username,
            "PASSWORD": URL.password or "",
            "HOST": URL.hostname,
            "PORT": URL.port,
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
    ],
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "django.contrib.auth.hashers.BCryptPasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
    },
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import get_hashers, make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view, permission_classes  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenObtainPairView,
    TokenRefreshView,
)


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request):
    return Response({"id": request.user.pk, "username": request.user.username})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/me/", me),
]


def create():
    call_command("migrate", verbosity=0)
    users = []
    for hasher in get_hashers():
        name = hasher.algorithm.replace("_", "-")
        password = f"{name} otters hum at noon"
        user = get_user_model().objects.create(
            username=name,
            email=f"{name}@example.com",
            first_name="Mina",
            password=make_password(password, hasher=hasher.algorithm),
        )
        users.append({"id": user.pk, "email": user.email, "password": password, "state": "active"})
    left = get_user_model().objects.create_user(
        "left", "left@example.com", "a password of who has left", is_active=False
    )
    users.append(
        {"id": left.pk, "email": left.email, "password": "a password of who has left", "state": "left"}
    )
    print(json.dumps(users))


def serve(port):
    with wsgiref.simple_server.make_server("127.0.0.1", port, get_wsgi_application()) as server:
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    create() if sys.argv[1] == "create" else serve(int(sys.argv[2]))
