"""Rows of a file of units, checked one by one (rules 1003, 620)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from backend.imports.rows import Record, Row, RowError

COLUMNS = ("code", "name", "parent_code", "agency_code", "kind")
REQUIRED = ("code",)  # another column that the file lacks leaves what is stored
CODE = re.compile(r"[\w][\w./-]{0,39}")
AGENCY = re.compile(r"[0-9A-Z]+(?:\.[0-9A-Z]+)*")
AGENCY_LONGEST = 35  # QĐ 20/2020/QĐ-TTg
ROOT = "-"  # in parent_code: the unit stands below none; a blank cell does not say so


class UnitRow(msgspec.Struct, frozen=True):
    """One row of the file, checked; `given` has the columns that the file has."""

    line: int
    code: str
    given: Mapping[str, str]


def checked(record: Record, errors: list[RowError]) -> UnitRow:
    """The row, and in `errors` what is wrong with it."""
    row = Row(record, errors)
    code = row.text("code", longest=40, required=True)
    if code and not CODE.fullmatch(code):
        row.wrong("code", "bad_unit_code")
    given = {
        "name": row.text("name", longest=200, required=row.has("name")),
        "parent_code": row.text("parent_code", longest=40),
        "agency_code": _agency(row),
        "kind": row.text("kind", longest=30),
    }
    return UnitRow(record.line, code, {name: value for name, value in given.items() if row.has(name)})


def agency_code(text: str) -> str:
    """The canonical notation, root first: `000.00.17.G22` and `G22.17` are the same agency (rule 620).

    Raises ValueError when it is neither notation.
    """
    groups = text.strip().upper().split(".")
    if len(text) > AGENCY_LONGEST or not AGENCY.fullmatch(".".join(groups)):
        raise ValueError(text)
    if groups[0][0].isalpha():
        return ".".join(groups)
    if not groups[-1][0].isalpha():
        raise ValueError(text)
    return ".".join(group for group in reversed(groups) if group.strip("0"))


def _agency(row: Row) -> str:
    text = row.text("agency_code", longest=AGENCY_LONGEST)
    try:
        return agency_code(text) if text else ""
    except ValueError:
        row.wrong("agency_code", "bad_agency_code")
        return ""
