"""What a file of staff would do is said first; a complete one tells who has left (rule 1003)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from backend.accounts.identity import numbers
from backend.errors import Refusal
from backend.imports.plan import Field, Imported, Plan, PlanStale
from backend.imports.rows import ImportRefused, RowError, records
from backend.roles import staff
from backend.roles.models import StaffRecord, Unit
from backend.roles.reorganising import retelling, running
from backend.roles.staff_import import StaffImport
from tests.backend.roles.test_official_addresses import holder
from tests.backend.roles.test_reorganising import MERGE, begin, go_on
from tests.backend.roles.test_reorganising import plan as reorganising
from tests.backend.roles.test_staff import GOOD, bring_in, prefill
from tests.backend.roles.world import World

AN, BINH, CHI = "000000000000", "000000000001", "000000000003"
OTHER = {
    "national_id": BINH,
    "full_name": "Bình",
    "official_email": "binh@hue.example",
    "employee_code": "CC-2",
}


async def plan(world: World, *rows: dict[str, str], complete: bool = False) -> tuple[StaffImport, Plan]:
    job = StaffImport(world.kit, world.now, complete=complete)
    async with world.db.read() as tx:
        return job, await job.plan(tx, records(rows))


async def act(world: World, job: StaffImport) -> None:
    job.prepare()
    async with world.db.write() as tx:
        await job.act(tx, by=None, progress=lambda _done, _all: None)


async def complete(world: World, *rows: dict[str, str]) -> Plan:
    job, found = await plan(world, *rows, complete=True)
    assert found.errors == []
    await act(world, job)
    return found


async def present(world: World) -> int:
    async with world.db.read() as tx:
        there = select(func.count()).select_from(StaffRecord).where(StaffRecord.left_at.is_(None))
        return await tx.scalar(there) or 0


async def test_a_column_that_the_file_lacks_leaves_what_is_stored(world: World) -> None:
    await bring_in(world, GOOD)
    assert await bring_in(world, {"national_id": AN, "position": "truong_phong"}) == Imported(0, 1)
    filled = await prefill(world, "An", "cong_chuc")
    assert (filled.unit_code, filled.position, filled.birth_date) == ("NV", "truong_phong", "1990-01-02")
    assert filled.fields == {"employee_code": "CC-1", "official_email": "an@hue.example"}


async def test_a_blank_cell_empties_what_may_be_empty_and_nothing_else(world: World) -> None:
    await bring_in(world, GOOD)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, {"national_id": AN, "full_name": "", "birth_date": "", "unit_code": ""})
    assert [(one.column, one.reason) for one in refused.value.errors] == [
        ("full_name", "required"), ("birth_date", "required"), ("unit_code", "required"),
    ]  # fmt: skip
    await bring_in(world, {"national_id": AN, "official_email": "", "phone": ""})
    assert (await prefill(world, "An")).fields == {"employee_code": "CC-1"}
    assert await holder(world, "an@hue.example") is None


async def test_somebody_new_needs_name_birth_date_and_unit(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, {"national_id": AN, "phone": "0550 000 001"})
    assert {one.column for one in refused.value.errors} == {"full_name", "birth_date", "unit_code"}


async def test_a_position_of_another_kind_of_staff_is_refused_also_when_the_kind_is_stored(
    world: World,
) -> None:
    await bring_in(world, GOOD)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, {"national_id": AN, "position": "bi_thu"})
    assert refused.value.errors == [RowError(2, "position", "position_misfit", {"subject_type": "cong_chuc"})]


async def test_o10_an_unknown_position_names_those_that_there_are(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, GOOD | {"position": "vua"})
    (error,) = refused.value.errors
    assert error.reason == "unknown_position"
    assert "chuyen_vien" in error.values["known"] and "truong_phong" in error.values["known"]


async def test_o10_the_same_file_again_says_unchanged(world: World) -> None:
    assert await bring_in(world, GOOD, GOOD | OTHER) == Imported(2, 0)
    sealed = await _sealed(world)
    assert await bring_in(world, GOOD, GOOD | OTHER) == Imported(0, 0, untouched=2)
    assert await _sealed(world) == sealed, "what is the same is not written"


async def test_the_plan_names_every_field_and_masks_what_is_personal(world: World) -> None:
    await bring_in(world, GOOD)
    _, found = await plan(world, GOOD | {"unit_code": "TC", "phone": "0550 000 002", "position": ""})
    (change,) = found.changed
    assert change.what == "000******000"
    assert change.fields == (
        Field("unit_code", "NV", "TC"),
        Field("position", "chuyen_vien", ""),
        Field("phone", "055****001", "055****002"),
    )
    assert (found.existing, found.created, found.needs_yes) == (1, 0, True)


async def test_b10_somebody_of_whom_only_the_year_of_birth_is_known_comes_in(world: World) -> None:
    await bring_in(world, GOOD | {"birth_date": "1990"})
    filled = await prefill(world, "An")
    assert (filled.birth_date, filled.mismatches) == ("1990", [])


async def test_an_address_may_pass_from_one_to_the_other_in_one_file(world: World) -> None:
    await bring_in(world, GOOD, GOOD | OTHER)
    swapped = [
        GOOD | {"official_email": "binh@hue.example"},
        GOOD | OTHER | {"official_email": "an@hue.example"},
    ]
    assert (await bring_in(world, *swapped)).updated == 2
    found = await holder(world, "an@hue.example")
    assert found is not None and found.account_id == world.people["Bình"]


async def test_r45_whoever_a_complete_file_does_not_name_in_its_units_has_left(world: World) -> None:
    far = GOOD | {
        "national_id": CHI,
        "full_name": "Chi",
        "unit_code": "TC",
        "official_email": "",
        "employee_code": "",
    }
    await bring_in(world, GOOD, GOOD | OTHER, far)
    found = await complete(world, GOOD | OTHER)
    assert found.ended == ["000******000, NV: đã nghỉ · has left"] and found.untouched == 1
    assert await present(world) == 2, "TC is not named by the file"
    with pytest.raises(staff.NotInDirectory):
        await prefill(world, "An")
    assert await holder(world, "an@hue.example") is None, "the address is free for who comes next"
    assert (await prefill(world, "Bình")).unit_code == "NV"


async def test_r45_without_complete_nobody_leaves(world: World) -> None:
    await bring_in(world, GOOD, GOOD | OTHER)
    assert (await bring_in(world, GOOD)) == Imported(0, 0, untouched=1)
    assert await present(world) == 2


async def test_r45_who_has_left_comes_back_by_a_later_file(world: World) -> None:
    await bring_in(world, GOOD, GOOD | OTHER)
    await complete(world, GOOD | OTHER)
    _, found = await plan(world, GOOD)
    (change,) = found.changed
    assert change.fields == (Field("left", f"{world.today:%d/%m/%Y}", ""),)
    await bring_in(world, GOOD)
    assert (await prefill(world, "An")).fields["official_email"] == "an@hue.example"
    again = await complete(world, GOOD, GOOD | OTHER)
    assert again.ended == [] and again.untouched == 2


async def test_r45_a_complete_file_with_a_bad_row_says_of_nobody_that_they_left(world: World) -> None:
    await bring_in(world, GOOD, GOOD | OTHER)
    _, found = await plan(world, GOOD | OTHER, GOOD | {"national_id": "1"}, complete=True)
    assert found.ended == [] and found.errors[0].line == 0


async def test_a_plan_is_not_acted_on_when_an_entry_has_changed(world: World) -> None:
    await bring_in(world, GOOD)
    job, _ = await plan(world, GOOD | {"position": "truong_phong"})
    await bring_in(world, GOOD | {"phone": ""})
    with pytest.raises(PlanStale):
        await act(world, job)
    assert (await prefill(world, "An", "cong_chuc")).position == "chuyen_vien"


async def test_a_plan_is_not_acted_on_when_somebody_else_has_brought_the_person_in(world: World) -> None:
    job, _ = await plan(world, GOOD)
    await bring_in(world, GOOD)
    with pytest.raises(PlanStale):
        await act(world, job)
    assert await present(world) == 1


async def test_a_plan_is_not_acted_on_when_its_unit_has_ended(world: World) -> None:
    job, _ = await plan(world, GOOD)
    async with world.db.write() as tx:
        await tx.execute(update(Unit).where(Unit.code == "NV").values(ended_on=world.today))
    with pytest.raises(PlanStale):
        await act(world, job)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, GOOD)
    assert refused.value.errors == [RowError(2, "unit_code", "no_such_unit")]


async def _sealed(world: World) -> set[bytes]:
    async with world.db.read() as tx:
        return set(await tx.scalars(select(StaffRecord.sealed)))


async def test_a35_what_a_reorganisation_has_moved_meanwhile_is_not_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (running, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)
    await bring_in(world, GOOD)
    job, found = await plan(world, {"national_id": AN, "phone": "0550 000 042"})
    assert len(found.changed) == 1
    await go_on(world, await begin(world, await reorganising(world, MERGE)))
    with pytest.raises(PlanStale):
        await act(world, job)
    async with world.db.read() as tx:
        assert list(await tx.scalars(select(StaffRecord.unit_id))) == [world.units["TC"]]


async def test_a35_nor_does_whoever_has_left_meanwhile_come_back_with_an_older_file(world: World) -> None:
    await bring_in(world, GOOD)
    job, _found = await plan(world, {"national_id": AN, "phone": "0550 000 042"})
    await complete(world, GOOD | OTHER)
    assert await present(world) == 1
    with pytest.raises(PlanStale):
        await act(world, job)
    assert await present(world) == 1


async def test_r19_nine_digits_are_read_as_an_old_cmnd_and_marked_and_the_rest_goes_on(world: World) -> None:
    old = GOOD | {"national_id": "000 111 222", "official_email": "cu@hue.example", "employee_code": "CC-9"}
    job, found = await plan(world, GOOD, old)
    assert (found.created, found.errors) == (2, [])
    (note,) = map(str, found.notes)
    assert "000***222" in note and "CMND" in note and "dòng 3" in note
    await act(world, job)
    assert await present(world) == 2
    job, found = await plan(world, old)
    assert (found.created, found.untouched) == (0, 1), "it is the same entry the next time"
    with pytest.raises(ImportRefused):
        await bring_in(world, GOOD | {"national_id": "00011122"})


async def test_r19_whoever_holds_the_old_number_too_finds_the_entry_and_an_old_number_opens_no_mailbox(
    world: World,
) -> None:
    await bring_in(world, GOOD | {"national_id": "000111222"})
    with pytest.raises(Refusal, match="not_in_directory"):
        await prefill(world, "An")
    async with world.db.write() as tx:
        number = numbers.identifier_row(
            world.kit, world.people["An"], numbers.OLD_ID, "000111222", source="joined", now=world.now
        )
        tx.add(number)
    assert (await prefill(world, "An")).unit_code == "NV"
    async with world.db.read() as tx:
        found = await staff.holder_of_mail(tx, world.kit, "an@hue.example", world.today)
    assert found is not None and found.account_id is None
