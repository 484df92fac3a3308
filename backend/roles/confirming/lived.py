"""How long the product has really run, in milliseconds: what no jump of a clock makes longer, also over restarts.

Wall clocks jump, and a process knows its own clock only while it lives. So whoever works off what is due adds, again
and again, what has passed by both: the smaller of the two. Time in which nothing ran does not count.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, insert_into
from backend.kit import Kit
from backend.retention import Stays

MILLISECOND = timedelta(milliseconds=1)
ONLY = 1  # there is one row


class LivedTime(Base):
    """The sum, and the moment up to which it was counted."""

    __tablename__ = "lived_time"
    retention = Stays("one row, by which announcements are told apart")

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    milliseconds: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


async def count(tx: AsyncSession, kit: Kit, *, now: datetime) -> int:
    """Add what has passed since the last call of any process, and say how much it is in all."""
    passed = kit.lives.since_last("lived")
    first = insert_into(tx, LivedTime).values(id=ONLY, milliseconds=0, at=now)
    await tx.execute(first.on_conflict_do_nothing())
    query = select(LivedTime).where(LivedTime.id == ONLY).with_for_update()
    row = (await tx.scalars(query.execution_options(populate_existing=True))).one()
    row.milliseconds += max(timedelta(0), min(passed, now - row.at)) // MILLISECOND
    row.at = now
    await tx.flush()
    return row.milliseconds


def days(number: int) -> int:
    """So many days in the same measure."""
    return timedelta(days=number) // MILLISECOND
