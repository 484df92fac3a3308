"""The staff directory: brought in from a file, used to fill the form in (source 003; contract §2, §3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.numbers import holder_of
from backend.accounts.phones import read_phone
from backend.db import new_id
from backend.errors import FieldsInvalid, NotFound
from backend.facts import StaffImported
from backend.hotlines import HOTLINES
from backend.imports.plan import Imported
from backend.imports.rows import ImportRefused, Record, Row, RowError
from backend.kit import Kit
from backend.names import clean_name, same_birth_date, same_name
from backend.roles import forms, rights
from backend.roles.catalog import POSITIONS, SUBJECT_TYPES
from backend.roles.models import StaffRecord, Unit
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
REQUIRED = ("national_id", "full_name", "birth_date", "unit_code")
PHONE = re.compile(r"[+0-9][0-9 .\-()]{5,24}")
VIETNAMESE_DAY = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
CHUNK = 500
NOBODY = "000000000000"


class NotInDirectory(NotFound):
    """The directory knows nobody with the person's number; the form is filled in by hand."""

    code = "not_in_directory"
    title = "Danh bạ chưa có thông tin của bạn, vui lòng tự nhập"


class StaffPerson(msgspec.Struct, frozen=True):
    """What the directory knows of one person."""

    national_id: str
    full_name: str
    birth_date: str
    employee_code: str = ""
    official_email: str = ""
    phone: str = ""


class StaffRow(msgspec.Struct, frozen=True):
    """One row of the file, checked."""

    line: int
    person: StaffPerson
    unit_code: str
    subject_type: str
    position: str


class Prefill(msgspec.Struct, frozen=True):
    """The form as the directory would fill it, and what does not match the identity."""

    unit_id: UUID
    unit_code: str
    unit_name: str
    subject_type: str | None
    position: str | None
    full_name: str
    birth_date: str
    fields: dict[str, str]
    mismatches: list[str]


class MailHolder(msgspec.Struct, frozen=True):
    """To whom an official address belongs: their account, if they have one, and the directory's phone."""

    account_id: UUID | None
    phone: str | None


async def holder_of_mail(tx: AsyncSession, kit: Kit, address: str) -> MailHolder | None:
    """To whom the directory gives an official address, in any case of letters (contract-accounts, 25)."""
    blinds = kit.keys.blinds("official_email", address.strip().lower())
    record = await tx.scalar(select(StaffRecord).where(StaffRecord.email_blind.in_(blinds)).limit(1))
    if record is None:
        await holder_of(tx, kit, NOBODY)  # the same questions for nobody: how long they take says nothing
        return None
    person = person_of(kit, record)
    try:
        phone = read_phone(person.phone, allow_invented=True) if person.phone else None
    except FieldsInvalid:
        phone = None  # a landline, or whatever a spreadsheet holds: no code can go there
    return MailHolder(await holder_of(tx, kit, person.national_id), phone)


async def bring_in(
    tx: AsyncSession, kit: Kit, rows: Iterable[Record], *, by: UUID | None, now: datetime
) -> Imported:
    """Create or update every person of the rows, or raise ImportRefused and nothing."""
    errors: list[RowError] = []
    wanted = [_checked(record, errors) for record in rows]
    found = await tx.execute(select(Unit.code, Unit.id).where(Unit.ended_on.is_(None)))
    units = {row.code: row.id for row in found}
    errors += [
        RowError(row.line, "unit_code", "no such unit") for row in wanted if row.unit_code not in units
    ]
    errors += _twice(wanted)
    known = await _known(tx, kit, wanted)
    errors += await _foreign_mail(tx, kit, wanted, known)
    if errors:
        raise ImportRefused(sorted(errors, key=lambda error: error.line))
    for row in wanted:
        record = known.get(row.person.national_id)
        if record is None:
            record = StaffRecord(id=new_id())
            tx.add(record)
        _write(kit, record, row, units[row.unit_code], now)
    kit.journal.record(tx, StaffImported(count=len(wanted)), by=by, now=now)
    return Imported(len(wanted) - len(known), len(known))


async def prefill(tx: AsyncSession, kit: Kit, account_id: UUID, subject_type: str | None) -> Prefill:
    """What the directory knows of somebody; NotInDirectory when it does not know the number."""
    record = await record_of(tx, kit, account_id)
    unit = await tx.get(Unit, record.unit_id) if record else None
    if record is None or unit is None:
        raise NotInDirectory(hotlines=HOTLINES)
    person = person_of(kit, record)
    account = await tx.get_one(Account, account_id)
    kind = subject_type or record.subject_type or None
    fits = record.position in POSITIONS and (kind in POSITIONS[record.position].subject_types)
    return Prefill(
        unit.id,
        unit.code,
        unit.name,
        kind,
        record.position if fits else None,
        person.full_name,
        person.birth_date,
        form_values(person),
        _mismatches(kit, account, person),
    )


async def record_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> StaffRecord | None:
    """The directory's entry of somebody with an account."""
    blinds = await rights.blinds_of(tx, kit, account_id)
    found: StaffRecord | None = await tx.scalar(
        select(StaffRecord).where(StaffRecord.national_id_blind.in_(blinds)).limit(1)
    )
    return found


def person_of(kit: Kit, record: StaffRecord) -> StaffPerson:
    """The decrypted entry."""
    return msgspec.json.decode(
        kit.keys.open("staff_records.sealed", record.id, record.sealed), type=StaffPerson
    )


def form_values(person: StaffPerson) -> dict[str, str]:
    """The form fields that the directory can fill in."""
    values = {"employee_code": person.employee_code, "official_email": person.official_email}
    return {name: value for name, value in values.items() if value}


def _mismatches(kit: Kit, account: Account, person: StaffPerson) -> list[str]:
    """Which field does not match the identity (source 003, VI)."""
    found = []
    if not same_name(kit.keys.open("accounts.full_name", account.id, account.full_name), person.full_name):
        found.append("full_name")
    if account.birth_date is not None:
        born = kit.keys.open("accounts.birth_date", account.id, account.birth_date)
        if not same_birth_date(born, person.birth_date):
            found.append("birth_date")
    return found


def _checked(record: Record, errors: list[RowError]) -> StaffRow:
    row = Row(record, errors)
    number = _read(row, "national_id", forms.national_id, longest=20, required=True)
    person = StaffPerson(
        number,
        clean_name(row.text("full_name", longest=120, required=True)),
        _read(row, "birth_date", _birth_date, longest=10, required=True),
        row.text("employee_code", longest=40),
        _read(row, "official_email", forms.email, longest=254),
        row.text("phone", longest=25),
    )
    if person.phone and not PHONE.fullmatch(person.phone):
        row.wrong("phone", "not a phone number")
    subject_type, position = row.text("subject_type", longest=30), row.text("position", longest=40)
    if subject_type and subject_type not in SUBJECT_TYPES:
        row.wrong("subject_type", f"unknown; there is: {', '.join(SUBJECT_TYPES)}")
    if position and position not in POSITIONS:
        row.wrong("position", "unknown position code")
    elif position and subject_type in SUBJECT_TYPES and subject_type not in POSITIONS[position].subject_types:
        row.wrong("position", f"not a position of {subject_type}")
    return StaffRow(
        record.line, person, row.text("unit_code", longest=40, required=True), subject_type, position
    )


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


def _birth_date(text: str) -> str:
    """A birth date as ISO; `dd/mm/yyyy` is how spreadsheets here write it."""
    if match := VIETNAMESE_DAY.fullmatch(text):
        try:
            text = date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        except ValueError as error:
            raise BadText("bad_date", "Ngày không hợp lý") from error
    return forms.day(text).isoformat()


def _twice(wanted: Sequence[StaffRow]) -> list[RowError]:
    errors: list[RowError] = []
    for column in ("national_id", "official_email"):
        first: dict[str, int] = {}
        for row in wanted:
            value = getattr(row.person, column)
            if value and value in first:
                errors.append(RowError(row.line, column, f"comes twice, first on line {first[value]}"))
            first.setdefault(value, row.line)
    return errors


async def _known(tx: AsyncSession, kit: Kit, wanted: Sequence[StaffRow]) -> dict[str, StaffRecord]:
    """The entries that exist already, by personal number."""
    numbers = {
        blind: row.person.national_id
        for row in wanted
        for blind in kit.keys.blinds("national_id", row.person.national_id)
    }
    found: dict[str, StaffRecord] = {}
    blinds = list(numbers)
    for start in range(0, len(blinds), CHUNK):
        part = blinds[start : start + CHUNK]
        for record in await tx.scalars(select(StaffRecord).where(StaffRecord.national_id_blind.in_(part))):
            found[numbers[record.national_id_blind]] = record
    return found


async def _foreign_mail(
    tx: AsyncSession, kit: Kit, wanted: Sequence[StaffRow], known: dict[str, StaffRecord]
) -> list[RowError]:
    """Addresses that the directory holds for somebody whom the file leaves alone."""
    replaced = {record.id for record in known.values()}
    by_blind = {
        blind: row
        for row in wanted
        if row.person.official_email
        for blind in kit.keys.blinds("official_email", row.person.official_email)
    }
    errors, blinds = [], list(by_blind)
    for start in range(0, len(blinds), CHUNK):
        part = blinds[start : start + CHUNK]
        held = select(StaffRecord.id, StaffRecord.email_blind).where(StaffRecord.email_blind.in_(part))
        for record_id, blind in await tx.execute(held):
            if record_id not in replaced and blind is not None:
                errors.append(RowError(by_blind[blind].line, "official_email", "belongs to another person"))
    return errors


def _write(kit: Kit, record: StaffRecord, row: StaffRow, unit_id: UUID, now: datetime) -> None:
    person = row.person
    record.national_id_blind = kit.keys.blind("national_id", person.national_id)
    record.email_blind = (
        kit.keys.blind("official_email", person.official_email) if person.official_email else None
    )
    record.unit_id, record.subject_type, record.position = unit_id, row.subject_type, row.position
    record.sealed = kit.keys.seal("staff_records.sealed", record.id, msgspec.json.encode(person).decode())
    record.imported_at = now
