"""A file as records: which reader it needs, its header, its bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from backend.imports import csv_files, workbooks
from backend.imports.rows import ImportRefused, Record, RowError, refused

ROWS_MOST = 200_000
BYTES_MOST = 50_000_000
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".ods", ".xls"})


def read(path: Path, columns: Sequence[str], *, required: Sequence[str]) -> list[Record]:
    """The rows of a file whose columns are among these, in any order; raises ImportRefused."""
    return list(stream(path, columns, required=required))


def stream(
    path: Path,
    columns: Sequence[str],
    *,
    required: Sequence[str],
    rows_most: int = ROWS_MOST,
    bytes_most: int = BYTES_MOST,
) -> Iterator[Record]:
    """As `read`, a row at a time; what is wrong with the whole file is raised, with one row stands in it."""
    if not path.is_file():
        raise refused("no such file")
    if path.stat().st_size > bytes_most:
        raise refused(f"the file is larger than {bytes_most // 1_000_000} MB")
    lines = workbooks.lines(path) if path.suffix.lower() in WORKBOOKS else csv_files.lines(path)
    first = next(lines, None)
    if first is None:
        raise refused("the file is empty")
    header = [cell.strip().lower() for cell in first[1]]
    _check_header(header, columns, required)
    count = 0
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > rows_most:
            raise refused(f"more than {rows_most} rows")
        yield _record(number, cells, header)


def _record(number: int, cells: list[str], header: list[str]) -> Record:
    errors = []
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        errors.append(RowError(number, "", f"{len(cells)} cells, the header has {len(header)}"))
    filled = cells + [""] * (len(header) - len(cells))
    return Record(number, {name: cell for name, cell in zip(header, filled, strict=False) if name}, errors)


def _check_header(header: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    errors = [RowError(1, name, "unknown column") for name in header if name and name not in columns]
    errors += [RowError(1, name, "column is missing") for name in required if name not in header]
    errors += [
        RowError(1, name, "column comes twice") for name in set(header) if name and header.count(name) > 1
    ]
    if errors:
        raise ImportRefused(errors)
