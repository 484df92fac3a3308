"""A catalogue from its file (rule 602): every table and key is known, or it is an error with its remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from backend.imports.plan import in_order
from backend.imports.rows import ImportRefused, RowError
from backend.roles.catalogue import checking
from backend.roles.catalogue.entries import (
    MOVEMENTS,
    SURE,
    VOUCHED,
    Approval,
    Catalogue,
    FieldType,
    FormField,
    Grant,
    Incompatible,
    Movement,
    Option,
    Position,
    SubjectType,
    usual_length,
)
from backend.roles.catalogue.part import File, Part

FORMAT = 1
BYTES_MOST = 2_000_000
FIELDS_MOST = 40  # that a request may carry
SUBJECT_LONGEST = 30
DAYS_MOST = 36_500
FIELD_TYPES = tuple(kind.value for kind in FieldType)
VOUCHERS = (*VOUCHED, "certificate")
KINDS = ("register", "amend", "transfer", "end", "concurrent")

Entry = TypeVar("Entry")


class Found(NamedTuple):
    """What a file says, and in which line each entry stands, by `table code`."""

    catalogue: Catalogue
    lines: Mapping[str, int]


def read(data: bytes, base: Mapping[str, Movement]) -> Found:
    """The catalogue of a file; raises ImportRefused. `base` are the movements where the file does not say."""
    if len(data) > BYTES_MOST:
        raise ImportRefused([RowError(1, "", "file_too_large", {"most": str(BYTES_MOST // 1_000_000)})])
    try:
        text = data.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ImportRefused([RowError(1, "", "not_toml_utf8")]) from error
    except (ValueError, RecursionError) as error:  # what nests deeper, or is longer, than the parser goes
        raise ImportRefused([RowError(1, "", "not_toml", {"said": str(error)})]) from error
    file = File(text)
    top = Part(file, (), tables)
    found = _tables(top, base)
    top.end(tables=True)
    if file.errors:
        once = {(error.line, error.column, error.reason): error for error in file.errors}
        raise ImportRefused(in_order([*once.values()]))
    return found


def _tables(top: Part, base: Mapping[str, Movement]) -> Found:
    if top.number("version", FORMAT, FORMAT) != FORMAT:
        top.wrong("version", "out_of_range", low=FORMAT, high=FORMAT)
    limit = top.number("concurrent_limit", 0, 20, 3)
    kinds, kind_parts = _coded(top, "subject_types", _subject_type)
    posts, post_parts = _coded(top, "positions", _position)
    grants, grant_parts = _coded(top, "grants", _grant)
    movements, movement_parts = _coded(top, "movements", lambda part: _movement(part, base))
    pairs = [(part, _pair(part)) for part in top.parts("incompatible", named="positions")]
    rules = [(part, _approval(part)) for part in top.parts("approvals", named="kind")]
    catalogue = Catalogue(
        kinds,
        posts,
        grants,
        {code: movements.get(code) or base[code] for code in MOVEMENTS if code in movements or code in base},
        tuple(pair for _, pair in pairs if pair),
        tuple(rule for _, rule in rules),
        limit,
    )
    checking.check(catalogue, top, kind_parts, post_parts, pairs, rules)
    parts = (*kind_parts, *post_parts, *grant_parts, *movement_parts)
    lines = {f"{part.path[0]} {part.name}": part.line for part in parts}
    return Found(catalogue, lines)


def _coded(top: Part, table: str, make: Callable[[Part], Entry]) -> tuple[dict[str, Entry], list[Part]]:
    """The entries of a table by their codes, and where each was read."""
    found: dict[str, Entry] = {}
    parts = top.parts(table)
    for part in parts:
        code = part.code(longest=SUBJECT_LONGEST) if table == "subject_types" else part.code()
        entry = make(part)
        part.end()
        if code in found:
            part.wrong("code", "code_twice")
        found[code] = entry
    return found, parts


def _subject_type(part: Part) -> SubjectType:
    fields = part.parts("fields", named="name")
    if sum(not one.has("until") for one in fields) > FIELDS_MOST:
        part.wrong("fields", "too_many", most=FIELDS_MOST)
    made = SubjectType(
        code=part.code(longest=SUBJECT_LONGEST),
        **part.words(),
        fields=tuple(_field(one) for one in fields),
        grants=part.codes("grants"),
        floor=part.number("floor", 1, 4, SURE),
        vouched_by=part.texts("vouched_by") or VOUCHED,
        until=part.day("until"),
    )
    if not set(made.vouched_by) <= set(VOUCHERS):
        part.wrong("vouched_by", "bad_choice", known=", ".join(VOUCHERS))
    checking.check_twins(part, "fields", [field.name for field in made.fields])
    return made


def _field(part: Part) -> FormField:
    kind = FieldType(part.choice("type", FIELD_TYPES))
    options = part.parts("options", named="value")
    made = FormField(
        name=part.code("name"),
        **part.words(),
        type=kind,
        required=part.flag("required"),
        options=tuple(_option(one) for one in options),
        longest=part.number("longest", 1, 1000, usual_length(kind)),
        personal=part.flag("personal"),
        until=part.day("until"),
    )
    part.end()
    checking.check_field(part, made)
    return made


def _option(part: Part) -> Option:
    made = Option(value=part.text("value", longest=80), **part.words(), until=part.day("until"))
    part.end()
    return made


def _position(part: Part) -> Position:
    return Position(
        code=part.code(),
        **part.words(),
        subject_types=part.codes("subject_types", required=True, longest=SUBJECT_LONGEST),
        grants=part.codes("grants"),
        leading=part.flag("leading"),
        until=part.day("until"),
    )


def _grant(part: Part) -> Grant:
    return Grant(code=part.code(), **part.words(), systems=part.texts("systems"))


def _movement(part: Part, base: Mapping[str, Movement]) -> Movement:
    """One of the shipped ones adjusted; what the file does not say of it stays as it is shipped."""
    code = part.code()
    if code and code not in MOVEMENTS:
        part.wrong("code", "no_new_movement", known=", ".join(MOVEMENTS))
    usual = base.get(code)
    says_words = part.has("label") or part.has("label_en")
    words = _words(usual) if usual and not says_words else part.words()
    return Movement(
        code=code,
        **words,
        longest_days=part.number("longest_days", 0, DAYS_MOST, usual.longest_days if usual else 0),
        back_days=part.number("back_days", 0, DAYS_MOST, usual.back_days if usual else 0),
    )


def _words(usual: Movement) -> dict[str, str]:
    return {"label": usual.label, "label_en": usual.label_en}


def _pair(part: Part) -> Incompatible | None:
    posts, two_people = part.codes("positions", required=True), part.flag("two_people", required=True)
    part.end()
    if len(posts) != 2:
        if part.has("positions"):
            part.wrong("positions", "two_codes")
        return None
    return Incompatible((posts[0], posts[1]), two_people)


def _approval(part: Part) -> Approval:
    needs = part.number("needs", 1, 2)
    kind = part.choice("kind", KINDS) if part.has("kind") else None
    position = part.code("position") if part.has("position") else None
    part.end()
    if (kind is None) == (position is None):
        part.wrong("", "kind_or_position")
    return Approval(needs, kind, position)
