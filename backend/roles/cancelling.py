"""An approved change whose day has not come: cancelled before it began, or planned anew (rule 630; case R15)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import RequestWithdrawn
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import effects, fates, policy, rows
from backend.roles.effects import Act
from backend.roles.fates import Back
from backend.roles.models import Role, RoleRequest
from backend.support import notices

CANCELLED = "cancelled"


def is_to_come(found: RoleRequest, now: datetime) -> bool:
    """Whether it is granted and its day has not come: until then it is only a plan."""
    waits = found.status == policy.APPROVED and found.applied_at is None
    return waits and found.effective_on is not None and found.effective_on > local_day(now)


def is_free(found: RoleRequest, now: datetime) -> bool:
    """Whether whoever may take it over may say something else with it."""
    return found.status == policy.RETURNED or is_to_come(found, now)


def may_withdraw(found: RoleRequest, by: UUID, now: datetime) -> bool:
    """Whether whoever may take it over may take it back; while it waits only whoever made it."""
    return is_free(found, now) or (found.status == policy.PENDING and found.created_by == by)


async def cancel(tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID, now: datetime) -> None:
    """Whoever asked for it takes it back: nothing has been in force, and what was planned reads so. Both are locked."""
    role = await _planned(tx, found)
    await _as_it_was(tx, kit, found, now)
    await notices.take_back(tx, found.id, now=now)
    if role is not None:
        act = Act(by, now, due=now)
        await effects.finish(tx, kit, role, reason=CANCELLED, request_id=found.id, act=act, leaves=False)
    else:
        what = await rows.role_now(tx, found.role_id) or found
        await effects.tell(tx, kit, what, CANCELLED, Act(by, now, due=now), about=found.id)
    await rows.move(tx, found, to=policy.WITHDRAWN, **rows.stamp(now, by=by))
    fact = RequestWithdrawn(subject=found.account_id, request=found.id, because=CANCELLED)
    kit.journal.record(tx, fact, by=by, now=now)
    await rows.bump(tx, found.account_id)


async def unplan(tx: AsyncSession, kit: Kit, found: RoleRequest, *, now: datetime) -> None:
    """It is about to be asked for anew, with another day or another wish: the plan is as if it had never been."""
    planned = (Role.request_id == found.id, Role.state == policy.SCHEDULED)
    await effects.change(tx, *planned, state=policy.UNDONE)
    await _as_it_was(tx, kit, found, now)
    await notices.take_back(tx, found.id, now=now)
    found.before = found.role_version = None
    await rows.bump(tx, found.account_id)
    await tx.flush()


async def _planned(tx: AsyncSession, found: RoleRequest) -> Role | None:
    query = select(Role).where(Role.request_id == found.id, Role.state == policy.SCHEDULED)
    role: Role | None = await tx.scalar(query.execution_options(**rows.FRESH))
    return role


async def _as_it_was(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> None:
    """The role that it is about has its own last day again, if it still stands."""
    role = await rows.role_now(tx, found.role_id)
    if role is not None and role.state in policy.HELD:
        await fates.of(found).undo(tx, kit, found, Back(applied=False, now=now))
