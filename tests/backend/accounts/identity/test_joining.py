"""The rule of who may become whom against its table in docs/joining.md, every cell; and the rule at work on a database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.accounts.identity.evidence import PROVIDERS, VOUCHED_BY
from backend.accounts.identity.joining import Answer, Found, Standing, Verdict, decide

TABLE = Path(__file__).parents[4] / "docs" / "joining.md"
LEVELS = (1, 2, 3)
FOUND_BY = ("itself", "shut", "removed", "number", "digits")
STANDINGS = {"itself": Standing.OPEN, "shut": Standing.SHUT, "removed": Standing.REMOVED}
AGREE = list(itertools.product((True, False), (True, False, None)))  # name, birth date


class Cell(NamedTuple):
    """One case that the rule is asked about."""

    by: str
    level: int
    stands_on: str
    account_level: int
    owned: bool
    found_by: str
    name: bool
    birth: bool | None
    signed_in: bool
    sure: bool
    renewed: bool

    @property
    def found(self) -> Found:
        standing = STANDINGS.get(self.found_by, Standing.UNKNOWN)
        return Found(
            self.stands_on, self.account_level, self.owned, standing, self.found_by != "digits",
            self.name, self.birth, self.renewed,
        )  # fmt: skip

    @property
    def answer(self) -> Answer:
        """What the rule says."""
        return decide(self.by, self.level, self.found, signed_in=self.signed_in, sure=self.sure)


def cells() -> Iterator[Cell]:
    """Every way in × level × standing × level × owned × way it was found × name and birth date × who asks."""
    bools = (True, False)
    for by, level, on, has, owned, how, (name, birth), inside, sure in itertools.product(
        PROVIDERS, LEVELS, VOUCHED_BY, LEVELS, bools, FOUND_BY, AGREE, bools, bools
    ):
        for renewed in bools if by == "certificate" else (False,):
            yield Cell(by, level, on, has, owned, how, name, birth, inside, sure, renewed)


def table() -> list[list[str]]:
    """The rows of the rule as the page has them."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if len(row) == 9 and row[0] not in ("way in", "---") and row[2] != "nobody"]


def fits(row: list[str], cell: Cell) -> bool:
    """Whether a row of the table speaks of this cell."""
    by, level, on, has, owned, how, agree, asked, _ = row
    ways = [one.strip() for one in by.split(",")]
    if "renewed" in ways and not cell.renewed:
        return False
    return (
        (by == "*" or cell.by in ways)
        and _level(level, cell)
        and on in ("*", cell.stands_on)
        and has in ("*", str(cell.account_level))
        and owned in ("*", "yes" if cell.owned else "no")
        and (how == "*" or cell.found_by in [one.strip() for one in how.split(",")])
        and _agrees(agree, cell)
        and asked in ("*", "account" if cell.signed_in else "door")
    )


def _level(text: str, cell: Cell) -> bool:
    if text == "below the account's":
        return cell.level < cell.account_level
    return text == "*" or str(cell.level) in [one.strip() for one in text.split(",")]


def _agrees(text: str, cell: Cell) -> bool:
    disagrees = not cell.name or cell.birth is False
    return {
        "*": True,
        "disagrees": disagrees,
        "unstated": not disagrees and cell.birth is None,
        "name same": cell.name,
    }[text]


def said(text: str, cell: Cell) -> Answer:
    """The answer that a row gives to a cell."""
    if text == "new if it has another number, else refuse":
        return Answer(Verdict.NEW if cell.sure else Verdict.REFUSE)
    verdict, _, ends = text.partition(", ")
    return Answer(Verdict(verdict), ends == "ends")


def test_a04_every_cell_of_the_matrix_is_as_the_table_says() -> None:
    rows, wrong, count = table(), [], 0
    assert len(rows) == 21
    used = set()
    for cell in cells():
        count += 1
        index = next(at for at, row in enumerate(rows) if fits(row, cell))
        used.add(index)
        if said(rows[index][-1], cell) != cell.answer:
            wrong.append((cell, rows[index], cell.answer))
    assert not wrong, (len(wrong), wrong[:3])
    assert used == set(range(len(rows))), "every row of the table says something"
    assert count == 5 * 3 * 6 * 3 * 2 * 5 * 6 * 2 * 2 + 3 * 6 * 3 * 2 * 5 * 6 * 2 * 2


def test_a04_nobody_holds_the_number_and_anybody_may_open_an_account() -> None:
    for by, level in itertools.product(PROVIDERS, LEVELS):
        assert decide(by, level, None) == Answer(Verdict.NEW)


def test_a04_level_one_of_vneid_and_the_registries_never_join_at_the_door() -> None:
    for cell in cells():
        weak = cell.by in ("post_office", "subscriber", "social_insurance") or (cell.by, cell.level) == (
            "vneid",
            1,
        )
        if weak and not cell.signed_in and cell.found_by != "itself":
            assert cell.answer.verdict is not Verdict.JOIN, cell


def test_a03_nine_digits_alone_join_nobody_whose_name_and_birth_date_are_not_known_to_be_the_same() -> None:
    for cell in cells():
        if cell.found_by == "digits" and not cell.signed_in and not (cell.name and cell.birth):
            assert cell.answer.verdict is not Verdict.JOIN, cell


def test_a01_whatever_comes_first_and_vouches_ends_what_was_there() -> None:
    for cell in cells():
        answer = cell.answer
        if answer.verdict is Verdict.JOIN and not cell.owned:
            proves = cell.by == "certificate" or (cell.by == "vneid" and cell.level >= 2)
            own = (
                cell.found_by == "itself" and cell.by == "vneid" == cell.stands_on and cell.account_level == 1
            )
            assert answer.ends is (proves and not own), cell
        else:
            assert not answer.ends, cell
