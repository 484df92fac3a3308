"""A world on SQLite and on PostgreSQL, a copy of an empty one; its invariants are checked at the end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from backend.db import Database
from backend.kit import Kit
from ngomon.migrations import migrate
from tests.backend.roles.world import World
from tests.checker import check
from tests.parts.postgres import Postgres

EMPTY = "roles_empty"


@pytest.fixture(scope="session")
def _empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("roles") / "empty.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def _empty_database(_postgres: Postgres) -> str:
    _postgres.start()
    asyncio.run(migrate(_postgres.new_database(EMPTY)))
    return EMPTY


@pytest.fixture(params=["sqlite", "postgres"])
def _address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_empty_file"), tmp_path / "ngomon.db")
        return f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    template, part = request.getfixturevalue("_empty_database"), request.getfixturevalue("postgres")
    return str(part.new_database("roles", template=template))


@pytest_asyncio.fixture
async def db(_address: str) -> AsyncIterator[Database]:
    """An empty database of its own."""
    database = Database(_address)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def world(db: Database, kit: Kit) -> AsyncIterator[World]:
    """NV and TC below HUE, NV-P below NV; Chi manages NV, Dũng TC, Giang HUE; An, Bình and Eve nothing."""
    made = World(db, kit)
    await made.unit("HUE")
    await made.unit("NV", "HUE")
    await made.unit("NV-P", "NV")
    await made.unit("TC", "HUE")
    for name in ("An", "Bình", "Eve"):
        await made.person(name)
    await made.person("Chi", manages="NV")
    await made.person("Dũng", manages="TC")
    await made.person("Giang", manages="HUE")
    yield made
    await check(db, kit)
