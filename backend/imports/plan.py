"""What a file would do, said before it is done: the one plan of every import (rule 1003).

A plan is made from what is stored now and acted on later, in one transaction that first makes sure that what
it was made of still stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.imports.rows import ImportRefused, Record, RowError
from backend.imports.words import Note

FEW = 20  # of so many rows a tenth is two: no brake
Progress = Callable[[int, int], None]  # rows done, rows in all


class PlanStale(Exception):
    """What the plan was made of has changed since; nothing was written."""


class Field(msgspec.Struct, frozen=True):
    """One value that changes, as an operator may read it."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.name}: {self.old or '(empty)'} → {self.new or '(empty)'}"


class Change(msgspec.Struct, frozen=True):
    """One stored thing that changes, field by field."""

    line: int
    what: str
    fields: tuple[Field, ...]


class Stake(NamedTuple):
    """How much of what exists is touched: in all, or of one organisation."""

    touched: int
    existing: int

    def is_massive(self, percent: int) -> bool:
        """Whether more is touched than a slip of the hand should be able to."""
        return self.existing > FEW and self.touched * 100 > percent * self.existing


def massive(stakes: Iterable[Stake], percent: int) -> Stake | None:
    """The first of them that the brake is about: a small organisation is no small part of itself."""
    return next((stake for stake in stakes if stake.is_massive(percent)), None)


def stakes(touched: Mapping[str, int], existing: Mapping[str, int]) -> list[Stake]:
    """Of every organisation that is touched, how much of it."""
    return [Stake(count, existing.get(root, 0)) for root, count in sorted(touched.items())]


class Plan(msgspec.Struct, kw_only=True):
    """What is created, changed, ended and left as it is, and what is wrong with the file.

    `notes` say what follows from it; what `warnings` say wants a yes. `roots` is how much of each organisation (a root
    unit with everything below it) is touched.
    """

    things: str
    existing: int = 0
    created: int = 0
    changed: list[Change] = []
    ended: list[str] = []
    untouched: int = 0
    errors: list[RowError] = []
    notes: list[Note] = []
    warnings: list[Note] = []
    roots: list[Stake] = []

    @property
    def needs_yes(self) -> bool:
        """Whether something that exists changes or ends, or follows from it."""
        return bool(self.changed or self.ended or self.warnings)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.created or self.needs_yes)

    def massive(self, percent: int) -> Stake | None:
        """What the brake is about: all that exists, else one organisation of which too large a part changes or ends."""
        return massive([Stake(len(self.changed) + len(self.ended), self.existing), *self.roots], percent)

    def at_stake(self, stake: Stake) -> str:
        """What the brake is about, in words."""
        where = "" if stake.existing == self.existing else " of one root unit"
        return f"{stake.touched} of {stake.existing} {self.things}{where} would change or end"

    def summary(self) -> str:
        """The counts in one line."""
        return (
            f"{self.created} {self.things} created, {len(self.changed)} updated, {len(self.ended)} ended, "
            f"{self.untouched} unchanged"
        )


class Imported(msgspec.Struct, frozen=True):
    """What an import did, in numbers."""

    created: int
    updated: int
    ended: int = 0
    untouched: int = 0


class Import(Protocol):
    """One kind of file. `plan` reads, `prepare` seals what will be written, `act` writes; in this order."""

    @property
    def things(self) -> str:
        """What its rows are, in the plural."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The columns that its file may have."""
        ...

    @property
    def required(self) -> Sequence[str]:
        """Those without which nothing can be said of a row."""
        ...

    async def plan(self, tx: AsyncSession, rows: Sequence[Record]) -> Plan:
        """Say what the rows would do."""
        ...

    def prepare(self) -> None:
        """Do all that takes time and needs no database, outside of every transaction (O18)."""
        ...

    async def act(self, tx: AsyncSession, *, by: UUID | None, progress: Progress) -> None:
        """Do what was planned; raises PlanStale."""
        ...


@runtime_checkable
class Staged(Import, Protocol):
    """An import whose second half is too long for one transaction: `act` does the first, and a second run goes on."""

    async def go_on(self, db: Database, *, by: UUID | None, progress: Progress) -> str:
        """Do the rest in chunks; what to say of what was left."""
        ...


async def at_once(job: Import, tx: AsyncSession, rows: Sequence[Record], *, by: UUID | None) -> Imported:
    """Plan and act in one transaction, for whoever answers for the rows; raises ImportRefused."""
    plan = await job.plan(tx, rows)
    if plan.errors:
        raise ImportRefused(plan.errors)
    job.prepare()
    await job.act(tx, by=by, progress=lambda _done, _all: None)
    return Imported(plan.created, len(plan.changed), len(plan.ended), plan.untouched)


def in_order(errors: Sequence[RowError]) -> list[RowError]:
    """As they stand in the file."""
    return sorted(errors, key=lambda error: error.line)
