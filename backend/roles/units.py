"""Units: brought in from a file, found by name or code (contract §2, §3.3, domain §2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.db import new_id
from backend.facts import UnitsImported
from backend.imports.rows import ImportRefused, Record, Row, RowError
from backend.kit import Kit
from backend.names import folded
from backend.roles import telling
from backend.roles.models import Unit
from backend.roles.views import Page

COLUMNS = ("code", "name", "parent_code", "agency_code", "kind")
REQUIRED = ("code", "name")
CODE = re.compile(r"[\w][\w./-]{0,39}")
AGENCY = re.compile(r"[0-9A-Z]+(?:\.[0-9A-Z]+)*")
AGENCY_LONGEST = 35  # QĐ 20/2020/QĐ-TTg
DEEPEST = 15  # a path has room for as many
Q_LONGEST = 100


class UnitRow(msgspec.Struct, frozen=True):
    """One row of the file, checked."""

    line: int
    code: str
    name: str
    parent_code: str
    agency_code: str | None
    kind: str


class UnitView(msgspec.Struct, frozen=True):
    """One unit as the app lists it."""

    id: UUID
    code: str
    name: str
    agency_code: str | None
    kind: str
    parent: UUID | None


class Imported(msgspec.Struct, frozen=True):
    """What an import did."""

    created: int
    updated: int


def agency_code(text: str) -> str:
    """The canonical notation, root first: `000.00.17.G22` and `G22.17` are the same agency (domain §2.5).

    Raises ValueError when it is neither notation.
    """
    groups = text.strip().upper().split(".")
    if len(text) > AGENCY_LONGEST or not AGENCY.fullmatch(".".join(groups)):
        raise ValueError(text)
    if groups[0][0].isalpha():
        return ".".join(groups)
    if not groups[-1][0].isalpha():
        raise ValueError(text)
    return ".".join(group for group in reversed(groups) if group.strip("0"))


async def bring_in(
    tx: AsyncSession, kit: Kit, rows: Iterable[Record], *, by: UUID | None, now: datetime
) -> Imported:
    """Create or update every unit of the rows, parents in any order, or raise ImportRefused and nothing."""
    errors: list[RowError] = []
    wanted = [_checked(record, errors) for record in rows]
    known = {unit.code: unit for unit in await tx.scalars(select(Unit))}
    before = {unit.id: _shown(unit) for unit in known.values()}
    errors += _misplaced(wanted, known)
    if errors:
        raise ImportRefused(sorted(errors, key=lambda error: error.line))
    created = updated = 0
    for row in wanted:
        unit = known.get(row.code)
        if unit is None:
            unit = known[row.code] = Unit(id=new_id(), code=row.code, path="/")
            created += 1
        else:
            updated += 1
        unit.name, unit.agency_code, unit.kind = row.name, row.agency_code, row.kind
        unit.folded = folded(f"{row.name} {row.code} {row.agency_code or ''}")[:400]
    for row in wanted:
        known[row.code].parent_id = known[row.parent_code].id if row.parent_code else None
    await _place(tx, list(known.values()))
    told = [unit.id for unit in known.values() if unit.id in before and before[unit.id] != _shown(unit)]
    await telling.units_changed(tx, told, now=now)
    kit.journal.record(tx, UnitsImported(count=len(wanted)), by=by, now=now)
    return Imported(created, updated)


def _shown(unit: Unit) -> tuple[str | None, ...]:
    """What systems are told of a unit, and where it stands."""
    return unit.name, unit.code, unit.agency_code, unit.path


async def search(
    tx: AsyncSession, *, q: str | None, parent: UUID | None, cursor: str | None = None, most: int = 50
) -> Page[UnitView]:
    """Living units by words of the name, code or agency code in either notation; marks do not matter."""
    query = select(Unit).where(Unit.ended_on.is_(None))
    if parent is not None:
        query = query.where(Unit.parent_id == parent)
    for word in folded((q or "").replace("\0", " ")[:Q_LONGEST]).split():
        query = query.where(or_(*(Unit.folded.contains(form, autoescape=True) for form in _forms(word))))
    if cursor:
        query = query.where(Unit.code > paging.place_of(cursor))
    found = (await tx.scalars(query.order_by(Unit.code).limit(most + 1))).all()
    shown, more = paging.cut(found, most)
    items = [
        UnitView(unit.id, unit.code, unit.name, unit.agency_code, unit.kind, unit.parent_id) for unit in shown
    ]
    return Page(items, paging.cursor_of(shown[-1].code) if more else None)


def _forms(word: str) -> set[str]:
    """A word as typed, and as the canonical agency code that it may be."""
    try:
        return {word, agency_code(word).lower()} if "." in word else {word}
    except ValueError:
        return {word}


def _checked(record: Record, errors: list[RowError]) -> UnitRow:
    row = Row(record, errors)
    code = row.text("code", longest=40, required=True)
    if code and not CODE.fullmatch(code):
        row.wrong("code", "only letters, digits, dot, slash, hyphen and underscore")
    agency: str | None = row.text("agency_code", longest=AGENCY_LONGEST)
    try:
        agency = agency_code(agency) if agency else None
    except ValueError:
        row.wrong("agency_code", "not an agency code in either notation")
    return UnitRow(
        record.line,
        code,
        row.text("name", longest=200, required=True),
        row.text("parent_code", longest=40),
        agency,
        row.text("kind", longest=30),
    )


def _misplaced(wanted: list[UnitRow], known: dict[str, Unit]) -> list[RowError]:
    """Codes that come twice, parents that do not exist, units that are their own ancestor, trees too deep."""
    errors: list[RowError] = []
    lines: dict[str, int] = {}
    for row in wanted:
        if row.code and row.code in lines:
            errors.append(RowError(row.line, "code", f"comes twice, first on line {lines[row.code]}"))
        lines.setdefault(row.code, row.line)
    by_id = {unit.id: unit.code for unit in known.values()}
    parents = {unit.code: by_id.get(unit.parent_id) for unit in known.values() if unit.parent_id is not None}
    above: dict[str, str | None] = parents | {row.code: row.parent_code or None for row in wanted}
    for row in wanted:
        if row.parent_code and row.parent_code not in known and row.parent_code not in lines:
            errors.append(RowError(row.line, "parent_code", "no such unit"))
        elif _depth(row.code, above) is None:
            errors.append(
                RowError(row.line, "parent_code", "the unit would be its own ancestor, or too deep")
            )
    return errors


def _depth(code: str, above: dict[str, str | None]) -> int | None:
    """How many units stand above one; nothing for a circle or more than a path can hold."""
    depth, here = 0, above.get(code)
    while here is not None:
        depth, here = depth + 1, above.get(here)
        if depth > DEEPEST:
            return None
    return depth


async def _place(tx: AsyncSession, every: list[Unit]) -> None:
    """Write the path of each unit, parents before children."""
    by_id = {unit.id: unit for unit in every}
    paths: dict[UUID, str] = {}

    def path_of(unit: Unit) -> str:
        if unit.id not in paths:
            above = path_of(by_id[unit.parent_id]) if unit.parent_id else "/"
            paths[unit.id] = f"{above}{unit.id}/"
        return paths[unit.id]

    for unit in every:
        if unit.path != path_of(unit):
            unit.path = paths[unit.id]
    levels = sorted({unit.path.count("/") for unit in every})
    for level in levels:  # a child's row refers to its parent's
        tx.add_all([unit for unit in every if unit.path.count("/") == level])
        await tx.flush()
