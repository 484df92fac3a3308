"""What leaves a review by itself, and when it is over (rule 642)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import ReviewClosed
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import policy
from backend.roles.confirming.models import ENDED, LEFT, WAITING, WAITS, Review, ReviewedRole
from backend.roles.models import Role, RoleRequest

AT_ONCE = 500
BY_WORD = ("ended", "separated")  # why a role ended that a manager ended; everything else went elsewhere
REST = timedelta(minutes=1)  # beyond the seconds in which a word is taken back
QUIET = {"synchronize_session": False}


def gone() -> ColumnElement[bool]:
    """Of a role: it is no longer held."""
    return Role.state.in_((policy.ENDED, policy.UNDONE))


async def settle(tx: AsyncSession, kit: Kit, *, now: datetime) -> None:
    """Roles that have ended otherwise, for so long that nobody takes it back, wait for no word any more."""
    for_good = Role.ended_at <= now - REST - timedelta(seconds=kit.limits.undo_window)
    query = (
        select(ReviewedRole.id, Role.end_reason, Role.ended_at, RoleRequest.decided_by)
        .join(Role, Role.id == ReviewedRole.role_id)
        .outerjoin(RoleRequest, RoleRequest.id == Role.ended_by_request)
        .where(WAITS, gone(), or_(Role.ended_at.is_(None), for_good))
        .limit(AT_ONCE)
    )
    for row in (await tx.execute(query)).all():
        state = ENDED if row.end_reason in BY_WORD else LEFT
        values = {"state": state, "at": row.ended_at or now, "by": row.decided_by}
        waits = (ReviewedRole.id == row.id, ReviewedRole.state == WAITING)
        await tx.execute(update(ReviewedRole).where(*waits).values(**values).execution_options(**QUIET))


async def close(tx: AsyncSession, kit: Kit, review_id: UUID, *, now: datetime) -> bool:
    """The review is over when nothing of it waits; what is suspended when the others have ended has left it."""
    review = (await tx.scalars(select(Review).where(Review.id == review_id).with_for_update())).one()
    ours = (ReviewedRole.review_id == review_id, ReviewedRole.state == WAITING)
    held = select(ReviewedRole.id).join(Role, Role.id == ReviewedRole.role_id).where(*ours)
    is_over = local_day(now) > review.due_on + timedelta(days=kit.limits.review_grace_days)
    open_ = or_(Role.state == policy.ACTIVE, gone()) if is_over else and_(True)
    if review.closed_at is not None or await tx.scalar(held.where(open_).limit(1)) is not None:
        return False
    left = update(ReviewedRole).where(*ours).values(state=LEFT, at=now)
    await tx.execute(left.execution_options(**QUIET))
    review.closed_at = now
    counted = select(ReviewedRole.state, func.count()).where(ReviewedRole.review_id == review_id)
    counts = {row[0]: row[1] for row in await tx.execute(counted.group_by(ReviewedRole.state))}
    fact = ReviewClosed(review=review.id, unit=review.unit_id, counts=counts)
    kit.journal.record(tx, fact, by=None, now=now)
    return True
