"""Asking for a role: made, and taken back (rule 611). Corrections: corrections.py; what managers begin: starting.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import called
from backend.accounts.identity.evidence import SURE
from backend.accounts.ways_in import assurance
from backend.db import new_id
from backend.devices.sessions import AccountClosed
from backend.errors import FieldError, FieldsInvalid, KeyReused, Refusal
from backend.facts import AccessRefused, RequestWithdrawn, RoleRequested
from backend.kit import Kit
from backend.roles import (
    calling,
    cancelling,
    deciding,
    heard,
    holding,
    movements,
    policy,
    rights,
    rows,
    vouching,
)
from backend.roles import draft as drafts
from backend.roles.catalogue.in_force import in_force
from backend.roles.draft import Checked
from backend.roles.models import RequestStep, Role, RoleRequest
from backend.roles.movements import Fate
from backend.roles.wish import Draft
from backend.statements import Question, given, listed, one_of


class Waiting(NamedTuple):
    """A request that nobody has decided."""

    id: UUID


WAITING = Question(  # one at most: an index holds that
    Waiting,
    select(RoleRequest.id)
    .where(
        RoleRequest.account_id == given("account", RoleRequest.account_id),
        one_of("status", len(policy.OPEN), RoleRequest.status),
    )
    .limit(1),
)


async def create(
    tx: AsyncSession,
    kit: Kit,
    draft: Draft,
    *,
    by: UUID,
    now: datetime,
    level: int,
    key: str | None = None,
    session: UUID | None = None,
) -> RoleRequest:
    """The person's own request, made in `session`. The same `key` with the same body gives the same request again."""
    account = await rows.account_locked(tx, by)
    if account.status != "active":
        raise AccountClosed  # erased while this call was under way
    if account.vouched_by == "post_office":
        raise policy.PostOfficeNotForStaff
    if account.kind != "citizen":
        raise policy.PeopleOnly
    if key is not None and (earlier := await _earlier(tx, draft, by, key)):
        return earlier
    role = await _role_meant(tx, draft, by)
    if refusal := await vouching.why_not_ask(tx, draft, account, role):
        raise policy.why_not_assured(level=level, floor=SURE, sure=False) or refusal
    checked = await drafts.check(tx, kit, draft, account_id=by, role=role, now=now)
    if refusal := policy.why_not_assured(level=level, floor=checked.floor, sure=account.vneid_at is not None):
        raise refusal
    await ensure_may_begin(tx, by, role, checked)
    origin: dict[str, object] = {"session_id": session}
    if key is not None:
        origin |= {"idempotency_key": key, "idempotency_print": drafts.print_of(draft)}
    return await add(tx, kit, checked, account_id=by, role=role, by=by, now=now, origin=origin)


async def withdraw(
    tx: AsyncSession,
    kit: Kit,
    request_id: UUID,
    *,
    by: UUID,
    level: int,
    authenticated_at: datetime,
    now: datetime,
) -> RoleRequest | Refusal:
    """Whoever made a request takes it back while nobody has decided it, and once granted until its day (R15).

    What a manager began and another returned, any manager of a unit concerned may take back: whoever began it may
    manage nothing by now; that is about another's role, and wants a sign-in of the day (raises InsufficientAssurance).
    A stranger's try is returned as a refusal (`settle` it after the commit).
    """
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return refused(tx, kit, policy.RequestNotFound(), request_id, by, now)
    await rows.account_locked(tx, found.account_id)
    steps = await rows.steps_of(tx, request_id)
    if refusal := await rights.why_not_take_over(tx, kit, found, steps, by, now=now, hold=True):
        return refused(tx, kit, refusal, request_id, by, now)
    weak = assurance.why_not_about_others(level, authenticated_at, now=now)
    if weak is not None and found.account_id != by:
        raise weak
    if cancelling.is_to_come(found, now):
        await cancelling.cancel(tx, kit, found, by=by, now=now)
        return found
    if found.status not in policy.OPEN:
        raise policy.AlreadyDecided(**rows.last_word(found))
    if found.status == policy.PENDING and found.created_by != by:
        raise policy.NotYourRequest
    await rows.move(tx, found, to=policy.WITHDRAWN, **rows.stamp(now, by=by))
    kit.journal.record(tx, RequestWithdrawn(subject=found.account_id, request=found.id), by=by, now=now)
    return found


async def _earlier(tx: AsyncSession, draft: Draft, by: UUID, key: str) -> RoleRequest | None:
    earlier: RoleRequest | None = await tx.scalar(
        select(RoleRequest).where(RoleRequest.created_by == by, RoleRequest.idempotency_key == key)
    )
    if earlier is not None and earlier.idempotency_print != drafts.print_of(draft):
        raise KeyReused
    return earlier


async def _role_meant(tx: AsyncSession, draft: Draft, account_id: UUID) -> Role | None:
    """The role that is to be corrected, moved or ended: the person's own, in force."""
    if draft.entry.fate is Fate.NONE:
        if draft.role_id is not None:
            raise FieldsInvalid(
                FieldError("role_id", "not_for_register", "Đăng ký mới không kèm vai trò đã có")
            )
        return None
    if draft.role_id is None:
        role = await rows.home_role(tx, account_id, policy.ACTIVE)
    else:
        role = await rows.role_now(tx, draft.role_id)
    if role is None or role.account_id != account_id or role.state != policy.ACTIVE:
        raise policy.RoleNotFound
    return role


async def ensure_may_begin(tx: AsyncSession, account_id: UUID, role: Role | None, checked: Checked) -> None:
    """Raises what stands in the way: another request, a role, a change that waits, posts that do not go together."""
    move = checked.movement
    waits = await open_of(tx, account_id)
    has_home = await rows.home_role(tx, account_id, *policy.HELD) is not None
    if refusal := policy.why_not_begin(first=role is None, is_open=waits, has_home=has_home):
        raise refusal
    if role is not None and role.stands_on is not None and move.moves:
        raise policy.NotByItself
    if role is not None and await tx.scalar(select(exists().where(*waiting_on(role.id)).label("waiting"))):
        raise policy.RoleChanging
    await holding.ensure(tx, await in_force(tx), account_id, role, move, checked.position)


async def open_of(tx: AsyncSession, account_id: UUID) -> UUID | None:
    """What the person wants, or others want for the person, and nobody has decided."""
    found = await WAITING.maybe(tx, account=account_id, **listed("status", policy.OPEN))
    return found.id if found is not None else None


def waiting_on(role_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The conditions of approved requests about a role whose day has not come."""
    return (
        RoleRequest.role_id == role_id,
        RoleRequest.status == policy.APPROVED,
        RoleRequest.applied_at.is_(None),
    )


async def add(
    tx: AsyncSession,
    kit: Kit,
    checked: Checked,
    *,
    account_id: UUID,
    role: Role | None,
    by: UUID,
    now: datetime,
    origin: Mapping[str, object] = MappingProxyType({}),
) -> RoleRequest:
    """The request's row with its steps; `origin` is what is remembered of the call that made it."""
    request_id = new_id()
    found = RoleRequest(
        id=request_id,
        account_id=account_id,
        created_by=by,
        kind=checked.movement.kind,
        movement=checked.movement.code,
        status=policy.PENDING,
        version=1,
        role_id=role.id if role else None,
        created_at=now,
        **content_of(kit, request_id, checked),
        **origin,
    )
    await rows.NEW_REQUEST.add(tx, found)
    await add_steps(tx, kit, found, role, now=now)
    kit.journal.record(
        tx, RoleRequested(subject=account_id, request=request_id, kind=checked.movement.kind), by=by, now=now
    )
    return found


async def add_steps(
    tx: AsyncSession, kit: Kit, found: RoleRequest, role: Role | None, *, now: datetime
) -> None:
    """The words that the movement wants: one unit's, or the old unit's release and the new unit's acceptance."""
    words = movements.of(found).words
    ours = role.unit_id if role is not None else found.unit_id
    units = [await rows.unit_of(tx, ours if word.ours else found.unit_id) for word in words]
    waits = found.status == policy.PENDING
    decider = await deciding.by_unit(tx, kit, units, about=found.account_id) if waits else {}
    for position, (word, unit) in enumerate(zip(words, units, strict=True), start=1):
        step = RequestStep(
            id=new_id(), request_id=found.id, position=position, unit_id=unit.id, duty=word.duty
        )
        if waits:
            step.decider_id, step.due_on = (decider[unit.id].nearest, deciding.last_day(kit, now))
        await rows.NEW_STEP.add(tx, step)
    if waits:
        await calling.call(tx, kit, found, (decider[unit.id].nearest for unit in units), now=now)
        heard.tell_undecided(
            tx, kit, found, [unit for unit in units if decider[unit.id].nearest is None], now=now
        )
    await called.make_findable(tx, kit, [found.account_id])
    rows.tell_pages(tx, [unit.path for unit in units])


def content_of(kit: Kit, request_id: UUID, checked: Checked) -> dict[str, object]:
    """The columns that say what is wished for."""
    return {
        "unit_id": checked.unit_id,
        "subject_type": checked.subject_type,
        "position": checked.position,
        "fields": drafts.seal_fields(kit, "role_requests.fields", request_id, checked.fields),
        "effective_on": checked.effective_on,
        "until_on": checked.until_on,
        "keeps": msgspec.json.encode(checked.keeps).decode() if checked.keeps else None,
    }


def refused(tx: AsyncSession, kit: Kit, refusal: Refusal, target: UUID, by: UUID, now: datetime) -> Refusal:
    """Remember that somebody tried what they may not, and hand the refusal on."""
    kit.journal.record(tx, AccessRefused(reason=refusal.code, target=target), by=by, now=now)
    return refusal
