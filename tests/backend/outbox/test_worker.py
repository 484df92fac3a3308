"""The worker against a real system that misbehaves, on both databases."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from backend.outbox import queue
from backend.outbox.bell import DELIVERIES
from backend.outbox.models import Delivery
from backend.outbox.queue import REVOCATION
from tests.backend.outbox.conftest import World
from tests.backend.outbox.proxy import FaultProxy, cut_after_applying, passing, slow, status
from tests.parts.scim import ScimServer

REJECTED = status(
    400,
    b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue"}',
    Content_Type="application/scim+json",
)


async def test_what_was_decided_arrives(world: World, proxy: FaultProxy, scim_server: ScimServer) -> None:
    system, account = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(account, system, title="Trưởng phòng")
        await world.until(account, "synced")
    (user,) = scim_server.users()
    assert user["title"] == "Trưởng phòng"
    link = await world.link(account)
    assert (link.remote_id, link.delivered_version, link.state) == (user["id"], 1, "synced")
    assert await world.facts() == ["system.connected", "sync.delivered"]


async def test_the_row_holds_nothing_of_the_person(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    await world.decide(account, system, title="Trưởng phòng")
    (row,) = await world.deliveries(account)
    kept = " ".join(str(getattr(row, column.key)) for column in Delivery.__table__.columns)
    assert "Trưởng" not in kept
    assert "@" not in kept


async def test_a_lost_answer_has_one_effect(world: World, proxy: FaultProxy, scim_server: ScimServer) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.faults = [cut_after_applying, passing, cut_after_applying]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    assert len(scim_server.users()) == 1
    assert {len(group["members"]) for group in scim_server.groups()} == {1}


async def test_a_temporary_failure_is_tried_again_and_seen(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.faults = [status(500) for _ in range(99)]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "retrying")
        (row,) = await world.deliveries(account)
        assert row.attempts >= 1 and row.error == "status_500"
        proxy.faults.clear()
        await world.until(account, "synced")


async def test_retry_after_is_obeyed(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.faults = [status(429, Retry_After="3600")]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "retrying")
        world.pass_time(seconds=3500)
        await asyncio.sleep(1.3)
        assert len(proxy.writes) == 1
        world.pass_time(seconds=110)
        await world.until(account, "synced")


async def test_a_permanent_failure_is_parked_at_once_and_replayed_by_hand(
    world: World, proxy: FaultProxy
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.faults = [REJECTED]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "dead")
        (row,) = await world.deliveries(account)
        assert (row.error, row.attempts) == ("rejected_invalidValue", 1)
        world.pass_time(days=1)
        await asyncio.sleep(1.3)
        assert await world.word(account) == "dead"
        async with world.db.write() as tx:
            assert await queue.replay(tx, world.kit, system.id, by=None, now=world.clock.now()) == 1
        await world.until(account, "synced")
    assert await world.facts() == ["system.connected", "sync.parked", "sync.replayed", "sync.delivered"]


async def test_too_many_tries_park_a_delivery(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.always = status(500)
    async with world.working():
        await world.decide(account, system)
        for attempt in range(1, world.kit.limits.delivery_attempts):
            await world.until_tried(account, attempt)
            world.pass_time(seconds=400)
        await world.until(account, "dead")
    assert (await world.deliveries(account))[0].attempts == world.kit.limits.delivery_attempts


async def test_a_newer_decision_takes_a_parked_one_along(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.faults = [REJECTED]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "dead")
        await world.decide(account, system, title="Trưởng phòng")
        await world.until(account, "synced")
    assert [row.state for row in await world.deliveries(account)] == ["done", "done"]


async def test_a_parked_delivery_blocks_nobody_else(world: World, proxy: FaultProxy) -> None:
    system = await world.system(proxy.url)
    one, other = await world.person(), await world.person()
    proxy.concerns = lambda call: call.method == "POST" and str(one).encode() in call.body
    proxy.always = REJECTED
    async with world.working():
        await world.decide(one, system)
        await world.until(one, "dead")
        await world.decide(other, system)
        await world.until(other, "synced")


@pytest.mark.parametrize(("last", "active"), [("granted", True), ("revoked", False)])
async def test_what_was_decided_last_is_what_ends_up_there(
    world: World, proxy: FaultProxy, scim_server: ScimServer, last: str, active: bool
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
        proxy.always = status(503)
        await world.decide(account, system, active=False, lane=REVOCATION)
        await world.decide(account, system, title="Trưởng phòng")
        if last == "revoked":
            await world.decide(account, system, active=False, lane=REVOCATION)
        await world.until(account, "retrying", "paused")
        proxy.always = None
        world.pass_time(seconds=400)
        await world.until(account, "synced")
    assert scim_server.users()[0]["active"] is active
    assert {row.state for row in await world.deliveries(account)} == {"done"}


async def test_o05_a_worker_that_is_told_to_stop_while_it_looks_for_systems_drops_none(
    world: World, proxy: FaultProxy
) -> None:
    world.be_patient(lease=60)
    system, account, stop = await world.system(proxy.url), await world.person(), asyncio.Event()
    worker, arrived = world.new_worker(), asyncio.Event()

    async def noticed(_: object) -> None:
        arrived.set()

    proxy.before, proxy.always = noticed, slow(0.3)
    await world.decide(account, system)
    with capture_logs() as lines:
        await worker._open_lines(stop)
        await arrived.wait()  # a delivery is under way
        stop.set()
        world.bell.wake(DELIVERIES)
        await asyncio.wait([task for _, task in worker._lines.values()])
        await worker._open_lines(stop)  # it was reading when it was told
        await worker._close_lines()
    assert [line["event"] for line in lines] == []
    (row,) = await world.deliveries(account)
    assert (row.lease_token, row.attempts, row.error) == (None, 0, None)  # brought, or given back whole
