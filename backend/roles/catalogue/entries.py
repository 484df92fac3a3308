"""What stands in a catalogue: subject types with their forms, positions, and what both grant (rule 602).

The four subject types of the shipped one are those of source 003, told apart as the Law on cadres
and civil servants does (rule 621). Whatever is closed (`until`) takes nobody any more, and goes on meaning
what it means for whoever has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import TypeVar

import msgspec

from backend.words import Label

VOUCHED = ("vneid",)  # who asks for a role has come by VNeID (source 003, IV)
# every way in which a role comes, changes and goes; a catalogue adjusts them and invents none
MOVEMENTS = (
    "register", "amend", "transfer", "rotation", "secondment", "appointment", "dismissal", "concurrent",
    "suspension", "separation", "end",
)  # fmt: skip
SURE = 2  # the assurance level that is asked for where nothing says otherwise


class FieldType(Enum):
    """How a form field is typed in and checked."""

    TEXT = "text"
    DATE = "date"
    EMAIL = "email"
    SELECT = "select"


def usual_length(kind: FieldType) -> int:
    """How long a field's value may be where the form does not say."""
    return 254 if kind is FieldType.EMAIL else 80


class Named(msgspec.Struct, frozen=True):
    """What has words of its own, in both languages."""

    label: str
    label_en: str

    @property
    def words(self) -> Label:
        """As it is shown."""
        return Label(self.label, self.label_en)


class Option(Named, frozen=True, kw_only=True):
    """One choice of a select field."""

    value: str
    until: date | None = None


class FormField(Named, frozen=True, kw_only=True):
    """One field of a subject type's form; `personal` says that an operator does not read it."""

    name: str
    type: FieldType
    required: bool = False
    options: tuple[Option, ...] = ()
    longest: int = 80
    personal: bool = False
    until: date | None = None

    def choices(self, today: date) -> tuple[Option, ...]:
        """What may be chosen today."""
        return tuple(still_open(self.options, today))


class SubjectType(Named, frozen=True, kw_only=True):
    """A kind of person in public service: its form, the assurance that it needs, and what it grants.

    `vouched_by`: whose word about the person counts for it, `vneid` (of level 2) and perhaps `certificate`.
    """

    code: str
    fields: tuple[FormField, ...] = ()
    grants: tuple[str, ...] = ()
    floor: int = SURE
    vouched_by: tuple[str, ...] = VOUCHED
    until: date | None = None

    def field(self, name: str) -> FormField | None:
        """The form field of that name, closed or not."""
        return next((field for field in self.fields if field.name == name), None)

    def form(self, today: date) -> tuple[FormField, ...]:
        """What is asked for today."""
        return tuple(still_open(self.fields, today))


class Position(Named, frozen=True, kw_only=True):
    """A post that somebody of certain subject types may hold."""

    code: str
    subject_types: tuple[str, ...]
    grants: tuple[str, ...] = ()
    leading: bool = False
    until: date | None = None


class Grant(Named, frozen=True, kw_only=True):
    """A role in other systems: in those that it names, or in all."""

    code: str
    systems: tuple[str, ...] = ()

    def counts_at(self, system: str) -> bool:
        """Whether the system of that name hears of it."""
        return not self.systems or system in self.systems


class Movement(Named, frozen=True, kw_only=True):
    """How long a movement may last at the longest (0: no bound), and how far back it may begin."""

    code: str
    longest_days: int = 0
    back_days: int = 0


class Incompatible(msgspec.Struct, frozen=True):
    """Two posts that one person does not hold at once, or with `two_people` only by two people's word."""

    positions: tuple[str, str]
    two_people: bool


class Approval(msgspec.Struct, frozen=True):
    """How many people have to say yes, to a kind of request or to whoever gets a position."""

    needs: int
    kind: str | None = None
    position: str | None = None


Closable = TypeVar("Closable", Option, FormField, SubjectType, Position)


def is_open(entry: Option | FormField | SubjectType | Position, today: date) -> bool:
    """Whether it may be asked for; `until` is the last day."""
    return entry.until is None or today <= entry.until


def still_open(entries: Iterable[Closable], today: date) -> list[Closable]:
    """Those that may be asked for, in their order."""
    return [entry for entry in entries if is_open(entry, today)]


class Catalogue(msgspec.Struct, frozen=True):
    """A whole catalogue; entries in the order of the file."""

    subject_types: Mapping[str, SubjectType]
    positions: Mapping[str, Position]
    grants: Mapping[str, Grant]
    movements: Mapping[str, Movement]
    incompatible: tuple[Incompatible, ...] = ()
    approvals: tuple[Approval, ...] = ()
    concurrent_limit: int = 3

    def positions_for(self, subject_type: str | None, today: date) -> list[Position]:
        """The posts that a subject type may be given today; without one, all."""
        posts = still_open(self.positions.values(), today)
        return [post for post in posts if subject_type is None or subject_type in post.subject_types]

    def grants_of(self, subject_type: str, position: str, system: str) -> list[Grant]:
        """What a post gives in a system; codes that have left the catalogue give nothing."""
        kind, post = self.subject_types.get(subject_type), self.positions.get(position)
        codes = (*(kind.grants if kind else ()), *(post.grants if post else ()))
        found = (self.grants[code] for code in dict.fromkeys(codes))
        return [grant for grant in found if grant.counts_at(system)]

    def shut(self, subject_type: str, position: str, today: date) -> list[str]:
        """Which of the two is there and takes nobody any more."""
        kind, post = self.subject_types.get(subject_type), self.positions.get(position)
        entries = {"subject_type": kind, "position": post}
        return [name for name, entry in entries.items() if entry and not is_open(entry, today)]

    def subject_label(self, code: str) -> Label:
        """The words for a subject type."""
        return self.subject_types[code].words if code in self.subject_types else Label(code, code)

    def position_label(self, code: str) -> Label:
        """The words for a position."""
        return self.positions[code].words if code in self.positions else Label(code, code)

    def movement_label(self, code: str) -> Label:
        """The words for a movement."""
        return self.movements[code].words if code in self.movements else Label(code, code)

    def floor(self, subject_type: str) -> int:
        """The assurance level that a subject type asks for."""
        return self.subject_types[subject_type].floor if subject_type in self.subject_types else SURE

    def vouched_by(self, subject_type: str) -> tuple[str, ...]:
        """Whose word about the person counts for a subject type."""
        return self.subject_types[subject_type].vouched_by if subject_type in self.subject_types else VOUCHED

    def keeps_apart(self, position: str) -> bool:
        """Whether any rule is about this post beside another."""
        return any(position in rule.positions for rule in self.incompatible)

    def conflict(self, one: str, other: str) -> Incompatible | None:
        """The rule about one person in both posts, if there is one."""
        return next((rule for rule in self.incompatible if {*rule.positions} == {one, other}), None)

    def needs(self, kind: str, position: str) -> int:
        """How many people have to say yes."""
        fitting = (rule.needs for rule in self.approvals if kind == rule.kind or position == rule.position)
        return max(fitting, default=1)
