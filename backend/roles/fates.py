"""What becomes of the role that a movement is about: now, on its day, and when the word is taken back (rules 612, 702).

The new role, if one begins, is begun and undone for all movements alike (effects.py, reversal.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import RoleChanged
from backend.kit import Kit
from backend.roles import carried, effects, movements, policy, rows
from backend.roles import draft as drafts
from backend.roles.effects import Act, Before
from backend.roles.models import Role, RoleRequest
from backend.roles.movements import Fate


class Back(NamedTuple):
    """A word taken back at `now`: what it did is `applied`, or its day has not come."""

    applied: bool
    now: datetime


class Nothing:
    """It goes on as it is, or there is none."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """Now."""

    async def plan(self, kit: Kit, found: RoleRequest, role: Role | None) -> None:
        """On the request's day; nothing is in force yet."""

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """As it was before the word; UndoTooLate when it has moved on."""


class Corrected(Nothing):
    """It says something else from now; what it said is kept for the undo."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """Correct it in place."""
        role = effects.in_force(await rows.role_now(tx, found.role_id))
        before = Before(role.subject_type, role.position, drafts.fields_of(kit, role), role.until_on)
        effects.remember(kit, found, before)
        role.subject_type, role.position, role.until_on = found.subject_type, found.position, found.until_on
        effects.put_fields(kit, role, drafts.asked_fields(kit, found))
        await tx.flush()
        kit.journal.record(tx, RoleChanged(subject=found.account_id, role=role.id), by=act.by, now=act.now)
        await effects.tell(tx, kit, role, "changed", act, about=found.id)

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """It says again what it said."""
        if not back.applied:
            return
        role = await rows.role_now(tx, found.role_id)
        if role is None or role.state != policy.ACTIVE:
            raise policy.UndoTooLate
        before = effects.before_of(kit, found)
        role.subject_type, role.position, role.until_on = (
            before.subject_type,
            before.position,
            before.until_on,
        )
        effects.put_fields(kit, role, before.fields)
        await tx.flush()


class Replaced(Nothing):
    """It ends in the transaction in which the new one begins (rule 612)."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """The person leaves it."""
        role = effects.in_force(await rows.role_now(tx, found.role_id))
        await effects.finish(tx, kit, role, reason="transferred", request_id=found.id, act=act)

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """It is in force again."""
        if back.applied:
            await _revive(tx, kit, found, policy.ACTIVE, back.now)


class Over(Nothing):
    """It ends for good, and what was planned from it with it."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """It ends; what has not begun is cancelled, and then nobody's session dies of it."""
        role = await rows.role_now(tx, found.role_id)
        if role is None or role.state not in policy.HELD:
            raise policy.RoleMoved
        before = effects.before_of(kit, found) if found.before else Before(until_on=role.until_on)
        before.cancelled = await _cancel_plans(tx, found, role, act.now)
        effects.remember(kit, found, before)
        reason = "cancelled" if role.state == policy.SCHEDULED else "ended"
        await effects.finish(tx, kit, role, reason=reason, request_id=found.id, act=act)
        if reason == "ended":
            await effects.end_sessions(tx, kit, role.account_id, by=act.by, now=act.now)

    async def plan(self, kit: Kit, found: RoleRequest, role: Role | None) -> None:
        """Its last day is the one before."""
        if role is not None and found.effective_on is not None:
            effects.remember(kit, found, Before(until_on=role.until_on))
            role.until_on = min(role.until_on or date.max, found.effective_on - timedelta(days=1))

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """It is there again, with its last day and what was planned from it."""
        before = effects.before_of(kit, found)
        role = await rows.role_now(tx, found.role_id)
        if role is None:
            raise policy.UndoTooLate
        if back.applied:
            state = policy.ACTIVE if role.began_at else policy.SCHEDULED
            await _revive(tx, kit, found, state, back.now)
        await effects.change_one(tx, Role.id == role.id, until_on=before.until_on)
        again = {"state": policy.SCHEDULED, "ended_at": None, "end_reason": None, "ended_by_request": None}
        cancelled = (Role.ended_by_request == found.id, Role.end_reason == "cancelled", Role.id != role.id)
        await effects.change(tx, *cancelled, **again)
        plans = update(RoleRequest).where(RoleRequest.id.in_(before.cancelled))
        await tx.execute(plans.values(applied_at=None))


FATES = {
    Fate.NONE: Nothing(),
    Fate.CORRECTED: Corrected(),
    Fate.REPLACED: Replaced(),
    Fate.OVER: Over(),
}


def of(found: RoleRequest) -> Nothing:
    """What the request does to the role that it is about."""
    return FATES[movements.of(found).fate]


async def _revive(tx: AsyncSession, kit: Kit, found: RoleRequest, state: str, now: datetime) -> None:
    where = (Role.id == found.role_id, Role.state == policy.ENDED, Role.ended_by_request == found.id)
    back = {"state": state, "ended_at": None, "end_reason": None, "ended_by_request": None}
    await effects.change_one(tx, *where, **back)
    await carried.revive(tx, kit, found, now=now)


async def _cancel_plans(tx: AsyncSession, found: RoleRequest, role: Role, now: datetime) -> list[UUID]:
    about = (RoleRequest.role_id == role.id) & (RoleRequest.status == policy.APPROVED)
    plans = await tx.scalars(
        select(RoleRequest).where(
            RoleRequest.id != found.id,
            or_(about, RoleRequest.id == role.request_id),
            RoleRequest.applied_at.is_(None),
        )
    )
    cancelled = {"state": policy.ENDED, "ended_at": now, "end_reason": "cancelled"}
    planned = []
    for plan in plans.all():
        plan.applied_at = now
        planned.append(plan.id)
        where = (Role.request_id == plan.id, Role.state == policy.SCHEDULED, Role.id != role.id)
        await effects.change(tx, *where, **cancelled, ended_by_request=found.id)
    return planned
