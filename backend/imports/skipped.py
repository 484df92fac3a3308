"""The rows that an import passed over, with their reasons, as a file to be mended and imported again (R36).

A CSV cannot say that a cell was a day, a formula or merged, so that what was refused would look good in it. The reason
therefore names such a cell with what it showed, and while it still shows just that, the row is refused again.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from backend.imports.cells import harmless
from backend.imports.rows import Record, RowError, both

REASON = "reason"  # a column that every import passes over, so that the mended file comes in as it is

LOST = frozenset(
    {
        "broken_cell", "day_in_text", "formula_not_computed", "merged_cell", "not_mended", "number_in_text",
        "number_lost_zeros",
    }
)  # fmt: skip


def unmended(line: int, cells: Mapping[str, str], errors: Iterable[RowError]) -> list[RowError]:
    """The cells of a row of such a file that are as they were when they were refused."""
    if not (why := cells.get(REASON)):
        return []
    said = {error.column for error in errors}
    mine = [(name, text) for name, text in cells.items() if name not in {REASON, *said}]
    return [RowError(line, name, "not_mended") for name, text in mine if _named(name, text) in f"; {why}"]


def good_rows(rows: Sequence[Record], errors: Iterable[RowError]) -> list[Record]:
    """The rows of which nothing is wrong."""
    bad = {error.line for error in errors}
    return [row for row in rows if row.line not in bad]


def write(file: Path, rows: Iterable[Record], errors: Iterable[RowError]) -> int:
    """Write the bad ones of the rows; how many. Never over a file that is there (FileExistsError)."""
    reasons: dict[int, list[RowError]] = {}
    for error in errors:
        reasons.setdefault(error.line, []).append(error)
    with BadRows(file) as bad:
        for row in rows:
            if row.line in reasons:
                bad.add(row, reasons[row.line])
    return bad.count


class BadRows:
    """A new file of bad rows, for its owner's eyes only; none is left where no row was bad."""

    def __init__(self, file: Path) -> None:
        self._path = file
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._lines = csv.writer(self._file)
        self._columns: list[str] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self.count:
            self._path.unlink()

    def add(self, row: Record, errors: Iterable[RowError]) -> None:
        """One row as it stood in its file, and why it was passed over."""
        if not self.count:
            self._columns = [name for name in row.cells if name != REASON]
            self._lines.writerow([*self._columns, REASON])
        reasons = "; ".join(_said(row, error) for error in errors)
        cells = [row.cells.get(name, "") for name in self._columns]
        self._lines.writerow(map(harmless, [*cells, reasons, *row.beyond]))
        self.count += 1


def _said(row: Record, error: RowError) -> str:
    """The reason with the column that it is about, and with what the cell showed where no CSV can tell it again."""
    shown = row.cells.get(error.column, "")
    if not error.column:
        return both(error)
    if error.reason not in LOST or (error.reason == "merged_cell" and shown):
        return f"{error.column}: {both(error)}"  # what a merged area shows stands in each of its lines now
    return f"{_named(error.column, shown).removeprefix('; ')} {both(error)}"


def _named(column: str, shown: str) -> str:
    return f"; {column} “{' '.join(shown.split())}”:"
