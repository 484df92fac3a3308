"""Suspension, and whoever leaves (rules 622, 623; case R12): at once, everything of the person, in one commit."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from backend.account import Account
from backend.errors import FieldsInvalid, Refusal, settle
from backend.outbox.queue import REVOCATION
from backend.roles import acts
from backend.roles.acts import More
from backend.roles.models import RoleRequest
from backend.roles.movements import SEPARATION, SUSPENSION, Movement
from backend.roles.policy import RoleMoved
from tests.backend.roles.test_concurrent import beside
from tests.backend.roles.world import World, code_of


async def act(
    world: World, name: str, role_id: UUID, move: Movement, *, on: date | None = None, **papers: str
) -> RoleRequest:
    """The manager `name` does it."""
    async with world.db.write() as tx:
        done = await acts.act(
            tx,
            world.kit,
            role_id,
            move,
            reason="Theo quyết định",
            by=world.people[name],
            now=world.now,
            more=More(on, papers),
        )
    return settle(done)


async def lift(world: World, name: str, role_id: UUID) -> None:
    """The manager `name` lets somebody back."""
    async with world.db.write() as tx:
        done = await acts.lift(tx, world.kit, role_id, by=world.people[name], now=world.now)
    settle(done)


async def is_signed_in(world: World, name: str) -> bool:
    async with world.db.read() as tx:
        return (await tx.get_one(Account, world.people[name])).active_session_id is not None


async def test_a_suspension_halts_every_role_ends_every_session_and_is_told_at_once(world: World) -> None:
    await world.system("all")
    role = await world.employ("An", "NV", "Chi")
    await beside(world)
    await world.signed_in("An")
    made = await act(world, "Chi", role.id, SUSPENSION, decision_number="3/QĐ")
    assert (made.kind, made.status) == ("suspension", "approved")
    assert await world.states("An") == ["NV:suspended", "TC:suspended"]
    assert not await is_signed_in(world, "An")
    last = (await world.deliveries("An"))[-1]
    assert (last.lane, last.not_before <= world.now) == (REVOCATION, True), "nothing is held"
    with pytest.raises(Refusal) as refused:
        await world.undo("Chi", made.id)
    assert code_of(refused.value) == "undo_too_late"


async def test_who_suspends_second_is_told_so_before_anything_is_looked_at(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await act(world, "Chi", role.id, SUSPENSION)
    with pytest.raises(RoleMoved):
        await act(world, "Chi", role.id, SUSPENSION, decision_date="hôm qua")


async def test_letting_back_brings_back_exactly_what_was_suspended(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await beside(world)
    made = await act(world, "Chi", role.id, SUSPENSION)
    with pytest.raises(Refusal):
        await world.undo("Chi", made.id)  # also where no system has heard of it yet
    with pytest.raises(Refusal) as refused:
        await lift(world, "Dũng", role.id)
    assert code_of(refused.value) == "role_not_found"
    await lift(world, "Chi", role.id)
    assert await world.states("An") == ["NV:active", "TC:active"]
    with pytest.raises(Refusal) as refused:
        await lift(world, "Chi", role.id)
    assert code_of(refused.value) == "not_suspended"


async def test_a_suspended_manager_does_not_decide_and_does_again_when_let_back(world: World) -> None:
    head = await world.employ("Chi", "NV", "Giang", position="truong_phong")
    asked = await world.ask("An")
    await act(world, "Giang", head.id, SUSPENSION)
    with pytest.raises(Refusal):
        await world.approve("Chi", asked.id)
    await lift(world, "Giang", head.id)
    assert (await world.approve("Chi", asked.id)).status == "approved"


async def test_a_secondment_that_runs_out_under_a_suspension_leaves_the_home_post_suspended(
    world: World,
) -> None:
    role = await world.employ("An", "NV", "Chi")
    until = world.today + timedelta(days=5)
    lent = await world.move("Chi", role.id, "TC", movement="secondment", until=until)
    await world.approve("Dũng", lent.id)
    await act(world, "Chi", role.id, SUSPENSION)
    assert await world.states("An") == ["NV:suspended", "TC:suspended"]
    world.pass_time(days=6)
    await world.roll()
    assert await world.states("An") == ["NV:suspended", "TC:ended"]
    await lift(world, "Chi", role.id)
    assert await world.states("An") == ["NV:active", "TC:ended"]


async def planned(world: World, role_id: UUID, movement: str, on: date) -> None:
    """An's change for that day, approved by everybody."""
    if movement == "concurrent":
        await beside(world, effective_on=on)
    elif movement == "amend":
        wish = world.draft("amend", role_id=role_id, position="van_thu", effective_on=on)
        await world.approve("Chi", (await world.ask("An", wish)).id)
    elif movement == "appointment":
        await world.move("Chi", role_id, None, movement=movement, position="truong_phong", effective_on=on)
    else:
        until = on + timedelta(days=30) if movement == "secondment" else None
        asked = await world.move("Chi", role_id, "TC", movement=movement, effective_on=on, until=until)
        await world.approve("Dũng", asked.id)


@pytest.mark.parametrize("movement", ["transfer", "secondment", "appointment", "amend", "concurrent"])
async def test_rule_622_what_was_planned_waits_under_a_suspension_and_holds_up_nobody_else(
    world: World, movement: str
) -> None:
    role, on = await world.employ("An", "NV", "Chi"), world.today + timedelta(days=3)
    await planned(world, role.id, movement, on)
    other = await world.ask("Bình", world.draft("register", "TC", effective_on=on))
    await world.approve("Dũng", other.id)
    await act(world, "Chi", role.id, SUSPENSION)
    before = await world.states("An")
    world.pass_time(days=5)
    await world.roll()
    assert (await world.states("Bình"), await world.states("An")) == (["TC:active"], before)
    await lift(world, "Chi", role.id)
    await world.roll()
    assert "NV:suspended" not in await world.states("An") or movement == "secondment"
    assert any(one.endswith(":active") for one in await world.states("An"))
    assert not any(one.endswith(":scheduled") for one in await world.states("An"))


async def test_rule_622_nothing_begins_beside_a_post_that_is_suspended(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("concurrent", "TC", position="van_thu"))
    await world.approve("Chi", asked.id)
    await act(world, "Chi", role.id, SUSPENSION)
    with pytest.raises(RoleMoved):
        await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:suspended"]
    await lift(world, "Chi", role.id)
    assert (await world.approve("Dũng", asked.id)).status == "approved"


@pytest.mark.parametrize("move", [SUSPENSION, SEPARATION])
async def test_the_whole_person_is_the_home_units_to_say(world: World, move: Movement) -> None:
    await world.employ("An", "NV", "Chi")
    await beside(world)
    there = (await world.roles("An"))[-1]
    with pytest.raises(Refusal) as refused:
        await act(world, "Dũng", there.id, move)
    assert code_of(refused.value) == "not_by_itself"


async def test_nobody_is_suspended_on_a_day_to_come(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as wrong:
        await act(world, "Chi", role.id, SUSPENSION, on=world.today + timedelta(days=1))
    assert [one.code for one in wrong.value.fields] == ["not_possible"]


async def test_r16_somebody_has_left_by_a_decision_of_last_week(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as wrong:
        await act(world, "Chi", role.id, SEPARATION, on=world.today - timedelta(days=31))
    assert [one.code for one in wrong.value.fields] == ["not_possible"]
    made = await act(world, "Chi", role.id, SEPARATION, on=world.today - timedelta(days=7))
    assert made.effective_on == world.today - timedelta(days=7)
    assert await world.states("An") == ["NV:ended"]


async def test_whoever_leaves_leaves_with_everything_in_one_commit(world: World) -> None:
    await world.system("all")
    role = await world.employ("An", "NV", "Chi")
    await beside(world)
    asked = await world.ask("An", world.draft("amend", position="truong_phong"))
    await world.signed_in("An")
    made = await act(world, "Chi", role.id, SEPARATION)
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    assert (await world.request(asked.id)).status == "withdrawn"
    assert not await is_signed_in(world, "An")
    last = (await world.deliveries("An"))[-1]
    assert (last.lane, last.not_before <= world.now, made.kind) == (REVOCATION, True, "separation")
    assert any("không còn hiệu lực" in body for body in await world.told("An"))


async def test_whoever_leaves_on_a_day_leaves_on_that_day_also_from_a_secondment(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    lent = await world.move(
        "Chi", role.id, "TC", movement="secondment", until=world.today + timedelta(days=90)
    )
    await world.approve("Dũng", lent.id)
    await act(world, "Chi", role.id, SEPARATION, on=world.today + timedelta(days=3))
    assert await world.states("An") == ["NV:suspended", "TC:active"]
    world.pass_time(days=30)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:ended"]


async def test_r12_what_is_open_about_a_role_falls_with_it_and_its_owner_reads_so(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("amend", position="truong_phong"))
    await world.end("Chi", role.id)
    assert (await world.own("An", asked.id)).status == "withdrawn"
    world.pass_time(seconds=11)
    assert any("không còn hiệu lực" in body for body in await world.told("An"))
    assert (await world.ask("An")).status == "pending", "and blocks nothing"


async def test_r12_a_role_that_runs_out_takes_the_request_along(world: World) -> None:
    await world.employ("An", "NV", "Chi", until=world.today + timedelta(days=1))
    asked = await world.ask("An", world.draft("amend", position="truong_phong"))
    world.pass_time(days=2)
    await world.roll()
    assert (await world.own("An", asked.id)).status == "withdrawn"
