"""Whoever stays where they are is told of anew, where their unit is called or stands otherwise (rule 640, case R22)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import Database
from backend.outbox import renewal
from backend.outbox.models import System
from backend.outbox.queue import BACKFILL
from backend.roles import policy, unit_changes
from backend.roles.models import Role, Unit
from backend.roles.scope import in_scope, scope_of
from backend.roles.unit_changes import UnitChange

CHUNK, PAUSE = 200, 0.12


async def everybody(db: Database, run_id: UUID, *, now: datetime) -> int:
    """Everybody at or below the units that the run named, placed or ended, and of those that share such a name."""
    async with db.read() as tx:
        tops = await _tops(tx, run_id)
    told, after = 0, UUID(int=0)
    while tops:
        async with db.write() as tx:
            found = await _some(tx, tops, after)
            told += await _tell(tx, found, now)
        if not found:
            break
        after = found[-1][0]
        await asyncio.sleep(PAUSE)
    return told


async def _tops(tx: AsyncSession, run_id: UUID) -> list[str]:
    changes = (await tx.scalars(select(UnitChange).where(UnitChange.run_id == run_id))).all()
    moved = {one.unit_id for one in changes if one.kind in {unit_changes.NAMED, unit_changes.PLACED}}
    over = {one.unit_id for one in changes if one.kind in {unit_changes.ENDED, unit_changes.REVIVED}}
    names = {name for one in changes for name in (one.before, one.after) if name}
    names |= set(await tx.scalars(select(Unit.name).where(Unit.id.in_(over))))
    where = or_(Unit.id.in_(moved), Unit.name.in_(names))
    return sorted(set(await tx.scalars(select(Unit.path).where(where))))


async def _some(tx: AsyncSession, tops: list[str], after: UUID) -> list[tuple[UUID, str]]:
    """The next roles in force below them: whose, and where."""
    query = (
        select(Role.account_id, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .join(Account, Account.id == Role.account_id)
        .where(Role.state == policy.ACTIVE, Account.status == "active", Role.account_id > after)
    )
    found: list[tuple[UUID, str]] = []
    rows = await tx.execute(query.order_by(Role.account_id))
    for account, path in rows:
        if len(found) >= CHUNK and account != found[-1][0]:
            break
        if any(path.startswith(top) for top in tops):
            found.append((account, path))
    return found


async def _tell(tx: AsyncSession, found: list[tuple[UUID, str]], now: datetime) -> int:
    also: dict[UUID, set[UUID]] = {who: set() for who, _ in found}
    for system in (await tx.scalars(select(System).where(System.disabled_at.is_(None)))).all():
        scope = await scope_of(tx, system)
        for who, path in found:
            if in_scope(path, scope):
                also[who].add(system.id)
    return await renewal.renew(tx, also, now=now, also=also, lane=BACKFILL)
