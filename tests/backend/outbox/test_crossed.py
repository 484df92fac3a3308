"""Workers, and whoever changes roles meanwhile, wait for nobody who waits for them.

SQLite has one writer: there nobody comes between.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from backend.account import Account
from backend.db import new_id
from backend.outbox import circuit, delivery, outcome, queue
from backend.outbox.models import Delivery, System
from backend.outbox.turns import Lease, Turn
from backend.outside.connectors import DeliveryError
from backend.outside.connectors.learnt import read_learnt
from backend.trouble import Crossed
from tests.backend.outbox.conftest import World

pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)
IMPATIENT = text("SET LOCAL lock_timeout = '3s'")


async def a_turn(world: World, system: System) -> Turn:
    """A delivery in the hands of a worker."""
    account, token = await world.person(), new_id()
    await world.decide(account, system)
    until = world.clock.now() + timedelta(minutes=5)
    leased = update(Delivery).where(Delivery.account_id == account)
    async with world.db.write() as tx:
        await tx.execute(leased.values(state="leased", lease_token=token, lease_until=until))
    (row,) = await world.deliveries(account)
    return Turn(row.id, system.id, account, row.version, 0, row.lane, Lease(token, world.clock.now(), 300))


async def test_whoever_writes_deliveries_waits_for_no_system_that_fails(world: World) -> None:
    system = await world.system("http://127.0.0.1:9")
    other, turn = await world.person(), await a_turn(world, system)
    now = world.clock.now()
    async with world.db.write() as judging, world.db.write() as telling:
        error = DeliveryError("system_unavailable", permanent=False, of_system=True)
        await outcome.failed(judging, world.kit, turn, error, now=now)
        await telling.execute(IMPATIENT)
        wanted = [(system.id, other, 1)]
        await queue.write(telling, wanted, lane=queue.DECISION, due=now, now=now, request_id=None)


async def test_what_is_learnt_of_a_system_keeps_nobody_from_telling_it(world: World) -> None:
    system, other, now = await world.system("http://127.0.0.1:9"), await world.person(), world.clock.now()
    async with world.db.write() as telling:
        wanted = [(system.id, other, 1)]
        await queue.write(telling, wanted, lane=queue.DECISION, due=now, now=now, request_id=None)
        connector: Any = type("Connector", (), {"learnt": read_learnt(system.learnt)})()
        connector.learnt.no_patch = True
        await asyncio.wait_for(delivery.remember(world.db, system, connector), 3)


async def test_a_system_that_answers_again_waits_for_no_other_worker(world: World) -> None:
    system, now = await world.system("http://127.0.0.1:9"), world.clock.now()
    people = [await world.person() for _ in range(2)]
    for account in people:
        await world.decide(account, system)
    late = {"error": "status_503", "not_before": now, "next_at": now + timedelta(hours=1)}
    async with world.db.write() as tx:
        await tx.execute(update(System).values(failures=3))
        await tx.execute(update(Delivery).values(**late))
    async with world.db.write() as held, world.db.write() as healing:
        rows = select(Delivery.id).where(Delivery.account_id == people[0])
        await held.execute(rows.with_for_update())
        await healing.execute(IMPATIENT)
        await circuit.recovered(healing, system.id, now)
    async with world.db.read() as tx:
        asked = {row.account_id: row.next_at for row in await tx.scalars(select(Delivery))}
    assert asked[people[1]] == now, "what nobody holds goes on at once"
    assert asked[people[0]] == now + timedelta(hours=1)


async def test_of_two_who_wait_for_each_other_one_is_told_to_come_back(world: World) -> None:
    first, second = await world.person(), await world.person()

    async def both(*ids: object) -> None:
        async with world.db.write() as tx:
            for one in ids:
                await tx.execute(select(Account.id).where(Account.id == one).with_for_update())
                await asyncio.sleep(0.2)

    with capture_logs() as lines:
        done = await asyncio.gather(both(first, second), both(second, first), return_exceptions=True)
    (told,) = [one for one in done if one is not None]
    assert isinstance(told, Crossed) and told.retry_after == 5
    assert not [line for line in lines if "database_away" in line.values()], "nobody is called"
