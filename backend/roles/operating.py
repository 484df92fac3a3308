"""Who operates a province: whoever manages a root, for it and everything below it, and nothing beside it (rule 641)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.numbers import kind_of
from backend.errors import Conflict, NotFound
from backend.imports.rows import Record, Row, RowError
from backend.kit import Kit
from backend.outbox.models import Delivery, System
from backend.roles import authority, forms
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.scope import scope_of
from backend.roles.staff_rows import listed_number
from backend.roles.unit_rows import ROOT
from backend.roles.unit_tree import Tree
from backend.typed import BadText

CHUNK = 500
PARENTS = ("parent_code", "new_parent_code")


class MassChange(Conflict):
    """More of what exists would change than `percent`, which wants to be said: `touched` of `existing`."""

    code = "mass_change"
    title = "Phanh: thay đổi này lớn hơn mức cho phép, hãy xem lại và xác nhận rằng đúng là như vậy"


class Reach(msgspec.Struct, frozen=True):
    """What one operator may touch: the roots of this moment, and what stands below them."""

    account_id: UUID
    blinds: frozenset[bytes]  # of the operator's own number
    tops: tuple[str, ...]

    def has(self, path: str) -> bool:
        """Whether a unit is one of theirs."""
        return path.startswith(self.tops)

    def below(self) -> ColumnElement[bool]:
        """The same of `Unit`, as the database answers it."""
        return or_(*(Unit.path.startswith(top) for top in self.tops))

    def within(self, known: Tree) -> dict[str, UUID]:
        """Every unit of theirs, by code."""
        return {code: place.id for code, place in known.items() if self.has(place.path)}


async def reach_of(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime, hold: bool = False
) -> Reach:
    """The roots that somebody manages now; for everybody else there is nothing here: NotFound.

    `hold` keeps the rights until the commit.
    """
    who = await authority.of(tx, kit, account_id, now=now, hold=hold)
    tops = tuple(post.path for post in who.units if post.is_root)
    if not tops:
        raise NotFound
    return Reach(account_id, who.blinds, tops)


async def serves(tx: AsyncSession, reach: Reach, system: System) -> bool:
    """Whether a system serves units of theirs; one that serves others alone is others' to act upon."""
    scope = await scope_of(tx, system)
    return scope is None or any(reach.has(top) for top in scope)


def about(reach: Reach) -> ColumnElement[bool]:
    """Whether a delivery is about a person of theirs: who has or had a role in their units, or nowhere at all."""
    held = exists().where(Role.account_id == Delivery.account_id)
    return or_(held.where(Role.unit_id == Unit.id, reach.below()), ~held)


def strangers(rows: Sequence[Record], columns: Sequence[str], known: Tree, reach: Reach) -> list[RowError]:
    """Cells that name a unit beside the operator's own, which is said like one that is not there; and new roots."""
    theirs, errors = reach.within(known), list[RowError]()
    for record in rows:
        row = Row(record, [])
        for column in columns:
            code = row.text(column, longest=40)
            if column in PARENTS and code == ROOT:
                errors.append(RowError(record.line, column, "no_new_root"))
            elif code in known and code not in theirs:
                errors.append(RowError(record.line, column, "no_such_unit"))
    return errors


def rootless(rows: Sequence[Record], known: Tree) -> list[RowError]:
    """Rows of a file of units that make one below nothing: a root is made by a command."""
    errors = []
    for record in rows:
        row = Row(record, [])
        code, parent = row.text("code", longest=40), row.text("parent_code", longest=40)
        if code and code not in known and not parent:
            errors.append(RowError(record.line, "parent_code", "no_new_root"))
    return errors


async def elsewhere(tx: AsyncSession, kit: Kit, rows: Sequence[Record], reach: Reach) -> list[RowError]:
    """People of a file of staff whom the directory has in a unit that is not the operator's."""
    lines: dict[bytes, int] = {}
    for record in rows:
        if number := _number(record, old=True):
            lines |= dict.fromkeys(kit.keys.blinds(kind_of(number), number), record.line)
    blinds, errors = list(lines), list[RowError]()
    for start in range(0, len(blinds), CHUNK):
        there = StaffRecord.national_id_blind.in_(blinds[start : start + CHUNK])
        query = select(StaffRecord.national_id_blind, Unit.path).join(Unit, Unit.id == StaffRecord.unit_id)
        for blind, path in await tx.execute(query.where(there)):
            if not reach.has(path):
                errors.append(RowError(lines[blind], "national_id", "person_elsewhere"))
    return errors


def themselves(kit: Kit, rows: Sequence[Record], reach: Reach) -> list[RowError]:
    """Rows of a file of managers by which the operator would appoint themselves."""
    return [
        RowError(record.line, "national_id", "yourself")
        for record in rows
        if (number := _number(record)) and not reach.blinds.isdisjoint(kit.keys.blinds("national_id", number))
    ]


def _number(record: Record, *, old: bool = False) -> str:
    """The number as the row's own import reads it: of staff, with `old`, nine digits of a CMND are one too (R19)."""
    text = record.cells.get("national_id", "")
    try:
        return listed_number(text) if old else forms.national_id(text)
    except BadText:
        return ""
