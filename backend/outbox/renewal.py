"""Whatever changes what a system is told about people has them told again (case R22).

A decision about roles writes its own deliveries (`backend.roles.timeline.tell`). Everything else that the desired
state is made of (the name, the unit's name and place, whose an official address is) changes by other hands, and
calls `renew` in the same transaction. `tests/promises/test_told.py` finds who forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.outbox.bell import DELIVERIES, ring_after
from backend.outbox.models import Link, System
from backend.outbox.queue import CHUNK, DECISION, write

NOWHERE: frozenset[UUID] = frozenset()


async def renew(
    tx: AsyncSession,
    people: Iterable[UUID],
    *,
    now: datetime,
    also: Mapping[UUID, AbstractSet[UUID]] | None = None,
    lane: int = DECISION,
) -> int:
    """Have every system that knows them, or is named in `also`, told what is so now; the number of deliveries.

    Call it after the change and in its transaction: what was being sent meanwhile is sent once more.
    """
    wanted = sorted(set(people))
    connected = set(await tx.scalars(select(System.id).where(System.disabled_at.is_(None))))
    told = 0
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        known = select(Link.account_id, Link.system_id).where(Link.account_id.in_(some))
        pairs = {(row.account_id, row.system_id) for row in await tx.execute(known)}
        pairs |= {(who, system) for who in some for system in (also or {}).get(who, NOWHERE)}
        pairs = {pair for pair in pairs if pair[1] in connected}
        versions = await _bump(tx, {who for who, _ in pairs})
        rows = sorted((system, who, versions[who]) for who, system in pairs if who in versions)
        await write(tx, rows, lane=lane, due=now, now=now, request_id=None)
        told += len(rows)
    if told:
        ring_after(tx, DELIVERIES)
    return told


async def renew_at(
    tx: AsyncSession, lanes: Mapping[int, AbstractSet[tuple[UUID, UUID]]], *, now: datetime
) -> int:
    """Have, lane by lane, these systems told of these people, and no other system; the number of deliveries."""
    wanted: dict[UUID, list[tuple[UUID, int]]] = {}
    for lane, pairs in lanes.items():
        for who, system in pairs:
            wanted.setdefault(who, []).append((system, lane))
    people, told = sorted(wanted), 0
    for start in range(0, len(people), CHUNK):
        some = people[start : start + CHUNK]
        versions = await _bump(tx, set(some))
        for lane in lanes:
            rows = sorted(
                (system, who, versions[who]) for who in some for system, its in wanted[who] if its == lane
            )
            await write(tx, rows, lane=lane, due=now, now=now, request_id=None)
            told += len(rows)
    if told:
        ring_after(tx, DELIVERIES)
    return told


async def _bump(tx: AsyncSession, people: AbstractSet[UUID]) -> dict[UUID, int]:
    """Their next versions: a delivery that has read the old state already cannot stand for the new one."""
    higher = (
        update(Account)
        .where(Account.id.in_(people))
        .values(role_version=Account.role_version + 1)
        .returning(Account.id, Account.role_version)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.role_version for row in await tx.execute(higher)}
