"""The units as they stand, and the end of one (rule 1003)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import CTE, Text, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import one_after_another
from backend.errors import Conflict
from backend.facts import UnitEnded
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.paging import CursorInvalid
from backend.roles import policy, telling, territory, undecided, unit_changes, unit_tree
from backend.roles import rows as locks
from backend.roles.managers import RequestsUndecided, UnitNotFound
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.reorganising import plan as reorganising
from backend.roles.unit_rows import COLUMNS, ROOT

STEP = (
    " "  # behind each code of a way: before all that a code may hold, so that units stand as their codes do
)


class UnitInUse(Conflict):
    """People have a role in the unit, or units stand below it: they are moved first."""

    code = "unit_in_use"
    title = "Đơn vị còn người giữ vai trò hoặc còn đơn vị trực thuộc, hãy chuyển đi trước"


class UnitReorganised(Conflict):
    """A reorganisation is about one of both units which has begun and is not over: people still go there."""

    code = "unit_reorganised"
    title = "Đơn vị đang trong một đợt sắp xếp chưa xong, hãy chờ đợt ấy hoàn tất"


class Line(NamedTuple):
    """One living unit in the order of the tree, siblings by code."""

    depth: int
    code: str
    name: str
    parent_code: str
    agency_code: str
    kind: str
    ends_on: date | None


async def lines(tx: AsyncSession, today: date, *, after: str = "", most: int | None = None) -> list[Line]:
    """Living units, or so many of them; behind the one of a code, which raises CursorInvalid where none has it."""
    place = await _way_to(tx, after) if after else ""
    tree = _tree(tx, place)
    living = or_(tree.c.ended_on.is_(None), tree.c.ended_on > today)
    some = select(tree).where(tree.c.way > place, living).order_by(tree.c.way).limit(most).subquery()
    query = select(some.c.way, Unit.name, Unit.agency_code, Unit.kind, Unit.ended_on)
    found = []
    for row in await tx.execute(query.join(some, some.c.id == Unit.id).order_by(some.c.way)):
        *above, code = row.way.split()
        parent, agency = above[-1] if above else ROOT, row.agency_code or ""
        found.append(Line(len(above), code, row.name, parent, agency, row.kind, row.ended_on))
    return found


def _tree(tx: AsyncSession, place: str) -> CTE:
    """Units with the codes on the way down to each; what stands before a place is left with all that is below it."""
    code = territory.by_code(tx, cast(Unit.code, Text)) + STEP
    known = select(Unit.id, code.label("way"), Unit.ended_on).where(Unit.parent_id.is_(None))
    tree = known.cte("tree", recursive=True)
    leads_there = func.substr(literal(place, Text), 1, func.length(tree.c.way)) == tree.c.way
    below = select(Unit.id, tree.c.way + code, Unit.ended_on).join(tree, Unit.parent_id == tree.c.id)
    return tree.union_all(below.where(or_(tree.c.way > place, leads_there)))


async def _way_to(tx: AsyncSession, code: str) -> str:
    path = await tx.scalar(select(Unit.path).where(Unit.code == code))
    if path is None:
        raise CursorInvalid
    way = [UUID(part) for part in path.strip("/").split("/")]
    codes = {
        unit.id: unit.code for unit in await tx.execute(select(Unit.id, Unit.code).where(Unit.id.in_(way)))
    }
    return "".join(codes[one] + STEP for one in way)


def rows(found: Sequence[Line]) -> list[list[str]]:
    """The units as a file that an import finds nothing to change by."""
    return [
        list(COLUMNS),
        *([one.code, one.name, one.parent_code, one.agency_code, one.kind] for one in found),
    ]


async def end(
    tx: AsyncSession,
    kit: Kit,
    code: str,
    *,
    successor: str,
    on: date,
    by: UUID | None,
    now: datetime,
    leave_undecided: bool = False,
) -> int:
    """A unit is no longer there from a day on; how many of the staff directory still stand in it.

    Raises UnitNotFound, UnitReorganised, UnitInUse, and RequestsUndecided when open requests would have nobody to
    decide them.
    """
    await one_after_another(tx, locks.TREE)
    tree, today = await unit_tree.snapshot(tx), local_day(now)
    place, heir = tree.get(code), tree.get(successor)
    if place is None or heir is None or place is heir or unit_tree.has_ended(heir, max(on, today)):
        raise UnitNotFound
    if {code, successor} & await reorganising.busy(tx):
        raise UnitReorganised
    after = {**tree, code: msgspec.structs.replace(place, ended_on=on)}
    told = {place.id, *unit_tree.called_otherwise(tree, after)}
    await telling.hold(tx, told)
    children = sum(one.parent_id == place.id and not unit_tree.has_ended(one, on) for one in tree.values())
    held = (Role.unit_id == place.id, Role.state.in_(policy.HELD))
    people = await tx.scalar(select(func.count()).select_from(Role).where(*held)) or 0
    if people or children:
        raise UnitInUse(people=people, units=children)
    lost = (await undecided.deciders(tx, below=place.path)).lost(closed=[place.id])
    if lost and not leave_undecided:
        raise RequestsUndecided(count=len(lost))
    unit = await tx.get_one(Unit, place.id)
    unit.ended_on, unit.successor_id = on, heir.id
    over = unit_changes.change(unit.id, unit_changes.ENDED, on, now, moved=(None, heir.id))
    await unit_changes.keep(tx, [over])
    await telling.units_changed(tx, told, now=now)
    kit.journal.record(tx, UnitEnded(unit=unit.id, successor=heir.id, on=on), by=by, now=now)
    listed = (StaffRecord.unit_id == place.id, StaffRecord.left_at.is_(None))
    return await tx.scalar(select(func.count()).select_from(StaffRecord).where(*listed)) or 0
