"""Workbooks are read as the sheet shows them, or refused with line, cell and remedy (B03, B05, B07)."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.imports import files
from backend.imports.rows import ImportRefused, Record, RowError, told
from tests.backend.imports.sheets import Raw, error, formula, number, workbook

UNITS = ("code", "name", "parent_code", "agency_code", "kind")
HEAD = list(UNITS)


def read(file: Path, columns: tuple[str, ...] = UNITS) -> list[Record]:
    return files.read(file, columns, required=columns[:1])


def refusal(file: Path) -> RowError:
    with pytest.raises(ImportRefused) as refused:
        read(file)
    (found,) = refused.value.errors
    return found


def unit(file: Path, cell: str, **written: object) -> tuple[str, list[str]]:
    """The code that one cell is read as, and what is wrong with it."""
    (row,) = read(workbook(file, [HEAD, [cell, "Sở"]], **written))  # type: ignore[arg-type]
    return row.cells["code"], [error.reason for error in row.errors]


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("00000", "101", "00101"), ("000000", "19774", "019774"), ("0000", "12345", "12345"), ('"CB"000', "7", "CB007"),
        ("000\\-000", "12034", "012-034"), ("[$-42A]00000", "101", "00101"), ("00000;-00000", "101", "00101"),
        ("General", "19774", "19774"), ("@", "19774", "19774"), ("#", "19774", "19774"), ("00000_)", "101", "00101"),
        ("000000000000", "199001001", "000199001001"), ("0", "1.9774E+4", "19774"), (1, "19774.0", "19774"), (49, "7", "7"),
    ],
)  # fmt: skip
def test_b05_zeros_that_a_format_shows_are_read_as_shown(
    tmp_path: Path, code: str | int, value: str, shown: str
) -> None:
    assert unit(tmp_path / "u.xlsx", number(value, 1), formats=[code]) == (shown, [])


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("General", "1.5", "number_in_text"), ("General", "-3", "number_in_text"), ("#,##0", "19774", "number_in_text"),
        ("0.00", "5", "number_in_text"), (2, "5", "number_in_text"), (3, "19774", "number_in_text"), (9, "1", "number_in_text"),
        (11, "19774", "number_in_text"), ("0.00E+00", "19774", "number_in_text"), ("# ?/?", "5", "number_in_text"),
        ("General", "1E+15", "number_in_text"), (14, "45000", "day_in_text"), ("dd/mm/yyyy", "45000", "day_in_text"),
        ("[$-42A]d mmmm yyyy", "45000", "day_in_text"), ("yyyy\\-mm\\-dd", "45000", "day_in_text"), (20, "5", "number_in_text"),
        ("d-mmm", "45000", "day_in_text"), ("General", "viele", "broken_cell"), ("General", "NaN", "broken_cell"),
        ("dd/mm/yyyy", "99999999", "broken_cell"),
    ],
)  # fmt: skip
def test_b05_a_number_or_a_day_that_is_no_code_is_refused_in_its_cell(
    tmp_path: Path, code: str | int, value: str, reason: str
) -> None:
    assert unit(tmp_path / "u.xlsx", number(value, 1), formats=[code])[1] == [reason]


@pytest.mark.parametrize(
    ("column", "cell", "found"),
    [
        ("national_id", number("199001001", 1), "000199001001"),
        ("national_id", number("99001001", 1), "000099001001"),
        ("national_id", Raw('<c r="{at}" t="str"><v>000199001001</v></c>'), "000199001001"),
        ("national_id", number("199001001"), "number_lost_zeros"),
        ("national_id", number("99001001"), "number_lost_zeros"),
        ("phone", number("550123001", 2), "0550123001"),
        ("phone", number("84550123001"), "84550123001"),
        ("phone", number("550123001"), "number_lost_zeros"),
        ("birth_date", number("32905", 3), "1990-02-01"),
        ("birth_date", number("32905.5", 3), "1990-02-01"),
        ("birth_date", number("59", 3), "1900-02-28"),
        ("birth_date", number("61", 3), "1900-03-01"),
        ("birth_date", number("1950"), "1950"),
        ("birth_date", Raw('<c r="{at}" t="d"><v>1990-02-01T00:00:00</v></c>'), "1990-02-01"),
    ],
)
def test_b05_people_keep_the_zeros_and_the_days_that_are_shown(
    tmp_path: Path, column: str, cell: str, found: str
) -> None:
    formats = ["000000000000", "0000000000", "dd/mm/yyyy"]
    (row,) = read(workbook(tmp_path / "s.xlsx", [[column], [cell]], formats=formats), (column,))
    assert [error.reason for error in row.errors] or row.cells[column] == found
    assert [error.reason for error in row.errors] in ([], [found])


def test_the_calendar_of_1904_is_known(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "s.xlsx",
        [["birth_date"], [number("31443", 1)]],
        formats=[14],
        properties='<workbookPr date1904="1"/>',
    )
    assert read(file, ("birth_date",))[0].cells["birth_date"] == "1990-02-01"


@pytest.mark.parametrize("shown", ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"])
def test_an_error_cell_is_named_with_line_and_column(tmp_path: Path, shown: str) -> None:
    file = workbook(tmp_path / "u.xlsx", [HEAD, ["SYT", "Sở Y tế"], ["SNV", "Sở", error(shown)]])
    good, bad = read(file)
    assert (good.errors, bad.line) == ([], 3)
    assert bad.errors == [RowError(3, "parent_code", "error_cell", {"shown": shown})]
    assert shown in told(bad.errors[0], "vi") and shown in told(bad.errors[0], "en")


@pytest.mark.parametrize(
    ("cell", "properties"),
    [
        (formula("A1&B1"), ""),
        (formula("A1&B1", ""), ""),
        (formula("VLOOKUP(A1,B:C,2)", "0"), '<calcPr fullCalcOnLoad="1"/>'),
        (formula("A1", "SNV", "str"), '<calcPr calcId="1" fullCalcOnLoad="true"/>'),
        (formula("A1", None, "str"), ""),
    ],
)
def test_a_formula_that_was_never_computed_is_refused(tmp_path: Path, cell: str, properties: str) -> None:
    assert unit(tmp_path / "u.xlsx", cell, properties=properties)[1] == ["formula_not_computed"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (formula("A1&B1", "SNV", "str"), "SNV"),
        (formula("1+1", "2"), "2"),
        (formula('REPT("",1)', "", "str"), ""),
        ("=1+1", "=1+1"),
        (Raw('<c r="{at}" t="b"><v>1</v></c>'), "TRUE"),
        (Raw('<c r="{at}" t="s"><v>0</v></c>'), "SYT"),
        (Raw('<c r="{at}" t="s"><v>1</v></c>'), "SYT"),
        (Raw('<c r="{at}"/>'), ""),
    ],
)
def test_what_a_formula_gave_and_shared_texts_are_read_and_nothing_is_computed(
    tmp_path: Path, cell: str, shown: str
) -> None:
    strings = ["<t>SYT</t>", "<r><t>S</t></r><r><t>YT</t></r><rPh><t>x</t></rPh>"]
    assert unit(tmp_path / "u.xlsx", cell, strings=strings) == (shown, [])


@pytest.mark.parametrize(
    ("area", "bad"),
    [
        ("C3:C5", [(3, "parent_code"), (4, "parent_code"), (5, "parent_code")]),
        ("A2:A3", [(2, "code"), (3, "code")]),
        ("B4:C4", [(4, "name"), (4, "parent_code")]),
        ("D2:E3", [(2, "agency_code"), (2, "kind"), (3, "agency_code"), (3, "kind")]),
        ("C5:C1048576", [(5, "parent_code")]),
        ("A3:XFD3", [(3, name) for name in UNITS]),
        ("F2:H3", []),
        ("A7:E7", []),
        ("C3", []),
        ("C1048576:C1048576", []),
        ("A1048576:XFD1048576", []),
        ("C3:D3", [(3, "parent_code"), (3, "agency_code")]),
        ("E2:XFD1048576", [(line, "kind") for line in range(2, 6)]),
    ],
)
def test_b03_merged_cells_are_named_line_by_line(
    tmp_path: Path, area: str, bad: list[tuple[int, str]]
) -> None:
    rows = [HEAD, *([f"SYT-{n}", f"Phòng {n}", "SYT", "", "division"] for n in range(2, 6))]
    found = read(workbook(tmp_path / "u.xlsx", rows, merged=[area]))
    assert [(one.line, one.column) for row in found for one in row.errors] == bad
    assert {one.reason for row in found for one in row.errors} <= {"merged_cell"}


def test_b03_merged_areas_that_lie_over_each_other_and_a_merged_header_are_refused(tmp_path: Path) -> None:
    rows = [HEAD, ["A", "Phòng", "SYT"], ["B", "Phòng", ""], ["C", "Phòng", ""]]
    found = read(workbook(tmp_path / "u.xlsx", rows, merged=["C2:C3", "C3:D4"]))
    assert [[one.column for one in row.errors] for row in found] == [
        ["parent_code"],
        ["parent_code", "agency_code"],
        ["parent_code", "agency_code"],
    ]
    assert (refusal(workbook(tmp_path / "h.xlsx", rows, merged=["A1:B1"])).reason) == "merged_cell"
