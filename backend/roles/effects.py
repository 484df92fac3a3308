"""The single acts on a person's roles: begin, plan, end (rule 612).

All of them want the account locked. A role changes its state by one conditional update.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.devices import sessions
from backend.facts import RoleBegun, RoleEnded, RoleResumed, RoleScheduled
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import carried, falling, holding, movements, policy, rows
from backend.roles import draft as drafts
from backend.roles.models import Role, RoleRequest
from backend.support import notices


class Act(NamedTuple):
    """Who makes it so (nobody: its day has come), when, and from when its owner is told, as systems are (R23)."""

    by: UUID | None
    now: datetime
    due: datetime


class Before(msgspec.Struct, omit_defaults=True):
    """What a request replaced, kept sealed for the undo."""

    subject_type: str = ""
    position: str = ""
    fields: dict[str, str] = {}
    until_on: date | None = None
    cancelled: list[UUID] = []


async def begin(
    tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act, held: Sequence[rows.Place] | None = None
) -> None:
    """The role asked for is in force from now; `held` says what was there before the request began to be true."""
    role = await _planned(tx, found)
    if role is None:
        if movements.of(found).is_home and await _has_home(tx, found, held):
            raise policy.HomeRoleExists
        role = _new_role(kit, found, state=policy.ACTIVE, now=act.now)
        role.began_at = act.now
        await rows.NEW_ROLE.add(tx, role)
    else:
        role.state, role.began_at = policy.ACTIVE, act.now
        await tx.flush()
    fact = RoleBegun(subject=found.account_id, role=role.id, unit=role.unit_id)
    kit.journal.record(tx, fact, by=act.by, now=act.now)
    if found.role_id is not None and role.stands_on is None:
        await holding.carry_over(tx, found.role_id, role.id)
    await tell(tx, kit, role, "begun", act, about=found.id)


async def _has_home(tx: AsyncSession, found: RoleRequest, held: Sequence[rows.Place] | None) -> bool:
    """Whether another home role is in the way; a request about no role has ended or suspended none."""
    if found.role_id is None and held is not None:
        return any(one.is_home for one in held)
    in_the_way = policy.HELD if found.role_id is None else (policy.SCHEDULED, policy.ACTIVE)
    return await rows.home_role(tx, found.account_id, *in_the_way) is not None


async def _planned(tx: AsyncSession, found: RoleRequest) -> Role | None:
    """What stands in the calendar of a request that has a day."""
    if found.effective_on is None:
        return None
    planned = select(Role).where(Role.request_id == found.id, Role.state == policy.SCHEDULED)
    role: Role | None = await tx.scalar(planned.execution_options(**rows.FRESH))
    return role


async def plan(tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID, now: datetime) -> None:
    """The role asked for stands in the calendar; nothing is in force yet."""
    role = _new_role(kit, found, state=policy.SCHEDULED, now=now)
    await rows.NEW_ROLE.add(tx, role)
    fact = RoleScheduled(subject=found.account_id, role=role.id, unit=role.unit_id)
    kit.journal.record(tx, fact, by=by, now=now)


async def finish(
    tx: AsyncSession,
    kit: Kit,
    role: Role,
    *,
    reason: str,
    request_id: UUID | None,
    act: Act,
    leaves: bool = True,
    spared: Sequence[UUID] = (),
) -> None:
    """The role is no longer in force; RoleMoved when it was not as we thought.

    What stands on it ends with it but what is `spared`, and the post that waits for it comes back; `leaves`: what it
    carries goes too.
    """
    ended = {
        "state": policy.ENDED,
        "ended_at": act.now,
        "end_reason": reason,
        "ended_by_request": request_id,
    }
    if not await change(tx, Role.id == role.id, Role.state == role.state, **ended):
        raise policy.RoleMoved
    fact = RoleEnded(subject=role.account_id, role=role.id, reason=reason)
    kit.journal.record(tx, fact, by=act.by, now=act.now)
    if leaves:
        await carried.follow(tx, kit, role, request_id=request_id, by=act.by, now=act.now)
    await tell(tx, kit, role, reason if reason == "cancelled" else "ended", act, about=request_id)
    standing = (Role.stands_on == role.id, Role.state.in_(policy.HELD), Role.id.not_in(spared))
    await falling.fall(tx, kit, role, request_id=request_id, by=act.by, now=act.now, due=act.due)
    for other in await tx.scalars(select(Role).where(*standing)):
        why = reason if other.state != policy.SCHEDULED else "cancelled"
        await finish(tx, kit, other, reason=why, request_id=request_id, act=act)
    await _come_back(tx, kit, role, act)


async def _come_back(tx: AsyncSession, kit: Kit, ended: Role, act: Act) -> None:
    """The post that waited for the one that has just ended is in force again, or waits for what that one waited for."""
    waits = (Role.suspended_by == ended.request_id, Role.state == policy.SUSPENDED)
    state = policy.SUSPENDED if ended.suspended_by else policy.ACTIVE
    back = {"state": state, "suspended_by": ended.suspended_by}
    if not await change(tx, Role.id == ended.stands_on, *waits, **back) or ended.suspended_by:
        return
    role = in_force(await rows.role_now(tx, ended.stands_on))
    kit.journal.record(tx, RoleResumed(subject=role.account_id, role=role.id), by=act.by, now=act.now)
    await tell(tx, kit, role, "resumed", act, about=ended.ended_by_request)


async def end_sessions(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, by: UUID | None, now: datetime
) -> None:
    """A leaver's sessions die in the commit that ends the last role (rule 310)."""
    held = select(Role.id).where(Role.account_id == account_id, Role.state == policy.ACTIVE)
    if await tx.scalar(held.limit(1)) is None:
        await sessions.end_all(tx, kit, account_id, reason="role_ended", by=by, now=now)


async def change(tx: AsyncSession, *where: ColumnElement[bool], **values: Any) -> int:
    """A conditional update of roles; how many there were."""
    query = update(Role).where(*where).values(**values).returning(Role.id)
    changed = await tx.execute(query.execution_options(synchronize_session=False))
    return len(changed.all())


async def change_one(tx: AsyncSession, *where: ColumnElement[bool], **values: Any) -> None:
    """The same of the one role that an undo is about; UndoTooLate when it is not there as it was."""
    if await change(tx, *where, **values) != 1:
        raise policy.UndoTooLate


async def tell(
    tx: AsyncSession, kit: Kit, what: Role | RoleRequest, change: str, act: Act, *, about: UUID | None
) -> None:
    """The person reads of every change of a role in the app, also of one that has not become so (rule 1105)."""
    said = {"unit": (await rows.unit_of(tx, what.unit_id)).name, "change": change}
    notices.tell(tx, kit, what.account_id, "role_changed", now=act.now, due=act.due, about=about, **said)


def in_force(role: Role | None) -> Role:
    """The role, if it is active; RoleMoved otherwise."""
    if role is None or role.state != policy.ACTIVE:
        raise policy.RoleMoved
    return role


def put_fields(kit: Kit, role: Role, values: dict[str, str]) -> None:
    """Seal a role's form values, and make its official address and employee code findable."""
    role.fields = drafts.seal_fields(kit, "roles.fields", role.id, values)
    mail = values.get("official_email")
    role.email_blind = kit.keys.blind("official_email", mail) if mail else None
    code = values.get("employee_code")
    role.code_blind = kit.keys.blind("employee_code", code) if code else None


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
        is_home=movements.of(found).is_home,
        from_on=max(found.effective_on or today, today),
        until_on=found.until_on,
        request_id=found.id,
        stands_on=found.role_id if movements.of(found).stands else None,
    )
    put_fields(kit, role, drafts.asked_fields(kit, found))
    return role
