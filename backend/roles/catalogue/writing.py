"""A catalogue as its file, in the form that `reading` takes and finds the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from backend.roles.catalogue.entries import (
    Approval,
    Catalogue,
    FormField,
    Grant,
    Incompatible,
    Movement,
    Named,
    Option,
    Position,
    SubjectType,
    usual_length,
)
from backend.roles.catalogue.reading import FORMAT

Value = str | int | bool | date | tuple[str, ...] | None


def written(catalogue: Catalogue) -> str:
    """The file."""
    parts = [
        f"version = {FORMAT}",
        f"concurrent_limit = {catalogue.concurrent_limit}",
        *_tables("subject_types", map(_subject_type, catalogue.subject_types.values())),
        *_tables("positions", map(_position, catalogue.positions.values())),
        *_tables("grants", map(_grant, catalogue.grants.values())),
        *_tables("movements", map(_movement, catalogue.movements.values())),
        *_tables("incompatible", map(_pair, catalogue.incompatible)),
        *_tables("approvals", map(_approval, catalogue.approvals)),
    ]
    return "\n".join(parts) + "\n"


def value(what: Value) -> str:
    """One value as TOML writes it; a text as JSON does, whose escapes TOML shares."""
    match what:
        case bool():
            return "true" if what else "false"
        case str():
            return msgspec.json.encode(what).decode()
        case date():
            return what.isoformat()
        case tuple():
            return f"[{', '.join(map(value, what))}]"
    return str(what)


def _tables(name: str, entries: Iterable[Iterator[str]]) -> Iterator[str]:
    for entry in entries:
        yield f"\n[[{name}]]"
        yield from entry


def _lines(**values: Value) -> Iterator[str]:
    """Keys with their values; what is nothing, an empty list or a no is left out, as it is where nothing is said."""
    return (
        f"{key} = {value(what)}"
        for key, what in values.items()
        if what is not None and what is not False and what != ()
    )


def _words(named: Named) -> dict[str, str]:
    return {"label": named.label, "label_en": named.label_en}


def _subject_type(kind: SubjectType) -> Iterator[str]:
    yield from _lines(code=kind.code, **_words(kind), grants=kind.grants, floor=kind.floor)
    yield from _lines(vouched_by=kind.vouched_by, until=kind.until)
    for field in kind.fields:
        yield "\n[[subject_types.fields]]"
        yield from _field(field)


def _field(field: FormField) -> Iterator[str]:
    yield from _lines(name=field.name, **_words(field), type=field.type.value)
    longest = field.longest if field.longest != usual_length(field.type) else None
    yield from _lines(required=field.required, longest=longest, personal=field.personal, until=field.until)
    if field.options:
        yield "options = ["
        yield from (f"    {{ {', '.join(_option(option))} }}," for option in field.options)
        yield "]"


def _option(option: Option) -> Iterator[str]:
    return _lines(value=option.value, **_words(option), until=option.until)


def _position(post: Position) -> Iterator[str]:
    yield from _lines(code=post.code, **_words(post), subject_types=post.subject_types)
    yield from _lines(grants=post.grants, leading=post.leading, until=post.until)


def _grant(grant: Grant) -> Iterator[str]:
    return _lines(code=grant.code, **_words(grant), systems=grant.systems)


def _movement(one: Movement) -> Iterator[str]:
    words = _words(one)
    return _lines(code=one.code, **words, longest_days=one.longest_days, back_days=one.back_days)


def _pair(pair: Incompatible) -> Iterator[str]:
    yield from _lines(positions=pair.positions)
    yield f"two_people = {value(pair.two_people)}"


def _approval(rule: Approval) -> Iterator[str]:
    return _lines(kind=rule.kind, position=rule.position, needs=rule.needs)
