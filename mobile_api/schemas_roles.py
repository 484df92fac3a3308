"""What crosses the wire about roles, units and the catalogue (rule 601). Requests: schemas_requests.py."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from backend.roles.catalogue.entries import FormField, Position, SubjectType
from backend.roles.staff import Prefill
from backend.roles.units import UnitView
from backend.roles.views import RoleView
from backend.words import say


class OptionOut(msgspec.Struct):
    """One choice of a select field."""

    value: str
    label: str


class FieldOut(msgspec.Struct, omit_defaults=True):
    """One field of a form; `type` is text, date, email or select."""

    name: str
    label: str
    type: str
    required: bool
    max_length: int
    options: list[OptionOut] | None = None

    @classmethod
    def of(cls, field: FormField, lang: str, today: date) -> FieldOut:
        """The field with its words in the caller's language."""
        options = [OptionOut(option.value, say(option.words, lang)) for option in field.choices(today)]
        return cls(
            field.name,
            say(field.words, lang),
            field.type.value,
            field.required,
            field.longest,
            options or None,
        )


class SubjectTypeOut(msgspec.Struct):
    """A subject type, the assurance level that it needs, its form, and whose word about the person it needs."""

    code: str
    label: str
    assurance_level: int
    fields: list[FieldOut]
    vouched_by: list[str]

    @classmethod
    def of(cls, kind: SubjectType, lang: str, today: date) -> SubjectTypeOut:
        """The subject type with its words in the caller's language."""
        fields = [FieldOut.of(field, lang, today) for field in kind.form(today)]
        return cls(kind.code, say(kind.words, lang), kind.floor, fields, list(kind.vouched_by))


class SubjectTypeList(msgspec.Struct):
    """All subject types."""

    items: list[SubjectTypeOut]
    next_cursor: str | None = None


class PositionOut(msgspec.Struct):
    """A position, and the subject types that may hold it."""

    code: str
    label: str
    subject_types: list[str]

    @classmethod
    def of(cls, post: Position, lang: str) -> PositionOut:
        """The position with its words in the caller's language."""
        return cls(post.code, say(post.words, lang), list(post.subject_types))


class PositionList(msgspec.Struct):
    """The positions of a subject type, or all."""

    items: list[PositionOut]
    next_cursor: str | None = None


class UnitList(msgspec.Struct):
    """Units by code."""

    items: list[UnitView]
    next_cursor: str | None = None


class RoleList(msgspec.Struct):
    """One's own roles, what is in force first; what has ended has pages."""

    items: list[RoleView]
    next_cursor: str | None = None


class PrefillOut(msgspec.Struct):
    """The form as the staff directory would fill it in; `mismatches` name what differs from the e-ID."""

    unit: UUID
    unit_code: str
    unit_name: str
    subject_type: str | None
    position: str | None
    full_name: str
    birth_date: str
    fields: dict[str, str]
    mismatches: list[str]
    hotlines: dict[str, str]

    @classmethod
    def of(cls, found: Prefill, hotlines: dict[str, str]) -> PrefillOut:
        """The hot lines come along, for the case that something does not match (source 003, VI)."""
        return cls(
            found.unit_id,
            found.unit_code,
            found.unit_name,
            found.subject_type,
            found.position,
            found.full_name,
            found.birth_date,
            found.fields,
            found.mismatches,
            hotlines,
        )
