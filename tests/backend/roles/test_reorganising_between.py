"""What others do while a reorganisation is under way, and between a run and its reversal (rule 640)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from backend.imports.plan import PlanStale
from backend.imports.rows import ImportRefused, records
from backend.roles import cancelling, rows, staff, unit_life, unit_tree, units
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising import retelling, reversing, running
from backend.roles.reorganising.models import Moved
from backend.roles.reorganising.plan import PlanOutdated, Wanted
from backend.roles.reorganising.reversing import ChangedSince
from tests.backend.roles.test_reorganising import MERGE, back, begin, go_on, held, plan, state_of
from tests.backend.roles.test_reorganising import rows as stored
from tests.backend.roles.world import World

DOWN = {"action": "move", "unit_code": "NV-P", "new_parent_code": "TC"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for a turn here."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)


async def bring_in(world: World, *files: dict[str, str]) -> None:
    async with world.db.write() as tx:
        await units.bring_in(tx, world.kit, records(files), by=None, now=world.now)


async def end(world: World, code: str, successor: str) -> None:
    async with world.db.write() as tx:
        await unit_life.end(tx, world.kit, code, successor=successor, on=world.today, by=None, now=world.now)


async def begin_back(world: World, run: UUID, *, leave_changed: bool = False) -> int:
    async with world.db.write() as tx:
        return await reversing.begin(tx, world.kit, run, leave_changed=leave_changed, now=world.now)


async def refused_back(world: World, run: UUID) -> tuple[list[UUID], list[str]]:
    with pytest.raises(ChangedSince) as refused:
        await begin_back(world, run)
    return refused.value.people, refused.value.units


async def ran(world: World, *acts: dict[str, str]) -> UUID:
    run = await begin(world, await plan(world, *acts))
    await go_on(world, run)
    return run


async def role_of(world: World, name: str) -> dict[str, Any]:
    found = await stored(world, Role, "account_id", "state", "position", "until_on", "unit_id")
    (one,) = [row for row in found if row[0] == world.people[name] and row[1] == "active"]
    codes = {unit: code for code, unit in world.units.items()}
    return {"position": one[2], "until": one[3], "unit": codes[one[4]]}


async def test_no_file_moves_a_unit_below_itself_by_way_of_a_run_that_is_not_over(world: World) -> None:
    """The successor below the unit that is about to end would stand below itself, and the run would never end."""
    run = await begin(world, await plan(world, MERGE))
    await world.unit("BAN", "HUE")
    await world.unit("KHAC")
    for file in ({"code": "TC", "parent_code": "NV-P"}, {"code": "HUE", "parent_code": "KHAC"}):
        with pytest.raises(ImportRefused) as refused:
            await bring_in(world, file)
        found = [(one.line, one.column, one.reason) for one in refused.value.errors]
        assert found == [(2, "parent_code", "unit_reorganised")]
    await bring_in(world, {"code": "TC", "name": "Sở Khác"}, {"code": "BAN", "parent_code": "TC"})
    await bring_in(world, {"code": "NV-P", "parent_code": "BAN"})
    await go_on(world, run)
    assert await state_of(world, run) == "done"
    await bring_in(world, {"code": "TC", "parent_code": "KHAC"})


async def test_a_file_that_was_planned_before_the_run_began_is_planned_again(world: World) -> None:
    job = units.UnitsImport(world.kit, world.now)
    async with world.db.read() as tx:
        made = await job.plan(tx, records([{"code": "TC", "parent_code": "NV-P"}]))
    assert made.errors == []
    run = await begin(world, await plan(world, MERGE))
    with pytest.raises(PlanStale):
        async with world.db.write() as tx:
            await job.act(tx, by=None, progress=lambda _done, _all: None)
    await go_on(world, run)


@pytest.mark.parametrize(("code", "successor"), [("TC", "HUE"), ("BAN", "TC")])
async def test_a_unit_to_which_people_are_going_does_not_end_meanwhile(
    world: World, code: str, successor: str
) -> None:
    await world.unit("BAN", "HUE")
    await world.employ("An", "NV", "Chi")
    run = await begin(world, await plan(world, MERGE))
    with pytest.raises(unit_life.UnitReorganised):
        await end(world, code, successor)
    await go_on(world, run)
    assert {row[1] for row in await held(world)} == {"TC"}
    await end(world, "BAN", "TC")


async def test_a_circle_of_units_is_said_and_never_followed_for_ever(world: World) -> None:
    async with world.db.read() as tx:
        known = await unit_tree.snapshot(tx)
    known["HUE"].parent_id = known["NV-P"].id
    with pytest.raises(ValueError, match="circle"):
        unit_tree.paths_of(known.values())


async def test_no_unit_goes_back_below_what_stands_below_it_now(world: World) -> None:
    run = await ran(world, DOWN)
    await bring_in(world, {"code": "NV", "parent_code": "NV-P"})
    assert await refused_back(world, run) == ([], ["NV"])
    await bring_in(world, {"code": "NV", "parent_code": "HUE"})
    await begin_back(world, run)
    await back(world, run)
    assert dict(await stored(world, Unit, "code", "parent_id"))["NV-P"] == world.units["NV"]


async def test_no_unit_goes_back_below_one_that_has_ended_since(world: World) -> None:
    run = await ran(world, DOWN)
    await end(world, "NV", "TC")
    assert await refused_back(world, run) == ([], ["NV"])
    assert await state_of(world, run) == "done"


async def test_no_unit_is_there_again_below_one_that_has_ended_since(world: World) -> None:
    run = await ran(world, {"action": "merge", "unit_code": "NV-P", "target_code": "TC"})
    await end(world, "NV", "TC")
    assert await refused_back(world, run) == ([], ["NV"])


async def test_no_unit_goes_back_so_deep_that_its_path_has_no_room(world: World) -> None:
    run = await ran(world, DOWN)
    deep = (
        unit_tree.DEEPEST - 2
    )  # below the root: NV there has room for NV-P, and none for what is below that
    for number in range(deep):
        await world.unit(f"D{number}", f"D{number - 1}" if number else "HUE")
    await world.unit("NV-X", "NV-P")
    await bring_in(world, {"code": "NV", "parent_code": f"D{deep - 1}"})
    assert await refused_back(world, run) == ([], ["NV"])


async def test_a_correction_that_was_decided_before_and_came_after_the_run_is_not_lost(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    later = world.today + timedelta(days=2)
    wish = world.draft("amend", position="van_thu", effective_on=later.isoformat())
    await world.approve("Chi", (await world.ask("An", wish)).id)
    world.pass_time(hours=1)
    run = await ran(world, MERGE)
    world.pass_time(days=2)
    await world.roll()
    assert await role_of(world, "An") == {"position": "van_thu", "until": None, "unit": "TC"}
    assert await refused_back(world, run) == ([world.people["An"]], [])
    await begin_back(world, run, leave_changed=True)
    await back(world, run)
    assert await role_of(world, "An") == {"position": "van_thu", "until": None, "unit": "TC"}


async def test_an_end_that_was_cancelled_after_the_run_does_not_come_back_with_its_reversal(
    world: World,
) -> None:
    await world.employ("An", "NV", "Chi")
    last = world.today + timedelta(days=30)
    wish = world.draft("end", effective_on=last.isoformat(), fields={"reason": "Nghỉ hưu"})
    asked = await world.ask("An", wish)
    await world.approve("Chi", asked.id)
    run = await ran(world, MERGE)
    async with world.db.write() as tx:
        found = await rows.request_locked(tx, asked.id)
        assert found is not None
        await cancelling.unplan(tx, world.kit, found, now=world.now)
        await rows.move(tx, found, to="withdrawn", decided_at=world.now, decided_by=world.people["An"])
    assert (await role_of(world, "An"))["until"] is None
    assert await refused_back(world, run) == ([world.people["An"]], [])


async def test_a_correction_that_comes_while_people_go_back_is_not_lost(world: World) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    run = await ran(world, MERGE)
    await begin_back(world, run)
    asked = await world.ask("An", world.draft("amend", position="van_thu"))
    await world.approve("Dũng", asked.id)
    await back(world, run)
    assert await role_of(world, "An") == {"position": "van_thu", "until": None, "unit": "TC"}
    assert (await role_of(world, "Bình"))["unit"] == "NV"
    left = [row[2] for row in await stored(world, Moved, "id", "kind", "left") if row[1] == "role"]
    assert sorted(left) == [False, True]


@pytest.mark.parametrize("what", ["target", "share", "nothing"])
async def test_a_plan_that_was_written_in_by_hand_is_not_begun(world: World, what: str) -> None:
    await world.employ("An", "NV", "Chi")
    split = [{"action": "split", "unit_code": "NV", "target_code": code} for code in ("TC", "NV-P")]
    made = (await plan(world, *split, people={"An": "NV-P"})).wanted
    if what == "target":
        acts = [msgspec.structs.replace(act, target="HUE") for act in made.acts]
        edited = msgspec.structs.replace(made, acts=acts)
    elif what == "share":
        edited = msgspec.structs.replace(made, roles=dict.fromkeys(made.roles, "KHONG-CO"))
    else:
        edited = msgspec.json.decode(msgspec.json.encode(made), type=Wanted)
    async with world.db.read() as tx:
        known = await unit_tree.snapshot(tx)
        if what == "nothing":
            await planning.ensure_current(tx, edited, known)
            return
        with pytest.raises(PlanOutdated):
            await planning.ensure_current(tx, edited, known)


async def test_a_unit_is_split_in_which_the_directory_has_somebody_by_an_old_number(world: World) -> None:
    """A row of the file of people is found by the number that the directory has, or the unit is never split."""
    person = {"full_name": "Trần Thị B", "birth_date": "1990", "subject_type": "cong_chuc"}
    person |= {"national_id": "123456789", "position": "chuyen_vien", "unit_code": "NV"}
    async with world.db.write() as tx:
        await staff.bring_in(tx, world.kit, records([person]), by=None, now=world.now)
    split = [{"action": "split", "unit_code": "NV", "target_code": code} for code in ("TC", "NV-P")]
    shares = records([{"national_id": "123 456 789", "target_code": "NV-P"}])
    async with world.db.read() as tx:
        made = await planning.make(tx, world.kit, records(split), shares, now=world.now)
    run = await begin(world, made)
    await go_on(world, run)
    assert [row[1] for row in await stored(world, StaffRecord, "id", "unit_id")] == [world.units["NV-P"]]
