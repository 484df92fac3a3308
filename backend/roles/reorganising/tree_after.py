"""The tree as a reorganisation leaves it: names, places, who has ended (rule 640)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.imports.rows import RowError
from backend.roles.reorganising.acts import MOVE, RENAME, Act, closing, names_after, successors
from backend.roles.unit_rows import ROOT
from backend.roles.unit_tree import DEEPEST, Tree, has_ended, paths_of


def begun(acts: Sequence[Act], known: Tree) -> Tree:
    """With the new names and places that the file gives; every unit is still there."""
    after = {code: msgspec.structs.replace(place) for code, place in known.items()}
    for code, name in names_after(acts).items():
        after[code].name = name
    for act in acts:
        if act.action in {MOVE, RENAME} and act.parent:
            after[act.unit].parent_id = None if act.parent == ROOT else known[act.parent].id
    return after


def finished(acts: Sequence[Act], known: Tree, today: date) -> Tree:
    """And with the ended units."""
    after = settled(acts, begun(acts, known), today)
    for code, act in closing(acts).items():
        after[code].ended_on = act.on
    return after


def settled(acts: Sequence[Act], known: Tree, today: date) -> Tree:
    """What stood below a unit that ends stands below who took its work over."""
    after = {code: msgspec.structs.replace(place) for code, place in known.items()}
    ends = {known[code].id: known[heir].id for code, heir in successors(acts).items()}
    for place in after.values():
        if place.parent_id in ends and place.id not in ends and not has_ended(place, today):
            place.parent_id = ends[place.parent_id]
    return after


def placed(after: Tree) -> Tree:
    """The same with the paths that follow; wants a tree without circles."""
    paths = paths_of(after.values())
    for place in after.values():
        place.path = paths[place.id]
    return after


def circles(acts: Sequence[Act], after: Tree) -> list[RowError]:
    """Rows that put a unit below itself, or a successor below whom it takes over, or the tree too deep."""
    parents = {place.id: place.parent_id for place in after.values()}
    codes = {place.id: code for code, place in after.items()}
    by_unit = {act.unit: act for act in acts}
    errors: dict[int, RowError] = {}
    for code, place in after.items():
        way, here = [code], place.parent_id
        while here is not None and len(way) <= DEEPEST + 1:
            way.append(codes[here])
            here = parents[here]
        if len(way) <= DEEPEST + 1:
            continue
        cause = next((by_unit[one] for one in way if one in by_unit), None)
        cause = cause or next((act for act in acts if act.target in way), None)
        if cause is not None:
            column = "new_parent_code" if cause.parent else "target_code"
            errors.setdefault(cause.line, RowError(cause.line, column, "parent_circle"))
    return list(errors.values())
