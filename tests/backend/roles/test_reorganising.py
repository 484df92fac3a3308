"""Units merged, split, renamed, moved and ended with everybody in them: planned, run, stopped midway, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.appointment import Appointment
from backend.db import new_id
from backend.imports.rows import ImportRefused, records
from backend.names import masked
from backend.outbox.models import Delivery
from backend.roles.models import RequestStep, Role, RoleRequest, StaffRecord, Unit
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising import retelling, reversing, running, told
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import Plan
from tests.backend.roles.world import World


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for a turn here."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)


MERGE = {"action": "merge", "unit_code": "NV", "target_code": "TC"}


async def plan(world: World, *acts: dict[str, str], people: dict[str, str] | None = None) -> Plan:
    shares = [{"national_id": world.numbers[name], "target_code": to} for name, to in (people or {}).items()]
    async with world.db.read() as tx:
        return await planning.make(tx, world.kit, records(acts), records(shares), now=world.now)


async def begin(world: World, made: Plan) -> UUID:
    run = new_id()
    async with world.db.write() as tx:
        await running.begin(tx, world.kit, made, run, decision="12/QĐ-UBND", by=None, now=world.now)
    return run


async def go_on(world: World, run: UUID, stop: int | None = None) -> None:
    def progress(done: int, _every: int) -> None:
        if stop is not None and done >= stop:
            raise KeyboardInterrupt

    await running.go_on(world.db, world.kit, run, by=None, now=world.now, progress=progress)


async def rows(world: World, model: Any, *columns: str) -> list[tuple[Any, ...]]:
    async with world.db.read() as tx:
        query = select(*(getattr(model, name) for name in columns)).order_by(model.id)
        return [tuple(row) for row in await tx.execute(query)]


async def held(world: World) -> set[tuple[str, str, str, bool]]:
    names = {account: name for name, account in world.people.items()}
    codes = {unit: code for code, unit in world.units.items()}
    found = await rows(world, Role, "account_id", "unit_id", "state", "is_home")
    return {(names[row[0]], codes[row[1]], row[2], row[3]) for row in found if row[2] != "ended"}


async def state_of(world: World, run: UUID) -> str:
    async with world.db.read() as tx:
        return (await tx.get_one(Reorganisation, run)).state


async def reasons(world: World, *acts: dict[str, str], people: dict[str, str] | None = None) -> list[Any]:
    with pytest.raises(ImportRefused) as refused:
        await plan(world, *acts, people=people)
    return [(error.line, error.column, error.reason) for error in refused.value.errors]


async def test_a_merger_takes_everybody_and_what_they_asked_for_along(world: World) -> None:
    await world.system("hrm")
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV-P", "Chi")
    asked = await world.ask("Eve", world.draft(unit="NV"))
    made = await plan(world, MERGE)
    assert made.counts() == [("NV", 0, 1), ("TC", 1, 0)] and made.people == 1
    run = await begin(world, made)
    await go_on(world, run)
    assert await held(world) == {("An", "TC", "active", True), ("Bình", "NV-P", "active", True)}
    nv = next(row for row in await rows(world, Unit, "code", "ended_on", "successor_id") if row[0] == "NV")
    assert nv == ("NV", world.today, world.units["TC"])
    paths = dict(await rows(world, Unit, "code", "parent_id"))
    assert paths["NV-P"] == world.units["TC"], "what stood below it stands below its successor"
    steps = await rows(world, RequestStep, "request_id", "unit_id", "decider_id")
    assert (asked.id, world.units["TC"], world.units["TC"]) in steps
    await world.approve("Dũng", asked.id)
    assert ("Eve", "TC", "active", True) in await held(world)
    gone = [
        row for row in await rows(world, Appointment, "unit_id", "ended_at") if row[0] == world.units["NV"]
    ]
    assert all(row[1] is not None for row in gone), "nobody decides for a unit that is no more"
    assert await state_of(world, run) == "done"
    tags = await world.tags()
    assert tags.count("reorganisation.begun") == 1 and tags.count("reorganisation.done") == 1
    lanes = {row[0] for row in await rows(world, Delivery, "lane", "request_id") if row[1] is None}
    assert lanes == {2}, "systems hear of a merger after every single decision"


async def test_a_plan_says_who_comes_and_goes_in_which_system(world: World) -> None:
    await world.system("of-nv", "NV")
    await world.system("of-tc", "TC")
    await world.system("of-all")
    await world.employ("An", "NV", "Chi")
    async with world.db.read() as tx:
        found = await told.at_systems(tx, await plan(world, MERGE))
    said = {one.system: (len(one.gains), len(one.loses), one.changes) for one in found}
    assert said == {"of-nv": (0, 1, 0), "of-tc": (1, 0, 0), "of-all": (0, 0, 1)}


async def test_a_run_that_was_stopped_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    monkeypatch.setattr(running, "CHUNK", 1)
    run = await begin(world, await plan(world, MERGE))
    with pytest.raises(KeyboardInterrupt):
        await go_on(world, run, stop=2)
    assert {row[:2] for row in await held(world)} == {("An", "TC"), ("Bình", "TC"), ("Eve", "NV")}
    assert await state_of(world, run) == "running"
    await go_on(world, run)
    await go_on(world, run)
    assert {row[:2] for row in await held(world)} == {("An", "TC"), ("Bình", "TC"), ("Eve", "TC")}
    assert (await world.tags()).count("reorganisation.done") == 1


async def test_posts_that_stand_on_each_other_go_together(world: World) -> None:
    home = await world.employ("An", "NV", "Chi")
    beside = world.draft("concurrent", unit="NV-P", position="van_thu")
    asked = await world.ask("An", beside)
    await world.approve("Chi", asked.id)
    until = {"until": "2026-12-31", "movement": "secondment", "position": "chuyen_vien"}
    await world.employ("Bình", "NV", "Chi")
    moved = await world.ask("Bình", world.draft("transfer", unit="TC", **until))
    await world.approve("Chi", moved.id)
    await world.approve("Dũng", moved.id)
    await go_on(world, await begin(world, await plan(world, MERGE)))
    assert await held(world) >= {("An", "TC", "active", True), ("Bình", "TC", "suspended", True)}
    roles = {
        row[0]: row for row in await rows(world, Role, "id", "state", "stands_on", "is_home", "account_id")
    }
    (post,) = [row for row in roles.values() if not row[3] and row[1] == "active"]
    assert roles[post[2]][1] == "active" and post[2] != home.id
    (away,) = [row for row in roles.values() if row[2] and row[3] and row[1] == "active"]
    assert roles[away[2]][1] == "suspended"
    world.pass_time(days=400)
    await world.roll()
    assert ("Bình", "TC", "active", True) in await held(world), "the home post comes back in the new unit"


async def test_a_split_shares_everybody_out_and_forgets_nobody(world: World) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    split = [{"action": "split", "unit_code": "NV", "target_code": to} for to in ("TC", "NV-P")]
    split.append({"action": "move", "unit_code": "NV-P", "new_parent_code": "HUE"})
    shares = {"An": "TC", "Bình": "NV-P"}
    assert await reasons(world, *split, people=shares) == [(2, "unit_code", "split_forgets")]
    with pytest.raises(ImportRefused) as forgets:
        await plan(world, *split, people=shares)
    values = forgets.value.errors[0].values
    assert values == {"count": "1", "who": masked(world.numbers["Eve"])}, "who is forgotten is found again"
    strange = {"An": "TC", "Bình": "HUE", "Eve": "TC", "Chi": "TC"}
    found = await reasons(world, *split, people=strange)
    assert {(3, "target_code", "not_a_part"), (5, "national_id", "not_in_split")} <= set(found)
    made = await plan(world, *split, people={**shares, "Eve": "TC"})
    assert made.counts() == [("HUE", 0, 0), ("NV", 0, 3), ("NV-P", 1, 0), ("TC", 2, 0)]
    await go_on(world, await begin(world, made))
    assert {row[:2] for row in await held(world)} == {("An", "TC"), ("Bình", "NV-P"), ("Eve", "TC")}


async def test_a_part_of_a_unit_may_stay_where_it_is(world: World) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    split = [{"action": "split", "unit_code": "NV", "target_code": to} for to in ("NV", "TC")]
    made = await plan(world, *split, people={"An": "NV", "Bình": "TC"})
    assert made.counts() == [("NV", 0, 1), ("TC", 1, 0)]
    await go_on(world, await begin(world, made))
    assert {row[:2] for row in await held(world)} == {("An", "NV"), ("Bình", "TC")}
    assert {row[1] for row in await rows(world, Unit, "code", "ended_on")} == {None}


async def test_units_are_renamed_and_moved_and_their_people_told(world: World) -> None:
    await world.system("hrm")
    await world.employ("An", "NV-P", "Chi")
    before = {row[0] for row in await rows(world, Delivery, "id")}
    acts = [
        {"action": "rename", "unit_code": "TC", "new_name": "Sở Tài chính"},
        {"action": "move", "unit_code": "NV-P", "target_code": "", "new_parent_code": "TC"},
    ]
    await go_on(world, await begin(world, await plan(world, *acts)))
    found = {row[0]: row for row in await rows(world, Unit, "code", "name", "parent_id")}
    assert (found["TC"][1], found["NV-P"][2]) == ("Sở Tài chính", world.units["TC"])
    fresh = [row for row in await rows(world, Delivery, "id", "lane") if row[0] not in before]
    assert [row[1] for row in fresh] == [2]


async def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a reorganisation touches, as far as it can be as it was."""
    steps = await rows(world, RequestStep, "id", "unit_id", "decider_id", "decision")
    asked = await rows(world, RoleRequest, "id", "unit_id", "role_id", "status", "keeps")
    return {
        "units": await rows(
            world, Unit, *(one.name for one in Unit.__table__.columns if one.name != "folded")
        ),
        "roles": await rows(world, Role, *(column.name for column in Role.__table__.columns)),
        "staff": await rows(world, StaffRecord, "id", "unit_id"),
        "rights": await rows(world, Appointment, "id", "unit_id", "ended_at", "from_on"),
        "asked": asked,
        "steps": steps,
    }


async def reverse(world: World, run: UUID, stop: int | None = None, **said: bool) -> None:
    leave = said.get("leave_changed", False)
    async with world.db.write() as tx:
        await reversing.begin(tx, world.kit, run, leave_changed=leave, now=world.now)
    await back(world, run, stop)


async def back(world: World, run: UUID, stop: int | None = None) -> None:
    def progress(done: int, _every: int) -> None:
        if stop is not None and done >= stop:
            raise KeyboardInterrupt

    await reversing.go_on(world.db, world.kit, run, by=None, now=world.now, progress=progress)


async def test_what_was_taken_back_is_as_it_was_row_by_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("concurrent", unit="NV-P", position="van_thu"))
    await world.approve("Chi", asked.id)
    await world.employ("Bình", "NV", "Chi")
    world.pass_time(minutes=1)
    later = (world.today + timedelta(days=9)).isoformat()
    planned = await world.ask("Eve", world.draft(unit="NV", effective_on=later))
    await world.approve("Chi", planned.id)
    await world.ask("Bình", world.draft("transfer", unit="TC"))
    before = await everything(world)
    monkeypatch.setattr(running, "CHUNK", 1)
    monkeypatch.setattr(reversing, "CHUNK", 1)
    acts = [MERGE | {"new_name": "Sở Mới"}, {"action": "move", "unit_code": "NV-P", "new_parent_code": "TC"}]
    run = await begin(world, await plan(world, *acts))
    await go_on(world, run)
    assert await everything(world) != before
    world.pass_time(hours=1)
    with pytest.raises(KeyboardInterrupt):
        await reverse(world, run, stop=1)
    assert await state_of(world, run) == "reversing"
    await back(world, run)
    after = await everything(world)
    kept = {row[0] for row in before["roles"]}
    between = [row for row in after["roles"] if row[0] not in kept]
    after["roles"] = [row for row in after["roles"] if row[0] in kept]
    for table, found in before.items():
        assert after[table] == found, table
    assert home.id in kept and len(between) == 2, "the time between stays in their history"
    assert await state_of(world, run) == "reversed"
    with pytest.raises(reversing.NotDone):
        await reverse(world, run)


async def test_whose_role_has_changed_since_is_named_and_may_be_left(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV", "Chi")
    run = await begin(world, await plan(world, MERGE))
    await go_on(world, run)
    (role,) = [one for one in await world.roles("An") if one.state == "active"]
    await world.end("Dũng", role.id)
    world.pass_time(minutes=1)
    with pytest.raises(reversing.ChangedSince) as refused:
        await reverse(world, run)
    assert refused.value.people == [world.people["An"]] and await state_of(world, run) == "done"
    await reverse(world, run, leave_changed=True)
    assert await held(world) == {("Bình", "NV", "active", True)}


async def test_a_unit_that_was_changed_since_is_put_back_first(world: World) -> None:
    run = await begin(world, await plan(world, MERGE | {"new_name": "Sở Mới"}))
    await go_on(world, run)
    async with world.db.write() as tx:
        (await tx.get_one(Unit, world.units["TC"])).name = "Khác"
    with pytest.raises(reversing.ChangedSince) as refused:
        await reverse(world, run, leave_changed=True)
    assert refused.value.units == ["TC"]
