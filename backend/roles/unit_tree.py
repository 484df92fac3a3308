"""The tree of units as it is stored and as a file would have it: pure questions about codes and places."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.imports.rows import RowError
from backend.names import folded_place
from backend.roles.models import Unit
from backend.roles.unit_rows import ROOT, UnitRow

DEEPEST = 15  # a path has room for as many


class Place(msgspec.Struct):
    """One unit without its row's weight; a tree of a hundred thousand fits into memory."""

    id: UUID
    code: str
    name: str
    agency_code: str | None
    kind: str
    parent_id: UUID | None
    path: str
    ended_on: date | None

    @property
    def folded(self) -> str:
        """What a search compares."""
        return folded_place(f"{self.name} {self.code} {self.agency_code or ''}")[:400]


Tree = dict[str, Place]


def root_of(path: str) -> str:
    """The organisation that a unit is of: the root above it, as its path begins."""
    return path[: path.index("/", 1) + 1]


async def snapshot(tx: AsyncSession) -> Tree:
    """Every unit, by code."""
    columns = [getattr(Unit, name) for name in Place.__struct_fields__]
    return {row.code: Place(*row) for row in await tx.execute(select(*columns).order_by(Unit.code))}


def stamp(tree: Tree) -> bytes:
    """What changes with every change of the tree."""
    found = hashlib.sha256()
    for place in tree.values():
        found.update(msgspec.json.encode(place))
    return found.digest()


def twins(rows: Sequence[UnitRow], known: Mapping[str, Place]) -> list[RowError]:
    """Codes that come twice, also in other letters' case: a directory of names tells them not apart (B08)."""
    errors: list[RowError] = []
    lines: dict[str, UnitRow] = {}
    stored = {_caseless(code): code for code in known}
    for row in rows:
        key = _caseless(row.code)
        first = lines.setdefault(key, row)
        if row.code and first is not row:
            line = {"first": str(first.line)}
            same = first.code == row.code
            reason, values = (
                ("comes_twice", line) if same else ("case_twin_above", {**line, "other": first.code})
            )
            errors.append(RowError(row.line, "code", reason, values))
        elif row.code not in known and (other := stored.get(key)):
            errors.append(RowError(row.line, "code", "case_twin", {"other": other}))
    return errors


def misplaced(rows: Sequence[UnitRow], known: Tree, today: date) -> list[RowError]:
    """New units without a name, parents that are not there, blank parents, circles, trees too deep."""
    wanted = {row.code: row for row in rows}
    errors = [error for row in rows for error in _misplaced(row, wanted, known, today)]
    said = {error.line for error in errors}
    above = parents_after(rows, known)
    for code in above:
        if _depth(code, above) is None:
            cause = _nearest(code, above, wanted)
            if cause is not None and cause.line not in said:
                said.add(cause.line)
                errors.append(RowError(cause.line, "parent_code", "parent_circle"))
    return errors


def parents_after(rows: Iterable[UnitRow], known: Tree) -> dict[str, str | None]:
    """Each unit's parent by code, as the rows would have it."""
    by_id = {place.id: place.code for place in known.values()}
    above = {code: by_id[place.parent_id] if place.parent_id else None for code, place in known.items()}
    for row in rows:
        given = row.given.get("parent_code")
        if given:
            above[row.code] = None if given == ROOT else given
        else:
            above.setdefault(row.code, None)
    return above


def paths_of(places: Iterable[Place]) -> dict[UUID, str]:
    """The path of each unit, from its parent's. Raises ValueError for a circle, which would be followed for ever."""
    by_id = {place.id: place for place in places}
    paths: dict[UUID, str] = {}
    for place in by_id.values():
        way = [place]
        while way[-1].id not in paths and way[-1].parent_id is not None:
            way.append(by_id[way[-1].parent_id])
            if len(way) > len(by_id):
                raise ValueError(f"a circle of units above {place.code}")
        for one in reversed(way):
            if one.id not in paths:
                above = paths[one.parent_id] if one.parent_id else "/"
                paths[one.id] = f"{above}{one.id}/"
    return paths


def moved(known: Tree, after: Tree) -> set[str]:
    """The codes of the units that will stand elsewhere, themselves or with something above them."""
    return {code for code, place in known.items() if place.path != after[code].path}


def reorganised(rows: Sequence[UnitRow], known: Tree, codes: Iterable[str]) -> list[RowError]:
    """Rows by which units are moved that a reorganisation is just about."""
    wanted, above = {row.code: row for row in rows}, parents_after(rows, known)
    causes = {row.line for code in codes if (row := _nearest(code, above, wanted)) is not None}
    return [RowError(line, "parent_code", "unit_reorganised") for line in sorted(causes)]


def has_ended(place: Place, today: date) -> bool:
    """Whether the unit is no longer there."""
    return place.ended_on is not None and place.ended_on <= today


def called_otherwise(before: Tree, after: Tree) -> set[UUID]:
    """Units whose group gets another name because one of the same name came, went or was renamed (rule 701)."""
    names = [Counter(place.name for place in tree.values() if not place.ended_on) for tree in (before, after)]
    return {
        place.id
        for code, place in after.items()
        if code in before and len({count[place.name] > 1 for count in names}) == 2
    }


def not_there(line: int, column: str, code: str, codes: Iterable[str]) -> RowError:
    """No such unit, with the code that was meant where only the case of letters differs."""
    meant = next((one for one in codes if _caseless(one) == _caseless(code)), None)
    if meant is None:
        return RowError(line, column, "no_such_unit")
    return RowError(line, column, "no_such_unit_but", {"meant": meant})


def _misplaced(row: UnitRow, wanted: dict[str, UnitRow], known: Tree, today: date) -> list[RowError]:
    stored, given = known.get(row.code), row.given.get("parent_code")
    errors = []
    if stored is None and "name" not in row.given:
        errors.append(RowError(row.line, "name", "required_for_unit"))
    if stored is not None and has_ended(stored, today):
        errors.append(RowError(row.line, "code", "unit_over", {"on": f"{stored.ended_on:%d/%m/%Y}"}))
    if given == "" and stored is not None and stored.parent_id is not None:
        errors.append(RowError(row.line, "parent_code", "parent_blank"))
    elif given and given in known and has_ended(known[given], today):
        errors.append(RowError(row.line, "parent_code", "parent_over"))
    elif given and given != ROOT and given not in known and given not in wanted:
        errors.append(not_there(row.line, "parent_code", given, (*known, *wanted)))
    return errors


def _depth(code: str, above: Mapping[str, str | None]) -> int | None:
    """How many units stand above one; nothing for a circle or more than a path can hold."""
    depth, here = 0, above.get(code)
    while here is not None:
        depth, here = depth + 1, above.get(here)
        if depth > DEEPEST:
            return None
    return depth


def _nearest(code: str, above: Mapping[str, str | None], wanted: dict[str, UnitRow]) -> UnitRow | None:
    """The row that moved a unit or something above it."""
    here: str | None = code
    for _ in range(DEEPEST + 2):
        if here is None or here in wanted:
            break
        here = above.get(here)
    return wanted.get(here or "")


def _caseless(code: str) -> str:
    """As a directory compares names (RFC 4518 §2): case, and letters of another width or place, make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", code).casefold())
