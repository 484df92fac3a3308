"""Units from a file, all or nothing, and found again by whatever people type."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from backend.imports import files
from backend.imports.plan import Imported
from backend.imports.rows import ImportRefused, RowError
from backend.roles import unit_rows, units
from backend.roles.models import Unit
from tests.backend.roles.world import World

HEADER = "code,name,parent_code,agency_code,kind\n"


def csv(tmp_path: Path, body: str, *, header: str = HEADER, encoding: str = "utf-8") -> Path:
    file = tmp_path / "units.csv"
    file.write_bytes((header + body).encode(encoding))
    return file


async def bring_in(world: World, file: Path) -> Imported:
    rows = files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    async with world.db.write() as tx:
        return await units.bring_in(tx, world.kit, rows, by=None, now=world.now)


async def codes(world: World) -> set[str]:
    async with world.db.read() as tx:
        return set(await tx.scalars(select(Unit.code)))


async def found(world: World, q: str | None = None, parent: str | None = None) -> list[str]:
    async with world.db.read() as tx:
        page = await units.search(tx, q=q, parent=world.units[parent] if parent else None)
    return [unit.code for unit in page.items]


async def test_children_may_stand_before_their_parents(world: World, tmp_path: Path) -> None:
    file = csv(tmp_path, "S-P,Phòng,S,,phong\nS,Sở,R,,so\nR,Thành phố,,H57,tinh\n")
    assert await bring_in(world, file) == Imported(created=3, updated=0)
    async with world.db.read() as tx:
        by_code = {unit.code: unit for unit in await tx.scalars(select(Unit))}
    top, middle, leaf = by_code["R"], by_code["S"], by_code["S-P"]
    assert leaf.path == f"/{top.id}/{middle.id}/{leaf.id}/"


async def test_a_second_import_updates_and_moves_whole_branches(world: World, tmp_path: Path) -> None:
    await bring_in(world, csv(tmp_path, "NV,Sở Nội vụ mới,TC,,so\n"))
    async with world.db.read() as tx:
        by_code = {unit.code: unit for unit in await tx.scalars(select(Unit))}
    assert by_code["NV"].name == "Sở Nội vụ mới"
    assert by_code["NV-P"].path == f"{by_code['NV'].path}{by_code['NV-P'].id}/"
    assert by_code["NV"].path.startswith(by_code["TC"].path)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (",Sở,,,\n", RowError(2, "code", "required")),
        ("S,,,,\n", RowError(2, "name", "required")),
        ("S,Sở,NOWHERE,,\n", RowError(2, "parent_code", "no_such_unit")),
        ("S,Sở,S,,\n", RowError(2, "parent_code", "parent_circle")),
        ("S,Sở,,,\nS,Sở hai,,,\n", RowError(3, "code", "comes_twice", {"first": "2"})),
        ("S,Sở,,đây,\n", RowError(2, "agency_code", "bad_agency_code")),
        ("S,Sở,,000.00.17,\n", RowError(2, "agency_code", "bad_agency_code")),
        ("=1+1,Sở,,,\n", RowError(2, "code", "bad_unit_code")),
        ("S,Sở\u202e,,,\n", RowError(2, "name", "bad_characters")),
        (f"S,{'x' * 201},,,\n", RowError(2, "name", "too_long")),
        ("S,Sở,,,,thừa\n", RowError(2, "", "too_many_cells", {"cells": "6", "header": "5"})),
    ],
)
async def test_a_bad_row_is_named_and_nothing_is_written(
    world: World, tmp_path: Path, body: str, error: RowError
) -> None:
    before = await codes(world)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, csv(tmp_path, body + "GOOD,Đơn vị tốt,,,\n"))
    assert refused.value.errors == [error]
    assert await codes(world) == before


async def test_a_circle_through_the_database_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, csv(tmp_path, "HUE,Thành phố,NV-P,,\n"))
    assert [error.column for error in refused.value.errors] == ["parent_code"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file_empty"),
        (b"code,name\nS,\xff\n", "not_utf8"),
        (b"code,name\nS,a\0b\n", "nul_characters"),
        (b'code,name\nS,"open\n', "not_csv"),
        (b"name\nS\n", "column_missing"),
        (b"code,name,color\nS,a,b\n", "unknown_column"),
        (b"code,name,name\nS,a,b\n", "column_twice"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(ImportRefused) as refused:
        files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert reason in refused.value.errors[0].reason


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        files.read(tmp_path / "none.csv", unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert refused.value.errors == [RowError(0, "", "no_such_file")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_and_semicolons_are_fine(tmp_path: Path, encoding: str) -> None:
    file = csv(tmp_path, "S;Sở Nội vụ\n", header="code;name\n", encoding=encoding)
    (row,) = files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert (row.line, row.cells) == (2, {"code": "S", "name": "Sở Nội vụ"})


def test_a_column_that_the_file_lacks_is_absent_and_a_blank_cell_is_empty(tmp_path: Path) -> None:
    file = csv(tmp_path, "S,Sở,\nT,Ty\n", header="code,name,kind\n")
    rows = files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert [row.cells for row in rows] == [
        {"code": "S", "name": "Sở", "kind": ""},
        {"code": "T", "name": "Ty", "kind": ""},
    ]


def test_a_workbook_is_read_as_text_and_computes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "units.xlsx"
    workbook(file, [["code", "name"], ["19774", "=1+1"], [19789.0, "Phường"]])
    rows = files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert [(row.line, row.cells["code"], row.cells["name"]) for row in rows] == [
        (2, "19774", "=1+1"),
        (3, "19789", "Phường"),
    ]


def test_what_only_looks_like_a_workbook_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "units.xlsx"
    file.write_bytes(b"code,name\n")
    with pytest.raises(ImportRefused) as refused:
        files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)
    assert refused.value.errors[0].reason == "not_workbook"


@pytest.mark.parametrize(
    ("written", "kept"),
    [("000.00.17.G22", "G22.17"), ("G22.17", "G22.17"), ("00.00.H57", "H57"), ("h57.01.02", "H57.01.02")],
)
def test_both_notations_of_an_agency_are_one(written: str, kept: str) -> None:
    assert unit_rows.agency_code(written) == kept


async def test_search_forgives_marks_and_case_and_finds_codes(world: World, tmp_path: Path) -> None:
    await bring_in(world, csv(tmp_path, "SNV,Sở Nội vụ,HUE,000.00.17.G22,so\nP1,Phòng một,SNV,,\n"))
    assert await found(world, "so noi") == ["SNV"]
    assert await found(world, "SỞ NỘI VỤ") == ["SNV"]
    assert await found(world, "So\u031b\u0309") == ["SNV"]
    assert await found(world, "snv") == ["SNV"]
    assert await found(world, "G22.17") == await found(world, "000.00.17.G22") == ["SNV"]
    assert await found(world, None, "NV") == ["NV-P"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", ")) OR 1=1", "NEAR(", "*", "\0", "x" * 10_000])
async def test_search_is_literal(world: World, q: str) -> None:
    assert await found(world, q) == ([] if q != "\0" else sorted(world.units))


async def test_search_goes_on_where_the_cursor_says(world: World) -> None:
    seen: list[str] = []
    cursor = None
    for _ in world.units:  # a cursor that leads nowhere would never end
        async with world.db.read() as tx:
            page = await units.search(tx, q=None, parent=None, cursor=cursor, most=3)
        seen += [unit.code for unit in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == sorted(world.units)


def workbook(file: Path, rows: list[list[object]]) -> None:
    """A smallest possible XLSX file; formulas are written as formulas would be: as text."""
    import zipfile
    from xml.sax.saxutils import escape

    cells = "".join(
        f'<row r="{y}">'
        + "".join(
            f'<c r="{chr(64 + x)}{y}"><v>{value}</v></c>'
            if isinstance(value, float)
            else f'<c r="{chr(64 + x)}{y}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
            for x, value in enumerate(row, start=1)
        )
        + "</row>"
        for y, row in enumerate(rows, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
