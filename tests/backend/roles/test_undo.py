"""Ten seconds in which a word can be taken back, with everything that it did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.errors import Refusal
from tests.backend.roles.world import World


async def test_a_registration_is_taken_back_before_anything_left(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=9)
    undone = await world.undo("Chi", asked.id)
    assert (undone.status, undone.version, undone.decided_by) == ("pending", 3, None)
    assert await world.states("An") == ["NV:undone"]
    assert [delivery.state for delivery in await world.deliveries("An")] == ["cancelled"]
    assert (await world.tags())[-1] == "role.decision_undone"
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:undone", "NV:active"]


@pytest.mark.parametrize("seconds", [11, 3600])
async def test_later_it_is_too_late(world: World, seconds: int) -> None:
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=seconds)
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]


async def test_only_the_one_who_decided_takes_it_back(world: World) -> None:
    await world.person("Hoa", manages="NV")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    for who, code in (("Hoa", "undo_too_late"), ("Eve", "request_not_found"), ("An", "undo_too_late")):
        with pytest.raises(Refusal, match=code):
            await world.undo(who, asked.id)
    assert await world.states("An") == ["NV:active"]


async def test_a_decision_is_taken_back_once(world: World) -> None:
    asked = await world.ask("An")
    await world.reject("Chi", asked.id)
    await world.undo("Chi", asked.id)
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)
    assert (await world.request(asked.id)).status == "pending"


async def test_a_rejection_stays_when_the_person_has_asked_again(world: World) -> None:
    asked = await world.ask("An")
    await world.reject("Chi", asked.id)
    await world.ask("An")
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)


async def test_a_transfer_taken_back_leaves_the_old_role_in_force(world: World) -> None:
    await world.system("Văn bản")
    old = await world.employ("An", "NV", "Chi")
    world.pass_time(minutes=5)
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    world.pass_time(minutes=1)
    await world.approve("Dũng", asked.id)
    await world.undo("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:undone"]
    back = (await world.roles("An"))[0]
    assert (back.id, back.ended_at, back.end_reason, back.ended_by_request) == (old.id, None, None, None)
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:undone", "TC:active"]


async def test_one_units_word_is_taken_back_while_the_other_is_awaited(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.undo("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:active"]
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_a_correction_taken_back_restores_every_field(world: World) -> None:
    role = await world.employ("An", "NV", "Chi", fields={"employee_code": "A1"})
    until = world.today + timedelta(days=30)
    asked = await world.ask(
        "An", world.draft("amend", position="truong_phong", until=until, fields={"employee_code": "B2"})
    )
    await world.approve("Chi", asked.id)
    changed = (await world.roles("An"))[0]
    assert (changed.position, changed.until_on) == ("truong_phong", until)
    await world.undo("Chi", asked.id)
    restored = (await world.roles("An"))[0]
    assert (restored.position, restored.until_on, restored.state) == ("chuyen_vien", None, "active")
    assert world.fields(restored) == world.fields(role) == {"employee_code": "A1"}


async def test_an_ended_role_comes_back(world: World) -> None:
    until = world.today + timedelta(days=90)
    role = await world.employ("An", "NV", "Chi", until=until)
    ended = await world.end("Chi", role.id)
    assert await world.states("An") == ["NV:ended"]
    await world.undo("Chi", ended.id)
    assert await world.states("An") == ["NV:active"]
    assert (await world.roles("An"))[0].until_on == until


async def test_an_end_in_the_calendar_is_taken_out_again(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("end", effective_on=world.today + timedelta(days=10)))
    await world.approve("Chi", asked.id)
    assert (await world.roles("An"))[0].until_on == world.today + timedelta(days=9)
    await world.undo("Chi", asked.id)
    assert (await world.roles("An"))[0].until_on is None


async def test_a_planned_transfer_comes_back_with_the_role(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC", effective_on=world.today + timedelta(days=3)))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    world.pass_time(minutes=1)
    ended = await world.end("Chi", role.id)
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    await world.undo("Chi", ended.id)
    assert await world.states("An") == ["NV:active", "TC:scheduled"]
    world.pass_time(days=3)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_a_decision_that_left_the_house_stays(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=10)
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]


async def test_the_last_word_of_a_transfer_is_taken_back_by_nobody_but_who_said_it(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=2)
    await world.approve("Dũng", asked.id)
    world.pass_time(seconds=2)
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]
    await world.undo("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:undone"]
