"""A project as many have one: FastAPI, SQLAlchemy, passlib and python-jose.
Countersign replaces its sign-in; nothing here knows of it.

`create` makes the table and users, under each scheme that passlib has for it, and
prints what they sign in with; `serve PORT` serves the API. The database is
DATABASE_URL."""

import datetime
import json
import os
import sys

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from passlib.context import CryptContext
from sqlalchemy import Boolean, DateTime, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

DRIVERS = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
scheme, _, rest = os.environ["DATABASE_URL"].partition("://")
engine = create_engine(f"{DRIVERS[scheme]}://{rest}")

SECRET_KEY = "seventeen herons"
ALGORITHM = "HS256"
SCHEMES = ["bcrypt", "argon2", "pbkdf2_sha256", "pbkdf2_sha512", "bcrypt_sha256", "sha512_crypt"]
passwords = CryptContext(schemes=SCHEMES, deprecated="auto")
bearer = HTTPBearer()
app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    nickname: Mapped[str | None] = mapped_column(String(64))
    phone_number: Mapped[str | None] = mapped_column(String(32))
    hashed_password: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_banned: Mapped[bool] = mapped_column(Boolean, default=False)
    withdrawn_at: Mapped[datetime.datetime | None] = mapped_column(DateTime)


def new_token(user_id, kind, lifetime):
    expires = datetime.datetime.now(datetime.timezone.utc) + lifetime
    return jwt.encode({"id": user_id, "type": kind, "exp": expires}, SECRET_KEY, ALGORITHM)


@app.post("/login/access-token")
def sign_in(email: str, password: str):
    with Session(engine) as session:
        user = session.scalar(select(User).where(User.email == email))
        if user and user.is_banned:
            raise HTTPException(400, {"code": 192, "message": "보호조치된 계정입니다."})
        if user and not user.is_active:
            message = "탈퇴 회원입니다. 탈퇴 후 7일동안 다시 가입할수 없어요."
            raise HTTPException(400, {"code": 191, "message": message})
        if not user or not passwords.verify(password, user.hashed_password):
            message = "이메일 또는 패스워드가 올바르지 않습니다. 다시 입력해주세요."
            raise HTTPException(400, {"code": 192, "message": message})
        return {
            "access_token": new_token(user.id, "access", datetime.timedelta(minutes=30)),
            "refresh_token": new_token(user.id, "refresh", datetime.timedelta(days=14)),
        }


def current_user(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    try:
        claims = jwt.decode(credentials.credentials, SECRET_KEY, algorithms=[ALGORITHM])
    except JWTError:
        raise HTTPException(401, "the token is not good")
    if claims.get("type") != "access":
        raise HTTPException(401, "not an access token")
    with Session(engine) as session:
        user = session.get(User, claims["id"])
    if user is None:
        raise HTTPException(401, "there is no such user")
    return user


@app.get("/users/me")
def me(user: User = Depends(current_user)):
    return {"id": user.id, "email": user.email}


def create():
    Base.metadata.create_all(engine)
    users = []
    with Session(engine) as session:
        for number, scheme in enumerate(SCHEMES):
            name = scheme.replace("_", "-")
            password = f"{name} herons wade past the pier"
            user = User(
                email=f"{name}@example.com",
                nickname="김민아",
                phone_number=f"010-1234-56{number:02}",
                hashed_password=passwords.hash(password, scheme=scheme),
            )
            session.add(user)
            session.flush()
            users.append({"id": user.id, "email": user.email, "password": password, "state": "active"})
        yesterday = datetime.datetime.now() - datetime.timedelta(days=1)
        for state, fields in {
            "banned": {"is_banned": True},
            "left": {"is_active": False, "withdrawn_at": yesterday},
        }.items():
            password = f"{state} herons wade past the pier"
            user = User(
                email=f"{state}@example.com", hashed_password=passwords.hash(password), **fields
            )
            session.add(user)
            session.flush()
            users.append({"id": user.id, "email": user.email, "password": password, "state": state})
        session.commit()
    print(json.dumps(users))


def serve(port):
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    print(f"listening on {socket.getsockname()[1]}", flush=True)
    server.run(sockets=[socket])


if __name__ == "__main__":
    create() if sys.argv[1] == "create" else serve(int(sys.argv[2]))
