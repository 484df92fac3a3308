"""The official mailbox of an organisation: whose phone resets its password (source 000, opening; rule 651; case R43).

A keeper counts while holding a role in the mailbox's unit or below it. Where the role has ended, the unit's manager
keeps it, the longest one first, until an operator names somebody. Of a unit that has ended it is whoever took its work
over: the box is followed when it is asked about, so a merger that is taken back leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Collection
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
from backend.retention import Stays
from backend.roles import forms, policy
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.staff_rows import CHANGING
from backend.sealed import equal, index_of, sealed
from backend.typed import BadText

LONGEST = 20  # successors in a row


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


async def listed(tx: AsyncSession, kit: Kit, *, on: date) -> list[MailboxView]:
    """Every mailbox, by address, with who is named and who keeps it now."""
    query = select(Mailbox, Unit).join(Unit, Unit.id == Mailbox.unit_id).order_by(Mailbox.address)
    found = []
    for box, unit in (await tx.execute(query)).all():
        now = await _keeping(tx, kit, box, unit, on)
        found.append(
            MailboxView(
                box.address,
                unit.code,
                masked(_keeper(kit, box)),
                masked(now) if now else None,
                box.kept_since,
            )
        )
    return found


async def keeper_of(tx: AsyncSession, kit: Kit, address: str, *, on: date) -> tuple[bool, str | None]:
    """Whether the address is an organisation's, and the number of whoever keeps it on that day."""
    query = select(Mailbox, Unit).join(Unit, Unit.id == Mailbox.unit_id).where(Mailbox.address == address)
    row = (await tx.execute(query)).one_or_none()
    return (False, None) if row is None else (True, await _keeping(tx, kit, row[0], row[1], on))


async def is_one(tx: AsyncSession, address: str) -> bool:
    """Whether an address is an organisation's: nobody types it as their own."""
    return bool(await among(tx, [address]))


async def among(tx: AsyncSession, addresses: Collection[str]) -> list[str]:
    """Those of some addresses that are organisations'."""
    return list(await tx.scalars(select(Mailbox.address).where(Mailbox.address.in_(addresses))))


async def _keeping(tx: AsyncSession, kit: Kit, box: Mailbox, unit: Unit, on: date) -> str | None:
    """A role and a right count to their last day, whether or not the worker has been there since (rule 616)."""
    places = await _line(tx, unit)
    account = await numbers.holder_of(tx, kit, _keeper(kit, box))
    held = select(Role.id).join(Unit, Unit.id == Role.unit_id)
    held = held.where(Role.account_id == account, Role.state == policy.ACTIVE)
    held = held.where(or_(Role.until_on.is_(None), Role.until_on >= on))
    there = or_(*(Unit.path.startswith(one.path) for one in places))
    if account is not None and await tx.scalar(held.where(there).limit(1)):
        return _keeper(kit, box)
    for place in places:  # one that has ended has no managers any more
        managers = select(Appointment).where(Appointment.unit_id == place.id, Appointment.counts(MANAGER, on))
        first = await tx.scalar(managers.order_by(Appointment.created_at, Appointment.id).limit(1))
        if first is not None:
            return kit.keys.open("appointments.national_id", first.id, first.national_id)
    return None


async def _line(tx: AsyncSession, unit: Unit) -> list[Unit]:
    """The unit, and where it has ended whoever took its work over, one after the other."""
    found = [unit]
    while found[-1].ended_on is not None and found[-1].successor_id is not None and len(found) < LONGEST:
        following = await tx.get(Unit, found[-1].successor_id)
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
