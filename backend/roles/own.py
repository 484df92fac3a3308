"""What somebody is shown of their own requests and roles (rule 601)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
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
from backend.roles import cancelling, changes, movements, policy, rights, rows, vouching
from backend.roles import draft as drafts
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.views import Correction, OwnRequest, Page, StepView
from backend.statements import Question, by_number, listed, one_of

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
    found = await rows.request_of(tx, request_id)
    if found is None:
        raise policy.RequestNotFound
    if found.account_id != account_id:
        steps = await rows.steps_of(tx, request_id)
        if await rights.why_not_take_over(tx, kit, found, steps, account_id, now=now):
            raise policy.RequestNotFound
    (own,) = await _own_requests(tx, kit, [found], account_id, now)
    return own


def settled_at(kit: Kit, found: RoleRequest) -> datetime | None:
    """From when nobody can take a manager's word back: systems and people are told then (R23)."""
    said = found.status in {policy.APPROVED, policy.REJECTED, policy.RETURNED}
    window = timedelta(seconds=kit.limits.undo_window)
    return found.decided_at + window if said and found.decided_at is not None else None


class Said(NamedTuple):
    """A step with its unit, who spoke, and by whose right."""

    id: UUID
    request_id: UUID
    duty: str
    decision: str | None
    at: datetime | None
    reason: bytes | None
    is_above: bool | None
    unit_id: UUID
    name: str
    code: str
    by: UUID | None
    by_name: bytes | None
    until_on: date | None
    lent_by: UUID | None
    lent_name: bytes | None


@by_number
def said_in(count: int) -> Question[Said]:
    """The steps of so many requests in their order."""
    lender = aliased(Account)
    return Question(
        Said,
        select(
            *(getattr(RequestStep, name) for name in Said._fields[:8]),
            *(Unit.name, Unit.code, RequestStep.by, Account.full_name.label("by_name")),
            *(Appointment.until_on, lender.id.label("lent_by"), lender.full_name.label("lent_name")),
        )
        .join(Unit, Unit.id == RequestStep.unit_id)
        .outerjoin(Account, Account.id == RequestStep.by)
        .outerjoin(Appointment, Appointment.id == RequestStep.delegation_id)
        .outerjoin(lender, lender.id == Appointment.by)
        .where(one_of("request", count, RequestStep.request_id))
        .order_by(RequestStep.position),
    )


async def steps_view(tx: AsyncSession, kit: Kit, request_ids: Sequence[UUID]) -> dict[UUID, list[StepView]]:
    """Every step of some requests, with the reason and the name of who spoke."""
    found: dict[UUID, list[StepView]] = {request_id: [] for request_id in request_ids}
    for step in await said_in(len(found)).all(tx, **listed("request", found)) if found else ():
        found[step.request_id].append(
            StepView(
                step.duty,
                step.name,
                step.unit_id,
                step.code,
                step.decision,
                _name(kit, step.by, step.by_name),
                step.at,
                kit.keys.open("request_steps.reason", step.id, step.reason) if step.reason else None,
                _name(kit, step.lent_by, step.lent_name),
                step.until_on,
                bool(step.is_above),
            )
        )
    return found


def awaited(steps: Sequence[RequestStep]) -> list[StepView]:
    """The same where nobody has said a word yet; the steps have their units."""
    return [
        StepView(step.duty, step.unit.name, step.unit_id, step.unit.code, None, None, None, None)
        for step in steps
    ]


def _name(kit: Kit, somebody: UUID | None, sealed: bytes | None) -> str | None:
    return kit.keys.open("accounts.full_name", somebody, sealed) if somebody and sealed else None


async def _own_requests(
    tx: AsyncSession, kit: Kit, found: Sequence[RoleRequest], reader: UUID, now: datetime
) -> list[OwnRequest]:
    ids = [one.id for one in found]
    changed = await changes.corrections_of(tx, kit, found)
    about = {one.account_id: await rows.account_of(tx, one.account_id) for one in found}
    unvouched = [one.id for one in found if await vouching.why_not_approve(tx, one, about[one.account_id])]
    steps = await steps_view(tx, kit, ids)
    sync = await states.states_for_requests(tx, ids, now)
    by_id = {one.unit_id: await rows.unit_of(tx, one.unit_id) for one in found}
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
            on_hold=_on_hold(
                one, frozen=about[one.account_id].frozen_at is not None, unvouched=one.id in unvouched
            ),
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
