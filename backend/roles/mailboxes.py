"""The official mailbox of an organisation: whose phone resets its password (source 000, opening; rule 651; case R43).

A keeper counts while holding a role in the mailbox's unit or below it. Where the role has ended, the unit's manager
keeps it, the longest one first, until an operator names somebody. Of a unit that has ended it is whoever took its work
over: the box is followed when it is asked about, so a merger that is taken back leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ForeignKey, String, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.accounts.identity import numbers
from backend.appointment import MANAGER, OFFICE, Appointment
from backend.db import Base, UtcDateTime, new_id, one_after_another
from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound
from backend.facts import MailboxAdded, MailboxKeeperNamed, MailboxRemoved
from backend.kit import Kit
from backend.names import masked
from backend.paging import CursorInvalid
from backend.retention import Stays
from backend.roles import forms, policy
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.staff_rows import CHANGING
from backend.sealed import equal, index_of, sealed
from backend.typed import BadText

LONGEST, PAGE = 20, 50  # successors in a row


class Mailbox(Base):
    """One address of one unit, and who keeps it."""

    __tablename__ = "mailboxes"
    retention = Stays("until an operator removes it: it is the organisation's")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    address: Mapped[str] = mapped_column(String(254), unique=True)  # public, and nobody's own
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    keeper_blind: Mapped[bytes] = index_of(equal("national_id", "keeper"), index=True)
    keeper: Mapped[bytes] = sealed(agency=OFFICE)
    kept_since: Mapped[datetime] = mapped_column(UtcDateTime)


class MailboxExists(Conflict):
    """The address is a mailbox already, or somebody's own."""

    code = "mailbox_exists"
    title = "Địa chỉ này đã có người giữ"


class MailboxNotFound(NotFound):
    """No unit has this mailbox."""

    code = "mailbox_not_found"
    title = "Không có hộp thư này"


class MailboxView(msgspec.Struct, frozen=True):
    """One mailbox; `keeps` is the masked number of whoever resets it now, nothing where nobody does."""

    address: str
    unit_code: str
    named: str
    keeps: str | None
    since: datetime


async def add(
    tx: AsyncSession, kit: Kit, address: str, unit_code: str, keeper: str, *, by: UUID | None, now: datetime
) -> None:
    """Raises FieldsInvalid for what cannot be, and MailboxExists for an address that has somebody."""
    try:
        mail = forms.email(address.strip())
    except BadText as bad:
        raise FieldsInvalid(FieldError("address", bad.code, bad.message)) from bad
    await one_after_another(tx, CHANGING)
    unit = await tx.scalar(select(Unit).where(Unit.code == unit_code, Unit.ended_on.is_(None)))
    if unit is None:
        raise FieldsInvalid(FieldError("unit", "unknown_unit", "Không có đơn vị này"))
    blinds = kit.keys.blinds("official_email", mail)
    listed = select(StaffRecord.id).where(StaffRecord.email_blind.in_(blinds))
    held = select(Role.id).where(Role.email_blind.in_(blinds), Role.state.in_(policy.HELD))
    there = select(Mailbox.id).where(Mailbox.address == mail)
    for query in (listed, held, there):
        if await tx.scalar(query.limit(1)) is not None:
            raise MailboxExists
    box = Mailbox(id=new_id(), address=mail, unit_id=unit.id)
    _hand(kit, box, keeper, now)
    tx.add(box)
    kit.journal.record(tx, MailboxAdded(mailbox=box.id, unit=unit.id), by=by, now=now)


async def name_keeper(
    tx: AsyncSession, kit: Kit, address: str, keeper: str, *, by: UUID | None, now: datetime
) -> None:
    """Somebody else keeps it from now."""
    box = await _named(tx, address)
    _hand(kit, box, keeper, now)
    kit.journal.record(tx, MailboxKeeperNamed(mailbox=box.id), by=by, now=now)


async def remove(tx: AsyncSession, kit: Kit, address: str, *, by: UUID | None, now: datetime) -> None:
    """Nobody resets its password here any more."""
    box = await _named(tx, address)
    await tx.delete(box)
    kit.journal.record(tx, MailboxRemoved(mailbox=box.id), by=by, now=now)


async def listed(
    tx: AsyncSession, kit: Kit, *, on: date, after: str = "", most: int = PAGE
) -> list[MailboxView]:
    """So many mailboxes, by address, with who is named and who keeps each now; behind an address.

    That mailbox may have gone meanwhile; raises CursorInvalid for what is no address.
    """
    query = select(Mailbox, Unit).join(Unit, Unit.id == Mailbox.unit_id).order_by(Mailbox.address)
    if after:
        query = query.where(Mailbox.address > _place(after))
    found = [(box, unit) for box, unit in await tx.execute(query.limit(most))]
    keeping = await _keeping(tx, kit, found, on)
    return [
        MailboxView(
            box.address,
            unit.code,
            masked(_keeper(kit, box)),
            masked(keeping[box.id]) if box.id in keeping else None,
            box.kept_since,
        )
        for box, unit in found
    ]


def _place(address: str) -> str:
    try:
        return forms.email(address)
    except BadText as bad:
        raise CursorInvalid from bad


async def keeper_of(tx: AsyncSession, kit: Kit, address: str, *, on: date) -> tuple[bool, str | None]:
    """Whether the address is an organisation's, and the number of whoever keeps it on that day."""
    query = select(Mailbox, Unit).join(Unit, Unit.id == Mailbox.unit_id).where(Mailbox.address == address)
    found = [(box, unit) for box, unit in await tx.execute(query)]
    keeping = await _keeping(tx, kit, found, on)
    return bool(found), next(iter(keeping.values()), None)


async def is_one(tx: AsyncSession, address: str) -> bool:
    """Whether an address is an organisation's: nobody types it as their own."""
    return bool(await among(tx, [address]))


async def among(tx: AsyncSession, addresses: Collection[str]) -> list[str]:
    """Those of some addresses that are organisations'."""
    return list(await tx.scalars(select(Mailbox.address).where(Mailbox.address.in_(addresses))))


async def _keeping(
    tx: AsyncSession, kit: Kit, found: Sequence[tuple[Mailbox, Unit]], on: date
) -> dict[UUID, str]:
    """The number of whoever keeps each, asked of all of them at once; a mailbox that nobody keeps is not there.

    A role and a right count to their last day, whether or not the worker has been there since (rule 616).
    """
    heirs = await _heirs(tx, [unit for _, unit in found], on)
    named = {box.id: _keeper(kit, box) for box, _ in found}
    at_work = await _at_work(tx, kit, named.values(), on)
    lines = {box.id: _line(unit, heirs, on) for box, unit in found}
    keeping = {
        box: number
        for box, number in named.items()
        if any(path.startswith(one.path) for path in at_work.get(number, ()) for one in lines[box])
    }
    rest = {box: line for box, line in lines.items() if box not in keeping}
    managers = await _managers(tx, {one.id for line in rest.values() for one in line}, on)
    for box, line in rest.items():  # a unit that has ended has no managers any more
        first = next((managers[one.id] for one in line if one.id in managers), None)
        if first is not None:
            keeping[box] = kit.keys.open("appointments.national_id", *first)
    return keeping


async def _at_work(tx: AsyncSession, kit: Kit, keepers: Collection[str], on: date) -> dict[str, list[str]]:
    """The paths of the units in which each of some numbers' holders has a role on that day."""
    holders = await numbers.holders_of(tx, kit, keepers)
    held = select(Role.account_id, Unit.path).join(Unit, Unit.id == Role.unit_id)
    held = held.where(Role.account_id.in_(list(holders.values())), Role.state == policy.ACTIVE)
    paths: dict[UUID, list[str]] = {}
    if holders:
        for row in await tx.execute(held.where(or_(Role.until_on.is_(None), Role.until_on >= on))):
            paths.setdefault(row.account_id, []).append(row.path)
    return {number: paths.get(account, []) for number, account in holders.items()}


async def _managers(tx: AsyncSession, units: Collection[UUID], on: date) -> dict[UUID, tuple[UUID, bytes]]:
    """Who has managed each of some units the longest: the appointment, and its sealed number."""
    query = select(Appointment.unit_id, Appointment.id, Appointment.national_id)
    query = query.where(Appointment.unit_id.in_(list(units)), Appointment.counts(MANAGER, on))
    first: dict[UUID, tuple[UUID, bytes]] = {}
    if units:
        for row in await tx.execute(query.order_by(Appointment.created_at, Appointment.id)):
            first.setdefault(row.unit_id, (row.id, row.national_id))
    return first


async def _heirs(tx: AsyncSession, units: Collection[Unit], on: date) -> dict[UUID, Unit]:
    """Whoever took the work over of those that have ended by that day, and of these in turn."""
    known, ahead = dict[UUID, Unit](), list(units)
    for _ in range(LONGEST):
        over = [one for one in ahead if one.ended_on and one.ended_on <= on]
        wanted = {one.successor_id for one in over if one.successor_id} - known.keys()
        if not wanted:
            break
        ahead = list(await tx.scalars(select(Unit).where(Unit.id.in_(list(wanted)))))
        known |= {one.id: one for one in ahead}
    return known


def _line(unit: Unit, heirs: Mapping[UUID, Unit], on: date) -> list[Unit]:
    """The unit, and where it has ended whoever took its work over, one after the other."""
    found = [unit]
    while (last := found[-1]).ended_on and last.ended_on <= on and last.successor_id and len(found) < LONGEST:
        following = heirs.get(last.successor_id)
        if following is None or following in found:
            break
        found.append(following)
    return found


def _hand(kit: Kit, box: Mailbox, keeper: str, now: datetime) -> None:
    try:
        number = forms.national_id(keeper)
    except BadText as bad:
        raise FieldsInvalid(FieldError("keeper", bad.code, bad.message)) from bad
    box.keeper = kit.keys.seal("mailboxes.keeper", box.id, number)
    box.keeper_blind = kit.keys.blind("national_id", number)
    box.kept_since = now


def _keeper(kit: Kit, box: Mailbox) -> str:
    return kit.keys.open("mailboxes.keeper", box.id, box.keeper)


async def _named(tx: AsyncSession, address: str) -> Mailbox:
    mail = address.strip().lower()
    box: Mailbox | None = await tx.scalar(select(Mailbox).where(Mailbox.address == mail).with_for_update())
    if box is None:
        raise MailboxNotFound
    return box
