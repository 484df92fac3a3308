"""The staff directory: brought in from a file, used to fill the form in (source 003; rules 1002, 601)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.evidence import CERTIFICATE, VNEID
from backend.accounts.identity.numbers import holder_of, listed_blinds_of, personal
from backend.accounts.phones.phones import read_phone
from backend.errors import FieldsInvalid, NotFound
from backend.imports.plan import Imported, at_once
from backend.imports.rows import Record
from backend.kit import Kit
from backend.names import same_birth_date, same_name
from backend.objects import Reading
from backend.roles import mailboxes, policy
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import StaffRecord, Unit
from backend.roles.staff_import import StaffImport
from backend.roles.staff_rows import StaffPerson, person_of
from backend.statements import by_number, listed, one_of

NOBODY = "000000000000"


class NotInDirectory(NotFound):
    """The directory knows nobody with the person's number; the form is filled in by hand."""

    code = "not_in_directory"
    title = "Danh bạ chưa có thông tin của bạn, vui lòng tự nhập"


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


async def holder_of_mail(tx: AsyncSession, kit: Kit, address: str, on: date) -> MailHolder | None:
    """Who keeps an organisation's mailbox on that day (rule 651), or whose the directory says the address is (172)."""
    is_box, keeper = await mailboxes.keeper_of(tx, kit, address.strip().lower(), on=on)
    if is_box:
        return await _keeper(tx, kit, keeper)
    blinds = kit.keys.blinds("official_email", address.strip().lower())
    record = await tx.scalar(select(StaffRecord).where(StaffRecord.email_blind.in_(blinds)).limit(1))
    if record is None:
        await holder_of(tx, kit, NOBODY)  # the same questions for nobody: how long they take says nothing
        return None
    person = person_of(kit, record)
    # an old CMND opens no mailbox: whoever registers with one may have read it somewhere
    return MailHolder(await holder_of(tx, kit, person.national_id), _phone(person))


async def _keeper(tx: AsyncSession, kit: Kit, number: str | None) -> MailHolder | None:
    """Whoever keeps the mailbox now; nobody, where the role that kept it has ended and the unit has no manager."""
    account_id = await holder_of(tx, kit, number or NOBODY)
    if number is None:
        return None
    record = await tx.scalar(
        select(StaffRecord).where(
            StaffRecord.national_id_blind.in_(kit.keys.blinds("national_id", number)),
            StaffRecord.left_at.is_(None),
        )
    )
    return MailHolder(account_id, _phone(person_of(kit, record)) if record else None)


def _phone(person: StaffPerson) -> str | None:
    """A landline, or whatever a spreadsheet holds, is none: no code can go there."""
    try:
        return read_phone(person.phone, allow_invented=True) if person.phone else None
    except FieldsInvalid:
        return None


async def bring_in(
    tx: AsyncSession, kit: Kit, rows: Iterable[Record], *, by: UUID | None, now: datetime
) -> Imported:
    """Create or update the people of the rows at once, or raise ImportRefused and nothing."""
    return await at_once(StaffImport(kit, now), tx, list(rows), by=by)


async def prefill(tx: AsyncSession, kit: Kit, account_id: UUID, subject_type: str | None) -> Prefill:
    """What the directory knows of somebody whom VNeID or a certificate vouches for.

    Raises NotInDirectory for a stranger to it, InsufficientAssurance for whoever is not vouched for, listed
    or not: leaked data open an account, and read nothing here.
    """
    account = await tx.get_one(Account, account_id)
    vneid, certificate = account.vneid_at is not None, account.certificate_at is not None
    if refusal := policy.why_not_vouched(vneid=vneid, certificate=certificate, by=(VNEID, CERTIFICATE)):
        raise refusal
    record = await record_of(tx, kit, account_id)
    unit = await tx.get(Unit, record.unit_id) if record else None
    if record is None or unit is None:
        raise NotInDirectory(hotlines=kit.brand.hotlines_by_key)
    person = person_of(kit, record)
    kind = subject_type or record.subject_type or None
    post = (await in_force(tx)).positions.get(record.position)
    fits = post is not None and kind in post.subject_types
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


async def gives(tx: AsyncSession, kit: Kit, account_id: UUID, address: str) -> bool:
    """Whether the directory gives an official address to this person's very number (case A08)."""
    return account_id in await given(tx, kit, {account_id: address})


async def given(tx: AsyncSession, kit: Kit, addresses: Mapping[UUID, str]) -> set[UUID]:
    """The same for many: those whose very number the directory gives the address to that is theirs here."""
    if not addresses:
        return set()
    owners = {
        blind: account_id
        for account_id, number in (await personal(tx, kit, addresses)).items()
        for blind in kit.keys.blinds("national_id", number)
    }
    entries = select(StaffRecord.national_id_blind, StaffRecord.email_blind).where(
        StaffRecord.national_id_blind.in_(list(owners)), StaffRecord.left_at.is_(None)
    )
    found = set()
    for row in await tx.execute(entries):
        account_id = owners[row.national_id_blind]
        if row.email_blind in kit.keys.blinds("official_email", addresses[account_id].strip().lower()):
            found.add(account_id)
    return found


@by_number
def listed_with(count: int) -> Reading[StaffRecord]:
    """The directory's entry of whoever has one of so many keyed indexes."""
    theirs = one_of("number", count, StaffRecord.national_id_blind)
    newest = (StaffRecord.imported_at.desc(), StaffRecord.id)
    return Reading(
        StaffRecord,
        lambda query: query.where(theirs, StaffRecord.left_at.is_(None)).order_by(*newest).limit(1),
    )


async def record_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> StaffRecord | None:
    """The directory's entry of somebody with an account, unless they have left."""
    blinds = await listed_blinds_of(tx, kit, account_id)
    return await listed_with(len(blinds)).maybe(tx, **listed("number", blinds)) if blinds else None


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
