"""How an approval is taken back while nothing has left the house (rule 702)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.outbox import queue as outbox
from backend.outbox import renewal
from backend.roles import effects, fates, holding, movements, policy, rows
from backend.roles.fates import Back
from backend.roles.models import Role, RoleRequest
from backend.roles.scope import systems_touched


async def revert(tx: AsyncSession, kit: Kit, found: RoleRequest, *, now: datetime) -> None:
    """Put the person's roles back as they were before the approval; UndoTooLate when they have moved on."""
    applied = found.applied_at is not None
    was = await rows.role_now(tx, found.role_id)
    now_at = await tx.scalar(select(Account.role_version).where(Account.id == found.account_id))
    if found.role_version != now_at:
        raise policy.UndoTooLate
    if applied and not await outbox.cancel_held(tx, found.id, now=now):
        raise policy.UndoTooLate
    move = movements.of(found)
    if move.begins:
        state = policy.ACTIVE if applied else policy.SCHEDULED
        begun = select(Role).where(Role.request_id == found.id, Role.state == state)
        new = (await tx.scalars(begun)).one_or_none()
        await effects.change_one(tx, Role.request_id == found.id, Role.state == state, state=policy.UNDONE)
        if new is not None and was is not None:
            await holding.carry_over(tx, new.id, was.id)
    await fates.of(found).undo(tx, kit, found, Back(applied, now))
    found.applied_at, found.before, found.role_version = None, None, None
    await rows.bump(tx, found.account_id)
    if applied and was is not None and move.leaves:
        await _tell_again(tx, was, now)


async def _tell_again(tx: AsyncSession, role: Role, now: datetime) -> None:
    """While the role was over, nobody told what became of its unit of this person (B13)."""
    units = {role.unit_id, *await rows.units_held(tx, role.account_id)}
    systems = {system.id for system in await systems_touched(tx, units)}
    await renewal.renew(tx, [role.account_id], now=now, also={role.account_id: systems})
