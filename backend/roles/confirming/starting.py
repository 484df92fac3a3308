"""A review begins: every role that is in force in a unit now waits for a word until a day (rule 642)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id, one_after_another
from backend.errors import Conflict, FieldError, FieldsInvalid
from backend.facts import ReviewStarted
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import draft as drafts
from backend.roles import policy, rows
from backend.roles.confirming import telling
from backend.roles.confirming.models import WAITING, WAITS, Review, ReviewedRole
from backend.roles.managers import UnitNotFound
from backend.roles.models import Role, Unit

CHUNK = 500
STARTING = "reviews"


class ReviewOpen(Conflict):
    """A review of this unit is not over yet; `unit` is its code, `due_on` its last day."""

    code = "review_open"
    title = "Đơn vị đang có một đợt rà soát chưa kết thúc"


class Started(NamedTuple):
    """One review, and how many roles are in it."""

    id: UUID
    unit_code: str
    roles: int


async def start(
    tx: AsyncSession, kit: Kit, codes: Sequence[str], due_on: date, *, by: UUID | None, now: datetime
) -> list[Started]:
    """One review for each unit, and its managers hear of it; raises UnitNotFound, ReviewOpen, FieldsInvalid."""
    today = local_day(now)
    if not today < due_on <= today + timedelta(days=kit.limits.schedule_ahead_days):
        raise FieldsInvalid(
            FieldError("due", "not_possible", "Hạn xác nhận phải sau hôm nay, trong vòng một năm")
        )
    await rows.tree_stands(tx)
    await one_after_another(tx, STARTING)
    return [
        await _start(tx, kit, await _unit(tx, code, today), due_on, by, now) for code in dict.fromkeys(codes)
    ]


async def _unit(tx: AsyncSession, code: str, today: date) -> Unit:
    unit = await drafts.find_unit(tx, code)
    if unit is None:
        raise UnitNotFound(unit=code)
    if unit.ended_on is not None and unit.ended_on <= today:
        raise policy.UnitClosed(unit=code)
    return unit


async def _start(
    tx: AsyncSession, kit: Kit, unit: Unit, due_on: date, by: UUID | None, now: datetime
) -> Started:
    is_open = select(Review).where(Review.unit_id == unit.id, Review.closed_at.is_(None))
    if (other := await tx.scalar(is_open)) is not None:
        raise ReviewOpen(unit=unit.code, due_on=other.due_on.isoformat())
    review = Review(id=new_id(), unit_id=unit.id, due_on=due_on, started_at=now)
    tx.add(review)
    await tx.flush()
    waits = select(ReviewedRole.id).where(ReviewedRole.role_id == Role.id, WAITS)  # taken along by a merger
    held = select(Role.id).where(Role.unit_id == unit.id, Role.state == policy.ACTIVE, ~waits.exists())
    written = [
        {"id": new_id(), "review_id": review.id, "role_id": role, "unit_id": unit.id, "state": WAITING}
        for role in await tx.scalars(held.order_by(Role.id))
    ]
    for first in range(0, len(written), CHUNK):
        await tx.execute(insert(ReviewedRole), written[first : first + CHUNK])
    fact = ReviewStarted(review=review.id, unit=unit.id, due_on=due_on, roles=len(written))
    kit.journal.record(tx, fact, by=by, now=now)
    await telling.managers(tx, kit, review, telling.STARTED, now=now)
    return Started(review.id, unit.code, len(written))
