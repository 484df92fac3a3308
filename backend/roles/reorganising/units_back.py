"""The units of a reorganisation that is taken back: whether they still can be as they were, and so they are (rule 640).

Between the two others move and end units. A unit goes back below nothing that stands below it by now, that has ended,
or that is so deep that there is no room below it.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import deciding, unit_changes, unit_tree
from backend.roles.models import Unit
from backend.roles.reorganising import tree_after
from backend.roles.reorganising.models import Reorganisation
from backend.roles.unit_changes import UnitChange
from backend.roles.unit_tree import DEEPEST, Tree, has_ended

CHUNK = 100


async def changed(tx: AsyncSession, run_id: UUID) -> list[str]:
    """The units that are not as the run left them, by code."""
    return sorted({unit.code for change, unit in await _changes(tx, run_id) if not _stands(change, unit)})


async def in_the_way(tx: AsyncSession, run_id: UUID, today: date) -> list[str]:
    """The units below which nothing can go back, by code."""
    known = await unit_tree.snapshot(tx)
    after = _as_it_was(known, await _changes(tx, run_id))
    codes = {place.id: code for code, place in after.items()}
    moved = {code for code, place in after.items() if place != known[code]}
    found = set()
    for code, place in after.items():
        if place.parent_id is None or has_ended(place, today):
            continue
        over = code in moved and has_ended(after[codes[place.parent_id]], today)
        way = _way(code, after, codes)
        if over or len(way) > DEEPEST + 1:
            nearest = next((one for one in way if one in moved), code)
            above = after[nearest].parent_id
            found.add(codes[above] if above is not None else nearest)
    return sorted(found)


async def put_back(tx: AsyncSession, kit: Kit, run: Reorganisation, now: datetime) -> None:
    """They are called, and stand, as they did; those that had ended are there again."""
    known, on = await unit_tree.snapshot(tx), local_day(now)
    changes, history = await _changes(tx, run.id), []
    for change, unit in changes:
        if change.kind == unit_changes.ENDED and unit.ended_on is not None:
            unit.ended_on, unit.successor_id = None, None
            history.append(unit_changes.change(unit.id, unit_changes.REVIVED, on, now, run=run.id))
    await tx.flush()
    placed = tree_after.placed(_as_it_was(known, changes))
    changed_ = [
        place
        for code, place in placed.items()
        if msgspec.structs.replace(place, ended_on=known[code].ended_on) != known[code]
    ]
    values = [
        {"id": one.id, "name": one.name, "folded": one.folded, "parent_id": one.parent_id, "path": one.path}
        for one in changed_
    ]
    for start in range(0, len(values), CHUNK):
        await tx.execute(update(Unit), values[start : start + CHUNK])
    await unit_changes.keep(tx, [*history, *unit_changes.between(known, placed, on, now)])
    await deciding.units_changed(tx, kit, {one.id for one in changed_})


def _as_it_was(known: Tree, changes: list[tuple[UnitChange, Unit]]) -> Tree:
    """Names, places and who is there, without what the run did to them; paths are still those of now."""
    codes = {place.id: code for code, place in known.items()}
    after = {code: msgspec.structs.replace(place) for code, place in known.items()}
    for change, unit in reversed(changes):
        place = after[codes[unit.id]]
        if change.kind == unit_changes.NAMED:
            place.name = change.before
        elif change.kind == unit_changes.PLACED:
            place.parent_id = change.from_id
        elif change.kind == unit_changes.ENDED:
            place.ended_on = None
    return after


def _way(code: str, after: Tree, codes: dict[UUID, str]) -> list[str]:
    """The codes from a unit upwards; no more of them than show that there are too many."""
    way, here = [code], after[code].parent_id
    while here is not None and len(way) <= DEEPEST + 1:
        way.append(codes[here])
        here = after[codes[here]].parent_id
    return way


async def _changes(tx: AsyncSession, run_id: UUID) -> list[tuple[UnitChange, Unit]]:
    query = select(UnitChange, Unit).join(Unit, Unit.id == UnitChange.unit_id)
    found = await tx.execute(query.where(UnitChange.run_id == run_id).order_by(UnitChange.id))
    return [(row[0], row[1]) for row in found]


def _stands(change: UnitChange, unit: Unit) -> bool:
    """Whether the unit is still as the run left it."""
    if change.kind == unit_changes.NAMED:
        return unit.name == change.after
    if change.kind == unit_changes.PLACED:
        return unit.parent_id == change.to_id
    return change.kind != unit_changes.ENDED or unit.ended_on == change.on_day
