"""What one account takes over from another of the same person; the other is closed (case R26).

What the person has just proved stays open. Other numbers and certificates of the closed account are kept shut until
the owner confirms them, as when an owner first comes (`backend.accounts.identity.ending`); identities that an e-ID has
not proved go, for a stranger may have left them there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import sealed
from backend.account import Account
from backend.accounts.identity import called, numbers
from backend.accounts.identity.evidence import SURE
from backend.accounts.models import (
    Access,
    Attribute,
    Certificate,
    Consent,
    Identifier,
    Identity,
    Password,
    Phone,
    Slip,
)
from backend.accounts.self import personal_data
from backend.devices import sessions
from backend.devices.models import NAMELESS, Session
from backend.facts import AccountAbsorbed, AccountJoined, MethodRemoved
from backend.kit import Kit
from backend.owed import queue
from backend.owed.models import Message
from backend.sealed import QUIET
from backend.support import notices
from backend.support import personal_data as support

REASON = "account_joined"
GONE = "Tài khoản đã gộp"


class Proof(NamedTuple):
    """How it is known that both are one person's, and who acts; `phone` is the number of `goes` that got the code.

    Two clerks (`how` is `desk`) prove nothing of what opens the account that goes: it has no `phone` then.
    """

    how: str
    by: UUID
    phone: str | None = None


async def absorb(
    tx: AsyncSession, kit: Kit, stays: Account, goes: Account, proof: Proof, *, now: datetime
) -> None:
    """Move everything, end every session of `goes` and close it; the caller holds both rows and has asked whether."""
    await sessions.end_all(tx, kit, goes.id, reason=REASON, by=proof.by, now=now)
    await personal_data.forget_codes(tx, kit, goes.id, now)
    until = now + timedelta(days=kit.limits.kept_days)
    await _phones(tx, kit, stays.id, goes.id, proof, until, now)
    await _certificates(tx, stays.id, goes.id, until)
    await _identities(tx, kit, stays.id, goes, proof, now)
    await _password(tx, stays.id, goes.id, proof)
    await _attributes(tx, stays.id, goes.id)
    await _consents(tx, stays.id, goes.id, now)
    await notices.TOLD.write(tx)  # what is told and owed in this transaction moves along
    await queue.OWED.write(tx)
    await tx.flush()
    for model in (Identifier, Access, Slip, Message):
        await _moved(tx, model, stays.id, goes.id)
    numbers.forget(tx)
    await called.move(tx, kit, goes.id, stays.id)
    await support.move(tx, goes.id, stays.id)
    named = update(Session).where(Session.account_id == goes.id).values(**NAMELESS)
    await tx.execute(named.execution_options(**QUIET))
    sealed.empty(kit.keys, goes, full_name=GONE)
    goes.status, goes.joined_into = "closed", stays.id
    goes.version += 1
    stays.version += 1
    await tx.flush()
    joined = AccountJoined(subject=stays.id, absorbed=goes.id, proved_by=proof.how)
    kit.journal.record(tx, joined, by=proof.by, now=now)
    kit.journal.record(tx, AccountAbsorbed(subject=goes.id, into=stays.id), by=proof.by, now=now)


async def _moved(tx: AsyncSession, model: type[Any], stays: UUID, goes: UUID, **values: object) -> None:
    mine = update(model).where(model.account_id == goes).values(account_id=stays, **values)
    await tx.execute(mine.execution_options(**QUIET))


async def _phones(
    tx: AsyncSession, kit: Kit, stays: UUID, goes: UUID, proof: Proof, until: datetime, now: datetime
) -> None:
    """A number that both have stays once, so that it serves one account fewer than before."""
    here = list(await tx.scalars(select(Phone).where(Phone.account_id == stays, Phone.ended_at.is_(None))))
    has_main = any(one.is_main and one.kept_until is None for one in here)
    blinds = set(kit.keys.blinds("phone", proof.phone)) if proof.phone is not None else set()
    for row in await tx.scalars(select(Phone).where(Phone.account_id == goes)):
        row.account_id = stays
        if row.ended_at is not None:
            continue
        twin = next((one for one in here if one.blind == row.blind), None)
        is_proved = row.blind in blinds
        if twin is not None:
            row.ended_at, row.is_main = now, False
            twin.kept_until = None if is_proved else twin.kept_until
            continue
        row.is_main = is_proved and not has_main
        row.kept_until = None if is_proved else until


async def _certificates(tx: AsyncSession, stays: UUID, goes: UUID, until: datetime) -> None:
    here = set(await tx.scalars(select(Certificate.thumbprint).where(Certificate.account_id == stays)))
    for row in await tx.scalars(select(Certificate).where(Certificate.account_id == goes)):
        if row.thumbprint in here:
            await tx.delete(row)
            continue
        row.account_id = stays
        row.kept_until = until if row.ended_at is None else row.kept_until


async def _identities(
    tx: AsyncSession, kit: Kit, stays: UUID, goes: Account, proof: Proof, now: datetime
) -> None:
    """Only those that have proved who the person is come along, where the person has come along themselves."""
    for row in await tx.scalars(select(Identity).where(Identity.account_id == goes.id)):
        if proof.phone is not None and goes.vneid_at is not None and row.level >= SURE:
            row.account_id = stays
            continue
        await tx.delete(row)
        fact = MethodRemoved(subject=stays, method=row.id, kind="identity")
        kit.journal.record(tx, fact, by=proof.by, now=now)


async def _password(tx: AsyncSession, stays: UUID, goes: UUID, proof: Proof) -> None:
    """The password that was just proved serves on where the account that stays has none; another one goes."""
    row = await tx.get(Password, goes)
    if row is None:
        return
    if proof.phone is not None and await tx.get(Password, stays) is None:
        kept = Password(account_id=stays, hash=row.hash, changed_at=row.changed_at)
        kept.last_used_at = row.last_used_at
        tx.add(kept)
    await tx.delete(row)


async def _attributes(tx: AsyncSession, stays: UUID, goes: UUID) -> None:
    here = set(await tx.scalars(select(Attribute.name).where(Attribute.account_id == stays)))
    twice = delete(Attribute).where(Attribute.account_id == goes, Attribute.name.in_(here))
    await tx.execute(twice.execution_options(**QUIET))
    await _moved(tx, Attribute, stays, goes)


async def _consents(tx: AsyncSession, stays: UUID, goes: UUID, now: datetime) -> None:
    """Where the account that stays has a word of its own, that word counts; the other stays as proof."""
    here = set(await tx.scalars(select(Consent.purpose).where(Consent.account_id == stays)))
    older = update(Consent).where(
        Consent.account_id == goes, Consent.purpose.in_(here), Consent.withdrawn_at.is_(None)
    )
    await tx.execute(older.values(withdrawn_at=now).execution_options(**QUIET))
    await _moved(tx, Consent, stays, goes)
