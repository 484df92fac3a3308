"""Nothing is granted to whoever may not be the owner of the account (case R03)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.devices import takeover
from backend.errors import Refusal
from backend.roles import denied
from backend.support.models import Notice
from tests.backend.roles.world import World

WITHDRAWN = "mà bạn báo không phải của bạn, nên đã được rút"


async def freeze(world: World, name: str) -> None:
    async with world.db.write() as tx:
        await takeover.freeze(tx, world.kit, world.people[name], session=None, by_session=None, now=world.now)


async def thaw(world: World, name: str) -> None:
    async with world.db.write() as tx:
        await takeover.thaw(tx, world.kit, world.people[name], now=world.now)


async def report(world: World, session_id: UUID) -> None:
    """The replaced phone says "Không phải tôi"."""
    async with world.db.write() as tx:
        await denied.report(tx, world.kit, session_id, now=world.now)


async def taken_over(world: World, name: str) -> tuple[UUID, UUID]:
    """The owner's session, and a stranger's that replaced it."""
    owner = await world.signed_in(name)
    world.pass_time(minutes=5)
    stranger = await world.signed_in(name)
    world.pass_time(minutes=5)
    return owner, stranger


@pytest.mark.parametrize("act", ["approve", "reject", "send_back"])
async def test_r03_a_frozen_persons_request_is_not_decided_until_thawed(world: World, act: str) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    await freeze(world, "An")
    with pytest.raises(Refusal) as refused:
        await getattr(world, act)("Chi", asked.id)
    assert (refused.value.code, refused.value.status) == ("applicant_frozen", 409)
    assert (await world.request(asked.id)).status == "pending" and await world.states("An") == []
    assert await world.deliveries("An") == []
    why = (await world.seen_by("Chi", asked.id)).why_not_decide
    assert why is not None and "đang tạm khóa" in why.title
    assert (await world.own("An", asked.id)).on_hold == "applicant_frozen"
    await thaw(world, "An")
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]
    assert (await world.own("An", asked.id)).on_hold is None


async def test_r03_a_frozen_persons_role_can_still_be_ended(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await freeze(world, "An")
    await world.end("Chi", role.id)
    assert await world.states("An") == ["NV:ended"]


async def test_r03_what_a_denied_sign_in_asked_for_is_withdrawn_with_a_notice(world: World) -> None:
    await world.system("Văn bản")
    owner, stranger = await taken_over(world, "An")
    asked = await world.ask("An", session=stranger)
    await report(world, owner)
    found = await world.request(asked.id)
    assert (found.status, found.denied_at) == ("withdrawn", world.now)
    assert (await world.own("An", asked.id)).denied and (await world.seen_by("Chi", asked.id)).denied
    assert [body for body in await world.told("An") if WITHDRAWN in body]
    assert await world.deliveries("An") == []
    await thaw(world, "An")
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Chi", asked.id)


async def test_r03_what_the_owner_asked_for_before_stays(world: World) -> None:
    owner = await world.signed_in("An")
    asked = await world.ask("An", session=owner)
    world.pass_time(minutes=5)
    await world.signed_in("An")
    await report(world, owner)
    assert (await world.request(asked.id)).status == "pending"
    assert not [body for body in await world.told("An") if WITHDRAWN in body]


async def test_r03_the_owners_request_that_a_denied_sign_in_rewrote_is_withdrawn(world: World) -> None:
    owner = await world.signed_in("An")
    asked = await world.ask("An", session=owner)
    await world.send_back("Chi", asked.id)
    world.pass_time(minutes=5)
    stranger = await world.signed_in("An")
    await world.resubmit("An", asked.id, world.draft(unit="TC"), session=stranger)
    await report(world, owner)
    assert (await world.request(asked.id)).status == "withdrawn"


async def test_r03_a_request_of_the_release_before_is_told_by_its_time(world: World) -> None:
    before = await world.ask("Bình")
    owner, _ = await taken_over(world, "An")
    asked = await world.ask("An")
    own = await world.signed_in("Bình")
    world.pass_time(minutes=5)
    await world.signed_in("Bình")
    await report(world, own)
    await report(world, owner)
    assert (await world.request(asked.id)).status == "withdrawn"
    assert (await world.request(before.id)).status == "pending"


async def test_r03_an_approval_that_has_not_left_the_house_goes_with_the_denied_sign_in(world: World) -> None:
    await world.system("Văn bản")
    owner, stranger = await taken_over(world, "An")
    asked = await world.ask("An", session=stranger)
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=5)
    await report(world, owner)
    assert (await world.request(asked.id)).status == "withdrawn"
    assert await world.states("An") == ["NV:undone"]
    assert [delivery.state for delivery in await world.deliveries("An")] == ["cancelled"]
    world.pass_time(minutes=1)
    assert not [body for body in await world.told("An") if "hiệu lực" in body], "it never was in force"


async def test_r03_an_approval_that_waits_for_its_day_goes_too(world: World) -> None:
    owner, stranger = await taken_over(world, "An")
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=2)), session=stranger)
    await world.approve("Chi", asked.id)
    world.pass_time(minutes=1)
    await report(world, owner)
    assert (await world.request(asked.id)).status == "withdrawn"
    world.pass_time(days=3)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:undone"]


async def test_r03_a_role_that_systems_know_of_stays_and_is_marked(world: World) -> None:
    await world.system("Văn bản")
    owner, stranger = await taken_over(world, "An")
    asked = await world.ask("An", session=stranger)
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=11)
    await report(world, owner)
    found = await world.request(asked.id)
    assert (found.status, found.denied_at) == ("approved", world.now)
    assert await world.states("An") == ["NV:active"], "an approval was a manager's word: the unit judges"


async def test_r03_what_a_frozen_person_asked_for_does_not_begin_on_its_day(world: World) -> None:
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=2)))
    await world.approve("Chi", asked.id)
    await freeze(world, "An")
    world.pass_time(days=3)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:scheduled"]
    await thaw(world, "An")
    await world.roll()
    assert await world.states("An") == ["NV:active"]


async def test_r03_a_denied_notice_names_the_sign_in_that_it_told_of(world: World) -> None:
    owner, stranger = await taken_over(world, "An")
    asked = await world.ask("An", session=stranger)
    back = await world.signed_in("An")  # the owner again
    world.pass_time(minutes=1)
    async with world.db.write() as tx:
        query = select(Notice).where(
            Notice.account_id == world.people["An"], Notice.kind == "device_replaced"
        )
        first = (await tx.scalars(query.order_by(Notice.at))).first()
        assert first is not None
        await denied.deny(tx, world.kit, first.id, by=world.people["An"], session_id=back, now=world.now)
    assert owner != back
    assert (await world.request(asked.id)).status == "withdrawn"


async def test_r03_the_sign_in_that_denies_is_believed(world: World) -> None:
    await taken_over(world, "An")
    back = await world.signed_in("An")
    asked = await world.ask("An", session=back)
    world.pass_time(minutes=1)
    async with world.db.write() as tx:
        query = select(Notice).where(
            Notice.account_id == world.people["An"], Notice.kind == "device_replaced"
        )
        first = (await tx.scalars(query.order_by(Notice.at))).first()
        assert first is not None
        await denied.deny(tx, world.kit, first.id, by=world.people["An"], session_id=back, now=world.now)
    assert (await world.request(asked.id)).status == "pending"


async def test_r03_saying_it_twice_tells_once_and_takes_nothing_of_a_later_sign_in(world: World) -> None:
    await taken_over(world, "An")
    back = await world.signed_in("An")
    async with world.db.read() as tx:
        query = select(Notice).where(
            Notice.account_id == world.people["An"], Notice.kind == "device_replaced"
        )
        first = (await tx.scalars(query.order_by(Notice.at))).first()
        assert first is not None
    world.pass_time(minutes=1)
    an = world.people["An"]
    async with world.db.write() as tx:
        await denied.deny(tx, world.kit, first.id, by=an, session_id=back, now=world.now)
    await thaw(world, "An")
    mine = await world.signed_in("An")
    asked = await world.ask("An", session=mine)
    world.pass_time(minutes=1)
    later = await world.signed_in("An")
    async with world.db.write() as tx:
        await denied.deny(tx, world.kit, first.id, by=an, session_id=later, now=world.now)
    assert (await world.request(asked.id)).status == "pending"


async def test_r03_a_second_report_tells_of_nothing_twice(world: World) -> None:
    owner, stranger = await taken_over(world, "An")
    await world.ask("An", session=stranger)
    for _ in range(2):
        await report(world, owner)
    assert len([body for body in await world.told("An") if WITHDRAWN in body]) == 1
