"""Units that are merged, split, renamed, moved or ended in one operation."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class ReorganisationBegun(Fact, tag="reorganisation.begun", frozen=True, kw_only=True):
    """Units began to be merged, split, renamed, moved or ended, by this decision; everything of it names the run."""

    run: UUID
    decision: str
    units: int
    people: int


class ReorganisationDone(Fact, tag="reorganisation.done", frozen=True, kw_only=True):
    """Everybody is where the reorganisation put them, and its systems will hear of it."""

    run: UUID
    people: int


class ReorganisationReversed(Fact, tag="reorganisation.reversed", frozen=True, kw_only=True):
    """A reorganisation was taken back; of so many people what has changed since was left as it is."""

    run: UUID
    left: int
