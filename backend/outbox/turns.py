"""Whose turn it is: at any moment at most one worker delivers one person to one system.

A turn is a lease with a token. The token fences every later word of its holder, so that a worker which was frozen
cannot undo what another has done since (TF09). A unique index holds that no pair is leased twice; the locks only keep
workers from asking for the same.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import Base, UtcDateTime
from backend.outbox import circuit
from backend.outbox.models import Delivery, Link, System

MOMENTS = 500  # that are compared to find the next
LOOK_AHEAD = 4  # candidates read per free place: others hold some of them, or are about to
OWN_SHARE = 2 / 3  # of a lease in which the holder need not ask whether it still is one
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps
NOW, SYSTEM = bindparam("now", type_=UtcDateTime()), bindparam("system", type_=Uuid())


class Lease:
    """The token of a turn, and how long its holder may believe in it without asking."""

    def __init__(self, token: UUID, now: datetime, seconds: int) -> None:
        self.token = token
        self.renew(now, seconds)

    def renew(self, now: datetime, seconds: int) -> None:
        """The database has been told that it lasts `seconds` from `now`."""
        self._until = now + timedelta(seconds=seconds * OWN_SHARE)
        self._end = time.clock_gettime(CLOCK) + seconds * OWN_SHARE

    def is_fresh(self, now: datetime) -> bool:
        """Whether nobody else can have taken over yet, by the wall's clock and by one that nobody sets."""
        return now < self._until and time.clock_gettime(CLOCK) < self._end


class Turn(msgspec.Struct, frozen=True):
    """One delivery in the hands of one worker."""

    delivery_id: UUID
    system_id: UUID
    account_id: UUID
    version: int
    attempts: int
    lane: int
    lease: Lease
    probing: bool = False


class Aim(msgspec.Struct, frozen=True):
    """What one read snapshot says of a pair: the version to match, and how the system names the person."""

    version: int
    remote_id: str | None


def _due(*columns: ColumnElement[object]) -> Select[*tuple[object, ...]]:
    """What may be delivered now, most urgent first.

    Never a pair of which a delivery is under way, and never one of which a decision is still
    held: the state that is sent is the current one, and would give the held decision away.
    """
    one, other = DELIVERIES.c, DELIVERIES.alias().c
    blocked = exists().where(
        other.system_id == one.system_id,
        other.account_id == one.account_id,
        or_(other.state == "leased", and_(other.state == "pending", other.not_before > NOW)),
    )
    ready = (one.system_id == SYSTEM, one.state == "pending", one.next_at <= NOW, one.not_before <= NOW)
    return select(*columns).where(*ready, ~blocked).order_by(one.lane, one.next_at)


def _lease(*conditions: ColumnElement[bool]) -> Update:
    """Look, lock each pair without waiting, lease: one statement, and no more than one delivery of a pair."""
    one = DELIVERIES.c
    rank = func.row_number().over(partition_by=one.account_id, order_by=(one.lane, one.next_at, one.version))
    seen = _due(one.id, one.account_id, one.lane, one.next_at, rank.label("rank"))
    found = seen.where(*conditions).limit(bindparam("look")).subquery()
    free = (
        select(found.c.id)
        .join(Link.__table__, and_(Link.system_id == SYSTEM, Link.account_id == found.c.account_id))
        .where(found.c.rank == 1)
        .order_by(found.c.lane, found.c.next_at)
        .limit(bindparam("most"))
        .with_for_update(of=Link.__table__, skip_locked=True)
        .cte("free")
    )
    told = {
        "state": "leased",
        "lease_token": bindparam("token", type_=Uuid()),
        "lease_until": bindparam("until", type_=UtcDateTime()),
        "changed_at": NOW,
    }
    taken = update(DELIVERIES).where(one.id.in_(select(free.c.id)), one.state == "pending")
    return taken.values(told).returning(
        one.id, one.account_id, one.version, one.attempts, one.lane, one.next_at
    )


DELIVERIES = Base.metadata.tables[Delivery.__tablename__]
IS_HEALTHY = exists().where(System.id == SYSTEM, circuit.is_healthy(NOW))
LEASE, PROBE, ANYTHING_DUE = _lease(IS_HEALTHY), _lease(), _due(DELIVERIES.c.id).limit(1)


async def anything_due(tx: AsyncSession, system_id: UUID, now: datetime) -> tuple[bool, bool]:
    """A cheap look before a write transaction is begun: is something due, is something leased for too long."""
    expired = select(Delivery.id).where(*_expired(system_id, now)).limit(1)
    waiting = await tx.scalar(ANYTHING_DUE, {"system": system_id, "now": now})
    return waiting is not None, await tx.scalar(expired) is not None


async def next_moment(tx: AsyncSession, system_id: UUID, now: datetime) -> datetime | None:
    """When something of what is there may become due; `now` where that would have to be sought among very many."""
    later = case((Delivery.next_at > Delivery.not_before, Delivery.next_at), else_=Delivery.not_before)
    moment = case((Delivery.state == "leased", Delivery.lease_until), else_=later)
    waiting = (
        select(moment.label("moment"))
        .where(Delivery.system_id == system_id, Delivery.state.in_(("pending", "leased")))
        .limit(MOMENTS)
        .subquery()
    )
    later_than_now = case((waiting.c.moment > bindparam("now", now, UtcDateTime()), waiting.c.moment))
    asked = select(func.count(), type_coerce(func.min(later_than_now), UtcDateTime())).select_from(waiting)
    count, first = (await tx.execute(asked)).one()
    return now if count == MOMENTS else first


async def free_expired(tx: AsyncSession, system_id: UUID, now: datetime) -> None:
    """Put deliveries back whose worker has not been heard of; their old tokens are worth nothing now."""
    await tx.execute(update(Delivery).where(*_expired(system_id, now)).values(**_returned(now)))


async def take(
    tx: AsyncSession, system_id: UUID, *, now: datetime, lease: int, most: int, probing: bool = False
) -> list[Turn]:
    """Lease up to `most` due deliveries of different people, most urgent first; of a system in trouble only to probe.

    Raises IntegrityError when another worker has just leased one of the pairs: then nothing is taken.
    """
    token = uuid4()
    asked = {"system": system_id, "now": now, "look": most * LOOK_AHEAD, "most": most}
    told = {"token": token, "until": now + timedelta(seconds=lease)}
    rows = (await tx.execute(PROBE if probing else LEASE, asked | told)).all()
    return [
        Turn(
            row.id,
            system_id,
            row.account_id,
            row.version,
            row.attempts,
            row.lane,
            Lease(token, now, lease),
            probing,
        )
        for row in sorted(rows, key=lambda row: (row.lane, row.next_at))
    ]


async def take_probe(tx: AsyncSession, system: System, *, now: datetime, lease: int) -> list[Turn]:
    """One turn, as the question whether a system in trouble is back; none when another worker asks."""
    paused_until = system.paused_until
    if not await circuit.may_probe(tx, system, now=now, patience=lease):
        return []
    taken = await take(tx, system.id, now=now, lease=lease, most=1, probing=True)
    if not taken:
        await tx.execute(update(System).where(System.id == system.id).values(paused_until=paused_until))
    return taken


async def renew(tx: AsyncSession, turns: Collection[Turn], *, now: datetime, lease: int) -> None:
    """Say that the holders are alive; an expired lease that nobody took comes back to life."""
    until = now + timedelta(seconds=lease)
    kept = update(Delivery).where(*_held(turns)).values(lease_until=until).returning(Delivery.id)
    still = set((await tx.execute(kept.execution_options(synchronize_session=False))).scalars())
    for turn in turns:
        if turn.delivery_id in still:
            turn.lease.renew(now, lease)


async def holds(tx: AsyncSession, turn: Turn, now: datetime) -> bool:
    """Whether the turn is still this holder's, as the database knows."""
    query = select(Delivery.id).where(*mine(turn), Delivery.lease_until > now)
    return await tx.scalar(query) is not None


def mine(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    """The fence: nothing is written about a delivery except under its token."""
    return (
        Delivery.id == turn.delivery_id,
        Delivery.lease_token == turn.lease.token,
        Delivery.state == "leased",
    )


async def give_back(tx: AsyncSession, turns: Collection[Turn], now: datetime) -> None:
    """Let others have what this worker did not finish."""
    await tx.execute(update(Delivery).where(*_held(turns)).values(**_returned(now)))


async def aims(
    tx: AsyncSession, system_id: UUID, account_ids: Sequence[UUID], now: datetime
) -> dict[UUID, Aim]:
    """What to deliver of these people, without those of whom a decision is held.

    Must be asked in one snapshot with the desired states: the versions first.
    """
    held = exists().where(
        Delivery.system_id == system_id,
        Delivery.account_id == Account.id,
        Delivery.state == "pending",
        Delivery.not_before > now,
    )
    known = select(Account.id, Account.role_version, Link.remote_id).join(
        Link, and_(Link.system_id == system_id, Link.account_id == Account.id)
    )
    rows = await tx.execute(known.where(Account.id.in_(account_ids), ~held))
    return {row.id: Aim(row.role_version, row.remote_id) for row in rows}


def _held(turns: Collection[Turn]) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.id.in_([turn.delivery_id for turn in turns]),
        Delivery.lease_token.in_({turn.lease.token for turn in turns}),
        Delivery.state == "leased",
    )


def _expired(system_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Delivery.system_id == system_id, Delivery.state == "leased", Delivery.lease_until <= now


def _returned(now: datetime) -> dict[str, object]:
    return {"state": "pending", "lease_token": None, "lease_until": None, "changed_at": now}
