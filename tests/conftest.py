"""What tests share: the real parts, a running service on each database, and the invariants after every test."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import scim2_models  # noqa: F401 - first: its classes look for their source through everything that is loaded by then
import structlog
import uvloop
from argon2 import PasswordHasher
from sqlalchemy import Engine, event

from backend.accounts.passwords import passwords
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.limits import Limits
from backend.outside.clock import LOCAL
from tests import databases
from tests.checker import Before, check

# as the Makefile says: modules are compiled once, or every process that a test starts takes twice as long to come up
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A process of tests holds half a gigabyte that stays: looking through it for garbage was a tenth of its time.
gc.set_threshold(50_000, 20, 50)
# From 3.14 on policies are deprecated; the hook that pytest-asyncio has instead loses its fixtures.
if sys.version_info < (3, 14):
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # the loop of the product (ngomon/server.py)
pytest_plugins = ["tests.chosen", "tests.parts.command", "tests.parts.fixtures"]
DATABASES = ["sqlite", "postgres"]
EVENING = 21  # the local hour after which a test begins on the next day, and not at its very beginning
WORN = 40  # tests that one running service serves at least


# A stranger's guess shall cost 19 MiB and some milliseconds (tests/attacks/test_accounts_doors.py says so); ours not.
SHIPPED_HASHER, passwords.HASHER = passwords.HASHER, PasswordHasher(1, 1024, 1)


structlog.configure(  # the library's own choice draws every local variable of an error, which takes half a second
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@event.listens_for(Engine, "connect")
def _sqlite_of_tests(connection: Any, _: object) -> None:
    """SQLite answers backwards where no order is asked for: what leans on the order of storing fails here.

    And it does not wait for the disk at each commit, which is half of the time of a test: no test cuts the power.
    """
    if connection.__class__.__module__.endswith("aiosqlite"):
        connection.cursor().execute("PRAGMA reverse_unordered_selects=ON")
        connection.cursor().execute("PRAGMA synchronous=OFF")


@dataclass
class Running:
    """A service, what stops it, the module that used it last, and how many tests have."""

    service: Any
    stack: AsyncExitStack
    module: str
    tests: int = 0
    before: Before = field(default_factory=Before)

    async def look(self) -> None:
        """At what this test has changed."""
        await check(self.service.db, self.service.kit, self.before)

    async def look_at_all(self) -> None:
        """At everything, once more."""
        self.before = Before()
        await self.look()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _services(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Running]]:
    """The services that are running, by database; each starts when first asked for."""
    services_of.folder = tmp_path_factory
    services: dict[str, Running] = {}
    yield services
    for found in services.values():
        await found.stack.aclose()


class services_of:  # noqa: N801 - a place for a session-wide value
    folder: pytest.TempPathFactory


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _whole(request: pytest.FixtureRequest, _services: dict[str, Running]) -> AsyncIterator[None]:
    """At the end of a module everything in its databases is looked at, not only what its last test has changed."""
    yield
    for found in _services.values():
        if found.module == str(request.path):
            await found.look_at_all()


@pytest_asyncio.fixture(params=DATABASES, loop_scope="session")
async def service(
    request: pytest.FixtureRequest, _services: dict[str, Running], _whole: None
) -> AsyncIterator[Any]:
    """The product on a socket, once on each database; its invariants are checked when the test is over.

    After some tests the next module gets a fresh one: what is checked is the whole database, and it must not
    grow with every test.
    """
    from tests.service import running

    kind, module = request.param, str(request.path)
    worn = kind in _services and _services[kind].tests >= WORN
    if worn and _services[kind].module != module:
        await _services.pop(kind).stack.aclose()
    if kind not in _services:
        if kind == "sqlite":
            url = databases.sqlite(services_of.folder.mktemp("service"))
        else:
            url = databases.postgres(request.getfixturevalue("postgres"), "service")
        stack = AsyncExitStack()
        _services[kind] = Running(await stack.enter_async_context(running(url)), stack, module)
    here = _services[kind]
    here.module, here.tests = module, here.tests + 1
    _before_the_evening(here.service)
    yield here.service
    await here.look()


def _before_the_evening(service: Any) -> None:
    """A sign-in counts for a day: no test begins it in the last hours of one, nor where a while ago was yesterday."""
    local = service.clock.now().astimezone(LOCAL)
    if local.hour >= EVENING or local.hour < 1:
        service.pass_time(hours=(25 - local.hour) % 24)


@pytest_asyncio.fixture(params=DATABASES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database: on SQLite a file of its own, on PostgreSQL emptied of what the test before left."""
    if request.param == "sqlite":
        db = Database(databases.sqlite(tmp_path))
    else:
        db = await databases.emptied(Database(databases.only_one(request.getfixturevalue("postgres"))))
    yield db
    await db.close()


@pytest.fixture
def kit() -> Kit:
    """Keys, journal, budgets and the shipped limits."""
    return Kit.of(KeyRing.parse(new_secret_key()), Limits())
