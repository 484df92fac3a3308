"""Which entries of the journal a question means: days, people, units, outcomes (W14)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select

from backend.facts import ManagerAppointed
from backend.journal import Entry
from backend.roles import audit, audit_wanted
from backend.roles.audit_wanted import Wanted
from tests.backend.roles.world import START, World

FIRST = date(2026, 3, 2)


async def found(world: World, wanted: Wanted, reader: str = "Chi", **more: int) -> list[audit.Line]:
    async with world.db.read() as tx:
        lines, _ = await audit.of_units(tx, world.kit, world.people[reader], wanted, now=world.now, **more)
    return lines


async def appointed(world: World, *moments: float, unit: str = "NV") -> list[int]:
    """Entries so many hours after the start, in this order of the chain; their numbers."""
    numbers = []
    for hours in moments:
        async with world.db.write() as tx:
            at = START + timedelta(hours=hours)
            world.kit.journal.record(tx, ManagerAppointed(unit=world.units[unit]), by=None, now=at)
        async with world.db.read() as tx:
            numbers.append(int(await tx.scalar(select(func.max(Entry.seq))) or 0))
    return numbers


async def test_w14_days_hold_also_what_was_sealed_out_of_turn(world: World) -> None:
    # 10:00 in Huế is hour 0: midnight comes at 14, and whoever began before it may be sealed after it
    numbers = await appointed(world, 1, 13.9, 14.1, 13.8, 14.2, 37.9, 38.1)
    seen = {
        day: {line.seq for line in await found(world, Wanted("manager", since=day, until=day))} & set(numbers)
        for day in (FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2))
    }
    assert seen[FIRST] == {numbers[0], numbers[1], numbers[3]}
    assert seen[FIRST + timedelta(days=1)] == {numbers[2], numbers[4], numbers[5]}
    assert seen[FIRST + timedelta(days=2)] == {numbers[6]}
    assert await found(world, Wanted(since=date.max)) == [] == await found(world, Wanted(until=date.min))


async def test_w14_days_lead_to_their_place_whatever_lies_behind(world: World) -> None:
    old = await appointed(world, *([0.1] * 5))
    await appointed(world, *[48.0] * (audit_wanted.CHUNK // 20))
    lines = await found(world, Wanted("manager", until=FIRST), chunks=1)
    assert {line.seq for line in lines} >= set(old)
    async with world.db.read() as tx:
        span = await audit_wanted.span_of(tx, Wanted(since=FIRST + timedelta(days=1), until=FIRST))
    assert span.after is not None and span.before is not None and span.after >= span.before - 1


async def test_w14_a_unit_means_those_below_it_and_nothing_beside(world: World) -> None:
    (above,) = await appointed(world, 1, unit="NV")
    (below,) = await appointed(world, 1, unit="NV-P")
    (beside,) = await appointed(world, 1, unit="TC")
    lines = {line.seq for line in await found(world, Wanted("manager", unit="NV"))}
    assert {above, below} <= lines and beside not in lines
    assert await found(world, Wanted(unit="TC"), reader="Chi") == []
    assert await found(world, Wanted(unit="NOWHERE")) == []


async def test_w14_an_outcome_and_an_actor_are_found_together(world: World) -> None:
    approved, rejected = await world.ask("An"), await world.ask("Bình")
    await world.approve("Chi", approved.id)
    await world.reject("Chi", rejected.id)
    by_chi = Wanted("role", actor=world.people["Chi"], outcome="rejected")
    assert {line.subject for line in await found(world, by_chi, "Chi")} == {"Bình"}
    about = Wanted(person=world.people["An"], actor=world.people["Chi"])
    assert {(line.subject, line.by) for line in await found(world, about, "Chi")} == {("An", "Chi")}
    assert await found(world, Wanted(person=world.people["An"]), "Dũng") == [], (
        "another's people are nobody here"
    )
