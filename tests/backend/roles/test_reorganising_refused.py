"""What cannot be of a reorganisation is refused by its line, and a plan whose ground has moved as stale."""

from __future__ import annotations

from typing import Any

import pytest

from backend.roles import managers
from backend.roles.models import Unit
from backend.roles.reorganising import retelling, reversing, running
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import PlanOutdated
from tests.backend.roles.test_reorganising import (
    MERGE,
    begin,
    go_on,
    held,
    plan,
    reasons,
    reverse,
    rows,
    state_of,
)
from tests.backend.roles.world import World


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        ([("merge", "X", "TC", "", "")], [(2, "unit_code", "no_such_unit")]),
        ([("merge", "NV", "", "", "")], [(2, "target_code", "required")]),
        ([("join", "NV", "TC", "", "")], [(2, "action", "unknown_action")]),
        ([("merge", "NV", "NV", "", "")], [(2, "target_code", "target_itself")]),
        ([("end", "NV", "TC", "Tên", "")], [(2, "new_name", "not_for_action")]),
        (
            [("merge", "NV", "TC", "", ""), ("end", "NV", "HUE", "", "")],
            [(3, "unit_code", "comes_twice")],
        ),
        (
            [("merge", "NV", "TC", "", ""), ("merge", "TC", "NV", "", "")],
            [(2, "target_code", "target_ends"), (3, "target_code", "target_ends")],
        ),
        (
            [("end", "NV", "HUE", "", ""), ("move", "TC", "", "", "NV")],
            [(3, "new_parent_code", "target_ends")],
        ),
        ([("move", "NV", "", "", "NV-P")], [(2, "new_parent_code", "parent_circle")]),
        ([("merge", "NV", "NV-P", "", "")], [(2, "target_code", "parent_circle")]),
        ([("rename", "CU", "", "Tên", "")], [(2, "unit_code", "unit_over")]),
        (
            [("merge", "NV", "TC", "Một", ""), ("rename", "TC", "", "Hai", "")],
            [(3, "new_name", "name_differs")],
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_its_line(world: World, acts: Any, said: Any) -> None:
    await world.unit("CU", "HUE", ended_on=world.today)
    names = ("action", "unit_code", "target_code", "new_name", "new_parent_code")
    assert await reasons(world, *(dict(zip(names, act, strict=True)) for act in acts)) == said


async def test_a_plan_is_stale_once_a_unit_a_role_or_a_manager_has_changed(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    made = await plan(world, MERGE)

    async def stale() -> list[str]:
        with pytest.raises(PlanOutdated) as refused:
            await begin(world, made)
        return refused.value.names

    await world.end("Chi", role.id)
    assert await stale() == ["NV: roles"]
    made = await plan(world, MERGE)
    async with world.db.write() as tx:
        await managers.add(tx, world.kit, "TC", world.numbers["Eve"], by=None, now=world.now)
        (await tx.get_one(Unit, world.units["NV"])).name = "Khác"
    assert await stale() == ["NV: unit", "TC: managers"]
    assert await rows(world, Reorganisation, "id") == []


async def test_a39_of_two_that_are_about_one_unit_the_second_waits_for_the_end_of_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)
    await world.employ("An", "NV", "Chi")
    away = await plan(world, {"action": "rename", "unit_code": "NV", "new_name": "Sở Nội vụ"})
    await go_on(world, done := await begin(world, away))
    first, other = await plan(world, MERGE), await plan(world, MERGE | {"target_code": "HUE"})
    run = await begin(world, first)
    with pytest.raises(PlanOutdated) as refused:
        await begin(world, other)
    assert refused.value.names == ["NV: run"]
    with pytest.raises(reversing.ChangedSince):
        await reverse(world, done)
    await go_on(world, run)
    assert await held(world) == {("An", "TC", "active", True)} and await state_of(world, run) == "done"
