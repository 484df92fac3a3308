"""The units as a list and a file, and the end of one (rule 1003)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.imports.rows import records
from backend.paging import CursorInvalid
from backend.roles import unit_life
from backend.roles.managers import RequestsUndecided, UnitNotFound
from backend.roles.unit_life import UnitInUse
from backend.roles.units import UnitsImport
from tests.backend.roles.test_units_plan import unit
from tests.backend.roles.world import World


async def end(world: World, code: str, successor: str = "TC", *, days: int = 0, **said: bool) -> int:
    async with world.db.write() as tx:
        on = world.today + timedelta(days=days)
        return await unit_life.end(
            tx, world.kit, code, successor=successor, on=on, by=None, now=world.now, **said
        )


async def lines(world: World) -> list[unit_life.Line]:
    async with world.db.read() as tx:
        return await unit_life.lines(tx, world.today)


async def test_the_list_has_each_unit_below_its_parent(world: World) -> None:
    await world.unit("AB", "HUE")
    await world.unit("CU", "HUE", ended_on=world.today)
    found = [(one.depth, one.code, one.parent_code) for one in await lines(world)]
    assert found == [(0, "HUE", "-"), (1, "AB", "HUE"), (1, "NV", "HUE"), (2, "NV-P", "NV"), (1, "TC", "HUE")]


async def test_the_tree_goes_on_behind_a_unit_also_one_that_has_ended(world: World) -> None:
    for code, parent in (
        ("A", None),
        ("A-1", None),
        ("A/1", "A"),
        ("NV-P-1", "NV-P"),
        ("X_", "TC"),
        ("X%", "TC"),
    ):
        await world.unit(code, parent)
    await world.unit("CU", "HUE", ended_on=world.today)
    await world.unit("CU-1", "CU")
    every = [one.code for one in await lines(world)]
    assert every == ["A", "A/1", "A-1", "HUE", "CU-1", "NV", "NV-P", "NV-P-1", "TC", "X%", "X_"]
    async with world.db.read() as tx:
        for place, code in enumerate(every):
            behind = (await unit_life.lines(tx, world.today))[place + 1 :]
            for most in range(1, len(every) + 1):
                rest = await unit_life.lines(tx, world.today, after=code, most=most)
                assert rest == behind[:most], (code, most)
        (first,) = await unit_life.lines(tx, world.today, after="CU", most=1)
        assert first == unit_life.Line(2, "CU-1", "Đơn vị CU-1", "CU", "", "", None)
        with pytest.raises(CursorInvalid):
            await unit_life.lines(tx, world.today, after="X")


async def test_what_was_exported_changes_nothing_when_it_comes_back(world: World) -> None:
    header, *rest = unit_life.rows(await lines(world))
    rows = records([dict(zip(header, row, strict=True)) for row in rest])
    async with world.db.read() as tx:
        plan = await UnitsImport(world.kit, world.now).plan(tx, rows)
    assert (plan.errors, plan.is_empty, plan.untouched) == ([], True, 4)


async def test_a_unit_ends_and_names_its_successor(world: World) -> None:
    assert await end(world, "NV-P", days=3) == 0
    found = await unit(world, "NV-P")
    assert (found.ended_on, found.successor_id) == (world.today + timedelta(days=3), world.units["TC"])
    assert "NV-P" in {one.code for one in await lines(world)}
    world.pass_time(days=3)
    assert "NV-P" not in {one.code for one in await lines(world)}
    assert (await world.tags())[-1] == "unit.ended"


@pytest.mark.parametrize(
    ("code", "successor"), [("X", "TC"), ("NV-P", "X"), ("NV-P", "NV-P"), ("NV-P", "CU")]
)
async def test_both_units_have_to_be_there(world: World, code: str, successor: str) -> None:
    await world.unit("CU", "HUE", ended_on=world.today + timedelta(days=2))
    with pytest.raises(UnitNotFound):
        await end(world, code, successor, days=2)


async def test_a_unit_with_people_or_units_below_it_does_not_end(world: World) -> None:
    role = await world.employ("An", "NV-P", "Chi")
    for code, facts in (("NV", {"people": 0, "units": 1}), ("NV-P", {"people": 1, "units": 0})):
        with pytest.raises(UnitInUse) as refused:
            await end(world, code)
        assert refused.value.facts == facts
    await world.end("Chi", role.id)
    await end(world, "NV-P")
    await end(world, "NV")


async def test_nobody_is_left_without_a_decider_by_the_end_of_a_unit_unsaid(world: World) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    with pytest.raises(RequestsUndecided) as refused:
        await end(world, "NV-P")
    assert refused.value.facts == {"count": 1} and (await unit(world, "NV-P")).ended_on is None
    await end(world, "NV-P", leave_undecided=True)
    assert (await unit(world, "NV-P")).ended_on == world.today
