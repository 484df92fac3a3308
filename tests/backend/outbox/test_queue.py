"""What is written with a decision, and the words for how far it has come."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from backend.outbox import queue, states
from backend.outbox.models import Delivery, Link, System
from backend.outbox.queue import BACKFILL, REVOCATION
from tests.backend.outbox.conftest import World

URL = "http://127.0.0.1:9"


class Taken(Exception):
    """The decision fails after all."""


async def test_a_decision_that_fails_leaves_no_delivery(world: World) -> None:
    system, account = await world.system(URL), await world.person()
    with contextlib.suppress(Taken):
        async with world.db.write() as tx:
            await queue.enqueue(
                tx, account_id=account, version=1, systems=[system.id], lane=REVOCATION, now=world.clock.now()
            )
            raise Taken
    assert await world.deliveries(account) == []


async def test_asking_twice_for_a_version_makes_one_delivery_in_the_faster_lane(world: World) -> None:
    system, account = await world.system(URL), await world.person()
    async with world.db.write() as tx:
        for lane in (BACKFILL, REVOCATION, BACKFILL):
            await queue.enqueue(
                tx, account_id=account, version=1, systems=[system.id], lane=lane, now=world.clock.now()
            )
    (row,) = await world.deliveries(account)
    assert (row.state, row.lane) == ("pending", REVOCATION)


@pytest.mark.parametrize("settled", ["done", "dead", "cancelled"])
async def test_a_settled_version_can_be_asked_for_again(world: World, settled: str) -> None:
    system, account = await world.system(URL), await world.person()
    await world.decide(account, system)
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state=settled, attempts=4, error="rejected"))
    async with world.db.write() as tx:
        await queue.enqueue(
            tx, account_id=account, version=1, systems=[system.id], lane=BACKFILL, now=world.clock.now()
        )
    (row,) = await world.deliveries(account)
    assert (row.state, row.attempts, row.error) == ("pending", 0, None)


async def test_a_delivery_under_way_is_not_disturbed_by_asking_again(world: World) -> None:
    system, account = await world.system(URL), await world.person()
    await world.decide(account, system)
    token = uuid4()
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="leased", lease_token=token))
        await queue.enqueue(
            tx, account_id=account, version=1, systems=[system.id], lane=BACKFILL, now=world.clock.now()
        )
    (row,) = await world.deliveries(account)
    assert (row.state, row.lease_token) == ("leased", token)


async def test_undo_takes_every_system_or_none(world: World) -> None:
    one, other = await world.system(URL, "one"), await world.system(URL, "other")
    account, request_id = await world.person(), uuid4()
    await world.decide(account, one, other, hold=10, request_id=request_id)
    async with world.db.write() as tx:
        left = update(Delivery).where(Delivery.system_id == one.id)
        await tx.execute(left.values(not_before=world.clock.now() - timedelta(seconds=1)))
        assert not await queue.cancel_held(tx, request_id, now=world.clock.now())
    assert {row.state for row in await world.deliveries(account)} == {"pending"}


async def test_undo_where_no_system_is_connected_is_free(world: World) -> None:
    async with world.db.write() as tx:
        assert await queue.cancel_held(tx, uuid4(), now=world.clock.now())


PAUSED = {"paused_until": 60}
WORDS: list[tuple[dict[str, object], dict[str, int], str, str]] = [
    ({"not_before": 9}, {}, "unknown", "held"),
    ({"not_before": 9}, PAUSED, "unknown", "held"),
    ({}, {}, "unknown", "pending"),
    ({}, PAUSED, "unknown", "paused"),
    ({}, {"disabled_at": 0}, "unknown", "paused"),
    ({"attempts": 1, "error": "status_500", "next_at": 9}, {}, "unknown", "retrying"),
    ({"attempts": 1, "error": "unreachable", "next_at": 9}, PAUSED, "unknown", "retrying"),
    ({"state": "leased", "lease_until": 9}, {}, "unknown", "delivering"),
    ({"state": "leased", "lease_until": -1}, {}, "unknown", "pending"),
    ({"state": "done"}, {}, "synced", "synced"),
    ({"state": "done", "attempts": 3}, {}, "synced", "synced"),
    ({"state": "done"}, {}, "drift", "drift"),
    ({}, {}, "drift", "drift"),
    ({"state": "dead", "error": "rejected"}, {}, "unknown", "dead"),
]


@pytest.mark.parametrize(("delivery", "system_values", "link", "word"), WORDS)
async def test_every_state_has_its_word(
    on_sqlite: World, delivery: dict[str, object], system_values: dict[str, int], link: str, word: str
) -> None:
    world = on_sqlite
    now = world.clock.now()
    system, account, request_id = await world.system(URL), await world.person(), uuid4()
    await world.decide(account, system, request_id=request_id)
    times = {"not_before", "next_at", "lease_until"}
    values = {
        key: now + timedelta(seconds=value) if key in times and isinstance(value, int) else value
        for key, value in delivery.items()
    }
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(not_before=now - timedelta(seconds=1)))
        if values:
            await tx.execute(update(Delivery).values(**values))
        if system_values:
            later = {key: now + timedelta(seconds=value) for key, value in system_values.items()}
            await tx.execute(update(System).values(**later))
        await tx.execute(update(Link).values(state=link))
    async with world.db.read() as tx:
        found = (await states.states_for_requests(tx, [request_id, uuid4()], now))[request_id]
        overview = await states.overview(tx, now)
    assert [(one.system, one.state) for one in found] == [("van-ban", word)]
    assert await world.word(account) == word
    assert overview[0].counts.get(word) == 1


@pytest.mark.parametrize("link", ["synced", "drift"])
async def test_what_a_system_holds_is_told_when_its_deliveries_are_forgotten(world: World, link: str) -> None:
    system, account = await world.system(URL), await world.person()
    await world.decide(account, system)
    async with world.db.write() as tx:
        await tx.execute(update(Link).values(state=link, checked_at=world.clock.now()))
        await tx.execute(delete(Delivery))
    assert await world.word(account) == link


async def test_what_was_undone_has_no_word(world: World) -> None:
    system, account, request_id = await world.system(URL), await world.person(), uuid4()
    await world.decide(account, system, hold=10, request_id=request_id)
    async with world.db.write() as tx:
        assert await queue.cancel_held(tx, request_id, now=world.clock.now())
    async with world.db.read() as tx:
        assert await states.states_for_requests(tx, [request_id], world.clock.now()) == {request_id: []}
        assert await states.states_for_account(tx, account, world.clock.now()) == []


async def test_replay_of_one_person_leaves_the_others(world: World) -> None:
    system = await world.system(URL)
    one, other = await world.person(), await world.person()
    for account in (one, other):
        await world.decide(account, system)
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="dead", error="rejected"))
        again = await queue.replay(tx, world.kit, system.id, account_id=one, by=None, now=world.clock.now())
    assert again == 1
    assert (await world.word(one), await world.word(other)) == ("pending", "dead")
