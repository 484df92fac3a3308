"""The journal says who ran a command: the machine's account, and the name that was given (A30)."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from backend.db import Database
from backend.facts import Operator
from backend.journal import Entry
from ngomon.commands import by
from tests.ngomon.test_role_commands import STAFF, UNITS, Run, file, run

__all__ = ["file", "run"]
ACCOUNT = pwd.getpwuid(os.getuid()).pw_name
DESK = ("--name", "Đội hỗ trợ", "--mailbox", "hotro@hue.example", "--phone", "0234 3000 000")
PERSON = ("--national-id", "000090000001")


def operators() -> list[tuple[str, Operator | None]]:
    """Every entry's tag, and who ran the command."""

    class Any(msgspec.Struct):
        operator: Operator | None = None

    async def read() -> list[tuple[str, Operator | None]]:
        db = Database(os.environ["NGOMON_DATABASE_URL"])
        try:
            async with db.read() as tx:
                found = await tx.execute(select(Entry.tag, Entry.fact).order_by(Entry.seq))
                return [(tag, msgspec.json.decode(fact, type=Any).operator) for tag, fact in found]
        finally:
            await db.close()

    return asyncio.run(read())


def test_a30_every_command_that_writes_names_who_ran_it(run: Run, tmp_path: Path) -> None:
    units, people = tmp_path / "units.csv", tmp_path / "people.csv"
    units.write_text(UNITS)
    people.write_text(STAFF)
    wrote: list[tuple[str | Path, ...]] = [
        ("units", "import", units),
        ("staff", "import", people),
        ("managers", "add", "--unit", "SNV", *PERSON),
        ("managers", "remove", "--unit", "SNV", *PERSON),
        ("support", "desks", "add", "HUE", *DESK),
        ("support", "staff", "add", "--desk", "HUE", *PERSON),
        ("support", "staff", "remove", "--desk", "HUE", *PERSON),
        ("support", "desks", "remove", "HUE"),
        ("notices", "publish", "--title", "Bảo trì", "--body", "Từ 22 giờ."),
    ]
    for words in wrote:
        code, _, err = run(*words, "--by", "  Lê Văn  An ")
        assert (code, err) == (0, ""), words
    found = operators()
    assert [tag for tag, _ in found] == [
        "units.imported",
        "staff.imported",
        "manager.appointed",
        "manager.dismissed",
        "support.desk_added",
        "support.staff_added",
        "support.staff_removed",
        "support.desk_removed",
        "notice.published",
    ]
    assert {operator for _, operator in found} == {Operator(by._system_account(), "Lê Văn An")}
    assert run("audit", "verify")[0] == 0, "what names the operator is part of the chain"


def test_a30_without_a_name_the_machines_account_stands_there(
    run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert run("units", "import", file(UNITS))[0] == 0
    assert operators() == [("units.imported", Operator(ACCOUNT))]
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "vanhanh")
    assert by.whoever_runs() == Operator("vanhanh as root"), "root was called by somebody"
    monkeypatch.setattr("os.getuid", lambda: 65_533)
    assert "vanhanh" not in by.whoever_runs().system, "who is not root may set the variable as they like"


def test_a30_a_number_is_no_name(run: Run, file: Callable[[str], Path]) -> None:
    for name in ("000090000001", "An 0550 123 456", "", " ", "x" * 81, "a\tb\x07"):
        code, _, err = run("units", "import", file(UNITS), "--by", name)
        assert code == 1 and err.startswith("ngomon: Invalid value for '--by': a name"), name
    assert operators() == []
