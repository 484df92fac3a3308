"""What operators do about a system by hand, and what the worker compares by itself (rules 703, 714)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.outbox import listing, queue, states, steering, systems
from backend.outbox.models import Delivery, Link, System
from backend.outbox.nightly import Nightly, due_at
from backend.outbox.reconcile import Comparison, Finding
from backend.outbox.systems import SystemTrouble
from backend.outside.clock import LOCAL
from tests.backend.outbox.conftest import World
from tests.parts.scim import ScimServer
from workspace.systems import Glance

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


async def our_groups(_: AsyncSession, __: System, codes: Collection[str]) -> set[str]:
    return {code for code in codes if code.startswith(("H57", "role:"))}


def comparison(world: World, *, dry: bool = False) -> Comparison:
    parts = (world.db, world.kit, world.desired, world.people, world.clock, world.http)
    return Comparison(*parts, groups=our_groups, dry=dry)


async def drift(world: World, system: System, *, dry: bool = False) -> tuple[list[Finding], int]:
    comparing = comparison(world, dry=dry)
    return [one async for one, _ in comparing.run(system) if one.is_wrong], comparing.foreign


async def test_a_paused_system_gets_nothing_until_its_moment_or_until_it_is_resumed(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    now = world.clock.now()
    async with world.db.write() as tx:
        await steering.pause(tx, world.kit, "van-ban", until=None, by=None, now=now)
    await world.decide(account, system)
    async with world.db.write() as tx:  # trying again what failed does not lift an operator's word
        await queue.replay(tx, world.kit, system.id, by=None, now=now)
    async with world.working():
        assert await world.word(account) == "paused"
        other = await world.system(scim_server.url, "mot-cua")
        await world.decide(account, other)
        await world.until(account, "synced", name="mot-cua")
        assert await world.word(account) == "paused"
        async with world.db.write() as tx:
            await steering.resume(tx, world.kit, "van-ban", by=None, now=world.clock.now())
        await world.until(account, "synced")
        async with world.db.write() as tx:
            until = world.clock.now() + timedelta(hours=1)
            await steering.pause(tx, world.kit, "van-ban", until=until, by=None, now=world.clock.now())
        await world.decide(account, system, title="Giám đốc")
        assert await world.word(account) == "paused"
        world.pass_time(hours=1)
        await world.until(account, "synced")
    async with world.db.write() as tx:
        with pytest.raises(SystemTrouble, match="passed already"):
            await steering.pause(tx, world.kit, "van-ban", until=now, by=None, now=world.clock.now())
        with pytest.raises(SystemTrouble, match="no system"):
            await steering.resume(tx, world.kit, "nobody", by=None, now=now)
    facts = await world.facts()
    assert (facts.count("system.paused"), facts.count("system.resumed")) == (2, 1)


async def test_a_paused_system_says_so_though_nothing_waits_and_nothing_is_broken(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system)
    async with world.working():
        await world.until(account, "synced")
    for state, glance in (("synced", "synced"), ("paused", "pending")):
        async with world.db.write() as tx:
            (seen,) = await states.overview(tx, world.clock.now(), only=system.id)
            assert (seen.state, Glance.of(seen).state, seen.stopped) == (state, glance, state == "paused")
            await steering.pause(tx, world.kit, "van-ban", until=None, by=None, now=world.clock.now())


async def test_a_delivery_that_was_passed_over_stays_so_until_something_new_is_decided(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system)
    now = world.clock.now()
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="dead", error="twins"))
        delivery = (await listing.deliveries(tx, world.kit, system, state="dead", most=9, now=now))[0]
        await steering.skip(tx, world.kit, "van-ban", delivery.id, reason=" hai  hồ sơ ", by=None, now=now)
        assert await queue.replay(tx, world.kit, system.id, by=None, now=now) == 0
        for wrong, cause in ((delivery.id, "skipped already"), (new_id(), "has no delivery")):
            with pytest.raises(SystemTrouble, match=cause):
                await steering.skip(tx, world.kit, "van-ban", wrong, reason="x", by=None, now=now)
        with pytest.raises(SystemTrouble, match="1 to 300"):
            await steering.skip(tx, world.kit, "van-ban", delivery.id, reason=" ", by=None, now=now)
        assert await listing.deliveries(tx, world.kit, system, most=9, now=now) == []
        (kept,) = await listing.deliveries(tx, world.kit, system, state="skipped", most=9, now=now)
        assert (kept.id, kept.reason) == (delivery.id, "hai hồ sơ")
        (row,) = await tx.scalars(Delivery.__table__.select().with_only_columns(Delivery.skipped_because))
        assert row is not None and "hồ sơ".encode() not in row
    assert await world.word(account) == "skipped"
    found = [one async for one, _ in comparison(world).run(system)]
    assert [one.kind for one in found] == ["skipped"]
    async with world.working():
        await world.decide(account, system, title="Giám đốc")
        await world.until(account, "synced")
    assert "sync.skipped" in await world.facts()


async def test_a_delivery_is_listed_by_the_word_that_is_said_of_it_however_it_stands(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    await world.decide(account, system)
    now, said = world.clock.now(), set[str]()
    later, before = now + timedelta(hours=1), now - timedelta(hours=1)
    every = itertools.product(
        ("pending", "leased", "dead", "done", "skipped", "cancelled"),
        (0, 1),
        (before, later),
        (None, before, later),
        ("unknown", "synced", "drift"),
        (None, later),
    )
    async with world.db.write() as tx:
        for state, attempts, held, lease, link, paused in every:
            if state != "pending" and held == later:
                continue  # what is held has been sent to nobody
            row = {"state": state, "attempts": attempts, "not_before": held, "lease_until": lease}
            await tx.execute(update(Delivery).values(**row))
            await tx.execute(update(Link).values(state=link))
            await tx.execute(update(System).values(paused_until=paused))
            (word,) = await tx.scalars(
                select(listing.word_at(now)).select_from(Delivery).join(System).join(Link, onclause=true())
            )
            said.add(word)
            found = await listing.deliveries(tx, world.kit, system, state=word, most=9, now=now)
            assert [one.state for one in found] == [word], (row, link, paused)
    assert said == set(listing.WORDS)


async def test_a_right_that_was_given_by_hand_is_found_and_taken_and_foreign_groups_are_left(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    stranger = scim_server.request("POST", "/Users", json={"schemas": [USER], "userName": "admin"}).json()[
        "id"
    ]
    ours = next(one for one in scim_server.groups() if one["externalId"] == "H57.01")
    add = {"op": "add", "path": "members", "value": [{"value": stranger}]}
    body = {"schemas": [PATCH], "Operations": [add]}
    scim_server.request("PATCH", f"/Groups/{ours['id']}", json=body).raise_for_status()
    for name, more in (("Của họ", {}), ("Cũng của họ", {"externalId": "khac"})):
        made = {"schemas": [GROUP], "displayName": name, "members": [{"value": stranger}], **more}
        scim_server.request("POST", "/Groups", json=made).raise_for_status()
    for dry in (True, True, False):
        wrong, foreign = await drift(world, system, dry=dry)
        assert [(one.kind, one.fields) for one in wrong] == [("stranger", ("group H57.01",))], dry
        assert foreign == 2
    assert await drift(world, system) == ([], 2)
    members = {
        one["displayName"]: {m["value"] for m in one.get("members", [])} for one in scim_server.groups()
    }
    assert members["Của họ"] == members["Cũng của họ"] == {stranger}
    assert stranger not in members["Văn phòng Sở Nội vụ"] and len(members["Văn phòng Sở Nội vụ"]) == 1
    assert (await world.facts()).count("system.reconciled") == 2  # a dry run writes nothing


async def test_the_worker_compares_each_system_once_at_its_own_moment_of_the_night(
    world: World, scim_server: ScimServer
) -> None:
    noon = datetime(2026, 5, 4, 5, tzinfo=UTC)  # twelve o'clock here
    moments = set()
    for _ in range(20):
        moment = due_at(System(id=new_id(), reconciled_at=noon), 86400)
        assert moment is not None and noon < moment < noon + timedelta(hours=36)
        assert moment.astimezone(LOCAL).hour in {22, 23, 0, 1, 2, 3, 4}
        again = due_at(System(id=new_id(), reconciled_at=moment), 86400)
        assert again is not None and again - moment > timedelta(hours=12)
        moments.add(moment)
    assert len(moments) > 1
    assert due_at(System(id=new_id(), reconciled_at=noon), 60) == noon + timedelta(seconds=60)

    system, account = await world.system(scim_server.url), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    scim_server.clear()
    stop, nightly = (
        asyncio.Event(),
        [Nightly(world.db, world.clock, 86400, lambda: comparison(world)) for _ in "12"],
    )
    await nightly[0].round(stop)
    assert "system.reconciled" not in await world.facts()
    world.pass_time(hours=36)
    await asyncio.gather(*(one.round(stop) for one in nightly))
    assert (await world.facts()).count("system.reconciled") == 1
    assert await world.word(account) in {"drift", "pending"}
    async with world.db.write() as tx:
        await tx.execute(update(System).values(reconciled_at=None, url="http://127.0.0.1:9"))
        await tx.execute(update(Delivery).values(state="done"))
    await nightly[0].round(stop)  # it does not answer: asked for still
    assert (await world.system_now(system)).reconciled_at is None


async def test_only_a_disabled_system_is_taken_away_and_nobody_waits_for_it(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9"), await world.person()
    await world.decide(account, system)
    now = world.clock.now()
    async with world.db.write() as tx:
        with pytest.raises(SystemTrouble, match="disable it first"):
            await steering.remove(tx, world.kit, "van-ban", by=None, now=now)
        await systems.disable(tx, world.kit, "van-ban", by=None, now=now)
        assert await steering.remove(tx, world.kit, "van-ban", by=None, now=now) == 0
    assert await world.deliveries(account) == []
    async with world.db.read() as tx:
        assert await states.states_for_account(tx, account, now) == []
    assert (await world.facts())[-1] == "system.removed"
