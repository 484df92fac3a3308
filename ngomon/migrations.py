"""Brings a database to the newest schema with Alembic, and makes the rows that every installation has."""

from __future__ import annotations

import asyncio
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from backend import journal
from backend.crypto import KeyRing, KeyTrouble, Unreadable
from backend.db import Database
from backend.outside.clock import Clock
from backend.pooler import expect_own_connections
from ngomon.admission import admit
from ngomon.commands.causes import is_without_schema

if TYPE_CHECKING:
    from alembic.config import Config

NAMED = re.compile(r'^(revision|down_revision)\b[^=\n]*= *"(\w+)"', re.MULTILINE)


def config(url: str) -> Config:
    """Alembic's settings for one database; whoever only asks for the newest schema need not wait for its import."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_scripts()))
    made.attributes["url"] = url
    return made


def _scripts() -> Path:
    """Beside the checkout, or inside the installed package."""
    beside = Path(__file__).resolve().parent.parent / "alembic"
    return beside if (beside / "env.py").exists() else Path(str(resources.files("ngomon"))) / "alembic"


def newest() -> str:
    """The schema that this release wants: the one migration that no other builds on."""
    said: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for file in (_scripts() / "versions").glob("*.py"):
        for name, value in NAMED.findall(file.read_text(encoding="utf-8")):
            said[name].add(value)
    (head,) = said["revision"] - said["down_revision"]
    return head


async def is_current(url: str) -> bool:
    """Whether the database has the newest schema; a server or worker must not start on another one.

    Raises PoolerBetween, and what the engine raises where it does not answer.
    """
    db = Database(url)
    try:
        await expect_own_connections(db.engine)
        async with db.engine.connect() as connection:
            step = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return bool(step == newest())
    except (OperationalError, ProgrammingError) as error:
        if is_without_schema(error):
            return False
        raise
    finally:
        await db.close()


async def migrate(url: str, keys: KeyRing | None = None) -> None:
    """Upgrade to the newest schema; safe to repeat. With `keys`, which must be the data's, the journal begins."""
    from alembic import command

    upgrading = config(url)
    upgrading.attributes["keys"] = keys
    try:
        await asyncio.to_thread(command.upgrade, upgrading, "head")
    except Unreadable as error:
        raise KeyTrouble(
            f"{error} does not open with NGOMON_SECRET_KEYS: are they this database's?"
        ) from error
    await begin(url, keys)


async def begin(url: str, keys: KeyRing | None = None) -> None:
    """The rows that every installation has; safe to repeat."""
    db = Database(url)
    try:
        async with db.write() as tx:
            await journal.prepare(tx)
        if keys is not None:
            await admit(db, keys, now=Clock().now())
            async with db.write() as tx:
                await journal.Journal(keys).begin(tx)
    finally:
        await db.close()
