"""Who is looked for is found by words of the name or by the number, and no name is opened for it (roles §4, rule 912)."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from backend.account import Account
from backend.account_rows import HELD, VOUCH
from backend.accounts.identity import called, following
from backend.accounts.identity.called import NameWord
from backend.accounts.identity.evidence import VNEID
from backend.accounts.self import personal_data
from backend.crypto import KeyRing, new_secret_key
from backend.kit import Kit
from backend.outside.eid.eid_claims import Person
from backend.paging import CursorInvalid, cursor_of
from backend.roles import findable, inbox, queue
from ngomon.rekey import rotate
from tests.backend.roles.world import World

PEOPLE = ("Nguyễn Văn Ánh", "Nguyễn Thị Anh Đào", "Y Moan Ênuôl", "Trần Nguyên Ân", "Đỗ Ân", "Nguyễn Tra")
FOUND = {
    "nguyen": ["Nguyễn Văn Ánh", "Nguyễn Thị Anh Đào", "Trần Nguyên Ân", "Nguyễn Tra"],
    "NGUYỄN  an": ["Nguyễn Văn Ánh", "Nguyễn Thị Anh Đào", "Trần Nguyên Ân"],
    "anh ngu": ["Nguyễn Văn Ánh", "Nguyễn Thị Anh Đào"],
    "đào": ["Nguyễn Thị Anh Đào"],
    "y": ["Y Moan Ênuôl"],
    "d": ["Nguyễn Thị Anh Đào", "Đỗ Ân"],
    "tra": ["Trần Nguyên Ân", "Nguyễn Tra"],
    "guyen": [],
    "nguyen xyz": [],
    "!?% _'": [],
    "x" * 10_000: [],
    " ".join(f"w{n}" for n in range(900)): [],
}


async def listed(world: World, manager: str, q: str, *, most: int = 2) -> tuple[list[str], list[str]]:
    """The names in the inbox and among the people, page by page."""
    found: tuple[list[str], list[str]] = [], []
    async with world.db.read() as tx:
        asks: tuple[Any, Any] = (inbox.waiting, queue.people)
        for names, ask in zip(found, asks, strict=True):
            cursor: str | None = None
            while True:
                who = world.people[manager]
                page = await ask(tx, world.kit, who, q=q, cursor=cursor, most=most, now=world.now)
                names += [row.applicant if ask is inbox.waiting else row.name for row in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
                assert len(page.items) == most
    return found


@pytest.fixture(params=[1000, 1], ids=["few", "many"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of looking: by each of a few people, and along the list where many are called so."""
    monkeypatch.setattr(called, "FEW", request.param)


@pytest.mark.usefixtures("few")
async def test_people_and_requests_are_found_by_the_beginnings_of_words_and_by_the_number(
    world: World,
) -> None:
    for name in PEOPLE:
        await world.person(name)
        await world.employ(name, "NV", "Chi")
        world.pass_time(seconds=11)
        await world.ask(name, world.draft("amend", position="chuyen_vien_chinh"))
    for typed, names in FOUND.items():
        waiting, people = await listed(world, "Chi", typed)
        assert (sorted(waiting), sorted(people)) == (sorted(names), sorted(names)), typed[:20]
        assert await listed(world, "Dũng", typed) == ([], []), "of another unit"
    digits = world.numbers["Đỗ Ân"]
    assert await listed(world, "Chi", f"{digits[:6]} {digits[6:]}") == (["Đỗ Ân"], ["Đỗ Ân"])
    assert await listed(world, "Chi", digits[:11]) == ([], [])


async def test_the_number_of_found_requests_says_whether_it_is_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(called, "FEW", 1)
    for at in range(4):
        await world.person(f"Nguyễn {at}")
        await world.ask(f"Nguyễn {at}")
    async with world.db.read() as tx:
        every = await inbox.waiting(tx, world.kit, world.people["Chi"], q="nguyen", most=2, now=world.now)
        monkeypatch.setattr(inbox, "LOOKED", 2)
        some = await inbox.waiting(tx, world.kit, world.people["Chi"], q="nguyen", most=2, now=world.now)
    assert (every.total, every.is_all) == (4, True)
    assert (some.total, some.is_all) == (3, False)
    assert some.items == every.items


async def test_the_words_follow_the_name_its_keys_and_its_end(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    async with world.db.write() as tx:
        await VOUCH.run(tx, account=world.people["An"], by=VNEID, now=world.now)
        account = await HELD.one(tx, account=world.people["An"])
        said = Person("test", "an", world.numbers["An"], "Lê Bình An", "1990-01-02", None, 2)
        await following.refresh(tx, world.kit, account, said, VNEID, world.now)
    assert (await listed(world, "Chi", "le binh"))[1] == ["Lê Bình An"]
    first, newest = world.kit, base64.b64decode(new_secret_key())
    older = list(first.keys._masters.values())
    world.kit = Kit.of(KeyRing([newest, *older]), world.kit.limits)
    assert (await listed(world, "Chi", "le"))[1] == ["Lê Bình An"]
    await rotate(world.db, world.kit, lambda *_: None, now=world.now)
    world.kit = Kit.of(KeyRing([newest]), world.kit.limits)
    assert (await listed(world, "Chi", "le"))[1] == ["Lê Bình An"]
    world.kit = Kit.of(KeyRing([*older, newest]), first.limits)
    await rotate(world.db, world.kit, lambda *_: None, now=world.now)
    world.kit = first
    async with world.db.write() as tx:
        await personal_data.erase(tx, world.kit, await tx.get_one(Account, world.people["An"]), now=world.now)
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(NameWord)) == 0


async def test_two_who_make_somebody_findable_at_once_both_go_on(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    async with world.db.write() as tx:
        await tx.execute(delete(NameWord))

    async def second() -> None:
        async with world.db.write() as tx:
            await called.make_findable(tx, world.kit, [world.people["An"]])

    async with world.db.write() as tx:
        await called.make_findable(tx, world.kit, [world.people["An"]])
        other = asyncio.ensure_future(second())
        await asyncio.sleep(0.2)  # on PostgreSQL it has read by now, and waits with its word
    await other
    assert (await listed(world, "Chi", "an"))[1] == ["An"]


async def test_whom_an_earlier_release_wrote_is_found_too(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.ask("Bình")
    async with world.db.write() as tx:
        await tx.execute(delete(NameWord))
    assert await listed(world, "Chi", "an") == ([], [])
    await findable.fill(world.db, world.kit)
    assert await listed(world, "Chi", "an") == ([], ["An"])
    assert await listed(world, "Chi", "b") == (["Bình"], [])


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    async with world.db.read() as tx:
        for place in (str(world.people["An"]), "NV 7", "journal"):
            with pytest.raises(CursorInvalid):
                await queue.people(tx, world.kit, world.people["Chi"], cursor=cursor_of(place), now=world.now)
