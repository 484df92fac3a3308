"""A file as records: which reader it needs, its header, its bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from backend.imports import csv_files, encodings, skipped, workbooks
from backend.imports.cells import Cell, Fault, Line, is_blank, read_cell, shown_of
from backend.imports.rows import ImportRefused, Record, RowError, refused

ROWS_MOST = 200_000
BYTES_MOST = 50_000_000
WORKBOOKS = frozenset({".xlsx", ".xlsm"})
OTHER_WORKBOOKS = frozenset({".ods", ".xls", ".xlsb", ".numbers", ".et"})


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
    """As `read`, a row at a time; what is wrong with the whole file is raised, with one row stands in it.

    A file that no row of which can be trusted (its encoding, its kind, its header) is refused before the first.
    """
    if not path.is_file():
        raise refused("no_such_file")
    if path.stat().st_size > bytes_most:
        raise refused("file_too_large", most=str(bytes_most // 1_000_000))
    lines = _lines(path)
    number, titles = next(lines, (0, []))
    if not titles:
        raise refused("file_empty")
    header = [_title(number, cell) for cell in titles]
    _check_header(number, header, columns, required)
    for count, (number, cells) in enumerate(lines, start=1):
        if count > rows_most:
            raise refused("too_many_rows", most=str(rows_most))
        yield _record(number, cells, header)


def _lines(path: Path) -> Iterator[Line]:
    """The lines on which something stands."""
    ending = path.suffix.lower()
    if ending in OTHER_WORKBOOKS:
        raise refused("other_workbook", kind=ending)
    found = workbooks.lines(path) if ending in WORKBOOKS else csv_files.lines(path)
    return ((number, cells) for number, cells in found if not all(map(is_blank, cells)))


def _title(line: int, cell: Cell) -> str:
    text = read_cell(cell, "")
    if isinstance(text, Fault):
        raise refused(text.reason, line=line, **text.values)
    return text.strip().lower()


def _record(number: int, cells: Sequence[Cell], header: Sequence[str]) -> Record:
    found, errors = dict[str, str](), list[RowError]()
    beyond = list[Cell]()
    if len(cells) > len(header) or "" in header:
        beyond = [cell for place, cell in enumerate(cells) if place >= len(header) or not header[place]]
    if any(not is_blank(cell) and not _is_merged(cell) for cell in cells[len(header) :]):
        errors.append(
            RowError(number, "", "too_many_cells", {"cells": str(len(cells)), "header": str(len(header))})
        )
    for place, name in enumerate(header):
        cell, fault = _text(cells[place], name) if place < len(cells) else ("", None)
        if fault is not None:
            errors.append(RowError(number, name, fault.reason, fault.values))
        if name:
            found[name] = cell
        elif cell:
            errors.append(RowError(number, "", "cell_without_title", {"place": str(place + 1)}))
    errors += skipped.unmended(number, found, errors)
    return Record(number, found, errors, [shown_of(cell) for cell in beyond])


def _is_merged(cell: Cell) -> bool:
    return isinstance(cell, Fault) and cell.reason == "merged_cell"


def _text(cell: Cell, column: str) -> tuple[str, Fault | None]:
    """What the cell shows, and why that cannot be taken."""
    if isinstance(cell, str) and not cell.isascii() and (misread := encodings.misread(cell)):
        return cell, Fault("misread", misread)
    text = read_cell(cell, column)
    if isinstance(text, Fault):
        return cell if isinstance(cell, str) else text.shown, text
    return text, None


def _check_header(line: int, header: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    errors = [RowError(line, name, "unknown_column") for name in header if name and name not in columns]
    errors += [RowError(line, name, "column_missing") for name in required if name not in header]
    errors += [
        RowError(line, name, "column_twice")
        for name in sorted(set(header))
        if name and header.count(name) > 1
    ]
    if errors:
        raise ImportRefused(errors)
