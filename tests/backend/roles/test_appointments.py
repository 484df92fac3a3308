"""Managers from a file, their days, and requests that nobody may be left to decide (rule 1003)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from backend.appointment import CLERK, MANAGER, Appointment
from backend.errors import FieldsInvalid, Refusal
from backend.imports.plan import Field, Plan, PlanStale
from backend.imports.rows import RowError, records
from backend.roles import authority, managers
from backend.roles.appointments import Days, ManagersImport
from backend.roles.managers import RequestsUndecided
from backend.support import desks
from tests.backend.roles.world import World


async def plan(world: World, *rows: dict[str, str]) -> tuple[ManagersImport, Plan]:
    job = ManagersImport(world.kit, world.now)
    async with world.db.read() as tx:
        return job, await job.plan(tx, records(rows))


async def act(world: World, job: ManagersImport) -> None:
    job.prepare()
    async with world.db.write() as tx:
        await job.act(tx, by=None, progress=lambda _done, _all: None)


async def bring_in(world: World, *rows: dict[str, str]) -> Plan:
    job, found = await plan(world, *rows)
    assert found.errors == []
    await act(world, job)
    return found


def row(world: World, name: str, unit: str, **days: str) -> dict[str, str]:
    return {"unit_code": unit, "national_id": world.numbers[name]} | days


async def remove(world: World, name: str, unit: str, **said: bool) -> None:
    async with world.db.write() as tx:
        await managers.remove(tx, world.kit, unit, world.numbers[name], by=None, now=world.now, **said)


async def test_managers_come_from_a_file_and_once_more_nothing_changes(world: World) -> None:
    rows = row(world, "An", "NV-P"), row(world, "Dũng", "TC")
    found = await bring_in(world, *rows)
    assert (found.created, found.untouched, found.changed) == (1, 1, [])
    role = await world.employ("Bình", "NV-P", "An")
    assert role.state == "active"
    _, again = await plan(world, *rows)
    assert again.is_empty and again.untouched == 2
    assert (await world.tags()).count("manager.appointed") == 4


async def test_a_file_takes_nobodys_right_away(world: World) -> None:
    await bring_in(world, row(world, "An", "NV-P"))
    async with world.db.read() as tx:
        assert len((await managers.page(tx, world.kit, None))[0]) == 4


async def test_a_right_begins_on_its_day_and_ends_after_its_last(world: World) -> None:
    first, last = world.today + timedelta(days=2), world.today + timedelta(days=4)
    days = {"from": f"{first:%d/%m/%Y}", "until": last.isoformat()}
    await bring_in(world, row(world, "An", "NV-P", **days))
    asked = await world.ask("Bình", world.draft(unit="NV-P"))
    with pytest.raises(Refusal):
        await world.approve("An", asked.id)
    world.pass_time(days=2)
    await world.roll()
    await world.approve("An", asked.id)
    world.pass_time(days=2)
    await world.roll()
    assert await _decides(world, "An", "NV-P"), "the last day counts"
    world.pass_time(days=1)
    await world.roll()
    assert not await _decides(world, "An", "NV-P")
    assert (await world.tags())[-1] == "manager.dismissed"


async def test_other_days_of_an_appointment_are_named(world: World) -> None:
    last = world.today + timedelta(days=9)
    found = await bring_in(world, row(world, "Chi", "NV", until=last.isoformat()))
    (change,) = found.changed
    assert (change.what, change.fields) == ("NV, 000******003", (Field("until", "", f"{last:%d/%m/%Y}"),))
    assert (await plan(world, row(world, "Chi", "NV")))[1].untouched == 1, "an absent column leaves the day"
    (back,) = (await bring_in(world, row(world, "Chi", "NV", until=""))).changed
    assert back.fields == (Field("until", f"{last:%d/%m/%Y}", ""),)


async def test_a37_other_days_of_a_right_stand_in_the_journal(world: World) -> None:
    before = len(await world.tags())
    await bring_in(world, row(world, "Chi", "NV", until=(world.today + timedelta(days=9)).isoformat()))
    await bring_in(world, row(world, "Chi", "NV", until=""))
    assert (await world.tags())[before:] == ["manager.days_set"] * 2


async def test_bad_rows_of_managers_are_named(world: World) -> None:
    yesterday = world.today - timedelta(days=1)
    good = row(world, "An", "NV-P")
    _, found = await plan(
        world,
        good,
        good,
        good | {"unit_code": "nv"},
        good | {"unit_code": "TC", "national_id": "12"},
        good | {"unit_code": "TC", "until": yesterday.isoformat()},
        good | {"unit_code": "HUE", "from": "2026"},
    )
    assert found.errors == [
        RowError(3, "national_id", "comes_twice", {"first": "2"}),
        RowError(4, "unit_code", "no_such_unit_but", {"meant": "NV"}),
        RowError(5, "national_id", "bad_national_id"),
        RowError(6, "until", "over_before_first_day"),
        RowError(7, "from", "bad_day"),
    ]


async def test_a_plan_of_managers_is_not_acted_on_when_one_has_changed(world: World) -> None:
    job, _ = await plan(world, row(world, "An", "NV-P"))
    await bring_in(world, row(world, "An", "NV-P"))
    with pytest.raises(PlanStale):
        await act(world, job)


async def test_nobody_is_left_without_a_decider_by_a_dismissal_unsaid(world: World) -> None:
    await world.dismiss("Giang")
    await world.ask("An", world.draft(unit="NV-P"))
    with pytest.raises(RequestsUndecided) as refused:
        await remove(world, "Chi", "NV")
    assert refused.value.facts == {"count": 1} and await _decides(world, "Chi", "NV")
    await remove(world, "Dũng", "TC")
    await remove(world, "Chi", "NV", leave_undecided=True)
    assert not await _decides(world, "Chi", "NV")


async def test_a_second_manager_or_one_above_is_enough_for_a_dismissal(world: World) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    await remove(world, "Giang", "HUE")
    await world.appoint("Eve", "NV")
    await remove(world, "Chi", "NV")
    assert not await _decides(world, "Chi", "NV")


async def test_the_last_day_of_an_appointment_lies_not_before_its_first(world: World) -> None:
    days = Days(world.today + timedelta(days=5), world.today + timedelta(days=4))
    with pytest.raises(FieldsInvalid):
        async with world.db.write() as tx:
            await managers.add(tx, world.kit, "NV", world.numbers["An"], by=None, now=world.now, days=days)


async def test_a_clerks_last_day_passes_like_a_managers(world: World) -> None:
    async with world.db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "19001075"}
        await desks.add(tx, world.kit, "HUE", **about, now=world.now)
        await desks.hire(tx, world.kit, "HUE", world.numbers["An"], now=world.now)
        await tx.execute(update(Appointment).where(Appointment.kind == CLERK).values(until_on=world.today))
    async with world.db.read() as tx:
        assert [
            desk.code for desk in (await authority.of(tx, world.kit, world.people["An"], now=world.now)).desks
        ] == ["HUE"]
    world.pass_time(days=1)
    assert await world.roll() == 1
    async with world.db.read() as tx:
        assert (await authority.of(tx, world.kit, world.people["An"], now=world.now)).desks == ()
    assert (await world.tags())[-1] == "support.staff_removed"


async def _decides(world: World, name: str, unit: str) -> bool:
    blind = world.kit.keys.blind("national_id", world.numbers[name])
    async with world.db.read() as tx:
        here = (
            Appointment.national_id_blind == blind,
            Appointment.unit_id == world.units[unit],
            Appointment.counts(MANAGER, None),
        )
        return await tx.scalar(select(Appointment.id).where(*here)) is not None
