"""How far what was decided has come: the words that phones and the workspace show (rule 601)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.outbox.models import Delivery, Link, System
from backend.outside.connectors import CONNECTORS
from backend.outside.connectors.learnt import read_learnt

State = Literal["held", "pending", "delivering", "synced", "retrying", "dead", "drift", "paused"]
WORST_FIRST: tuple[State, ...] = (
    "dead", "drift", "paused", "retrying", "delivering", "pending", "held", "synced",
)  # fmt: skip


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
    counts: dict[str, int]
    oldest_waiting_at: datetime | None
    last_delivered_at: datetime | None
    error: str | None
    learnt: list[str]  # what it has turned out not to do (connectors/learnt.py)

    @property
    def state(self) -> State:
        """The worst that is the case; what is merely held is as good as synced."""
        found = [state for state in WORST_FIRST if self.counts.get(state) and state != "held"]
        if found:
            return found[0]
        return "paused" if self.paused_until is not None else "synced"


Waiting = tuple[UUID, str, int, datetime, str | None]
Known = tuple[UUID, str, int, datetime | None]


async def states_for_requests(
    tx: AsyncSession, request_ids: Sequence[UUID], now: datetime
) -> dict[UUID, list[SyncState]]:
    """Per role request, one state per system that it concerns; what was undone is left out."""
    query = _rows(now).where(Delivery.request_id.in_(request_ids), Delivery.state != "cancelled")
    found: dict[UUID | None, dict[UUID, SyncState]] = defaultdict(dict)
    for row in await tx.execute(query.order_by(System.name, Delivery.version)):
        found[row[0].request_id][row[1].id] = _word(row)  # the newest version of a request speaks for it
    return {request_id: list(found[request_id].values()) for request_id in request_ids}


async def states_for_accounts(
    tx: AsyncSession, account_ids: Sequence[UUID], now: datetime
) -> dict[UUID, list[SyncState]]:
    """Per person, one state per system: that of the newest delivery that was not taken back.

    When none is remembered any more, what the system is known to hold speaks for it.
    """
    held = select(Link, System).join(System, System.id == Link.system_id)
    held = held.where(Link.account_id.in_(account_ids), Link.checked_at.is_not(None)).order_by(System.name)
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


async def overview(tx: AsyncSession, now: datetime) -> list[SystemOverview]:
    """Every system at a glance, for the workspace's page and the command."""
    waiting: dict[UUID, list[Waiting]] = defaultdict(list)
    for row in await tx.execute(_waiting(now)):
        waiting[row[0]].append(row)
    links: dict[UUID, list[Known]] = defaultdict(list)
    for known in await tx.execute(_known()):
        links[known[0]].append(known)
    systems = await tx.scalars(select(System).order_by(System.name))
    return [_overview(system, waiting[system.id], links[system.id], now) for system in systems]


def _overview(
    system: System,
    waiting: Sequence[Waiting],
    links: Sequence[Known],
    now: datetime,
) -> SystemOverview:
    paused = system.paused_until if system.paused_until and system.paused_until > now else None
    return SystemOverview(
        id=system.id,
        name=system.name,
        kind=system.kind,
        url=system.url,
        unit_codes=msgspec.json.decode(system.unit_codes, type=list[str]),
        disabled_at=system.disabled_at,
        paused_until=paused,
        counts={row[1]: row[2] for row in links} | {row[1]: row[2] for row in waiting},
        oldest_waiting_at=min((row[3] for row in waiting if row[1] != "held"), default=None),
        last_delivered_at=max((row[3] for row in links if row[3] is not None), default=None),
        error=next((row[4] for row in sorted(waiting, key=lambda row: row[1]) if row[4]), None),
        learnt=[*sorted(CONNECTORS[system.kind].cannot), *read_learnt(system.learnt).words],
    )


def state_at(now: datetime) -> ColumnElement[str]:
    """The word for one delivery. One that was tried says so even while its system is paused."""
    paused = or_(System.paused_until > now, System.disabled_at.is_not(None))
    return case(
        (Delivery.state == "dead", "dead"),
        (Delivery.not_before > now, "held"),
        ((Delivery.state == "leased") & (Delivery.lease_until > now), "delivering"),
        ((Delivery.state != "done") & (Delivery.attempts > 0), "retrying"),
        (Link.state == "drift", "drift"),
        (Delivery.state == "done", "synced"),
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
    until = {"held": delivery.not_before, "retrying": delivery.next_at, "paused": system.paused_until}.get(
        state
    )
    return SyncState(system.id, system.name, state, delivery.changed_at, delivery.error, until)


def _waiting(now: datetime) -> Select[UUID, str, int, datetime, str | None]:
    word = state_at(now).label("word")
    return (
        select(
            Delivery.system_id, word, func.count(), func.min(Delivery.created_at), func.max(Delivery.error)
        )
        .join(System, System.id == Delivery.system_id)
        .join(Link, (Link.system_id == Delivery.system_id) & (Link.account_id == Delivery.account_id))
        .where(Delivery.state.in_(("pending", "leased", "dead")))
        .group_by(Delivery.system_id, "word")
    )


def _known() -> Select[UUID, str, int, datetime | None]:
    return (
        select(Link.system_id, Link.state, func.count(), func.max(Link.checked_at))
        .where(Link.state != "unknown")
        .group_by(Link.system_id, Link.state)
    )
