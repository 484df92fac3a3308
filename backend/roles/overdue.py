"""A word that has not been said in time: the unit above may say it as well, and everybody hears of it (rule 626).

The last day of a step is written when it begins to wait. Whoever could decide can still: nothing is taken away.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BindParameter, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import StepOverdue
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import calling, deciding, policy, rows
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.support import notices
from backend.trouble import of_one

AT_ONCE = 50


def late(today: date | BindParameter[date]) -> Select[UUID]:
    """The requests with a step whose last day has passed, and of which nobody has heard yet."""
    return select(RequestStep.request_id).where(
        RequestStep.decider_id.is_not(None), RequestStep.overdue_at.is_(None), RequestStep.due_on < today
    )


async def roll(tx: AsyncSession, kit: Kit, *, now: datetime, but: Collection[UUID] = ()) -> int:
    """Ask the units above; how many steps. What somebody decides right now is left for the next round.

    Raises OfOne where it fails with one person; those of `but` are left.
    """
    today = local_day(now)
    query = select(RoleRequest).where(RoleRequest.id.in_(late(today)), RoleRequest.status == policy.PENDING)
    query = (
        query.where(RoleRequest.account_id.not_in(but))
        .order_by(RoleRequest.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = (await tx.scalars(query.execution_options(**rows.FRESH))).all()
    if not found:
        return 0
    await deciding.hold(tx, leaning=True)
    steps = 0
    for one in found:
        with of_one(one.account_id):
            steps += await _ask_above(tx, kit, one, today, now)
    return steps


async def _ask_above(tx: AsyncSession, kit: Kit, found: RoleRequest, today: date, now: datetime) -> int:
    waiting = [step for step in await rows.steps_of(tx, found.id) if step.decider_id and not step.overdue_at]
    over = [step for step in waiting if step.due_on is not None and step.due_on < today]
    for step in over:
        step.overdue_at = now
    await tx.flush()
    await deciding.place(tx, kit, found)  # the unit above stands on it from now
    for step in over:
        fact = StepOverdue(subject=found.account_id, request=found.id, unit=step.unit_id, duty=step.duty)
        kit.journal.record(tx, fact, by=None, now=now)
        await _tell(tx, kit, found, step, now)
    return len(over)


async def _tell(tx: AsyncSession, kit: Kit, found: RoleRequest, step: RequestStep, now: datetime) -> None:
    """The applicant, those who have not spoken, and those who may as well from now."""
    above = await tx.get(Unit, step.above_id) if step.above_id else None
    said = {"unit": step.unit.name, "day": f"{step.due_on:%d/%m/%Y}"} | (
        {"above": above.name} if above else {"what": "nobody_above"}
    )
    notices.tell(tx, kit, found.account_id, "request_overdue", now=now, due=None, about=found.id, **said)
    deciders = await calling.managers_of(tx, kit, (step.decider_id, step.above_id), now=now)
    for account_id in sorted(deciders - {found.account_id}):
        notices.tell(tx, kit, account_id, "step_overdue", now=now, due=None, about=found.id, **said)
    paths = [step.unit.path, *([above.path] if above else [])]
    rows.tell_pages(tx, paths)
