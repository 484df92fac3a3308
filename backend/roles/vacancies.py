"""Units that nobody is in charge of any more, and those that nobody decides for at all (rules 613, 641).

What it costs hangs on how many are asked for: where somebody manages a root, nothing below it is looked through for
the second kind, and the first kind is looked up unit by unit in the database (rule 912).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import MANAGER, Appointment
from backend.roles import rights, territory
from backend.roles.models import Unit

EVERYWHERE, PAGE = true(), 50
COLUMNS = (Unit.id, Unit.code, Unit.name, Unit.path, Unit.ended_on)


class Vacancy(msgspec.Struct, frozen=True):
    """A unit whose last manager has gone, or for which nobody decides at all."""

    unit_code: str
    unit_name: str
    since: datetime | None
    decided_by: str | None


async def first(tx: AsyncSession, within: ColumnElement[bool], most: int) -> list[Vacancy]:
    """So many of some units: what nobody at all decides for, then what somebody above decides for meanwhile."""
    alone = (await tx.execute(undecided(within).limit(most))).all()
    lost = (await tx.execute(left(within).limit(most))).all()
    known = {unit.id for unit in alone}
    found = await _told(tx, [*alone, *(unit for unit in lost if unit.id not in known)])
    return sorted(found, key=lambda one: (one.decided_by is not None, one.unit_code))[:most]


async def by_code(
    tx: AsyncSession, *, after: str = "", most: int = PAGE, only: str | None = None
) -> list[Vacancy]:
    """So many of the province, or the one of that code, by code; behind a code."""
    found = dict[str, Any]()
    for query in (undecided(EVERYWHERE), left(EVERYWHERE)):
        code = territory.by_code(tx, query.selected_columns.code)
        narrowed = query.where(code > after if only is None else code == only)
        some = narrowed.order_by(None).order_by(code).limit(most)
        found |= {unit.code: unit for unit in await tx.execute(some)}
    return await _told(tx, [found[code] for code in sorted(found)[:most]])


def undecided(within: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Living units that nobody up the tree decides for: down from the roots as far as nobody manages."""
    roots = select(*COLUMNS).where(Unit.parent_id.is_(None), ~_managed(), within)
    known = roots.cte(recursive=True)
    below = select(*COLUMNS).join(known, Unit.parent_id == known.c.id).where(~_managed())
    alone = known.union_all(below)
    return select(alone).where(alone.c.ended_on.is_(None)).order_by(alone.c.code)


def left(within: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Living units that had a manager and have none."""
    gone = exists().where(Appointment.unit_id == Unit.id, *_ended())
    return select(*COLUMNS).where(Unit.ended_on.is_(None), gone, ~_managed(), within).order_by(Unit.code)


def _managed() -> ColumnElement[bool]:
    return exists().where(Appointment.unit_id == Unit.id, Appointment.counts(MANAGER, None))


def _ended() -> tuple[ColumnElement[bool], ...]:
    return Appointment.kind == MANAGER, Appointment.ended_at.is_not(None)


async def _told(tx: AsyncSession, units: Sequence[Any]) -> list[Vacancy]:
    """Since when, and who decides meanwhile; asked of all of them at once."""
    if not units:
        return []
    ended = select(Appointment.unit_id, func.max(Appointment.ended_at)).where(
        Appointment.unit_id.in_([unit.id for unit in units]), *_ended()
    )
    since = {row[0]: row[1] for row in await tx.execute(ended.group_by(Appointment.unit_id))}
    managers = await rights.managers_over(tx, [unit.path for unit in units], on=None)
    above = {unit.id: rights.decider(unit.path, managers, set()) for unit in units}
    deciders = {one for one in above.values() if one is not None}
    named = select(Unit.id, Unit.code).where(Unit.id.in_(deciders))
    codes: dict[UUID | None, str] = {row.id: row.code for row in await tx.execute(named)}
    return [Vacancy(unit.code, unit.name, since.get(unit.id), codes.get(above[unit.id])) for unit in units]
