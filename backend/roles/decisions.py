"""What a manager and a manager's units have decided, newest first: by unit, person, kind, outcome and day (W14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import called, numbers
from backend.accounts.identity.people import full_names
from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit
from backend.names import last_digits
from backend.outside.clock import begins, ends
from backend.roles import authority, movements, rights, territory
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.words import Label

MOST, TOGETHER = 25, 50


class Wanted(msgspec.Struct, frozen=True):
    """Which of them."""

    unit: str = ""
    person: UUID | None = None
    kind: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None
    mine: bool = False


class Decision(msgspec.Struct, frozen=True):
    """One unit's word, on one line."""

    request_id: UUID
    at: datetime
    applicant: str
    digits: str
    kind: str
    movement: Label
    position: Label
    unit: str
    duty: str
    outcome: str
    by: str


class Decisions(msgspec.Struct, frozen=True):
    """One page of them."""

    items: list[Decision]
    next_cursor: str | None


class Word(msgspec.Struct, frozen=True):
    """A step's key in the order of the list."""

    at: datetime
    id: UUID


async def decided(
    tx: AsyncSession,
    kit: Kit,
    manager: UUID,
    wanted: Wanted,
    *,
    now: datetime,
    cursor: str | None = None,
    most: int = MOST,
) -> Decisions:
    """The manager's own words in units that are the manager's still, and those of the units with the manager's people.

    Whoever has lost a unit reads there no further than anybody else, what they said themselves included (rule 613).
    """
    who = await authority.of(tx, kit, manager, now=now)
    after = _read(cursor) if cursor else None
    units = [unit for code, unit in await territory.own(tx, who) if wanted.unit in {"", code}]
    found: list[Word] = []
    if not wanted.unit or wanted.mine:
        found += await _next(tx, [_said_by(who)], wanted, after, most + 1)
    if not wanted.mine:
        for start in range(0, len(units), TOGETHER):
            some = [RequestStep.unit_id == unit for unit in units[start : start + TOGETHER]]
            found += await _next(tx, some, wanted, after, most + 1)
    every = sorted(set(found), key=lambda word: (word.at, word.id), reverse=True)
    shown, more = paging.cut(every, most)
    items = await _lines(tx, kit, [word.id for word in shown])
    last = f"{shown[-1].at.isoformat()} {shown[-1].id}" if more else ""
    return Decisions(items, paging.cursor_of(last) if more else None)


async def who_is(tx: AsyncSession, kit: Kit, manager: UUID, typed: str, *, now: datetime) -> UUID:
    """The one person of this personal number or name about whom the reader's units were asked; raises FieldsInvalid."""
    who, found = await authority.of(tx, kit, manager, now=now), await called.those(tx, kit, typed)
    about = select(RoleRequest.account_id, Unit.path, RequestStep.by)
    about = about.join(RequestStep, RequestStep.request_id == RoleRequest.id)
    about = about.join(Unit, Unit.id == RequestStep.unit_id).where(RoleRequest.account_id.in_(found.accounts))
    asked = (await tx.execute(about.where(or_(who.below(), _said_by(who))).distinct())).all()
    managers = await rights.managers_over(tx, {row.path for row in asked}, on=who.today)
    people: set[UUID] = {
        row.account_id for row in asked if row.by == manager or rights.reads(who, row.path, managers)
    }
    if found.words or len(people) > 1:
        raise FieldsInvalid(
            FieldError(
                "person", "ambiguous", "Có nhiều người mang tên này, hãy nhập đủ họ tên hoặc số định danh"
            )
        )
    if not people:
        raise FieldsInvalid(FieldError("person", "unknown", "Không tìm thấy người này"))
    return people.pop()


def _said_by(who: Authority) -> ColumnElement[bool]:
    """One's own words where the right is there still: over the unit, or by a delegation that lasts."""
    there = RequestStep.unit_id.in_(select(Unit.id).where(who.below()))
    lent = RequestStep.delegation_id.in_([one.id for one in who.lent])
    return and_(RequestStep.by == who.account_id, or_(there, lent))


def next_words(where: Any, wanted: Wanted, after: Word | None, most: int) -> Select[datetime | None, UUID]:
    """The next words of one unit or one manager, from its part of the index."""
    query = select(RequestStep.at, RequestStep.id).where(where, RequestStep.at.is_not(None))
    if after is not None:
        query = query.where(
            or_(RequestStep.at < after.at, and_(RequestStep.at == after.at, RequestStep.id < after.id))
        )
    if wanted.since is not None:
        query = query.where(RequestStep.at >= begins(wanted.since))
    if wanted.until is not None:
        query = query.where(RequestStep.at < ends(wanted.until))
    if wanted.outcome:
        query = query.where(RequestStep.decision == wanted.outcome)
    if wanted.kind or wanted.person:
        query = query.join(RoleRequest, RoleRequest.id == RequestStep.request_id)
    if wanted.kind:
        query = query.where(RoleRequest.kind == wanted.kind)
    if wanted.person:
        query = query.where(RoleRequest.account_id == wanted.person)
    return query.order_by(RequestStep.at.desc(), RequestStep.id.desc()).limit(most)


async def _next(
    tx: AsyncSession, among: Sequence[Any], wanted: Wanted, after: Word | None, most: int
) -> list[Word]:
    parts = [select(next_words(where, wanted, after, most).subquery()) for where in among]
    if not parts:
        return []
    rows = await tx.execute(parts[0] if len(parts) == 1 else union(*parts))
    return [Word(row[0], row[1]) for row in rows]


async def _lines(tx: AsyncSession, kit: Kit, ids: Sequence[UUID]) -> list[Decision]:
    query = (
        select(RequestStep, RoleRequest, Unit.name)
        .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(RequestStep.id.in_(ids))
        .order_by(RequestStep.at.desc(), RequestStep.id.desc())
    )
    rows = (await tx.execute(query)).all()
    people = {asked.account_id for _, asked, _ in rows} | {step.by for step, _, _ in rows if step.by}
    names, catalogue = await full_names(tx, kit, people), await in_force(tx)
    known = await numbers.personal(tx, kit, {asked.account_id for _, asked, _ in rows})
    return [
        Decision(
            asked.id,
            step.at or asked.created_at,
            names.get(asked.account_id, ""),
            last_digits(known.get(asked.account_id, "")),
            asked.kind,
            catalogue.movement_label(movements.of(asked).code),
            catalogue.position_label(asked.position),
            unit,
            step.duty,
            step.decision or "",
            names.get(step.by, "") if step.by else "",
        )
        for step, asked, unit in rows
    ]


def _read(cursor: str) -> Word:
    at, _, last = paging.place_of(cursor).partition(" ")
    return Word(paging.moment_of(at), paging.uuid_in(last))
