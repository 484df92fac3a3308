"""What becomes of a delivery: done, tried again later, or parked where people see it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.facts import Delivered, DeliveryParked
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import circuit
from backend.outbox.bell import STATES, ring_after
from backend.outbox.models import Delivery, Link, System
from backend.outbox.queue import DECISION, enqueue, version_of
from backend.outbox.turns import Turn, mine
from backend.outside.connectors import DeliveryError, Receipt

CLOSED = {"lease_token": None, "lease_until": None}


async def delivered(
    tx: AsyncSession, kit: Kit, turn: Turn, receipt: Receipt, *, version: int, now: datetime
) -> bool:
    """Acknowledge everything up to `version`; False when the turn was lost, and nothing is acknowledged."""
    done = {"state": "done", "error": None, "done_at": now, "changed_at": now, **CLOSED}
    taken = await tx.execute(update(Delivery).where(*mine(turn)).values(**done).returning(Delivery.id))
    if taken.scalar() is None:
        return False
    older = (Delivery.version <= version, Delivery.state.in_(("pending", "dead")), Delivery.not_before <= now)
    await tx.execute(update(Delivery).where(*_pair(turn), *older).values(**done))
    link = update(Link).where(Link.system_id == turn.system_id, Link.account_id == turn.account_id)
    await tx.execute(
        link.values(remote_id=receipt.remote_id, delivered_version=version, state="synced", checked_at=now)
    )
    await circuit.recovered(tx, turn.system_id, now)
    kit.journal.record(
        tx, Delivered(subject=turn.account_id, system=turn.system_id, version=version), by=None, now=now
    )
    await catch_up(tx, turn.system_id, turn.account_id, since=version, now=now)
    ring_after(tx, STATES)
    return True


async def catch_up(tx: AsyncSession, system_id: UUID, account_id: UUID, *, since: int, now: datetime) -> None:
    """Deliver once more when the roles moved on under us and nothing else is on its way.

    So it is when a decision was undone in the very moment in which its state was read.
    """
    pair = (Delivery.system_id == system_id, Delivery.account_id == account_id)
    version = await version_of(tx, account_id)
    waiting = select(func.count()).where(*pair, Delivery.state.in_(("pending", "leased")))
    if version > since and not await tx.scalar(waiting):
        await enqueue(tx, account_id=account_id, version=version, systems=[system_id], lane=DECISION, now=now)


async def failed(tx: AsyncSession, kit: Kit, turn: Turn, error: DeliveryError, *, now: datetime) -> None:
    """Put the delivery off, or park it; and judge the system."""
    of_system = error.of_system or error.code in circuit.OUR_SIDE
    if error.permanent or (not of_system and _is_last(turn, kit.limits)):
        await _park(tx, kit, turn, error, now)
    else:
        await _put_off(tx, kit.limits, turn, error, now)
    system = (
        await tx.execute(select(System).where(System.id == turn.system_id).with_for_update())
    ).scalar_one()
    if error.permanent:
        await circuit.recovered(tx, system.id, now)  # it answered, and said no to this person only
    elif error.of_system or turn.attempts == 0 or turn.probing:
        circuit.trip(system, error, now=now, probing=turn.probing)
    ring_after(tx, STATES)


async def _park(tx: AsyncSession, kit: Kit, turn: Turn, error: DeliveryError, now: datetime) -> None:
    dead = {"state": "dead", "error": error.code, "changed_at": now, **CLOSED}
    values = dead | {"attempts": turn.attempts + 1}
    taken = await tx.execute(update(Delivery).where(*mine(turn)).values(**values).returning(Delivery.id))
    if taken.scalar() is None:
        return
    older = (Delivery.version < turn.version, Delivery.state == "pending")
    await tx.execute(update(Delivery).where(*_pair(turn), *older).values(**dead))
    kit.journal.record(
        tx, DeliveryParked(subject=turn.account_id, system=turn.system_id, error=error.code), by=None, now=now
    )


async def _put_off(tx: AsyncSession, limits: Limits, turn: Turn, error: DeliveryError, now: datetime) -> None:
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
    await tx.execute(update(Delivery).where(*mine(turn)).values(**values))


def backoff(limits: Limits, attempts: int) -> float:
    """Seconds until the next try: doubling, bounded, and spread so that a crowd does not return at once."""
    whole: float = min(limits.retry_first << min(attempts, 30), limits.retry_most)
    return whole * random.uniform(0.75, 1.25)  # noqa: S311 not a secret


def _is_last(turn: Turn, limits: Limits) -> bool:
    return turn.attempts + 1 >= limits.delivery_attempts


def _pair(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    return Delivery.system_id == turn.system_id, Delivery.account_id == turn.account_id
