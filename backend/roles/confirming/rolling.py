"""What the worker does for reviews: reminds, announces twice, and ends what nobody has confirmed (rule 642).

Nothing ends because of a clock alone. An end wants both announcements, made when the manager and whose role it is could
hear them, and between the first, the second and the end as many days that the product has lived through
(lived.py). An announcement that was made by a clock which was ahead is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import Database, changed_one
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import policy, rows, timeline
from backend.roles.confirming import closing, lived, standing, telling
from backend.roles.confirming.models import ENDED, UNCONFIRMED, WAITING, Review, ReviewedRole
from backend.roles.confirming.standing import Asked
from backend.trouble import OfOne, apart, of_one

AT_ONCE = 50  # roles in one transaction
log = structlog.get_logger("reviews")


class Moment(NamedTuple):
    """Now, by the wall and by what was lived through."""

    now: datetime
    lived: int


class Stage(NamedTuple):
    """One announcement: its words to managers and to whose role it is, and how many rests come after it."""

    to_managers: str
    to_own: str
    rests: int


FIRST = Stage(telling.FIRST, telling.OWN_FIRST, 2)
SECOND = Stage(telling.SECOND, telling.OWN_SECOND, 1)


async def sweep(db: Database, kit: Kit, *, now: datetime) -> int:
    """Everything that is due, in short transactions; how many roles ended. Without an open review nothing happens."""
    async with db.read() as tx:
        if await tx.scalar(select(Review.id).where(Review.closed_at.is_(None)).limit(1)) is None:
            return 0
    async with db.write() as tx:
        at = Moment(now, await lived.count(tx, kit, now=now))
        await closing.settle(tx, kit, now=now)
    async with db.read() as tx:
        reviews = (await tx.scalars(select(Review).where(Review.closed_at.is_(None)))).all()
    ended = 0
    for review in reviews:
        with apart("review", review.id):
            await _remind(db, kit, review, at)
            await _announce(db, kit, review, FIRST, _to_announce_first(review, at), at)
            await _announce(db, kit, review, SECOND, _to_announce_again(kit, review, at), at)
        with apart("review", review.id):
            ended += await _end(db, kit, review, at)
            async with db.write() as tx:
                await closing.close(tx, kit, review.id, now=now)
    return ended


async def _remind(db: Database, kit: Kit, review: Review, at: Moment) -> None:
    first = review.due_on - timedelta(days=kit.limits.review_notice_days)
    if not first <= local_day(at.now) <= review.due_on or (
        review.reminded_at and review.reminded_at <= at.now
    ):
        return
    async with db.write() as tx:
        await telling.managers(tx, kit, review, telling.REMINDED, now=at.now)
        await tx.execute(update(Review).where(Review.id == review.id).values(reminded_at=at.now))


def _to_announce_first(review: Review, at: Moment) -> ColumnElement[bool] | None:
    if local_day(at.now) <= review.due_on:
        return None
    return or_(ReviewedRole.first_at.is_(None), ReviewedRole.first_at > at.now)


def _to_announce_again(kit: Kit, review: Review, at: Moment) -> ColumnElement[bool] | None:
    rest = kit.limits.review_notice_days
    if local_day(at.now) <= review.due_on + timedelta(days=rest):
        return None
    return and_(
        ReviewedRole.first_at <= at.now,
        ReviewedRole.first_lived <= at.lived - lived.days(rest),
        or_(ReviewedRole.second_at.is_(None), ReviewedRole.second_at > at.now),
    )


def _to_end(kit: Kit, review: Review, at: Moment) -> ColumnElement[bool] | None:
    if local_day(at.now) <= review.due_on + timedelta(days=kit.limits.review_grace_days):
        return None
    return and_(
        ReviewedRole.first_at <= at.now,
        ReviewedRole.second_at <= at.now,
        ReviewedRole.second_lived <= at.lived - lived.days(kit.limits.review_notice_days),
    )


async def _announce(
    db: Database, kit: Kit, review: Review, stage: Stage, where: ColumnElement[bool] | None, at: Moment
) -> None:
    """To the managers first; a role whose deciders nobody can tell is not announced, and so does not end."""
    asked = await _asked(db, review, where)
    if not asked:
        return
    last = telling.last_day(kit, review, more=stage.rests, now=at.now)
    async with db.write() as tx:
        heard = await telling.managers(tx, kit, review, stage.to_managers, now=at.now, last=last)
        placed = await standing.deciders(tx, asked, on=None)
    reached = [one for one in asked if placed[one.id] in heard]
    for start in range(0, len(reached), AT_ONCE):
        async with db.write() as tx:
            for one in reached[start : start + AT_ONCE]:
                if await _stamped(tx, one.id, stage, at):
                    await telling.own(tx, kit, review, one, stage.to_own, now=at.now, last=last)


async def _stamped(tx: AsyncSession, row_id: UUID, stage: Stage, at: Moment) -> bool:
    """Written down with the notice itself, unless somebody has said the word meanwhile."""
    values: dict[str, datetime | int | None] = {"second_at": at.now, "second_lived": at.lived}
    if stage is FIRST:
        values = {"first_at": at.now, "first_lived": at.lived, "second_at": None, "second_lived": None}
    made = update(ReviewedRole).where(ReviewedRole.id == row_id, ReviewedRole.state == WAITING)
    stamped = made.values(**values).returning(ReviewedRole.id)
    return await tx.scalar(stamped.execution_options(synchronize_session=False)) is not None


async def _end(db: Database, kit: Kit, review: Review, at: Moment) -> int:
    """Each in a transaction of its own: one that cannot end holds nobody back."""
    ended = 0
    for one in await _asked(db, review, _to_end(kit, review, at)):
        try:
            with of_one(one.account_id):
                async with db.write() as tx:
                    ended += await _ended(tx, kit, one, now=at.now)
        except OfOne:
            log.exception("role_not_ended", role=str(one.role_id))
    return ended


async def _ended(tx: AsyncSession, kit: Kit, one: Asked, *, now: datetime) -> bool:
    """The role is over with what it carries, unless somebody has confirmed or changed it meanwhile (rule 605).

    Never waits: whom another transaction holds is left for the next round.
    """
    if not await rows.tree_stands(tx, wait=False):
        return False
    query = select(Account.id).where(Account.id == one.account_id)
    if await tx.scalar(query.with_for_update(key_share=True, skip_locked=True)) is None:
        return False
    role = await rows.role_now(tx, one.role_id)
    if role is None or role.state != policy.ACTIVE:
        return False
    waits = (ReviewedRole.id == one.id, ReviewedRole.role_id == role.id, ReviewedRole.state == WAITING)
    if not await changed_one(tx, update(ReviewedRole).where(*waits).values(state=ENDED, at=now)):
        return False
    await timeline.run_down(tx, kit, role, UNCONFIRMED, now=now)
    return True


async def _asked(db: Database, review: Review, where: ColumnElement[bool] | None) -> Sequence[Asked]:
    if where is None:
        return []
    async with db.read() as tx:
        return await standing.read(tx, standing.waiting(ReviewedRole.review_id == review.id, where))
