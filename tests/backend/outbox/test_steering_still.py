"""What an operator does by hand leaves nothing behind that acts on its own (rule 714)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from backend.outbox import queue, steering, systems
from backend.outbox.models import Delivery, Link, System
from backend.outbox.steering import AboutThemselves
from backend.outbox.systems import SystemTrouble
from tests.backend.outbox.conftest import World
from tests.parts.scim import ScimServer


async def skip(world: World, delivery: Delivery, *, by: UUID | None = None) -> None:
    async with world.db.write() as tx:
        now = world.clock.now()
        await steering.skip(tx, world.kit, "van-ban", delivery.id, reason="Hai hồ sơ", by=by, now=now)


async def set_all(world: World, **values: Any) -> None:
    """Every delivery is so."""
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(**values))


async def disable(world: World) -> None:
    async with world.db.write() as tx:
        await systems.disable(tx, world.kit, "van-ban", by=None, now=world.clock.now())


async def known(world: World, system: System) -> list[steering.Known]:
    async with world.db.read() as tx:
        now = world.clock.now()
        return list(await steering.known_people(tx, await systems.named(tx, system.name), 9, now=now))


async def test_nobody_lets_the_loss_of_their_own_right_pass(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    await world.decide(account, system, lane=queue.REVOCATION, active=False)
    await set_all(world, state="dead", error="twins")
    (delivery,) = await world.deliveries(account)
    with pytest.raises(AboutThemselves):
        await skip(world, delivery, by=account)
    assert (await world.deliveries(account))[0].state == "dead"
    await skip(world, delivery, by=await world.person())
    assert (await world.deliveries(account))[0].state == "skipped"


async def test_what_is_older_goes_with_what_is_passed_over_and_nothing_is_sent(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system)
    await world.decide(account, system, title="Giám đốc")
    older, newer = await world.deliveries(account)
    await skip(world, newer)
    assert [one.state for one in await world.deliveries(account)] == ["skipped", "skipped"]
    assert (await world.facts()).count("sync.skipped") == 2
    async with world.working():
        await asyncio.sleep(1)
    assert scim_server.users() == []
    with pytest.raises(SystemTrouble, match="skipped already"):
        await skip(world, older)


async def test_an_older_one_alone_leaves_the_newer_and_one_under_way_holds_everything(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    await world.decide(account, system)
    await world.decide(account, system, title="Giám đốc")
    older, newer = await world.deliveries(account)
    until = world.clock.now() + timedelta(seconds=30)
    async with world.db.write() as tx:
        leased = update(Delivery).where(Delivery.id == older.id)
        await tx.execute(leased.values(state="leased", lease_token=uuid4(), lease_until=until))
    with pytest.raises(SystemTrouble, match=f"{older.id} is under way"):
        await skip(world, newer)
    await set_all(world, state="pending", lease_token=None, lease_until=None)
    await skip(world, older)
    assert [one.state for one in await world.deliveries(account)] == ["skipped", "pending"]


async def test_a_system_is_not_taken_away_beside_a_delivery_that_is_under_way(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    await world.decide(account, system)
    await disable(world)
    until = world.clock.now() + timedelta(seconds=30)
    await set_all(world, state="leased", lease_token=uuid4(), lease_until=until)
    for _ in "12":
        with pytest.raises(SystemTrouble, match="still being told"):
            await known(world, system)
        with pytest.raises(SystemTrouble, match="still being told"):
            async with world.db.write() as tx:
                await steering.remove(tx, world.kit, "van-ban", by=None, now=world.clock.now())
    world.pass_time(seconds=31)
    async with world.db.write() as tx:
        left = await steering.remove(tx, world.kit, "van-ban", by=None, now=world.clock.now())
    assert left == 1 or (await world.deliveries(account)) == []


async def test_whoever_was_sent_and_never_acknowledged_may_be_in_it(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    other = await world.person("Trần Văn Chờ")
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    async with world.db.write() as tx:  # as when the process dies between the answer and our note of it
        lost = {"delivered_version": 0, "remote_id": None, "state": "unknown", "checked_at": None}
        await tx.execute(update(Link).values(**lost))
        await tx.execute(update(Delivery).values(state="pending", done_at=None))
    await disable(world)
    await world.decide(other, system)  # waits, and has never left
    (found,) = await known(world, system)
    assert (found.account_id, found.is_sure) == (account, False)
    async with world.db.write() as tx:
        await steering.let_go(tx, system, [account], now=world.clock.now())
    assert await known(world, system) == [], "who is known to be out is not asked again"
    async with world.db.read() as tx:
        assert await tx.scalar(select(Link.checked_at).where(Link.account_id == account)) is not None
