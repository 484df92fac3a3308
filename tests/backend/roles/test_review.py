"""Deciding a request: who may, once, and taken back."""

from __future__ import annotations

import pytest

from backend.errors import Refusal
from backend.roles.models import Unit
from tests.backend.roles.world import World


async def test_an_approval_puts_the_role_in_force(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    decided = await world.approve("Chi", asked.id, version=1)
    assert (decided.status, decided.version) == ("approved", 2)
    assert await world.states("An") == ["NV:active"]
    (delivery,) = await world.deliveries("An")
    assert delivery.request_id == asked.id
    assert (delivery.not_before - world.now).total_seconds() == 10
    assert (await world.tags())[-4:] == [
        "role.requested",
        "role.step_decided",
        "role.request_decided",
        "role.begun",
    ]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("An", "own_request"),
        ("Bình", "request_not_found"),
        ("Eve", "request_not_found"),
        ("Dũng", "request_not_found"),
        ("Giang", "request_not_found"),
    ],
)
async def test_only_the_units_manager_decides(world: World, who: str, code: str) -> None:
    asked = await world.ask("An")
    with pytest.raises(Refusal) as refused:
        await world.approve(who, asked.id)
    assert refused.value.code == code
    assert (await world.request(asked.id)).status == "pending"
    assert (await world.tags())[-1] == "access.refused"


async def test_a_managers_own_request_goes_to_the_parent_unit(world: World) -> None:
    asked = await world.ask("Chi")
    with pytest.raises(Refusal, match="own_request"):
        await world.approve("Chi", asked.id)
    await world.approve("Giang", asked.id)
    assert await world.states("Chi") == ["NV:active"]


async def test_a_unit_without_managers_is_decided_by_the_one_above(world: World) -> None:
    asked = await world.ask("An", world.draft(unit="NV-P"))
    with pytest.raises(Refusal, match="request_not_found"):
        await world.approve("Giang", asked.id)
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV-P:active"]


async def test_who_reads_a_colleagues_request_is_told_that_another_unit_decides_it(world: World) -> None:
    await world.appoint("Eve", "NV")
    asked = await world.ask("Chi")
    with pytest.raises(Refusal, match="not_your_unit"):
        await world.approve("Eve", asked.id)
    await world.approve("Giang", asked.id)


async def test_nobody_decides_without_a_manager_anywhere_above(world: World) -> None:
    asked = await world.ask("Giang", world.draft(unit="HUE"))
    for who in ("Giang", "Chi"):
        with pytest.raises(Refusal):
            await world.approve(who, asked.id)
    assert (await world.request(asked.id)).status == "pending"


async def test_a_second_decision_is_told_what_was_decided(world: World) -> None:
    await world.person("Hoa", manages="NV")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    with pytest.raises(Refusal) as late:
        await world.reject("Hoa", asked.id)
    assert late.value.code == "already_decided"
    assert late.value.facts == {"decision": "approved", "at": "2026-03-02T10:00:00+07:00"}
    assert await world.states("An") == ["NV:active"]


async def test_a_stale_page_changes_nothing(world: World) -> None:
    asked = await world.ask("An")
    await world.send_back("Chi", asked.id)
    await world.resubmit("An", asked.id)
    with pytest.raises(Refusal) as stale:
        await world.approve("Chi", asked.id, version=1)
    assert (stale.value.code, stale.value.facts) == ("version_conflict", {"version": 3})
    assert await world.states("An") == []
    await world.approve("Chi", asked.id, version=3)


async def test_a_right_that_is_lost_is_lost_on_open_pages_too(world: World) -> None:
    asked = await world.ask("An")
    await world.dismiss("Chi")
    with pytest.raises(Refusal, match="request_not_found"):
        await world.approve("Chi", asked.id, version=1)
    await world.approve("Giang", asked.id)


async def test_a_withdrawn_request_cannot_be_approved(world: World) -> None:
    asked = await world.ask("An")
    await world.withdraw("An", asked.id)
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Chi", asked.id, version=1)


async def test_a_unit_that_closed_meanwhile_takes_nobody(world: World) -> None:
    asked = await world.ask("An")
    async with world.db.write() as tx:
        unit = await tx.get(Unit, world.units["NV"])
        assert unit is not None
        unit.ended_on = world.today
    with pytest.raises(Refusal, match="unit_closed"):
        await world.approve("Chi", asked.id)
    assert (await world.request(asked.id)).status == "pending"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "required"),
        ("   \n ", "required"),
        ("x" * 501, "too_long"),
        ("a\u202eb", "bad_characters"),
        ("\0", "bad_characters"),
    ],
)
async def test_a_refusal_needs_a_decent_reason(world: World, reason: str, code: str) -> None:
    asked = await world.ask("An")
    for act in (world.reject, world.send_back):
        with pytest.raises(Refusal) as bad:
            await act("Chi", asked.id, reason)
        assert bad.value.facts["errors"][0]["code"] == code  # type: ignore[index]
    assert (await world.request(asked.id)).status == "pending"


async def test_a_returned_request_comes_back_to_every_step(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.send_back("Dũng", asked.id)
    assert (await world.request(asked.id)).status == "returned"
    await world.resubmit("An", asked.id, world.draft("transfer", "TC", position="truong_phong"))
    await world.approve("Dũng", asked.id)
    assert await world.states("An") == ["NV:active"]
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:ended", "TC:active"]
    assert (await world.roles("An"))[-1].position == "truong_phong"
    assert (await world.roles("An"))[0].id == role.id


async def test_a_rejected_person_may_ask_again(world: World) -> None:
    asked = await world.ask("An")
    await world.reject("Chi", asked.id)
    again = await world.ask("An")
    await world.approve("Chi", again.id)
    assert await world.states("An") == ["NV:active"]
