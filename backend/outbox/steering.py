"""What operators do about a system by hand: stop it, pass a delivery over, look, take it away (rule 714)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import changed_one
from backend.facts import DeliverySkipped, SystemPaused, SystemRemoved, SystemResumed
from backend.figures import counted
from backend.kit import Kit
from backend.outbox.bell import DELIVERIES, STATES, ring_after
from backend.outbox.models import Delivery, Link, System
from backend.outbox.systems import SystemTrouble, named

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)  # until somebody resumes it
LONGEST_REASON = 300
OPEN, SKIPPABLE = ("pending", "leased", "dead"), ("pending", "dead")
WORDS = {  # of an operator, and of the table
    "pending": "pending",
    "delivering": "leased",
    "dead": "dead",
    "synced": "done",
    "skipped": "skipped",
    "cancelled": "cancelled",
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


async def pause(
    tx: AsyncSession, kit: Kit, name: str, *, until: datetime | None, by: UUID | None, now: datetime
) -> None:
    """Send a system nothing until that moment, or until it is resumed; what is under way ends by itself."""
    system = await _held(tx, name)
    if system.disabled_at is not None:
        raise SystemTrouble(f"{name!r} is disabled: it gets nothing anyway")
    if until is not None and until <= now:
        raise SystemTrouble("the moment until which it pauses has passed already")
    system.stopped_until = until or FOR_EVER
    kit.journal.record(tx, SystemPaused(system=system.id, until=until), by=by, now=now)
    ring_after(tx, STATES)


async def resume(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> None:
    """Go on now, whoever had stopped it: an operator, or the circuit breaker."""
    system = await _held(tx, name)
    if system.stopped_until is None and system.paused_until is None:
        raise SystemTrouble(f"{name!r} is not paused")
    system.stopped_until, system.paused_until, system.failures = None, None, 0
    kit.journal.record(tx, SystemResumed(system=system.id), by=by, now=now)
    ring_after(tx, DELIVERIES)


async def skip(
    tx: AsyncSession, kit: Kit, name: str, delivery: UUID, *, reason: str, by: UUID | None, now: datetime
) -> None:
    """Pass one delivery over for good: nothing sends it again but a later decision about the person."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise SystemTrouble(f"a reason has 1 to {LONGEST_REASON} characters")
    system = await named(tx, name)
    mine = (Delivery.id == delivery, Delivery.system_id == system.id)
    sealed = kit.keys.seal("deliveries.skipped_because", delivery, reason)
    passed = update(Delivery).where(*mine, Delivery.state.in_(SKIPPABLE), Delivery.not_before <= now)
    counted(tx, "ngomon_deliveries", str(system.id), "skipped")
    if not await changed_one(tx, passed.values(state="skipped", skipped_because=sealed, changed_at=now)):
        raise SystemTrouble(await _why_not(tx, name, delivery, now))
    account_id = await tx.scalar(select(Delivery.account_id).where(*mine))
    fact = DeliverySkipped(subject=account_id, system=system.id, delivery=delivery)
    kit.journal.record(tx, fact, by=by, now=now)
    ring_after(tx, STATES)


async def _why_not(tx: AsyncSession, name: str, delivery: UUID, now: datetime) -> str:
    row = await tx.get(Delivery, delivery, populate_existing=True)
    if row is None or row.system_id != (await named(tx, name)).id:
        return f"{name!r} has no delivery {delivery}"
    if row.state == "leased":
        return f"delivery {delivery} is under way at this moment: pause the system first"
    if row.not_before > now:
        return f"delivery {delivery} can still be undone: wait until then"
    word = next(word for word, state in WORDS.items() if state == row.state)
    return f"delivery {delivery} is {word} already"


async def deliveries(
    tx: AsyncSession,
    kit: Kit,
    system: System,
    *,
    state: str | None = None,
    after: UUID | None = None,
    most: int,
) -> list[Listed]:
    """What is open at a system, or all in one state, in the order of their making; identifiers grow with time."""
    states = OPEN if state is None else (WORDS[state],)
    query = select(Delivery).where(Delivery.system_id == system.id, Delivery.state.in_(states))
    if after is not None:
        query = query.where(Delivery.id > after)
    return [_listed(kit, row) for row in await tx.scalars(query.order_by(Delivery.id).limit(most))]


def _listed(kit: Kit, row: Delivery) -> Listed:
    word = next(word for word, state in WORDS.items() if state == row.state)
    sealed = row.skipped_because
    reason = kit.keys.open("deliveries.skipped_because", row.id, sealed) if sealed else None
    return Listed(row.id, row.account_id, row.version, word, row.attempts, row.error, row.changed_at, reason)


async def known_people(tx: AsyncSession, system: System, most: int) -> Sequence[tuple[UUID, int, str | None]]:
    """Some of whom a disabled system still holds, with their versions and its names for them."""
    if system.disabled_at is None:
        raise SystemTrouble(f"{system.name!r} is connected: disable it first")
    held = select(Account.id, Account.role_version, Link.remote_id).join(Link, Link.account_id == Account.id)
    held = (
        held.where(Link.system_id == system.id, Link.delivered_version > 0).order_by(Account.id).limit(most)
    )
    return [(row.id, row.role_version, row.remote_id) for row in await tx.execute(held)]


async def let_go(tx: AsyncSession, system: System, people: Sequence[UUID]) -> None:
    """These are not in the system any more."""
    gone = update(Link).where(Link.system_id == system.id, Link.account_id.in_(people))
    await tx.execute(gone.values(delivered_version=0, remote_id=None, state="unknown", checked_at=None))


async def remove(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> int:
    """Forget a disabled system and everything that waits for it; how many people are left in it."""
    system = await _held(tx, name)
    if system.disabled_at is None:
        raise SystemTrouble(f"{name!r} is connected: disable it first")
    held = select(func.count()).where(Link.system_id == system.id, Link.delivered_version > 0)
    left = await tx.scalar(held) or 0
    for table in (Delivery, Link):
        await tx.execute(delete(table).where(table.system_id == system.id))
    await tx.delete(system)
    kit.journal.record(tx, SystemRemoved(system=system.id, left=left), by=by, now=now)
    ring_after(tx, STATES)
    return left


async def _held(tx: AsyncSession, name: str) -> System:
    system = await tx.scalar(select(System).where(System.name == name).with_for_update())
    if system is None:
        raise SystemTrouble(f"there is no system {name!r}")
    return system
