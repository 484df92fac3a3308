"""Units: brought in from a file, found by name or code (rules 1002, 601, 1003)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.db import new_id, one_after_another
from backend.facts import UnitsImported
from backend.imports import words
from backend.imports.plan import Change, Field, Imported, Plan, PlanStale, Progress, at_once, in_order, stakes
from backend.imports.rows import Record
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import deciding, telling, undecided, unit_changes, unit_search, unit_tree
from backend.roles import rows as locks
from backend.roles.models import Unit
from backend.roles.reorganising import plan as reorganising
from backend.roles.unit_rows import COLUMNS, REQUIRED, UnitRow, checked
from backend.roles.unit_tree import Place, Tree
from backend.roles.views import Page

CHUNK = 500
TOLD = {"name", "parent_code", "agency_code"}  # what other systems are told of a unit


class UnitView(msgspec.Struct, frozen=True):
    """One unit as the app lists it."""

    id: UUID
    code: str
    name: str
    agency_code: str | None
    kind: str
    parent: UUID | None


class UnitsImport:
    """A file of units: a column or a unit that it lacks stays as it is stored."""

    things, columns, required = "units", COLUMNS, REQUIRED

    def __init__(self, kit: Kit, now: datetime) -> None:
        self._kit, self._now = kit, now
        self._stamp = b""
        self._created: list[Place] = []
        self._moved: list[Place] = []  # every unit whose row changes, those below a moved one too
        self._told: set[UUID] = set()  # units of which systems are told something else
        self._concerned: set[UUID] = set()  # those, and what stands below them
        self._undecided: set[UUID] = set()
        self._history: list[dict[str, Any]] = []
        self._elsewhere: set[str] = set()  # units that will stand elsewhere, or something above them

    async def plan(self, tx: AsyncSession, rows: Sequence[Record]) -> Plan:
        """What the rows would change in the tree as it stands."""
        plan = Plan(things=self.things)
        wanted = [checked(record, plan.errors) for record in rows]
        known = await unit_tree.snapshot(tx)
        self._stamp, today = unit_tree.stamp(known), local_day(self._now)
        living = [place for place in known.values() if not unit_tree.has_ended(place, today)]
        plan.existing = len(living)
        plan.errors += unit_tree.twins(wanted, known)
        plan.errors += unit_tree.misplaced(wanted, known, today)
        plan.errors = in_order(plan.errors)
        if plan.errors:
            return plan
        after = _after(wanted, known)
        self._elsewhere = unit_tree.moved(known, after)
        busy = await reorganising.busy(tx)
        plan.errors = unit_tree.reorganised(wanted, known, self._elsewhere & busy)
        if plan.errors:
            return plan
        told = _compare(plan, wanted, known, after)
        changed = Counter(unit_tree.root_of(known[change.what].path) for change in plan.changed)
        plan.roots = stakes(changed, Counter(unit_tree.root_of(place.path) for place in living))
        self._told = told = told | unit_tree.called_otherwise(known, after)
        self._created = [place for code, place in after.items() if code not in known]
        self._moved = [place for code, place in after.items() if code in known and place != known[code]]
        self._history = unit_changes.between(known, after, today, self._now)
        self._concerned = {place.id for place in after.values() if told and _is_below(place, known, told)}
        paths = {place.id: place.path for place in after.values()}
        self._undecided = (await undecided.deciders(tx)).lost(paths=paths)
        await self._say(tx, plan)
        return plan

    def prepare(self) -> None:
        """Nothing of a unit is sealed."""

    async def act(self, tx: AsyncSession, *, by: UUID | None, progress: Progress) -> None:
        """Write the rows, and queue what systems have to hear; raises PlanStale."""
        await one_after_another(tx, locks.TREE)
        if unit_tree.stamp(await unit_tree.snapshot(tx)) != self._stamp:
            raise PlanStale
        if self._elsewhere & await reorganising.busy(tx):
            raise PlanStale
        paths = {place.id: place.path for place in self._moved}
        if not (await undecided.deciders(tx)).lost(paths=paths) <= self._undecided:
            raise PlanStale
        await telling.hold(tx, self._concerned)
        levels = sorted(self._created, key=lambda place: place.path.count("/"))
        done, every = 0, len(self._created) + len(self._moved)
        for part in _parts(levels):  # a child's row refers to its parent's
            await tx.execute(insert(Unit), [_row(place) for place in part])
            progress(done := done + len(part), every)
        for part in _parts(self._moved):
            await tx.execute(update(Unit), [_row(place) for place in part])
            progress(done := done + len(part), every)
        await unit_changes.keep(tx, self._history)
        await deciding.units_changed(tx, self._kit, set(paths))
        await telling.units_changed(tx, self._told, now=self._now)
        self._kit.journal.record(tx, UnitsImported(count=every), by=by, now=self._now)

    async def _say(self, tx: AsyncSession, plan: Plan) -> None:
        roots = [place.code for place in self._created if place.parent_id is None]
        if roots:
            plan.notes.append(words.noted("new_roots", count=len(roots), codes=", ".join(roots[:10])))
        if self._concerned and (people := await telling.people_of(tx, self._concerned)):
            plan.notes.append(words.noted("told_anew", count=len(people)))
        if self._undecided:
            plan.warnings.append(words.noted("undecided", count=len(self._undecided)))


async def bring_in(
    tx: AsyncSession, kit: Kit, rows: Iterable[Record], *, by: UUID | None, now: datetime
) -> Imported:
    """Create or update the units of the rows at once, or raise ImportRefused and nothing."""
    return await at_once(UnitsImport(kit, now), tx, list(rows), by=by)


async def search(
    tx: AsyncSession, *, q: str | None, parent: UUID | None, cursor: str | None = None, most: int = 50
) -> Page[UnitView]:
    """Living units by words of the name, code or agency code in either notation; marks do not matter."""
    query = select(Unit).where(Unit.ended_on.is_(None))
    if parent is not None:
        query = query.where(Unit.parent_id == parent)
    query = query.where(*unit_search.named(q or ""))
    if cursor:
        query = query.where(Unit.code > paging.place_of(cursor))
    found = (await tx.scalars(query.order_by(Unit.code).limit(most + 1))).all()
    shown, more = paging.cut(found, most)
    items = [
        UnitView(unit.id, unit.code, unit.name, unit.agency_code, unit.kind, unit.parent_id) for unit in shown
    ]
    return Page(items, paging.cursor_of(shown[-1].code) if more else None)


def _after(wanted: Sequence[UnitRow], known: Tree) -> Tree:
    """The tree as the rows would have it."""
    after = {code: msgspec.structs.replace(place) for code, place in known.items()}
    for row in wanted:
        place = after.get(row.code)
        if place is None:
            place = after[row.code] = Place(new_id(), row.code, "", None, "", None, "", None)
        place.name = row.given.get("name", place.name)
        place.kind = row.given.get("kind", place.kind)
        if "agency_code" in row.given:
            place.agency_code = row.given["agency_code"] or None
    above = unit_tree.parents_after(wanted, known)
    for row in wanted:
        parent = above[row.code]
        after[row.code].parent_id = after[parent].id if parent else None
    paths = unit_tree.paths_of(after.values())
    for place in after.values():
        place.path = paths[place.id]
    return after


def _compare(plan: Plan, wanted: Sequence[UnitRow], known: Tree, after: Tree) -> set[UUID]:
    """Count and describe what the rows do; the units of which systems are told something else."""
    codes: dict[UUID | None, str] = {place.id: code for code, place in after.items()}
    told: set[UUID] = set()
    for row in wanted:
        old, new = known.get(row.code), after[row.code]
        if old is None:
            plan.created += 1
            continue
        pairs = [
            ("name", old.name, new.name),
            ("parent_code", codes.get(old.parent_id, ""), codes.get(new.parent_id, "")),
            ("agency_code", old.agency_code or "", new.agency_code or ""),
            ("kind", old.kind, new.kind),
        ]
        fields = tuple(Field(*pair) for pair in pairs if pair[1] != pair[2])
        if not fields:
            plan.untouched += 1
            continue
        plan.changed.append(Change(row.line, row.code, fields))
        if TOLD & {field.name for field in fields}:
            told.add(new.id)
    return told


def _is_below(place: Place, known: Tree, told: set[UUID]) -> bool:
    """Whether a unit that exists is, or stands below, one of which systems are told something else."""
    if place.code not in known:
        return False
    way = {*known[place.code].path.strip("/").split("/"), *place.path.strip("/").split("/")}
    return any(UUID(part) in told for part in way)


def _row(place: Place) -> dict[str, Any]:
    return {**msgspec.structs.asdict(place), "folded": place.folded}


def _parts(places: Sequence[Place]) -> Iterable[Sequence[Place]]:
    return (places[start : start + CHUNK] for start in range(0, len(places), CHUNK))
