"""Who hears of a review: the managers at its start and before its last day, then twice they and whom it concerns."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import calling
from backend.roles.confirming import standing
from backend.roles.confirming.models import Review, ReviewedRole
from backend.roles.confirming.standing import Asked
from backend.roles.models import Unit
from backend.support import notices
from backend.support.models import Notice

STARTED, REMINDED = "review_started", "review_reminder"
FIRST, SECOND = "review_unconfirmed", "review_last_call"  # to the managers
OWN_FIRST, OWN_SECOND = "role_unconfirmed", "role_last_call"  # to whose role it is


async def managers(
    tx: AsyncSession, kit: Kit, review: Review, kind: str, *, now: datetime, last: date | None = None
) -> set[UUID]:
    """Tell everybody whose word is still missing, once of each kind; the deciding units that somebody has heard for."""
    asked = await standing.read(tx, standing.waiting(ReviewedRole.review_id == review.id))
    placed = await standing.deciders(tx, asked, on=None)
    unit, heard = (await tx.get_one(Unit, review.unit_id)).name, set[UUID]()
    for decider, count in Counter(placed.values()).items():
        if decider is None:
            continue
        about = {one.account_id for one in asked if placed[one.id] == decider}
        for account_id in sorted(await calling.managers_of(tx, kit, [decider], now=now)):
            if about == {account_id}:
                continue  # the own role, which another manager of that unit confirms
            heard.add(decider)
            if not await _has_heard(tx, account_id, kind, review.id, now):
                said = {"unit": unit, "count": str(count), "day": f"{review.due_on:%d/%m/%Y}"}
                said |= {"last": f"{last:%d/%m/%Y}"} if last else {}
                notices.tell(tx, kit, account_id, kind, now=now, due=None, about=review.id, **said)
    return heard


async def own(
    tx: AsyncSession, kit: Kit, review: Review, one: Asked, kind: str, *, now: datetime, last: date
) -> None:
    """Tell whose role it is."""
    unit = (await tx.get_one(Unit, one.unit_id)).name
    said = {"unit": unit, "day": f"{review.due_on:%d/%m/%Y}", "last": f"{last:%d/%m/%Y}"}
    notices.tell(tx, kit, one.account_id, kind, now=now, due=None, about=review.id, **said)


def last_day(kit: Kit, review: Review, *, more: int, now: datetime) -> date:
    """The earliest last day of an unconfirmed role, with so many announcements' rest to come."""
    rest = timedelta(days=more * kit.limits.review_notice_days)
    return max(review.due_on + timedelta(days=kit.limits.review_grace_days), local_day(now) + rest)


async def _has_heard(tx: AsyncSession, account_id: UUID, kind: str, review_id: UUID, now: datetime) -> bool:
    """What was told by a clock that was ahead does not count."""
    told = select(Notice.id).where(
        Notice.account_id == account_id, Notice.kind == kind, Notice.about == review_id, Notice.at <= now
    )
    return await tx.scalar(told.limit(1)) is not None
