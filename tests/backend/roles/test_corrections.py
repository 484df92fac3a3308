"""A corrected request says who changed what, and no word or note stands under another's wish (case R01)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.errors import Refusal
from backend.roles import corrections
from backend.roles.corrections import By
from backend.roles.models import RoleRequest
from tests.backend.roles.world import World

NOTE = "Điều động theo quyết định 12"


async def begun_and_returned(world: World) -> RoleRequest:
    """Chi moves An from NV to TC with a note, and Dũng returns it."""
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Chi", role.id, "TC", note=NOTE)
    await world.send_back("Dũng", asked.id)
    return asked


async def test_r01_what_a_manager_began_its_subject_does_not_rewrite(world: World) -> None:
    asked = await begun_and_returned(world)
    await world.unit("YT", "HUE")
    wish = world.draft("transfer", "YT", position="truong_phong")
    with pytest.raises(Refusal, match="not_your_request"):
        await world.resubmit("An", asked.id, wish)
    assert (await world.tags())[-1] == "access.refused"
    found = await world.request(asked.id)
    assert (found.status, found.unit_id, found.position) == ("returned", world.units["TC"], "chuyen_vien")
    shown = await world.own("An", asked.id)
    assert not shown.can_correct and not shown.can_withdraw


async def test_r01_a_manager_of_a_unit_concerned_corrects_it_and_earlier_words_fall(world: World) -> None:
    asked = await begun_and_returned(world)
    await world.person("Hoa", manages="NV")
    await world.resubmit("Hoa", asked.id, world.draft("transfer", "TC", position="truong_phong"))
    seen = await world.seen_by("Dũng", asked.id)
    assert seen.note is None, "Chi's note spoke of another wish"
    assert [(step.duty, step.decision, step.by) for step in seen.steps] == [
        ("release", "approved", "Hoa"),
        ("receive", None, None),
    ]
    (correction,) = seen.corrections
    assert correction.by == "Hoa" and seen.created_by == "Chi"
    assert [(one.field, one.old, one.new) for one in correction.differences] == [
        ("position", "chuyen_vien", "truong_phong")
    ]
    await world.approve("Dũng", asked.id)
    assert (await world.roles("An"))[-1].position == "truong_phong"


async def test_r01_old_and_new_stand_side_by_side_through_every_round(world: World) -> None:
    asked = await world.ask("An", world.draft(fields={"rank": "specialist"}))
    await world.send_back("Chi", asked.id)
    day = world.today + timedelta(days=3)
    await world.resubmit("An", asked.id, world.draft(unit="TC", effective_on=day, fields={"rank": "senior"}))
    await world.send_back("Dũng", asked.id)
    await world.resubmit("An", asked.id, world.draft(unit="TC", fields={"employee_code": "A1"}))
    seen = await world.seen_by("Dũng", asked.id)
    first, second = ([(d.field, d.old, d.new) for d in one.differences] for one in seen.corrections)
    assert first == [
        ("unit", "NV", "TC"),
        ("effective_on", "", day.isoformat()),
        ("fields.rank", "specialist", "senior"),
    ]
    assert second == [
        ("effective_on", day.isoformat(), ""),
        ("fields.rank", "senior", ""),
        ("fields.employee_code", "", "A1"),
    ]
    assert (await world.own("An", asked.id)).corrections == seen.corrections
    assert seen.corrections[0].differences[0].old_words == "Đơn vị NV"


@pytest.mark.parametrize(("who", "code"), [("Eve", "request_not_found"), ("Giang", "request_not_found")])
async def test_r01_nobody_else_corrects_or_withdraws_it(world: World, who: str, code: str) -> None:
    asked = await begun_and_returned(world)
    for act in (world.resubmit(who, asked.id, world.draft("transfer", "TC")), world.withdraw(who, asked.id)):
        with pytest.raises(Refusal, match=code):
            await act
    assert (await world.request(asked.id)).status == "returned"


async def test_r01_whoever_began_it_and_manages_nothing_now_has_no_right_left(world: World) -> None:
    asked = await begun_and_returned(world)
    await world.dismiss("Chi")
    for act in (
        world.resubmit("Chi", asked.id, world.draft("transfer", "TC")),
        world.withdraw("Chi", asked.id),
        world.seen_by("Chi", asked.id),
        world.own("Chi", asked.id),
    ):
        with pytest.raises(Refusal, match="request_not_found"):
            await act
    await world.withdraw("Giang", asked.id)  # NV has nobody: the unit above is concerned
    await world.ask("An", world.draft("transfer", "TC"))  # and An is not blocked for ever


async def test_r01_a_manager_does_not_rewrite_what_the_person_asked_for(world: World) -> None:
    asked = await world.ask("An")
    await world.send_back("Chi", asked.id)
    for act in (world.resubmit("Chi", asked.id), world.withdraw("Chi", asked.id)):
        with pytest.raises(Refusal, match="not_your_request"):
            await act
    assert (await world.own("An", asked.id)).can_correct


async def test_r01_a_correcting_manager_moves_nobody_beyond_their_own_units(world: World) -> None:
    asked = await begun_and_returned(world)
    await world.unit("YT", "HUE")
    with pytest.raises(Refusal, match="role_not_found"):
        await world.resubmit("Dũng", asked.id, world.draft("transfer", "YT"))
    await world.resubmit(
        "Dũng", asked.id, world.draft("transfer", "TC", position="truong_phong"), note="Đã sửa"
    )
    seen = await world.seen_by("Chi", asked.id)
    assert seen.note == "Đã sửa"
    assert [(step.duty, step.by) for step in seen.steps] == [("release", None), ("receive", "Dũng")]


async def test_only_who_began_it_takes_back_what_still_waits(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Chi", role.id, "TC")
    with pytest.raises(Refusal, match="not_your_request"):
        await world.withdraw("Dũng", asked.id)
    await world.withdraw("Chi", asked.id)


async def test_a11_a_manager_corrects_with_a_sign_in_of_today(world: World) -> None:
    asked = await begun_and_returned(world)
    wish = world.draft("transfer", "TC")
    with pytest.raises(Refusal, match="insufficient_assurance"):
        async with world.db.write() as tx:
            by = By(world.people["Chi"], 2, world.now - timedelta(days=1))
            await corrections.resubmit(tx, world.kit, asked.id, wish, by=by, now=world.now)
    assert (await world.request(asked.id)).status == "returned"
    own = await world.ask("Bình")
    await world.send_back("Chi", own.id)
    async with world.db.write() as tx:  # the person's own wish decides about nobody else
        by = By(world.people["Bình"], 2, world.now - timedelta(days=1))
        await corrections.resubmit(tx, world.kit, own.id, world.draft(), by=by, now=world.now)


async def test_a11_taking_back_what_was_begun_for_another_wants_a_sign_in_of_the_day(world: World) -> None:
    asked = await begun_and_returned(world)
    yesterday = world.now - timedelta(days=1)
    for level, since in ((2, yesterday), (1, world.now)):
        with pytest.raises(Refusal, match="insufficient_assurance"):
            await world.withdraw("Chi", asked.id, level=level, since=since)
    assert (await world.request(asked.id)).status == "returned"
    with pytest.raises(Refusal, match="request_not_found"):
        await world.withdraw("Eve", asked.id, since=yesterday)
    await world.withdraw("Chi", asked.id)
    own = await world.ask("Bình")
    await world.withdraw("Bình", own.id, level=1, since=yesterday)  # about nobody else


async def test_r09_whoever_began_it_takes_it_back_until_the_first_word_and_its_subject_is_offered_nothing(
    world: World,
) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Chi", role.id, "TC")
    shown = await world.own("An", asked.id)
    assert not shown.can_withdraw and not shown.can_correct
    with pytest.raises(Refusal, match="not_your_request"):
        await world.withdraw("An", asked.id)
    assert (await world.seen_by("Chi", asked.id)).may_withdraw
    assert not (await world.seen_by("Dũng", asked.id)).may_withdraw
    assert (await world.withdraw("Chi", asked.id)).status == "withdrawn"
    again = await world.move("Chi", role.id, "TC")
    await world.approve("Dũng", again.id)
    assert not (await world.seen_by("Chi", again.id)).may_withdraw
    with pytest.raises(Refusal, match="already_decided"):
        await world.withdraw("Chi", again.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]
