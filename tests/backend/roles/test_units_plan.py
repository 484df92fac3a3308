"""What a file of units would do is said first, and what it lacks stays as it is (rule 1003)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.imports import words
from backend.imports.plan import Field, Imported, Plan, PlanStale
from backend.imports.rows import ImportRefused, RowError, records, told
from backend.outbox.models import Delivery
from backend.roles import units
from backend.roles.models import Unit
from backend.roles.units import UnitsImport
from tests.backend.roles.world import World

Rows = list[dict[str, str]]
UNTOUCHED = {"S-1": "S", "S-2": "S"}


async def bring_in(world: World, rows: Rows) -> Imported:
    async with world.db.write() as tx:
        return await units.bring_in(tx, world.kit, records(rows), by=None, now=world.now)


async def plan(world: World, rows: Rows) -> tuple[UnitsImport, Plan]:
    job = UnitsImport(world.kit, world.now)
    async with world.db.read() as tx:
        return job, await job.plan(tx, records(rows))


async def act(world: World, job: UnitsImport) -> None:
    job.prepare()
    async with world.db.write() as tx:
        await job.act(tx, by=None, progress=lambda _done, _all: None)


async def unit(world: World, code: str) -> Unit:
    async with world.db.read() as tx:
        return (await tx.execute(select(Unit).where(Unit.code == code))).scalar_one()


async def kept(world: World, code: str) -> dict[str, Any]:
    found = await unit(world, code)
    return {name: getattr(found, name) for name in ("name", "parent_id", "agency_code", "kind", "path")}


async def sent(world: World, name: str, system: UUID) -> list[Delivery]:
    return [one for one in await world.deliveries(name) if one.system_id == system]


async def test_b01_a_column_that_the_file_lacks_leaves_what_is_stored(world: World) -> None:
    await bring_in(world, [{"code": "NV", "agency_code": "H57.03", "kind": "department"}])
    before = await kept(world, "NV"), await kept(world, "NV-P")
    assert await bring_in(
        world, [{"code": "NV", "name": "Sở mới"}, {"code": "NV-P", "name": "Đơn vị NV-P"}]
    ) == (Imported(0, 1, untouched=1))
    assert await kept(world, "NV") == before[0] | {"name": "Sở mới"}
    assert await kept(world, "NV-P") == before[1]


async def test_b01_a_blank_parent_of_a_unit_that_has_one_is_refused_and_a_hyphen_makes_a_root(
    world: World,
) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "NV", "name": "Sở", "parent_code": ""}])
    (error,) = refused.value.errors
    assert (error.line, error.column, error.reason) == (2, "parent_code", "parent_blank")
    assert "ghi - nếu là đơn vị gốc" in told(error, "vi") and "write - for a root" in told(error, "en")
    await bring_in(world, [{"code": "NV", "parent_code": "-"}, {"code": "HUE", "parent_code": ""}])
    assert (await unit(world, "NV")).parent_id is None
    assert (await unit(world, "NV-P")).path == f"/{world.units['NV']}/{world.units['NV-P']}/"


async def test_a_blank_cell_empties_what_may_be_empty(world: World) -> None:
    await bring_in(world, [{"code": "NV", "agency_code": "H57.03", "kind": "department"}])
    await bring_in(world, [{"code": "NV", "agency_code": "", "kind": ""}])
    found = await unit(world, "NV")
    assert (found.agency_code, found.kind, found.name) == (None, "", "Đơn vị NV")
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "NV", "name": ""}])
    assert refused.value.errors == [RowError(2, "name", "required")]


async def test_a_new_unit_wants_a_name(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "S", "parent_code": "HUE"}])
    assert refused.value.errors == [RowError(2, "name", "required_for_unit")]


@pytest.mark.parametrize("code", ["nv", "Nv", "nv-p"])
async def test_b08_a_code_that_differs_from_a_stored_one_in_case_only_is_refused(
    world: World, code: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": code, "name": "Sở"}])
    assert refused.value.errors == [RowError(2, "code", "case_twin", {"other": code.upper()})]


async def test_b08_two_codes_of_a_file_that_differ_in_case_only_are_refused(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "SYT", "name": "Sở Y tế"}, {"code": "syt", "name": "Sở Y tế (cũ)"}])
    assert refused.value.errors == [RowError(3, "code", "case_twin_above", {"first": "2", "other": "SYT"})]


async def test_b08_a_parent_of_another_case_is_told_what_there_is(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "S", "name": "Sở", "parent_code": "hue"}])
    assert refused.value.errors == [RowError(2, "parent_code", "no_such_unit_but", {"meant": "HUE"})]


async def test_a_unit_that_has_ended_takes_no_row_and_no_child(world: World) -> None:
    await world.unit("CU", "HUE", ended_on=world.today)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(
            world, [{"code": "CU", "name": "Cũ"}, {"code": "S", "name": "Sở", "parent_code": "CU"}]
        )
    assert refused.value.errors == [
        RowError(2, "code", "unit_over", {"on": f"{world.today:%d/%m/%Y}"}),
        RowError(3, "parent_code", "parent_over"),
    ]


async def test_a_tree_that_a_move_makes_too_deep_is_refused(world: World) -> None:
    rows = [{"code": "D0", "name": "0", "parent_code": "HUE"}]
    rows += [{"code": f"D{n}", "name": "n", "parent_code": f"D{n - 1}"} for n in range(1, 13)]
    await bring_in(world, rows)
    deep = [{"code": f"E{n}", "name": "n", "parent_code": f"E{n - 1}" if n else "HUE"} for n in range(3)]
    await bring_in(world, deep)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, [{"code": "D0", "parent_code": "E2"}])
    assert [(one.line, one.column) for one in refused.value.errors] == [(2, "parent_code")]


async def test_the_plan_names_every_field_and_counts_what_stays(world: World) -> None:
    rows = [
        {"code": "NV", "name": "Sở mới", "parent_code": "TC"},
        {"code": "TC", "name": "Đơn vị TC", "parent_code": "HUE"},
        {"code": "S", "name": "Sở", "parent_code": "HUE"},
    ]
    job, found = await plan(world, rows)
    assert (found.existing, found.created, found.untouched, found.ended) == (4, 1, 1, [])
    (change,) = found.changed
    assert (change.line, change.what) == (2, "NV")
    assert change.fields == (Field("name", "Đơn vị NV", "Sở mới"), Field("parent_code", "HUE", "TC"))
    assert "NV" in world.units and (await unit(world, "NV")).name == "Đơn vị NV", "a plan changes nothing"
    await act(world, job)
    assert (await unit(world, "NV-P")).path.startswith((await unit(world, "TC")).path)


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    rows = [{"code": "S", "name": "Sở", "parent_code": "HUE", "agency_code": "000.00.17.G22", "kind": "so"}]
    assert await bring_in(world, rows) == Imported(1, 0)
    _, again = await plan(world, rows)
    assert again.is_empty and again.untouched == 1


async def test_a_plan_is_not_acted_on_when_its_ground_has_moved(world: World) -> None:
    job, _ = await plan(world, [{"code": "NV", "name": "Sở mới"}])
    async with world.db.write() as tx:
        await tx.execute(update(Unit).where(Unit.code == "TC").values(name="Khác"))
    with pytest.raises(PlanStale):
        await act(world, job)
    assert (await unit(world, "NV")).name == "Đơn vị NV"


async def test_b13_a_renamed_unit_is_told_to_every_system_of_everybody_below(world: World) -> None:
    every, north, south = (
        await world.system("Chung"),
        await world.system("Bắc", "NV"),
        await world.system("Nam", "TC"),
    )
    await world.employ("An", "NV-P", "Chi")
    await world.employ("Bình", "TC", "Dũng")
    before = {name: len(await world.deliveries(name)) for name in ("An", "Bình")}
    _, found = await plan(world, [{"code": "NV", "name": "Sở mới"}])
    assert [str(note) for note in found.notes] == [
        "các hệ thống được báo lại về 1 người · systems are told anew of 1 person"
    ]
    await bring_in(world, [{"code": "NV", "name": "Sở mới"}])
    fresh = (await world.deliveries("An"))[before["An"] :]
    assert {one.system_id for one in fresh} == {every, north} and south not in {
        one.system_id for one in fresh
    }
    assert all(one.state == "pending" and one.version == 2 for one in fresh)
    assert len(await world.deliveries("Bình")) == before["Bình"]


async def test_b13_a_change_that_no_system_is_told_of_queues_nothing(world: World) -> None:
    await world.system("Chung")
    await world.employ("An", "NV-P", "Chi")
    before = len(await world.deliveries("An"))
    await bring_in(world, [{"code": "NV", "kind": "department"}, {"code": "TC", "name": "Tài chính"}])
    assert len(await world.deliveries("An")) == before


async def test_a_unit_that_leaves_a_systems_scope_takes_its_people_out(world: World) -> None:
    north, south = await world.system("Bắc", "NV"), await world.system("Nam", "TC")
    await world.employ("An", "NV-P", "Chi")
    await bring_in(world, [{"code": "NV-P", "parent_code": "TC"}])
    (_, left), (come,) = await sent(world, "An", north), await sent(world, "An", south)
    assert left.version == come.version == 2


async def test_nobody_is_left_without_a_decider_unsaid(world: World) -> None:
    await world.unit("R")
    asked = await world.ask("An", world.draft(unit="TC"))
    await world.dismiss("Dũng")
    job, found = await plan(world, [{"code": "TC", "parent_code": "R"}])
    assert found.warnings == [words.noted("undecided", count=1)]
    await act(world, job)
    assert (await world.request(asked.id)).status == "pending"
    _, kept_below = await plan(world, [{"code": "NV-P", "parent_code": "R"}])
    assert kept_below.warnings == []


async def test_a_request_that_came_after_the_plan_is_not_left_without_a_decider(world: World) -> None:
    await world.unit("R")
    await world.dismiss("Dũng")
    job, found = await plan(world, [{"code": "TC", "parent_code": "R"}])
    assert found.warnings == []
    await world.ask("An", world.draft(unit="TC"))
    with pytest.raises(PlanStale):
        await act(world, job)
