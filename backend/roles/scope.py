"""Which units a downstream system serves (rule 1002)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.outbox.models import System
from backend.roles.models import Unit


async def systems_touched(tx: AsyncSession, unit_ids: Iterable[UUID]) -> list[System]:
    """The connected systems whose scope holds at least one of the units."""
    paths = [
        (await tx.get_one(Unit, unit_id)).path for unit_id in unit_ids
    ]  # one or two, often known already
    systems = (
        await tx.scalars(select(System).where(System.disabled_at.is_(None)).order_by(System.name))
    ).all()
    touched = []
    for system in systems:
        scope = await scope_of(tx, system)
        if any(in_scope(path, scope) for path in paths):
            touched.append(system)
    return touched


def in_scope(path: str, tops: Sequence[str] | None) -> bool:
    """Whether a unit's path lies in the subtrees of a scope; no scope means everywhere."""
    return tops is None or any(path.startswith(top) for top in tops)


async def scope_of(tx: AsyncSession, system: System) -> list[str] | None:
    """The paths at the top of a system's subtrees; nothing when it serves every unit."""
    codes = msgspec.json.decode(system.unit_codes, type=list[str])
    if not codes:
        return None
    return list(await tx.scalars(select(Unit.path).where(Unit.code.in_(codes))))
