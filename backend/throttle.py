"""How often something may be done, in rolling windows, whatever process or restart (rule 209).

A budget is one row: the moments of its last uses. All that one act spends is written behind the others by one
statement, which locks and answers them; they are counted then, and only where one had no room, or holds more than it
needs, is it written once more as it has to be, in the caller's transaction. Keys are keyed hashes, never numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, Text, case, func, literal, select, update
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
def _spending(count: int) -> Question[Spent]:
    """The same with one use more: the moments of a budget are a list, and the new one stands behind the others."""

    def clause(insert: Callable[[Any], Any]) -> Any:
        new = insert(Budget).values(rows_of(count, *COLUMNS))
        begun, use = (
            func.rtrim(Budget.stamps, "]", type_=Text),
            func.ltrim(new.excluded.stamps, "[", type_=Text),
        )
        told = {
            "stamps": case(
                (Budget.stamps == literal(EMPTY), new.excluded.stamps), else_=begun.concat(",").concat(use)
            ),
            "stale_at": case(
                (Budget.stale_at > new.excluded.stale_at, Budget.stale_at), else_=new.excluded.stale_at
            ),
        }
        return new.on_conflict_do_update(index_elements=["key"], set_=told).returning(*COLUMNS)

    return Question(Spent, clause)


@by_number
def _keeping(count: int) -> Act:
    """Write so many budgets, all of them held."""

    def clause(insert: Callable[[Any], Any]) -> Any:
        new = insert(Budget).values(rows_of(count, *COLUMNS))
        told = {"stamps": new.excluded.stamps, "stale_at": new.excluded.stale_at}
        return new.on_conflict_do_update(index_elements=["key"], set_=told)

    return Act(clause)


EMPTY, SPARE = "[]", 8  # uses that stay although no window counts them
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
        windows = {self.key(what, who): counting(found) for what, who, found in [*wants, *if_room]}
        optional = {self.key(what, who) for what, who, _ in if_room}
        held = await _extended(tx, {key: counted for key, counted in windows.items() if counted}, now)
        waits = {key: _wait(_stamps(budget.stamps), windows[key], now) for key, budget in held.items()}
        if (longest := max((wait for key, wait in waits.items() if key not in optional), default=0)) > 0:
            await _keep(tx, held.values())
            raise refusal(retry_after=longest)
        used = [key for key in sorted(windows) if waits.get(key, 0) <= 0]
        so = {key: _used(one, windows[key], now) for key, one in held.items() if waits[key] <= 0}
        unused = [one for key, one in held.items() if key not in so]
        await _keep(tx, [*unused, *(one for key, one in so.items() if not _stands(held[key], one, now))])
        return used

    async def left(
        self, tx: AsyncSession, what: str, who: str, windows: list[Window], *, now: datetime
    ) -> int:
        """How many uses remain in the tightest window."""
        found = await LOOK.maybe(tx, budget=self.key(what, who))
        stamps = _stamps(found.stamps) if found else []
        return min(w.count - len(_within(stamps, w.seconds, now)) for w in windows)

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
    new = numbered({"key": key, "stamps": EMPTY, "stale_at": now} for key in wanted)
    found = {one.key: one for one in await _holding(len(wanted)).all(tx, **new)}
    return {key: found[key] for key in wanted}


async def _extended(
    tx: AsyncSession, windows: Mapping[bytes, list[Window]], now: datetime
) -> dict[bytes, Spent]:
    """The same as they were, each with a use of now behind the others in the database."""
    wanted, use = sorted(windows), _text([now.timestamp()])
    if not wanted:
        return {}
    until = {key: now + timedelta(seconds=_longest(windows[key])) for key in wanted}
    new = numbered({"key": key, "stamps": use, "stale_at": until[key]} for key in wanted)
    found = {one.key: one for one in await _spending(len(wanted)).all(tx, **new)}
    return {key: found[key]._replace(stamps=_text(_stamps(found[key].stamps)[:-1])) for key in wanted}


def _stands(was: Spent, so: Spent, now: datetime) -> bool:
    """Whether a budget is in the database as it has to be, but for a few uses that no window counts any more."""
    there, wanted = [*_stamps(was.stamps), now.timestamp()], _stamps(so.stamps)
    return there[-len(wanted) :] == wanted and len(there) - len(wanted) <= SPARE


async def _keep(tx: AsyncSession, budgets: Iterable[Spent]) -> None:
    if wanted := list(budgets):
        await _keeping(len(wanted)).run(tx, **numbered(one._asdict() for one in wanted))


def counting(windows: list[Window]) -> list[Window]:
    """Those of some windows that count: nought switches one off."""
    return [window for window in windows if window.count > 0]


def _within(stamps: list[float], seconds: int, now: datetime) -> list[float]:
    """Those of so many seconds. One that is farther ahead than that is of a clock that ran ahead: it closes no year."""
    moment = now.timestamp()
    return [stamp for stamp in stamps if moment - seconds < stamp <= moment + seconds]


def _wait(stamps: list[float], windows: list[Window], now: datetime) -> int:
    """Seconds until every window has room again; 0 when there is room."""
    wait = 0.0
    for window in windows:
        recent = _within(stamps, window.seconds, now)
        if len(recent) >= window.count:
            wait = max(wait, recent[-window.count] + window.seconds - now.timestamp())
    return math.ceil(wait)


def _used(budget: Spent, windows: list[Window], now: datetime) -> Spent:
    """The budget with one use more."""
    kept = _within(_stamps(budget.stamps), _longest(windows), now)
    return budget._replace(stamps=_text([*kept, now.timestamp()]))


def _longest(windows: list[Window]) -> int:
    return max((window.seconds for window in windows), default=0)


def _stamps(text: str) -> list[float]:
    return msgspec.json.decode(text, type=list[float])


def _text(stamps: list[float]) -> str:
    return msgspec.json.encode(stamps).decode()
