"""How far what was decided has come: the words that phones and the workspace show (rule 601)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select, text, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend.outbox import circuit
from backend.outbox.models import TRIED, WAITING, Delivery, Link, System
from backend.outside.connectors.kinds import cannot
from backend.outside.connectors.learnt import read_learnt
from backend.paging import CursorInvalid
from backend.statements import Question, by_number, listed, one_of
from backend.words import VIETNAMESE, Spoken

State = Literal[
    "held", "pending", "delivering", "synced", "retrying", "dead", "drift", "paused", "skipped"
]  # fmt: skip
WORST_FIRST: tuple[State, ...] = (
    "dead", "drift", "paused", "retrying", "delivering", "pending", "held", "skipped", "synced",
)  # fmt: skip


FINE = {"held", "skipped"}  # as good as synced at a glance: a human said so, or a moment has to pass
FEW = 64  # requests of which it is asked first whether any system was to hear
COUNTED = 1000  # more are "more": a count of everything costs as much as everything


class Count(int, Spoken):
    """A number that was counted up to a bound: beyond it, it is written as that there are more."""

    def __str__(self) -> str:
        return self.said(VIETNAMESE)

    def __format__(self, _: str) -> str:
        return str(self)

    def said(self, lang: str) -> str:
        """As people write it in that language."""
        more = f"{COUNTED:,}+"
        written = more.replace(",", ".") if lang == VIETNAMESE else more
        return written if self > COUNTED else int.__repr__(self)


class SyncState(msgspec.Struct, frozen=True):
    """One system's word; `until` is when a held, paused or retrying delivery goes on."""

    system_id: UUID
    system: str
    state: State
    at: datetime
    error: str | None = None
    until: datetime | None = None


class SystemOverview(msgspec.Struct, frozen=True):
    """One system at a glance: how many deliveries stand in which state, and since when the oldest waits."""

    id: UUID
    name: str
    kind: str
    url: str
    unit_codes: list[str]
    disabled_at: datetime | None
    paused_until: datetime | None
    stopped: bool  # by an operator, and not by the trouble that it is in
    counts: dict[str, int]
    oldest_waiting_at: datetime | None
    last_delivered_at: datetime | None
    error: str | None
    learnt: list[str]  # what it has turned out not to do (connectors/learnt.py)

    @property
    def state(self) -> State:
        """The worst that is the case; what is merely held is as good as synced."""
        found = [state for state in WORST_FIRST if self.counts.get(state) and state not in FINE]
        if found and found[0] != "synced":
            return found[0]
        return "paused" if self.paused_until is not None else "synced"


async def states_for_requests(
    tx: AsyncSession, request_ids: Sequence[UUID], now: datetime
) -> dict[UUID, list[SyncState]]:
    """Per role request, one state per system that it concerns; what was undone is left out."""
    asked = listed("request", request_ids)
    if 0 < len(asked) <= FEW and await heard_of(len(asked)).maybe(tx, **asked) is None:  # as while they wait
        return {request_id: [] for request_id in request_ids}
    query = _rows(now).where(Delivery.request_id.in_(request_ids), Delivery.state != "cancelled")
    found: dict[UUID | None, dict[UUID, SyncState]] = defaultdict(dict)
    for row in await tx.execute(query.order_by(System.name, Delivery.version)):
        found[row[0].request_id][row[1].id] = _word(row)  # the newest version of a request speaks for it
    return {request_id: list(found[request_id].values()) for request_id in request_ids}


class Heard(NamedTuple):
    """A request of which a system was to hear."""

    request_id: UUID


@by_number
def heard_of(count: int) -> Question[Heard]:
    """Whether any system was ever to hear of one of so many requests."""
    about = one_of("request", count, Delivery.request_id)
    return Question(Heard, select(Delivery.request_id).where(about).limit(1))


async def states_for_accounts(
    tx: AsyncSession, account_ids: Sequence[UUID], now: datetime
) -> dict[UUID, list[SyncState]]:
    """Per person, one state per system: that of the newest delivery that was not taken back.

    When none is remembered any more, what the system is known to hold speaks for it.
    """
    held = select(Link, System).join(System, System.id == Link.system_id)
    held = held.where(Link.account_id.in_(account_ids), Link.state != "unknown").order_by(System.name)
    found: dict[UUID, dict[UUID, SyncState]] = {account_id: {} for account_id in account_ids}
    for link, system in await tx.execute(held):
        state: State = "drift" if link.state == "drift" else "synced"
        found[link.account_id][system.id] = SyncState(system.id, system.name, state, link.checked_at or now)
    query = _rows(now).where(Delivery.account_id.in_(account_ids), Delivery.state != "cancelled")
    for row in await tx.execute(query.order_by(System.name, Delivery.version)):
        found[row[0].account_id][row[1].id] = _word(row)
    return {account_id: list(by_system.values()) for account_id, by_system in found.items()}


async def states_for_account(tx: AsyncSession, account_id: UUID, now: datetime) -> list[SyncState]:
    """One person's state in every system."""
    return (await states_for_accounts(tx, [account_id], now))[account_id]


async def overview(
    tx: AsyncSession, now: datetime, *, only: UUID | None = None, after: str = "", most: int | None = None
) -> list[SystemOverview]:
    """Systems at a glance, or so many of them, for the workspace's page and the command; by name.

    Nothing is counted beyond `COUNTED`. Behind the system of a name; raises CursorInvalid where none has it.
    """
    query = select(System).order_by(System.name)
    if only is not None:
        query = query.where(System.id == only)
    if after:
        if await tx.scalar(select(System.id).where(System.name == after)) is None:
            raise CursorInvalid
        query = query.where(System.name > after)
    return [await _overview(tx, one, now) for one in await tx.scalars(query.limit(most))]


async def delivered_lately(tx: AsyncSession, system_id: UUID, now: datetime) -> int:
    """How many people a system was brought up to date in the last hour."""
    lately = (Link.system_id == system_id, Link.state == "synced", Link.checked_at > now - timedelta(hours=1))
    return await tx.scalar(select(func.count()).where(*lately)) or 0


async def _overview(tx: AsyncSession, system: System, now: datetime) -> SystemOverview:
    paused = circuit.next_moment(system) if circuit.is_waiting(system, now) else None
    links: dict[str, int] = {}
    for state in ("synced", "drift"):
        if count := await tx.scalar(known(system.id, state)):
            links[state] = count
    waiting: Counter[str] = Counter()
    errors: dict[str, str] = {}
    for state in ("dead", "leased", "pending"):
        for word, count, error in await tx.execute(in_state(system.id, state, now)):
            waiting[word] += count
            if error is not None:
                errors[word] = error
    known_at = [await tx.scalar(newest(system.id, state)) for state in ("synced", "drift")]
    return SystemOverview(
        id=system.id,
        name=system.name,
        kind=system.kind,
        url=system.url,
        unit_codes=msgspec.json.decode(system.unit_codes, type=list[str]),
        disabled_at=system.disabled_at,
        paused_until=paused,
        stopped=system.stopped_until is not None and system.stopped_until > now,
        counts=links | waiting,
        oldest_waiting_at=await tx.scalar(oldest(system.id, now)),
        last_delivered_at=max(filter(None, known_at), default=None),
        error=next((errors[word] for word in sorted(errors)), None),
        learnt=[*sorted(cannot(system.kind)), *read_learnt(system.learnt).words],
    )


def state_at(now: datetime) -> ColumnElement[str]:
    """The word for one delivery. One that was tried says so even while its system is paused."""
    paused = or_(System.paused_until > now, System.stopped_until > now, System.disabled_at.is_not(None))
    return case(
        (Delivery.state == "dead", "dead"),
        (Delivery.state == "skipped", "skipped"),
        (Delivery.not_before > now, "held"),
        ((Delivery.state == "leased") & (Delivery.lease_until > now), "delivering"),
        ((Delivery.state != "done") & (Delivery.attempts > 0), "retrying"),
        (Link.state == "drift", "drift"),
        # of what is "unknown" nobody has read since what is there: it waits for that
        ((Delivery.state == "done") & (Link.state != "unknown"), "synced"),
        (paused, "paused"),
        else_="pending",
    )


def _rows(now: datetime) -> Select[Delivery, System, str]:
    return (
        select(Delivery, System, state_at(now))
        .join(System, System.id == Delivery.system_id)
        .join(Link, (Link.system_id == Delivery.system_id) & (Link.account_id == Delivery.account_id))
    )


def _word(row: Row[Delivery, System, str]) -> SyncState:
    delivery, system, word = row
    state = msgspec.convert(word, State)
    until = {
        "held": delivery.not_before,
        "retrying": delivery.next_at,
        "paused": circuit.next_moment(system),
    }.get(state)
    return SyncState(system.id, system.name, state, delivery.changed_at, delivery.error, until)


def known(system_id: UUID, state: str) -> Select[int]:
    """How many people one system is known to be in that state of."""
    some = select(Link.id).where(Link.system_id == system_id, Link.state == state).limit(COUNTED + 1)
    return select(func.count()).select_from(some.subquery())


def in_state(system_id: UUID, state: str, now: datetime) -> Select[str, int, str | None]:
    """How many of one system's deliveries in one state are to be said in which word, of the first ones that wait."""
    some = (
        select(state_at(now).label("word"), Delivery.error)
        .join(System, System.id == Delivery.system_id)
        .join(Link, (Link.system_id == Delivery.system_id) & (Link.account_id == Delivery.account_id))
        .where(Delivery.system_id == system_id, Delivery.state == state)
        .limit(COUNTED + 1)
        .subquery()
    )
    return select(some.c.word, func.count(), func.max(some.c.error)).group_by(some.c.word)


def oldest(system_id: UUID, now: datetime) -> Select[datetime]:
    """Since when the first waits that is not only held; one that was parked waits for nothing but a human."""
    waits = (
        Delivery.system_id == system_id,
        text(WAITING),
        Delivery.state != "dead",
        Delivery.not_before <= now,
    )
    return select(Delivery.created_at).where(*waits).order_by(Delivery.created_at).limit(1)


def newest(system_id: UUID, state: str) -> Select[datetime | None]:
    """When it was last known of somebody what the system holds."""
    known = (Link.system_id == system_id, Link.state == state)
    return select(Link.checked_at).where(*known).order_by(Link.checked_at.desc()).limit(1)


def failing(system_id: UUID) -> Select[UUID]:
    """The people of whom one system does not hold what it should, those that have failed first; a part of them."""
    parked = select(Delivery.account_id).where(Delivery.system_id == system_id, Delivery.state == "dead")
    tried = select(Delivery.account_id).where(Delivery.system_id == system_id, text(TRIED))
    apart = select(Link.account_id).where(Link.system_id == system_id, Link.state == "drift")
    parts = (select(part.limit(COUNTED).subquery().c.account_id) for part in (parked, tried, apart))
    return select(union(*parts).subquery().c.account_id)
