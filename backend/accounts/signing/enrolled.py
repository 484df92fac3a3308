"""The certificates that sign in to an account: enrolled, renewed, found (source 001, 2.3 a)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.models import Certificate
from backend.db import new_id
from backend.kit import Kit
from backend.names import agency_notations
from backend.outside.certificates.certificates import Holder


async def holder_account(tx: AsyncSession, kit: Kit, holder: Holder) -> UUID | None:
    """Whose account holds the certificate's identifier at present; an agency has two notations of one code."""
    spellings: tuple[str, ...] = (holder.identifier,)
    if holder.identifier_kind == numbers.AGENCY_CODE:
        spellings = agency_notations(holder.identifier)
    for spelling in spellings:
        found = await numbers.holder_of(tx, kit, spelling, holder.identifier_kind)
        if found is not None:
            return found
    return None


def enroll(tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder, *, now: datetime) -> Certificate:
    """Let this certificate sign in to the account from now."""
    row = Certificate(
        id=new_id(),
        account_id=account_id,
        thumbprint=holder.thumbprint,
        valid_until=holder.valid_until,
        added_at=now,
    )
    row.label = kit.keys.seal("certificates.label", row.id, f"{holder.name} · {holder.issuer}")
    tx.add(row)
    return row


async def usable(
    tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder, *, now: datetime
) -> tuple[Certificate, bool]:
    """The account's row of a certificate that `joining` lets in, and whether it is new here."""
    row = await _same(tx, account_id, holder)
    return (row, False) if row is not None else (enroll(tx, kit, account_id, holder, now=now), True)


async def added(
    tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder, *, now: datetime
) -> Certificate | None:
    """The row of a certificate that its owner adds, an earlier one revived; nothing when it is there already."""
    row = await _same(tx, account_id, holder)
    if row is None:
        return enroll(tx, kit, account_id, holder, now=now)
    if row.ended_at is None and row.kept_until is None:
        return None
    row.ended_at = row.kept_until = None
    row.added_at = now
    return row


async def _same(tx: AsyncSession, account_id: UUID, holder: Holder) -> Certificate | None:
    query = select(Certificate).where(
        Certificate.account_id == account_id, Certificate.thumbprint == holder.thumbprint
    )
    row: Certificate | None = await tx.scalar(query)
    return row
