"""Whether the entries of a catalogue fit each other."""

from __future__ import annotations

from collections.abc import Sequence

from backend.roles.catalogue.entries import Approval, Catalogue, FieldType, FormField, Incompatible
from backend.roles.catalogue.part import Part

# what the directory fills in and other systems are told of (backend/roles/staff.py): the type is not free
TYPES_OF = {"official_email": FieldType.EMAIL, "employee_code": FieldType.TEXT}


def check(
    catalogue: Catalogue,
    top: Part,
    kinds: Sequence[Part],
    posts: Sequence[Part],
    pairs: Sequence[tuple[Part, Incompatible | None]],
    rules: Sequence[tuple[Part, Approval]],
) -> None:
    """Say at its place what names something that is not there, or says something twice."""
    for table, there in (("subject_types", kinds), ("positions", posts)):
        if not there:
            top.wrong(table, "table_empty", table=table)
    for part, kind in zip(kinds, map(catalogue.subject_types.get, _codes(kinds)), strict=True):
        if kind is not None:
            part.known("grants", kind.grants, catalogue.grants, "grants")
    for part, post in zip(posts, map(catalogue.positions.get, _codes(posts)), strict=True):
        if post is not None:
            part.known("subject_types", post.subject_types, catalogue.subject_types, "subject_types")
            part.known("grants", post.grants, catalogue.grants, "grants")
    _check_pairs(catalogue, pairs)
    _check_rules(catalogue, rules)


def check_field(part: Part, field: FormField) -> None:
    """A choice has something to choose from, and nothing else has."""
    if field.type is FieldType.SELECT and not field.options:
        part.wrong("options", "options_missing")
    if field.type is not FieldType.SELECT and field.options:
        part.wrong("options", "options_unwanted")
    wanted = TYPES_OF.get(field.name, field.type)
    if field.type is not wanted:
        part.wrong("type", "bad_choice", known=wanted.value)
    check_twins(part, "options", [option.value for option in field.options])


def check_twins(part: Part, key: str, names: Sequence[str]) -> None:
    """Say which name comes twice."""
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        part.wrong(key, "name_twice", name=name)


def _check_pairs(catalogue: Catalogue, pairs: Sequence[tuple[Part, Incompatible | None]]) -> None:
    seen: list[set[str]] = []
    for part, pair in pairs:
        if pair is not None:
            part.known("positions", pair.positions, catalogue.positions, "positions")
            if set(pair.positions) in seen:
                part.wrong("positions", "said_twice")
            seen.append(set(pair.positions))


def _check_rules(catalogue: Catalogue, rules: Sequence[tuple[Part, Approval]]) -> None:
    seen: list[tuple[str | None, str | None]] = []
    for part, rule in rules:
        if rule.position is not None:
            part.known("position", [rule.position], catalogue.positions, "positions")
        if (rule.kind, rule.position) in seen:
            part.wrong("", "said_twice")
        seen.append((rule.kind, rule.position))


def _codes(parts: Sequence[Part]) -> list[str]:
    return [part.name for part in parts]
