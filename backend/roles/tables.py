"""CSV and XLSX files as rows of text with line numbers; nothing in them is ever computed (security TW11)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec

from backend.roles.forms import BadText, clean

ROWS_MOST = 200_000
BYTES_MOST = 50_000_000


class RowError(msgspec.Struct, frozen=True):
    """One bad cell; `column` is empty when the whole row or file is meant."""

    line: int
    column: str
    reason: str


class ImportRefused(Exception):
    """The file cannot be taken as it is; nothing was written."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = list(errors)


class Record(msgspec.Struct, frozen=True):
    """One row: where it stands in the file, and its cells by column."""

    line: int
    cells: Mapping[str, str]


def records(rows: Iterable[Mapping[str, str]]) -> list[Record]:
    """Rows that do not come from a file."""
    return [Record(number, row) for number, row in enumerate(rows, start=2)]


def read(path: Path, columns: Sequence[str], *, required: Sequence[str]) -> list[Record]:
    """The rows of a file with exactly these columns in any order; raises ImportRefused."""
    if not path.is_file():
        raise _refused("no such file")
    if path.stat().st_size > BYTES_MOST:
        raise _refused(f"the file is larger than {BYTES_MOST // 1_000_000} MB")
    lines = _xlsx(path) if path.suffix.lower() in {".xlsx", ".xlsm", ".ods", ".xls"} else _csv(path)
    if not lines:
        raise _refused("the file is empty")
    header = [cell.strip().lower() for cell in lines[0][1]]
    _check_header(header, columns, required)
    found, errors = [], []
    for number, cells in lines[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            errors.append(RowError(number, "", f"{len(cells)} cells, the header has {len(header)}"))
        found.append(Record(number, dict.fromkeys(columns, "") | dict(zip(header, cells, strict=False))))
    if len(found) > ROWS_MOST:
        errors.append(RowError(0, "", f"more than {ROWS_MOST} rows"))
    if errors:
        raise ImportRefused(errors)
    return found


class Row:
    """Reads one record's cells, collecting what is wrong with them."""

    def __init__(self, record: Record, errors: list[RowError]) -> None:
        self.line, self._cells, self._errors = record.line, record.cells, errors

    def text(self, column: str, *, longest: int, required: bool = False) -> str:
        """A cleaned cell; empty after an error."""
        try:
            found = clean(self._cells.get(column, "") or "", longest=longest)
        except BadText as bad:
            self.wrong(column, bad.code)
            return ""
        if required and not found:
            self.wrong(column, "required")
        return found

    def wrong(self, column: str, reason: str) -> None:
        """Remember that a cell is bad."""
        self._errors.append(RowError(self.line, column, reason))


def _check_header(header: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    errors = [RowError(1, name, "unknown column") for name in header if name and name not in columns]
    errors += [RowError(1, name, "column is missing") for name in required if name not in header]
    errors += [
        RowError(1, name, "column comes twice") for name in set(header) if name and header.count(name) > 1
    ]
    if errors:
        raise ImportRefused(errors)


def _csv(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused("the file is not UTF-8 text") from error
    if "\0" in text:
        raise _refused("the file holds NUL characters")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","  # spreadsheets write both
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise ImportRefused([RowError(reader.line_num, "", f"not CSV: {error}")]) from error


def _xlsx(path: Path) -> list[tuple[int, list[str]]]:
    try:
        import python_calamine
    except ModuleNotFoundError as error:
        raise _refused("reading XLSX needs the extra: pip install 'ngomon[xlsx]'") from error
    try:
        sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise _refused("the file is not a workbook that can be read") from error
    return [(number, [_cell(cell) for cell in row]) for number, row in enumerate(rows, start=1)]


def _cell(value: object) -> str:
    """A cell as people typed it: whole numbers without a point, days without a time."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _refused(reason: str) -> ImportRefused:
    return ImportRefused([RowError(0, "", reason)])
