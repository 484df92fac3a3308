# mypy: ignore-errors
# ruff: noqa: B008
"""A peer in an environment of its own: fastapi-users, bearer tokens kept in the database (SQLAlchemy, aiosqlite, WAL).

`python fastapi_users_app.py seed FOLDER PEOPLE` makes the database and tokens.txt; `serve FOLDER PORT` answers.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import uuid
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy import event
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

FOLDER = Path(sys.argv[2])
engine = create_async_engine(f"sqlite+aiosqlite:///{FOLDER / 'peer.db'}")
sessions = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def _wal(connection, _):
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


class Base(DeclarativeBase):
    """The peer's tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """As the library ships it."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """As the library ships it."""


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """As the library ships it."""


async def _session():
    async with sessions() as session:
        yield session


async def _users(session=Depends(_session)):
    yield SQLAlchemyUserDatabase(session, User)


async def _tokens(session=Depends(_session)):
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


async def _manager(users=Depends(_users)):
    yield Manager(users)


def _strategy(tokens=Depends(_tokens)):
    return DatabaseStrategy(tokens, lifetime_seconds=86400)


class UserOut(schemas.BaseUser[uuid.UUID]):
    """As the library ships it."""


class UserIn(schemas.BaseUserUpdate):
    """As the library ships it."""


backend = AuthenticationBackend("database", BearerTransport("auth/login"), _strategy)
app = FastAPI()
app.include_router(
    FastAPIUsers[User, uuid.UUID](_manager, [backend]).get_users_router(UserOut, UserIn), prefix="/users"
)


async def seed(people):
    """People with one token each."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    tokens = [secrets.token_urlsafe(32) for _ in range(people)]
    async with sessions() as session:
        for number, token in enumerate(tokens):
            user = User(id=uuid.uuid4(), email=f"u{number}@example.org", hashed_password="-")
            session.add(user)
            await session.flush()
            session.add(AccessToken(token=token, user_id=user.id))
        await session.commit()
    (FOLDER / "tokens.txt").write_text("\n".join(tokens))


if __name__ == "__main__":
    if sys.argv[1] == "seed":
        asyncio.run(seed(int(sys.argv[3])))
    else:
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=int(sys.argv[3]),
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
        )
