"""What somebody is shown of their own requests and roles (rule 601)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend import paging
from backend.account import Account
from backend.appointment import Appointment
from backend.kit import Kit
from backend.outbox import states
from backend.outbox.states import SyncState
from backend.outside.clock import local_day
from backend.roles import cancelling, changes, movements, policy, rights, rows, vouching
from backend.roles import draft as drafts
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.views import Correction, OwnRequest, Page, RoleView, StepView

MOST = 50


async def mine(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    now: datetime,
    cursor: str | None = None,
    most: int = MOST,
) -> Page[OwnRequest]:
    """The requests about somebody, newest first."""
    query = select(RoleRequest).where(RoleRequest.account_id == account_id)
    if cursor:
        query = query.where(RoleRequest.id < paging.uuid_of(cursor))
    found = (await tx.scalars(query.order_by(RoleRequest.id.desc()).limit(most + 1))).all()
    shown, more = paging.cut(found, most)
    return Page(
        await _own_requests(tx, kit, shown, account_id, now),
        paging.cursor_of(str(shown[-1].id)) if more else None,
    )


async def one_of_mine(
    tx: AsyncSession, kit: Kit, request_id: UUID, account_id: UUID, *, now: datetime
) -> OwnRequest:
    """One request about somebody, or begun by a manager of the reader's units; RequestNotFound else (rule 613)."""
    found = await tx.get(RoleRequest, request_id)
    if found is None:
        raise policy.RequestNotFound
    if found.account_id != account_id:
        steps = await rows.steps_of(tx, request_id)
        if await rights.why_not_take_over(tx, kit, found, steps, account_id, now=now):
            raise policy.RequestNotFound
    (own,) = await _own_requests(tx, kit, [found], account_id, now)
    return own


async def roles_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[RoleView]:
    """Somebody's roles, what is in force first; what was taken back is not shown."""
    settled = await _settled(tx, kit, account_id)
    query = select(Role, Unit).join(Unit, Unit.id == Role.unit_id)
    held = await tx.execute(query.where(Role.account_id == account_id, Role.state != policy.UNDONE))
    order = (policy.ACTIVE, policy.SUSPENDED, policy.SCHEDULED, policy.ENDED)
    found = sorted(((row[0], row[1]) for row in held), key=lambda row: row[0].id, reverse=True)
    found.sort(key=lambda row: order.index(row[0].state))
    until = {
        role.stands_on: role.until_on for role, _ in found if role.stands_on and role.state in policy.HELD
    }
    return [
        RoleView(
            role.id,
            unit.id,
            unit.code,
            unit.name,
            role.subject_type,
            role.position,
            role.state,
            role.from_on,
            role.until_on if _never_began(role) or not role.ended_at else local_day(role.ended_at),
            max(filter(None, (settled.get(role.id), settled.get(role.request_id))), default=None),
            "home" if role.is_home else "concurrent",
            _resumes_on(role, until.get(role.id)),
            _never_began(role),
        )
        for role, unit in found
    ]


def _never_began(role: Role) -> bool:
    return role.state == policy.ENDED and role.end_reason == cancelling.CANCELLED


def _resumes_on(role: Role, last_day: date | None) -> date | None:
    """The day after the last one of what it waits for."""
    waits = role.state == policy.SUSPENDED and last_day is not None
    return last_day + timedelta(days=1) if waits and last_day is not None else None


async def _settled(tx: AsyncSession, kit: Kit, account_id: UUID) -> dict[UUID, datetime]:
    """From when each decision in force stands, by the request, and by the role that it was about."""
    query = select(RoleRequest).where(
        RoleRequest.account_id == account_id,
        RoleRequest.status == policy.APPROVED,
        RoleRequest.applied_at.is_not(None),
    )
    found: dict[UUID, datetime] = {}
    for request in await tx.scalars(query.order_by(RoleRequest.decided_at)):
        at = settled_at(kit, request)
        if at is not None:
            found[request.id] = at
            if request.role_id is not None:
                found[request.role_id] = at
    return found


def settled_at(kit: Kit, found: RoleRequest) -> datetime | None:
    """From when nobody can take a manager's word back: systems and people are told then (R23)."""
    said = found.status in {policy.APPROVED, policy.REJECTED, policy.RETURNED}
    window = timedelta(seconds=kit.limits.undo_window)
    return found.decided_at + window if said and found.decided_at is not None else None


async def steps_view(tx: AsyncSession, kit: Kit, request_ids: Sequence[UUID]) -> dict[UUID, list[StepView]]:
    """Every step of some requests, with the reason and the name of who spoke."""
    lender = aliased(Account)
    query = (
        select(RequestStep, Unit, Account, Appointment.until_on, lender)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .outerjoin(Account, Account.id == RequestStep.by)
        .outerjoin(Appointment, Appointment.id == RequestStep.delegation_id)
        .outerjoin(lender, lender.id == Appointment.by)
        .where(RequestStep.request_id.in_(request_ids))
        .order_by(RequestStep.position)
    )
    found: dict[UUID, list[StepView]] = {request_id: [] for request_id in request_ids}
    for step, unit, somebody, until_on, lent_by in await tx.execute(query):
        found[step.request_id].append(
            StepView(
                step.duty,
                unit.name,
                unit.id,
                unit.code,
                step.decision,
                _name(kit, somebody),
                step.at,
                kit.keys.open("request_steps.reason", step.id, step.reason) if step.reason else None,
                _name(kit, lent_by),
                until_on,
                bool(step.is_above),
            )
        )
    return found


def _name(kit: Kit, somebody: Account | None) -> str | None:
    return kit.keys.open("accounts.full_name", somebody.id, somebody.full_name) if somebody else None


async def _own_requests(
    tx: AsyncSession, kit: Kit, found: Sequence[RoleRequest], reader: UUID, now: datetime
) -> list[OwnRequest]:
    ids = [one.id for one in found]
    changed = await changes.corrections_of(tx, kit, found)
    about = select(Account.id).where(Account.id.in_({one.account_id for one in found}))
    frozen = set(await tx.scalars(about.where(Account.frozen_at.is_not(None))))
    missing = select(RoleRequest.id).where(RoleRequest.id.in_(ids), vouching.is_missing(await in_force(tx)))
    unvouched = set(await tx.scalars(missing))
    steps = await steps_view(tx, kit, ids)
    sync = await states.states_for_requests(tx, ids, now)
    units = await tx.scalars(select(Unit).where(Unit.id.in_({one.unit_id for one in found})))
    by_id = {unit.id: unit for unit in units}
    begun = await _begun(tx, found)
    return [
        _own(
            kit,
            one,
            by_id[one.unit_id],
            role=one.role_id or begun.get(one.id),
            steps=steps[one.id],
            sync=sync[one.id],
            corrections=[changes.in_vietnamese(made) for made in changed[one.id]],
            reader=reader,
            now=now,
            on_hold=_on_hold(one, frozen=one.account_id in frozen, unvouched=one.id in unvouched),
        )
        for one in found
    ]


async def _begun(tx: AsyncSession, found: Sequence[RoleRequest]) -> dict[UUID, UUID]:
    """The role that each first request has brought, by the request."""
    first = [one.id for one in found if one.role_id is None and one.status == policy.APPROVED]
    if not first:
        return {}
    about = (Role.account_id.in_({one.account_id for one in found}), Role.request_id.in_(first))
    roles = await tx.execute(select(Role.request_id, Role.id).where(*about, Role.state != policy.UNDONE))
    return {row.request_id: row.id for row in roles}


def _on_hold(found: RoleRequest, *, frozen: bool, unvouched: bool) -> str | None:
    """Why it cannot be granted now; what waits for its day waits on for somebody's word."""
    if found.status == policy.PENDING and frozen:
        return policy.ApplicantFrozen.code
    scheduled = found.status == policy.APPROVED and found.applied_at is None
    waits = found.status in policy.OPEN or scheduled
    return policy.ApplicantNotVouched.code if waits and unvouched else None


def _own(
    kit: Kit,
    found: RoleRequest,
    unit: Unit,
    *,
    role: UUID | None,
    steps: list[StepView],
    sync: list[SyncState],
    corrections: list[Correction],
    reader: UUID,
    now: datetime,
    on_hold: str | None,
) -> OwnRequest:
    """A manager who reads here may correct (`one_of_mine`); the person may only what the person asked for."""
    theirs = reader != found.account_id or found.created_by == found.account_id
    return OwnRequest(
        id=found.id,
        kind=found.kind,
        movement=movements.of(found).code,
        status=found.status,
        version=found.version,
        role_id=role,
        unit_id=unit.id,
        unit_code=unit.code,
        unit_name=unit.name,
        subject_type=found.subject_type,
        position=found.position,
        fields=drafts.asked_fields(kit, found),
        effective_on=found.effective_on,
        until_on=found.until_on,
        created_at=found.created_at,
        decided_at=found.decided_at,
        steps=steps,
        sync=sync,
        corrections=corrections,
        denied=found.denied_at is not None,
        settled_at=settled_at(kit, found),
        on_hold=on_hold,
        can_correct=theirs and cancelling.is_free(found, now),
        can_withdraw=theirs and cancelling.may_withdraw(found, reader, now),
    )


async def holds_role(tx: AsyncSession, account_id: UUID) -> bool:
    """Whether somebody has a role, in force, suspended or about to begin."""
    held = select(Role.id).where(Role.account_id == account_id, Role.state.in_(policy.HELD))
    return await tx.scalar(held.limit(1)) is not None
