"""A world on SQLite and on PostgreSQL, emptied for each test; its invariants are checked at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from backend.db import Database
from backend.kit import Kit
from backend.roles import audit_places
from tests import databases
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
            url = databases.sqlite(tmp_path_factory.mktemp("roles"))
        else:
            url = databases.postgres(request.getfixturevalue("postgres"), "roles")
        _databases[kind] = Database(url)
    return await databases.emptied(_databases[kind])


@pytest_asyncio.fixture(loop_scope="session")
async def world(db: Database, kit: Kit) -> AsyncIterator[World]:
    """A small province with its managers and some people."""
    made = World(db, kit)
    await made.populate()
    yield made
    await audit_places.fill(db)
    await check(db, kit)
