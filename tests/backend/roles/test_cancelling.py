"""An approved change whose day has not come (rule 630; case R15): cancelled before it began, or planned anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.errors import Refusal
from backend.roles.movements import SEPARATION
from tests.backend.roles.test_suspension import act
from tests.backend.roles.world import World


async def test_r15_whoever_asked_cancels_until_the_day_and_it_reads_so(world: World) -> None:
    day = world.today + timedelta(days=3)
    asked = await world.ask("An", world.draft(effective_on=day))
    await world.approve("Chi", asked.id)
    for other in ("Eve", "Chi"):
        with pytest.raises(Refusal):
            await world.withdraw(other, asked.id)
    off = await world.withdraw("An", asked.id)
    assert (off.status, off.text_due_at) == ("withdrawn", None)
    (role,), shown = await world.roles_seen("An"), await world.own("An", asked.id)
    assert (role.state, role.cancelled, role.from_on, role.until_on) == ("ended", True, day, None)
    assert (shown.can_withdraw, shown.can_correct) == (False, False)
    assert (await world.tags())[-1] == "role.withdrawn"
    (words,) = await world.told("An")
    assert "bị hủy trước ngày hiệu lực" in words, "and nothing of an approval that nobody had heard of"
    world.pass_time(days=4)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:ended"]
    again = await world.ask("An")
    await world.approve("Chi", again.id)
    with pytest.raises(Refusal, match="already_decided"):
        await world.withdraw("An", again.id)


async def test_r15_an_end_and_a_move_that_are_called_off_leave_the_role_as_it_was(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    day = world.today + timedelta(days=5)
    end = await world.ask("An", world.draft("end", role_id=role.id, effective_on=day))
    await world.approve("Chi", end.id)
    await world.withdraw("An", end.id)
    moved = await world.ask("An", world.draft("transfer", "TC", effective_on=day))
    await world.approve("Chi", moved.id)
    await world.approve("Dũng", moved.id)
    assert await world.states("An") == ["NV:active", "TC:scheduled"]
    await world.withdraw("An", moved.id)
    world.pass_time(days=6)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:active", "TC:ended"]
    assert (await world.roles("An"))[0].until_on is None


async def test_r15_a_planned_change_is_planned_anew_and_every_unit_asked_again(world: World) -> None:
    day = world.today + timedelta(days=3)
    asked = await world.ask("An", world.draft(effective_on=day))
    await world.approve("Chi", asked.id)
    again = await world.resubmit("An", asked.id, world.draft(effective_on=day + timedelta(days=1)))
    assert (again.status, await world.states("An")) == ("pending", ["NV:undone"])
    world.pass_time(days=5)
    await world.roll()  # the waiting word is late by now
    assert await world.states("An") == ["NV:undone"], "nobody has granted it anew"
    with pytest.raises(Refusal):
        await world.resubmit("An", asked.id)
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:undone", "NV:active"]


async def test_r15_a_planned_separation_is_called_off_by_a_manager_of_the_unit_alone(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    day = world.today + timedelta(days=5)
    leaves = await act(world, "Chi", role.id, SEPARATION, on=day)
    for other in ("An", "Dũng"):
        with pytest.raises(Refusal):
            await world.withdraw(other, leaves.id)
    await world.withdraw("Chi", leaves.id)
    assert (await world.roles("An"))[0].until_on is None
    world.pass_time(days=6)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:active"]
