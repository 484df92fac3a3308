"""The certificates that sign in to an account: enrolled, renewed, found (source 001, 2.3 a)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import numbers
from backend.accounts.models import Certificate
from backend.db import new_id
from backend.kit import Kit
from backend.names import agency_notations
from backend.outside.certificates import CertificateRefused, Holder


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
    """The account's row of this certificate, and whether it is new: renewed by the authority for the same holder.

    Raises CertificateRefused for one that the person removed, and where none was ever enrolled.
    """
    query = select(Certificate).where(Certificate.account_id == account_id)
    known = list(await tx.scalars(query))
    same = next((row for row in known if row.thumbprint == holder.thumbprint), None)
    if same is not None and same.ended_at is not None:
        raise CertificateRefused("removed")
    if same is not None:
        return same, False
    if not any(row.ended_at is None for row in known):
        raise CertificateRefused("not_enrolled")
    return enroll(tx, kit, account_id, holder, now=now), True


async def added(
    tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder, *, now: datetime
) -> Certificate | None:
    """The row of a certificate that its owner adds, an earlier one revived; nothing when it is there already."""
    query = select(Certificate).where(
        Certificate.account_id == account_id, Certificate.thumbprint == holder.thumbprint
    )
    row = (await tx.execute(query)).scalar_one_or_none()
    if row is None:
        return enroll(tx, kit, account_id, holder, now=now)
    if row.ended_at is None:
        return None
    row.ended_at, row.added_at = None, now
    return row
