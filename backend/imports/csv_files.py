"""CSV files as lines of cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from backend.imports.rows import ImportRefused, RowError, refused


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each line that the file has, with the number of the line on which it ends; raises ImportRefused."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("the file is not UTF-8 text") from error
    if "\0" in text:
        raise refused("the file holds NUL characters")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","  # spreadsheets write both
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise ImportRefused([RowError(reader.line_num, "", f"not CSV: {error}")]) from error
