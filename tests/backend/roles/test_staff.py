"""The staff directory and the managers' list: brought in whole, sealed, and used to fill the form in."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from backend.errors import FieldsInvalid, Refusal
from backend.imports.plan import Imported
from backend.imports.rows import ImportRefused, RowError, records
from backend.roles import managers, staff
from backend.roles.models import StaffRecord
from tests.backend.roles.world import World

GOOD = {
    "national_id": "000000000000",
    "full_name": "An",
    "birth_date": "1990-01-02",
    "unit_code": "NV",
    "subject_type": "cong_chuc",
    "position": "chuyen_vien",
    "employee_code": "CC-1",
    "official_email": "an@hue.example",
    "phone": "0550 000 001",
}


async def bring_in(world: World, *rows: dict[str, str]) -> Imported:
    async with world.db.write() as tx:
        return await staff.bring_in(tx, world.kit, records(rows), by=None, now=world.now)


async def prefill(world: World, name: str, subject_type: str | None = None) -> staff.Prefill:
    async with world.db.read() as tx:
        return await staff.prefill(tx, world.kit, world.people[name], subject_type)


async def test_the_directory_fills_the_form_in(world: World) -> None:
    assert await bring_in(world, GOOD) == Imported(created=1, updated=0)
    filled = await prefill(world, "An", "cong_chuc")
    assert (filled.unit_code, filled.position) == ("NV", "chuyen_vien")
    assert filled.fields == {"employee_code": "CC-1", "official_email": "an@hue.example"}
    assert filled.mismatches == []


async def test_what_does_not_match_is_named(world: World) -> None:
    await bring_in(world, GOOD | {"full_name": "Ân", "birth_date": "03/01/1990"})
    filled = await prefill(world, "An")
    assert (filled.mismatches, filled.birth_date) == (["full_name", "birth_date"], "1990-01-03")


async def test_a_position_of_another_subject_type_is_left_out(world: World) -> None:
    await bring_in(world, GOOD)
    assert (await prefill(world, "An", "can_bo")).position is None


async def test_somebody_whom_the_directory_does_not_know_is_told_whom_to_call(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        await prefill(world, "Eve")
    assert refused.value.code == "not_in_directory"
    assert refused.value.facts == {"hotlines": {"vneid": "19000368", "hue_s": "19001075"}}


async def test_a_registration_takes_what_was_not_typed_from_the_directory(world: World) -> None:
    await bring_in(world, GOOD)
    role = await world.employ("An", "NV", "Chi", fields={"employee_code": "typed"})
    assert world.fields(role) == {"employee_code": "typed", "official_email": "an@hue.example"}


async def test_the_directorys_address_is_nobody_elses(world: World) -> None:
    await bring_in(world, GOOD)
    with pytest.raises(FieldsInvalid):
        await world.ask("Bình", world.draft(fields={"official_email": "an@hue.example"}))


async def test_a_second_import_updates(world: World) -> None:
    await bring_in(world, GOOD)
    again = GOOD | {"unit_code": "TC", "subject_type": "", "position": "", "official_email": "", "phone": ""}
    assert await bring_in(world, again) == Imported(created=0, updated=1)
    filled = await prefill(world, "An")
    assert (filled.unit_code, filled.subject_type, filled.fields) == ("TC", None, {"employee_code": "CC-1"})


async def test_nothing_personal_is_readable_in_the_table(world: World) -> None:
    await bring_in(world, GOOD)
    async with world.db.read() as tx:
        (record,) = (await tx.scalars(select(StaffRecord))).all()
    for secret in (b"000000000000", b"an@hue.example", b"1990-01-02", b"CC-1"):
        assert secret not in record.sealed


BAD = [
    ({"national_id": ""}, "national_id", "required"),
    ({"national_id": "12345"}, "national_id", "bad_national_id"),
    ({"national_id": "00000000000a"}, "national_id", "bad_national_id"),
    ({"national_id": "٠٠٠٠٠٠٠٠٠٠٠٠"}, "national_id", "bad_national_id"),
    ({"full_name": " "}, "full_name", "required"),
    ({"full_name": "a\0"}, "full_name", "bad_characters"),
    ({"birth_date": "30/02/1990"}, "birth_date", "bad_date"),
    ({"birth_date": "0"}, "birth_date", "bad_date"),
    ({"unit_code": "NOWHERE"}, "unit_code", "no_such_unit"),
    ({"subject_type": "vua"}, "subject_type", "unknown_subject_type"),
    ({"position": "vua"}, "position", "unknown_position"),
    ({"position": "bi_thu"}, "position", "position_misfit"),
    ({"official_email": "an"}, "official_email", "bad_email"),
    ({"phone": "gọi tôi"}, "phone", "bad_phone"),
]


async def test_a_bad_row_is_named_and_nothing_is_written(world: World) -> None:
    good = GOOD | {"national_id": "000000000001", "official_email": "binh@hue.example"}
    for changes, column, reason in BAD:
        with pytest.raises(ImportRefused) as refused:
            await bring_in(world, good, GOOD | changes)
        (error,) = refused.value.errors
        assert (error.line, error.column, error.reason) == (3, column, reason), changes
    async with world.db.read() as tx:
        assert (await tx.scalars(select(StaffRecord))).all() == []


async def test_nobody_stands_twice_and_no_address_has_two_owners(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, GOOD, GOOD)
    assert [error.column for error in refused.value.errors] == ["national_id", "official_email"]
    await bring_in(world, GOOD)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, GOOD | {"national_id": "000000000001"})
    assert refused.value.errors == [RowError(2, "official_email", "address_taken")]


async def test_a_manager_is_added_once_listed_masked_and_removed(world: World) -> None:
    number = world.numbers["An"]
    async with world.db.write() as tx:
        assert await managers.add(tx, world.kit, "NV-P", number, by=None, now=world.now)
    async with world.db.write() as tx:
        assert not await managers.add(
            tx, world.kit, "NV-P", f" {number[:6]} {number[6:]} ", by=None, now=world.now
        )
    async with world.db.read() as tx:
        ((one,), _) = await managers.page(tx, world.kit, "NV-P")
    assert (one.unit_code, one.national_id, one.has_account) == ("NV-P", "000******000", True)
    async with world.db.write() as tx:
        await managers.remove(tx, world.kit, "NV-P", number, by=None, now=world.now)
    with pytest.raises(Refusal, match="manager_not_found"):
        async with world.db.write() as tx:
            await managers.remove(tx, world.kit, "NV-P", number, by=None, now=world.now)
    assert (await world.tags())[-2:] == ["manager.appointed", "manager.dismissed"]


@pytest.mark.parametrize(
    ("unit", "number", "code"), [("X", "000000000009", "unit_not_found"), ("NV", "9", "validation_failed")]
)
async def test_a_manager_needs_a_unit_and_a_number(world: World, unit: str, number: str, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        async with world.db.write() as tx:
            await managers.add(tx, world.kit, unit, number, by=None, now=world.now)
