"""What a manager does to somebody's role alone: it is asked for and said in one act (rules 610, 612)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.db import new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, gather
from backend.facts import RequestDecided, RoleRequested, RoleResumed
from backend.kit import Kit
from backend.outbox import queue as outbox
from backend.outside.clock import local_day
from backend.roles import (
    authority,
    beside,
    carried,
    effects,
    forms,
    movements,
    policy,
    requests,
    review,
    rights,
    rows,
    second,
    terms,
    timeline,
)
from backend.roles import draft as drafts
from backend.roles.authority import Authority
from backend.roles.carried import How
from backend.roles.catalogue.in_force import in_force
from backend.roles.effects import Act
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.movements import Fate, Movement
from backend.words import mark as _

NOT_THEN = _("Ngày hiệu lực phải từ {first} đến {last}")


class NotSuspended(Conflict):
    """Nobody has suspended this role, or somebody has lifted it."""

    code = "not_suspended"
    title = "Vai trò này không bị tạm đình chỉ"


class More(msgspec.Struct, frozen=True):
    """What an act may say beside its reason: from when, what it rests on, and which posts outlive the role."""

    effective_on: date | None = None
    papers: dict[str, str] = {}
    keeps: tuple[UUID, ...] = ()


NOTHING = More()


async def act(
    tx: AsyncSession,
    kit: Kit,
    role_id: UUID,
    move: Movement,
    *,
    reason: str,
    by: UUID,
    now: datetime,
    more: More = NOTHING,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """The manager's word makes it so at once; where two people are wanted it waits for the second.

    A refusal that has to be remembered is returned (`settle` it after the commit).
    """
    role = await theirs(tx, kit, role_id, by, now)
    if isinstance(role, Refusal):
        return role
    if role.state not in policy.HELD or (move.fate is Fate.HALTED and not await _is_active(tx, role)):
        raise policy.RoleMoved  # before anything is written that would have to be taken back
    if move.of_person and role.stands_on is not None:
        raise policy.NotByItself
    alone = (await in_force(tx)).needs(move.kind, "") == 1
    if not alone and (waits := await requests.open_of(tx, role.account_id)):
        raise policy.RequestOpen(request_id=waits)
    why = await _said(tx, kit, role, reason, move, more, now)
    found = await _written(tx, kit, role, move, why, more, by, now, alone=alone)
    await carried.weigh(tx, kit, found, carried.OURS, how, by=by)
    asked = RoleRequested(subject=role.account_id, request=found.id, kind=found.kind)
    kit.journal.record(tx, asked, by=by, now=now)
    steps = await rows.steps_of(tx, found.id)
    await review.say(tx, kit, found, steps, policy.APPROVED, None, by, now)
    if alone:
        decided = RequestDecided(subject=role.account_id, request=found.id, outcome=policy.APPROVED)
        kit.journal.record(tx, decided, by=by, now=now)
        review.figured(tx, found, policy.APPROVED, now)
        await timeline.take_effect(tx, kit, found, by=by, now=now)
        if found.applied_at is None:
            await effects.tell(tx, kit, role, "planned", Act(by, now, due=now), about=found.id)
    else:
        await second.ask(tx, kit, found, steps, by, now)
    await tx.flush()
    return found


async def lift(tx: AsyncSession, kit: Kit, role_id: UUID, *, by: UUID, now: datetime) -> Role | Refusal:
    """Whatever was suspended with this role is in force again, and what it carries with it."""
    role = await theirs(tx, kit, role_id, by, now)
    if isinstance(role, Refusal):
        return role
    found = await halting(tx, role.account_id)
    if found is None or role.stands_on is not None:
        raise NotSuspended
    waiting = select(Role).where(Role.suspended_by == found.id, Role.state == policy.SUSPENDED)
    back = list(await tx.scalars(waiting.order_by(Role.id).execution_options(**rows.FRESH)))
    for one in back:
        again = {"state": policy.ACTIVE, "suspended_by": None}
        await effects.change(tx, Role.id == one.id, Role.state == policy.SUSPENDED, **again)
        kit.journal.record(tx, RoleResumed(subject=one.account_id, role=one.id), by=by, now=now)
        await effects.tell(tx, kit, one, "resumed", Act(by, now, due=now), about=None)
    await carried.revive(tx, kit, found, now=now)
    units = {one.unit_id for one in back}
    await timeline.tell(tx, role.account_id, units, request_id=None, lane=outbox.DECISION, now=now, hold=0)
    await tx.flush()
    return role


async def _is_active(tx: AsyncSession, role: Role) -> bool:
    """Whether it, or another of the same person, is in force."""
    held = select(Role.id).where(Role.account_id == role.account_id, Role.state == policy.ACTIVE)
    return role.state == policy.ACTIVE or await tx.scalar(held.limit(1)) is not None


async def halting(tx: AsyncSession, account_id: UUID) -> RoleRequest | None:
    """The suspension that somebody is under."""
    waits = select(Role.suspended_by).where(Role.account_id == account_id, Role.state == policy.SUSPENDED)
    for found in await tx.scalars(select(RoleRequest).where(RoleRequest.id.in_(waits))):
        if movements.of(found).fate is Fate.HALTED:
            return found
    return None


async def _said(
    tx: AsyncSession, kit: Kit, role: Role, typed: str, move: Movement, more: More, now: datetime
) -> dict[str, str]:
    """The form of the act: the reason, what it rests on, a day that may be one, posts that may be kept.

    Raises FieldsInvalid with everything that is wrong.
    """
    errors: list[FieldError] = []
    today, why = local_day(now), gather(errors, lambda: forms.reason(typed)) or ""
    last = today if move.fate is Fate.HALTED else today + timedelta(days=kit.limits.schedule_ahead_days)
    known = (await in_force(tx)).movements.get(move.code)
    first = today if move.fate is Fate.HALTED else terms.earliest(today, known)
    if more.effective_on is not None and not first <= more.effective_on <= last:
        days = {"first": f"{first:%d/%m/%Y}", "last": f"{last:%d/%m/%Y}"}
        errors.append(FieldError("effective_on", "not_possible", NOT_THEN, **days))
    form = movements.with_papers(move.form or movements.END_FORM)
    values, wrong = forms.check_form(form, {"reason": why, **more.papers}, today=today, held={})
    if also := await beside.why_not_keep(tx, move, role.id, more.keeps):
        errors.append(also)
    if errors or wrong:
        raise FieldsInvalid(*errors, *wrong)
    return values


async def theirs(tx: AsyncSession, kit: Kit, role_id: UUID, by: UUID, now: datetime) -> Role | Refusal:
    """The role as it is, with its account locked, if it is this manager's to act upon."""
    await rows.tree_stands(tx)
    role = await rows.role_now(tx, role_id)
    if role is None:
        return requests.refused(tx, kit, policy.RoleNotFound(), role_id, by, now)
    await rows.account_locked(tx, role.account_id)
    who = await authority.of(tx, kit, by, now=now, hold=True)
    if refusal := await _why_not(tx, kit, role, who):
        return requests.refused(tx, kit, refusal, role_id, by, now)
    role = await rows.role_now(tx, role_id)
    if role is None:
        raise policy.RoleMoved
    return role


async def _why_not(tx: AsyncSession, kit: Kit, role: Role, who: Authority) -> Refusal | None:
    if role.account_id == who.account_id:
        return policy.OwnRequest()
    unit = await tx.get_one(Unit, role.unit_id)
    managers = await rights.managers_over(tx, [unit.path], on=who.today)
    own = set(await numbers.blinds_of(tx, kit, role.account_id))
    if who.decides(rights.decider(unit.path, managers, own)):
        return None
    return policy.NotYourUnit() if rights.reads(who, unit.path, managers) else policy.RoleNotFound()


async def _written(
    tx: AsyncSession,
    kit: Kit,
    role: Role,
    move: Movement,
    said: dict[str, str],
    more: More,
    by: UUID,
    now: datetime,
    *,
    alone: bool,
) -> RoleRequest:
    """The request behind the act; approved from the beginning where one word is enough."""
    request_id = new_id()
    found = RoleRequest(
        id=request_id,
        account_id=role.account_id,
        created_by=by,
        kind=move.kind,
        movement=move.code,
        status=policy.APPROVED if alone else policy.PENDING,
        version=1,
        role_id=role.id,
        unit_id=role.unit_id,
        subject_type=role.subject_type,
        position=role.position,
        fields=drafts.seal_fields(kit, "role_requests.fields", request_id, said),
        effective_on=more.effective_on,
        keeps=msgspec.json.encode(more.keeps).decode() if more.keeps else None,
        created_at=now,
        **(rows.stamp(now, by=by) if alone else {}),
    )
    tx.add(found)
    await tx.flush()
    await requests.add_steps(tx, kit, found, role, now=now)
    await tx.flush()
    return found
