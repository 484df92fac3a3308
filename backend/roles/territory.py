"""The units of a reader: down from their posts, and no further than to the next manager (rule 613).

What it costs hangs on how many units are the reader's, not on how many the province has (rule 912).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, exists, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import CTE

from backend.appointment import MANAGER, Appointment
from backend.roles.authority import Authority
from backend.roles.models import Unit


def territory(who: Authority, *, only_edge: bool = False) -> CTE:
    """The units, by `depth` 0 those that no nearer manager has (rights.reads), 1 those with one such between.

    `only_edge`: of the latter those alone that have this manager, and nothing of what stands below them.
    """
    mine = select(Unit.id.label("id"), literal(0).label("depth")).where(Unit.id.in_(list(who.posts)))
    known = mine.cte(recursive=True)
    managed = _managed(who)
    depth = case((managed, 1), else_=known.c.depth)
    below = select(Unit.id, depth).join(known, Unit.parent_id == known.c.id)
    further = known.c.depth == 0
    return known.union(below.where(further if only_edge else ~managed | further))


async def own(tx: AsyncSession, who: Authority) -> list[tuple[str, UUID]]:
    """The units whose people are the reader's, by code: the managed ones, and those below that have no manager."""
    if not who.posts:
        return []
    mine = unmanaged(who)
    return sorted({(code, unit) for unit, code in await tx.execute(select(mine.c.id, mine.c.code))})


def unmanaged(who: Authority) -> CTE:
    """Those of `depth` 0 alone: of what stands below them each is looked at once, and what is managed is left there."""
    mine = select(Unit.id.label("id"), Unit.code.label("code")).where(Unit.id.in_(list(who.posts)))
    known = mine.cte(recursive=True)
    below = select(Unit.id, Unit.code).join(known, Unit.parent_id == known.c.id)
    return known.union(below.where(~_managed(who)))


def near(who: Authority) -> Select[bytes]:
    """The indexes of those who manage with the reader, or the next units below: about whom the reader may decide."""
    mine = unmanaged(who)
    there = Appointment.unit_id.in_(select(mine.c.id).union_all(edge(mine)))
    return select(Appointment.national_id_blind).where(there, Appointment.counts(MANAGER, who.today))


def by_code(tx: AsyncSession, code: ColumnElement[str] = Unit.code.expression) -> ColumnElement[str]:
    """The code of a unit in the order in which Python has codes, whatever the database's own is."""
    return code.collate("C") if tx.get_bind().dialect.name == "postgresql" else code


def edge(mine: CTE) -> Select[UUID]:
    """What stands directly below some units: beside some of these themselves, the next that have managers."""
    return select(Unit.id).where(Unit.parent_id.in_(select(mine.c.id)))


def _managed(who: Authority) -> ColumnElement[bool]:
    return exists().where(Appointment.unit_id == Unit.id, Appointment.counts(MANAGER, who.today))
