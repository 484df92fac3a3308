"""A unit's roles are confirmed until a day; what nobody confirms ends after two notices (rule 642)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from backend import paging
from backend.errors import FieldsInvalid, Refusal, settle
from backend.facts import ReviewClosed, ReviewStarted, RoleConfirmed
from backend.journal import Entry
from backend.lives import Lives
from backend.roles import authority
from backend.roles.confirming import listing, rolling, starting, words
from backend.roles.confirming.listing import Line, Row
from backend.roles.managers import UnitNotFound
from backend.roles.movements import SUSPENSION
from tests.backend.roles.test_suspension import act
from tests.backend.roles.world import World, code_of

DUE = date(2026, 3, 12)


async def begin(world: World, *codes: str, due: date = DUE) -> list[starting.Started]:
    async with world.db.write() as tx:
        return await starting.start(tx, world.kit, codes, due, by=None, now=world.now)


async def sweep(world: World) -> int:
    return await rolling.sweep(world.db, world.kit, now=world.now)


async def live(world: World, days: int) -> int:
    """So many days on which the worker looks twice; how many roles ended."""
    ended = 0
    for _ in range(2 * days):
        world.pass_time(hours=12)
        world.kit.lives.ahead += 12 * 3600
        ended += await sweep(world)
    return ended


async def waits(world: World, who: str) -> list[Row]:
    async with world.db.read() as tx:
        return (await listing.waiting(tx, world.kit, world.people[who], now=world.now)).rows


async def confirm(world: World, who: str, row: UUID) -> None:
    async with world.db.write() as tx:
        said = await words.confirm(tx, world.kit, row, by=world.people[who], now=world.now)
    settle(said)


async def counts(world: World) -> tuple[int, int, int, int]:
    """Of the newest review: waiting, confirmed, ended, left."""
    one = (await lines(world))[0]
    return one.waiting, one.confirmed, one.ended, one.left


async def lines(world: World) -> list[Line]:
    async with world.db.read() as tx:
        return await listing.every(tx)


async def facts(world: World, *kinds: type) -> list[str]:
    tags = [kind.__struct_config__.tag for kind in kinds]  # type: ignore[attr-defined]
    async with world.db.read() as tx:
        return list(await tx.scalars(select(Entry.tag).where(Entry.tag.in_(tags)).order_by(Entry.seq)))


async def states(world: World, name: str) -> list[str]:
    return [role.state for role in await world.roles(name)]


async def test_a_manager_confirms_everybody_and_the_review_is_over(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV", "Chi")
    (started,) = await begin(world, "NV")
    assert (started.unit_code, started.roles) == ("NV", 2)
    assert "2 vai trò" in (await world.told("Chi"))[-1] and "12/03/2026" in (await world.told("Chi"))[-1]
    for row in await waits(world, "Chi"):
        assert (row.unit_code, row.due_on, row.ends_after) == ("NV", DUE, None)
        await confirm(world, "Chi", row.id)
    assert await waits(world, "Chi") == [] and await counts(world) == (0, 2, 0, 0)
    assert await live(world, 20) == 0
    assert await states(world, "An") == ["active"] and (await lines(world))[0].closed_at is not None
    assert await facts(world, ReviewStarted, RoleConfirmed, ReviewClosed) == [
        "review.started",
        "role.confirmed",
        "role.confirmed",
        "review.closed",
    ]
    assert not any("chưa được xác nhận" in text for text in await world.told("An"))


async def test_what_nobody_confirms_is_announced_twice_and_then_ends(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.signed_in("An")
    await begin(world, "NV")
    assert await live(world, 9) == 0  # 11/3, within three days of the last
    assert "Còn 1 vai trò" in (await world.told("Chi"))[-1]
    heard = len(await world.told("An"))
    await live(world, 2)  # 13/3
    first = (await world.told("An"))[heard:]
    assert len(first) == 1 and "sau ngày 19/03/2026" in first[0] and "12/03/2026" in first[0]
    assert "1 vai trò" in (await world.told("Chi"))[-1]
    await live(world, 3)  # 16/3
    assert len(await world.told("An")) == heard + 2 and "Lần báo cuối" in (await world.told("An"))[-1]
    assert "Lần báo cuối" in (await world.told("Chi"))[-1]
    assert await live(world, 3) == 0 and await states(world, "An") == ["active"]  # 19/3 is the last day
    assert (await waits(world, "Chi"))[0].ends_after == date(2026, 3, 19)
    assert await live(world, 1) == 1 and await states(world, "An") == ["ended"]
    assert len(await world.told("An")) == heard + 3 and "đã kết thúc" in (await world.told("An"))[-1]
    assert await counts(world) == (0, 0, 1, 0) and (await lines(world))[0].closed_at is not None


async def test_it_is_confirmed_as_long_as_it_has_not_ended(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    await live(world, 16)
    await confirm(world, "Chi", (await waits(world, "Chi"))[0].id)
    assert await live(world, 20) == 0 and await states(world, "An") == ["active"]


async def test_a_clock_that_jumps_forward_ends_nobody(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    await sweep(world)
    world.pass_time(days=40)
    for _ in range(5):
        world.pass_time(minutes=1)
        world.kit.lives.ahead += 60
        assert await sweep(world) == 0
    assert await states(world, "An") == ["active"]
    world.now -= timedelta(days=40)  # put right: what was announced too early is announced again
    heard = len(await world.told("An"))
    assert await live(world, 17) == 0 and await states(world, "An") == ["active"]
    assert len(await world.told("An")) - heard == 2
    assert await live(world, 1) == 1


async def test_days_on_which_nothing_ran_do_not_count(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    await live(world, 11)
    world.pass_time(days=30)  # the machine was off; another process begins
    world.kit = world.kit._replace(lives=Lives())
    assert await sweep(world) == 0
    assert await live(world, 5) == 0 and await states(world, "An") == ["active"]
    assert await live(world, 2) == 1


async def test_ones_own_role_is_confirmed_by_the_unit_above_and_by_nobody_else(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    (mine,) = await waits(world, "Chi")
    (theirs,) = await waits(world, "Giang")
    assert (mine.name, theirs.name) == ("An", "Chi")
    for who, code in (("Chi", "own_request"), ("Dũng", "role_not_found"), ("Eve", "role_not_found")):
        with pytest.raises(Refusal) as no:
            await confirm(world, who, theirs.id)
        assert code_of(no.value) == code
    with pytest.raises(Refusal) as no:
        await confirm(world, "Giang", mine.id)
    assert code_of(no.value) == "role_not_found"
    assert await waits(world, "Dũng") == await waits(world, "Eve") == []
    await confirm(world, "Giang", theirs.id)
    with pytest.raises(Refusal) as no:
        await confirm(world, "Giang", theirs.id)
    assert code_of(no.value) == "already_reviewed"


async def test_a_unit_without_managers_is_confirmed_above_and_where_nobody_hears_nothing_ends(
    world: World,
) -> None:
    await world.employ("An", "NV-P", "Chi")
    await begin(world, "NV-P")
    assert [row.name for row in await waits(world, "Chi")] == ["An"]
    for name in ("Chi", "Giang"):
        await world.dismiss(name)
    assert await live(world, 30) == 0 and await states(world, "An") == ["active"]
    assert not any("chưa được xác nhận" in text for text in await world.told("An"))
    await world.appoint("Giang", "HUE")
    assert await live(world, 6) == 0
    assert await live(world, 1) == 1 and await states(world, "An") == ["ended"]


async def test_what_ends_or_moves_leaves_and_what_begins_later_is_not_in_it(world: World) -> None:
    an = await world.employ("An", "NV", "Chi")
    binh = await world.employ("Bình", "NV", "Chi")
    await begin(world, "NV")
    eve = await world.employ("Eve", "NV", "Chi")
    await world.end("Chi", an.id)
    moved = await world.move("Chi", binh.id, "TC", subject_type="cong_chuc", position="chuyen_vien")
    await world.approve("Dũng", moved.id)
    assert await waits(world, "Chi") == [] and await counts(world) == (0, 0, 1, 1)
    assert await live(world, 20) == 0
    assert await counts(world) == (0, 0, 1, 1) and (await lines(world))[0].closed_at is not None
    assert [role.id for role in await world.roles("Eve")] == [eve.id]
    assert await states(world, "Eve") == ["active"]


async def test_an_end_that_is_taken_back_waits_again(world: World) -> None:
    an = await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    asked = await world.end("Chi", an.id)
    await sweep(world)
    assert await waits(world, "Chi") == []
    await world.undo("Chi", asked.id)
    await sweep(world)
    assert [row.name for row in await waits(world, "Chi")] == ["An"] and await counts(world) == (1, 0, 0, 0)


async def test_what_is_suspended_neither_waits_nor_ends(world: World) -> None:
    an = await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    await live(world, 12)
    await act(world, "Chi", an.id, SUSPENSION)
    assert await waits(world, "Chi") == [] and await live(world, 10) == 0
    assert await states(world, "An") == ["suspended"] and await counts(world) == (0, 0, 0, 1)


async def test_the_end_takes_the_appointment_along(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await begin(world, "NV")
    assert await live(world, 18) == 1
    async with world.db.read() as tx:
        assert not (await authority.of(tx, world.kit, world.people["Chi"], now=world.now)).posts


async def test_a_review_wants_a_day_to_come_a_unit_and_no_other_review(world: World) -> None:
    with pytest.raises(FieldsInvalid):
        await begin(world, "NV", due=world.today)
    with pytest.raises(UnitNotFound):
        await begin(world, "NV", "XX")
    assert await lines(world) == []  # all or none
    await begin(world, "NV", "TC", "NV")
    assert sorted(one.unit_code for one in await lines(world)) == ["NV", "TC"]
    with pytest.raises(Refusal) as no:
        await begin(world, "NV")
    assert code_of(no.value) == "review_open" and no.value.facts == {"unit": "NV", "due_on": "2026-03-12"}
    await sweep(world)  # nobody is in it: it is over
    await begin(world, "NV")


async def test_what_waits_is_counted_to_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    await begin(world, "NV")
    for bound, total in ((1, 2), (2, 3), (9, 3)):
        monkeypatch.setattr(listing, "COUNTED", bound)
        async with world.db.read() as tx:
            page = await listing.waiting(tx, world.kit, world.people["Chi"], now=world.now)
        assert page.total == total, "one more than the bound says that there are more (rule 912)"


async def test_the_list_is_read_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    await world.employ("Chi", "NV-P", "Giang")
    for name, unit in (("An", "NV"), ("Bình", "NV-P"), ("Eve", "NV")):
        await world.employ(name, unit, "Chi")
    await begin(world, "NV", "NV-P")
    seen, cursor, total = list[str](), "", 0
    for _ in range(3):
        async with world.db.read() as tx:
            page = await listing.waiting(tx, world.kit, world.people["Chi"], cursor=cursor, now=world.now)
        seen, cursor, total = seen + [row.name for row in page.rows], page.next_cursor or "", page.total
        if not cursor:
            break
    assert sorted(seen) == ["An", "Bình", "Eve"] and total == 3
    assert [row.name for row in await waits(world, "Giang")] == ["Chi"]
    for bad in (paging.cursor_of("x"), paging.cursor_of("x y")):
        async with world.db.read() as tx:
            with pytest.raises(paging.CursorInvalid):
                await listing.waiting(tx, world.kit, world.people["Chi"], cursor=bad, now=world.now)
