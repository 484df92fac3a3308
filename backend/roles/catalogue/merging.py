"""What comes of a file and the catalogue in force: what is in use is closed, never removed; and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from backend.imports.plan import Field
from backend.roles.catalogue.entries import (
    Catalogue,
    FieldType,
    FormField,
    Named,
    Option,
    Position,
    SubjectType,
)

TABLES = ("subject_types", "positions", "grants", "movements")
NAMES = ("code", "name", "value")  # the key by which an entry, a field, an option is told from others


class Used(NamedTuple):
    """Codes that a role, a request or the directory names, now or once."""

    subject_types: frozenset[str]
    positions: frozenset[str]


def merged(current: Catalogue, wanted: Catalogue, used: Used, last_day: date) -> Catalogue:
    """The file, and closed since `last_day` whatever it lacks and somebody has; its grants and rules stay with it."""
    posts = dict(wanted.positions)
    for code, post in current.positions.items():
        if code not in posts and code in used.positions:
            posts[code] = _closed_post(post, last_day)
    needed = used.subject_types | {kind for post in posts.values() for kind in post.subject_types}
    kinds = {
        code: _with_old_fields(kind, current.subject_types[code], last_day)
        if code in used.subject_types and code in current.subject_types
        else kind
        for code, kind in wanted.subject_types.items()
    }
    for code, kind in current.subject_types.items():
        if code not in kinds and code in needed:
            kinds[code] = msgspec.structs.replace(kind, until=_sooner(kind.until, last_day))
    grants = dict(wanted.grants)
    granted = [entry.grants for entry in kinds.values()] + [entry.grants for entry in posts.values()]
    for codes in granted:
        grants |= {code: current.grants[code] for code in codes if code not in grants}
    closed = (
        posts.keys() - wanted.positions.keys()
    )  # of these the file cannot say anything: what was said stays
    pairs = [
        pair
        for pair in current.incompatible
        if closed & {*pair.positions} and posts.keys() >= {*pair.positions}
    ]
    rules = [rule for rule in current.approvals if rule.position in closed]
    return msgspec.structs.replace(
        wanted,
        subject_types=kinds,
        positions=posts,
        grants=grants,
        incompatible=(*wanted.incompatible, *pairs),
        approvals=(*wanted.approvals, *rules),
    )


def flat(catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """Every entry by `table code`, as keys with texts: to be compared, and shown."""
    found: dict[str, dict[str, str]] = {}
    for table in TABLES:
        entries: Mapping[str, Named] = getattr(catalogue, table)
        for code, entry in entries.items():
            found[f"{table} {code}"] = dict(_texts(msgspec.to_builtins(entry), ""))
    for pair in catalogue.incompatible:
        found[f"incompatible {'+'.join(sorted(pair.positions))}"] = {"two_people": _text(pair.two_people)}
    for rule in catalogue.approvals:
        found[f"approvals {rule.kind or rule.position}"] = {"needs": str(rule.needs)}
    found["concurrent_limit"] = {"concurrent_limit": str(catalogue.concurrent_limit)}
    return found


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Field, ...]:
    """What of an entry is another, key by key."""
    keys = dict.fromkeys((*old, *new))
    return tuple(
        Field(key, old.get(key, ""), new.get(key, "")) for key in keys if old.get(key, "") != new.get(key, "")
    )


def _closed_post(post: Position, last_day: date) -> Position:
    return msgspec.structs.replace(post, until=_sooner(post.until, last_day))


def _sooner(until: date | None, last_day: date) -> date:
    return min(until or last_day, last_day)


def _with_old_fields(kind: SubjectType, old: SubjectType, last_day: date) -> SubjectType:
    """What was filled in keeps its words, though nobody is asked for it any more."""
    fields = [_with_old_options(field, old.field(field.name), last_day) for field in kind.fields]
    names = {field.name for field in fields}
    gone = [field for field in old.fields if field.name not in names]
    closed = [msgspec.structs.replace(field, until=_sooner(field.until, last_day)) for field in gone]
    return msgspec.structs.replace(kind, fields=(*fields, *closed))


def _with_old_options(field: FormField, old: FormField | None, last_day: date) -> FormField:
    if old is None or field.type is not FieldType.SELECT:
        return field
    values = {option.value for option in field.options}
    gone = [option for option in old.options if option.value not in values]
    closed: list[Option] = [
        msgspec.structs.replace(option, until=_sooner(option.until, last_day)) for option in gone
    ]
    return msgspec.structs.replace(field, options=(*field.options, *closed))


def _texts(what: Any, path: str) -> Iterator[tuple[str, str]]:
    match what:
        case dict():
            for key, value in what.items():
                if key not in NAMES:
                    yield from _texts(value, f"{path}.{key}" if path else key)
        case [dict(), *_]:
            for one in what:
                name = next(one[key] for key in NAMES if key in one)
                yield from _texts(one, f"{path}.{name}")
        case list():
            yield path, ", ".join(map(str, what))
        case _:
            yield path, _text(what)


def _text(what: object) -> str:
    if isinstance(what, bool):
        return "true" if what else "false"
    return "" if what is None else str(what)
