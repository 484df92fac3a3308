"""What a page or a task asks for does not grow with the province (rule 912)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, insert, select, update

from backend.account import Account
from backend.appointment import Appointment
from backend.db import Database, new_id
from backend.facts import ManagerAppointed, SessionOpened
from backend.journal import Entry
from backend.kit import Kit
from backend.outbox import states
from backend.outbox.models import Delivery, Link
from backend.outbox.states import COUNTED, Count
from backend.roles import audit, audit_wanted, queue, timeline
from backend.roles.audit_wanted import Wanted
from backend.roles.models import RequestStep, Role, RoleRequest
from backend.roles.narrowed import Narrowed
from backend.words import say
from tests.backend.roles.world import World

MORE = COUNTED + 5


@pytest_asyncio.fixture
async def world(database: Database, kit: Kit) -> World:
    """Rows are written past the rules here, so nothing is checked afterwards."""
    made = World(database, kit)
    await made.populate()
    return made


async def _deliveries(world: World, system: UUID, account: UUID, many: int, **said: Any) -> None:
    """So many versions that wait, of one person."""
    made = {"system_id": system, "account_id": account, "lane": 1, "state": "pending", "attempts": 0}
    made |= dict.fromkeys(("not_before", "next_at", "created_at", "changed_at"), world.now)
    async with world.db.write() as tx:
        await tx.execute(insert(Link), [{"id": new_id(), "system_id": system, "account_id": account}])
        rows = [made | {"id": new_id(), "version": number} | said for number in range(1, many + 1)]
        await tx.execute(insert(Delivery), rows)


async def test_a_count_stops_and_says_so(world: World) -> None:
    system = await world.system("Một")
    await _deliveries(world, system, world.people["An"], MORE)
    async with world.db.read() as tx:
        (seen,) = await states.overview(tx, world.now)
    assert seen.counts["pending"] == COUNTED + 1
    assert (str(Count(seen.counts["pending"])), f"{Count(COUNTED)}") == ("1.000+", "1000")
    assert say("{n} mục chờ gửi", "vi", n=Count(MORE)).startswith("1.000+ ")
    assert say("{n} mục chờ gửi", "en", n=Count(MORE)).startswith("1,000+ ")


@pytest.mark.parametrize("said", [{"state": "dead"}, {"attempts": 2}])
async def test_people_who_fail_are_named_to_their_own_manager_only(
    world: World, said: dict[str, Any]
) -> None:
    system = await world.system("Một")
    await world.employ("An", "NV", "Chi")
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(**said))
    await _deliveries(world, system, await world.person("Vô"), 1, **said)  # who has no role
    among = states.failing(system)
    async with world.db.read() as tx:
        for manager, found in (("Chi", {world.people["An"]: "An"}), ("Dũng", {}), ("Giang", {})):
            names = await queue.names_within(
                tx, world.kit, world.people[manager], among, most=10, now=world.now
            )
            assert names == found
        assert (
            await queue.names_within(tx, world.kit, world.people["Chi"], among, most=0, now=world.now) == {}
        )


async def test_the_calendar_is_asked_before_anybody_waits_for_it(world: World) -> None:
    async def is_due() -> bool:
        async with world.db.read() as tx:
            return await timeline.is_due(tx, now=world.now)

    assert not await is_due()
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=3)))
    await world.approve("Chi", asked.id)
    assert not await is_due()
    world.pass_time(days=3)
    assert await is_due()
    assert await world.roll() == 1
    assert not await is_due()


YESTERDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    "comes",
    [
        update(RoleRequest)
        .where(RoleRequest.status == "approved")
        .values(applied_at=None, effective_on=None),
        update(RoleRequest)
        .where(RoleRequest.status == "approved")
        .values(applied_at=None, effective_on=YESTERDAY),
        update(Role).values(until_on=YESTERDAY),
        update(Appointment).values(from_on=YESTERDAY),
        update(Appointment).values(until_on=YESTERDAY),
        update(RequestStep).where(RequestStep.decider_id.is_not(None)).values(due_on=YESTERDAY),
    ],
)
async def test_the_one_look_sees_whatever_comes_with_a_day(world: World, comes: Any) -> None:
    await world.employ("An", "NV", "Chi")
    await world.ask("Bình")
    async with world.db.write() as tx:
        await tx.execute(update(Account).values(vneid_at=world.now))
    async with world.db.read() as tx:
        assert not await timeline.is_due(tx, now=world.now)
    async with world.db.write() as tx:
        await tx.execute(comes)
    async with world.db.read() as tx:
        assert await timeline.is_due(tx, now=world.now)


def test_the_next_moment_of_the_calendar_is_the_next_day_in_viet_nam() -> None:
    evening = datetime(2026, 3, 1, 16, 59, tzinfo=UTC)
    assert timeline.next_moment(evening) == datetime(2026, 3, 1, 17, 0, tzinfo=UTC)
    assert timeline.next_moment(evening + timedelta(minutes=1)) == datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


async def test_the_journal_page_passes_over_what_is_not_the_readers(world: World) -> None:
    own = ManagerAppointed(subject=None, unit=world.units["NV"])
    strange = ManagerAppointed(subject=None, unit=world.units["TC"])
    async with world.db.write() as tx:
        for fact in [own, *[strange] * (audit_wanted.CHUNK + 1), own]:
            world.kit.journal.record(tx, fact, by=None, now=world.now)
        opened = SessionOpened(
            subject=world.people["An"], session=new_id(), kind="mobile", method="x", epoch=1
        )
        world.kit.journal.record(tx, opened, by=None, now=world.now)
    async with world.db.read() as tx:
        reader = world.people["Chi"]
        lines, older = await audit.of_units(tx, world.kit, reader, Wanted("manager"), most=1, now=world.now)
        more, _ = await audit.of_units(
            tx, world.kit, reader, Wanted("manager"), before=older, most=1, now=world.now
        )
        last = await tx.scalar(select(func.max(Entry.seq)))
    assert [line.seq for line in lines + more] == [(last or 0) - 1, (last or 0) - audit_wanted.CHUNK - 3]


async def test_the_people_of_many_units_are_paged_one_by_one_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "UNITS", 2)
    everybody = []
    for number in range(9):
        unit = ("NV", "NV-P", "HUE")[number % 3]
        name = f"Nguyễn {'Tìm' if number % 2 else 'Khác'} {number}"
        await world.person(name)
        await world.employ(name, unit, "Giang" if unit == "HUE" else "Chi")
        everybody.append((unit, name))

    async def pages(manager: str, **asked: Any) -> list[tuple[str, str]]:
        seen, cursor = [], None
        async with world.db.read() as tx:
            while True:
                page = await queue.people(
                    tx, world.kit, world.people[manager], cursor=cursor, most=2, now=world.now, **asked
                )
                seen += [(row.unit_code, row.name) for row in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    return seen
                assert len(page.items) == 2

    of_chi = [one for one in everybody if one[0] != "HUE"]
    assert await pages("Chi") == sorted(of_chi, key=lambda one: (one[0], everybody.index(one)))
    assert sorted(await pages("Giang")) == sorted(one for one in everybody if one[0] == "HUE")
    assert await pages("Chi", q="tim") == [one for one in await pages("Chi") if "Tìm" in one[1]]
    digits = world.numbers["Nguyễn Khác 4"]
    assert await pages("Chi", q=digits) == [("NV-P", "Nguyễn Khác 4")]
    assert await pages("Giang", q=digits) == []
    for nobody in ("x" * 10_000, "!?", "không ai"):
        assert await pages("Chi", q=nobody) == []


async def test_the_people_are_narrowed_by_unit_position_and_state(world: World) -> None:
    for number, unit in enumerate(("NV", "NV-P", "NV-P", "HUE")):
        name = f"Nguyễn {'Tìm' if number % 2 else 'Khác'} {number}"
        await world.person(name)
        await world.employ(name, unit, "Giang" if unit == "HUE" else "Chi")

    async def named(narrowed: Narrowed, q: str | None = None) -> list[str]:
        async with world.db.read() as tx:
            found = await queue.people(
                tx, world.kit, world.people["Chi"], now=world.now, narrowed=narrowed, q=q
            )
        return [row.name[-1] for row in found.items]

    assert await named(Narrowed("NV-P")) == ["1", "2"]
    assert await named(Narrowed("NV", "chuyen_vien", "active")) == ["0", "1", "2"]
    assert await named(Narrowed("HUE")) == ["0", "1", "2"], "of what lies below, what is the reader's"
    assert await named(Narrowed("NV-P"), q="tim") == ["1"]
    for empty in (
        Narrowed("TC"), Narrowed("?"), Narrowed(position="van_thu"), Narrowed(state="ended"), Narrowed("NV", state="?"),
    ):  # fmt: skip
        assert await named(empty) == []
