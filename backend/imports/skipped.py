"""The rows that an import passed over, with their reasons, as a file to be mended and imported again (R36)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from backend.imports.rows import Record, RowError

REASON = "reason"  # a column that every import passes over, so that the mended file comes in as it is


def good_rows(rows: Sequence[Record], errors: Iterable[RowError]) -> list[Record]:
    """The rows of which nothing is wrong."""
    bad = {error.line for error in errors}
    return [row for row in rows if row.line not in bad]


def write(file: Path, rows: Iterable[Record], errors: Iterable[RowError], columns: Sequence[str]) -> int:
    """Write the bad rows, for their owner's eyes only; how many. Never over a file that is there (FileExistsError)."""
    reasons: dict[int, list[str]] = {}
    for error in errors:
        reasons.setdefault(error.line, []).append(
            f"{error.column}: {error.reason}" if error.column else error.reason
        )
    bad = [row for row in rows if row.line in reasons]
    shown = [name for name in columns if any(name in row.cells for row in bad)]
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow([*shown, REASON])
        for row in bad:
            lines.writerow([*(row.cells.get(name, "") for name in shown), "; ".join(reasons[row.line])])
    return len(bad)
