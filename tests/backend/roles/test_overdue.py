"""A word that is late, and one that nobody can say (rule 626; cases R04, R05)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from backend import alarms
from backend.errors import Refusal
from backend.roles import inbox, progress, timeline
from backend.working_days import WorkingDaysError, read, shipped
from ngomon import gauges
from tests.backend.roles.world import World, code_of


async def waits(world: World, who: str, *, late: bool = False) -> set[UUID]:
    """What stands in somebody's list."""
    async with world.db.read() as tx:
        return {
            row.id
            for row in (await inbox.waiting(tx, world.kit, world.people[who], late=late, now=world.now)).items
        }


async def due_on(world: World, name: str, asked: UUID) -> date | None:
    """As the phone says it."""
    async with world.db.read() as tx:
        waiting = (await progress.detailed(tx, world.kit, await world.own(name, asked))).waiting_for
    return waiting.due_on if waiting else None


@pytest.mark.parametrize(
    ("day", "days", "last"),
    [
        (date(2026, 3, 2), 3, date(2026, 3, 5)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # over a weekend
        (date(2026, 2, 13), 1, date(2026, 2, 23)),  # over Tết
        (date(2026, 4, 24), 1, date(2026, 4, 28)),  # the Hùng kings' day was a Sunday: Monday is off
        (date(2026, 8, 21), 1, date(2026, 8, 22)),  # a Saturday that is worked ...
        (date(2026, 8, 28), 1, date(2026, 9, 3)),  # ... for a Monday beside the National Day
        (date(2040, 4, 27), 2, date(2040, 5, 3)),  # a year that nobody has announced: by the sun
    ],
)
def test_days_are_counted_as_they_are_worked(day: date, days: int, last: date) -> None:
    assert shipped().after(day, days) == last


def test_an_operators_table_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    mine = tmp_path / "days.toml"
    mine.write_text("off = [2026-03-03]\nworked = [2026-03-07]")
    assert read(mine).after(date(2026, 3, 2), 1) == date(2026, 3, 4)
    assert read(mine).is_worked(date(2026, 3, 7)) and not read(mine).is_worked(date(2026, 3, 8))
    for wrong in ("off = [1]", "holidays = []", "off = ", "off = []\nmore = 1"):
        mine.write_text(wrong)
        with pytest.raises(WorkingDaysError):
            read(mine)


async def test_what_is_late_may_be_decided_by_the_unit_above_as_well_and_everybody_hears(
    world: World,
) -> None:
    asked = (await world.ask("An", world.draft(unit="NV-P"))).id
    in_time = (await world.ask("Bình", world.draft(unit="TC"))).id
    assert await due_on(world, "An", asked) == date(2026, 3, 5)
    world.pass_time(days=3, hours=13)  # 23:00 of the last day
    assert await world.roll() == 0 and await waits(world, "Giang") == set()
    with pytest.raises(Refusal) as no:
        await world.approve("Giang", asked)
    assert code_of(no.value) == "request_not_found"
    await world.approve("Dũng", in_time)
    world.pass_time(hours=1)
    async with world.db.read() as tx:
        assert await timeline.is_due(tx, now=world.now)
        assert [await tx.scalar(gauges.open_requests(overdue=overdue)) for overdue in (False, True)] == [1, 0]
    assert await world.roll() == 1 and await world.roll() == 0
    async with world.db.read() as tx:
        assert not await timeline.is_due(tx, now=world.now)
        assert [await tx.scalar(gauges.open_requests(overdue=overdue)) for overdue in (False, True)] == [1, 1]
    for who in ("Chi", "Giang"):
        assert await waits(world, who) == await waits(world, who, late=True) == {asked}
        assert "quá hạn" in (await world.told(who))[-1]
    assert "05/03/2026" in (await world.told("An"))[-1] and "Đơn vị HUE" in (await world.told("An"))[-1]
    assert await waits(world, "Dũng") == set()
    await world.approve("Giang", asked)
    (step,) = (await world.seen_by("Chi", asked)).steps
    assert (step.by, step.above) == ("Giang", True)
    await world.undo("Giang", asked)
    assert await waits(world, "Giang") == await waits(world, "Chi") == {asked}
    await world.approve("Chi", asked)
    (step,) = (await world.seen_by("Giang", asked)).steps
    assert (step.by, step.above) == ("Chi", False), "nothing was taken from whoever was late"
    assert await waits(world, "Giang") == set()


async def test_the_unit_above_is_asked_anew_when_deciders_change_and_a_correction_has_its_own_days(
    world: World,
) -> None:
    asked = (await world.ask("An", world.draft(unit="NV-P"))).id
    world.pass_time(days=4)
    await world.roll()
    await world.appoint("Eve", "NV-P")  # now the nearest, and NV is above
    assert await waits(world, "Eve") == await waits(world, "Chi") == {asked}
    assert await waits(world, "Giang") == set()
    with pytest.raises(Refusal):
        await world.approve("Giang", asked)
    await world.send_back("Chi", asked)
    world.pass_time(days=7)
    await world.resubmit("An", asked, world.draft(unit="NV-P"))
    assert await waits(world, "Chi") == set(), "in time again, and the nearest unit's alone"
    assert await waits(world, "Eve") == {asked}
    assert await due_on(world, "An", asked) == date(2026, 3, 18)


async def test_r04_whose_request_nobody_decides_hears_so_at_once_and_an_operator_too(world: World) -> None:
    await world.unit("XA")
    before = alarms.raised["request_undecided"]
    asked = (await world.ask("An", world.draft(unit="XA"))).id
    assert "chưa ai được giao" in (await world.told("An"))[-1]
    assert alarms.raised["request_undecided"] == before + 1
    world.pass_time(days=9)
    assert await world.roll() == 0, "nobody is late where nobody is asked"
    await world.appoint("Chi", "XA")
    assert await waits(world, "Chi") == {asked}


async def test_r05_the_top_managers_own_role_is_decided_by_another_manager_of_the_root(world: World) -> None:
    asked = (await world.ask("Giang", world.draft(unit="HUE"))).id
    assert "chưa ai được giao" in (await world.told("Giang"))[-1], "said at once"
    await world.appoint("Eve", "HUE")
    assert await waits(world, "Eve") >= {asked}
    with pytest.raises(Refusal) as no:
        await world.approve("Giang", asked)
    assert code_of(no.value) == "own_request"
    assert (await world.approve("Eve", asked)).status == "approved"
