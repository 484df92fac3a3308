"""What a process whose clock ran ahead has put off for a year is due again: nothing waits longer than it ever may.

So it is with a delivery and its lease, the pause of a system in trouble, a comparison, and what is owed to people.
What an operator has stopped stays so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import ColumnElement, select, update

from backend.db import Database
from backend.outbox.bell import DELIVERIES, ring_after
from backend.outbox.models import Delivery, System
from backend.owed.models import Message
from backend.owed.queue import PUSH, SMS, topic

FARTHEST = timedelta(days=2)  # more than any pause between two tries may be set to (bounds.py, Retry-After)
log = structlog.get_logger("worker")


class Moment(NamedTuple):
    """Where a moment stands, and what stands there when it can only be a mistake."""

    table: Any
    where: ColumnElement[bool]
    instead: dict[str, Any]


async def bring_back(db: Database, *, now: datetime) -> int:
    """How many were farther ahead than anything is put off; where none is, nobody waits for a write."""
    moments = _moments(now + FARTHEST, now)
    async with db.read() as tx:
        wrong = [one for one in moments if await tx.scalar(select(one.table.id).where(one.where).limit(1))]
    if not wrong:
        return 0
    found = 0
    async with db.write() as tx:
        for one in wrong:
            back = update(one.table).where(one.where).values(**one.instead).returning(one.table.id)
            found += len((await tx.execute(back.execution_options(synchronize_session=False))).all())
        for rung in (DELIVERIES, topic(SMS), topic(PUSH)):
            ring_after(tx, rung)
    log.warning("clock_was_ahead", rows=found)
    return found


def _moments(far: datetime, now: datetime) -> list[Moment]:
    waits, leased = Delivery.state == "pending", Delivery.state == "leased"
    free = {"state": "pending", "lease_token": None, "lease_until": None, "changed_at": now}
    return [
        Moment(Delivery, leased & (Delivery.lease_until > far), free),
        Moment(Delivery, waits & (Delivery.next_at > far), {"next_at": now}),
        Moment(Delivery, waits & (Delivery.not_before > far), {"not_before": now}),
        Moment(System, System.paused_until > far, {"paused_until": now}),
        Moment(System, System.comparing_until > far, {"comparing_until": None}),
        Moment(System, System.reconciled_at > far, {"reconciled_at": None}),
        Moment(Message, Message.due_at > far, {"due_at": now}),
    ]
