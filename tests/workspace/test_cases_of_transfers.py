"""Transfers that cross, return, lead nowhere or lose their unit: somebody has one home, always (case TW05, rules 612, 617)."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import func, select

from backend.outside.clock import local_day
from backend.roles import unit_life
from backend.roles.models import Role, RoleRequest, Unit
from tests.workspace.aftermath import DECIDED, Hand, a_system, after, role_of
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import word

ROUNDS = 3


async def unit_id(office: Office, code: str) -> UUID:
    async with office.service.db.read() as tx:
        found = await tx.scalar(select(Unit.id).where(Unit.code == code))
    assert found is not None
    return found


async def end_of(office: Office, code: str) -> None:
    """As the command does it, told twice that somebody's request stays behind."""
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        await unit_life.end(
            tx,
            service.kit,
            code,
            successor=office.root,
            on=local_day(now),
            by=None,
            now=now,
            leave_undecided=True,
        )


async def test_tw05_the_source_says_yes_while_the_target_says_no(office: Office, desk: Desk) -> None:
    await a_system(office)
    request_id = await office.asks_moving("Võ Thị Giữa Hai Nơi", to=office.other)
    receiver = await office.desk(office.dung)
    place = f"/workspace/requests/{request_id}"
    source, target = await Hand.of(desk, place), await Hand.of(receiver, place)
    no = word("rejected", reason="Không tiếp nhận")
    said = [
        act
        for _ in range(8)
        for act in (
            source.press(f"{place}/decision", word("approved")),
            target.press(f"{place}/decision", no),
        )
    ]
    answers = await asyncio.gather(*said)
    await receiver.http.aclose()
    yes, refused = answers[::2], answers[1::2]
    assert Counter(one.status_code for one in refused) == {303: 1, 409: 7}
    assert sum(one.status_code == 303 for one in yes) <= 1
    became = await after(office, request_id)
    assert (became.status, became.words[1], became.told) == ("rejected", "rejected", ())
    assert became.tags.count(DECIDED) == 2, "the role's own request, and this one"
    assert became.homes == (await unit_id(office, office.unit),)


@pytest.mark.parametrize("released", [False, True], ids=["nobody_has_spoken", "released"])
async def test_tw05_a_unit_that_has_ended_meanwhile_receives_nobody(
    office: Office, desk: Desk, released: bool
) -> None:
    request_id = await office.asks_moving("Võ Thị Không Nơi Đến", to=office.other)
    receiver, above = await office.desk(office.dung), await office.desk(office.ha)
    place = f"/workspace/requests/{request_id}"
    hands = [await Hand.of(one, place) for one in (desk, receiver)]
    hands.append(await Hand.of(above, "/workspace"))
    if released:
        assert (await hands.pop(0).press(f"{place}/decision", word("approved"))).status_code == 303
    await end_of(office, office.other)
    answers = await asyncio.gather(*(one.press(f"{place}/decision", word("approved")) for one in hands))
    *heard, above_all = answers
    assert sorted(one.status_code for one in heard) == [303, 409][-len(heard) :]
    assert any("Đơn vị đã kết thúc hoạt động" in one.text for one in heard), "the last word is refused"
    assert above_all.status_code == 404, "nor is it the unit's above"
    became = await after(office, request_id)
    assert became.status == "pending" and became.homes == (await unit_id(office, office.unit),)
    role = await role_of_person(office, request_id)
    begun = await desk.send(
        f"/workspace/people/{role}/transfer", {"unit": office.other, "position": "chuyen_vien"}
    )
    assert begun.status_code in {409, 422}, begun.text
    for one in (receiver, above):
        await one.http.aclose()


async def role_of_person(office: Office, request_id: UUID) -> UUID:
    """The role that a request is about."""
    async with office.service.db.read() as tx:
        found = (await tx.get_one(RoleRequest, request_id)).role_id
    assert found is not None
    return found


async def test_tw05_nobody_is_moved_to_where_they_are(office: Office, desk: Desk) -> None:
    begun = await office.has_role("Võ Thị Tại Chỗ")
    path = f"/workspace/people/{await role_of(office, begun)}/transfer"
    before = await after(office, begun)
    for unit in (office.unit, str(await unit_id(office, office.unit)), f"Sở Nội vụ {office.number}"):
        answer = await desk.send(path, {"unit": unit, "position": "chuyen_vien"})
        assert answer.status_code == 422 and "đang ở đơn vị này" in answer.text, (unit, answer.text)
    assert await after(office, begun) == before


async def test_tw05_there_and_back_in_parallel_leaves_one_home_at_every_look(
    office: Office, desk: Desk
) -> None:
    who = await office.person("Võ Thị Đi Về")
    role, receiver = await role_of(office, await office.employ(who)), await office.desk(office.dung)
    hands = [await Hand.of(one, "/workspace") for one in (desk, receiver)]
    places = [office.unit, office.other]
    over = asyncio.Event()
    watching = asyncio.create_task(watched(office, who.account_id, over))
    for turn in range(ROUNDS):
        here, there = places if turn % 2 == 0 else places[::-1]
        path = f"/workspace/people/{role}/transfer"
        wishes = [{"unit": unit, "position": "chuyen_vien"} for unit in (there, here, there)]
        begun = await asyncio.gather(*(hand.press(path, wish) for hand in hands for wish in wishes))
        made = [one.headers["location"] for one in begun if one.status_code == 303]
        assert len(made) == 1, [one.status_code for one in begun]
        assert {one.status_code for one in begun} <= {303, 404, 409, 422}
        place = made[0]
        back = {"unit": here, "position": "chuyen_vien"}
        said = await asyncio.gather(
            *(hand.press(f"{place}/decision", word("approved", version=1)) for hand in hands * 2),
            *(hand.press(path, back) for hand in hands),
        )
        assert {one.status_code for one in said} <= {303, 404, 409, 422}
        asked = UUID(place.rpartition("/")[2])
        became = await after(office, asked)
        assert (became.status, became.homes) == ("approved", (await unit_id(office, there),))
        role = await role_of(office, asked)
    over.set()
    assert await watching == {1}
    await receiver.http.aclose()


async def watched(office: Office, account_id: UUID, over: asyncio.Event) -> set[int]:
    """How many homes somebody had, at every look until it is over."""
    home = (Role.account_id == account_id, Role.is_home, Role.state == "active")
    seen: set[int] = set()
    while not over.is_set():
        async with office.service.db.read() as tx:
            seen.add(await tx.scalar(select(func.count()).select_from(Role).where(*home)) or 0)
        await asyncio.sleep(0.002)
    return seen
