"""What crosses the wire about requests (rule 601); they come in as `Draft`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from uuid import UUID

import msgspec

from backend.roles import reasons


class RoleRequestStepOut(msgspec.Struct, rename={"unit_id": "unit", "unit": "unit_name"}):
    """One unit's word; `decision` is approved, rejected, returned or null."""

    unit_id: UUID
    unit_code: str
    unit: str
    duty: str
    decision: str | None
    by: str | None
    at: datetime | None
    reason: str | None


class SyncOut(msgspec.Struct):
    """How far one system is."""

    system: str
    state: str
    at: datetime


class DifferenceOut(msgspec.Struct):
    """One thing that a correction changed; units, subject types and positions by code, days as YYYY-MM-DD."""

    field: str
    old: str
    new: str


class ChangeOut(msgspec.Struct):
    """Who corrected the request, when, and what is different since."""

    by: str
    at: datetime
    differences: list[DifferenceOut]


class RoleRequestOut(
    msgspec.Struct,
    kw_only=True,
    rename={"unit_id": "unit", "until_on": "until", "corrections": "changes"},
):
    """One of one's own requests and how far it is; until `settled_at` a decision may be taken back.

    `role_id` is the role that it is about; of a first one, once it is granted, the role that it brought.
    `movement` is the catalogue's code of what happens: of a `transfer` which one, else the kind again.

    `on_hold` says why it cannot be granted now (`applicant_frozen`, `applicant_not_vouched`: a VNeID sign-in of level 2
    is wanted); `denied` that its sign-in was disowned.
    """

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
    steps: list[RoleRequestStepOut]
    sync: list[SyncOut]
    corrections: list[ChangeOut]
    denied: bool
    on_hold: str | None
    settled_at: datetime | None
    can_correct: bool
    can_withdraw: bool

    @classmethod
    def of(cls, found: object, lang: str) -> Self:
        """The request with the usual reasons in the caller's language (rule 632)."""
        shown = msgspec.convert(found, cls, from_attributes=True)
        for step in shown.steps:
            step.reason = step.reason and reasons.spoken(step.reason, lang)
        return shown


class WaitingUnitOut(msgspec.Struct):
    """The unit whose managers decide."""

    id: UUID
    code: str
    name: str


class WaitingForOut(msgspec.Struct):
    """Which unit has to speak, of two the releasing one, since when, and its last day; no unit where nobody decides.

    After `due_on` (worked days in Việt Nam are counted) the unit above may decide as well.
    """

    unit: WaitingUnitOut | None
    since: datetime
    due_on: date | None


class InForceOut(msgspec.Struct):
    """In how many of the systems concerned it is in force."""

    done: int
    of: int


class BesideOut(
    msgspec.Struct, rename={"position_code": "position", "unit": "unit_name", "until_on": "until"}
):
    """A concurrent post that ends with the role that the request ends, unless it is `kept`."""

    id: UUID
    position_code: str
    unit: str
    until_on: date | None
    kept: bool


class RoleRequestDetailOut(RoleRequestOut, kw_only=True):
    """One request: also who holds it, of how many people's yes how many are there, and what ends with the role.

    `keeps` names the concurrent roles that outlive it.
    """

    waiting_for: WaitingForOut | None
    needs: int
    given: int
    in_force: InForceOut
    keeps: list[UUID]
    beside: list[BesideOut]


class RoleRequestList(msgspec.Struct):
    """One's own requests, newest first."""

    items: list[RoleRequestOut]
    next_cursor: str | None = None
