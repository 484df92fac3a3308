"""The single acts on a person's roles: begin, schedule, correct, end (rule 612).

All of them want the account locked. A role changes its state by one conditional update.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.devices import sessions
from backend.facts import RoleBegun, RoleChanged, RoleEnded, RoleScheduled
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import carried, policy, rows
from backend.roles import draft as drafts
from backend.roles.catalogue.in_force import hold_catalogue
from backend.roles.models import Role, RoleRequest, Unit
from backend.support import notices


class Before(msgspec.Struct, omit_defaults=True):
    """What a request replaced, kept sealed for the undo."""

    subject_type: str = ""
    position: str = ""
    fields: dict[str, str] = {}
    until_on: date | None = None
    cancelled: list[UUID] = []


async def begin(
    tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID | None, now: datetime, due: datetime
) -> None:
    """The role asked for is in force from now; its owner is told when that is `due`, as systems are (R23)."""
    await hold_catalogue(tx)
    role: Role | None = await tx.scalar(
        select(Role)
        .where(Role.request_id == found.id, Role.state == policy.SCHEDULED)
        .execution_options(**rows.FRESH)
    )
    if role is None:
        if await rows.home_role(tx, found.account_id, *policy.HELD) is not None:
            raise policy.HomeRoleExists
        role = _new_role(kit, found, state=policy.ACTIVE, now=now)
        tx.add(role)
    role.state, role.began_at = policy.ACTIVE, now
    await tx.flush()
    fact = RoleBegun(subject=found.account_id, role=role.id, unit=role.unit_id)
    kit.journal.record(tx, fact, by=by, now=now)
    await _tell(tx, kit, role, "begun", now, due=due, about=found.id)


async def schedule(tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID, now: datetime) -> None:
    """Write the request's day into the calendar; nothing is in force yet."""
    old = None if found.kind == policy.REGISTER else in_force(await rows.role_now(tx, found.role_id))
    if found.kind == policy.REGISTER and await rows.home_role(tx, found.account_id, *policy.HELD) is not None:
        raise policy.HomeRoleExists
    if found.kind in {policy.REGISTER, policy.TRANSFER}:
        role = _new_role(kit, found, state=policy.SCHEDULED, now=now)
        tx.add(role)
        await tx.flush()
        fact = RoleScheduled(subject=found.account_id, role=role.id, unit=role.unit_id)
        kit.journal.record(tx, fact, by=by, now=now)
    elif found.kind == policy.END and old is not None and found.effective_on is not None:
        remember(kit, found, Before(until_on=old.until_on))
        old.until_on = min(old.until_on or date.max, found.effective_on - timedelta(days=1))


async def amend(
    tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID | None, now: datetime, due: datetime
) -> None:
    """Correct the role in place; what it was is kept for the undo."""
    await hold_catalogue(tx)
    role = in_force(await rows.role_now(tx, found.role_id))
    values = drafts.asked_fields(kit, found)
    before = Before(role.subject_type, role.position, drafts.fields_of(kit, role), role.until_on)
    remember(kit, found, before)
    role.subject_type, role.position, role.until_on = found.subject_type, found.position, found.until_on
    put_fields(kit, role, values)
    await tx.flush()
    kit.journal.record(tx, RoleChanged(subject=found.account_id, role=role.id), by=by, now=now)
    await _tell(tx, kit, role, "changed", now, due=due, about=found.id)


async def leave(
    tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID | None, now: datetime, due: datetime
) -> None:
    """A role ends for good, and what was planned from it with it."""
    role = await rows.role_now(tx, found.role_id)
    if role is None or role.state not in policy.HELD:
        raise policy.RoleMoved
    before = before_of(kit, found) if found.before else Before(until_on=role.until_on)
    before.cancelled = await _cancel_plans(tx, found, role, now)
    remember(kit, found, before)
    reason = "cancelled" if role.state == policy.SCHEDULED else "ended"
    await finish(tx, kit, role, reason=reason, request_id=found.id, by=by, now=now, due=due)
    if reason == "ended":
        await end_sessions(tx, kit, role.account_id, by=by, now=now)


async def finish(
    tx: AsyncSession,
    kit: Kit,
    role: Role,
    *,
    reason: str,
    request_id: UUID | None,
    by: UUID | None,
    now: datetime,
    due: datetime,
) -> None:
    """The role is no longer in force; RoleMoved when it was not as we thought."""
    ended = {"state": policy.ENDED, "ended_at": now, "end_reason": reason, "ended_by_request": request_id}
    if not await change(tx, Role.id == role.id, Role.state == role.state, **ended):
        raise policy.RoleMoved
    kit.journal.record(tx, RoleEnded(subject=role.account_id, role=role.id, reason=reason), by=by, now=now)
    await carried.follow(tx, kit, role, request_id=request_id, by=by, now=now)
    await _tell(tx, kit, role, "ended", now, due=due, about=request_id)


async def end_sessions(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, by: UUID | None, now: datetime
) -> None:
    """A leaver's sessions die in the commit that ends the last role (rule 310)."""
    if await rows.home_role(tx, account_id, policy.ACTIVE) is None:
        await sessions.end_all(tx, kit, account_id, reason="role_ended", by=by, now=now)


async def change(tx: AsyncSession, *where: ColumnElement[bool], **values: Any) -> int:
    """A conditional update of roles; how many there were."""
    query = update(Role).where(*where).values(**values).returning(Role.id)
    changed = await tx.execute(query.execution_options(synchronize_session=False))
    return len(changed.all())


async def _tell(
    tx: AsyncSession,
    kit: Kit,
    role: Role,
    change: str,
    now: datetime,
    *,
    due: datetime,
    about: UUID | None,
) -> None:
    """The person reads of every change of a role in the app (rule 1105)."""
    unit = await tx.scalar(select(Unit.name).where(Unit.id == role.unit_id)) or ""
    notices.tell(
        tx, kit, role.account_id, "role_changed", now=now, due=due, about=about, unit=unit, change=change
    )


async def _cancel_plans(tx: AsyncSession, found: RoleRequest, role: Role, now: datetime) -> list[UUID]:
    about = (RoleRequest.role_id == role.id) & (RoleRequest.status == policy.APPROVED)
    plans = await tx.scalars(
        select(RoleRequest).where(
            RoleRequest.id != found.id,
            or_(about, RoleRequest.id == role.request_id),
            RoleRequest.applied_at.is_(None),
        )
    )
    cancelled = {
        "state": policy.ENDED,
        "ended_at": now,
        "end_reason": "cancelled",
        "ended_by_request": found.id,
    }
    planned = []
    for plan in plans.all():
        plan.applied_at = now
        planned.append(plan.id)
        await change(
            tx, Role.request_id == plan.id, Role.state == policy.SCHEDULED, Role.id != role.id, **cancelled
        )
    return planned


def in_force(role: Role | None) -> Role:
    """The role, if it is active; RoleMoved otherwise."""
    if role is None or role.state != policy.ACTIVE:
        raise policy.RoleMoved
    return role


def put_fields(kit: Kit, role: Role, values: dict[str, str]) -> None:
    """Seal a role's form values, and make its official address findable."""
    role.fields = drafts.seal_fields(kit, "roles.fields", role.id, values)
    mail = values.get("official_email")
    role.email_blind = kit.keys.blind("official_email", mail) if mail else None


def remember(kit: Kit, found: RoleRequest, before: Before) -> None:
    """Seal what is about to be replaced."""
    found.before = kit.keys.seal("role_requests.before", found.id, msgspec.json.encode(before).decode())


def before_of(kit: Kit, found: RoleRequest) -> Before:
    """What the request replaced."""
    if found.before is None:
        return Before()
    return msgspec.json.decode(kit.keys.open("role_requests.before", found.id, found.before), type=Before)


def _new_role(kit: Kit, found: RoleRequest, *, state: str, now: datetime) -> Role:
    today = local_day(now)
    role = Role(
        id=new_id(),
        account_id=found.account_id,
        unit_id=found.unit_id,
        subject_type=found.subject_type,
        position=found.position,
        state=state,
        is_home=True,
        from_on=max(found.effective_on or today, today),
        until_on=found.until_on,
        request_id=found.id,
    )
    put_fields(kit, role, drafts.asked_fields(kit, found))
    return role
