"""`ngomon support` and `ngomon notices`: one line of what was done, or one line of why not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from backend.appointment import Appointment
from backend.db import Database
from backend.roles.mailboxes import Mailbox
from tests.ngomon.test_role_commands import UNITS, Run, file, run

__all__ = ["file", "run"]
DESK = ("--name", "Đội hỗ trợ", "--mailbox", "hotro@hue.example", "--phone", "0234 3000 000")
CLERK = ("--desk", "HUE", "--national-id", "000090000001")


def test_desks_are_added_listed_and_removed(run: Run) -> None:
    assert run("support", "desks", "add", "HUE", *DESK)[:2] == (0, "desk HUE added\n")
    code, _, err = run("support", "desks", "add", "HUE", *DESK)
    assert (code, err) == (1, "ngomon: there is a desk with the code 'HUE' already\n")
    listed = run("support", "desks", "list")[1]
    assert all(words in listed for words in ("HUE", "Đội hỗ trợ", "hotro@hue.example", "0234 3000 000"))
    assert run("support", "desks", "remove", "HUE")[0] == 0
    assert "HUE" not in run("support", "desks", "list")[1]
    assert run("support", "desks", "remove", "HUE")[2] == "ngomon: no desk with the code 'HUE'\n"
    assert run("support", "desks", "add", "HUE", *DESK)[0] == 0, "a desk may come back"


def test_a_desk_that_cannot_be_is_named_by_what_is_wrong(run: Run) -> None:
    words = ("--name", " ", "--mailbox", "hotro\n@hue", "--phone", "x")
    code, _, err = run("support", "desks", "add", "HU E", *words)
    assert (code, err) == (1, "ngomon: not acceptable: code, name, mailbox, phone\n")


SOURCE = "02462764300, máy lẻ 88617, 88618, 88323, 88608, 88610, 88403, 88613, 88397"


def test_r40_a_desks_numbers_and_extensions_are_kept_as_the_source_writes_them(run: Run) -> None:
    good = (
        SOURCE,
        "0234 3000 000; 0234 3000 001",
        "1900 1075 / 02343 000 000 ext. 12",
        "19001075 hoặc +84 234 3000 000 máy lẻ 8",
    )
    for number, phone in enumerate(good):
        desk = (*DESK[:-1], phone)
        assert run("support", "desks", "add", f"D{number}", *desk)[0] == 0, phone
        assert phone in run("support", "desks", "list")[1]
    for phone in (
        "máy lẻ 88617",
        "02462764300, máy lẻ",
        "02462764300 máy lẻ tám",
        "gọi 02462764300",
        "1" * 201,
        f"{SOURCE}, {SOURCE}, {SOURCE}",
    ):
        code, _, err = run("support", "desks", "add", "X", *DESK[:-1], phone)
        assert (code, err) == (1, "ngomon: not acceptable: phone\n"), phone


def test_staff_are_hired_listed_masked_and_dismissed(run: Run) -> None:
    assert run("support", "staff", "add", *CLERK)[2] == "ngomon: no desk with the code 'HUE'\n"
    run("support", "desks", "add", "HUE", *DESK)
    assert run("support", "staff", "add", *CLERK)[1] == "staff of HUE added\n"
    assert run("support", "staff", "add", *CLERK)[1] == "works at HUE already\n"
    for words in ((), ("--desk", "HUE")):
        listed = run("support", "staff", "list", *words)[1]
        assert "000******001" in listed and "000090000001" not in listed
    assert run("support", "staff", "remove", *CLERK)[1] == "staff of HUE removed\n"
    assert run("support", "staff", "remove", *CLERK)[2] == "ngomon: that person does not work at HUE\n"
    code, _, err = run("support", "staff", "add", "--desk", "HUE", "--national-id", "1")
    assert (code, err) == (1, "ngomon: not acceptable: national_id\n")


def test_a_removed_desk_has_no_staff_when_it_comes_back(run: Run) -> None:
    run("support", "desks", "add", "HUE", *DESK)
    run("support", "staff", "add", *CLERK)
    run("support", "desks", "remove", "HUE")
    run("support", "desks", "add", "HUE", *DESK)
    assert "000***" not in run("support", "staff", "list")[1]


def test_announcements_are_published_and_ask_for_nothing(run: Run) -> None:
    words = ("notices", "publish", "--title", "Bảo trì", "--body")
    assert run(*words, "Từ 22 giờ.", "--until", "2999-01-01")[:2] == (0, "published\n")
    assert run(*words, "Cán bộ không bao giờ hỏi mật khẩu.")[0] == 0
    code, _, err = run(*words, "Trả lời tin này kèm mật khẩu.")
    assert code == 1 and err.startswith("ngomon: not published: body: ")
    assert run(*words, "Từ 22 giờ.", "--until", "01/01/2999")[:2] == (0, "published\n")
    assert run(*words, "x", "--until", "2020-01-01")[0] == 1
    assert run(*words, "x", "--until", "ngày mai")[0] != 0


def test_a_store_moves_to_an_address_that_can_be_one(run: Run) -> None:
    for url, why in (
        ("foo", "--to must begin with"),
        ("postgresql+asyncpg://u:p@h:x/d", "--to is no address"),
        ("sqlite+aiosqlite:///data/other.db", "--to must begin with postgresql+asyncpg://"),
    ):
        code, _, err = run("migrate-store", "--to", url)
        assert code == 1 and why in err and len(err.splitlines()) == 1, err


async def _at(url: str, moment: datetime) -> None:
    db = Database(url)
    async with db.write() as tx:
        for table, column in ((Appointment, "created_at"), (Mailbox, "kept_since")):
            await tx.execute(update(table).values({column: moment}))
    await db.close()


def test_whoever_was_named_late_in_the_evening_was_named_on_that_day_here(
    run: Run, file: Callable[[str], Path]
) -> None:
    """Seven in the evening of London is the next day of Huế, and a day is written dd/mm/yyyy everywhere."""
    assert run("units", "import", file(UNITS))[0] == 0
    assert run("managers", "add", "--unit", "SNV", "--national-id", "000090000001")[0] == 0
    assert run("support", "desks", "add", "HUE", *DESK)[0] == 0
    assert run("support", "staff", "add", *CLERK)[0] == 0
    assert run("mailboxes", "add", "hop@hue.example", "--unit", "SNV", "--keeper", CLERK[-1])[0] == 0
    asyncio.run(_at(os.environ["NGOMON_DATABASE_URL"], datetime(2026, 3, 4, 19, 0, tzinfo=UTC)))
    for words in (("managers", "list"), ("support", "staff", "list"), ("mailboxes", "list")):
        said = run(*words)[1]
        assert "05/03/2026" in said and "2026-" not in said, words
