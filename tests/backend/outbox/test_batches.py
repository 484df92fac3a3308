"""Leased in one statement, acknowledged together: each turn stands and falls by itself all the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from backend.journal import Entry
from backend.outbox import queue, turns
from backend.outbox.line import Line
from backend.outbox.models import Delivery, System
from backend.outbox.outcome import Acknowledged
from backend.outbox.turns import Lease, Turn
from backend.trouble import DatabaseAway
from tests.backend.outbox.conftest import World

LEASE = 30


async def taken(world: World, system: System, most: int = 8) -> list[Turn]:
    async with world.db.write() as tx:
        await turns.free_expired(tx, system.id, world.clock.now())
        return await turns.take(tx, system.id, now=world.clock.now(), lease=LEASE, most=most)


async def a_system(world: World) -> System:
    return await world.system("http://127.0.0.1:9")  # never called


async def people_with_a_decision(world: World, system: System, count: int) -> list[UUID]:
    people = [await world.person() for _ in range(count)]
    for account in people:
        await world.decide(account, system)
    return people


async def acknowledged(world: World, system: System, held: Sequence[Turn], version: int = 1) -> None:
    done = [Acknowledged(turn, version, f"remote-{turn.account_id}") for turn in held]
    await world.new_worker()._deliverer.acknowledge(system.id, done)


async def test_no_pair_is_leased_twice_whoever_asks(world: World) -> None:
    system, account = await a_system(world), await world.person()
    await world.decide(account, system)
    await world.decide(account, system)
    with pytest.raises(IntegrityError):
        async with world.db.write() as tx:
            await tx.execute(update(Delivery).values(state="leased"))
    assert len(await taken(world, system)) == 1
    assert await taken(world, system) == []


async def test_the_most_urgent_are_leased_first_and_no_more_than_asked_for(world: World) -> None:
    system = await a_system(world)
    people = await people_with_a_decision(world, system, 3)
    for account in people:
        await world.decide(account, system, active=False, lane=queue.REVOCATION)
    late = await world.person()
    await world.decide(late, system, lane=queue.REVOCATION)
    assert [turn.lane for turn in await taken(world, system, most=2)] == [queue.REVOCATION] * 2
    assert len(await taken(world, system, most=8)) == 2


async def test_a_system_in_trouble_is_leased_nothing_but_a_probe(world: World) -> None:
    system, _ = await a_system(world), await world.person()
    await people_with_a_decision(world, system, 2)
    async with world.db.write() as tx:
        await tx.execute(update(System).values(failures=3))
    assert await taken(world, system) == []
    async with world.db.write() as tx:
        row = await tx.get_one(System, system.id)
        (probe,) = await turns.take_probe(tx, row, now=world.clock.now(), lease=LEASE)
    assert probe.probing


async def test_what_arrives_together_is_one_seal_and_a_lost_turn_among_it_is_sent_again(world: World) -> None:
    system = await a_system(world)
    people = await people_with_a_decision(world, system, 3)
    held = await taken(world, system)
    lost = held[1]
    async with world.db.write() as tx:
        stolen = update(Delivery).where(Delivery.id == lost.delivery_id)
        await tx.execute(stolen.values(state="done", lease_token=uuid4()))
    await acknowledged(world, system, held)
    states = {account: (await world.deliveries(account))[0].state for account in people}
    assert states == {account: "pending" if account == lost.account_id else "done" for account in people}
    kept = [turn.account_id for turn in held if turn != lost]
    assert {(await world.link(account)).remote_id for account in kept} == {f"remote-{one}" for one in kept}
    assert (await world.link(lost.account_id)).delivered_version == 0
    async with world.db.read() as tx:
        told = await tx.scalar(select(func.count()).where(Entry.tag == "sync.delivered"))
    assert told == len(kept)


async def test_an_acknowledgement_takes_older_ones_along_but_nothing_that_is_held(world: World) -> None:
    system, account = await a_system(world), await world.person()
    await world.decide(account, system)
    await world.decide(account, system)
    held = await taken(world, system)
    await world.decide(account, system, hold=60)
    await acknowledged(world, system, held, version=3)
    assert [row.state for row in await world.deliveries(account)] == ["done", "done", "pending"]


async def test_a_fresh_lease_is_believed_and_an_old_one_is_asked_for(world: World) -> None:
    system = await a_system(world)
    await people_with_a_decision(world, system, 1)
    deliverer = world.new_worker()._deliverer
    (first,) = await taken(world, system)
    assert first.lease.is_fresh(world.clock.now()) and await deliverer.still_mine(first)
    world.pass_time(seconds=LEASE * 0.8)
    assert not first.lease.is_fresh(world.clock.now())
    assert await deliverer.still_mine(first), "nobody has taken over yet"
    world.pass_time(seconds=LEASE)
    (second,) = await taken(world, system)
    assert not await deliverer.still_mine(first)
    assert await deliverer.still_mine(second)


async def test_only_what_is_still_held_is_renewed(world: World) -> None:
    system = await a_system(world)
    await people_with_a_decision(world, system, 2)
    kept, lost = await taken(world, system)
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).where(Delivery.id == lost.delivery_id).values(lease_token=uuid4()))
    world.pass_time(seconds=LEASE * 0.9)
    async with world.db.write() as tx:
        await turns.renew(tx, [kept, lost], now=world.clock.now(), lease=LEASE)
    now = world.clock.now()
    assert (kept.lease.is_fresh(now), lost.lease.is_fresh(now)) == (True, False)


def test_a_lease_is_not_believed_when_either_clock_has_passed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = world.clock.now()
    lease = Lease(uuid4(), now, LEASE)
    assert lease.is_fresh(now)
    assert not lease.is_fresh(now + timedelta(seconds=LEASE))
    monkeypatch.setattr("backend.outbox.turns.time.clock_gettime", lambda _: float("inf"))
    assert not lease.is_fresh(now), "the machine has slept, and its wall clock does not know yet"


async def test_what_cannot_be_acknowledged_now_is_still_held_and_acknowledged_later(
    on_sqlite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = on_sqlite
    system = await a_system(world)
    (account,) = await people_with_a_decision(world, system, 1)
    (turn,) = await taken(world, system)
    worker = world.new_worker()
    line = Line(system.id, world.db, world.kit, world.clock, world.bell, worker._deliverer, worker._watch)
    line._sent = [Acknowledged(turn, 1, "remote")]
    with monkeypatch.context() as away:
        away.setattr(world.db, "write", _no_database)
        with pytest.raises(DatabaseAway):
            await line._acknowledge()
    assert line.turns == [turn]
    await line._acknowledge()
    assert (await world.deliveries(account))[0].state == "done"


def _no_database() -> None:
    raise DatabaseAway(retry_after=5)
