"""Each movement and what becomes of the role before it (rule 617): rotation, appointment, dismissal."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from backend.errors import FieldsInvalid, Refusal
from tests.backend.roles.editions import bring_in, of_movement
from tests.backend.roles.world import World


async def test_a_rotation_ends_the_old_role_and_ends_by_itself(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    until = world.today + timedelta(days=30)
    asked = await world.move("Chi", role.id, "TC", movement="rotation", until=until)
    assert (asked.kind, asked.movement, asked.status) == ("transfer", "rotation", "pending")
    await world.approve("Dũng", asked.id)
    old, new = await world.roles("An")
    assert (old.state, new.state, new.until_on) == ("ended", "active", until)
    world.pass_time(days=31)
    assert await world.roll() == 1
    assert [role.state for role in await world.roles("An")] == ["ended", "ended"]


async def test_an_appointment_changes_the_post_in_the_unit_at_once_by_its_manager(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    made = await world.move("Chi", role.id, None, movement="appointment", position="truong_phong")
    assert made.status == "approved", "the unit's word is all that it needs"
    old, new = await world.roles("An")
    assert (old.state, old.end_reason, new.state, new.position) == (
        "ended",
        "transferred",
        "active",
        "truong_phong",
    )
    assert new.unit_id == old.unit_id
    await world.undo("Chi", made.id)
    old, new = await world.roles("An")
    assert (old.state, new.state) == ("active", "undone")


async def test_a_head_who_is_appointed_goes_on_deciding_and_one_who_is_dismissed_does_not(
    world: World,
) -> None:
    head = await world.employ("Chi", "NV", "Giang", position="truong_phong")
    await world.move("Giang", head.id, None, movement="appointment", position="giam_doc")
    assert (await world.employ("An", "NV", "Chi")).state == "active", "the appointment went with the post"
    raised = (await world.roles("Chi"))[-1]
    gone = await world.move("Giang", raised.id, None, movement="dismissal", position="chuyen_vien")
    assert gone.status == "approved" and (await world.roles("Chi"))[-1].position == "chuyen_vien"
    with pytest.raises(Refusal):
        await world.employ("Bình", "NV", "Chi")


@pytest.mark.parametrize("movement", ["appointment", "dismissal"])
async def test_a_post_that_changes_has_to_be_named_and_another(world: World, movement: str) -> None:
    role = await world.employ("An", "NV", "Chi")
    for position in (None, "chuyen_vien"):
        with pytest.raises(FieldsInvalid) as refused:
            await world.move("Chi", role.id, None, movement=movement, position=position)
        assert [one.field for one in refused.value.fields] == ["position"]


async def test_the_officer_asks_for_a_movement_and_both_units_have_their_word(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    until = world.today + timedelta(days=10)
    asked = await world.ask("An", world.draft("transfer", "TC", movement="secondment", until=until))
    steps = (await world.own("An", asked.id)).steps
    assert [(step.duty, step.unit_code) for step in steps] == [("release", "NV"), ("receive", "TC")]
    assert (await world.own("An", asked.id)).movement == "secondment"


@pytest.mark.parametrize(
    ("kind", "movement"), [("transfer", "end"), ("transfer", "biet_phai"), ("amend", "rotation")]
)
async def test_a_movement_that_is_none_is_refused_by_name(world: World, kind: str, movement: str) -> None:
    await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft(kind, "TC", movement=movement))
    assert refused.value.code == "movement_unknown"


async def test_r41_who_decides_for_both_units_presses_once(world: World) -> None:
    await world.appoint("Chi", "TC")
    role = await world.employ("An", "NV", "Chi")
    moved = await world.move("Chi", role.id, "TC")
    assert moved.status == "approved"
    steps = (await world.seen_by("Chi", moved.id)).steps
    assert [step.decision for step in steps] == ["approved", "approved"]


async def test_r28_what_the_movement_rests_on_is_kept_and_shown(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    papers = {"decision_number": "12/QĐ", "decision_date": "2026-03-01", "signed_by": "Lê Văn Ký"}
    asked = await world.move("Chi", role.id, "TC", fields=papers)
    seen = await world.seen_by("Dũng", asked.id)
    assert seen.papers == papers
    assert [field.value for field in seen.fields] == ["12/QĐ", "01/03/2026", "Lê Văn Ký"]


async def test_r16_a_decision_of_last_week_counts_back_to_the_catalogues_limit(world: World) -> None:
    other = await world.employ("Bình", "NV", "Chi")
    week = world.today - timedelta(days=7)
    soon = await world.move(
        "Chi", other.id, None, movement="appointment", position="pho_truong_phong", effective_on=week
    )
    assert (soon.effective_on, soon.status) == (week, "approved"), "as shipped"
    role = await world.employ("An", "NV", "Chi")
    day = world.today - timedelta(days=31)
    with pytest.raises(FieldsInvalid):
        await world.move(
            "Chi", role.id, None, movement="appointment", position="truong_phong", effective_on=day
        )
    await bring_in(world, partial(of_movement, "appointment", back_days=31))
    made = await world.move(
        "Chi", role.id, None, movement="appointment", position="truong_phong", effective_on=day
    )
    assert (made.effective_on, made.status) == (day, "approved")
    assert (await world.roles("An"))[-1].state == "active"
