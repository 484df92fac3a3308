"""Every try to get in, for the person's own eyes: device, coarse place, method, result (source 001, III).

It is behaviour, so it is sensitive (rule 903): read by its owner alone, and forgotten after
`history_days`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Access
from backend.db import new_id
from backend.limits import Limits
from backend.statements import Act

MOST = 50
Position = tuple[datetime, UUID]  # in the list: newest first, and of two at once the later written


class Line(NamedTuple):
    """One try; `place` is a province or nothing, never an address."""

    id: UUID
    account_id: UUID
    at: datetime
    method: str
    result: str
    device: str | None
    place: str | None
    session_id: UUID | None


WRITE = Act(insert(Access))


def remember(
    tx: AsyncSession,
    account_id: UUID,
    *,
    method: str,
    good: bool,
    device: str | None,
    place: str | None,
    now: datetime,
    session_id: UUID | None = None,
) -> None:
    """Add one line to the account's access history."""
    result = "success" if good else "failure"
    line = Line(new_id(), account_id, now, method, result, device, place, session_id)
    tx.add(Access(**line._asdict()))


async def let_in(
    tx: AsyncSession,
    account_id: UUID,
    *,
    method: str,
    device: str,
    place: str | None,
    now: datetime,
    session_id: UUID,
) -> None:
    """The same of somebody who has come in, by a statement."""
    line = Line(new_id(), account_id, now, method, "success", device, place, session_id)
    await WRITE.run(tx, **line._asdict())


async def newest(
    tx: AsyncSession,
    limits: Limits,
    account_id: UUID,
    *,
    now: datetime,
    after: Position | None = None,
    most: int | None = MOST,
) -> list[Access]:
    """The account's tries, newest first, at most `most`; `after` is the last one of the page before."""
    query = select(Access).where(
        Access.account_id == account_id, Access.at >= now - timedelta(days=limits.history_days)
    )
    if after is not None:
        at, line = after
        query = query.where((Access.at < at) | ((Access.at == at) & (Access.id < line)))
    found = await tx.scalars(query.order_by(Access.at.desc(), Access.id.desc()).limit(most))
    return list(found)
