"""An office per test, in the shared running service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import delete

from backend.support import desks
from backend.support.models import JoinProposal
from backend.throttle import Budget
from tests.service import Service
from tests.workspace.counter import DESK, Counter
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
    service = office.service
    made = await office.person("Phan Thị Bàn")
    async with service.db.write() as tx:
        await tx.execute(delete(Budget))
        await tx.execute(delete(JoinProposal))
        for desk in await desks.listed(tx):
            await desks.remove(tx, service.kit, desk.code, now=service.clock.now())
        await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
        await desks.hire(tx, service.kit, "HUE", made.persona.national_id, now=service.clock.now())
    return made


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
