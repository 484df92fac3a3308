"""Workbooks of which one cell, or the first sheet, is what nobody sees or can mean: said at its place (B03, B05)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.imports import files, skipped
from backend.imports.rows import ImportRefused, Record, Row
from tests.backend.imports.sheets import MAIN, OFFICE, PACKAGE, Raw, number, rows_xml, workbook

UNITS = ("code", "name")


def read(file: Path, columns: tuple[str, ...] = UNITS) -> list[Record]:
    return files.read(file, (*columns, skipped.REASON), required=columns[:1])


@pytest.mark.parametrize("code", ["General", "dd/mm/yyyy", "00000"])
@pytest.mark.parametrize("value", ["1E+9999999", "1E+99999999999", "-1E+9999999", "1E-9999999", "9" * 5000])
def test_a_number_of_any_size_is_one_bad_cell(tmp_path: Path, code: str, value: str) -> None:
    """It is neither computed, which would take for ever, nor a mistake of ours."""
    rows = [list(UNITS), [number(value, 1), "Sở"], ["S2", "Sở Hai"]]
    bad, good = read(workbook(tmp_path / "u.xlsx", rows, formats=[code]))
    assert [error.reason for error in bad.errors] in (["broken_cell"], ["number_in_text"])
    assert good.cells == {"code": "S2", "name": "Sở Hai"}


def test_the_last_day_of_a_sheet_that_counts_from_1904_is_one_bad_cell(tmp_path: Path) -> None:
    rows = [["code", "birth_date"], ["S1", number("2958465", 1)], ["S2", number("31443", 1)]]
    found = read(
        workbook(tmp_path / "u.xlsx", rows, formats=["dd/mm/yyyy"], properties='<workbookPr date1904="1"/>'),
        ("code", "birth_date"),
    )
    assert [[error.reason for error in row.errors] for row in found] == [["broken_cell"], []]
    assert found[1].cells["birth_date"] == "1990-02-01"


@pytest.mark.parametrize("sign", ["_xD800_", "_xDFFF_", "_x0000_"])
def test_half_a_letter_is_one_bad_cell_and_can_be_written_down(tmp_path: Path, sign: str) -> None:
    cell = Raw('<c r="{at}" t="inlineStr"><is><t>Sở' + sign + "</t></is></c>")
    (row,) = read(workbook(tmp_path / "u.xlsx", [list(UNITS), ["S1", cell]]))
    assert row.cells["name"].encode()
    errors = list(row.errors)
    Row(Record(row.line, row.cells), errors).text("name", longest=200)
    assert {error.reason for error in errors} <= {"bad_characters", "letters_lost"} and errors
    assert skipped.write(tmp_path / "bad.csv", [row], errors) == 1
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 2


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_sheet_that_nobody_sees_is_not_the_first(tmp_path: Path, state: str) -> None:
    sheets = f'<sheet name="A" sheetId="1" state="{state}" r:id="r0"/><sheet name="B" sheetId="2" r:id="r7"/>'
    link = f'<Relationship Id="r{{}}" Type="{OFFICE}/worksheet" Target="{{}}.xml"/>'
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{link.format(0, 'worksheet')}{link.format(7, 'seen')}</Relationships>",
        "xl/seen.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows_xml([list(UNITS), ["MOI", "Sở"]])}</sheetData>'
        "</worksheet>",
    }
    file = workbook(tmp_path / "u.xlsx", [list(UNITS), ["CU", "Của năm trước"]], parts=parts)
    assert [row.cells["code"] for row in read(file)] == ["MOI"]


def test_a_cell_of_a_csv_that_is_longer_than_any_is_said_in_words_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "u.csv"
    file.write_text('code,name\nS1,"' + "a" * 200_000 + '"\nS2,Sở\n', encoding="utf-8")
    with pytest.raises(ImportRefused) as refused:
        read(file)
    assert [error.line for error in refused.value.errors] == [2]
