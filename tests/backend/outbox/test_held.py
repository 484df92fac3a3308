"""A decision that can still be taken back does not leave the house, by no way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from backend.outbox import queue, turns
from tests.backend.outbox.conftest import World
from tests.backend.outbox.proxy import Call, FaultProxy, status
from tests.parts.scim import ScimServer


async def test_a_held_decision_stays_inside_until_its_time(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(account, system, hold=10)
        await asyncio.sleep(1.3)
        assert await world.word(account) == "held"
        assert proxy.calls == []
        world.pass_time(seconds=10)
        await world.until(account, "synced")


async def test_a_held_decision_does_not_leak_with_an_earlier_retry(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    proxy.always = status(500)
    async with world.working():
        await world.decide(account, system, title="Chuyên viên")
        await world.until(account, "retrying")
        await world.decide(account, system, title="Trưởng phòng", hold=60)
        proxy.always = None
        world.pass_time(seconds=5)
        await asyncio.sleep(1.5)
        assert scim_server.users() == []
        world.pass_time(seconds=60)
        await world.until(account, "synced")
    assert scim_server.users()[0]["title"] == "Trưởng phòng"


async def test_a_decision_held_after_an_older_one_was_taken_does_not_leak_either(
    world: World, proxy: FaultProxy
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    await world.decide(account, system, title="Chuyên viên")
    async with world.db.write() as tx:
        taken = await turns.take(tx, system.id, now=world.clock.now(), lease=30, most=8)
    await world.decide(account, system, title="Trưởng phòng", hold=10)
    assert len(taken) == 1
    assert await world.new_worker()._deliverer.prepare(taken) == []
    assert proxy.calls == []
    assert [row.state for row in await world.deliveries(account)] == ["pending", "pending"]


async def test_roles_that_moved_on_during_a_delivery_are_sent_after_it(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    """As when an undo commits in the very moment in which the undone state was read."""
    system, account = await world.system(proxy.url), await world.person()

    async def move_on(call: Call) -> None:
        if call.method == "POST":
            proxy.before = None
            await world.decide(account, title="Trưởng phòng")

    proxy.before = move_on
    async with world.working():
        await world.decide(account, system, title="Chuyên viên")
        await world.until(account, "synced")
        await world.until_version(account, 2)
    assert scim_server.users()[0]["title"] == "Trưởng phòng"


async def test_an_undone_decision_never_leaves(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    system, account, request_id = await world.system(proxy.url), await world.person(), uuid4()
    async with world.working():
        await world.decide(account, system, title="Chuyên viên")
        await world.until(account, "synced")
        await world.decide(account, system, title="Trưởng phòng", hold=10, request_id=request_id)
        async with world.db.write() as tx:
            assert await queue.cancel_held(tx, request_id, now=world.clock.now())
        await world.decide(account, title="Chuyên viên")
        world.pass_time(seconds=11)
        await asyncio.sleep(1.3)
        assert await world.word(account) == "synced"
    assert scim_server.users()[0]["title"] == "Chuyên viên"
    assert [row.state for row in await world.deliveries(account)] == ["done", "cancelled"]


async def test_undo_is_too_late_when_the_time_is_over(world: World, proxy: FaultProxy) -> None:
    system, account, request_id = await world.system(proxy.url), await world.person(), uuid4()
    await world.decide(account, system, hold=10, request_id=request_id)
    async with world.db.write() as tx:
        late = world.clock.now() + timedelta(seconds=10)
        assert not await queue.cancel_held(tx, request_id, now=late)
    assert [row.state for row in await world.deliveries(account)] == ["pending"]
