"""CSV files as lines of cells, whatever the office program that saved them writes around the text.

Read are UTF-8 with or without its mark, UTF-16 with its mark ("Unicode text" of Excel, cells between tabs), commas,
semicolons or tabs, and a first line `sep=;`. Everything else is refused by its name before the first row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from backend.imports import encodings
from backend.imports.cells import Line
from backend.imports.rows import refused

DELIMITERS = ",;\t"
SEPARATOR = re.compile(r'"?sep=(?P<sign>[,;\t|])"?[,;\t ]*', re.IGNORECASE)  # blank cells may follow it


def lines(path: Path) -> Iterator[Line]:
    """Each line of the file, with the number of the line on which it ends; raises ImportRefused."""
    with path.open(encoding=_encoding(path), newline="") as file:
        first = file.readline().strip("\r\n")
        told = SEPARATOR.fullmatch(first)
        delimiter = told["sign"] if told else max(DELIMITERS, key=first.count)
        skipped = 1 if told else file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                yield skipped + reader.line_num, cells
        except csv.Error as error:
            raise refused("not_csv", line=skipped + reader.line_num, said=str(error)) from error


def _encoding(path: Path) -> str:
    """In which encoding the whole file is text; raises ImportRefused that names the one it looks like."""
    with path.open("rb") as file:
        encoding = encodings.marked(file.read(4))
    try:
        with path.open(encoding=encoding, newline="") as text:
            while chunk := text.read(1 << 20):
                if "\0" in chunk:
                    raise refused("nul_characters")
    except UnicodeError as error:
        raise refused("not_utf8", looks_like=encodings.guessed(path)) from error
    return encoding
