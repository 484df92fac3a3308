"""What becomes of a delivery: done, tried again later, or parked where people see it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import facts
from backend.account import Account
from backend.db import Base, changed_one
from backend.facts import DeliveryParked
from backend.figures import counted, lasted
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import circuit
from backend.outbox.bell import DELIVERIES, STATES, ring_after
from backend.outbox.models import Delivery, Link, System
from backend.outbox.queue import DECISION, write
from backend.outbox.turns import Turn, mine
from backend.outside.connectors import DeliveryError

CLOSED = {"lease_token": None, "lease_until": None}
PLAIN = {"synchronize_session": False}


class Acknowledged(msgspec.Struct, frozen=True):
    """A system holds a person's state of that version, which it knows by `remote_id`."""

    turn: Turn
    version: int
    remote_id: str | None


async def delivered(
    tx: AsyncSession, kit: Kit, system_id: UUID, done: Sequence[Acknowledged], *, now: datetime
) -> list[Turn]:
    """Acknowledge, for each person at one system, everything up to its version; the turns that were lost.

    Of a lost turn nothing is acknowledged: what we wrote may be older than what another wrote. It is sent again.
    """
    said = {one.turn.account_id: one for one in done}
    open_rows = await _open(tx, system_id, list(said))
    mine = {row.account_id for row in open_rows if _is_of(row, said[row.account_id].turn)}
    kept = [one for one in done if one.turn.account_id in mine]
    lost = [one.turn for one in done if one.turn.account_id not in mine]
    over = [
        row for row in open_rows if row.account_id in mine and _is_settled(row, said[row.account_id], now)
    ]
    settled = {row.id for row in over}
    closed = {"state": "done", "error": None, "done_at": now, "changed_at": now, **CLOSED}
    await tx.execute(
        update(Delivery).where(Delivery.id.in_(settled)).values(**closed), execution_options=PLAIN
    )
    for row in over:
        lasted(tx, "ngomon_delivery_seconds", row.created_at, now)
        _tell(tx, system_id, "synced")
    await _keep_links(tx, system_id, kept, now)
    if kept:
        await circuit.recovered(tx, system_id, now)
    for one in kept:
        fact = facts.Delivered(subject=one.turn.account_id, system=system_id, version=one.version)
        kit.journal.record(tx, fact, by=None, now=now)
    since = {one.turn.account_id: one.version for one in kept} | {turn.account_id: -1 for turn in lost}
    on_their_way = {row.account_id for row in open_rows if row.id not in settled and row.state != "dead"}
    await _catch_up(tx, system_id, {who: since[who] for who in since if who not in on_their_way}, now)
    ring_after(tx, STATES)
    return lost


async def _open(
    tx: AsyncSession, system_id: UUID, account_ids: list[UUID]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """What is not done of these people; pairs first and then deliveries are locked, in one order, as leasing does."""
    pairs = select(Link.id).where(Link.system_id == system_id, Link.account_id.in_(account_ids))
    await tx.execute(pairs.order_by(Link.account_id).with_for_update())
    columns = (
        Delivery.id,
        Delivery.account_id,
        Delivery.version,
        Delivery.state,
        Delivery.not_before,
        Delivery.lease_token,
        Delivery.created_at,
    )
    unsettled = select(*columns).where(
        Delivery.system_id == system_id,
        Delivery.account_id.in_(account_ids),
        Delivery.state.in_(("pending", "leased", "dead")),
    )
    in_order = unsettled.order_by(Delivery.account_id, Delivery.version)
    return (await tx.execute(in_order.with_for_update())).all()


def _is_of(row: Row[*tuple[Any, ...]], turn: Turn) -> bool:
    return bool(row.id == turn.delivery_id and row.lease_token == turn.lease.token)


def _is_settled(row: Row[*tuple[Any, ...]], one: Acknowledged, now: datetime) -> bool:
    """The delivery itself, and every older one of the person that is not under way or held."""
    older = row.version <= one.version and row.state in {"pending", "dead"} and row.not_before <= now
    return bool(older or row.id == one.turn.delivery_id)


async def _keep_links(tx: AsyncSession, system_id: UUID, kept: Sequence[Acknowledged], now: datetime) -> None:
    links = Base.metadata.tables[Link.__tablename__]
    known = (links.c.system_id == system_id, links.c.account_id == bindparam("who"))
    told = (
        update(links)
        .where(*known)
        .values(
            remote_id=bindparam("place"),
            delivered_version=bindparam("brought"),
            state="synced",
            checked_at=now,
        )
    )
    rows = [{"who": one.turn.account_id, "place": one.remote_id, "brought": one.version} for one in kept]
    if rows:
        await (await tx.connection()).execute(told, rows)


async def _catch_up(tx: AsyncSession, system_id: UUID, since: Mapping[UUID, int], now: datetime) -> None:
    """Deliver once more where the roles moved on under us and nothing else is on its way.

    So it is when a decision was undone in the very moment in which its state was read.
    """
    if not since:
        return
    versions = await tx.execute(select(Account.id, Account.role_version).where(Account.id.in_(list(since))))
    behind = [(system_id, row.id, row.role_version) for row in versions if row.role_version > since[row.id]]
    if behind:
        await write(tx, behind, lane=DECISION, due=now, now=now, request_id=None)
        ring_after(tx, DELIVERIES)


async def failed(tx: AsyncSession, kit: Kit, turn: Turn, error: DeliveryError, *, now: datetime) -> None:
    """Put the delivery off, or park it; and judge the system. A turn that was lost says nothing of either."""
    of_system = error.of_system or error.code in circuit.OUR_SIDE
    if error.permanent or (not of_system and _is_last(turn, kit.limits)):
        is_mine = await _park(tx, kit, turn, error, now)
    else:
        is_mine = await _put_off(tx, kit.limits, turn, error, now)
    if not is_mine:
        return
    # its key stays: whoever writes deliveries to it meanwhile, which name it, waits for nobody
    held = select(System).where(System.id == turn.system_id).with_for_update(key_share=True)
    system = (await tx.execute(held)).scalar_one()
    if error.for_good:
        system.disabled_at = now  # what waits stays, and goes out when it is connected again
        kit.journal.record(tx, facts.SystemDisabled(system=system.id), by=None, now=now)
    elif error.permanent:
        await circuit.recovered(tx, system.id, now)  # it answered, and said no to this person only
    elif error.of_system or turn.attempts == 0 or turn.probing:
        circuit.trip(system, error, now=now, probing=turn.probing)
    ring_after(tx, STATES)


async def _park(tx: AsyncSession, kit: Kit, turn: Turn, error: DeliveryError, now: datetime) -> bool:
    dead = {"state": "dead", "error": error.code, "changed_at": now, **CLOSED}
    values = dead | {"attempts": turn.attempts + 1}
    taken = await tx.execute(update(Delivery).where(*mine(turn)).values(**values).returning(Delivery.id))
    if taken.scalar() is None:
        return False
    _tell(tx, turn.system_id, "dead")
    older = (Delivery.version < turn.version, Delivery.state == "pending")
    await tx.execute(update(Delivery).where(*_pair(turn), *older).values(**dead))
    kit.journal.record(
        tx, DeliveryParked(subject=turn.account_id, system=turn.system_id, error=error.code), by=None, now=now
    )
    return True


async def _put_off(tx: AsyncSession, limits: Limits, turn: Turn, error: DeliveryError, now: datetime) -> bool:
    counted = error.code not in circuit.OUR_SIDE
    delay = max(backoff(limits, turn.attempts), error.retry_after or 0)
    values = {
        "state": "pending",
        "error": error.code,
        "attempts": turn.attempts + counted,
        "next_at": now + timedelta(seconds=delay),
        "changed_at": now,
        **CLOSED,
    }
    if not await changed_one(tx, update(Delivery).where(*mine(turn)).values(**values)):
        return False
    _tell(tx, turn.system_id, "retrying")
    return True


def _tell(tx: AsyncSession, system_id: UUID, outcome: str) -> None:
    """By the system's identifier: whoever shows the figure knows its name."""
    counted(tx, "ngomon_deliveries", str(system_id), outcome)


def backoff(limits: Limits, attempts: int) -> float:
    """Seconds until the next try: doubling, bounded, and spread so that a crowd does not return at once."""
    whole: float = min(limits.retry_first << min(attempts, 30), limits.retry_most)
    return whole * random.uniform(0.75, 1.25)  # noqa: S311 not a secret


def _is_last(turn: Turn, limits: Limits) -> bool:
    return turn.attempts + 1 >= limits.delivery_attempts


def _pair(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    return Delivery.system_id == turn.system_id, Delivery.account_id == turn.account_id
