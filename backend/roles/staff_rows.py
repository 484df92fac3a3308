"""Rows of a staff file, checked one by one; what the directory knows of one person (rules 1003, 1005)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

import msgspec

from backend.imports.plan import Field
from backend.imports.rows import Record, Row, RowError
from backend.kit import Kit
from backend.names import clean_name, masked, read_born
from backend.outside.clock import local_day
from backend.roles import forms
from backend.roles.catalogue.entries import Catalogue
from backend.roles.models import StaffRecord
from backend.typed import BadText

COLUMNS = (
    "national_id",
    "full_name",
    "birth_date",
    "unit_code",
    "subject_type",
    "position",
    "employee_code",
    "official_email",
    "phone",
)
REQUIRED = ("national_id",)  # another column that the file lacks leaves what is stored
NEEDED = ("full_name", "birth_date", "unit_code")  # of somebody who is new
PERSONAL = ("full_name", "birth_date", "employee_code", "official_email", "phone")
CHANGING = "staff"  # who changes the directory, or whose an address is, does so one after another
OLD_ID = re.compile(r"[0-9]{9}")
PHONE = re.compile(r"[+0-9][0-9 .\-()]{5,24}")


class StaffPerson(msgspec.Struct, frozen=True):
    """What the directory knows of one person."""

    national_id: str
    full_name: str
    birth_date: str
    employee_code: str = ""
    official_email: str = ""
    phone: str = ""


class StaffRow(msgspec.Struct, frozen=True):
    """One row of the file, checked; `given` has the columns that the file has."""

    line: int
    number: str
    given: Mapping[str, str]


def checked(record: Record, errors: list[RowError], catalogue: Catalogue, today: date) -> StaffRow:
    """The row, and in `errors` what is wrong with it."""
    row = Row(record, errors)
    number = _read(row, "national_id", listed_number, longest=20, required=True)
    given = {
        "full_name": clean_name(row.text("full_name", longest=120, required=row.has("full_name"))),
        "birth_date": _read(
            row, "birth_date", partial(_birth_date, today), longest=30, required=row.has("birth_date")
        ),
        "unit_code": row.text("unit_code", longest=40, required=row.has("unit_code")),
        "subject_type": row.text("subject_type", longest=30),
        "position": row.text("position", longest=40),
        "employee_code": row.text("employee_code", longest=40),
        "official_email": _read(row, "official_email", forms.email, longest=254),
        "phone": row.text("phone", longest=25),
    }
    if given["phone"] and not PHONE.fullmatch(given["phone"]):
        row.wrong("phone", "bad_phone")
    if given["subject_type"] and given["subject_type"] not in catalogue.subject_types:
        row.wrong("subject_type", "unknown_subject_type", known=", ".join(catalogue.subject_types))
    if given["position"] and given["position"] not in catalogue.positions:
        row.wrong("position", "unknown_position", known=", ".join(catalogue.positions))
    return StaffRow(record.line, number, {name: value for name, value in given.items() if row.has(name)})


class Twins:
    """Numbers and addresses that stand in a file twice, seen row by row."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, int]] = {"national_id": {}, "official_email": {}}

    def of(self, row: StaffRow) -> list[RowError]:
        """What this row has in common with an earlier one."""
        errors = []
        values = {"national_id": row.number, "official_email": row.given.get("official_email", "")}
        for column, value in values.items():
            line = self._first[column].setdefault(value, row.line)
            if value and line != row.line:
                errors.append(RowError(row.line, column, "comes_twice", {"first": str(line)}))
        return errors


def misfit(line: int, subject_type: str, position: str, catalogue: Catalogue) -> list[RowError]:
    """A position of another kind of staff."""
    post = catalogue.positions.get(position)
    if post and subject_type in catalogue.subject_types and subject_type not in post.subject_types:
        return [RowError(line, "position", "position_misfit", {"subject_type": subject_type})]
    return []


def person_of(kit: Kit, record: StaffRecord) -> StaffPerson:
    """The decrypted entry."""
    return opened(kit, record.id, record.sealed)


def opened(kit: Kit, record_id: object, sealed: bytes) -> StaffPerson:
    """What was sealed of one person."""
    return msgspec.json.decode(kit.keys.open("staff_records.sealed", record_id, sealed), type=StaffPerson)


def differing(old: dict[str, str], new: dict[str, str], left_at: datetime | None) -> tuple[Field, ...]:
    """What differs, as an operator may read it: what is personal is masked. `left_at`: whoever had left is back."""
    names = [name for name in COLUMNS if old and old.get(name, "") != new.get(name, "")]
    fields = [Field(name, _shown(name, old.get(name, "")), _shown(name, new.get(name, ""))) for name in names]
    if left_at is not None:
        fields.append(Field("left", f"{local_day(left_at):%d/%m/%Y}", ""))
    return tuple(fields)


def _shown(name: str, value: str) -> str:
    """The one mask over what is personal; of a phone over its digits, however they are grouped."""
    if name == "phone":
        return masked("".join(sign for sign in value if sign.isdecimal() or sign == "+"))
    return masked(value) if name in PERSONAL else value


def _read(
    row: Row, column: str, reader: Callable[[str], str], *, longest: int, required: bool = False
) -> str:
    text = row.text(column, longest=longest, required=required)
    if not text:
        return ""
    try:
        return reader(text)
    except BadText as bad:
        row.wrong(column, bad.code)
        return ""


def listed_number(text: str) -> str:
    """A CCCD, or the nine digits of an old CMND, which many a list still has (case R19)."""
    old = re.sub(r"[ \u00a0.]", "", text)
    return old if OLD_ID.fullmatch(old) else forms.national_id(text)


def _birth_date(today: date, text: str) -> str:
    """As much of a birth date as is known: of some people only the year is (B10)."""
    try:
        return read_born(text, today)
    except ValueError as error:
        raise BadText("bad_date", "Ngày không hợp lý") from error
