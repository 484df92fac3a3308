"""When a system as a whole is in trouble: stop knocking, wait longer each time, try with one (rule 707).

A system that refuses our credentials or cannot be reached says nothing about a person, so
nobody's delivery is given up for it.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.outbox.models import Delivery, System
from backend.outside.connectors import DeliveryError

THRESHOLD = 3  # failures in a row before the first pause
PAUSE_FIRST, PAUSE_MOST = 5, 300
OUR_SIDE = {
    "credentials_refused",
    "redirected",
    "address_refused",
    "connector_missing",
    "patch_unsupported",
    "write_unsupported",
    "no_such_place",
    "endpoint_missing",
    "unreadable_reply",
    "active_not_kept",
    "membership_not_kept",
    "group_not_kept",
}
OF_SYSTEM = OUR_SIDE | {
    "unreachable",
    "status_429",
    "status_502",
    "status_503",
    "status_504",
    "ldap_51",
    "ldap_52",
}


def is_open(system: System, now: datetime) -> bool:
    """Whether nothing is to be sent at the moment."""
    return system.disabled_at is not None or is_waiting(system, now)


def is_waiting(system: System, now: datetime) -> bool:
    """Whether it is in trouble, or an operator has stopped it for a while."""
    return any(until is not None and until > now for until in (system.paused_until, system.stopped_until))


def next_moment(system: System) -> datetime | None:
    """When it may be spoken to again."""
    return max(filter(None, (system.paused_until, system.stopped_until)), default=None)


def is_suspect(system: System) -> bool:
    """Whether the next delivery is a question: may the others follow?"""
    return system.failures >= THRESHOLD or system.paused_until is not None


def is_healthy(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The same of the database's row: neither open nor suspect."""
    runs = or_(System.stopped_until.is_(None), System.stopped_until <= now)
    well = (System.paused_until.is_(None), System.failures < THRESHOLD)
    return and_(System.disabled_at.is_(None), runs, *well)


async def may_probe(tx: AsyncSession, system: System, *, now: datetime, patience: int) -> bool:
    """Be the one who tries; other workers stay away for `patience` seconds."""
    free = or_(System.paused_until.is_(None), System.paused_until <= now)
    probe = update(System).where(System.id == system.id, free)
    probe = probe.values(paused_until=now + timedelta(seconds=patience)).returning(System.id)
    return (await tx.execute(probe.execution_options(synchronize_session=False))).scalar() is not None


async def recovered(tx: AsyncSession, system_id: UUID, now: datetime) -> None:
    """It answered: let everything go on, also what was put off because of it.

    What another worker has in its hands is left to that one: each would wait for the other.
    """
    troubled = or_(System.failures > 0, System.paused_until.is_not(None))
    healed = update(System).where(System.id == system_id, troubled).values(failures=0, paused_until=None)
    if (await tx.execute(healed.returning(System.id))).scalar() is None:
        return
    put_off = (Delivery.system_id == system_id, Delivery.state == "pending", Delivery.not_before <= now)
    late = select(Delivery.id).where(*put_off, Delivery.next_at > now, Delivery.error.in_(OF_SYSTEM))
    free = late.with_for_update(skip_locked=True).cte("free")
    await tx.execute(update(Delivery).where(Delivery.id.in_(select(free.c.id))).values(next_at=now))


def trip(system: System, error: DeliveryError, *, now: datetime, probing: bool) -> None:
    """Count, and pause when it is too much, when the system asks for it, or when the settings are at fault.

    What comes in while it is paused already was under way before and says nothing new.
    """
    if is_open(system, now) and not probing:
        return
    system.failures += 1
    over = system.failures - THRESHOLD
    pause = PAUSE_FIRST * 2 ** min(max(over, 0), 10) * random.uniform(0.8, 1.2)  # noqa: S311 not a secret
    if error.code in OUR_SIDE:
        system.failures = max(system.failures, THRESHOLD)
    if error.retry_after is not None:
        system.paused_until = now + timedelta(seconds=error.retry_after)
    elif system.failures >= THRESHOLD:
        system.paused_until = now + timedelta(seconds=min(pause, PAUSE_MOST))
