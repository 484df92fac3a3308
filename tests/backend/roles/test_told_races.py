"""Whoever's role begins, ends or comes back while the tree changes: systems hold in the end what is so (B13).

Systems are played here by a reader of the outbox that takes deliveries at any instant, as the pump does: what it
read last of a person is what the system holds.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import one_after_another
from backend.errors import Refusal, settle
from backend.imports.plan import PlanStale
from backend.imports.rows import records
from backend.outbox.models import Delivery, System
from backend.outside.connectors import Desired
from backend.roles import desired, policy, review, timeline, unit_life, units
from tests.backend.roles.test_races import _somebody_waits
from tests.backend.roles.world import World

POSTGRES = pytest.mark.parametrize(
    "db", ["postgres"], indirect=True
)  # SQLite has one writer: nobody comes between
Held = dict[tuple[UUID, UUID], Desired]


async def change(world: World, **given: str) -> None:
    """One row of a file of units."""
    async with world.db.write() as tx:
        await units.bring_in(tx, world.kit, records([given]), by=None, now=world.now)


async def take(world: World, held: Held, most: int = 1000) -> None:
    """Let systems have what waits for them, held or not; whoever is told is told of everything that waits of them.

    The pump sends nothing of a pair while a decision about it is held, since what is sent is what is so now
    (`turns._due`): a player that took the older of two deliveries alone would give the newer one away. What is
    taken is read first, as the pump does: what comes while the state is read was not told by it.
    """
    async with world.db.write() as tx:
        await one_after_another(tx, "the systems")  # two who are told of one person would wait for each other
        pending = select(Delivery).where(Delivery.state == "pending").order_by(Delivery.version)
        for one in (await tx.scalars(pending.limit(most).with_for_update(skip_locked=True))).all():
            pair = (Delivery.account_id == one.account_id, Delivery.system_id == one.system_id)
            waits = (await tx.scalars(select(Delivery.id).where(*pair, Delivery.state == "pending"))).all()
            system = await tx.get_one(System, one.system_id)
            states = await desired.desired(tx, world.kit, [one.account_id], system)
            held[one.account_id, one.system_id] = states[one.account_id]
            await tx.execute(update(Delivery).where(Delivery.id.in_(waits)).values(state="done"))


async def stale(world: World, held: Held) -> list[str]:
    """Where a system holds something else of somebody than what is so, once everything has arrived."""
    await take(world, held)
    found = []
    async with world.db.read() as tx:
        for system in (await tx.scalars(select(System))).all():
            for name, account in world.people.items():
                right = (await desired.desired(tx, world.kit, [account], system))[account]
                there = held.get((account, system.id))
                if there != right and (there is not None or right.active):
                    found.append(f"{name} at {system.name}: {there} instead of {right}")
    return found


async def between(
    world: World, first: Callable[[AsyncSession], Awaitable[object]], second: Awaitable[None]
) -> BaseException | None:
    """The second act comes when all of the first is written and nothing is committed; how it ended."""
    async with world.db.write() as tx:
        await first(tx)
        await tx.flush()
        other = asyncio.ensure_future(second)
        while not other.done() and not await _somebody_waits(world):
            await asyncio.sleep(0.01)
    (ended,) = await asyncio.gather(other, return_exceptions=True)
    return ended


async def province(world: World) -> Held:
    """Three systems: of everybody, of NV and of TC."""
    for name, scope in (("Chung", ()), ("Bắc", ("NV",)), ("Nam", ("TC",))):
        await world.system(name, *scope)
    return {}


@POSTGRES
@pytest.mark.parametrize(
    "given", [{"code": "NV-P", "parent_code": "TC"}, {"code": "NV", "name": "Sở Nội vụ mới"}]
)
async def test_b13_a_role_that_begins_on_its_day_while_its_unit_changes_is_told_as_it_is(
    world: World, given: dict[str, str]
) -> None:
    held = await province(world)
    asked = await world.ask("An", world.draft(unit="NV-P", effective_on=str(world.today + timedelta(days=1))))
    await world.approve("Chi", asked.id)
    world.pass_time(days=1)

    async def begin(tx: AsyncSession) -> None:
        assert await timeline.roll(tx, world.kit, now=world.now) == 1

    assert await between(world, begin, change(world, **given)) is None
    assert await world.states("An") == ["NV-P:active"]
    assert await stale(world, held) == []


@POSTGRES
async def test_b13_a_role_that_is_approved_while_its_unit_moves_is_told_as_it_is(world: World) -> None:
    held = await province(world)
    asked = await world.ask("An", world.draft(unit="NV-P"))

    async def approve(tx: AsyncSession) -> None:
        settle(
            await review.approve(tx, world.kit, asked.id, version=None, by=world.people["Chi"], now=world.now)
        )

    assert await between(world, approve, change(world, code="NV-P", parent_code="TC")) is None
    assert await stale(world, held) == []


async def test_b13_a_transfer_that_is_taken_back_after_the_old_unit_got_another_name_is_told(
    world: World,
) -> None:
    held = await province(world)
    await world.employ("An", "NV", "Chi")
    await take(world, held)
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    await change(world, code="NV", name="Sở Nội vụ mới")
    await world.undo("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:undone"]
    assert await stale(world, held) == []


async def test_b13_an_end_that_is_taken_back_after_the_unit_moved_is_told(world: World) -> None:
    held = await province(world)
    role = await world.employ("An", "NV-P", "Chi")
    await take(world, held)
    ended = await world.end("Chi", role.id)
    await change(world, code="NV-P", parent_code="TC")
    await world.appoint("Chi", "NV-P")
    with suppress(Refusal):
        await world.undo("Chi", ended.id)
    assert await stale(world, held) == []


@POSTGRES
async def test_b13_an_end_that_is_taken_back_while_the_unit_gets_another_name_is_told(world: World) -> None:
    held = await province(world)
    role = await world.employ("An", "NV", "Chi")
    await take(world, held)
    ended = await world.end("Chi", role.id)

    async def undo(tx: AsyncSession) -> None:
        settle(await review.undo(tx, world.kit, ended.id, by=world.people["Chi"], now=world.now))

    assert await between(world, undo, change(world, code="NV", name="Sở Nội vụ mới")) is None
    assert await world.states("An") == ["NV:active"]
    assert await stale(world, held) == []


@POSTGRES
async def test_a_role_is_not_approved_into_a_unit_that_is_ending(world: World) -> None:
    asked = await world.ask("An", world.draft(unit="TC"))
    await world.dismiss("Giang")

    async def end(tx: AsyncSession) -> None:
        await unit_life.end(
            tx, world.kit, "TC", successor="NV", on=world.today, by=None, now=world.now, leave_undecided=True
        )

    async def approve() -> None:
        await world.approve("Dũng", asked.id)

    ended = await between(world, end, approve())
    assert isinstance(ended, policy.UnitClosed), ended
    assert await world.states("An") == []


ROWS = (
    {"code": "NV", "name": "Sở Nội vụ {n}"},
    {"code": "NV-P", "parent_code": "TC"},
    {"code": "NV-P", "parent_code": "NV"},
    {"code": "TC", "name": "Sở Tài chính {n}", "agency_code": "H57.{n}"},
    {"code": "HUE", "name": "Thành phố {n}"},
)


@pytest.mark.parametrize("seed", range(6))
async def test_b13_however_decisions_days_and_changes_of_the_tree_meet_systems_hold_what_is_so(
    world: World, seed: int
) -> None:
    dice = random.Random(seed)
    held = await province(world)
    movers = [f"Người {n}" for n in range(4)]
    for name in movers:
        await world.person(name)
    for name in ("Chi", "Dũng"):
        await world.appoint(name, "NV-P")

    async def soon(act: Awaitable[object]) -> None:
        await asyncio.sleep(dice.random() * 0.03)
        with suppress(Refusal, PlanStale):
            await act

    for turn in range(12):
        acts: list[Awaitable[object]] = [_live(world, name, dice) for name in movers]
        acts += [change(world, **_filled(dice.choice(ROWS), turn)) for _ in range(2)]
        acts += [world.roll(), take(world, held, most=3), take(world, held, most=3)]
        await asyncio.gather(*map(soon, acts))
        if turn % 4 == 3:
            world.pass_time(days=1)
            assert await stale(world, held) == [], turn
    assert await stale(world, held) == []


def _filled(row: dict[str, str], turn: int) -> dict[str, str]:
    return {name: value.format(n=turn) for name, value in row.items()}


async def _live(world: World, name: str, dice: random.Random) -> None:
    """One person asks for something that fits, somebody decides it, and perhaps thinks again."""
    role = next((one for one in await world.roles(name) if one.state == policy.ACTIVE), None)
    there = dice.choice(("NV-P", "TC", "NV"))
    day = {"effective_on": str(world.today + timedelta(days=1))} if dice.random() < 0.3 else {}
    manager = "Dũng" if there == "TC" else "Chi"
    if role is not None and dice.random() < 0.4:
        ended = await world.end("Chi", role.id)
        if dice.random() < 0.5:
            await world.undo("Chi", ended.id)
        return
    asked = await world.ask(name, world.draft("transfer" if role else "register", there, **day))
    for who in dict.fromkeys((manager, "Chi", "Dũng")):
        with suppress(Refusal):
            await world.approve(who, asked.id)
            if dice.random() < 0.4:
                await world.undo(who, asked.id)


async def test_b13_what_is_held_is_not_told_by_an_older_delivery_of_the_same_person(world: World) -> None:
    held = await province(world)
    role = await world.employ("An", "NV", "Chi")
    await take(world, held)
    await world.end("Chi", role.id)
    asked = await world.ask("An", world.draft(unit="TC"))
    await world.approve("Dũng", asked.id)
    await take(world, held, most=2)
    with suppress(Refusal):
        await world.undo("Dũng", asked.id)
    assert await stale(world, held) == []
