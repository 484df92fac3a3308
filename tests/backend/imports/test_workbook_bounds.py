"""A workbook costs no more than it holds, and a broken or hostile one is one line of refusal (B07)."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from backend.imports import files, parts, sheets
from backend.imports.rows import ImportRefused, Record, RowError, told
from tests.backend.imports.sheets import Raw, error, workbook

UNITS = ("code", "name", "parent_code", "agency_code", "kind")
HEAD = list(UNITS)


def read(file: Path, columns: tuple[str, ...] = UNITS) -> list[Record]:
    return files.read(file, columns, required=columns[:1])


def refusal(file: Path) -> RowError:
    with pytest.raises(ImportRefused) as refused:
        read(file)
    (found,) = refused.value.errors
    return found


def far(cell: str, row: int) -> str:
    line = "".join(
        f'<c r="{chr(65 + at)}2" t="inlineStr"><is><t>{text}</t></is></c>'
        for at, text in enumerate(("SYT", "Sở Y tế"))
    )
    head = "".join(
        f'<c r="{chr(65 + at)}1" t="inlineStr"><is><t>{name}</t></is></c>' for at, name in enumerate(UNITS)
    )
    return f'<row r="1">{head}</row><row r="2">{line}</row><row r="{row}">{cell}</row>'


@pytest.mark.parametrize(
    ("place", "row"),
    [("XFD1048576", 1048576), ("XFD2000", 2000), ("A1048576", 1048576), ("ZZ3", 3), ("XFD3", 3)],
)
def test_b07_a_blank_cell_far_away_is_passed_over_and_costs_nothing(
    tmp_path: Path, place: str, row: int
) -> None:
    blank = f'<c r="{place}" t="inlineStr"><is><t> </t></is></c>'
    file = workbook(tmp_path / "u.xlsx", far(blank, row))
    tracemalloc.start()
    found = read(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.cells["code"] for one in found] == ["SYT"]
    assert most < 5_000_000


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="XFD1048576" s="0"/>',
        '<c r="XFD1048576"><v></v></c>',
        '<c r="XFD1048576" t="inlineStr"><is><t>\u00a0\u200b </t></is></c>',
        '<c r="XFD1048576" t="str"><f>REPT("",1)</f><v></v></c>',
        "",
        "".join(f'<c r="{letter}1048576" s="0"/>' for letter in ("B", "ZZ", "AAA", "XFC", "XFD")),
        "<c/>" * 16_384,
        '<c r="A1048576" t="inlineStr"><is><t/></is></c>',
    ],
)
def test_b07_neighbours_whatever_is_blank_far_away_is_passed_over_and_costs_nothing(
    tmp_path: Path, cells: str
) -> None:
    file = workbook(tmp_path / "u.xlsx", far(cells, 1048576))
    tracemalloc.start()
    found = read(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(one.cells["code"], one.errors) for one in found] == [("SYT", [])]
    assert most < 5_000_000


def test_b07_a_cell_far_away_with_something_in_it_is_named(tmp_path: Path) -> None:
    there = '<c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c>'
    rows = read(workbook(tmp_path / "u.xlsx", far(there, 1048576)))
    assert [(one.line, [error.reason for error in one.errors]) for one in rows] == [
        (2, []),
        (1048576, ["too_many_cells"]),
    ]


def test_a_file_that_grows_when_it_is_unpacked_is_refused_early(tmp_path: Path) -> None:
    file = workbook(tmp_path / "u.xlsx", "<row><c/></row>" * 1_000_000)
    assert file.stat().st_size < 100_000
    tracemalloc.start()
    assert refusal(file).reason == "workbook_too_large"
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(("name", "most"), [("CELLS_MOST", 5), ("LETTERS_MOST", 3), ("TEXTS_MOST", 0)])
def test_cells_and_letters_have_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    rows = [HEAD, [Raw('<c r="{at}" t="s"><v>0</v></c>'), "Sở"]]
    file = workbook(tmp_path / "u.xlsx", rows, strings=["<t>SYTE</t>"])
    assert len(read(file)) == 1
    monkeypatch.setattr(sheets, name, most)
    assert refusal(file).reason == "workbook_too_large"


@pytest.mark.parametrize(("name", "most"), [("BYTES_MOST", 600), ("ELEMENTS_MOST", 20), ("SMALL", 2)])
def test_parts_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    file = workbook(tmp_path / "u.xlsx", [HEAD, ["S", "Sở " + "x" * 500]])
    assert len(read(file)) == 1
    monkeypatch.setattr(parts, name, most)
    assert refusal(file).reason == "workbook_too_large"


def test_one_endless_tag_is_refused(tmp_path: Path) -> None:
    noise = (
        random.Random(7).randbytes(1_500_000).hex()
    )  # as large packed as it is: only its length gives it away
    file = workbook(tmp_path / "u.xlsx", f'<row r="{noise}"/>')
    assert refusal(file).reason == "workbook_too_large"


def test_too_many_merged_areas_are_refused(tmp_path: Path) -> None:
    areas = [f"A{n}:B{n}" for n in range(3, 2_500)]
    assert (
        refusal(workbook(tmp_path / "u.xlsx", [HEAD, ["S", "Sở"]], merged=areas)).reason == "too_many_merged"
    )


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE x [<!ENTITY a "x">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a "xx"><!ENTITY b "&a;&a;">]>',
    ],
)
def test_xml_that_declares_anything_is_refused(tmp_path: Path, before: str) -> None:
    assert refusal(workbook(tmp_path / "u.xlsx", [HEAD, ["S", "Sở"]], before=before)).reason == "not_workbook"


@pytest.mark.parametrize(
    "broken",
    [
        {"xl/worksheet.xml": "<worksheet>"},
        {"xl/worksheet.xml": "no xml"},
        {"xl/workbook.xml": "<workbook/>"},
        {"xl/styles.xml": "<styleSheet><numFmts><numFmt/></numFmts></styleSheet>"},
        {"_rels/.rels": "<"},
        {
            "xl/worksheet.xml": '<worksheet><row r="2"><c t="inlineStr"><is><t>code</t></is></c></row><row r="1"/></worksheet>'
        },
        {"xl/worksheet.xml": '<worksheet><row r="x"/></worksheet>'},
        {"xl/worksheet.xml": '<worksheet><row r="1"><c t="s"><v>9</v></c></row></worksheet>'},
        {"xl/worksheet.xml": '<worksheet><row r="1"><c t="s"><v>-1</v></c></row></worksheet>'},
        {"xl/worksheet.xml": '<worksheet><row r="1"><c t="d"><v>gestern</v></c></row></worksheet>'},
    ],
)
def test_a_broken_workbook_is_refused_in_one_line(tmp_path: Path, broken: dict[str, str]) -> None:
    file = workbook(tmp_path / "u.xlsx", [HEAD, ["S", "Sở"]], parts=broken)
    assert refusal(file).reason == "not_workbook"


@pytest.mark.parametrize("ending", [".ods", ".xls", ".xlsb", ".XLS"])
def test_a_workbook_of_another_kind_says_how_to_save_it(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"units{ending}"
    file.write_bytes(b"whatever")
    found = refusal(file)
    assert found.reason == "other_workbook" and ".xlsx" in told(found, "vi") and ".xlsx" in told(found, "en")


def test_an_error_in_the_header_is_named(tmp_path: Path) -> None:
    file = workbook(tmp_path / "u.xlsx", [["code", error("#REF!")], ["S", "Sở"]])
    assert (refusal(file).line, refusal(file).reason) == (1, "error_cell")
