"""The outbox: what was decided and has to reach the downstream systems (rule 702).

A row says "person P at system S must match version V" and holds nothing of the person.
It is written by the transaction that decides, so that what is committed arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import insert_into, new_id
from backend.facts import DeliveryReplayed
from backend.kit import Kit
from backend.outbox.bell import DELIVERIES, ring_after
from backend.outbox.models import Delivery, Link, System
from backend.outbox.states import (
    SyncState,
    SystemOverview,
    delivered_lately,
    failing,
    overview,
    states_for_account,
    states_for_accounts,
    states_for_requests,
)

__all__ = [
    "BACKFILL",
    "DECISION",
    "REVOCATION",
    "SyncState",
    "SystemOverview",
    "backfill",
    "cancel_held",
    "delivered_lately",
    "enqueue",
    "failing",
    "overview",
    "replay",
    "states_for_account",
    "states_for_accounts",
    "states_for_requests",
    "version_of",
    "write",
]

CHUNK = 200  # rows in one statement
SETTLED = ("done", "dead", "cancelled", "skipped")
REVOCATION, DECISION, BACKFILL = 0, 1, 2  # lanes: whoever loses a right goes first (rule 707)


async def enqueue(
    tx: AsyncSession,
    *,
    account_id: UUID,
    version: int,
    systems: Sequence[UUID],
    lane: int,
    now: datetime,
    hold: int = 0,
    request_id: UUID | None = None,
) -> None:
    """Have every system of `systems` brought to the person's `version`, `hold` seconds from now.

    Asking again for a version that was delivered, parked or taken back sends it again;
    for one that waits it changes at most the lane.
    """
    due = now + timedelta(seconds=hold)
    pairs = [(system_id, account_id, version) for system_id in systems]
    await write(tx, pairs, lane=lane, due=due, now=now, request_id=request_id)
    for system_id in systems:
        waiting = (
            Delivery.system_id == system_id,
            Delivery.account_id == account_id,
            Delivery.version == version,
        )
        faster = update(Delivery).where(*waiting, Delivery.state == "pending", Delivery.lane > lane)
        await tx.execute(faster.values(lane=lane))
    ring_after(tx, DELIVERIES)


async def backfill(
    tx: AsyncSession, system_id: UUID, people: Sequence[tuple[UUID, int]], *, now: datetime
) -> None:
    """Have one system brought to everybody's version, after everything more urgent."""
    pairs = [(system_id, *person) for person in people]
    await write(tx, pairs, lane=BACKFILL, due=now, now=now, request_id=None)
    ring_after(tx, DELIVERIES)


async def write(
    tx: AsyncSession,
    wanted: Sequence[tuple[UUID, UUID, int]],
    *,
    lane: int,
    due: datetime,
    now: datetime,
    request_id: UUID | None,
) -> None:
    """One row for each (system, account, version); one that is settled becomes pending again."""
    fresh = {
        "state": "pending",
        "attempts": 0,
        "lane": lane,
        "not_before": due,
        "next_at": due,
        "changed_at": now,
    }
    made = fresh | {"created_at": now, "request_id": request_id}
    again = fresh | {"error": None, "done_at": None, "skipped_because": None}
    if request_id is not None:
        again["request_id"] = request_id
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        links = [
            {"id": new_id(), "system_id": s, "account_id": a, "delivered_version": 0, "state": "unknown"}
            for s, a, _ in some
        ]
        await tx.execute(insert_into(tx, Link).values(links).on_conflict_do_nothing())
        rows = [made | {"id": new_id(), "system_id": s, "account_id": a, "version": v} for s, a, v in some]
        new = insert_into(tx, Delivery).values(rows)
        said = new.on_conflict_do_update(
            index_elements=["system_id", "account_id", "version"],
            set_=again,
            where=Delivery.state.in_(SETTLED),
        )
        await tx.execute(said)


async def begin_anew(tx: AsyncSession, system: System, *, to: tuple[str, str, str], now: datetime) -> None:
    """A system is connected again: whoever still brings something by the connection before brings nothing to this one.

    Where it is another, by kind, address or options, nothing is known of it, and the numbers that the old one gave to
    people are somebody else's there.
    """
    lost = {"state": "pending", "lease_token": None, "lease_until": None, "changed_at": now}
    under_way = (Delivery.system_id == system.id, Delivery.state == "leased")
    await tx.execute(update(Delivery).where(*under_way).values(**lost))
    if to != (system.kind, system.url, system.options):
        links = update(Link).where(Link.system_id == system.id)
        await tx.execute(links.values(remote_id=None, state="unknown"))


async def version_of(tx: AsyncSession, account_id: UUID) -> int:
    """The person's version now."""
    return await tx.scalar(select(Account.role_version).where(Account.id == account_id)) or 0


async def cancel_held(tx: AsyncSession, request_id: UUID, *, now: datetime) -> bool:
    """Take a decision's deliveries back before they leave; False when one already may have: then refuse.

    A worker takes no delivery of a pair while one of it is held, so nothing of the decision is outside.
    """
    live = (Delivery.request_id == request_id, Delivery.state != "cancelled")
    late = select(func.count()).where(*live, (Delivery.state != "pending") | (Delivery.not_before <= now))
    if await tx.scalar(late):
        return False
    wanted = await tx.scalar(select(func.count()).where(*live)) or 0
    held = update(Delivery).where(*live, Delivery.state == "pending", Delivery.not_before > now)
    taken = await tx.execute(held.values(state="cancelled", changed_at=now).returning(Delivery.id))
    ring_after(tx, DELIVERIES)
    return len(taken.all()) == wanted


async def replay(
    tx: AsyncSession,
    kit: Kit,
    system_id: UUID,
    *,
    account_id: UUID | None = None,
    by: UUID | None,
    now: datetime,
) -> int:
    """Try what failed at one system (or of one person there) again at once; how many deliveries that is."""
    failed = (Delivery.state == "dead") | ((Delivery.state == "pending") & (Delivery.attempts > 0))
    wanted = update(Delivery).where(Delivery.system_id == system_id, failed)
    if account_id is not None:
        wanted = wanted.where(Delivery.account_id == account_id)
    values = {"state": "pending", "attempts": 0, "error": None, "next_at": now, "changed_at": now}
    rows = (await tx.execute(wanted.values(**values).returning(Delivery.id))).all()
    await tx.execute(update(System).where(System.id == system_id).values(paused_until=None))
    kit.journal.record(tx, DeliveryReplayed(subject=account_id, system=system_id), by=by, now=now)
    ring_after(tx, DELIVERIES)
    return len(rows)
