"""A secondment: the home post waits and comes back by itself the day after (rule 624)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.account import Account
from backend.errors import FieldsInvalid, Refusal
from backend.roles.models import Role, RoleRequest
from tests.backend.roles.world import World, code_of


async def seconded(world: World, days: int = 10, **more: object) -> tuple[Role, RoleRequest]:
    """An of NV, lent to TC until in `days`; the home role, and the request."""
    role = await world.employ("An", "NV", "Chi")
    until = world.today + timedelta(days=days)
    asked = await world.move("Chi", role.id, "TC", movement="secondment", until=until, **more)
    return role, await world.approve("Dũng", asked.id)


async def test_the_home_post_waits_and_comes_back_the_day_after(world: World) -> None:
    _, asked = await seconded(world)
    assert await world.states("An") == ["NV:suspended", "TC:active"]
    here, there = sorted(await world.roles_seen("An"), key=lambda role: role.unit_code)
    assert (here.kind, here.resumes_on) == ("home", world.today + timedelta(days=11))
    assert (there.kind, there.resumes_on, there.until_on) == ("home", None, asked.until_on)
    world.pass_time(days=10)
    assert await world.roll() == 0, "the last day is still the other unit's"
    world.pass_time(days=1)
    assert await world.roll() == 1 and await world.roll() == 0
    assert await world.states("An") == ["NV:active", "TC:ended"]


async def test_the_worker_that_was_down_for_a_month_does_it_then(world: World) -> None:
    await seconded(world, effective_on=world.today + timedelta(days=3))
    assert await world.states("An") == ["NV:active", "TC:scheduled"]
    world.pass_time(days=40)
    while await world.roll():
        pass
    assert await world.states("An") == ["NV:active", "TC:ended"]


async def test_sessions_outlive_a_secondment_that_ends(world: World) -> None:
    await seconded(world)
    await world.signed_in("An")
    world.pass_time(days=11)
    await world.roll()
    async with world.db.read() as tx:
        account = await tx.get_one(Account, world.people["An"])
    assert account.active_session_id is not None


async def test_an_early_end_resumes_the_home_post_in_the_same_act_and_its_undo_lends_it_again(
    world: World,
) -> None:
    await seconded(world)
    asked = await world.ask("An", world.draft("end"))
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:ended"]
    await world.undo("Dũng", asked.id)
    assert await world.states("An") == ["NV:suspended", "TC:active"]
    world.pass_time(days=11)
    await world.roll()
    assert await world.states("An") == ["NV:active", "TC:ended"]


async def test_an_early_end_on_a_day_to_come_brings_the_post_back_that_day(world: World) -> None:
    await seconded(world)
    asked = await world.ask("An", world.draft("end", effective_on=world.today + timedelta(days=4)))
    await world.approve("Dũng", asked.id)
    here = next(role for role in await world.roles_seen("An") if role.unit_code == "NV")
    assert here.resumes_on == world.today + timedelta(days=4)
    world.pass_time(days=4)
    await world.roll()
    assert await world.states("An") == ["NV:active", "TC:ended"]


async def test_the_undo_of_a_secondment_leaves_no_trace(world: World) -> None:
    _, asked = await seconded(world)
    await world.undo("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:undone"]


async def test_whoever_leaves_the_home_post_leaves_the_secondment(world: World) -> None:
    role, _ = await seconded(world)
    ended = await world.end("Chi", role.id)
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    await world.undo("Chi", ended.id)
    assert await world.states("An") == ["NV:suspended", "TC:active"]


async def test_a_secondment_that_has_not_begun_falls_with_the_post(world: World) -> None:
    role, asked = await seconded(world, effective_on=world.today + timedelta(days=3))
    await world.end("Chi", role.id)
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    world.pass_time(days=5)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    assert (await world.own("An", asked.id)).status == "approved"


@pytest.mark.parametrize("movement", ["secondment", "transfer", "rotation"])
async def test_nobody_is_lent_or_moved_out_of_a_secondment(world: World, movement: str) -> None:
    await seconded(world)
    until = world.today + timedelta(days=3)
    with pytest.raises(Refusal) as refused:
        await world.ask("An", world.draft("transfer", "HUE", movement=movement, until=until))
    assert code_of(refused.value) == "not_by_itself"


async def test_a_secondment_wants_its_last_day_within_the_catalogue_and_within_the_post(world: World) -> None:
    until = world.today + timedelta(days=100)
    role = await world.employ("An", "NV", "Chi", until=until)
    for day, code in (
        (None, "until_required"),
        (world.today + timedelta(days=1097), "until_too_late"),
        (until + timedelta(days=1), "until_too_late"),
    ):
        with pytest.raises(FieldsInvalid) as refused:
            await world.move("Chi", role.id, "TC", movement="secondment", until=day)
        assert refused.value.code == code == refused.value.fields[0].code
    with pytest.raises(FieldsInvalid) as refused:
        first = world.today + timedelta(days=5)
        await world.move("Chi", role.id, "TC", movement="secondment", effective_on=first, until=world.today)
    assert [one.code for one in refused.value.fields] == ["before_effective"]
    assert (await world.move("Chi", role.id, "TC", movement="secondment", until=until)).status == "pending"


async def test_post_and_secondment_that_run_out_together_both_end(world: World) -> None:
    until = world.today + timedelta(days=10)
    role = await world.employ("An", "NV", "Chi", until=until)
    asked = await world.move("Chi", role.id, "TC", movement="secondment", until=until)
    await world.approve("Dũng", asked.id)
    world.pass_time(days=11)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:ended"]


async def test_a_correction_neither_loses_nor_stretches_the_last_day(world: World) -> None:
    _, asked = await seconded(world)
    fixed = await world.ask("An", world.draft("amend", position="truong_phong"))
    await world.approve("Dũng", fixed.id)
    assert (await world.roles("An"))[-1].until_on == asked.until_on
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft("amend", until=world.today + timedelta(days=1097)))
    assert refused.value.code == "until_too_late"


async def test_nobody_goes_to_a_unit_that_ends_the_day_before(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    day = world.today + timedelta(days=5)
    await world.unit("KT", "HUE", ended_on=day)
    with pytest.raises(FieldsInvalid) as refused:
        await world.move("Chi", role.id, "KT", effective_on=day)
    assert [one.code for one in refused.value.fields] == ["unit_closed"]


async def test_both_units_systems_hear_of_it_when_it_ends(world: World) -> None:
    here, there = await world.system("here", "NV"), await world.system("there", "TC")
    await seconded(world)
    world.pass_time(days=11)
    version = (await world.deliveries("An"))[-1].version
    await world.roll()
    told = {row.system_id for row in await world.deliveries("An") if row.version > version}
    assert told == {here, there}
