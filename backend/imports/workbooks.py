"""Workbooks as lines of cells; nothing in them is ever computed (security TW11)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from backend.imports.rows import refused


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row of the first sheet with its number; raises ImportRefused."""
    try:
        import python_calamine
    except ModuleNotFoundError as error:
        raise refused("reading XLSX needs the extra: pip install 'ngomon[xlsx]'") from error
    try:
        sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise refused("the file is not a workbook that can be read") from error
    for number, row in enumerate(rows, start=1):
        yield number, [_cell(cell) for cell in row]


def _cell(value: object) -> str:
    """A cell as people typed it: whole numbers without a point, days without a time."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
