"""Workbooks written by hand, with everything that office programs put into cells."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KINDS = ("worksheet", "styles", "sharedStrings")
FIRST_OWN = 164  # number formats below are everybody's


class Raw(str):
    """A whole `<c>` element; {at} is where it stands."""

    __slots__ = ()


def number(value: str, style: int = 0) -> Raw:
    return Raw(f'<c r="{{at}}" s="{style}"><v>{value}</v></c>')


def formula(code: str, value: str | None = None, kind: str = "") -> Raw:
    held = "" if value is None else f"<v>{value}</v>"
    return Raw(f'<c r="{{at}}"{kind and f" t={quoteattr(kind)}"}><f>{escape(code)}</f>{held}</c>')


def error(value: str) -> Raw:
    return Raw(f'<c r="{{at}}" t="e"><v>{value}</v></c>')


def rows_xml(rows: Sequence[Sequence[str]]) -> str:
    """The rows of a sheet; plain texts stand inline."""
    found = []
    for y, row in enumerate(rows, start=1):
        cells = [
            cell.format(at=f"{chr(64 + x)}{y}")
            if isinstance(cell, Raw)
            else f'<c r="{chr(64 + x)}{y}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
            for x, cell in enumerate(row, start=1)
        ]
        found.append(f'<row r="{y}">{"".join(cells)}</row>')
    return "".join(found)


def workbook(
    file: Path,
    rows: Sequence[Sequence[str]] | str,
    *,
    formats: Sequence[str | int] = (),
    merged: Sequence[str] = (),
    strings: Sequence[str] = (),
    properties: str = "",
    before: str = "",
    parts: Mapping[str, str] = {},
) -> Path:
    """A workbook of one sheet; `formats` are the number formats of cell styles 1, 2, …"""
    sheet = rows if isinstance(rows, str) else rows_xml(rows)
    areas = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
    own = [code for code in formats if isinstance(code, str)]
    ids = [0, *(code if isinstance(code, int) else FIRST_OWN + own.index(code) for code in formats)]
    codes = "".join(
        f'<numFmt numFmtId="{FIRST_OWN + at}" formatCode={quoteattr(code)}/>' for at, code in enumerate(own)
    )
    styles = "".join(f'<xf numFmtId="{one}"/>' for one in ids)
    related = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{kind}.xml"/>'
        for at, kind in enumerate(KINDS)
    )
    written = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        f'<sheets><sheet name="A" sheetId="1" r:id="r0"/></sheets>{properties}</workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        "xl/worksheet.xml": f'{before}<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData>'
        f"{areas and f'<mergeCells>{areas}</mergeCells>'}</worksheet>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="9"/>'
        f"</cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(f"<si>{one}</si>" for one in strings)}</sst>',
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in (written | dict(parts)).items():
            packed.writestr(name, text)
    return file
