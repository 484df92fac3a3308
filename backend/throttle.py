"""How often something may be done, in rolling windows, whatever process or restart (rule 209).

A budget is one row: the moments of its last uses. All that one act spends are locked by one statement and written by
another, each cut to its window, counted and extended, in the caller's transaction. Keys are keyed hashes, never
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.crypto import KeyRing
from backend.db import Base, UtcDateTime
from backend.errors import TooMany
from backend.retention import Life
from backend.statements import Act, Question, by_number, given, numbered, rows_of


class Window(msgspec.Struct, frozen=True):
    """At most `count` uses in any `seconds`; a count of 0 means that nobody counts."""

    count: int
    seconds: int


Want = tuple[str, str, list[Window]]  # what, who, and how often


class Budget(Base):
    """The recent uses of one thing by one somebody."""

    __tablename__ = "throttle_budgets"
    retention = Life("stale_at", timedelta(0))  # by then every window has passed

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    stamps: Mapped[str] = mapped_column(Text)
    stale_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Spent(NamedTuple):
    """A budget as it stands."""

    key: bytes
    stamps: str
    stale_at: datetime


class Stamps(NamedTuple):
    """Its uses alone."""

    stamps: str


@by_number
def _holding(count: int) -> Question[Spent]:
    """Make so many budgets where they are new, and lock each in the order that it is given in."""

    def clause(insert: Callable[[Any], Any]) -> Any:
        new = insert(Budget).values(rows_of(count, *COLUMNS))
        held = new.on_conflict_do_update(index_elements=["key"], set_={"stamps": Budget.stamps})
        return held.returning(*COLUMNS)

    return Question(Spent, clause)


@by_number
def _keeping(count: int) -> Act:
    """Write so many budgets, all of them held."""

    def clause(insert: Callable[[Any], Any]) -> Any:
        new = insert(Budget).values(rows_of(count, *COLUMNS))
        told = {"stamps": new.excluded.stamps, "stale_at": new.excluded.stale_at}
        return new.on_conflict_do_update(index_elements=["key"], set_=told)

    return Act(clause)


COLUMNS = (Budget.key, Budget.stamps, Budget.stale_at)
LOOK = Question(Stamps, select(Budget.stamps).where(Budget.key == given("budget", Budget.key)))


class Throttle:
    """Spends budgets; `what` and `who` name one, and only their keyed hash is stored."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def key(self, what: str, who: str) -> bytes:
        """The stored name of a budget."""
        return self._keys.mac("throttle", f"{what}|{who}".encode())

    async def spend(
        self,
        tx: AsyncSession,
        wants: list[Want],
        *,
        now: datetime,
        refusal: type[TooMany] = TooMany,
        if_room: Sequence[Want] = (),
    ) -> list[bytes]:
        """Use every budget of `wants` once, or none of them and raise `refusal` with Retry-After.

        Those of `if_room` refuse nothing. Returns the stored names of what was used, for `refund`. Rows are locked
        in one order, so two spenders never wait for each other: whatever one act spends belongs in one call.
        """
        windows = {self.key(what, who): _counted(found) for what, who, found in [*wants, *if_room]}
        optional = {self.key(what, who) for what, who, _ in if_room}
        held = await _held(tx, windows, now)
        waits = {key: _wait(_stamps(budget.stamps), windows[key], now) for key, budget in held.items()}
        if (longest := max((waits[key] for key in windows if key not in optional), default=0)) > 0:
            raise refusal(retry_after=longest)
        used = [key for key in held if waits[key] <= 0]
        await _keep(tx, [_used(held[key], windows[key], now) for key in used])
        return used

    async def left(
        self, tx: AsyncSession, what: str, who: str, windows: list[Window], *, now: datetime
    ) -> int:
        """How many uses remain in the tightest window."""
        found = await LOOK.maybe(tx, budget=self.key(what, who))
        stamps = _stamps(found.stamps) if found else []
        return min(w.count - sum(s > now.timestamp() - w.seconds for s in stamps) for w in windows)

    async def forget(self, tx: AsyncSession, names: list[tuple[str, str]]) -> None:
        """Give whole budgets back: each is a `what` and a `who`.

        The rows stay, because somebody may be waiting for one, and are locked in the order of `spend`.
        """
        for key in sorted(self.key(*name) for name in names):
            await tx.execute(update(Budget).where(Budget.key == key).values(stamps=_text([])))


async def refund(tx: AsyncSession, keys: list[bytes], *, now: datetime) -> None:
    """Take the newest use of each budget back: what was to be counted did not happen."""
    held = await _held(tx, keys, now)
    await _keep(tx, [one._replace(stamps=_text(_stamps(one.stamps)[:-1])) for one in held.values()])


async def _held(tx: AsyncSession, keys: Iterable[bytes], now: datetime) -> dict[bytes, Spent]:
    """The budgets, locked in one order."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    new = numbered({"key": key, "stamps": "[]", "stale_at": now} for key in wanted)
    found = {one.key: one for one in await _holding(len(wanted)).all(tx, **new)}
    return {key: found[key] for key in wanted}


async def _keep(tx: AsyncSession, budgets: list[Spent]) -> None:
    if budgets:
        await _keeping(len(budgets)).run(tx, **numbered(one._asdict() for one in budgets))


def _counted(windows: list[Window]) -> list[Window]:
    return [window for window in windows if window.count > 0]


def _wait(stamps: list[float], windows: list[Window], now: datetime) -> int:
    """Seconds until every window has room again; 0 when there is room."""
    wait = 0.0
    for window in windows:
        recent = [stamp for stamp in stamps if stamp > now.timestamp() - window.seconds]
        if len(recent) >= window.count:
            wait = max(wait, recent[-window.count] + window.seconds - now.timestamp())
    return math.ceil(wait)


def _used(budget: Spent, windows: list[Window], now: datetime) -> Spent:
    """The budget with one use more."""
    longest = max((window.seconds for window in windows), default=0)
    kept = [stamp for stamp in _stamps(budget.stamps) if stamp > now.timestamp() - longest]
    return budget._replace(
        stamps=_text([*kept, now.timestamp()]) if windows else "[]",
        stale_at=max(budget.stale_at, now + timedelta(seconds=longest)),
    )


def _stamps(text: str) -> list[float]:
    return msgspec.json.decode(text, type=list[float])


def _text(stamps: list[float]) -> str:
    return msgspec.json.encode(stamps).decode()
