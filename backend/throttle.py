"""How often something may be done, in rolling windows, whatever process or restart (rule 209).

A budget is one row: the moments of its last uses. It is locked, cut to its window,
counted and extended in the caller's transaction. Keys are keyed hashes, never numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import LargeBinary, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.crypto import KeyRing
from backend.db import Base, UtcDateTime, insert_into
from backend.errors import TooMany
from backend.retention import Life


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
        budgets = {key: await _locked(tx, key, now) for key in sorted(windows)}
        waits = {key: _wait(_stamps(budget), windows[key], now) for key, budget in budgets.items()}
        if (longest := max((waits[key] for key in windows if key not in optional), default=0)) > 0:
            raise refusal(retry_after=longest)
        used = [key for key in budgets if waits[key] <= 0]
        for key in used:
            _use(budgets[key], windows[key], now)
        return used

    async def left(
        self, tx: AsyncSession, what: str, who: str, windows: list[Window], *, now: datetime
    ) -> int:
        """How many uses remain in the tightest window."""
        budget = await tx.get(Budget, self.key(what, who))
        stamps = _stamps(budget) if budget else []
        return min(w.count - sum(s > now.timestamp() - w.seconds for s in stamps) for w in windows)

    async def forget(self, tx: AsyncSession, names: list[tuple[str, str]]) -> None:
        """Give whole budgets back: each is a `what` and a `who`.

        The rows stay, because somebody may be waiting for one, and are locked in the order of `spend`.
        """
        for key in sorted(self.key(*name) for name in names):
            await tx.execute(update(Budget).where(Budget.key == key).values(stamps=_text([])))


async def refund(tx: AsyncSession, keys: list[bytes], *, now: datetime) -> None:
    """Take the newest use of each budget back: what was to be counted did not happen."""
    for key in sorted(keys):
        budget = await _locked(tx, key, now)
        budget.stamps = _text(_stamps(budget)[:-1])


async def _locked(tx: AsyncSession, key: bytes, now: datetime) -> Budget:
    made = insert_into(tx, Budget).values(key=key, stamps="[]", stale_at=now).on_conflict_do_nothing()
    query = (
        select(Budget).where(Budget.key == key).with_for_update().execution_options(populate_existing=True)
    )
    while True:
        await tx.execute(made)
        if (budget := (await tx.execute(query)).scalar_one_or_none()) is not None:
            return budget  # else a sweep has just taken what was over


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


def _use(budget: Budget, windows: list[Window], now: datetime) -> None:
    longest = max((window.seconds for window in windows), default=0)
    kept = [stamp for stamp in _stamps(budget) if stamp > now.timestamp() - longest]
    budget.stamps = _text([*kept, now.timestamp()]) if windows else "[]"
    budget.stale_at = max(budget.stale_at, now + timedelta(seconds=longest))


def _stamps(budget: Budget) -> list[float]:
    return msgspec.json.decode(budget.stamps, type=list[float])


def _text(stamps: list[float]) -> str:
    return msgspec.json.encode(stamps).decode()
