"""How often something happened in all, minute by minute: for counts too long to keep moment by moment.

`backend.throttle` remembers each moment, which is exact and right for a person's ten codes a day; twenty thousand
of a province are counted here. A window reaches back over whole minutes, so it is never shorter than it says.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, LargeBinary, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, insert_into
from backend.retention import Life
from backend.throttle import Window

SLOT = 60  # seconds
KEPT = timedelta(days=2)  # no window reaches back further


class Tally(Base):
    """How often one thing happened in one minute; `slot` counts minutes of Unix time."""

    __tablename__ = "tallies"
    retention = Life("slot", KEPT, each=SLOT)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    count: Mapped[int]


async def add(tx: AsyncSession, key: bytes, windows: list[Window], *, now: datetime, count: int = 1) -> int:
    """Count one more; the seconds to wait when that is more than a window holds, else 0.

    With a `count` of 0 nothing is counted, with the same work and the same answer.

    Whoever is told to wait rolls back. The minute's row stays locked to the end of the transaction, so at once
    no more get through than there is room for: call it last.
    """
    slot = int(now.timestamp()) // SLOT
    row = insert_into(tx, Tally).values(key=key, slot=slot, count=count)
    await tx.execute(
        row.on_conflict_do_update(index_elements=["key", "slot"], set_={"count": Tally.count + count})
    )
    oldest = slot - max(window.seconds for window in windows) // SLOT
    query = select(Tally.slot, Tally.count).where(Tally.key == key, Tally.slot >= oldest)
    counts = [(minute, found) for minute, found in await tx.execute(query)]
    counts.append((slot, 1 - count))
    return max(_wait(counts, window, now) for window in windows)


async def counted(tx: AsyncSession, key: bytes, seconds: int, *, now: datetime) -> int:
    """How many there were in the last `seconds`."""
    oldest = int(now.timestamp()) // SLOT - seconds // SLOT
    query = select(func.coalesce(func.sum(Tally.count), 0)).where(Tally.key == key, Tally.slot >= oldest)
    return int(await tx.scalar(query) or 0)


def _wait(counts: list[tuple[int, int]], window: Window, now: datetime) -> int:
    oldest = int(now.timestamp()) // SLOT - window.seconds // SLOT
    within = sorted((slot, count) for slot, count in counts if slot >= oldest)
    over = sum(count for _, count in within) - window.count
    for slot, count in within:
        if over <= 0:
            break
        over -= count
        if over <= 0:  # there is room again when this minute has left the window
            return (slot + 1) * SLOT + window.seconds - int(now.timestamp())
    return 0
