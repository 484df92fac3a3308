"""A returned request comes back corrected: who may do it, what falls with it, and what it said before (R01).

What was said about the earlier wish was not said about this one: every unit is asked again, and the note of whoever
began it goes. What it said is kept sealed, so that the next reader sees old and new side by side.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.ways_in import assurance
from backend.db import new_id
from backend.errors import FieldError, FieldsInvalid, Refusal
from backend.facts import RequestResubmitted
from backend.kit import Kit
from backend.roles import (
    cancelling,
    carried,
    forms,
    movements,
    policy,
    requests,
    review,
    rights,
    rows,
    starting,
    vouching,
)
from backend.roles import draft as drafts
from backend.roles.carried import How
from backend.roles.changes import wish_of
from backend.roles.draft import Checked
from backend.roles.models import RequestChange, RequestStep, Role, RoleRequest
from backend.roles.movements import Kind, Movement
from backend.roles.views import Return
from backend.roles.wish import Draft


class By(msgspec.Struct, frozen=True):
    """Who corrects: the person in a session of theirs, or a manager of a unit concerned."""

    account_id: UUID
    level: int
    authenticated_at: datetime
    session_id: UUID | None = None  # of the person's own phone


async def resubmit(
    tx: AsyncSession,
    kit: Kit,
    request_id: UUID,
    draft: Draft,
    *,
    by: By,
    now: datetime,
    note: str | None = None,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """A returned request comes back corrected, a granted one until its day (R15); every step is asked again.

    The person corrects what the person asked for; a manager of a unit concerned what a manager began, and that
    manager's word counts at once. Whoever else tries is returned as a refusal (`settle` it after the commit).
    """
    wanted = draft.entry  # what is no movement at all is said before anything is looked for
    await rows.tree_stands(tx)
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return requests.refused(tx, kit, policy.RequestNotFound(), request_id, by.account_id, now)
    account = await rows.account_locked(tx, found.account_id)
    steps = await rows.steps_of(tx, request_id)
    if refusal := await rights.why_not_take_over(tx, kit, found, steps, by.account_id, now=now, hold=True):
        return requests.refused(tx, kit, refusal, request_id, by.account_id, now)
    role, own = await _role_of(tx, found, wanted, draft.role_id, now), found.account_id == by.account_id
    weak = None if own else assurance.why_not_about_others(by.level, by.authenticated_at, now=now)
    if refusal := weak or (await vouching.why_not_ask(tx, draft, account, role) if own else None):
        raise refusal
    refusal, duties = await _own_duties(tx, kit, found, role, draft, by, now)
    if refusal is not None:
        return requests.refused(tx, kit, refusal, request_id, by.account_id, now)
    if found.status == policy.APPROVED:
        await cancelling.unplan(tx, kit, found, now=now)
    checked = await drafts.check(tx, kit, draft, account_id=found.account_id, role=role, now=now)
    sure = not own or account.vneid_at is not None
    if refusal := policy.why_not_assured(level=by.level, floor=checked.floor, sure=sure):
        raise refusal
    await _rewrite(tx, kit, found, checked, role, by=by, note=note, now=now)
    if duties:
        await carried.weigh(tx, kit, found, duties, how, by=by.account_id)
        await review.say_own(tx, kit, found, duties, by=by.account_id, now=now)
    return found


async def _rewrite(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    checked: Checked,
    role: Role | None,
    *,
    by: By,
    note: str | None,
    now: datetime,
) -> None:
    """It says the new wish, what it said is kept, and every unit is asked again."""
    tx.add(_change(kit, found, by.account_id, now, await _returns(tx, kit, found)))
    values: dict[str, Any] = requests.content_of(kit, found.id, checked) | _what_falls(kit, found, by, note)
    await rows.move(tx, found, to=policy.PENDING, decided_at=None, decided_by=None, **values)
    await tx.execute(delete(RequestStep).where(RequestStep.request_id == found.id))
    await requests.add_steps(tx, kit, found, role, now=now)
    said = RequestResubmitted(subject=found.account_id, request=found.id)
    kit.journal.record(tx, said, by=by.account_id, now=now)
    await tx.flush()


async def kind_of(tx: AsyncSession, request_id: UUID) -> Kind:
    """What is corrected: a correction is of the same kind."""
    found = await tx.scalar(select(RoleRequest.kind).where(RoleRequest.id == request_id))
    kind: Kind = msgspec.convert(found or "amend", Kind)
    return kind


async def _own_duties(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    role: Role | None,
    draft: Draft,
    by: By,
    now: datetime,
) -> tuple[Refusal | None, frozenset[str]]:
    """The words that a correcting manager says, as whoever begins a move does; none of the person."""
    if found.account_id == by.account_id or not movements.of(found).by_managers or role is None:
        return None, frozenset()
    return await starting.own_duties(tx, kit, role, draft, by.account_id, now)


def _what_falls(kit: Kit, found: RoleRequest, by: By, note: str | None) -> dict[str, object]:
    """What was said about the earlier wish, and what is said with this one."""
    return {
        "note": kit.keys.seal("role_requests.note", found.id, forms.reason(note)) if note else None,
        "kept_by": None,
        "kept_reason": None,
        "session_id": by.session_id if found.account_id == by.account_id else None,
    }


async def _role_of(
    tx: AsyncSession, found: RoleRequest, wanted: Movement, role_id: UUID | None, now: datetime
) -> Role | None:
    """The role that the request is about, if the request still stands as it was returned or planned."""
    if found.status != policy.RETURNED and not cancelling.is_to_come(found, now):
        raise policy.NotReturned(request_status=found.status)
    role = await rows.role_now(tx, found.role_id)
    if role is not None and role.state != policy.ACTIVE:
        raise policy.RoleMoved
    if wanted != movements.of(found) or role_id not in {None, found.role_id}:
        raise FieldsInvalid(
            FieldError("kind", "immutable", "Không thể đổi loại yêu cầu hoặc vai trò khi sửa")
        )
    return role


async def _returns(tx: AsyncSession, kit: Kit, found: RoleRequest) -> list[Return]:
    """The words that are about to fall, which say why it is corrected."""
    return [
        Return(step.unit.name, step.at, kit.keys.open("request_steps.reason", step.id, step.reason))
        for step in await rows.steps_of(tx, found.id)
        if step.decision == policy.RETURNED and step.at and step.reason
    ]


def _change(kit: Kit, found: RoleRequest, by: UUID, now: datetime, returned: list[Return]) -> RequestChange:
    change_id = new_id()
    wish = msgspec.structs.replace(wish_of(kit, found), returned=returned)
    text = msgspec.json.encode(wish).decode()
    return RequestChange(
        id=change_id,
        request_id=found.id,
        by=by,
        at=now,
        before=kit.keys.seal("request_changes.before", change_id, text),
    )
