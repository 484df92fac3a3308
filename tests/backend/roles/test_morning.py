"""A manager who is not at the workspace hears what waits: one mail at eight with counts, switched off by choice (R44)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from backend.db import Database
from backend.imports.rows import records
from backend.kit import Kit
from backend.roles import hearing, morning, staff
from backend.roles.confirming import starting
from backend.roles.hearing import Choice
from backend.support import desks
from backend.support.models import CaseMail
from tests.backend.roles.test_calling import Phones
from tests.backend.roles.world import World

MONDAY = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)  # 08:00 in Huế


async def opened(world: World) -> None:
    """A desk whose mails leave, and Chi's address in the directory."""
    row = {
        "national_id": world.numbers["Chi"],
        "full_name": "Chi",
        "birth_date": "1990-01-02",
        "unit_code": "NV",
        "subject_type": "cong_chuc",
        "position": "chuyen_vien",
        "official_email": "chi@hue.example",
    }
    async with world.db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "19001075"}
        await desks.add(tx, world.kit, "HUE", **about, now=world.now)
        await staff.bring_in(tx, world.kit, records([row]), by=None, now=world.now)


async def at(world: World, moment: datetime) -> int:
    return await morning.round_(world.db, world.kit, now=moment)


async def letters(db: Database, kit: Kit) -> list[tuple[str, str]]:
    """To whom, and what."""
    async with db.read() as tx:
        found = (await tx.scalars(select(CaseMail).order_by(CaseMail.id))).all()

    def opened_(row: CaseMail, name: str) -> str:
        return kit.keys.open(f"support_mails.{name}", row.id, getattr(row, name))

    return [(opened_(row, "recipient"), opened_(row, "body")) for row in found]


async def test_r44_one_mail_at_eight_says_counts_and_no_names(world: World) -> None:
    await opened(world)
    await world.ask("An", world.draft(unit="NV"))
    await world.ask("Bình", world.draft(unit="NV"))
    await world.roll()
    assert await at(world, MONDAY - timedelta(minutes=1)) == 0
    assert await at(world, MONDAY) == 1 and await at(world, MONDAY + timedelta(minutes=1)) == 0
    ((address, text),) = await letters(world.db, world.kit)
    assert address == "chi@hue.example"
    assert "2 yêu cầu về vai trò (trong đó 0 quá hạn) và 0 vai trò cần xác nhận" in text
    assert not any(word in text for word in ("An", "Bình", "NV", "http", world.numbers["An"]))
    assert await at(world, MONDAY + timedelta(days=1)) == 1


async def test_r44_not_on_days_off_nor_after_noon_nor_when_nothing_waits(world: World) -> None:
    await opened(world)
    assert await at(world, MONDAY) == 0
    await world.ask("An", world.draft(unit="NV"))
    assert await at(world, MONDAY + timedelta(hours=1)) == 0, "once a day is looked"
    saturday = MONDAY + timedelta(days=5)
    for off in (saturday, datetime(2026, 4, 30, 1, 0, tzinfo=UTC), MONDAY + timedelta(days=1, hours=4)):
        assert await at(world, off) == 0
    assert await at(world, MONDAY + timedelta(days=1, hours=3)) == 1


async def test_r44_what_a_review_waits_for_is_counted(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await opened(world)
    async with world.db.write() as tx:
        await starting.start(tx, world.kit, ["NV"], date(2026, 3, 20), by=None, now=world.now)
    assert await at(world, MONDAY) == 1
    assert "1 vai trò cần xác nhận" in (await letters(world.db, world.kit))[0][1]


async def test_r44_push_and_mail_are_switched_off_by_each_for_oneself(world: World) -> None:
    await opened(world)
    await world.appoint("Eve", "NV")
    phones = Phones()
    world.kit = world.kit._replace(phones=phones)
    async with world.db.write() as tx:
        await hearing.choose(tx, world.people["Chi"], Choice(by_push=False, by_mail=False))
        assert await hearing.of(tx, world.people["Chi"]) == (False, False)
        assert await hearing.of(tx, world.people["Eve"]) == (True, True)
    await world.ask("An", world.draft(unit="NV"))
    assert {account for account, *_ in phones.rang} == {world.people["Eve"]}
    assert await at(world, MONDAY) == 0
    async with world.db.write() as tx:
        await hearing.choose(tx, world.people["Chi"], Choice(by_push=False, by_mail=True))
    assert await at(world, MONDAY) == 1


async def test_r44_a_clock_that_was_ahead_keeps_nobody_from_hearing(world: World) -> None:
    await opened(world)
    await world.ask("An", world.draft(unit="NV"))
    assert await at(world, MONDAY + timedelta(days=28)) == 1
    assert await at(world, MONDAY) == 1


async def test_r44_without_a_desk_or_an_address_nothing_is_owed(world: World) -> None:
    await world.ask("An", world.draft(unit="NV"))
    assert await at(world, MONDAY) == 0
    await opened(world)
    await world.ask("Bình", world.draft(unit="TC"))
    assert await at(world, MONDAY) == 1, "of Dũng nobody knows an address"
