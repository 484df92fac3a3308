"""Rows of text with line numbers, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from backend.imports.words import REASONS
from backend.typed import BadText, clean
from backend.words import ENGLISH, VIETNAMESE, say


class RowError(msgspec.Struct, frozen=True):
    """One bad cell; `column` is empty when the whole row or file is meant.

    `reason` is a code of `words.REASONS`, which says it with its remedy; `values` fill the places of those words.
    """

    line: int
    column: str
    reason: str
    values: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        """Nobody is told what no office can read."""
        if self.reason not in REASONS:
            raise LookupError(self.reason)


def in_both(error: RowError) -> str:
    """For a screen that has no language: the code, then Vietnamese, then English."""
    return f"{error.reason}: {both(error)}"


def both(error: RowError) -> str:
    """For a file that goes back to an office: Vietnamese first, English beside it."""
    return f"{told(error, VIETNAMESE)} · {told(error, ENGLISH)}"


def told(error: RowError, lang: str) -> str:
    """The reason and the remedy in one sentence."""
    reason, remedy = REASONS[error.reason]
    return f"{say(reason, lang, **error.values)}: {say(remedy, lang)}"


class ImportRefused(Exception):
    """The file cannot be taken as it is; nothing was written."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = list(errors)


class Record(msgspec.Struct, frozen=True):
    """One row: where it stands in the file, its cells by column, and what the reader found wrong with them.

    A column that the file lacks is absent, a blank cell is "": absence is not a value. A cell that the reader could
    not take has what it shows, for whoever mends it; `beyond` are the cells that stand under no title.
    """

    line: int
    cells: Mapping[str, str]
    errors: Sequence[RowError] = ()
    beyond: Sequence[str] = ()


def records(rows: Iterable[Mapping[str, str]]) -> list[Record]:
    """Rows that do not come from a file."""
    return [Record(number, row) for number, row in enumerate(rows, start=2)]


def refused(reason: str, *, line: int = 0, **values: str) -> ImportRefused:
    """What is wrong with the whole file."""
    return ImportRefused([RowError(line, "", reason, values)])


class Row:
    """Reads one record's cells, collecting what is wrong with them."""

    def __init__(self, record: Record, errors: list[RowError]) -> None:
        self.line, self._cells, self._errors = record.line, record.cells, errors
        self._bad = {error.column for error in record.errors}
        errors.extend(record.errors)

    def has(self, column: str) -> bool:
        """Whether the file has this column at all."""
        return column in self._cells

    def text(self, column: str, *, longest: int, required: bool = False) -> str:
        """A cleaned cell; empty after an error, and where the file has no such column."""
        if column in self._bad:
            return ""  # said already
        try:
            found = clean(self._cells.get(column, ""), longest=longest)
        except BadText as bad:
            self.wrong(column, bad.code)
            return ""
        if required and not found:
            self.wrong(column, "required")
        return found

    def wrong(self, column: str, reason: str, **values: str) -> None:
        """Remember that a cell is bad."""
        self._errors.append(RowError(self.line, column, reason, values))
