"""One sheet's XML as rows of cells, and the table of texts that its cells point into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from backend.imports.cells import Cell, Day, Fault, Line, shown_of
from backend.imports.number_formats import shown
from backend.imports.parts import Attributes, Unreadable
from backend.imports.rows import refused
from backend.typed import LOST

COLUMNS_MOST = 100  # cells further to the right are looked at, and kept only when something stands in them
CELLS_MOST = 4_000_000
LETTERS_MOST = 100_000_000
TEXTS_MOST = 3_000_000
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class Merged(msgspec.Struct, frozen=True):
    """An area that is shown as one cell: its rows and columns, the last ones included."""

    first: int
    last: int
    left: int
    right: int


class Book(msgspec.Struct):
    """What the cells of every sheet are read by."""

    formats: list[tuple[int, str | None]] = []
    strings: list[str] = []
    since_1904: bool = False
    is_uncomputed: bool = False  # the program that wrote it leaves computing to whoever opens it


class Strings:
    """The shared texts: of each item what is shown, without the reading aids of eastern languages."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._now: list[str] = []
        self._letters, self._in_text, self._in_aid = 0, False, False

    def start(self, tag: str, _: Attributes) -> None:
        """An element begins."""
        if tag == "si":
            self._now = []
        elif tag == "rPh":
            self._in_aid = True
        elif tag == "t":
            self._in_text = not self._in_aid

    def text(self, part: str) -> None:
        """Letters."""
        if self._in_text:
            self._letters += len(part)
            if self._letters > LETTERS_MOST:
                raise refused("workbook_too_large")
            self._now.append(part)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "t":
            self._in_text = False
        elif tag == "rPh":
            self._in_aid = False
        elif tag == "si":
            self.found.append(unescaped("".join(self._now)))
            if len(self.found) > TEXTS_MOST:
                raise refused("workbook_too_large")


class Sheet:
    """The rows of one sheet, taken away as they come."""

    def __init__(self, book: Book, merged: Sequence[Merged]) -> None:
        self._book, self._merged = book, list(merged)
        self._rows: list[Line] = []
        self._row, self._cells = 0, dict[int, Cell]()
        self._column, self._count = 0, 0
        self._cell: Attributes = {}
        self._formula: list[str] | None = None
        self._value: list[str] | None = None
        self._over: dict[Merged, str] = {}  # what each merged area shows
        self._text: list[str] = []
        self._into: list[str] | None = None
        self._in_aid = False

    def taken(self) -> Iterator[Line]:
        """The rows that are whole by now."""
        rows, self._rows = self._rows, []
        return iter(rows)

    def start(self, tag: str, said: Attributes) -> None:
        """An element begins."""
        if tag == "c":
            self._begin_cell(said)
        elif tag == "row":
            self._begin_row(said)
        elif tag == "v":
            self._value = self._into = []
        elif tag == "t":
            self._into = None if self._in_aid else self._text
        elif tag == "f":
            self._formula = self._into = []
        elif tag == "rPh":
            self._in_aid = True

    def text(self, part: str) -> None:
        """Letters."""
        if self._into is not None:
            self._into.append(part)

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag in {"v", "t", "f"}:
            self._into = None
        elif tag == "rPh":
            self._in_aid = False
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self._end_row()

    def _begin_row(self, said: Attributes) -> None:
        number = int(said.get("r", self._row + 1))
        if number <= self._row:
            raise Unreadable
        self._row, self._column = number, 0
        self._cells = {}

    def _begin_cell(self, said: Attributes) -> None:
        self._count += 1
        if self._count > CELLS_MOST:
            raise refused("workbook_too_large")
        place = REFERENCE.fullmatch(said["r"]) if "r" in said else None
        self._column = column_of(place[1]) if place else self._column + 1
        self._cell, self._formula, self._value, self._text = said, None, None, []

    def _end_cell(self) -> None:
        found = self._read()
        if found == "" or (isinstance(found, str) and self._column > COLUMNS_MOST and not found.strip()):
            return
        self._cells[min(self._column, COLUMNS_MOST + 1)] = found

    def _end_row(self) -> None:
        if not self._cells:
            return
        for area in self._areas():
            if self._row == area.first:
                self._over[area] = shown_of(self._cells.get(area.left, ""))
            shown = self._over.get(area, "")
            for column in range(area.left, min(area.right, COLUMNS_MOST) + 1):
                self._cells[column] = Fault("merged_cell", shown=shown if column == area.left else "")
        width = max(self._cells)
        self._rows.append((self._row, [self._cells.get(place, "") for place in range(1, width + 1)]))

    def _areas(self) -> list[Merged]:
        self._merged = [area for area in self._merged if area.last >= self._row]
        found = []
        for area in self._merged:
            if area.first > self._row:
                break
            found.append(area)
        return found

    def _read(self) -> Cell:
        kind = self._cell.get("t", "n")
        value = None if self._value is None else "".join(self._value)
        if self._formula is not None and (
            self._book.is_uncomputed or value is None or (not value and kind != "str")
        ):
            return Fault("formula_not_computed", shown="=" + "".join(self._formula))
        if kind == "inlineStr":
            return unescaped("".join(self._text))
        if not value:
            return ""
        return self._of_kind(kind, value)

    def _of_kind(self, kind: str, value: str) -> Cell:
        if kind == "s":
            return self._book.strings[_index(value, self._book.strings)]
        if kind == "str":
            return unescaped(value)
        if kind == "e":
            return Fault("error_cell", {"shown": value[:20]}, value[:20])
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind == "d":
            return Day(date.fromisoformat(value[:10]).isoformat())
        style = int(self._cell.get("s", "0"))
        number, code = self._book.formats[style] if style < len(self._book.formats) else (0, None)
        return shown(value, number, code, since_1904=self._book.since_1904)


def column_of(letters: str) -> int:
    """The number of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def unescaped(text: str) -> str:
    """Signs that XML cannot hold are written `_x000D_` (ECMA-376 part 1, §22.4.2.4); half a letter is a lost one."""
    return ESCAPED.sub(_sign, text) if "_x" in text else text


def _sign(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return LOST if 0xD800 <= code <= 0xDFFF else chr(code)


def _index(value: str, strings: Sequence[str]) -> int:
    if not 0 <= (found := int(value)) < len(strings):
        raise Unreadable
    return found
