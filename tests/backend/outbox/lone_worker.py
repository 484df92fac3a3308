"""A worker in a process of its own, to be killed or frozen: `URL KEY TITLE`, everybody gets that title."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import KeyRing
from backend.db import Database
from backend.kit import Kit
from backend.outbox.models import System
from backend.outbox.worker import Worker
from backend.outside.connectors import Desired
from tests.backend.outbox.conftest import QUICK, World, a_state


async def run(url: str, key: str, title: str) -> None:
    async def desired(
        _tx: AsyncSession, _kit: Kit, account_ids: Sequence[UUID], _system: System
    ) -> dict[UUID, Desired]:
        return {account_id: a_state(account_id, title=title) for account_id in account_ids}

    world = World(Database(url))
    patient = msgspec.structs.replace(QUICK, delivery_timeout=60.0)  # no timeout may hide a missing fence
    kit = Kit.of(KeyRing.parse(key), patient)
    worker = Worker(world.db, kit, desired, world, world.clock, world.bell, world.http)
    await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
