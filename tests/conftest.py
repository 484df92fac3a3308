"""What tests share: the real parts, a running service on each database, and the invariants after every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.limits import Limits
from ngomon.migrations import migrate
from tests.checker import check
from tests.parts.postgres import Postgres

pytest_plugins = ["tests.parts.fixtures"]
DATABASES = ["sqlite", "postgres"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Any]]:
    """The services that are running, by database; each starts when first asked for."""
    async with AsyncExitStack() as stack:
        services: dict[str, Any] = {}
        stack.callback(services.clear)
        services_of.stack, services_of.folder = stack, tmp_path_factory
        yield services


class services_of:  # noqa: N801 - a place for two session-wide values
    stack: AsyncExitStack
    folder: pytest.TempPathFactory


@pytest_asyncio.fixture(params=DATABASES, loop_scope="session")
async def service(request: pytest.FixtureRequest, _services: dict[str, Any]) -> AsyncIterator[Any]:
    """The product on a socket, once on each database; its invariants are checked when the test is over."""
    from tests.service import running

    kind = request.param
    if kind not in _services:
        if kind == "sqlite":
            url = f"sqlite+aiosqlite:///{services_of.folder.mktemp('service') / 'ngomon.db'}"
        else:
            part: Postgres = request.getfixturevalue("postgres")
            url = part.new_database("service")
        _services[kind] = await services_of.stack.enter_async_context(running(url))
    found = _services[kind]
    yield found
    await check(found.db, found.kit)


@pytest_asyncio.fixture(params=DATABASES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database of its own."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    else:
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("empty")
    await migrate(url)
    db = Database(url)
    yield db
    await db.close()


@pytest.fixture
def kit() -> Kit:
    """Keys, journal, budgets and the shipped limits."""
    return Kit.of(KeyRing.parse(new_secret_key()), Limits())
