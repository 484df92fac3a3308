"""A world on SQLite and on PostgreSQL, emptied for each test; its invariants are checked at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from backend import journal
from backend.db import Base, Database
from backend.kit import Kit
from ngomon.migrations import migrate
from tests.backend.roles.world import World
from tests.checker import check


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _databases() -> AsyncIterator[dict[str, Database]]:
    """One database of each kind for all tests here: a new one for each would spend most of their time."""
    opened: dict[str, Database] = {}
    yield opened
    for database in opened.values():
        await database.close()


@pytest_asyncio.fixture(params=["sqlite", "postgres"], loop_scope="session")
async def db(
    request: pytest.FixtureRequest,
    _databases: dict[str, Database],
    tmp_path_factory: pytest.TempPathFactory,
) -> Database:
    """An empty database."""
    kind = request.param
    if kind not in _databases:
        if kind == "sqlite":
            url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('roles') / 'ngomon.db'}"
        else:
            url = request.getfixturevalue("postgres").new_database("roles")
        await migrate(url)
        _databases[kind] = Database(url)
    await _emptied(_databases[kind])
    return _databases[kind]


@pytest_asyncio.fixture(loop_scope="session")
async def world(db: Database, kit: Kit) -> AsyncIterator[World]:
    """A small province with its managers and some people."""
    made = World(db, kit)
    await made.populate()
    yield made
    await check(db, kit)


async def _emptied(database: Database) -> None:
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    async with database.write() as tx:
        if database.is_sqlite:
            for name in tables:
                await tx.execute(text(f"DELETE FROM {name}"))
        else:
            await tx.execute(text(f"TRUNCATE {', '.join(tables)}"))
        await journal.prepare(tx)
