"""What belongs to one person alone: an official address, an employee code (case R33; rule 701)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.errors import Conflict
from backend.kit import Kit
from backend.roles import mailboxes, policy
from backend.roles.models import Role, StaffRecord


class CodeTaken(Conflict):
    """Another person's role or directory entry carries this employee code."""

    code = "employee_code_taken"
    title = "Mã cán bộ đã thuộc về người khác"


async def email(tx: AsyncSession, kit: Kit, mail: str, account_id: UUID) -> bool:
    """Whether an official address belongs to another person's role or directory entry.

    It names the person in other systems (rule 701), so a typed one must never be somebody else's.
    """
    if await mailboxes.is_one(tx, mail.lower()):
        return True
    blinds = kit.keys.blinds("official_email", mail)
    held = select(Role.id).where(
        Role.email_blind.in_(blinds), Role.account_id != account_id, Role.state.in_(policy.HELD)
    )
    if await tx.scalar(held.limit(1)) is not None:
        return True
    listed = (
        await tx.scalars(select(StaffRecord.national_id_blind).where(StaffRecord.email_blind.in_(blinds)))
    ).all()
    return not set(listed) <= set(await numbers.blinds_of(tx, kit, account_id))


async def code(tx: AsyncSession, kit: Kit, code: str, account_id: UUID) -> bool:
    """The same of an employee code (R33), unless the directory itself gives it to this person as well."""
    blinds, own = kit.keys.blinds("employee_code", code), await numbers.blinds_of(tx, kit, account_id)
    listed = set(
        await tx.scalars(select(StaffRecord.national_id_blind).where(StaffRecord.code_blind.in_(blinds)))
    )
    if not listed.isdisjoint(own):
        return False
    held = select(Role.id).where(
        Role.code_blind.in_(blinds), Role.account_id != account_id, Role.state.in_(policy.HELD)
    )
    return bool(listed) or await tx.scalar(held.limit(1)) is not None
