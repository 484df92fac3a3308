"""Asking for a role: made, taken back; or moved by a manager (rules 611, 612). Corrections: corrections.py."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.evidence import SURE
from backend.db import new_id
from backend.devices.sessions import AccountClosed
from backend.errors import FieldError, FieldsInvalid, Invalid, Refusal
from backend.facts import AccessRefused, RequestWithdrawn, RoleRequested, StepDecided
from backend.kit import Kit
from backend.roles import authority, carried, deciding, forms, movements, policy, rights, rows, vouching
from backend.roles import draft as drafts
from backend.roles.carried import How
from backend.roles.draft import Checked, Draft
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.movements import Fate


class IdempotencyKeyReused(Invalid):
    """The same key came with another body."""

    code = "idempotency_key_reused"
    title = "Khóa Idempotency-Key đã được dùng cho một yêu cầu khác"


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
        raise policy.why_not_assured(level=level, floor=SURE) or refusal
    checked = await drafts.check(tx, kit, draft, account_id=by, role=role, now=now)
    if refusal := policy.why_not_assured(level=level, floor=checked.floor):
        raise refusal
    await _ensure_may_begin(tx, by, role)
    found = await _add(tx, kit, checked, account_id=by, role=role, by=by, now=now)
    found.session_id = session
    if key is not None:
        found.idempotency_key, found.idempotency_print = key, drafts.print_of(draft)
    await tx.flush()
    return found


async def withdraw(
    tx: AsyncSession, kit: Kit, request_id: UUID, *, by: UUID, now: datetime
) -> RoleRequest | Refusal:
    """Whoever made a request takes it back while nobody has decided it.

    What a manager began and another returned, any manager of a unit concerned may take back: whoever began it may
    manage nothing by now. A stranger's try is returned as a refusal (`settle` it after the commit).
    """
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return refused(tx, kit, policy.RequestNotFound(), request_id, by, now)
    await rows.account_locked(tx, found.account_id)
    steps = await rows.steps_of(tx, request_id)
    if refusal := await rights.why_not_take_over(tx, kit, found, steps, by, hold=True):
        return refused(tx, kit, refusal, request_id, by, now)
    if found.status not in policy.OPEN:
        raise policy.AlreadyDecided(**rows.last_word(found))
    if found.status == policy.PENDING and found.created_by != by:
        raise policy.NotYourRequest
    await rows.move(tx, found, to=policy.WITHDRAWN, **rows.stamp(now, by=by))
    kit.journal.record(tx, RequestWithdrawn(subject=found.account_id, request=found.id), by=by, now=now)
    return found


async def start_transfer(
    tx: AsyncSession,
    kit: Kit,
    role_id: UUID,
    to_unit: str,
    *,
    by: UUID,
    now: datetime,
    position: str | None = None,
    subject_type: str | None = None,
    effective_on: date | None = None,
    note: str | None = None,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """A manager moves somebody: their own unit's word counts at once, the other unit is asked.

    A refusal that has to be remembered is returned (`settle` it after the commit).
    """
    role = await rows.role_now(tx, role_id)
    if role is None:
        return refused(tx, kit, policy.RoleNotFound(), role_id, by, now)
    await rows.account_locked(tx, role.account_id)
    role = await rows.role_now(tx, role_id)
    if role is None or role.state != policy.ACTIVE:
        raise policy.RoleMoved
    draft = Draft(
        kind="transfer",
        unit=to_unit,
        position=position,
        subject_type=subject_type,
        effective_on=effective_on,
    )
    refusal, duty = await starting_duty(tx, kit, role, to_unit, by)
    if refusal is not None:
        return refused(tx, kit, refusal, role_id, by, now)
    checked = await drafts.check(tx, kit, draft, account_id=role.account_id, role=role, now=now)
    await _ensure_may_begin(tx, role.account_id, role)
    found = await _add(tx, kit, checked, account_id=role.account_id, role=role, by=by, now=now)
    if note:
        found.note = kit.keys.seal("role_requests.note", found.id, forms.reason(note))
    await carried.weigh(tx, kit, found, {duty}, how, by=by)
    await count_own_word(tx, kit, found, duty, by, now)
    return found


async def starting_duty(
    tx: AsyncSession, kit: Kit, role: Role, to_unit: str, by: UUID
) -> tuple[Refusal | None, str]:
    """The duty that a starting manager fulfils: releasing if it is theirs, else receiving."""
    who = await authority.of(tx, kit, by, hold=True)
    here, target = await tx.get_one(Unit, role.unit_id), await drafts.find_unit(tx, to_unit)
    both = [here, *([target] if target else [])]
    decider = await rights.deciding_units(tx, kit, both, about=role.account_id)
    duties = {policy.RELEASE} if who.decides(decider[here.id]) else set()
    if target and who.decides(decider[target.id]):
        duties.add(policy.RECEIVE)
    refusal = policy.why_not_start_transfer(is_subject=role.account_id == by, duties=duties)
    if isinstance(refusal, policy.NotYourUnit) and not who.reaches(here.path):
        refusal = policy.RoleNotFound()
    return refusal, policy.RELEASE if policy.RELEASE in duties else policy.RECEIVE


async def count_own_word(
    tx: AsyncSession, kit: Kit, found: RoleRequest, duty: str, by: UUID, now: datetime
) -> None:
    """What a manager begins carries the word of that manager's unit."""
    await tx.flush()
    step = next(step for step in await rows.steps_of(tx, found.id) if step.duty == duty)
    step.decision, step.by, step.at, step.decider_id = policy.APPROVED, by, now, None
    word = StepDecided(
        subject=found.account_id, request=found.id, duty=duty, unit=step.unit_id, decision=policy.APPROVED
    )
    kit.journal.record(tx, word, by=by, now=now)
    await tx.flush()


async def _earlier(tx: AsyncSession, draft: Draft, by: UUID, key: str) -> RoleRequest | None:
    earlier: RoleRequest | None = await tx.scalar(
        select(RoleRequest).where(RoleRequest.created_by == by, RoleRequest.idempotency_key == key)
    )
    if earlier is not None and earlier.idempotency_print != drafts.print_of(draft):
        raise IdempotencyKeyReused
    return earlier


async def _role_meant(tx: AsyncSession, draft: Draft, account_id: UUID) -> Role | None:
    """The role that is to be corrected, moved or ended: the person's own, in force."""
    if draft.movement.fate is Fate.NONE:
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


async def _ensure_may_begin(tx: AsyncSession, account_id: UUID, role: Role | None) -> None:
    open_ones = exists().where(RoleRequest.account_id == account_id, RoleRequest.status.in_(policy.OPEN))
    has_open = bool(await tx.scalar(select(open_ones.label("open"))))
    has_home = await rows.home_role(tx, account_id, *policy.HELD) is not None
    if refusal := policy.why_not_begin(first=role is None, has_open=has_open, has_home=has_home):
        raise refusal
    if role is not None and await tx.scalar(select(exists().where(*waiting_on(role.id)).label("waiting"))):
        raise policy.RoleChanging


def waiting_on(role_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The conditions of approved requests about a role whose day has not come."""
    return (
        RoleRequest.role_id == role_id,
        RoleRequest.status == policy.APPROVED,
        RoleRequest.applied_at.is_(None),
    )


async def _add(
    tx: AsyncSession,
    kit: Kit,
    checked: Checked,
    *,
    account_id: UUID,
    role: Role | None,
    by: UUID,
    now: datetime,
) -> RoleRequest:
    request_id = new_id()
    found = RoleRequest(
        id=request_id,
        account_id=account_id,
        created_by=by,
        kind=checked.kind,
        status=policy.PENDING,
        version=1,
        role_id=role.id if role else None,
        created_at=now,
        **content_of(kit, request_id, checked),
    )
    tx.add(found)
    await tx.flush()
    await add_steps(tx, kit, found, role)
    kit.journal.record(
        tx, RoleRequested(subject=account_id, request=request_id, kind=checked.kind), by=by, now=now
    )
    return found


async def add_steps(tx: AsyncSession, kit: Kit, found: RoleRequest, role: Role | None) -> None:
    """The words that the movement wants: one unit's, or the old unit's release and the new unit's acceptance."""
    words = movements.of(found).words
    ours = role.unit_id if role is not None else found.unit_id
    units = [await tx.get_one(Unit, ours if word.ours else found.unit_id) for word in words]
    decider = await deciding.by_unit(tx, kit, units, about=found.account_id)
    for position, (word, unit) in enumerate(zip(words, units, strict=True), start=1):
        step = RequestStep(request_id=found.id, position=position, unit_id=unit.id, duty=word.duty)
        step.decider_id = decider[unit.id] if found.status == policy.PENDING else None
        tx.add(step)
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
    }


def refused(tx: AsyncSession, kit: Kit, refusal: Refusal, target: UUID, by: UUID, now: datetime) -> Refusal:
    """Remember that somebody tried what they may not, and hand the refusal on."""
    kit.journal.record(tx, AccessRefused(reason=refusal.code, target=target), by=by, now=now)
    return refusal
