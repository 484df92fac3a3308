"""What the pages and the app are shown of requests and roles; decrypted for whoever may see it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from backend.errors import Refusal
from backend.outbox.states import SyncState
from backend.roles.beside import Beside
from backend.roles.compared import Comparison
from backend.words import Label

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item]):
    """Some items, and where the next ones begin."""

    items: list[Item]
    next_cursor: str | None = None


class Applicant(msgspec.Struct, frozen=True):
    """Whom a request is about; the number is masked, and `level` counts on the scale `scheme`."""

    name: str
    national_id: str
    scheme: str
    level: int


class FieldView(msgspec.Struct, frozen=True):
    """One filled field of the form."""

    label: str
    value: str


class StepView(msgspec.Struct, frozen=True):
    """One unit's word, or that it is awaited."""

    duty: str
    unit: str
    unit_id: UUID
    unit_code: str
    decision: str | None
    by: str | None
    at: datetime | None
    reason: str | None
    lent_by: str | None = None  # whose word a delegate said
    lent_until: date | None = None
    above: bool = False  # said by the unit above, because the nearer one was late


class Difference(msgspec.Struct, frozen=True):
    """One thing that a correction changed: codes as they are kept, and the same in words."""

    field: str
    label: str
    old: str
    new: str
    old_words: str
    new_words: str


class Return(msgspec.Struct, frozen=True):
    """Which unit returned a request, when and why."""

    unit: str
    at: datetime
    reason: str


class Correction(msgspec.Struct, frozen=True):
    """Who corrected a request, when, why it had been returned, and what is different since."""

    by: str
    at: datetime
    differences: list[Difference]
    returned: list[Return] = []


class Outlook(msgspec.Struct, frozen=True):
    """What goes with a role: the appointment, and what becomes of the requests that its unit decides."""

    unit: str
    unit_code: str
    is_last: bool
    waiting: int
    then: str | None  # the unit that decides them afterwards
    undecided: int


class Change(msgspec.Struct, frozen=True):
    """One thing that will be different in a system: a sentence of the catalogue, and about what."""

    text: str
    value: str = ""


class Effect(msgspec.Struct, frozen=True):
    """What an approval will change in one system."""

    system: str
    changes: list[Change]


class Why(msgspec.Struct, frozen=True):
    """Why this request waits for the reader: the duty, and the unit that it is about."""

    duty: str
    unit: str
    lent_by: str | None = None  # whose delegate the reader is, and to which day
    lent_until: date | None = None


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """One request in full, for one reader."""

    id: UUID
    account_id: UUID
    kind: str
    movement: str
    movement_words: Label
    status: str
    version: int
    applicant: Applicant
    unit: str
    unit_code: str
    from_unit: str | None
    subject_type: str
    subject_code: str
    position: str
    position_code: str
    fields: list[FieldView]
    papers: dict[str, str]  # what the movement rests on, as it was typed
    note: str | None
    effective_on: date | None
    until_on: date | None
    created_by: str
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    steps: list[StepView]
    effects: list[Effect]
    compared: Comparison | None  # for whoever may say a word now
    unproved_address: bool  # an official address that the staff directory does not give to this number (A08)
    sync: list[SyncState]
    corrections: list[Correction]
    denied: bool
    why_you: list[Why]
    why_not_decide: Refusal | None
    why_not_approve: Refusal | None  # of the yes alone
    needs: int  # how many people have to say yes, and how many have
    given: int
    conflict: tuple[Label, Label] | None  # two posts that one person does not hold at once
    at_stake: Outlook | None
    beside: list[Beside]  # the posts that end with the role, or are kept
    may_keep: bool
    kept_by: str | None
    kept_reason: str | None
    may_correct: bool
    may_withdraw: bool
    undo_until: datetime | None
    told_on: date | None  # of what is granted and planned: when the systems hear of it


class InboxRow(msgspec.Struct, frozen=True):
    """One line of the queue."""

    id: UUID
    version: int
    kind: str
    applicant: str
    digits: str  # of the personal number: two may have one name
    position: str
    unit: str
    from_unit: str | None  # of somebody who moves
    created_at: datetime
    frozen: bool
    overdue: bool
    risks: list[str]  # why it is not decided among many


class PersonRow(msgspec.Struct, frozen=True):
    """Somebody's role in one of the reader's units; the number is masked."""

    role_id: UUID
    account_id: UUID
    name: str
    national_id: str
    unit: str
    unit_code: str
    subject_type: str  # the code
    position: str  # the words
    position_code: str
    state: str
    from_on: date
    until_on: date | None
    may_end: bool


class UnitRow(msgspec.Struct, frozen=True):
    """A unit in the order of the tree."""

    id: UUID
    code: str
    name: str
    depth: int


class RoleView(msgspec.Struct, frozen=True, rename={"from_on": "from", "until_on": "until"}):
    """One role as its owner sees it (rule 601)."""

    id: UUID
    unit: UUID
    unit_code: str
    unit_name: str
    subject_type: str
    position: str  # the words
    state: str
    from_on: date
    until_on: date | None
    settled_at: datetime | None  # from when the decision behind this state can no longer be taken back
    kind: str  # home, concurrent
    resumes_on: date | None  # of a suspended one: the day on which it comes back by itself
    cancelled: bool  # of an ended one: it was over before it began
    ends_with: UUID | None  # of a concurrent one: the home role with which it ends, unless it is kept


class OwnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own requests; `fields` only when a single one was asked for."""

    id: UUID
    kind: str
    movement: str
    status: str
    version: int
    role_id: UUID | None
    unit_id: UUID
    unit_code: str
    unit_name: str
    subject_type: str
    position: str
    fields: dict[str, str]
    effective_on: date | None
    until_on: date | None
    created_at: datetime
    decided_at: datetime | None
    steps: list[StepView]
    sync: list[SyncState]
    corrections: list[Correction]
    denied: bool
    on_hold: str | None
    settled_at: datetime | None
    can_correct: bool
    can_withdraw: bool


class WaitingUnit(msgspec.Struct, frozen=True):
    """The unit whose managers decide."""

    id: UUID
    code: str
    name: str


class Waiting(msgspec.Struct, frozen=True):
    """Who has to speak next (nobody, where nobody up the tree decides), since when, and until when it is in time."""

    unit: WaitingUnit | None
    since: datetime
    due_on: date | None


class InForce(msgspec.Struct, frozen=True):
    """How many of the systems concerned hold it."""

    done: int
    of: int


class DetailedRequest(OwnRequest, frozen=True, kw_only=True):
    """One request with how far it is."""

    waiting_for: Waiting | None
    needs: int
    given: int
    in_force: InForce
    keeps: list[UUID]
    beside: list[Beside]
