"""A transfer is one act: the old unit releases, the new unit receives, both roles flip together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.errors import Refusal
from tests.backend.roles.world import World


@pytest.mark.parametrize("order", [("Chi", "Dũng"), ("Dũng", "Chi")])
async def test_both_units_have_to_agree_in_any_order(world: World, order: tuple[str, str]) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve(order[0], asked.id)
    assert (await world.request(asked.id)).status == "pending"
    assert await world.states("An") == ["NV:active"]
    await world.approve(order[1], asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_a_unit_says_its_word_once(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]


@pytest.mark.parametrize("who", ["Chi", "Dũng"])
async def test_either_units_no_is_the_end(world: World, who: str) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    other = {"Chi": "Dũng", "Dũng": "Chi"}[who]
    await world.approve(other, asked.id)
    await world.reject(who, asked.id)
    assert (await world.request(asked.id)).status == "rejected"
    assert await world.states("An") == ["NV:active"]


async def test_a_managers_own_unit_counts_at_once(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Chi", role.id, "TC", note="Điều động theo quyết định")
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_a_receiving_manager_may_start_it_too(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Dũng", role.id, "TC")
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Dũng", asked.id)
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]


@pytest.mark.parametrize(
    ("who", "code"), [("Eve", "role_not_found"), ("An", "own_request"), ("Giang", "role_not_found")]
)
async def test_others_cannot_move_anybody(world: World, who: str, code: str) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(Refusal, match=code):
        await world.move(who, role.id, "TC")
    assert await world.states("An") == ["NV:active"]
    assert (await world.tags())[-1] == "access.refused"


async def test_a_manager_does_not_move_themselves(world: World) -> None:
    asked = await world.ask("Chi")
    await world.approve("Giang", asked.id)
    (role,) = await world.roles("Chi")
    with pytest.raises(Refusal, match="own_request"):
        await world.move("Chi", role.id, "TC")


async def test_nobody_moves_to_where_they_are(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(Refusal) as bad:
        await world.move("Chi", role.id, "NV")
    assert bad.value.facts["errors"][0]["code"] == "same_unit"  # type: ignore[index]


async def test_on_its_day_the_roles_flip_together(world: World) -> None:
    await world.system("Văn bản")
    await world.employ("An", "NV", "Chi")
    day = world.today + timedelta(days=5)
    asked = await world.ask("An", world.draft("transfer", "TC", effective_on=day))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:scheduled"]
    assert len(await world.deliveries("An")) == 1
    world.pass_time(days=4, hours=13, minutes=59)  # 23:59 of the day before, in Huế
    assert await world.roll() == 0
    world.pass_time(minutes=1)
    assert await world.roll() == 1
    assert await world.states("An") == ["NV:ended", "TC:active"]
    late = (await world.deliveries("An"))[-1]
    assert (late.request_id, late.not_before) == (asked.id, world.now)
    assert await world.roll() == 0


async def test_while_a_transfer_waits_nothing_else_is_planned(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC", effective_on=world.today + timedelta(days=5)))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    for kind in ("amend", "end", "transfer"):
        with pytest.raises(Refusal, match="change_scheduled"):
            await world.ask("An", world.draft(kind, "HUE" if kind == "transfer" else None))
    with pytest.raises(Refusal, match="home_role_exists"):
        await world.ask("An", world.draft())


async def test_a_role_that_ran_out_is_followed_by_the_planned_one(world: World) -> None:
    await world.employ("An", "NV", "Chi", until=world.today + timedelta(days=2))
    asked = await world.ask("An", world.draft("transfer", "TC", effective_on=world.today + timedelta(days=9)))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    world.pass_time(days=4)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:scheduled"]
    world.pass_time(days=5)
    await world.roll()
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_a_transfer_tells_the_systems_of_both_units(world: World) -> None:
    north, south, other = (
        await world.system("NV", "NV"),
        await world.system("TC", "TC"),
        await world.system("X", "NV-P"),
    )
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    told = {
        delivery.system_id for delivery in await world.deliveries("An") if delivery.request_id == asked.id
    }
    assert told == {north, south}
    assert other not in told
