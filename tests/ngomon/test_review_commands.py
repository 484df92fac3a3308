"""`ngomon reviews`: units are asked for a word about everybody's role, all of them or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from backend.outside.clock import Clock, local_day
from ngomon.commands import reviews
from tests.ngomon.test_operators import operators
from tests.ngomon.test_reorganise_commands import merger
from tests.ngomon.test_role_commands import Run, file, run

__all__ = ["file", "merger", "run"]


def day(ahead: int) -> str:
    return f"{local_day(Clock().now()) + timedelta(days=ahead):%d/%m/%Y}"


def test_reviews_of_some_units_are_started_and_listed(run: Run, merger: Path) -> None:
    until = day(30)
    code, said, err = run("reviews", "start", "--unit", "XA1", "XA2", "--due", until, "--by", "An")
    assert (code, err) == (0, "")
    first, second = said.splitlines()
    assert first.endswith(f" XA1: 10 roles to confirm until {until}") and " XA2: 10 roles" in second
    assert [who and who.name for tag, who in operators() if tag == "review.started"] == ["An"] * 2
    code, said, err = run("reviews", "list")
    assert (code, err) == (0, "")
    rows = [line.replace("│", " ").split() for line in said.splitlines() if "open" in line]
    assert [row[1:] for row in rows] == [
        [unit, until, "10", "0", "0", "0", "open"] for unit in ("XA2", "XA1")
    ]
    assert str(UUID(rows[1][0])) == first.split()[0]


def test_what_is_wrong_starts_nothing(run: Run, merger: Path, file: Callable[[str], Path]) -> None:
    assert run("reviews", "start", "--unit", "XA3", "--due", day(30))[0] == 0
    for words, cause in (
        (("--unit", "XA1", "--unit", "XX", "--due", day(30)), "no unit with the code 'XX'"),
        (("--unit", "XA1", "--unit", "XA3", "--due", day(30)), f"XA3 has a review until {day(30)} that"),
        (("--unit", "XA1", "--due", day(0)), "after today"),
        (("--unit", "XA1", "--due", day(4000)), "within a year"),
    ):
        code, _, err = run("reviews", "start", *words)
        assert code == 1 and cause in err and err.count("\n") == 1
    assert run("reviews", "start", "--unit", "XA1", "--due", "soon")[0] != 0
    assert run("reviews", "list")[1].count("open") == 1


def test_reviews_are_listed_page_by_page(run: Run, merger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("reviews", "start", "--unit", "XA1", "XA2", "--due", day(30))[0] == 0
    monkeypatch.setattr(reviews, "MOST", 1)
    pages, after = [], list[str]()
    for _ in range(2):
        code, said, err = run("reviews", "list", *after)
        assert (code, err) == (0, "")
        rows = [line.replace("│", " ").split() for line in said.splitlines() if " open " in line]
        pages.append([(row[1], row[3]) for row in rows])
        after = said.splitlines()[-1].removeprefix("more: ").split() if "more: " in said else []
    assert pages == [[("XA2", "10")], [("XA1", "10")]] and not after
