"""A wish that a release before took from somebody whom nobody vouches for is not granted (cases R30, A02)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from backend.account import Account
from backend.errors import Refusal
from backend.roles.models import RoleRequest
from tests.backend.roles.world import World
from tests.catalogues import certificates_count, put_in_force


async def vouch(world: World, name: str, *, vneid: bool = False, certificate: bool = False) -> None:
    """Who has vouched for somebody, and who has not."""
    came = {"vneid_at": world.now if vneid else None, "certificate_at": world.now if certificate else None}
    async with world.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == world.people[name]).values(**came))


async def left_open(world: World, kind: str) -> RoleRequest:
    """A request of the release before, by an account that nobody vouches for."""
    if kind != "register":
        await world.employ("An", "NV", "Chi")
    wish = world.draft(kind, "TC") if kind == "transfer" else world.draft(kind)
    if kind == "amend":
        wish = world.draft(kind, position="pho_truong_phong")
    asked = await world.ask("An", wish)
    await vouch(world, "An")
    return asked


@pytest.mark.parametrize("kind", ["register", "amend", "transfer"])
async def test_r30_a02_an_open_request_of_an_unvouched_account_is_not_approved(
    world: World, kind: str
) -> None:
    await world.system("Văn bản")
    asked = await left_open(world, kind)
    states, deliveries = await world.states("An"), len(await world.deliveries("An"))
    with pytest.raises(Refusal) as refused:
        await world.approve("Chi", asked.id)
    assert (refused.value.code, refused.value.status) == ("applicant_not_vouched", 409)
    assert (await world.request(asked.id)).status == "pending"
    assert (await world.states("An"), len(await world.deliveries("An"))) == (states, deliveries)
    seen = await world.seen_by("Chi", asked.id)
    assert seen.why_not_decide is None, "a no and a return can be said"
    assert seen.why_not_approve is not None and "VNeID mức 2" in seen.why_not_approve.title
    assert (await world.own("An", asked.id)).on_hold == "applicant_not_vouched"
    await vouch(world, "An", vneid=True)
    assert (await world.approve("Chi", asked.id)).status in {"approved", "pending"}
    assert (await world.own("An", asked.id)).on_hold is None
    assert (await world.seen_by("Chi", asked.id)).why_not_approve is None


@pytest.mark.parametrize("act", ["reject", "send_back"])
async def test_r30_a_no_and_a_return_are_said_to_an_unvouched_account(world: World, act: str) -> None:
    asked = await left_open(world, "register")
    await getattr(world, act)("Chi", asked.id)
    assert (await world.request(asked.id)).status in {"rejected", "returned"}


async def test_r30_a_returned_wish_comes_back_only_with_vneid(world: World) -> None:
    asked = await left_open(world, "register")
    await world.send_back("Chi", asked.id)
    with pytest.raises(Refusal) as refused:
        await world.resubmit("An", asked.id)
    assert (refused.value.code, refused.value.facts) == (
        "insufficient_assurance",
        {"required": {"method": "vneid", "level": 2}},
    )
    await vouch(world, "An", vneid=True)
    await world.resubmit("An", asked.id)
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]


async def test_r30_an_end_needs_nobodys_word(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await vouch(world, "An")
    asked = await world.ask("An", world.draft("end"))
    assert (await world.own("An", asked.id)).on_hold is None
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:ended"]
    await vouch(world, "Bình", vneid=True)
    role = await world.employ("Bình", "NV", "Chi")
    await vouch(world, "Bình")
    await world.end("Chi", role.id)
    assert await world.states("Bình") == ["NV:ended"]


async def test_r30_a_scheduled_end_comes_on_its_day_without_anybodys_word(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("end", effective_on=world.today + timedelta(days=2)))
    await world.approve("Chi", asked.id)
    await vouch(world, "An")
    world.pass_time(days=3)
    await world.roll()
    assert await world.states("An") == ["NV:ended"]


@pytest.mark.parametrize("kind", ["register", "amend", "transfer"])
async def test_r30_a_role_that_was_approved_for_a_day_does_not_begin_before_somebody_vouches(
    world: World, kind: str
) -> None:
    await world.system("Văn bản")
    day = world.today + timedelta(days=2)
    if kind != "register":
        await world.employ("An", "NV", "Chi")
    more = {"unit": "TC"} if kind == "transfer" else {"position": "pho_truong_phong"}
    asked = await world.ask("An", world.draft(kind, effective_on=day, **more))
    await world.approve("Chi", asked.id)
    if kind == "transfer":
        await world.approve("Dũng", asked.id)
    await vouch(world, "An")
    states, deliveries = await world.states("An"), len(await world.deliveries("An"))
    world.pass_time(days=3)
    assert await world.roll() == 0
    assert (await world.states("An"), len(await world.deliveries("An"))) == (states, deliveries)
    assert (await world.own("An", asked.id)).on_hold == "applicant_not_vouched"
    await vouch(world, "An", vneid=True)
    assert await world.roll() == 1
    last = (await world.states("An"))[-1]
    assert last == ("TC:active" if kind == "transfer" else "NV:active")
    assert (await world.own("An", asked.id)).on_hold is None


@pytest.mark.parametrize("counts", [True, False])
async def test_r30_at_the_click_and_on_the_day_a_certificate_counts_where_the_catalogue_says_so(
    world: World, counts: bool
) -> None:
    day = world.today + timedelta(days=2)
    asked = await world.ask("An")
    later = await world.ask("Bình", world.draft(effective_on=day))
    await world.approve("Chi", later.id)
    for name in ("An", "Bình"):
        await vouch(world, name, certificate=True)
    if counts:
        await put_in_force(world.db, certificates_count())
        await world.approve("Chi", asked.id)
    else:
        with pytest.raises(Refusal, match="applicant_not_vouched"):
            await world.approve("Chi", asked.id)
    world.pass_time(days=3)
    assert await world.roll() == int(counts)
    assert (await world.states("Bình"))[-1] == ("NV:active" if counts else "NV:scheduled")
    await vouch(world, "Bình")
    assert (await world.own("An", asked.id)).on_hold == (None if counts else "applicant_not_vouched")
