"""Whoever mends a refused row gets back what stood in the file, and nothing is lost on the way (R36)."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

import pytest

from backend.imports import files, skipped
from backend.imports.cells import harmless, typed
from backend.imports.rows import Record, RowError
from backend.imports.skipped import REASON
from tests.backend.imports.sheets import formula, number, workbook

COLUMNS = ("code", "name", "kind", "phone", "birth_date", REASON)
HEAD = list(COLUMNS[:-1])
FORMATS: list[str | int] = [14, "#,##0", "000"]


def read(file: Path) -> list[Record]:
    return files.read(file, COLUMNS, required=("code",))


def out(file: Path) -> list[list[str]]:
    return list(csv.reader(file.read_text("utf-8-sig").splitlines()))


def passed_over(file: Path) -> Path:
    """The file of the bad rows of a file."""
    rows = read(file)
    bad = file.with_name(f"{file.stem}-bad.csv")
    skipped.write(bad, rows, [error for row in rows for error in row.errors])
    return bad


def mended(file: Path, old: str, new: str, name: str = "mended.csv") -> Path:
    """The file as an office would save it with one cell changed in every row."""
    lines = [[new if cell == old else cell for cell in line] for line in out(file)]
    there = file.with_name(name)
    if name.endswith(".xlsx"):
        return workbook(there, lines)
    with there.open("w", encoding="utf-8-sig", newline="") as saved:
        csv.writer(saved, delimiter=";").writerows(lines)
    return there


REFUSED = [
    ("code", number("45000", 1), "15/03/2023", "day_in_text"),
    ("code", number("1.5"), "1.5", "number_in_text"),
    ("code", number("-3"), "'-3", "number_in_text"),
    ("code", number("19774", 2), "19774", "number_in_text"),
    ("kind", number("0.25", 1), "0.25", "broken_cell"),
    ("kind", formula("A2&B2"), "'=A2&B2", "formula_not_computed"),
    ("kind", formula("HYPERLINK(1)", ""), "'=HYPERLINK(1)", "formula_not_computed"),
    ("phone", number("550123001"), "550123001", "number_lost_zeros"),
    ("birth_date", formula("TODAY()"), "'=TODAY()", "formula_not_computed"),
    ("name", number("45000", 1), "15/03/2023", "day_in_text"),
]


@pytest.mark.parametrize(("column", "cell", "shown", "reason"), REFUSED)
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_what_a_workbook_showed_comes_back_and_is_refused_until_somebody_mends_it(
    tmp_path: Path, column: str, cell: str, shown: str, reason: str, ending: str
) -> None:
    row: list[str] = ["SYT", "Sở Y tế", "so", "0550 000 001", "1990"]
    row[HEAD.index(column)] = cell
    bad = passed_over(workbook(tmp_path / "u.xlsx", [HEAD, row, ["T", "Tổ"]], formats=FORMATS))
    title, written = out(bad)
    assert title == list(COLUMNS)
    assert written[HEAD.index(column)] == shown
    plain = shown.removeprefix("'")
    assert written[-1].startswith(f"{column} “{plain}”: ")
    for unmended in (bad, mended(bad, "nobody", "nothing", f"again{ending}")):
        (again,) = read(unmended)
        assert [(one.column, one.reason) for one in again.errors] == [(column, "not_mended")], reason
    (good,) = read(mended(bad, shown, "1990", f"good{ending}"))
    assert (good.errors, good.cells[column]) == ([], "1990")
    (meant,) = read(
        mended(bad, written[-1], "", f"meant{ending}")
    )  # as it stands, said by emptying the reason
    assert (meant.errors, meant.cells[column]) == ([], plain)


def test_a_row_that_is_passed_over_twice_without_being_mended_stays_refused(tmp_path: Path) -> None:
    first = passed_over(workbook(tmp_path / "u.xlsx", [HEAD, [number("45000", 1), "Sở"]], formats=[14]))
    second = passed_over(first)
    third = passed_over(second)
    assert [row.errors[0].reason for row in read(third)] == ["not_mended"]
    assert out(third)[1][0] == "15/03/2023"


def test_a_merged_area_comes_back_filled_line_by_line_and_what_it_covers_beside_is_refused(
    tmp_path: Path,
) -> None:
    rows = [HEAD, ["A", "Phòng A", "so"], ["B", "Phòng B", ""], ["C", "Phòng C", ""], ["D", "Phòng D", "so"]]
    bad = passed_over(workbook(tmp_path / "u.xlsx", rows, merged=["C2:C4"]))
    assert [line[:3] for line in out(bad)[1:]] == [
        ["A", "Phòng A", "so"],
        ["B", "Phòng B", "so"],
        ["C", "Phòng C", "so"],
    ]
    assert [row.errors for row in read(bad)] == [[], [], []]
    wide = passed_over(workbook(tmp_path / "w.xlsx", rows, merged=["B4:C4"]))
    assert out(wide)[1][:3] == ["C", "Phòng C", ""]
    assert [(one.column, one.reason) for one in read(wide)[0].errors] == [("kind", "not_mended")]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.replace(",", ";").encode("utf-8-sig"),
        lambda text: codecs.BOM_UTF16_LE + text.replace(",", "\t").encode("utf-16-le"),
        lambda text: ("sep=,\r\n" + text).encode(),
    ],
)
@pytest.mark.parametrize(
    ("cell", "reason", "mend"),
    [
        ("#N/A", "error_cell", "so"),
        ("Err:502", "error_cell", "so"),
        ("########", "error_cell", "so"),
        ("1.97E+04", "number_in_text", "19774"),
        ("S\ufffd", "letters_lost", "Sở"),
        ("S\u00e1\u00bb\u0178", "misread", "Sở"),
    ],
)
def test_what_a_csv_showed_comes_back_and_is_refused_until_somebody_mends_it(
    tmp_path: Path, encode: object, cell: str, reason: str, mend: str
) -> None:
    file = tmp_path / "u.csv"
    file.write_bytes(encode(f"code,name,kind\r\nA,Phòng A,so\r\nB,Phòng B,{cell}\r\n"))  # type: ignore[operator]
    bad = passed_over(file)
    (row,) = read(bad)
    assert out(bad)[1][:3] == ["B", "Phòng B", cell]
    assert [one.reason for one in row.errors] in ([reason], ["not_mended"])
    (good,) = read(mended(bad, cell, mend))
    assert (good.errors, good.cells["kind"]) == ([], mend)


def test_cells_that_stand_under_no_title_come_back_and_are_refused_until_they_go(tmp_path: Path) -> None:
    file = tmp_path / "u.csv"
    file.write_text("code,name,\nA,Phòng A,x\nB,Phòng,B,y,z\nC,Phòng C,\n")
    bad = passed_over(file)
    assert [(line[:2], line[3:]) for line in out(bad)[1:]] == [
        (["A", "Phòng A"], ["x"]),
        (["B", "Phòng"], ["B", "y", "z"]),
    ]
    assert [[one.reason for one in row.errors] for row in read(bad)] == [["too_many_cells"]] * 2
    assert read(mended(bad, "x", ""))[0].errors == []


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+84 550 000 001", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "-", "'A", "A=1"],
)
def test_nothing_in_the_file_is_computed_by_whoever_opens_it_and_all_of_it_is_read_back(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "bad.csv"
    row = Record(2, {"code": "A", "kind": text})
    with skipped.BadRows(file) as bad:
        bad.add(row, [RowError(2, "code", "required")])
    with file.open(encoding="utf-8-sig", newline="") as saved:
        written = list(csv.reader(saved))[1]
    assert all(cell == "-" or not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in written)
    assert read(file)[0].cells["kind"].strip() == text.strip()


@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_a38_what_a_sheet_would_compute_leaves_as_text_and_comes_back_as_it_was(sign: str) -> None:
    text = f"{sign}HYPERLINK(1)"
    assert (harmless(text), typed(harmless(text))) == (f"'{text}", text)
