"""An operator's acts about appointments and files: of their own units, never about themselves (rule 641)."""

from __future__ import annotations

import asyncio
import threading
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.appointment import MANAGER, Appointment
from backend.errors import FieldsInvalid, NotFound
from backend.imports import plan as imports
from backend.imports.rows import ImportRefused, records
from backend.roles import (
    appointing,
    authority,
    file_imports,
    managers,
    operating,
    uploads,
    vacancies,
)
from backend.roles.appointing import AlreadyManager, OneselfAppointed, Wish
from backend.roles.file_imports import ImportOutdated
from backend.roles.managers import ManagerNotFound, RequestsUndecided
from backend.roles.models import StaffRecord, Unit
from backend.roles.operating import MassChange
from backend.roles.units import UnitsImport
from tests.backend.roles.world import World

STAFF = {
    "full_name": "Trần Thị B",
    "birth_date": "1990",
    "subject_type": "cong_chuc",
    "position": "chuyen_vien",
}


@pytest.fixture
async def other(world: World) -> None:
    """Another root, whose operator is Trà."""
    await world.unit("KHAC")
    await world.person("Trà", manages="KHAC")


async def appoint(
    world: World,
    person: str,
    unit: str,
    *,
    by: str = "Giang",
    begins: date | None = None,
    last: date | None = None,
) -> None:
    async with world.db.write() as tx:
        wish = Wish(person, unit, begins, last)
        await appointing.appoint(tx, world.kit, wish, by=world.people[by], now=world.now)


async def right_of(world: World, name: str, unit: str) -> UUID:
    blind = world.kit.keys.blind("national_id", world.numbers[name])
    async with world.db.read() as tx:
        here = (Appointment.unit_id == world.units[unit], Appointment.national_id_blind == blind)
        return (await tx.scalars(select(Appointment.id).where(*here, Appointment.stands(MANAGER)))).one()


async def dismiss(world: World, one: UUID, *, by: str = "Giang", confirmed: bool = False) -> None:
    async with world.db.write() as tx:
        who = world.people[by]
        await appointing.dismiss(tx, world.kit, one, leave_undecided=confirmed, by=who, now=world.now)


async def codes_of(world: World, name: str) -> list[str]:
    async with world.db.read() as tx:
        return [
            post.code for post in (await authority.of(tx, world.kit, world.people[name], now=world.now)).units
        ]


async def test_somebody_is_appointed_by_number_by_id_and_by_a_name_that_only_one_has(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await appoint(world, world.numbers["Eve"], "NV-P")
    await appoint(world, str(world.people["Bình"]), "TC")
    await appoint(world, "An", "NV-P")
    assert [await codes_of(world, name) for name in ("Eve", "Bình", "An")] == [["NV-P"], ["TC"], ["NV-P"]]
    await appoint(world, "000000099999", "NV")  # nobody has an account of that number yet
    with pytest.raises(AlreadyManager):
        await appoint(world, world.numbers["Eve"], "NV-P")


async def test_an_appointment_has_its_days(world: World) -> None:
    later = world.today + timedelta(days=2)
    await appoint(world, world.numbers["Eve"], "TC", begins=later, last=later)
    assert await codes_of(world, "Eve") == []
    with pytest.raises(FieldsInvalid):
        await appoint(world, world.numbers["Eve"], "NV", begins=later, last=world.today)


async def test_a_name_of_two_people_and_one_of_nobody_appoint_nobody(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.person("an")
    await world.employ("an", "TC", "Dũng")
    for person, code in (
        ("An", "ambiguous"),
        ("Không Có", "unknown_person"),
        ("", "missing"),
        ("123", "bad_national_id"),
    ):
        with pytest.raises(FieldsInvalid) as refused:
            await appoint(world, person, "NV")
        assert [(one.field, one.code) for one in refused.value.fields] == [("person", code)]


async def test_only_an_operator_of_the_unit_appoints_and_dismisses(world: World, other: None) -> None:
    chi = await right_of(world, "Chi", "NV")
    for who in ("Chi", "Eve"):
        with pytest.raises(NotFound):
            await appoint(world, world.numbers["An"], "NV", by=who)
        with pytest.raises(NotFound):
            await dismiss(world, chi, by=who)
    for unit in ("NV", "HUE", "XX"):
        with pytest.raises(FieldsInvalid) as refused:
            await appoint(world, world.numbers["An"], unit, by="Trà")
        assert refused.value.fields[0].code == "unknown_unit", "said like a unit that is not there"
    with pytest.raises(ManagerNotFound):
        await dismiss(world, chi, by="Trà")


async def test_nobody_appoints_or_dismisses_themselves(world: World) -> None:
    with pytest.raises(OneselfAppointed):
        await appoint(world, world.numbers["Giang"], "NV")
    with pytest.raises(OneselfAppointed):
        await dismiss(world, await right_of(world, "Giang", "HUE"))
    row = {"unit_code": "NV", "national_id": world.numbers["Giang"]}
    assert await wrong(world, "managers", row) == [(2, "national_id", "yourself")]


async def made(world: World, kind: str, *rows: dict[str, str], by: str = "Giang") -> file_imports.Planned:
    async with world.db.read() as tx:
        who = world.people[by]
        return await file_imports.plan(tx, world.kit, kind, records(rows), by=who, now=world.now)


async def wrong(
    world: World, kind: str, *rows: dict[str, str], by: str = "Giang"
) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as refused:
        await made(world, kind, *rows, by=by)
    return [(one.line, one.column, one.reason) for one in refused.value.errors]


async def lay(world: World, kind: str, *rows: dict[str, str], by: str = "Giang") -> UUID:
    async with world.db.write() as tx:
        who = world.people[by]
        return file_imports.lay(tx, world.kit, kind, records(rows), by=who, now=world.now)


async def confirm(
    world: World, kind: str, kept: UUID, seen: str, *, brake_off: bool = False, by: str = "Giang"
) -> None:
    how = {"seen": seen, "brake_off": brake_off}
    who = world.people[by]
    await file_imports.confirm(world.db, world.kit, kind, kept, **how, by=who, now=world.now)  # type: ignore[arg-type]


async def test_files_of_every_kind_are_planned_seen_and_done(world: World) -> None:
    files = {
        "units": {"code": "XA", "name": "Xã", "parent_code": "HUE"},
        "staff": STAFF | {"national_id": "000000088888", "unit_code": "NV"},
        "managers": {"unit_code": "TC", "national_id": world.numbers["Eve"]},
    }
    for kind, row in files.items():
        kept, found = await lay(world, kind, row), await made(world, kind, row)
        assert (found.plan.created, found.plan.changed) == (1, [])
        await confirm(world, kind, kept, found.print)
        with pytest.raises(uploads.UploadGone):
            await confirm(world, kind, kept, found.print)
        assert (await made(world, kind, row)).plan.is_empty
    assert await codes_of(world, "Eve") == ["TC"]


async def test_whoever_loses_the_right_after_the_plan_was_read_does_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The yes is said by an operator, who is none any more when it is acted on."""
    row = {"code": "XA", "name": "Xã", "parent_code": "HUE"}
    kept, found = await lay(world, "units", row), await made(world, "units", row)
    right, was_read = await right_of(world, "Giang", "HUE"), threading.Event()
    monkeypatch.setattr(UnitsImport, "prepare", lambda _self: was_read.set())  # between reading and writing
    async with world.db.write() as tx:
        ended = update(Appointment).where(Appointment.id == right)
        await tx.execute(ended.values(ended_at=world.now))
        said = asyncio.create_task(confirm(world, "units", kept, found.print))
        assert await asyncio.to_thread(was_read.wait, 10)
    with pytest.raises(NotFound):
        await said
    async with world.db.read() as tx:
        assert await tx.scalar(select(Unit).where(Unit.code == "XA")) is None


async def test_a_plan_that_nobody_has_seen_is_not_done(world: World) -> None:
    row = {"code": "TC", "name": "Sở Mới"}
    kept, seen = await lay(world, "units", row), (await made(world, "units", row)).print
    async with world.db.write() as tx:
        (await tx.get_one(Unit, world.units["TC"])).name = "Khác"
    with pytest.raises(ImportOutdated):
        await confirm(world, "units", kept, seen)
    await confirm(world, "units", kept, (await made(world, "units", row)).print)


async def test_the_brake_holds_a_file_that_changes_much(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FEW", 1)
    row = {"code": "TC", "name": "Sở Mới"}
    kept, found = await lay(world, "units", row), await made(world, "units", row)
    with pytest.raises(MassChange) as braked:
        await confirm(world, "units", kept, found.print)
    assert braked.value.facts == {"touched": 1, "existing": 4, "percent": 10}
    await confirm(world, "units", kept, found.print, brake_off=True)


async def test_a_file_touches_no_unit_and_nobody_beside_the_operators_own(world: World, other: None) -> None:
    theirs = {"code": "KHAC", "name": "Của tôi"}
    assert await wrong(world, "units", theirs) == [(2, "code", "no_such_unit")]
    moved = {"code": "NV", "parent_code": "KHAC"}
    assert await wrong(world, "units", moved) == [(2, "parent_code", "no_such_unit")]
    for parent in ("", "-"):
        root = {"code": "GOC", "name": "Gốc", "parent_code": parent}
        assert await wrong(world, "units", root) == [(2, "parent_code", "no_new_root")], parent
    person = STAFF | {"national_id": "000000077777", "unit_code": "NV"}
    await confirm(
        world, "staff", await lay(world, "staff", person), (await made(world, "staff", person)).print
    )
    drawn = person | {"unit_code": "KHAC"}
    assert await wrong(world, "staff", drawn, by="Trà") == [(2, "national_id", "person_elsewhere")]
    right = {"unit_code": "NV", "national_id": world.numbers["Eve"]}
    assert await wrong(world, "managers", right, by="Trà") == [(2, "unit_code", "no_such_unit")]
    with pytest.raises(NotFound):
        await made(world, "units", {"code": "NV"}, by="Chi")
    async with world.db.read() as tx:
        assert (await tx.scalars(select(StaffRecord.unit_id))).one() == world.units["NV"]


async def test_the_list_of_managers_goes_on_page_by_page_within_the_operators_units(
    world: World, other: None
) -> None:
    async with world.db.read() as tx:
        reach = await operating.reach_of(tx, world.kit, world.people["Giang"], now=world.now)
        first, cursor = await managers.some(tx, world.kit, reach.below(), most=2)
        rest, none = await managers.some(tx, world.kit, reach.below(), cursor=cursor or "", most=2)
        vacant = await vacancies.by_code(tx)
    assert [(one.unit_code, one.name) for one in (*first, *rest)] == [
        ("HUE", "Giang"),
        ("NV", "Chi"),
        ("TC", "Dũng"),
    ]
    assert none is None and vacant == []


async def test_an_operator_who_was_dismissed_meanwhile_confirms_nothing(world: World) -> None:
    row = {"code": "XA", "name": "Xã", "parent_code": "HUE"}
    kept, seen = await lay(world, "units", row), (await made(world, "units", row)).print
    await world.dismiss("Giang")
    with pytest.raises(NotFound):
        await confirm(world, "units", kept, seen)


async def test_requests_that_nobody_would_decide_are_said_first(world: World) -> None:
    await world.unit("GOC")
    await world.unit("GOC-A", "GOC")
    for name, unit in (("Trà", "GOC-A"), ("Lan", "GOC")):
        await world.person(name, manages=unit)
    await world.ask("Lan", world.draft(unit="GOC-A"))
    one = await right_of(world, "Trà", "GOC-A")
    with pytest.raises(RequestsUndecided):
        await dismiss(world, one, by="Lan")
    await dismiss(world, one, by="Lan", confirmed=True)
