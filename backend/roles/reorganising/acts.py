"""Rows of a file of reorganisation, checked one by one and against the tree (rule 640)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from backend.imports.rows import Record, Row, RowError
from backend.roles.appointments import read_day
from backend.roles.unit_rows import ROOT
from backend.roles.unit_tree import Tree, has_ended, not_there

MERGE, SPLIT, RENAME, MOVE, END = "merge", "split", "rename", "move", "end"
ACTIONS = (MERGE, SPLIT, RENAME, MOVE, END)
CLOSING = (MERGE, SPLIT, END)  # after which a unit is no longer there, but a split that names itself
COLUMNS = ("action", "unit_code", "target_code", "new_name", "new_parent_code", "effective_on")
REQUIRED = ("action", "unit_code")
WANTS = {  # what an action cannot do without, and what it may have
    MERGE: (("target_code",), ("new_name",)),
    SPLIT: (("target_code",), ()),
    END: (("target_code",), ()),
    RENAME: (("new_name",), ("new_parent_code",)),
    MOVE: (("new_parent_code",), ("new_name",)),
}


class Act(msgspec.Struct, frozen=True):
    """One row: what becomes of one unit, by codes."""

    line: int
    action: str
    unit: str
    target: str
    name: str
    parent: str
    on: date


def read(records: Sequence[Record], errors: list[RowError], today: date) -> list[Act]:
    """The rows, and in `errors` what is wrong with each by itself."""
    return [_read(record, errors, today) for record in records]


def _read(record: Record, errors: list[RowError], today: date) -> Act:
    row = Row(record, errors)
    action = row.text("action", longest=20, required=True).casefold()
    cells = {name: row.text(name, longest=200 if name == "new_name" else 40) for name in COLUMNS[2:5]}
    unit, on = row.text("unit_code", longest=40, required=True), today
    text = row.text("effective_on", longest=30, required=row.has("effective_on"))
    try:
        on = read_day(text) if text else today
    except ValueError:
        row.wrong("effective_on", "bad_day")
    if action and action not in ACTIONS:
        row.wrong("action", "unknown_action", known=", ".join(ACTIONS))
        action = ""
    if action:
        needed, allowed = WANTS[action]
        for name, value in cells.items():
            if name in needed and not value:
                row.wrong(name, "required")
            elif value and name not in (*needed, *allowed):
                row.wrong(name, "not_for_action", action=action)
    return Act(
        record.line, action, unit, cells["target_code"], cells["new_name"], cells["new_parent_code"], on
    )


def closing(acts: Sequence[Act]) -> dict[str, Act]:
    """By code, the units that are no longer there afterwards."""
    staying = {act.unit for act in acts if act.action == SPLIT and act.target == act.unit}
    return {act.unit: act for act in reversed(acts) if act.action in CLOSING and act.unit not in staying}


def successors(acts: Sequence[Act]) -> dict[str, str]:
    """By code of a unit that is no longer there, who takes its work over; of several the first."""
    return {code: act.target for code, act in closing(acts).items()}


def against(acts: Sequence[Act], known: Tree, today: date) -> list[RowError]:
    """Units that are not there, or come twice; targets and parents that end in the same file; units into themselves."""
    ends, first = closing(acts), dict[str, Act]()
    errors: list[RowError] = []
    for act in acts:
        errors += _there(act, known, today)
        before = first.setdefault(act.unit, act)
        pair = act.action == SPLIT == before.action
        if act.unit and before is not act and not (pair and _is_new(act, acts)):
            errors.append(RowError(act.line, "unit_code", "comes_twice", {"first": str(before.line)}))
        if act.target == act.unit != "" and act.action != SPLIT:
            errors.append(RowError(act.line, "target_code", "target_itself"))
        for column, code in (("target_code", act.target), ("new_parent_code", act.parent)):
            if code in ends and code != act.unit:
                errors.append(RowError(act.line, column, "target_ends", {"first": str(ends[code].line)}))
    return errors + _names(acts)


def _is_new(act: Act, acts: Sequence[Act]) -> bool:
    """Whether no earlier row splits the same unit into the same target."""
    return not any(one.unit == act.unit and one.target == act.target and one.line < act.line for one in acts)


def _there(act: Act, known: Tree, today: date) -> list[RowError]:
    cells = {"unit_code": act.unit, "target_code": act.target, "new_parent_code": act.parent}
    errors = []
    for column, code in cells.items():
        if not code or (column == "new_parent_code" and code == ROOT):
            continue
        place = known.get(code)
        if place is None:
            errors.append(not_there(act.line, column, code, known))
        elif has_ended(place, max(act.on, today)):
            values = {"on": f"{place.ended_on:%d/%m/%Y}"}
            errors.append(RowError(act.line, column, "unit_over", values))
    return errors


def _names(acts: Sequence[Act]) -> list[RowError]:
    """A unit cannot be called two things."""
    named: dict[str, Act] = {}
    errors = []
    for act in acts:
        if not act.name:
            continue
        before = named.setdefault(act.target if act.action == MERGE else act.unit, act)
        if before.name != act.name:
            errors.append(RowError(act.line, "new_name", "name_differs", {"first": str(before.line)}))
    return errors


def names_after(acts: Sequence[Act]) -> Mapping[str, str]:
    """The new names by code."""
    return {(act.target if act.action == MERGE else act.unit): act.name for act in acts if act.name}
