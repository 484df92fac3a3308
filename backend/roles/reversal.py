"""How an approval is taken back while nothing has left the house (rule 702)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.outbox import queue as outbox
from backend.outbox import renewal
from backend.roles import carried, effects, policy, rows
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
    if found.kind in {policy.REGISTER, policy.TRANSFER}:
        state = policy.ACTIVE if applied else policy.SCHEDULED
        await _one(tx, Role.request_id == found.id, Role.state == state, to={"state": policy.UNDONE})
    if found.kind == policy.TRANSFER and applied:
        await _revive(tx, kit, found, policy.ACTIVE, now)
    elif found.kind == policy.AMEND and applied:
        await _unamend(tx, kit, found)
    elif found.kind == policy.END:
        await _unend(tx, kit, found, applied=applied, now=now)
    found.applied_at, found.before, found.role_version = None, None, None
    await rows.bump(tx, found.account_id)
    if applied and was is not None and found.kind in {policy.TRANSFER, policy.END}:
        await _tell_again(tx, was, now)


async def _tell_again(tx: AsyncSession, role: Role, now: datetime) -> None:
    """While the role was over, nobody told what became of its unit of this person (B13)."""
    systems = {system.id for system in await systems_touched(tx, [role.unit_id])}
    await renewal.renew(tx, [role.account_id], now=now, also={role.account_id: systems})


async def _revive(tx: AsyncSession, kit: Kit, found: RoleRequest, state: str, now: datetime) -> None:
    back = {"state": state, "ended_at": None, "end_reason": None, "ended_by_request": None}
    await _one(
        tx,
        Role.id == found.role_id,
        Role.state == policy.ENDED,
        Role.ended_by_request == found.id,
        to=back,
    )
    await carried.revive(tx, kit, found, now=now)


async def _unamend(tx: AsyncSession, kit: Kit, found: RoleRequest) -> None:
    role = await rows.role_now(tx, found.role_id)
    if role is None or role.state != policy.ACTIVE:
        raise policy.UndoTooLate
    before = effects.before_of(kit, found)
    role.subject_type, role.position, role.until_on = before.subject_type, before.position, before.until_on
    effects.put_fields(kit, role, before.fields)
    await tx.flush()


async def _unend(tx: AsyncSession, kit: Kit, found: RoleRequest, *, applied: bool, now: datetime) -> None:
    before = effects.before_of(kit, found)
    role = await rows.role_now(tx, found.role_id)
    if role is None:
        raise policy.UndoTooLate
    if applied:
        state = policy.ACTIVE if role.began_at else policy.SCHEDULED
        await _revive(tx, kit, found, state, now)
    await _one(tx, Role.id == role.id, to={"until_on": before.until_on})
    plans = {"state": policy.SCHEDULED, "ended_at": None, "end_reason": None, "ended_by_request": None}
    await effects.change(
        tx, Role.ended_by_request == found.id, Role.end_reason == "cancelled", Role.id != role.id, **plans
    )
    await tx.execute(update(RoleRequest).where(RoleRequest.id.in_(before.cancelled)).values(applied_at=None))


async def _one(tx: AsyncSession, *where: ColumnElement[bool], to: Mapping[str, object]) -> None:
    if await effects.change(tx, *where, **to) != 1:
        raise policy.UndoTooLate
