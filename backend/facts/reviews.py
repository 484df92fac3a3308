"""Reviews of a unit's roles."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from backend.facts.fact import Fact


class ReviewStarted(Fact, tag="review.started", frozen=True, kw_only=True):
    """So many roles of a unit wait for its manager's word until a day."""

    review: UUID
    unit: UUID
    due_on: date
    roles: int


class ReviewClosed(Fact, tag="review.closed", frozen=True, kw_only=True):
    """Nothing of a review waits any more; `counts` says how many roles were confirmed, ended, or left it."""

    review: UUID
    unit: UUID
    counts: dict[str, int]


class RoleConfirmed(Fact, tag="role.confirmed", frozen=True, kw_only=True):
    """A manager said in a review that somebody still has this role."""

    role: UUID
    review: UUID
