"""A manager's word: yes, no, correct this, and never mind (rules 610, 611, 612, 613, 614, 615, 616).

A refusal that has to be remembered (not yours to see, not yours to decide) is returned, so
that the journal keeps it: `settle` it after the commit.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.errors import Conflict, Refusal
from backend.facts import DecisionUndone, RequestDecided, StepDecided
from backend.figures import counted, lasted
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import (
    authority,
    carried,
    comparing,
    deciding,
    ground,
    heard,
    holding,
    movements,
    policy,
    reasons,
    reversal,
    rights,
    rows,
    second,
    texting,
    timeline,
    vouching,
)
from backend.roles.carried import How
from backend.roles.catalogue.in_force import hold_catalogue
from backend.roles.models import RequestStep, RoleRequest
from backend.roles.policy import Standing
from backend.roles.requests import refused
from backend.support import notices


async def approve(
    tx: AsyncSession,
    kit: Kit,
    request_id: UUID,
    *,
    version: int | None,
    by: UUID,
    now: datetime,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """Say yes for every duty that is the manager's; the last yes makes it true."""
    return await decide(tx, kit, request_id, policy.APPROVED, version=version, by=by, now=now, how=how)


async def reject(
    tx: AsyncSession, kit: Kit, request_id: UUID, reason: str, *, version: int | None, by: UUID, now: datetime
) -> RoleRequest | Refusal:
    """Say no, with a reason; either unit's no is the end of a transfer."""
    return await decide(tx, kit, request_id, policy.REJECTED, reason, version=version, by=by, now=now)


async def send_back(
    tx: AsyncSession, kit: Kit, request_id: UUID, reason: str, *, version: int | None, by: UUID, now: datetime
) -> RoleRequest | Refusal:
    """Return for correction, with a reason."""
    return await decide(tx, kit, request_id, policy.RETURNED, reason, version=version, by=by, now=now)


async def say_own(
    tx: AsyncSession, kit: Kit, found: RoleRequest, duties: AbstractSet[str], *, by: UUID, now: datetime
) -> None:
    """The words of whoever begins or corrects it for somebody; with the last one it is approved."""
    steps = await rows.steps_of(tx, found.id)
    mine = [step for step in steps if step.duty in duties]
    await say(tx, kit, found, mine, policy.APPROVED, None, by, now)
    if len(mine) == len(steps) and not await second.ask(tx, kit, found, steps, by, now):
        account = await rows.account_locked(tx, found.account_id)
        if refusal := await vouching.why_not_approve(tx, found, account):
            raise refusal
        if account.frozen_at is not None:
            raise policy.ApplicantFrozen
        await _settle_request(tx, kit, found, policy.APPROVED, by, now)
    await tx.flush()


async def undo(
    tx: AsyncSession, kit: Kit, request_id: UUID, *, by: UUID, now: datetime
) -> RoleRequest | Refusal:
    """Take one's own word back within the undo window, with everything that it did (rule 702)."""
    await rows.tree_stands(tx)
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return refused(tx, kit, policy.RequestNotFound(), request_id, by, now)
    await rows.account_locked(tx, found.account_id)
    steps = await rows.steps_of(tx, request_id)
    who = await authority.of(tx, kit, by, now=now, hold=True)
    standing = await rights.standing(tx, kit, found, steps, who)
    if refusal := policy.why_not_see(standing):
        return refused(tx, kit, refusal, request_id, by, now)
    mine = [step for step in steps if step.by == by and step.at is not None]
    since = now - timedelta(seconds=kit.limits.undo_window)
    last = max((step.at for step in mine if step.at is not None), default=None)
    if last is None or last <= since or found.status == policy.WITHDRAWN or not movements.of(found).is_held:
        raise policy.UndoTooLate
    if found.status != policy.PENDING:
        await _reopen(tx, kit, found, by, now)
    await notices.take_back(tx, found.id, now=now)
    await deciding.hold(tx, leaning=True)
    await _unsay(tx, [step for step in mine if step.at == last])
    await second.unask(tx, found.id)
    await deciding.place(tx, kit, found, now=now)
    if found.kept_by == by:
        found.kept_by = found.kept_reason = None  # it was part of the word
    figured(tx, found, "undone", now)
    kit.journal.record(tx, DecisionUndone(subject=found.account_id, request=found.id), by=by, now=now)
    await tx.flush()
    return found


async def decide(
    tx: AsyncSession,
    kit: Kit,
    request_id: UUID,
    decision: str,
    reason: str = "",
    *,
    version: int | None,
    by: UUID,
    now: datetime,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """Any of the three words, of which a yes wants no reason."""
    why = reasons.for_a_no(reason) if decision != policy.APPROVED else None
    await rows.tree_stands(tx)
    found = await rows.request_locked(tx, request_id)
    if found is None:
        return refused(tx, kit, policy.RequestNotFound(), request_id, by, now)
    account, steps, managers, held = await ground.gathered(tx, kit, found, by=by, today=local_day(now))
    who = await authority.of(tx, kit, by, now=now, hold=True)
    standing = await rights.standing(tx, kit, found, steps, who, managers)
    if refusal := policy.why_not_decide(standing, status=found.status, decided=rows.last_word(found)):
        if isinstance(refusal, Conflict):
            raise refusal
        return refused(tx, kit, refusal, request_id, by, now)
    if refusal := _why_stale(found, version) or await second.why_not(tx, kit, steps, standing, who, now):
        raise refusal
    mine = [step for step in steps if step.duty in standing.duties]
    if decision == policy.APPROVED:
        await _ensure_yes(tx, kit, found, account, how)
        if await carried.weigh(tx, kit, found, standing.duties, how, by=by):
            await deciding.hold(tx)
    await say(tx, kit, found, mine, decision, why, by, now, stands=standing)
    if decision != policy.APPROVED or await _is_last(tx, kit, found, mine, steps, by, now):
        await _settle_request(tx, kit, found, decision, by, now, held=held)
    else:
        heard.tell_word(tx, kit, found, mine, steps, now)
    await tx.flush()
    return found


def _why_stale(found: RoleRequest, version: int | None) -> Refusal | None:
    """The page shows an older version of it (rule 614)."""
    stale = version is not None and version != found.version
    return policy.VersionConflict(version=found.version) if stale else None


async def _is_last(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    said: list[RequestStep],
    steps: list[RequestStep],
    by: UUID,
    now: datetime,
) -> bool:
    """Whether nobody else has to say yes; a second person, where one is wanted, is asked now."""
    last = all(step in said or step.decision for step in steps)
    return last and not await second.ask(tx, kit, found, steps, by, now)


async def _ensure_yes(tx: AsyncSession, kit: Kit, found: RoleRequest, account: Account, how: How) -> None:
    """Raises what stands in the way of a yes alone: nobody vouches, posts that do not go together, one of many."""
    catalogue = await hold_catalogue(tx)
    if unvouched := await vouching.why_not_approve(tx, found, account):
        raise unvouched
    role = await rows.role_now(tx, found.role_id)
    await holding.ensure(tx, catalogue, account.id, role, movements.of(found), found.position)
    if how.many and await second.is_wanted(tx, found):
        raise second.NotInBulk
    if how.many and await comparing.risks(tx, kit, [(found, account, role)]):
        raise comparing.WantsALook


def figured(tx: AsyncSession, found: RoleRequest, outcome: str, now: datetime) -> None:
    """Count a request that is over or given back, and how long it had waited."""
    counted(tx, "ngomon_decisions", found.kind, outcome)
    if outcome != "undone":
        lasted(tx, "ngomon_decision_age_seconds", found.created_at, now)


async def _settle_request(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    decision: str,
    by: UUID,
    now: datetime,
    *,
    held: list[rows.Place] | None = None,
) -> None:
    applied = None
    if decision == policy.APPROVED and timeline.is_at_once(found, now):
        applied = rows.Applied(now, (await rows.account_of(tx, found.account_id)).role_version + 1)
    await rows.move(tx, found, to=decision, applied=applied, **rows.stamp(now, by=by))
    texting.owe(tx, kit, found, now)
    kit.journal.record(
        tx, RequestDecided(subject=found.account_id, request=found.id, outcome=decision), by=by, now=now
    )
    figured(tx, found, decision, now)
    if decision == policy.APPROVED:
        await timeline.take_effect(tx, kit, found, by=by, now=now, held=held)
    if found.applied_at is None:  # otherwise the change of the role is told
        notices.tell(
            tx,
            kit,
            found.account_id,
            "request_decided",
            now=now,
            due=now + timedelta(seconds=kit.limits.undo_window),
            about=found.id,
            unit=(await rows.unit_of(tx, found.unit_id)).name,
            outcome=decision,
        )


async def say(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    steps: list[RequestStep],
    decision: str,
    why: str | None,
    by: UUID,
    now: datetime,
    *,
    stands: Standing | None = None,
) -> None:
    """Write the word at each step, and in which capacity it is said; a step takes one word."""
    lent, above = (stands.lent, stands.above) if stands else ({}, frozenset[str]())
    for step in steps:
        sealed = kit.keys.seal("request_steps.reason", step.id, why) if why else None
        how = {"delegation_id": lent.get(step.duty), "is_above": step.duty in above or None}
        if not await rows.SAY.touched(
            tx, step=step.id, word=decision, speaker=by, said_at=now, why=sealed, **how
        ):
            raise policy.AlreadyDecided(**rows.last_word(found))
        word = StepDecided(
            subject=found.account_id,
            request=found.id,
            duty=step.duty,
            unit=step.unit_id,
            decision=decision,
            delegation=lent.get(step.duty),
            above=step.duty in above,
        )
        kit.journal.record(tx, word, by=by, now=now)
    rows.tell_pages(tx, [step.unit.path for step in steps])


async def _unsay(tx: AsyncSession, steps: list[RequestStep]) -> None:
    await tx.execute(
        update(RequestStep)
        .where(RequestStep.id.in_([step.id for step in steps]))
        .values(decision=None, by=None, delegation_id=None, is_above=None, at=None, reason=None)
        .execution_options(synchronize_session=False)
    )
    rows.tell_pages(tx, [step.unit.path for step in steps])


async def _reopen(tx: AsyncSession, kit: Kit, found: RoleRequest, by: UUID, now: datetime) -> None:
    """The request waits again, unless the person has asked for something else since."""
    newer = exists().where(
        RoleRequest.account_id == found.account_id,
        RoleRequest.id != found.id,
        RoleRequest.status.in_(policy.OPEN),
    )
    overdue = found.decided_at is None or found.decided_at <= now - timedelta(seconds=kit.limits.undo_window)
    if found.decided_by != by or overdue or await tx.scalar(select(newer.label("newer"))):
        raise policy.UndoTooLate
    if found.status == policy.APPROVED:
        await reversal.revert(tx, kit, found, now=now)
    await rows.move(tx, found, to=policy.PENDING, decided_at=None, decided_by=None)
