"""A system in trouble: left alone for a while, asked by one, and delaying nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import takewhile

from backend.outbox import queue
from backend.outbox.queue import BACKFILL, REVOCATION
from tests.backend.outbox.conftest import HUE, World
from tests.backend.outbox.proxy import FaultProxy, Relay, everything
from tests.parts.processes import eventually, within
from tests.parts.scim import ScimServer


async def test_a_system_out_of_reach_is_left_alone_for_a_while_and_asked_by_one(
    world: World, scim_server: ScimServer
) -> None:
    system = await world.system("http://127.0.0.1:9")
    people = [await world.person() for _ in range(5)]
    async with world.working():
        for account in people:
            await world.decide(account, system)
        await world.until_paused(system)
        states = Counter([await world.word(account) for account in people])
        assert set(states) <= {"retrying", "paused", "delivering"}  # tries that were under way
        async with world.db.write() as tx:
            moved = await tx.get_one(type(system), system.id)
            moved.url = scim_server.url
        world.pass_time(seconds=400)
        for account in people:
            await world.until(account, "synced")
    assert (await world.system_now(system)).failures == 0
    assert len(scim_server.users()) == 5


async def test_refused_credentials_pause_the_system_and_cost_no_delivery_a_try(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url, token="stale"), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "paused")
        (row,) = await world.deliveries(account)
        assert (row.state, row.attempts, row.error) == ("pending", 0, "credentials_refused")
        for _ in range(20):
            world.pass_time(seconds=400)
            await asyncio.sleep(0.05)
        assert (await world.deliveries(account))[0].state != "dead"
        async with world.db.write() as tx:
            row_now = await tx.get_one(type(system), system.id)
            row_now.token = world.kit.keys.seal("systems.token", system.id, ScimServer.token)
            await queue.replay(tx, world.kit, system.id, by=None, now=world.clock.now())
        async with within(30, "a delivery with the new token"):
            while await world.word(account) != "synced":  # a try with the old one may still be under way
                world.pass_time(seconds=400)
                await asyncio.sleep(0.2)


async def test_a_dead_and_a_slow_system_do_not_delay_another(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    """The slow one answers nothing at all before the other holds the news."""
    told = asyncio.Event()

    async def late(relay: Relay) -> bytes:
        await told.wait()
        return await relay()

    proxy.concerns, proxy.always = everything, late
    world.be_patient()
    dead = await world.system("http://127.0.0.1:9", "dead")
    tired = await world.system(proxy.url, "slow")
    well = await world.system(scim_server.url, "well")
    crowd = [await world.person() for _ in range(20)]
    async with world.working():
        for account in crowd:
            await world.decide(account, dead, tired)
        await eventually(lambda: proxy.calls, what="a call to the slow system")
        account = await world.person()
        await world.decide(account, dead, tired, well)
        await world.until(account, "synced", name="well")
        told.set()


async def test_a_revocation_overtakes_the_back_fill(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    world.be_patient(lease=60)  # a first call may last on a busy machine; a second try would come later
    system, leaver = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(leaver, system)
        await world.until(leaver, "synced")
    crowd = [await world.person() for _ in range(60)]
    for account in crowd:
        await world.decide(account, system, lane=BACKFILL, groups=[HUE])
    await world.decide(leaver, system, active=False, lane=REVOCATION)
    proxy.calls.clear()
    async with world.working():
        await world.until(leaver, "synced")
        gone = next(user for user in scim_server.users() if user["externalId"] == str(leaver))
        assert not gone["active"]
        ahead = list(takewhile(lambda call: gone["id"] not in call.path, proxy.calls))
        assert sum(call.method == "POST" for call in ahead) < 40


async def test_a_disabled_system_gets_nothing_more(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    async with world.db.write() as tx:
        (await tx.get_one(type(system), system.id)).disabled_at = world.clock.now()
    async with world.working():
        await world.decide(account, system)
        await asyncio.sleep(1.3)
        assert await world.word(account) == "paused"
    assert proxy.calls == []
