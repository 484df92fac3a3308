"""The agency that a unit belongs to, and whether the staff directory says anything about it (rules 701, 650).

Provinces bring their directory in agency by agency. Where nobody has
brought it in, that it does not know somebody says nothing; once an agency has one entry, also of somebody who has
left, its silence about anybody counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import Select, exists, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

from backend.roles.models import StaffRecord, Unit
from backend.transaction import Tx

THERE, SILENT = "a directory", "units that no directory knows"


def way_up(unit: Unit) -> list[UUID]:
    """From the unit up to its root."""
    return [UUID(part) for part in reversed(unit.path.strip("/").split("/"))]


def agency_of(unit: Unit, above: Mapping[UUID, Unit]) -> Unit:
    """Of the second level, else the nearest, else the root; `above` knows the units on the way up."""
    units = [above[unit_id] for unit_id in way_up(unit) if unit_id in above] or [unit]
    agencies = [one for one in units if one.agency_code]
    second = [one for one in agencies if (one.agency_code or "").count(".") == 1]
    return (second or agencies or units[-1:])[0]


async def above(tx: AsyncSession, units: Collection[Unit]) -> dict[UUID, Unit]:
    """These units and everything above them, by id."""
    return {one.id: one for one in await tx.scalars(_above(units))}


def _above(units: Iterable[Unit]) -> Select[Unit]:
    ways = {unit_id for unit in units for unit_id in way_up(unit)}
    return select(Unit).where(Unit.id.in_(ways))


async def is_there(tx: AsyncSession) -> bool:
    """Whether anybody has ever brought a directory in, for whatever agency; asked once by who reads."""
    known: bool | None = None if isinstance(tx, Tx) else tx.info.get(THERE)
    if known is None:
        known = tx.info[THERE] = await tx.scalar(select(StaffRecord.id).limit(1)) is not None
    return known


async def unlisted(tx: AsyncSession, unit_ids: Collection[UUID]) -> set[UUID]:
    """Those of some units for whose agency nobody has brought a directory in; of each asked once by who reads."""
    if not unit_ids:
        return set()
    known: dict[UUID, bool] = {} if isinstance(tx, Tx) else tx.info.setdefault(SILENT, {})
    if new := set(unit_ids) - known.keys():
        silent = await _silent(tx, new)
        known |= {unit_id: unit_id in silent for unit_id in new}
    return {unit_id for unit_id in unit_ids if known[unit_id]}


async def _silent(tx: AsyncSession, unit_ids: Collection[UUID]) -> set[UUID]:
    units = [unit for one in unit_ids if (unit := tx.identity_map.get(identity_key(Unit, one))) is not None]
    if len(units) < len(unit_ids):
        if not await is_there(tx):
            return set(unit_ids)
        units = list(await tx.scalars(select(Unit).where(Unit.id.in_(unit_ids))))
    there = exists(select(StaffRecord.id)).label("there")
    found = (await tx.execute(_above(units).add_columns(there))).all()
    if not any(row.there for row in found):
        tx.info[THERE] = False
        return set(unit_ids)
    known = {unit.id: unit for unit, _ in found}
    agencies = {unit.id: agency_of(unit, known).id for unit in units}
    silent = {one for one in set(agencies.values()) if not await _is_listed(tx, one)}
    return {unit_id for unit_id, agency in agencies.items() if agency in silent}


async def _is_listed(tx: AsyncSession, agency_id: UUID) -> bool:
    """Down from the agency, unit by unit: its entries are found by the unit, and one is enough."""
    below = select(literal(agency_id, Unit.id.type).label("id")).cte("below", recursive=True)
    below = below.union_all(select(Unit.id).join(below, Unit.parent_id == below.c.id))
    entry = exists().where(StaffRecord.unit_id == below.c.id)
    return await tx.scalar(select(below.c.id).where(entry).limit(1)) is not None
