"""A reorganisation that an operator asks for in the workspace: of their own units, carried by the worker (rule 641)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.db import new_id
from backend.errors import FieldsInvalid, NotFound, Refusal
from backend.imports import plan as imports
from backend.imports.rows import ImportRefused, records
from backend.outside.clock import Clock
from backend.roles import uploads
from backend.roles.models import Unit
from backend.roles.operating import MassChange
from backend.roles.reorganising import asking, carrying, retelling, reversing, running, trees
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising.asking import ReorganisationNotYet, Yes
from backend.roles.reorganising.plan import Plan, PlanOutdated
from backend.roles.reorganising.trees import Node
from tests.backend.roles import test_reorganising as by_command
from tests.backend.roles.test_reorganising import MERGE, held, rows, state_of
from tests.backend.roles.world import World


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for a turn here."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)


async def plan(world: World, *acts: dict[str, str], by: str = "Giang") -> Plan:
    async with world.db.read() as tx:
        who = world.people[by]
        return await asking.plan(tx, world.kit, records(acts), [], by=who, now=world.now)


async def run(
    world: World, made: Plan, run_id: UUID | None = None, *, by: str = "Giang", **said: Any
) -> UUID:
    run_id, yes = run_id or new_id(), Yes(**{"decision": "12/QĐ-UBND"} | said)
    async with world.db.write() as tx:
        who = world.people[by]
        await asking.run(tx, world.kit, made.wanted, run_id, yes, by=who, now=world.now)
    return run_id


async def reverse(world: World, run_id: UUID, *, by: str = "Giang", **said: Any) -> None:
    async with world.db.write() as tx:
        await asking.reverse(tx, world.kit, run_id, Yes(**said), by=world.people[by], now=world.now)


async def carry(world: World, *, stopped: bool = False) -> None:
    stop = asyncio.Event()
    if stopped:
        stop.set()
    await carrying.carry(world.db, world.kit, Clock(), stop)


async def done(world: World, run_id: UUID) -> int:
    state = await state_of(world, run_id)
    async with world.db.read() as tx:
        return await carrying.how_far(tx, run_id, state)


async def test_what_was_asked_for_is_carried_and_taken_back_and_says_how_far_it_is(world: World) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    before = await held(world)
    run_id = await run(world, await plan(world, MERGE))
    assert (await state_of(world, run_id), await done(world, run_id)) == ("running", 0)
    assert await held(world) == before, "nobody has moved in the request"
    await carry(world)
    assert (await state_of(world, run_id), await done(world, run_id)) == ("done", 2)
    assert {row[1] for row in await held(world)} == {"TC"}
    await reverse(world, run_id)
    assert (await state_of(world, run_id), await done(world, run_id)) == ("reversing", 0)
    await carry(world)
    assert (await state_of(world, run_id), await done(world, run_id)) == ("reversed", 2)
    assert await held(world) == before


async def test_a_worker_that_ends_leaves_the_rest_to_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    monkeypatch.setattr(running, "CHUNK", 1)
    run_id = await run(world, await plan(world, MERGE))
    await carry(world, stopped=True)
    assert (await state_of(world, run_id), await done(world, run_id)) == ("running", 1)
    await carry(world)
    assert (await state_of(world, run_id), await done(world, run_id)) == ("done", 3)


async def test_what_a_command_began_is_left_to_it(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    run_id = await by_command.begin(world, await by_command.plan(world, MERGE))
    await carry(world)
    assert await state_of(world, run_id) == "running" and {row[1] for row in await held(world)} == {"NV"}


async def test_a_run_that_stands_does_not_hold_the_others_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = await run(world, await plan(world, {"action": "rename", "unit_code": "TC", "new_name": "Một"}))
    whole = await run(world, await plan(world, {"action": "rename", "unit_code": "NV", "new_name": "Hai"}))
    go_on = running.go_on

    async def falls(*args: Any, **more: Any) -> int:
        if args[2] == broken:
            raise RuntimeError("a stage that breaks")
        return await go_on(*args, **more)

    monkeypatch.setitem(carrying.STAGES, "running", falls)
    await carry(world)
    assert [await state_of(world, one) for one in (broken, whole)] == ["running", "done"]


async def test_a_second_press_finds_it_begun(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    made = await plan(world, MERGE)
    run_id = await run(world, made)
    await run(world, made, run_id)
    await carry(world)
    assert (await world.tags()).count("reorganisation.begun") == 1


@pytest.mark.parametrize("who", ["Chi", "Eve", "Trà"])
async def test_whoever_manages_no_root_of_these_units_finds_nothing(world: World, who: str) -> None:
    await world.unit("KHAC")
    await world.person("Trà", manages="KHAC")
    await world.employ("An", "NV", "Chi")
    made = await plan(world, MERGE)
    for refused in (plan(world, MERGE, by=who), run(world, made, by=who)):
        with pytest.raises((NotFound, ImportRefused)) as said:
            await refused
        if isinstance(said.value, ImportRefused):  # Trà's: said like units that are not there
            found = [(one.column, one.reason) for one in said.value.errors]
            assert found == [("unit_code", "no_such_unit"), ("target_code", "no_such_unit")]
    run_id = await run(world, made)
    await carry(world)
    with pytest.raises(NotFound):
        await reverse(world, run_id, by=who, brake_off=True)
    async with world.db.read() as tx:
        if who == "Trà":
            assert await asking.all_theirs(tx, world.kit, by=world.people[who], now=world.now) == []
        assert len(await asking.all_theirs(tx, world.kit, by=world.people["Giang"], now=world.now)) == 1


async def test_no_unit_becomes_a_root_from_the_page(world: World) -> None:
    with pytest.raises(ImportRefused) as refused:
        await plan(world, {"action": "move", "unit_code": "NV", "new_parent_code": "-"})
    assert [(one.line, one.column, one.reason) for one in refused.value.errors] == [
        (2, "new_parent_code", "no_new_root")
    ]


async def test_an_operator_who_was_dismissed_meanwhile_runs_nothing(world: World) -> None:
    made = await plan(world, MERGE)
    await world.dismiss("Giang")
    with pytest.raises(NotFound):
        await run(world, made)


async def test_a_plan_of_a_later_day_is_run_on_its_day(world: World) -> None:
    later = (world.today + timedelta(days=3)).isoformat()
    made = await plan(world, MERGE | {"effective_on": later})
    with pytest.raises(ReorganisationNotYet):
        await run(world, made)
    world.pass_time(days=3)
    run_id = await run(world, made)
    assert await state_of(world, run_id) == "running"
    await carry(world)


async def test_a_stale_plan_a_missing_number_and_the_brake_each_change_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    made = await plan(world, MERGE)
    for decision in ("  ", "000 012 345 678"):
        with pytest.raises(FieldsInvalid):
            await run(world, made, decision=decision)
    monkeypatch.setattr(imports, "FEW", 1)
    with pytest.raises(MassChange) as braked:
        await run(world, made)
    assert braked.value.facts == {"touched": 2, "existing": 2, "percent": 10}
    await world.employ("Eve", "NV", "Chi")
    with pytest.raises(PlanOutdated) as stale:
        await run(world, made, brake_off=True)
    assert stale.value.names == ["NV: roles"]
    assert {row[1] for row in await rows(world, Unit, "code", "ended_on")} == {None}
    run_id = await run(world, await plan(world, MERGE), brake_off=True)
    await carry(world)
    with pytest.raises(MassChange):
        await reverse(world, run_id)


async def test_the_brake_counts_the_organisation_too_that_a_plan_is_about(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of two people are everybody there, however many work in other organisations."""
    monkeypatch.setattr(imports, "FEW", 1)
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    made = await plan(world, MERGE)
    made.existing = 1_000
    stake = made.massive(10)
    assert stake is not None and (stake.touched, stake.existing) == (2, 2)
    run_id = await run(world, made, brake_off=True)
    await carry(world)
    async with world.db.read() as tx:
        _, own = await planning.stakes_back(tx, run_id, 2, made.wanted.acts)
    assert own == (2, 2) and await state_of(world, run_id) == "done"


async def test_what_is_taken_back_is_braked_by_the_organisation_that_people_leave(world: World) -> None:
    """The people of another organisation, of which a unit was but renamed along, are not those of this one."""
    await world.unit("KHAC")
    await world.unit("KHAC-P", "KHAC")
    await world.person("Hoa", manages="KHAC")
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    for number in range(6):
        await world.person(f"Người {number}")
        await world.employ(f"Người {number}", "KHAC-P", "Hoa")
    rename = {"action": "rename", "unit_code": "KHAC-P", "new_name": "Phòng Mới"}
    async with world.db.read() as tx:
        made = await planning.make(tx, world.kit, records([MERGE, rename]), [], now=world.now)
    assert made.roots == [(2, 2)]
    run_id = new_id()
    async with world.db.write() as tx:
        await running.begin(
            tx, world.kit, made, run_id, decision="12/QĐ-UBND", by=world.people["Giang"], now=world.now
        )
    await carry(world)
    async with world.db.read() as tx:
        assert await planning.stakes_back(tx, run_id, 2, made.wanted.acts) == [(2, 8), (2, 2)]


def drawn(nodes: list[Node]) -> list[Any]:
    return [(one.code, one.change, one.gains, one.loses, drawn(one.below)) for one in nodes]


async def test_a_plan_is_two_trees_of_the_units_concerned(world: World) -> None:
    await world.unit("XA", "HUE")
    await world.employ("An", "NV", "Chi")
    acts = [MERGE | {"new_name": "Sở Mới"}, {"action": "move", "unit_code": "XA", "new_parent_code": "TC"}]
    before, after = trees.before_and_after(await plan(world, *acts))
    parts: list[Any] = [("NV", "ends", 0, 1, [("NV-P", "placed", 0, 0, [])])]
    parts += [("TC", "named", 0, 0, []), ("XA", "placed", 0, 0, [])]
    assert drawn(before) == [("HUE", "", 0, 0, parts)]
    below: list[Any] = [("NV-P", "placed", 0, 0, []), ("XA", "placed", 0, 0, [])]
    assert drawn(after) == [("HUE", "", 0, 0, [("TC", "named", 1, 0, below)])]


async def test_what_was_laid_down_is_its_owners_for_a_day(world: World) -> None:
    async with world.db.write() as tx:
        kept = uploads.lay(tx, world.kit, "units", "[]", by=world.people["Giang"], now=world.now)

    async def read(who: str, kind: str = "units", days: float = 0) -> str:
        async with world.db.read() as tx:
            later = world.now + timedelta(days=days)
            found = await uploads.read(tx, world.kit, kept, kind, by=world.people[who], now=later)
            return found[0]

    assert await read("Giang") == "[]"
    for strange in (read("Chi"), read("Giang", "staff"), read("Giang", days=1.1)):
        with pytest.raises(Refusal) as gone:
            await strange
        assert gone.value.code == "upload_gone"
    async with world.db.write() as tx:
        await uploads.forget(tx, kept)
    with pytest.raises(uploads.UploadGone):
        await read("Giang")
