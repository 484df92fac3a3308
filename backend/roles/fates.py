"""What becomes of the role that a movement is about: now, on its day, and when the word is taken back (rules 612, 702).

The new role, if one begins, is begun and undone for all movements alike (effects.py, reversal.py).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import RoleChanged, RoleSuspended
from backend.kit import Kit
from backend.roles import beside, carried, effects, falling, holding, movements, policy, rows
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


class Beside(Nothing):
    """It goes on, and something new beside it: what waits bears nothing."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:  # noqa: ARG002
        """The new one stands on a role that is in force."""
        effects.in_force(await rows.role_now(tx, found.role_id))


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
        role, leaves = effects.in_force(await rows.role_now(tx, found.role_id)), movements.of(found).leaves
        spared = await holding.spared(tx, found, role)
        await effects.finish(
            tx, kit, role, reason="transferred", request_id=found.id, act=act, leaves=leaves, spared=spared
        )

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """It is in force again."""
        if back.applied:
            await _revive(tx, kit, found, back.now)


class Lent(Nothing):
    """It is suspended while another one is in force that stands on it, and comes back when that one ends (rule 624)."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """It waits."""
        role = effects.in_force(await rows.role_now(tx, found.role_id))
        waits = {"state": policy.SUSPENDED, "suspended_by": found.id}
        if not await effects.change(tx, Role.id == role.id, Role.state == policy.ACTIVE, **waits):
            raise policy.RoleMoved
        kit.journal.record(tx, RoleSuspended(subject=role.account_id, role=role.id), by=act.by, now=act.now)
        await carried.follow(tx, kit, role, request_id=found.id, by=act.by, now=act.now)
        await effects.tell(tx, kit, role, "suspended", act, about=found.id)

    async def undo(self, tx: AsyncSession, kit: Kit, found: RoleRequest, back: Back) -> None:
        """It is in force again."""
        if back.applied:
            waits = (Role.state == policy.SUSPENDED, Role.suspended_by == found.id)
            again = {"state": policy.ACTIVE, "suspended_by": None}
            await effects.change_one(tx, Role.id == found.role_id, *waits, **again)
            await carried.revive(tx, kit, found, now=back.now)


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
        spared = beside.kept(found)
        await effects.finish(tx, kit, role, reason=reason, request_id=found.id, act=act, spared=spared)
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
            await _revive(tx, kit, found, back.now)
        await effects.change_one(tx, Role.id == role.id, until_on=before.until_on)
        again = {"state": policy.SCHEDULED, "ended_at": None, "end_reason": None, "ended_by_request": None}
        cancelled = (Role.ended_by_request == found.id, Role.end_reason == "cancelled", Role.id != role.id)
        await effects.change(tx, *cancelled, **again)
        plans = update(RoleRequest).where(RoleRequest.id.in_(before.cancelled))
        await tx.execute(plans.values(applied_at=None))


class Halted(Nothing):
    """Whatever is in force waits until a manager lifts it (acts.lift); every session ends (rule 622)."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """At once, and not to be taken back but by lifting it."""
        held = select(Role).where(Role.account_id == found.account_id, Role.state == policy.ACTIVE)
        halted = list(await tx.scalars(held.order_by(Role.id).execution_options(**rows.FRESH)))
        if not halted:
            raise policy.RoleMoved
        for role in halted:
            waits = {"state": policy.SUSPENDED, "suspended_by": found.id}
            await effects.change(tx, Role.id == role.id, Role.state == policy.ACTIVE, **waits)
            fact = RoleSuspended(subject=role.account_id, role=role.id)
            kit.journal.record(tx, fact, by=act.by, now=act.now)
            await carried.follow(tx, kit, role, request_id=found.id, by=act.by, now=act.now)
            await effects.tell(tx, kit, role, "suspended", act, about=found.id)
        await effects.end_sessions(tx, kit, found.account_id, by=act.by, now=act.now)


class Gone(Over):
    """Every role of the person ends, what is open or planned falls, every session ends: one commit (rule 623)."""

    async def happen(self, tx: AsyncSession, kit: Kit, found: RoleRequest, act: Act) -> None:
        """At once or on its day, and not to be taken back."""
        held = select(Role).where(Role.account_id == found.account_id, Role.state.in_(policy.HELD))
        first = held.order_by(Role.stands_on.is_not(None), Role.id).limit(1).execution_options(**rows.FRESH)
        while role := await tx.scalar(first):
            why = "cancelled" if role.state == policy.SCHEDULED else "separated"
            await effects.finish(tx, kit, role, reason=why, request_id=found.id, act=act)
        await falling.everything(tx, kit, found.account_id, but=found.id, by=act.by, now=act.now)
        await effects.end_sessions(tx, kit, found.account_id, by=act.by, now=act.now)


FATES = {
    Fate.NONE: Nothing(),
    Fate.BESIDE: Beside(),
    Fate.CORRECTED: Corrected(),
    Fate.REPLACED: Replaced(),
    Fate.LENT: Lent(),
    Fate.OVER: Over(),
    Fate.HALTED: Halted(),
    Fate.GONE: Gone(),
}


def of(found: RoleRequest) -> Nothing:
    """What the request does to the role that it is about."""
    return FATES[movements.of(found).fate]


async def _revive(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> None:
    """Everything that was in force and has ended by the request is as it was; the post that came back waits again."""
    ended = select(Role).where(Role.ended_by_request == found.id, Role.end_reason != "cancelled")
    gone = {role.id: role for role in await tx.scalars(ended.execution_options(**rows.FRESH))}
    if found.role_id not in gone:
        only = (Role.id == found.role_id, Role.ended_by_request == found.id)
        gone = {role.id: role for role in await tx.scalars(select(Role).where(*only))}
    for role in gone.values():
        if role.is_home and role.stands_on is not None and role.stands_on not in gone:
            waits = {"state": policy.SUSPENDED, "suspended_by": role.request_id}
            await effects.change_one(tx, Role.id == role.stands_on, Role.state == policy.ACTIVE, **waits)
        was = policy.ACTIVE if role.began_at else policy.SCHEDULED
        state = policy.SUSPENDED if role.suspended_by else was
        where = (Role.id == role.id, Role.state == policy.ENDED)
        back = {"state": state, "ended_at": None, "end_reason": None, "ended_by_request": None}
        await effects.change_one(tx, *where, **back)
    if found.role_id not in gone:
        raise policy.UndoTooLate
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
