"""A decision on paper, and whether it tells the truth: its code is the request's own name, which nobody guesses."""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.roles import movements, policy
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RoleRequest, Unit
from backend.words import Label

DECIDED = (policy.APPROVED, policy.REJECTED)


class Genuine(msgspec.Struct, frozen=True):
    """What anybody with the paper may read: act, outcome, unit, day, and the first letters of a name."""

    act: Label
    outcome: str
    unit: str
    decided_at: datetime
    effective_on: date | None
    name: str


def code_of(request_id: UUID) -> str:
    """What stands on the paper."""
    return base64.b32encode(request_id.bytes).decode().rstrip("=")


async def genuine(tx: AsyncSession, kit: Kit, code: str) -> Genuine | None:
    """The decision behind a code; nothing where there is none, or none any more."""
    try:
        request_id = UUID(bytes=base64.b32decode(code.upper() + "=" * (-len(code) % 8)))
    except (binascii.Error, ValueError):
        return None
    query = select(RoleRequest, Unit.name, Account.full_name)
    query = query.join(Unit, Unit.id == RoleRequest.unit_id).join(
        Account, Account.id == RoleRequest.account_id
    )
    row = (await tx.execute(query.where(RoleRequest.id == request_id))).one_or_none()
    if row is None:
        return None
    found, unit, sealed = row
    if found.status not in DECIDED or found.decided_at is None:
        return None
    catalogue = await in_force(tx)
    name = kit.keys.open("accounts.full_name", found.account_id, sealed)
    act = catalogue.movement_label(movements.of(found).code)
    return Genuine(act, found.status, unit, found.decided_at, found.effective_on, initials(name))


def initials(name: str) -> str:
    """A name of which everybody who has the paper recognises the person, and nobody else."""
    return " ".join(f"{word[0]}***" for word in name.split())
