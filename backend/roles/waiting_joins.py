"""What a second clerk sees of two accounts that a first one has proposed to join (case R26)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.following import names_of
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.names import masked
from backend.support.cases import Clerk
from backend.support.models import JoinProposal

MOST = 100


class Pair(NamedTuple):
    """The account that stays, which VNeID vouches for, and the one that goes."""

    stays: UUID
    goes: UUID


class Waiting(msgspec.Struct, frozen=True):
    """One proposal; what the clerk compares with the papers, the numbers masked."""

    id: UUID
    name: str
    birth_date: str
    national_id: str
    old_id_number: str
    grounds: str
    by: str
    is_own: bool
    proposed_at: datetime
    expires_at: datetime


async def listed(tx: AsyncSession, kit: Kit, clerk: Clerk, *, now: datetime) -> list[Waiting]:
    """What waits for a second clerk, the oldest first; nothing of an account of the clerk's own."""
    query = (
        select(JoinProposal)
        .where(JoinProposal.expires_at > now)
        .where(JoinProposal.stays_id != clerk.account_id, JoinProposal.goes_id != clerk.account_id)
        .order_by(JoinProposal.proposed_at, JoinProposal.id)
        .limit(MOST)
    )
    return [await _shown(tx, kit, row, clerk) for row in await tx.scalars(query)]


async def masked_numbers(tx: AsyncSession, kit: Kit, pair: Pair) -> dict[UUID, str]:
    """The CCCD of the account that stays and the CMND of the one that goes, as others may see them."""
    kinds = {pair.stays: numbers.NATIONAL_ID, pair.goes: numbers.OLD_ID}
    held = select(Identifier).where(Identifier.account_id.in_(pair), Identifier.ended_at.is_(None))
    return {
        row.account_id: masked(kit.keys.open("identifiers.value", row.id, row.value))
        for row in await tx.scalars(held)
        if kinds[row.account_id] == row.kind
    }


async def _shown(tx: AsyncSession, kit: Kit, row: JoinProposal, clerk: Clerk) -> Waiting:
    name, born = names_of(kit, await tx.get_one(Account, row.stays_id))
    by, _ = names_of(kit, await tx.get_one(Account, row.proposed_by))
    shown = await masked_numbers(tx, kit, Pair(row.stays_id, row.goes_id))
    return Waiting(
        id=row.id,
        name=name,
        birth_date=born or "",
        national_id=shown.get(row.stays_id, ""),
        old_id_number=shown.get(row.goes_id, ""),
        grounds=kit.keys.open("support_joins.grounds", row.id, row.grounds),
        by=by,
        is_own=row.proposed_by == clerk.account_id,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
    )
