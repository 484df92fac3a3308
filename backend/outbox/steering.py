"""What operators do about a system by hand: stop it, pass a delivery over, look, take it away (rule 714)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.facts import ComparisonAsked, DeliverySkipped, SystemPaused, SystemRemoved, SystemResumed
from backend.figures import counted
from backend.kit import Kit
from backend.outbox.bell import DELIVERIES, STATES, ring_after
from backend.outbox.listing import OPEN
from backend.outbox.models import Delivery, Link, System
from backend.outbox.systems import SystemTrouble, named
from backend.outside.connectors.kinds import cannot

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)  # until somebody resumes it
LONGEST_REASON = 300
SETTLED = {
    "done": "synced",
    "skipped": "skipped",
    "cancelled": "cancelled",
}  # of the table, and of an operator


class Known(NamedTuple):
    """Somebody whom a system holds, or of whom nobody knows; the system's own name for them."""

    account_id: UUID
    version: int
    remote_id: str | None
    is_sure: bool


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


async def compare(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> None:
    """Have a system compared by the next worker that looks, whatever the hour; one under way begins anew."""
    system = await _held(tx, name)
    if system.disabled_at is not None:
        raise SystemTrouble(f"{name!r} is disabled: nobody compares it")
    if "no_read_back" in cannot(system.kind):
        raise SystemTrouble(f"{name!r} cannot be asked what it holds")
    system.reconciled_at, system.comparing_until = None, None
    kit.journal.record(tx, ComparisonAsked(system=system.id), by=by, now=now)
    ring_after(tx, STATES)


class AboutThemselves(SystemTrouble):
    """Nobody lets pass what a system is to be told about themselves."""


async def skip(
    tx: AsyncSession, kit: Kit, name: str, delivery: UUID, *, reason: str, by: UUID | None, now: datetime
) -> None:
    """Pass one delivery over for good: nothing sends it again but a later decision about the person.

    The older open ones go with it: each of them sends what is true now. Raises SystemTrouble, AboutThemselves.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise SystemTrouble(f"a reason has 1 to {LONGEST_REASON} characters")
    system = await named(tx, name)
    row = await tx.get(Delivery, delivery, populate_existing=True)
    if row is None or row.system_id != system.id:
        raise SystemTrouble(f"{name!r} has no delivery {delivery}")
    if by is not None and row.account_id == by:
        raise AboutThemselves(f"delivery {delivery} is about whoever would pass it over")
    older = await _up_to(tx, row)
    if trouble := _why_not(row, older, now):
        raise SystemTrouble(trouble)
    for one in older:
        counted(tx, "ngomon_deliveries", str(system.id), "skipped")
        one.state, one.changed_at = "skipped", now
        one.skipped_because = kit.keys.seal("deliveries.skipped_because", one.id, reason)
        fact = DeliverySkipped(subject=one.account_id, system=system.id, delivery=one.id)
        kit.journal.record(tx, fact, by=by, now=now)
    await tx.flush()
    ring_after(tx, STATES)


async def _up_to(tx: AsyncSession, row: Delivery) -> Sequence[Delivery]:
    """What is open of the pair up to this version; first the pair is locked, then they are, as leasing does."""
    pair = select(Link.id).where(Link.system_id == row.system_id, Link.account_id == row.account_id)
    await tx.execute(pair.with_for_update())
    theirs = (Delivery.system_id == row.system_id, Delivery.account_id == row.account_id)
    query = select(Delivery).where(*theirs, Delivery.version <= row.version, Delivery.state.in_(OPEN))
    query = query.order_by(Delivery.version).with_for_update()
    return (await tx.scalars(query.execution_options(populate_existing=True))).all()


def _why_not(row: Delivery, older: Sequence[Delivery], now: datetime) -> str | None:
    for one in older:
        if one.state == "leased":
            return f"delivery {one.id} is under way at this moment: pause the system first"
        if one.not_before > now:
            return f"delivery {one.id} can still be undone: wait until then"
    if row in older:
        return None
    return f"delivery {row.id} is {SETTLED.get(row.state, row.state)} already"


async def known_people(
    tx: AsyncSession, system: System, most: int, *, after: UUID | None = None, now: datetime
) -> Sequence[Known]:
    """Some of whom a disabled system holds, or may hold because something was sent that it never acknowledged.

    In the order of the accounts, behind `after`. Raises SystemTrouble while something is under way.
    """
    await _ensure_still(tx, system, now)
    columns = (Account.id, Account.role_version, Link.remote_id, (Link.delivered_version > 0).label("known"))
    held = select(*columns).join(Link, Link.account_id == Account.id)
    held = held.where(Link.system_id == system.id, _may_hold()).order_by(Account.id).limit(most)
    rows = await tx.execute(held if after is None else held.where(Account.id > after))
    return [Known(row.id, row.role_version, row.remote_id, row.known) for row in rows]


async def let_go(tx: AsyncSession, system: System, people: Sequence[UUID], *, now: datetime) -> None:
    """These are not in the system any more."""
    gone = update(Link).where(Link.system_id == system.id, Link.account_id.in_(people))
    await tx.execute(gone.values(delivered_version=0, remote_id=None, state="unknown", checked_at=now))


async def remove(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> int:
    """Forget a disabled system and everything that waits for it; how many people are left in it, or may be."""
    system = await _held(tx, name)
    await _ensure_still(tx, system, now)
    left = await tx.scalar(select(func.count()).where(Link.system_id == system.id, _may_hold())) or 0
    for table in (Delivery, Link):
        await tx.execute(delete(table).where(table.system_id == system.id))
    await tx.delete(system)
    kit.journal.record(tx, SystemRemoved(system=system.id, left=left), by=by, now=now)
    ring_after(tx, STATES)
    return left


async def _ensure_still(tx: AsyncSession, system: System, now: datetime) -> None:
    """Nothing is sent to it, and nothing is on its way any more; raises SystemTrouble."""
    if system.disabled_at is None:
        raise SystemTrouble(f"{system.name!r} is connected: disable it first")
    leased = (Delivery.system_id == system.id, Delivery.state == "leased", Delivery.lease_until > now)
    if await tx.scalar(select(Delivery.id).where(*leased).limit(1)) is not None:
        raise SystemTrouble(f"{system.name!r} is still being told something: try again in a minute")


def _may_hold() -> ColumnElement[bool]:
    """Of a pair: the system has acknowledged something, or was sent something of which nobody knows what became.

    A delivery that has never been in anybody's hands is as it was made.
    """
    sent = exists().where(
        Delivery.system_id == Link.system_id,
        Delivery.account_id == Link.account_id,
        Delivery.changed_at > Delivery.created_at,
        or_(Link.checked_at.is_(None), Delivery.changed_at > Link.checked_at),
    )
    return or_(Link.delivered_version > 0, sent)


async def _held(tx: AsyncSession, name: str) -> System:
    system = await tx.scalar(select(System).where(System.name == name).with_for_update())
    if system is None:
        raise SystemTrouble(f"there is no system {name!r}")
    return system
