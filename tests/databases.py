"""Databases with the newest schema in a moment: migrated once a run, then copied; and one that is emptied for reuse.

That a migration does what the models say, step by step and from data of old, is `tests/promises/test_migrations.py`.
"""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend import journal
from backend.crypto import KeyRing
from backend.db import Database
from ngomon.migrations import begin, migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
UNCHECKED = {  # whole tables go, so no order among them has to be found
    "sqlite": "PRAGMA defer_foreign_keys=ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


def sqlite(folder: Path) -> str:
    """The address of a new database in that folder."""
    file = folder / "ngomon.db"
    shutil.copy(_file(), file)
    return f"sqlite+aiosqlite:///{file}"


def postgres(part: Postgres, name: str) -> str:
    """The address of a new database of that name."""
    return part.new_database(name, template=_template(part))


@cache
def only_one(part: Postgres) -> str:
    """The address of the database that tests use one after another, each after `emptied`."""
    return postgres(part, "one")


async def ready(url: str, keys: KeyRing) -> None:
    """What `ngomon migrate` makes of that address; a file that is not there yet begins as a copy."""
    file = Database(url).file if url.startswith("sqlite") else None
    if file is None or file.stat().st_size:
        await migrate(url, keys)
    else:
        shutil.copy(_file(), file)
        await begin(url, keys)


async def emptied(database: Database) -> Database:
    """The same database without what the test before has left: only what is there is deleted."""
    async with database.write() as tx:
        dialect = database.url.get_backend_name()
        await tx.execute(text(UNCHECKED[dialect]))
        for table in await _filled(tx, dialect):
            await tx.execute(text(f"DELETE FROM {table}"))
        await journal.prepare(tx)
    return database


async def _filled(tx: AsyncSession, dialect: str) -> list[str]:
    tables = set(await tx.scalars(text(TABLES[dialect]))) - {"alembic_version"}
    each = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in sorted(tables)
    )
    return list(await tx.scalars(text(each)))


@cache
def _file() -> Path:
    file = scratch("migrated") / "ngomon.db"
    _migrated(f"sqlite+aiosqlite:///{file}")
    return file


@cache
def _template(part: Postgres) -> str:
    _migrated(part.new_database("migrated"))
    return "migrated"


def _migrated(url: str) -> None:
    """Also from within a running loop, which waits this once."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(migrate(url))).result()
