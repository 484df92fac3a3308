"""The rows that an import passed over, with their reasons, as a file to be mended and imported again (R36)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from backend.imports import words
from backend.imports.rows import Record, RowError

REASON = "reason"  # a column that every import passes over, so that the mended file comes in as it is


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
        told = ((error.column, words.both(error)) for error in errors)
        said = (f"{column}: {reason}" if column else reason for column, reason in told)
        self._lines.writerow([*(row.cells.get(name, "") for name in self._columns), "; ".join(said)])
        self.count += 1
