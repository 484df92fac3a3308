"""Workbooks as lines of cells, a row at a time, as the sheet shows them; nothing in them is ever computed.

Our own reading of the first sheet, because the libraries that read workbooks make the whole grid in memory (a single
cell far away costs gigabytes), or know neither number formats nor merged cells nor whether a formula was computed.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from backend.imports import parts
from backend.imports.cells import Line
from backend.imports.parts import Unreadable
from backend.imports.rows import refused
from backend.imports.sheets import Book, Merged, Sheet, Strings, column_of

WORKBOOK = "xl/workbook.xml"
MERGES_MOST = 2_000
AREA = re.compile(r"([A-Z]{1,3})([0-9]{1,7})(?::([A-Z]{1,3})([0-9]{1,7}))?")


class _Places(msgspec.Struct):
    """Where the parts of a workbook are."""

    sheet: str = ""
    styles: str = ""
    strings: str = ""


def lines(path: Path) -> Iterator[Line]:
    """Each row of the first sheet that is shown, with its number; raises ImportRefused."""
    try:
        with zipfile.ZipFile(path) as packed:
            yield from _lines(packed)
    except (Unreadable, zipfile.BadZipFile, OSError, ValueError, LookupError, OverflowError) as error:
        raise refused("not_workbook") from error


def _lines(packed: zipfile.ZipFile) -> Iterator[Line]:
    main = _main(packed)
    described = parts.elements(packed, main)
    places = _places(packed, main, described)
    book = Book(formats=_formats(packed, places.styles) if places.styles else [])
    for tag, said in described:
        if tag == "workbookPr":
            book.since_1904 = said.get("date1904") in {"1", "true"}
        if tag == "calcPr":
            book.is_uncomputed = said.get("fullCalcOnLoad") in {"1", "true"}
    if places.strings:
        strings = Strings()
        for _ in parts.parsed(packed, places.strings, strings.start, strings.end, strings.text):
            pass
        book.strings = strings.found
    sheet = Sheet(book, _merged(packed, places.sheet))
    for _ in parts.parsed(packed, places.sheet, sheet.start, sheet.end, sheet.text):
        yield from sheet.taken()


def _main(packed: zipfile.ZipFile) -> str:
    for tag, said in parts.elements(packed, "_rels/.rels"):
        if tag == "Relationship" and said.get("Type", "").endswith("/officeDocument"):
            return parts.target("", said.get("Target", WORKBOOK))
    return WORKBOOK


def _places(packed: zipfile.ZipFile, main: str, described: list[tuple[str, parts.Attributes]]) -> _Places:
    folder, _, name = main.rpartition("/")
    related = parts.elements(packed, f"{folder}/_rels/{name}.rels")
    sheets = [said for tag, said in described if tag == "sheet"]
    seen = [
        said for said in sheets if said.get("state", "visible") == "visible"
    ]  # nobody means what nobody sees
    first = next((said.get("id") for said in seen or sheets), None)
    found = _Places()
    for tag, said in related:
        if tag != "Relationship" or said.get("TargetMode") == "External":
            continue
        kind, there = said.get("Type", "").rpartition("/")[2], parts.target(main, said.get("Target", ""))
        if kind == "worksheet" and said.get("Id") == first:
            found.sheet = there
        elif kind == "styles":
            found.styles = there
        elif kind == "sharedStrings":
            found.strings = there
    if not found.sheet:
        raise Unreadable
    return found


def _formats(packed: zipfile.ZipFile, name: str) -> list[tuple[int, str | None]]:
    """The number format of each cell style, with its code where the workbook brings its own."""
    codes: dict[int, str] = {}
    found: list[int] = []
    in_cells = False
    for tag, said in parts.elements(packed, name):
        if tag == "numFmt":
            codes[int(said["numFmtId"])] = said.get("formatCode", "")
        elif tag in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs"}:
            in_cells = tag == "cellXfs"
        elif tag == "xf" and in_cells:
            found.append(int(said.get("numFmtId", "0")))
    return [(number, codes.get(number)) for number in found]


def _merged(packed: zipfile.ZipFile, name: str) -> list[Merged]:
    """The merged areas, which stand behind the rows; looked for at the speed of a search."""
    before = b""
    for chunk in parts.chunks(packed, name):
        if b"mergeCell" in before + chunk:
            break
        before = chunk[-len("mergeCell") :]
    else:
        return []
    found: list[Merged] = []

    def start(tag: str, said: parts.Attributes) -> None:
        if tag == "mergeCell" and (area := AREA.fullmatch(said.get("ref", ""))) and area[3]:
            found.append(Merged(int(area[2]), int(area[4]), column_of(area[1]), column_of(area[3])))

    for _ in parts.parsed(packed, name, start, lambda _: None, lambda _: None):
        if len(found) > MERGES_MOST:
            raise refused("too_many_merged", most=str(MERGES_MOST))
    return sorted(found, key=lambda one: one.first)
