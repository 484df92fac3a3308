"""How often something happened in all, minute by minute: for counts too long to keep moment by moment.

`backend.throttle` remembers each moment, which is exact and right for a person's ten codes a day; twenty thousand
of a province are counted here. A window reaches back over whole minutes, so it is never shorter than it says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, LargeBinary, cast, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base
from backend.retention import Life
from backend.statements import Act, Question, by_number, given, numbered, rows_of
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


class Sum(NamedTuple):
    """What one window holds."""

    place: int
    many: int


class Minute(NamedTuple):
    """One minute of a thing."""

    slot: int
    many: int


class Want(NamedTuple):
    """One thing to be counted, how often it may be, and how many it is now: 0 costs the same and counts nothing."""

    key: bytes
    windows: Sequence[Window]
    times: int = 1


MINUTES = Question(
    Minute,
    select(Tally.slot, Tally.count.label("many")).where(
        Tally.key == given("tally", Tally.key),
        Tally.slot.between(given("oldest", Tally.slot), given("latest", Tally.slot)),
    ),
)


@by_number
def _counting(count: int) -> Act:
    """Add to so many minutes; each stays locked to the end of the transaction."""

    def clause(insert: Callable[[Any], Any]) -> Any:
        new = insert(Tally).values(rows_of(count, Tally.key, Tally.slot, Tally.count))
        more = {"count": Tally.count + new.excluded.count}
        return new.on_conflict_do_update(index_elements=["key", "slot"], set_=more)

    return Act(clause)


@by_number
def _summing(count: int) -> Question[Sum]:
    """What so many windows hold."""
    return Question(
        Sum,
        union_all(
            *(
                select(
                    literal(at).label("place"),
                    cast(func.coalesce(func.sum(Tally.count), 0), BigInteger).label("many"),
                ).where(
                    Tally.key == given(f"key_{at}", Tally.key),
                    Tally.slot.between(given(f"slot_{at}", Tally.slot), given(f"latest_{at}", Tally.slot)),
                )
                for at in range(count)
            )
        ),
    )


async def add(tx: AsyncSession, wants: Sequence[Want], *, now: datetime) -> list[int]:
    """Count all of `wants`; for each the seconds to wait when that is more than one of its windows holds, else 0.

    Whoever is told to wait rolls back. The minutes' rows stay locked to the end of the transaction, so at once
    no more get through than there is room for: call it last, and once.
    """
    if not wants:
        return []
    slot = _slot(now)
    rows = ({"key": want.key, "slot": slot, "count": want.times} for want in wants)
    await _counting(len(wants)).run(tx, **numbered(rows))
    windows = [(want.key, window) for want in wants for window in want.windows]
    found = iter(await sums(tx, [(key, window.seconds) for key, window in windows], now=now))
    return [
        max([await _wait(tx, want, window, next(found), now) for window in want.windows], default=0)
        for want in wants
    ]


async def counted(tx: AsyncSession, key: bytes, seconds: int, *, now: datetime) -> int:
    """How many there were in the last `seconds`."""
    (found,) = await sums(tx, [(key, seconds)], now=now)
    return found


async def sums(tx: AsyncSession, windows: Sequence[tuple[bytes, int]], *, now: datetime) -> list[int]:
    """The same of several keys, each with its own seconds.

    What a clock that ran ahead wrote farther ahead than a window is long counts for nothing: no year is closed by it.
    """
    if not windows:
        return []
    asked = numbered(_bounds(key, seconds, now) for key, seconds in windows)
    found = {one.place: one.many for one in await _summing(len(windows)).all(tx, **asked)}
    return [found[at] for at in range(len(windows))]


async def _wait(tx: AsyncSession, want: Want, window: Window, found: int, now: datetime) -> int:
    """Seconds until the window has room for one: nothing while it holds what was found."""
    if found + 1 - want.times <= window.count:
        return 0
    bounds = _bounds(want.key, window.seconds, now)
    asked = {"tally": want.key, "oldest": bounds["slot"], "latest": bounds["latest"]}
    minutes = [tuple(one) for one in await MINUTES.all(tx, **asked)]
    within = sorted([*minutes, (_slot(now), 1 - want.times)])
    over = sum(count for _, count in within) - window.count
    for slot, count in within:
        if over <= 0:
            break
        over -= count
        if over <= 0:  # there is room again when this minute has left the window
            return (slot + 1) * SLOT + window.seconds - int(now.timestamp())
    return 0


def _bounds(key: bytes, seconds: int, now: datetime) -> dict[str, Any]:
    """Whose minutes, from which on, and up to which."""
    length = seconds // SLOT
    return {"key": key, "slot": _slot(now) - length, "latest": _slot(now) + length}


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SLOT
