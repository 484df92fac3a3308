"""The deliveries of one system, one by one, in the words that phones and pages use as well (rule 714)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, case, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.outbox.models import Delivery, Link, System
from backend.outbox.states import state_at

OPEN = ("pending", "leased", "dead")
CANCELLED = "cancelled"  # taken back before anybody heard: no state of a request, which leaves it out
WORDS: Mapping[str, tuple[str, ...]] = {  # what is said, and as what it may stand in the table
    "held": ("pending",),
    "pending": ("pending", "leased", "done"),  # done, and nobody has read since what is there
    "delivering": ("leased",),
    "synced": ("done",),
    "retrying": ("pending", "leased"),
    "dead": ("dead",),
    "drift": ("done", "pending", "leased"),  # what heals it waits under the same word
    "paused": ("pending", "leased", "done"),
    "skipped": ("skipped",),
    CANCELLED: ("cancelled",),
}


class Listed(msgspec.Struct, frozen=True):
    """One delivery as an operator sees it: no name, and never what is sent."""

    id: UUID
    account_id: UUID
    version: int
    state: str
    attempts: int
    error: str | None
    changed_at: datetime
    reason: str | None = None  # why it was passed over


async def deliveries(
    tx: AsyncSession,
    kit: Kit,
    system: System,
    *,
    state: str | None = None,
    after: UUID | None = None,
    only: ColumnElement[bool] | None = None,
    most: int,
    now: datetime,
) -> list[Listed]:
    """What is open at a system, or all in one state, in the order of their making; identifiers grow with time.

    `only` some of them, as is said of `Delivery`.
    """
    word = word_at(now)
    stands = OPEN if state is None else WORDS[state]
    query = (
        select(Delivery, word)
        .join(System, System.id == Delivery.system_id)
        .outerjoin(Link, (Link.system_id == Delivery.system_id) & (Link.account_id == Delivery.account_id))
        .where(Delivery.system_id == system.id, Delivery.state.in_(stands))
    )
    if state is not None:
        query = query.where(word == state)
    if after is not None:
        query = query.where(Delivery.id > after)
    if only is not None:
        query = query.where(only)
    return [_listed(kit, *row) for row in await tx.execute(query.order_by(Delivery.id).limit(most))]


def word_at(now: datetime) -> ColumnElement[str]:
    """The word for any delivery, one that was taken back among them."""
    return case((Delivery.state == CANCELLED, CANCELLED), else_=state_at(now))


def _listed(kit: Kit, row: Delivery, word: str) -> Listed:
    sealed = row.skipped_because
    reason = kit.keys.open("deliveries.skipped_because", row.id, sealed) if sealed else None
    return Listed(row.id, row.account_id, row.version, word, row.attempts, row.error, row.changed_at, reason)
