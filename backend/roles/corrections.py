"""A returned request comes back corrected: who may do it, what falls with it, and what it said before (R01).

What was said about the earlier wish was not said about this one: every unit is asked again, and the note of whoever
began it goes. What it said is kept sealed, so that the next reader sees old and new side by side.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.ways_in import assurance
from backend.db import new_id
from backend.errors import FieldError, FieldsInvalid, Refusal
from backend.facts import RequestResubmitted
from backend.kit import Kit
from backend.roles import carried, forms, movements, policy, requests, rights, rows, vouching
from backend.roles import draft as drafts
from backend.roles.carried import How
from backend.roles.changes import wish_of
from backend.roles.draft import Draft
from backend.roles.models import RequestChange, RequestStep, Role, RoleRequest


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
    """A returned request comes back corrected; every step is asked again.

    The person corrects what the person asked for; a manager of a unit concerned what a manager began, and that
    manager's word counts at once. Whoever else tries is returned as a refusal (`settle` it after the commit).
    """
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return requests.refused(tx, kit, policy.RequestNotFound(), request_id, by.account_id, now)
    account = await rows.account_locked(tx, found.account_id)
    steps = await rows.steps_of(tx, request_id)
    if refusal := await rights.why_not_take_over(tx, kit, found, steps, by.account_id, hold=True):
        return requests.refused(tx, kit, refusal, request_id, by.account_id, now)
    role, own = await _role_of(tx, found, draft), found.account_id == by.account_id
    stale = None if own else assurance.stale(by.authenticated_at, now=now)
    if refusal := stale or (await vouching.why_not_ask(tx, draft, account, role) if own else None):
        raise refusal
    refusal, duty = await _own_duty(tx, kit, found, role, draft, by)
    if refusal is not None:
        return requests.refused(tx, kit, refusal, request_id, by.account_id, now)
    checked = await drafts.check(tx, kit, draft, account_id=found.account_id, role=role, now=now)
    if refusal := policy.why_not_assured(level=by.level, floor=checked.floor):
        raise refusal
    tx.add(_change(kit, found, by.account_id, now))
    values = requests.content_of(kit, found.id, checked) | _what_falls(kit, found, by, note)
    await rows.move(tx, found, to=policy.PENDING, decided_at=None, decided_by=None, **values)
    await tx.execute(delete(RequestStep).where(RequestStep.request_id == found.id))
    await requests.add_steps(tx, kit, found, role)
    said = RequestResubmitted(subject=found.account_id, request=found.id)
    kit.journal.record(tx, said, by=by.account_id, now=now)
    if duty is not None:
        await carried.weigh(tx, kit, found, {duty}, how, by=by.account_id)
        await requests.count_own_word(tx, kit, found, duty, by.account_id, now)
    await tx.flush()
    return found


async def _own_duty(
    tx: AsyncSession, kit: Kit, found: RoleRequest, role: Role | None, draft: Draft, by: By
) -> tuple[Refusal | None, str | None]:
    """The duty that a correcting manager fulfils, as whoever begins a move does; none for the person."""
    if found.account_id == by.account_id or not movements.of(found).by_managers or role is None:
        return None, None
    return await requests.starting_duty(tx, kit, role, draft.unit or "", by.account_id)


def _what_falls(kit: Kit, found: RoleRequest, by: By, note: str | None) -> dict[str, object]:
    """What was said about the earlier wish, and what is said with this one."""
    return {
        "note": kit.keys.seal("role_requests.note", found.id, forms.reason(note)) if note else None,
        "kept_by": None,
        "kept_reason": None,
        "session_id": by.session_id if found.account_id == by.account_id else None,
    }


async def _role_of(tx: AsyncSession, found: RoleRequest, draft: Draft) -> Role | None:
    """The role that the request is about, if the request still stands as it was returned."""
    if found.status != policy.RETURNED:
        raise policy.NotReturned(status=found.status)
    role = await rows.role_now(tx, found.role_id)
    if role is not None and role.state != policy.ACTIVE:
        raise policy.RoleMoved
    if draft.kind != found.kind or draft.role_id not in {None, found.role_id}:
        raise FieldsInvalid(
            FieldError("kind", "immutable", "Không thể đổi loại yêu cầu hoặc vai trò khi sửa")
        )
    return role


def _change(kit: Kit, found: RoleRequest, by: UUID, now: datetime) -> RequestChange:
    change_id = new_id()
    text = msgspec.json.encode(wish_of(kit, found)).decode()
    return RequestChange(
        id=change_id,
        request_id=found.id,
        by=by,
        at=now,
        before=kit.keys.seal("request_changes.before", change_id, text),
    )
