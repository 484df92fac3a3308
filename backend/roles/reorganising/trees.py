"""A plan as two trees, before and after: the units that it concerns, and what stands above them (rule 640)."""

from __future__ import annotations

from uuid import UUID

import msgspec

from backend.roles.reorganising.plan import Plan, concerned
from backend.roles.unit_tree import Place, Tree, has_ended

ENDS, NAMED, PLACED = "ends", "named", "placed"


class Node(msgspec.Struct):
    """One unit in one of the trees; `change` says in one word what becomes of it, or nothing."""

    code: str
    name: str
    change: str
    gains: int
    loses: int
    below: list[Node] = []


def before_and_after(plan: Plan) -> tuple[list[Node], list[Node]]:
    """Both, from the top, each by code."""
    counts = {code: (gains, loses) for code, gains, loses in plan.counts()}
    on = plan.wanted.on
    over = {code for code, place in plan.after.items() if has_ended(place, on)}
    gone = {code for code in over if has_ended(plan.known[code], on)}  # long before
    touched = concerned(plan.wanted.acts) | {
        code for code, place in plan.after.items() if _change(plan.known[code], place)
    }
    changes = {
        code: ENDS if code in over else _change(plan.known[code], plan.after[code]) for code in touched
    }
    before = _drawn(
        plan.known, touched - gone, changes, {code: (0, lost) for code, (_, lost) in counts.items()}
    )
    after = _drawn(plan.after, touched - over, changes, {code: (won, 0) for code, (won, _) in counts.items()})
    return before, after


def _change(was: Place, becomes: Place) -> str:
    if was.name != becomes.name:
        return NAMED
    return PLACED if was.parent_id != becomes.parent_id else ""


def _drawn(
    tree: Tree, wanted: set[str], changes: dict[str, str], counts: dict[str, tuple[int, int]]
) -> list[Node]:
    """The wanted units with everything above them."""
    codes = {place.id: code for code, place in tree.items()}
    shown: dict[UUID, Node] = {}
    top: list[Node] = []
    for code in sorted(wanted):
        for part in tree[code].path.strip("/").split("/"):
            one = tree[codes[UUID(part)]]
            if one.id in shown:
                continue
            gains, loses = counts.get(one.code, (0, 0))
            shown[one.id] = Node(one.code, one.name, changes.get(one.code, ""), gains, loses)
            (shown[one.parent_id].below if one.parent_id else top).append(shown[one.id])
    for node in shown.values():
        node.below.sort(key=lambda below: below.code)
    return sorted(top, key=lambda node: node.code)
