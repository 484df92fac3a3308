"""An office per test, in the shared running service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.service import Service
from tests.workspace.office import Desk, Office


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
