"""Posts beside the home post (rule 619; case R11): who agrees, how many, which do not go together, what ends with what."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import msgspec
import pytest

from backend.errors import FieldsInvalid, Refusal
from backend.roles.catalogue.entries import Approval, Catalogue
from backend.roles.catalogue.in_force import shipped
from backend.roles.models import Role, RoleRequest
from tests.backend.roles.editions import Edit, bring_in, held_by
from tests.backend.roles.world import MANY, World, code_of


async def beside(world: World, unit: str = "TC", **more: object) -> RoleRequest:
    """An, who has a role in NV, gets a post beside it."""
    asked = await world.ask("An", world.draft("concurrent", unit, position="van_thu", **more))
    await world.approve("Chi", asked.id)
    return await world.approve({"TC": "Dũng", "NV": "Chi"}[unit], asked.id)


async def at(world: World, unit: str) -> Role:
    """An's youngest role there."""
    return [role for role in await world.roles("An") if role.unit_id == world.units[unit]][-1]


async def test_r11_a_second_post_is_approved_by_its_unit_and_agreed_to_at_home(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("concurrent", "TC", position="van_thu"))
    steps = (await world.own("An", asked.id)).steps
    assert [(step.duty, step.unit_code) for step in steps] == [("release", "NV"), ("approve", "TC")]
    assert (await world.approve("Dũng", asked.id)).status == "pending"
    assert (await world.approve("Chi", asked.id)).status == "approved"
    assert await world.states("An") == ["NV:active", "TC:active"]
    kinds = {role.unit_code: role.kind for role in await world.roles_seen("An")}
    assert kinds == {"NV": "home", "TC": "concurrent"}
    await world.undo("Chi", asked.id)
    assert await world.states("An") == ["NV:active", "TC:undone"]


async def test_a_system_of_both_units_sees_the_home_post_first_and_the_groups_of_both(world: World) -> None:
    system = await world.system("all")
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("concurrent", "TC", position="van_thu"))
    (effect,) = (await world.seen_by("Dũng", asked.id)).effects
    assert {str(change.text) for change in effect.changes} == {"Thêm vào nhóm"}
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    state = await held_by(world, "An", system)
    assert state.unit_code == "NV" and {"NV", "TC"} <= {group.external_id for group in state.groups}


async def test_the_second_post_ends_with_the_home_role_and_comes_back_with_it(world: World) -> None:
    home = await world.employ("An", "NV", "Chi")
    await beside(world)
    ended = await world.end("Chi", home.id)
    assert await world.states("An") == ["NV:ended", "TC:ended"]
    await world.undo("Chi", ended.id)
    assert await world.states("An") == ["NV:active", "TC:active"]


async def test_a_kept_post_outlives_the_home_role_and_goes_along_with_a_move(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await beside(world)
    second = await at(world, "TC")
    asked = await world.ask("An", world.draft("transfer", "HUE", keeps=[str(second.id)]))
    await world.approve("Chi", asked.id)
    await world.approve("Giang", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active", "HUE:active"]
    await world.undo("Giang", asked.id)
    assert await world.states("An") == ["NV:active", "TC:active", "HUE:undone"]
    await world.reject("Giang", asked.id)
    plain = await world.ask("An", world.draft("end"))
    await world.approve("Chi", plain.id)
    assert await world.states("An") == ["NV:ended", "TC:ended", "HUE:undone"], (
        "the undone move carried it off"
    )


async def test_what_does_not_stand_on_the_role_cannot_be_kept(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft("end", keeps=[str(role.id)]))
    assert [one.field for one in refused.value.fields] == ["keeps"]


async def test_an_appointment_in_the_unit_leaves_the_second_post_alone(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await beside(world)
    await world.move("Chi", role.id, None, movement="appointment", position="truong_phong")
    assert await world.states("An") == ["NV:ended", "TC:active", "NV:active"]
    await world.end("Chi", (await at(world, "NV")).id)
    assert (await at(world, "TC")).state == "ended", "it stands on the new post"


async def test_a_second_post_ends_by_itself_and_by_its_own_end_and_nothing_else_with_it(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await beside(world, until=str(world.today + timedelta(days=3)))
    await world.signed_in("An")
    world.pass_time(days=4)
    await world.roll()
    assert await world.states("An") == ["NV:active", "TC:ended"]
    await beside(world)
    asked = await world.ask("An", world.draft("end", role_id=str((await at(world, "TC")).id)))
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:active", "TC:ended", "TC:ended"]


@pytest.mark.parametrize("kind", ["transfer", "concurrent"])
async def test_a_second_post_does_not_move_by_itself(world: World, kind: str) -> None:
    await world.employ("An", "NV", "Chi")
    await beside(world)
    there = str((await at(world, "TC")).id)
    with pytest.raises(Refusal) as refused:
        await world.ask("An", world.draft(kind, "HUE", role_id=there, position="chuyen_vien"))
    assert code_of(refused.value) == "not_by_itself"


async def test_no_more_posts_than_the_catalogue_says_asked_and_clicked(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await bring_in(world, partial(msgspec.structs.replace, concurrent_limit=1))
    await beside(world)
    with pytest.raises(Refusal) as refused:
        await world.ask("An", world.draft("concurrent", "HUE", position="van_thu"))
    assert (code_of(refused.value), refused.value.facts) == ("concurrent_limit", {"most": 1})
    await bring_in(world, partial(msgspec.structs.replace, concurrent_limit=2))
    asked = await world.ask("An", world.draft("concurrent", "HUE", position="van_thu"))
    await world.approve("Chi", asked.id)
    await bring_in(world, partial(msgspec.structs.replace, concurrent_limit=1))
    with pytest.raises(Refusal) as refused:
        await world.approve("Giang", asked.id)
    assert code_of(refused.value) == "concurrent_limit"


async def test_posts_that_do_not_go_together_are_refused_when_asked_shown_and_refused_at_the_click(
    world: World,
) -> None:
    await world.employ("An", "NV", "Chi", position="ke_toan")
    with pytest.raises(Refusal) as refused:
        await world.ask("An", world.draft("concurrent", "TC", position="van_thu"))
    assert (code_of(refused.value), refused.value.facts) == (
        "incompatible_roles",
        {"posts": ["ke_toan", "van_thu"]},
    )
    rules = shipped().incompatible
    await bring_in(world, partial(msgspec.structs.replace, incompatible=()))
    asked = await world.ask("An", world.draft("concurrent", "TC", position="van_thu"))
    await world.approve("Chi", asked.id)
    await bring_in(world, partial(msgspec.structs.replace, incompatible=rules))
    seen = await world.seen_by("Dũng", asked.id)
    assert seen.conflict is not None and code_of(seen.why_not_approve or Refusal()) == "incompatible_roles"
    with pytest.raises(Refusal) as refused:
        await world.approve("Dũng", asked.id)
    assert code_of(refused.value) == "incompatible_roles"


async def test_a_post_that_waits_for_a_secondment_to_end_counts_among_those_that_do_not_go_together(
    world: World,
) -> None:
    """It comes back by itself: what was allowed while it waited would then stand beside it."""
    home = await world.employ("An", "NV", "Chi", position="ke_toan")
    asked = await world.ask("An", world.draft("concurrent", "HUE", position="chuyen_vien"))
    await world.approve("Chi", asked.id)
    await world.approve("Giang", asked.id)
    until = world.today + timedelta(days=10)
    lent = await world.move("Chi", home.id, "TC", movement="secondment", position="van_thu", until=until)
    await world.approve("Dũng", lent.id)
    other = await at(world, "HUE")
    with pytest.raises(Refusal) as refused:
        await world.ask("An", world.draft("amend", "HUE", role_id=other.id, position="van_thu"))
    assert (code_of(refused.value), refused.value.facts) == (
        "incompatible_roles",
        {"posts": ["ke_toan", "van_thu"]},
    )


async def test_a_pair_for_two_people_waits_for_the_second_who_is_not_the_first(world: World) -> None:
    await world.employ("An", "NV", "Chi", position="ke_toan")
    await world.person("Hoa", manages="TC")
    asked = await world.ask("An", world.draft("concurrent", "TC", position="mot_cua"))
    await world.approve("Chi", asked.id)
    assert (await world.seen_by("Dũng", asked.id)).needs == 2
    assert (await world.approve("Dũng", asked.id)).status == "pending"
    seen = await world.seen_by("Dũng", asked.id)
    assert (seen.needs, seen.given, code_of(seen.why_not_decide or Refusal())) == (
        2,
        1,
        "second_person_needed",
    )
    with pytest.raises(Refusal) as refused:
        await world.approve("Dũng", asked.id)
    assert code_of(refused.value) == "second_person_needed"
    assert (await world.approve("Hoa", asked.id)).status == "approved"
    assert await world.states("An") == ["NV:active", "TC:active"]


async def test_the_first_yes_that_is_taken_back_asks_nobody_for_a_second(world: World) -> None:
    await bring_in(world, two_for("register"))
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    assert [step.duty for step in (await world.own("An", asked.id)).steps] == ["approve", "confirm"]
    await world.undo("Chi", asked.id)
    assert [step.duty for step in (await world.own("An", asked.id)).steps] == ["approve"]


async def test_where_the_unit_has_no_second_decider_the_unit_above_is_asked(world: World) -> None:
    await bring_in(world, two_for("register"))
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    assert (await world.own("An", asked.id)).steps[-1].unit_code == "HUE"
    assert (await world.approve("Giang", asked.id)).status == "approved"


async def test_a_manager_who_ends_a_role_alone_does_not_end_it_where_two_are_wanted(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await bring_in(world, two_for("end"))
    ending = await world.end("Chi", role.id)
    assert (ending.status, await world.states("An")) == ("pending", ["NV:active"])
    await world.approve("Giang", ending.id)
    assert await world.states("An") == ["NV:ended"]


async def test_one_of_many_is_held_back_where_two_are_wanted(world: World) -> None:
    await bring_in(world, two_for("register"))
    asked = await world.ask("An")
    with pytest.raises(Refusal) as refused:
        await world.approve("Chi", asked.id, how=MANY)
    assert code_of(refused.value) == "two_people_needed"


def two_for(kind: str) -> Edit:
    """An edit that wants two people for a kind of request."""

    def edit(catalogue: Catalogue) -> Catalogue:
        rest = tuple(rule for rule in catalogue.approvals if rule.kind != kind)
        return msgspec.structs.replace(catalogue, approvals=(*rest, Approval(needs=2, kind=kind)))

    return edit
