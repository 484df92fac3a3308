"""An office per test, in the shared running service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.service import Service
from tests.workspace.counter import Counter, at_the_only_desk
from tests.workspace.office import Desk, Office, Somebody
from tests.workspace.support_joins import hired


@pytest_asyncio.fixture(loop_scope="session")
async def office(service: Service) -> Office:
    """Two units with their managers."""
    made = Office(service)
    await made.open()
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def desk(office: Office) -> AsyncIterator[Desk]:
    """Chi at a browser without scripts."""
    made = await office.desk(office.chi)
    yield made
    await made.http.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def clerk(office: Office) -> Somebody:
    """Somebody who works at the only desk and manages nothing."""
    return await at_the_only_desk(office)


@pytest_asyncio.fixture(loop_scope="session")
async def counter(office: Office, clerk: Somebody) -> AsyncIterator[Counter]:
    made = Counter((await office.desk(clerk)).http)
    yield made
    await made.http.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def second(office: Office, clerk: Somebody) -> AsyncIterator[Counter]:
    """Another clerk of the same desk."""
    async with hired(office, await office.person("Võ Thị Đối Chiếu")) as made:
        yield made
