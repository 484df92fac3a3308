"""What was put off by a process whose clock was a year ahead does not wait for a year (rules 702, 707, 720)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from backend.outbox import ahead
from backend.outbox.models import Delivery, System
from backend.owed import queue
from backend.owed.models import Message
from ngomon import tasks
from tests.backend.outbox.conftest import World
from tests.parts.scim import ScimServer

YEAR = timedelta(days=365)


async def test_a_pause_and_a_try_put_off_by_a_clock_that_ran_ahead_do_not_last_a_year(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    world.clock.ahead = YEAR
    async with world.working():
        await world.decide(account, system)
        await world.until_paused(system)
    world.clock.ahead = timedelta(0)
    async with world.db.write() as tx:
        await tx.execute(update(System).values(url=scim_server.url))
    async with world.working():
        await tasks.bring_back(world.db, world.clock)
        await world.until(account, "synced")


async def test_a_lease_of_a_clock_that_ran_ahead_ends_though_its_holder_is_gone(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system)
    until = world.clock.now() + YEAR
    async with world.db.write() as tx:
        held = {"state": "leased", "lease_token": system.id, "lease_until": until}
        await tx.execute(update(Delivery).values(**held))
        busy = {"comparing_until": until, "reconciled_at": until}
        await tx.execute(update(System).values(**busy))
    async with world.working():
        await tasks.bring_back(world.db, world.clock)
        await world.until(account, "synced")
    now = await world.system_now(system)
    assert (now.comparing_until, now.reconciled_at) == (None, None), "it is compared next"


async def test_what_is_owed_by_a_clock_that_ran_ahead_leaves(world: World) -> None:
    now = world.clock.now()
    async with world.db.write() as tx:
        for at in (now, now + YEAR):
            queue.owe(tx, world.kit.keys, queue.SMS, "x", account_id=None, now=at, content="x")
    await tasks.bring_back(world.db, world.clock)
    async with world.db.write() as tx:
        taken = await queue.take(tx, queue.SMS, now=world.clock.now(), until=now + YEAR, most=9)
        assert len(taken) == 2
        await queue.forget(tx, now=now)


async def test_what_is_put_off_as_it_may_be_stays_and_so_does_what_an_operator_has_stopped(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system)
    now = world.clock.now()
    soon, far = now + timedelta(days=1), now + YEAR
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(next_at=soon))
        await tx.execute(update(System).values(paused_until=soon, stopped_until=far))
        queue.owe(tx, world.kit.keys, queue.SMS, "x", account_id=None, now=now, due=soon, content="x")
    assert await ahead.bring_back(world.db, now=now) == 0
    async with world.db.read() as tx:
        assert await tx.scalar(select(Delivery.next_at)) == soon
        assert await tx.scalar(select(Message.due_at)) == soon
        found = await tx.get_one(System, system.id)
        assert (found.paused_until, found.stopped_until) == (soon, far)
    async with world.db.write() as tx:
        await queue.forget(tx, now=now)
