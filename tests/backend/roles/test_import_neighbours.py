"""Neighbours of the files that failed (shared cases B01, B08, B10, B13): each is read right, or refused with words."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.imports import files
from backend.imports.rows import ImportRefused, Record, RowError, told
from backend.roles import staff, unit_life, unit_rows, units
from backend.roles.models import StaffRecord, Unit
from backend.roles.staff_rows import opened
from tests.backend.imports.sheets import number, workbook
from tests.backend.roles.test_told_races import change, province, stale, take
from tests.backend.roles.world import World

STORED = {"name": "Đơn vị NV", "parent": "HUE", "agency_code": "H57.03", "kind": "department"}
RENAMED = STORED | {"name": "Sở mới"}


def rows_of(
    tmp_path: Path, content: str | bytes, columns: tuple[str, ...] = unit_rows.COLUMNS
) -> list[Record]:
    file = tmp_path / "file.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return files.read(file, columns, required=columns[:1])


async def bring_in(world: World, rows: list[Record]) -> list[RowError]:
    """What is wrong with the rows; nothing when they came in."""
    try:
        async with world.db.write() as tx:
            await units.bring_in(tx, world.kit, rows, by=None, now=world.now)
    except ImportRefused as refused:
        return refused.errors
    return []


def said(errors: list[RowError]) -> list[tuple[str, str]]:
    """Column and reason of each, which must have words in both languages."""
    for error in errors:
        assert told(error, "vi") != told(error, "en")
    return [(error.column, error.reason) for error in errors]


async def stored(world: World) -> dict[str, dict[str, Any]]:
    async with world.db.read() as tx:
        found = {one.id: one for one in await tx.scalars(select(Unit))}
    return {
        one.code: {
            "name": one.name,
            "parent": found[one.parent_id].code if one.parent_id else None,
            "agency_code": one.agency_code,
            "kind": one.kind,
        }
        for one in found.values()
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name,code\nSở mới,NV\n", RENAMED),
        ("code;name\r\nNV;Sở mới\r\n", RENAMED),
        ("CODE,Name\nNV,Sở mới\n", RENAMED),
        ("code,name,,\nNV,Sở mới,,\n", RENAMED),
        ("sep=;\ncode;name\nNV;Sở mới\n", RENAMED),
        ("code,name\n\n,\nNV,Sở mới\n", RENAMED),
        (b"\xff\xfe" + "code\tname\r\nNV\tSở mới\r\n".encode("utf-16-le"), RENAMED),
        ("code\nNV\n", STORED),
        ("code,kind\nNV,so\n", STORED | {"kind": "so"}),
        ("code,agency_code\nNV,000.00.04.H57\n", STORED | {"agency_code": "H57.04"}),
        ("code,parent_code\nNV,TC\n", STORED | {"parent": "TC"}),
        ("code,parent_code\nNV,-\n", STORED | {"parent": None}),
        ("code,name,agency_code\nNV,Sở mới\n", RENAMED | {"agency_code": None}),
        ("code,name,parent_code\nNV,Sở mới,\n", [("parent_code", "parent_blank")]),
        ("code,name,parent_code\nNV,Sở mới\n", [("parent_code", "parent_blank")]),
        ("code,name,parent_code\nNV,Sở mới, \u00a0\u200b\n", [("parent_code", "parent_blank")]),
        ("code,name\nNV,\n", [("name", "required")]),
        ("code,name\nMOI,\n", [("name", "required")]),
        ("code,kind\nMOI,so\n", [("name", "required_for_unit")]),
    ],
)
async def test_b01_neighbours_leave_what_the_file_does_not_say(
    world: World, tmp_path: Path, content: str | bytes, expected: dict[str, Any] | list[tuple[str, str]]
) -> None:
    first = "code,agency_code,kind\nNV,H57.03,department\nNV-P,H57.03.01,division\n"
    assert await bring_in(world, rows_of(tmp_path, first)) == []
    before = await stored(world)
    errors = await bring_in(world, rows_of(tmp_path, content))
    if isinstance(expected, list):
        assert said(errors) == expected
        assert await stored(world) == before
    else:
        assert errors == []
        assert await stored(world) == before | {"NV": expected}


async def test_b01_neighbours_a_workbook_of_names_alone_leaves_the_rest(world: World, tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "u.xlsx", [["code", "name", ""], ["NV", "Sở mới"], ["", ""], ["TC", "Sở khác", ""]]
    )
    before = await stored(world)
    assert await bring_in(world, files.read(file, unit_rows.COLUMNS, required=unit_rows.REQUIRED)) == []
    after = await stored(world)
    assert {code: one["name"] for code, one in after.items()} == {
        "HUE": "Đơn vị HUE", "NV": "Sở mới", "NV-P": "Đơn vị NV-P", "TC": "Sở khác",
    }  # fmt: skip
    assert {code: one | {"name": ""} for code, one in after.items()} == {
        code: one | {"name": ""} for code, one in before.items()
    }


@pytest.mark.parametrize(
    ("codes", "reasons"),
    [
        (["SYT", "syt"], ["case_twin_above"]),
        (["SYT", "Syt", "sYt"], ["case_twin_above", "case_twin_above"]),
        (["SỞ", "sở"], ["case_twin_above"]),
        (["ĐT", "đt"], ["case_twin_above"]),
        (["SỞ", unicodedata.normalize("NFD", "SỞ")], ["comes_twice"]),
        (["SỞ", unicodedata.normalize("NFD", "sở")], ["case_twin_above"]),
        (["SYT", "ＳＹＴ"], ["case_twin_above"]),
        (["S2", "S²"], ["case_twin_above"]),
        (["STRASSE", "straße"], ["case_twin_above"]),
        (["SYT", " SYT "], ["comes_twice"]),
        (["SYT", "S\u200bYT"], ["comes_twice"]),
        (["SYT", "SYT\u00a0"], ["comes_twice"]),
        (["hue"], ["case_twin"]),
        (["ｎｖ"], ["case_twin"]),
        (["nv-P"], ["case_twin"]),
        (["S-1", "S1", "S.1", "S_1", "S/1"], []),
        (["D", "Đ", "đ1"], []),
        (["SO", "SÔ", "SƠ", "SÓ"], []),
    ],
)
async def test_b08_neighbours_codes_that_a_directory_takes_for_one_are_refused(
    world: World, tmp_path: Path, codes: list[str], reasons: list[str]
) -> None:
    before = await stored(world)
    text = "code,name,parent_code\n" + "".join(f"{code},Sở,HUE\n" for code in codes)
    errors = await bring_in(world, rows_of(tmp_path, text))
    assert said(errors) == [("code", reason) for reason in reasons]
    assert len(await stored(world)) == len(before) + (0 if reasons else len(codes))


STAFF = ("national_id", "full_name", "birth_date", "unit_code")
BAD = None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1950", "1950"), (" 1950\u00a0", "1950"), ("1950-03", "1950-03"), ("03/1950", "1950-03"), ("3.1950", "1950-03"),
        ("00/00/1950", "1950"), ("0/0/1950", "1950"), ("1950-00-00", "1950"), ("00/03/1950", "1950-03"),
        ("01.02.1990", "1990-02-01"), ("1-2-1990", "1990-02-01"), ("1990-02-01 00:00:00", "1990-02-01"),
        ("19900201", "1990-02-01"), ("29/02/2000", "2000-02-29"), ("2026", "2026"), ("02/03/2026", "2026-03-02"),
        ("2027", BAD), ("03/03/2026", BAD), ("04/2026", BAD), ("2999", BAD), ("1899", BAD), ("29/02/1900", BAD),
        ("31/04/1990", BAD), ("13/1990", BAD), ("14/03/50", BAD), ("1950.0", BAD), ("khoảng 1950", BAD), ("1950?", BAD),
        ("0000-00-00", BAD), ("--/--/1950", BAD), ("１９５０", BAD), ("1990-02-30 00:00:00", BAD),
    ],
)  # fmt: skip
async def test_b10_neighbours_a_birth_date_is_taken_as_far_as_it_is_known(
    world: World, tmp_path: Path, cell: str, expected: str | None
) -> None:
    text = f"national_id,full_name,birth_date,unit_code\n000199001001,Nguyễn Văn An,{cell},NV\n"
    await _born(world, rows_of(tmp_path, text, STAFF), expected)


@pytest.mark.parametrize(
    ("cell", "code", "expected"),
    [
        ("1950", "General", "1950"), ("1950", "0000", "1950"), ("32905", "dd/mm/yyyy", "1990-02-01"),
        ("32905", "mm/yyyy", "1990-02"), ("32905", "d-mmm", BAD), ("32905.75", "dd/mm/yyyy hh:mm", "1990-02-01"), ("32905", "General", BAD),
        ("32905", "yyyy", "1990"), ("32905", "[$-42A]dd mmmm yyyy", "1990-02-01"), ("195", "General", BAD), ("1950.5", "General", BAD), ("90000", "dd/mm/yyyy", BAD),
    ],
)  # fmt: skip
async def test_b10_neighbours_in_a_workbook(
    world: World, tmp_path: Path, cell: str, code: str, expected: str | None
) -> None:
    rows = [list(STAFF), ["000199001001", "Nguyễn Văn An", number(cell, 1), "NV"]]
    file = workbook(tmp_path / "s.xlsx", rows, formats=[code])
    await _born(world, files.read(file, STAFF, required=STAFF[:1]), expected)


async def _born(world: World, rows: list[Record], expected: str | None) -> None:
    try:
        async with world.db.write() as tx:
            await staff.bring_in(tx, world.kit, rows, by=None, now=world.now)
    except ImportRefused as refused:
        (error,) = refused.errors
        assert expected is None and error.column == "birth_date"
        assert error.reason in {"bad_date", "number_in_text"} and ": " in told(error, "vi")
        return
    async with world.db.read() as tx:
        (record,) = (await tx.scalars(select(StaffRecord))).all()
    assert opened(world.kit, record.id, record.sealed).birth_date == expected


@pytest.mark.parametrize(
    "given",
    [
        {"code": "NV-P", "name": "Phòng mới"},
        {"code": "NV", "name": "Sở mới"},
        {"code": "HUE", "name": "Thành phố mới"},
        {"code": "HUE", "agency_code": "H57"},
        {"code": "NV", "agency_code": "H57.03"},
        {"code": "NV-P", "agency_code": "H57.03.01"},
        {"code": "NV-P", "parent_code": "TC"},
        {"code": "NV-P", "parent_code": "-"},
        {"code": "NV", "parent_code": "TC"},
        {"code": "NV", "parent_code": "-", "name": "Sở độc lập"},
        {"code": "TC", "parent_code": "NV"},
        {"code": "NV", "kind": "so"},
        {"code": "MOI", "name": "Đơn vị NV-P", "parent_code": "TC"},
        {"code": "TC", "name": "Đơn vị NV-P"},
        {"code": "TC-P", "name": "Văn phòng hai"},
    ],
)
async def test_b13_neighbours_what_a_file_changes_every_system_hears(
    world: World, given: dict[str, str]
) -> None:
    held = await province(world)
    for code in ("NV-1", "TC-P"):
        await world.unit(code, code.split("-")[0])
    await change(world, code="NV-1", name="Văn phòng")
    await change(world, code="TC-P", name="Văn phòng")
    for name, unit, manager in (("An", "NV-P", "Chi"), ("Bình", "NV-1", "Chi"), ("Eve", "TC-P", "Dũng")):
        await world.employ(name, unit, manager)
    await take(world, held)
    assert await stale(world, held) == []
    await change(world, **given)
    assert await stale(world, held) == []


async def test_b13_neighbours_the_end_of_a_unit_of_the_same_name_is_heard(world: World) -> None:
    held = await province(world)
    for code in ("NV-1", "TC-P"):
        await world.unit(code, code.split("-")[0])
        await change(world, code=code, name="Văn phòng")
    await world.employ("An", "NV-1", "Chi")
    await take(world, held)
    async with world.db.write() as tx:
        await unit_life.end(tx, world.kit, "TC-P", successor="TC", on=world.today, by=None, now=world.now)
    assert await stale(world, held) == []
