"""One worker at a time for one person at one system, whatever happens to workers."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from backend.outbox.models import Delivery
from tests.backend.outbox.conftest import World
from tests.backend.outbox.proxy import Call, FaultProxy, Relay, everything, slow
from tests.parts.processes import within
from tests.parts.scim import ScimServer


async def test_eight_workers_never_deliver_one_person_twice_at_once(
    on_postgres: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    world = on_postgres
    system = await world.system(proxy.url)
    people = [await world.person() for _ in range(12)]
    under_way: defaultdict[bytes, int] = defaultdict(int)
    overlaps: list[bytes] = []

    async def watch(call: Call) -> None:
        if call.method == "POST" and b"userName" in call.body:
            under_way[call.body] += 1
            if under_way[call.body] > 1:
                overlaps.append(call.body)
            await asyncio.sleep(0.02)

    proxy.before = watch
    async with AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(world.working())
        for title in ("Chuyên viên", "Phó Trưởng phòng", "Trưởng phòng"):
            for account in people:
                await world.decide(account, system, title=title)
        for account in people:
            await world.until(account, "synced", patience=30)
    assert overlaps == []
    assert Counter(user["externalId"] for user in scim_server.users()) == {
        str(account): 1 for account in people
    }
    assert {user["title"] for user in scim_server.users()} == {"Trưởng phòng"}
    assert {row.state for account in people for row in await world.deliveries(account)} == {"done"}


async def test_a_frozen_workers_late_word_is_refused(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    """The first worker freezes on its way to the system; its lease runs out; another delivers newer roles."""
    system, account = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(account, system, title="Chuyên viên")
        await world.until(account, "synced")
    frozen, thaw = asyncio.Event(), asyncio.Event()

    async def freeze(call: Call) -> None:
        if not frozen.is_set():
            frozen.set()
            await thaw.wait()

    proxy.before = freeze
    await world.decide(account, system, title="Cũ")
    first = world.new_worker()
    first._keep_leases = _never  # type: ignore[method-assign]
    stop = asyncio.Event()
    running = asyncio.create_task(first.run(stop))
    async with within(20, "the first worker's call"):
        await frozen.wait()
    stop.set()
    async with world.db.write() as tx:
        passed = world.clock.now() - timedelta(seconds=1)
        await tx.execute(update(Delivery).where(Delivery.state == "leased").values(lease_until=passed))
    async with world.working():
        await world.decide(account, system, title="Mới")
        await world.until(account, "synced")
        assert scim_server.users()[0]["title"] == "Mới"
        thaw.set()
        await running
        await world.until(account, "synced")
    assert scim_server.users()[0]["title"] == "Mới"
    assert [row.state for row in await world.deliveries(account)] == ["done"] * 3


async def _never() -> None:
    await asyncio.Event().wait()


async def test_a_lease_that_is_still_good_is_not_stolen(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    await world.decide(account, system)
    async with world.db.write() as tx:
        until = world.clock.now() + timedelta(seconds=60)
        leased = update(Delivery).values(state="leased", lease_token=uuid4(), lease_until=until)
        await tx.execute(leased)
    async with world.working():
        await asyncio.sleep(1.3)
        assert proxy.calls == []
        assert await world.word(account) == "delivering"
        world.pass_time(seconds=61)
        await world.until(account, "synced")


async def test_a_long_delivery_keeps_its_lease(world: World, proxy: FaultProxy) -> None:
    """The system does not answer before the lease has been renewed."""
    world.be_patient(lease=6)
    system, account = await world.system(proxy.url), await world.person()

    async def later(relay: Relay) -> bytes:
        first = (await world.deliveries(account))[0].lease_until
        async with within(20, "a longer lease"):
            while (await world.deliveries(account))[0].lease_until == first:
                await asyncio.sleep(0.05)
        return await relay()

    proxy.concerns, proxy.faults = everything, [later]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    assert (await world.deliveries(account))[0].attempts == 0
    assert sum(call.method == "POST" and "/Users" in call.path for call in proxy.calls) == 1


async def test_a_worker_that_stops_gives_back_what_it_did_not_finish(
    world: World, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    monkeypatch.setattr("backend.outbox.worker.PATIENCE", 0.2)
    proxy.concerns, proxy.always = everything, slow(1.2)
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "delivering")
    (row,) = await world.deliveries(account)
    assert (row.state, row.lease_token, row.attempts) == ("pending", None, 0)
