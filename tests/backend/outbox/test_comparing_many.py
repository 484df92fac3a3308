"""A comparison of very many people lets deliveries go on, and asks the database for a few of them at once (rule 707)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import new_id
from backend.outbox import systems
from backend.outbox.models import Link, System
from backend.outbox.reconcile import AT_ONCE
from tests.backend.outbox.conftest import World
from tests.backend.outbox.test_comparing import compared, synced
from tests.parts.asked import heard
from tests.parts.quirky import QuirkyScim

MANY = 12_000


@pytest.fixture(scope="module")
def quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


async def test_a_few_people_cost_the_database_as_much_as_one(world: World, quirky: QuirkyScim) -> None:
    system = await world.system(quirky.url("plain"), token=None)
    await synced(world, system)
    await compared(world, system)  # learns what there is to learn
    with heard() as for_one:
        assert [one.kind for one in await compared(world, system)] == ["same"]
    for _ in range(AT_ONCE - 1):
        await synced(world, system)
    with heard() as for_some:
        assert [one.kind for one in await compared(world, system)] == ["same"] * AT_ONCE
    # each person by itself would be three more of each
    assert for_one
    assert len(for_some) < len(for_one) + AT_ONCE - 1, [words for words, _ in for_some]


async def test_who_is_to_be_compared_is_found_without_holding_up_the_process(world: World) -> None:
    system = await world.system("http://127.0.0.1:9/scim", token=None)
    people = [new_id() for _ in range(MANY)]
    now = world.clock.now()
    links = [
        {"id": new_id(), "system_id": system.id, "account_id": one, "delivered_version": 1, "state": "synced"}
        for one in people
    ]
    async with world.db.write() as tx:
        rows = [{"id": one, "full_name": b"-", "created_at": now, "role_version": 1} for one in people]
        await tx.execute(insert(Account), rows)
        await tx.execute(insert(Link), links)

    async def nobody(_tx: AsyncSession, _system: System) -> list[tuple[UUID, int]]:
        return []

    stretches: list[float] = []
    ticking = asyncio.create_task(_tick(stretches))
    async with world.db.read() as tx:
        found = await systems.affected(tx, system, nobody)
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    assert found == [(one, 1) for one in sorted(people)]
    assert max(stretches) < sum(stretches) / 3, (max(stretches), sum(stretches))


async def _tick(stretches: list[float]) -> None:
    """The processor time of this thread between two of our turns; the machine's other work is none of it."""
    before = time.thread_time()
    while True:
        await asyncio.sleep(0.005)
        now = time.thread_time()
        stretches.append(now - before)
        before = now
