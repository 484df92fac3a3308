"""Whose turn it is: at any moment at most one worker delivers one person to one system.

A turn is a lease with a token. The token fences every later word of its holder, so that a
worker which was frozen cannot undo what another has done since (TF09).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.account import Account
from backend.outbox import circuit
from backend.outbox.models import Delivery, Link, System

LOOK_AHEAD = 4  # candidates read per free place: others may be quicker with some of them


class Turn(msgspec.Struct, frozen=True):
    """One delivery in the hands of one worker."""

    delivery_id: UUID
    system_id: UUID
    account_id: UUID
    version: int
    attempts: int
    token: UUID
    probing: bool = False


class Aim(msgspec.Struct, frozen=True):
    """What one read snapshot says of a pair: the version to match, and how the system names the person."""

    version: int
    remote_id: str | None


def due(system_id: UUID, now: datetime) -> Select[Delivery]:
    """What may be delivered now, most urgent first.

    Never a pair of which a delivery is under way, and never one of which a decision is still
    held: the state that is sent is the current one, and would give the held decision away.
    """
    other = aliased(Delivery)
    blocked = exists().where(
        other.system_id == Delivery.system_id,
        other.account_id == Delivery.account_id,
        or_(other.state == "leased", (other.state == "pending") & (other.not_before > now)),
    )
    ready = (
        Delivery.system_id == system_id,
        Delivery.state == "pending",
        Delivery.next_at <= now,
        Delivery.not_before <= now,
    )
    return select(Delivery).where(*ready, ~blocked).order_by(Delivery.lane, Delivery.next_at)


async def anything_due(tx: AsyncSession, system_id: UUID, now: datetime) -> bool:
    """A cheap look before a write transaction is begun."""
    expired = select(Delivery.id).where(*_expired(system_id, now)).limit(1)
    waiting = due(system_id, now).with_only_columns(Delivery.id).limit(1)
    return await tx.scalar(waiting) is not None or await tx.scalar(expired) is not None


async def free_expired(tx: AsyncSession, system_id: UUID, now: datetime) -> None:
    """Put deliveries back whose worker has not been heard of; their old tokens are worth nothing now."""
    await tx.execute(update(Delivery).where(*_expired(system_id, now)).values(**_returned(now)))


async def take(tx: AsyncSession, system_id: UUID, *, now: datetime, lease: int, most: int) -> list[Turn]:
    """Lease up to `most` due deliveries of different people."""
    found = (await tx.scalars(due(system_id, now).limit(most * LOOK_AHEAD))).all()
    turns: dict[UUID, Turn] = {}
    for delivery in found:
        if len(turns) < most and delivery.account_id not in turns:
            turn = await _take_one(tx, delivery, now=now, lease=lease)
            if turn is not None:
                turns[turn.account_id] = turn
    return list(turns.values())


async def take_probe(tx: AsyncSession, system: System, *, now: datetime, lease: int) -> list[Turn]:
    """One turn, as the question whether a system in trouble is back; none when another worker asks."""
    paused_until = system.paused_until
    if not await circuit.may_probe(tx, system, now=now, patience=lease):
        return []
    taken = await take(tx, system.id, now=now, lease=lease, most=1)
    if not taken:
        await tx.execute(update(System).where(System.id == system.id).values(paused_until=paused_until))
    return [msgspec.structs.replace(turn, probing=True) for turn in taken]


async def _take_one(tx: AsyncSession, delivery: Delivery, *, now: datetime, lease: int) -> Turn | None:
    """Lock the pair without waiting, look again with fresh eyes, then lease."""
    pair = select(Link.id).where(Link.system_id == delivery.system_id, Link.account_id == delivery.account_id)
    if await tx.scalar(pair.with_for_update(skip_locked=True)) is None:
        return None
    still_due = due(delivery.system_id, now).with_only_columns(Delivery.id).order_by(None)
    token = uuid4()
    leased = (
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state == "pending")
        .where(Delivery.id.in_(still_due.where(Delivery.id == delivery.id)))
        .values(state="leased", lease_token=token, lease_until=now + timedelta(seconds=lease), changed_at=now)
        .execution_options(synchronize_session=False)
    )
    if (await tx.execute(leased.returning(Delivery.id))).scalar() is None:
        return None
    return Turn(
        delivery.id, delivery.system_id, delivery.account_id, delivery.version, delivery.attempts, token
    )


async def renew(tx: AsyncSession, tokens: Iterable[UUID], *, now: datetime, lease: int) -> None:
    """Say that the holders are alive; an expired lease that nobody took comes back to life."""
    mine = (Delivery.lease_token.in_(list(tokens)), Delivery.state == "leased")
    await tx.execute(update(Delivery).where(*mine).values(lease_until=now + timedelta(seconds=lease)))


async def holds(tx: AsyncSession, turn: Turn, now: datetime) -> bool:
    """Whether the turn is still this holder's."""
    query = select(Delivery.id).where(*mine(turn), Delivery.lease_until > now)
    return await tx.scalar(query) is not None


def mine(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    """The fence: nothing is written about a delivery except under its token."""
    return (
        Delivery.id == turn.delivery_id,
        Delivery.lease_token == turn.token,
        Delivery.state == "leased",
    )


async def give_back(tx: AsyncSession, turns: Iterable[Turn], now: datetime) -> None:
    """Let others have what this worker did not finish."""
    tokens = [turn.token for turn in turns]
    unfinished = (Delivery.lease_token.in_(tokens), Delivery.state == "leased")
    await tx.execute(update(Delivery).where(*unfinished).values(**_returned(now)))


async def aim(tx: AsyncSession, turn: Turn, now: datetime) -> Aim | None:
    """What to deliver, or nothing while a decision about the person is held.

    Must be asked in one snapshot with the desired state: the version first.
    """
    version = await tx.scalar(select(Account.role_version).where(Account.id == turn.account_id))
    pair = (Delivery.system_id == turn.system_id, Delivery.account_id == turn.account_id)
    held = select(func.count()).where(*pair, Delivery.state == "pending", Delivery.not_before > now)
    if version is None or await tx.scalar(held):
        return None
    known = select(Link.remote_id).where(Link.system_id == turn.system_id, Link.account_id == turn.account_id)
    return Aim(version, await tx.scalar(known))


def _expired(system_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Delivery.system_id == system_id, Delivery.state == "leased", Delivery.lease_until <= now


def _returned(now: datetime) -> dict[str, object]:
    return {"state": "pending", "lease_token": None, "lease_until": None, "changed_at": now}
