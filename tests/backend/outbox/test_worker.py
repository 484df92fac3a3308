"""The worker against a real system that misbehaves, on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from backend.outbox import queue, turns
from backend.outbox.models import Delivery
from backend.outbox.queue import BACKFILL, REVOCATION
from tests.backend.outbox.conftest import HUE, World
from tests.backend.outbox.proxy import Call, FaultProxy, cut_after_applying, everything, passing, slow, status
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
        (turn,) = await turns.take(tx, system.id, now=world.clock.now(), lease=30, most=8)
    await world.decide(account, system, title="Trưởng phòng", hold=10)
    await world.new_worker()._deliverer.deliver(turn)
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
    proxy.faults = [status(500)]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "retrying")
        (row,) = await world.deliveries(account)
        assert (row.attempts, row.error) == (1, "status_500")
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
        while await world.word(account) != "synced":  # a try with the old token may still be under way
            world.pass_time(seconds=400)
            await asyncio.sleep(0.2)


async def test_a_dead_and_a_slow_system_do_not_delay_another(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    proxy.concerns, proxy.always = everything, slow(30)
    dead = await world.system("http://127.0.0.1:9", "dead")
    tired = await world.system(proxy.url, "slow")
    well = await world.system(scim_server.url, "well")
    crowd = [await world.person() for _ in range(20)]
    async with world.working():
        for account in crowd:
            await world.decide(account, dead, tired)
        await asyncio.sleep(0.3)
        account = await world.person()
        begin = asyncio.get_running_loop().time()
        await world.decide(account, dead, tired, well)
        await world.until(account, "synced", name="well")
        assert asyncio.get_running_loop().time() - begin < 2


async def test_a_revocation_overtakes_the_back_fill(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
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
        assert sum(call.method == "POST" for call in proxy.calls) < 40
        assert not next(user for user in scim_server.users() if user["externalId"] == str(leaver))["active"]


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
    system, account = await world.system(proxy.url), await world.person()
    proxy.concerns, proxy.always = everything, slow(0.35)
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced", patience=15)
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


async def test_a_disabled_system_gets_nothing_more(world: World, proxy: FaultProxy) -> None:
    system, account = await world.system(proxy.url), await world.person()
    async with world.db.write() as tx:
        (await tx.get_one(type(system), system.id)).disabled_at = world.clock.now()
    async with world.working():
        await world.decide(account, system)
        await asyncio.sleep(1.3)
        assert await world.word(account) == "paused"
    assert proxy.calls == []
