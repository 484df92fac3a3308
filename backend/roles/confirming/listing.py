"""Reviews as they are read: a manager's list of who waits for a word, and an operator's of every review."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.names import masked
from backend.outbox.states import COUNTED, Count
from backend.outside.clock import local_day
from backend.roles import authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.confirming import closing, standing, telling
from backend.roles.confirming.models import ENDED, LEFT, WAITING, Review, ReviewedRole
from backend.roles.confirming.standing import Asked, Theirs
from backend.roles.models import Role, Unit
from backend.words import Label

PAGE = 50


class Line(msgspec.Struct, frozen=True):
    """One review with its counts, for an operator."""

    id: UUID
    unit_code: str
    due_on: date
    started_at: datetime
    closed_at: datetime | None
    waiting: int
    confirmed: int
    ended: int
    left: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One role that waits for the reader's word."""

    id: UUID
    role_id: UUID
    account_id: UUID
    name: str
    national_id: str
    position: Label
    unit: str
    unit_code: str
    from_on: date
    due_on: date
    ends_after: date | None  # once its end was announced: no earlier than the end of this day


class List(msgspec.Struct, frozen=True):
    """Some of what waits, how much it is in all (as far as `COUNTED`), and where the list goes on."""

    rows: list[Row]
    total: int
    next_cursor: str | None


async def every(tx: AsyncSession, *, after: UUID | None = None, most: int = PAGE) -> list[Line]:
    """So many reviews of the province, the newest first, behind one of them; nothing of the others is counted.

    What has ended and is not written down yet counts as ended, or as left.
    """
    query = select(Review, Unit.code).join(Unit, Unit.id == Review.unit_id).order_by(Review.id.desc())
    if after is not None:
        query = query.where(Review.id < after)
    reviews = (await tx.execute(query.limit(most))).all()
    counts = await _counts(tx, [review.id for review, _ in reviews])
    return [_line(review, code, counts.get(review.id, {})) for review, code in reviews]


async def _counts(tx: AsyncSession, reviews: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many roles of some reviews are in each state."""
    gone = case((Role.end_reason.in_(closing.BY_WORD), ENDED), else_=LEFT)
    state = case((and_(ReviewedRole.state == WAITING, closing.gone()), gone), else_=ReviewedRole.state)
    counted = select(ReviewedRole.review_id, state.label("said"), func.count().label("roles"))
    counted = counted.join(Role, Role.id == ReviewedRole.role_id).where(ReviewedRole.review_id.in_(reviews))
    counts: dict[UUID, dict[str, int]] = {}
    for row in await tx.execute(counted.group_by(ReviewedRole.review_id, state)):
        counts.setdefault(row.review_id, {})[row.said] = row.roles
    return counts


async def waiting(
    tx: AsyncSession, kit: Kit, reader: UUID, *, cursor: str = "", now: datetime, only: Collection[UUID] = ()
) -> List:
    """What waits for the reader, unit by unit; of `only` some rows, as far as they still wait."""
    theirs = await standing.of(tx, await authority.of(tx, kit, reader, now=now))
    where: list[ColumnElement[bool]] = [ReviewedRole.id.in_(only)] if only else []
    if cursor:
        unit, _, last = paging.place_of(cursor).partition(" ")
        place = tuple_(paging.uuid_in(unit), paging.uuid_in(last))
        where.append(tuple_(ReviewedRole.unit_id, ReviewedRole.id) > place)
    found = list[Asked]()
    for part in _parts(theirs):
        query = standing.waiting(part, *where).limit(PAGE + 1)
        found += await standing.read(tx, query)
    found.sort(key=lambda one: (one.unit_id, one.id))
    shown, more = paging.cut(found, PAGE)
    following = paging.cursor_of(f"{shown[-1].unit_id} {shown[-1].id}") if more else None
    return List(await _rows(tx, kit, shown, now), await _total(tx, theirs), following)


async def count(tx: AsyncSession, kit: Kit, reader: UUID, *, now: datetime) -> int:
    """How much of it there is."""
    return await _total(tx, await standing.of(tx, await authority.of(tx, kit, reader, now=now)))


def _parts(theirs: Theirs) -> list[ColumnElement[bool]]:
    """The two parts of the list, each by an index of its own."""
    parts: list[ColumnElement[bool]] = []
    if theirs.units:
        others = Role.account_id.not_in(theirs.managing)
        parts.append(and_(ReviewedRole.unit_id.in_(theirs.units), others))
    if theirs.single:
        parts.append(ReviewedRole.id.in_(theirs.single))
    return parts


async def _total(tx: AsyncSession, theirs: Theirs) -> int:
    parts = _parts(theirs)
    if not parts:
        return 0
    some = standing.waiting(or_(*parts)).order_by(None).limit(COUNTED + 1).subquery()
    return Count(await tx.scalar(select(func.count()).select_from(some)) or 0)


async def _rows(tx: AsyncSession, kit: Kit, asked: Collection[Asked], now: datetime) -> list[Row]:
    accounts = {one.account_id for one in asked}
    names, known = await full_names(tx, kit, accounts), await numbers.personal(tx, kit, accounts)
    query = (
        select(
            *(ReviewedRole.id, ReviewedRole.role_id, ReviewedRole.first_at, ReviewedRole.second_at),
            *(Role.account_id, Role.position, Role.from_on, Unit.name, Unit.code, Review),
        )
        .join(Review, Review.id == ReviewedRole.review_id)
        .join(Role, Role.id == ReviewedRole.role_id)
        .join(Unit, Unit.id == ReviewedRole.unit_id)
        .where(ReviewedRole.id.in_([one.id for one in asked]))
        .order_by(ReviewedRole.unit_id, ReviewedRole.id)
    )
    catalogue = await in_force(tx)
    return [
        Row(
            id=row.id,
            role_id=row.role_id,
            account_id=row.account_id,
            name=names[row.account_id],
            national_id=masked(known.get(row.account_id, "")),
            position=catalogue.position_label(row.position),
            unit=row.name,
            unit_code=row.code,
            from_on=row.from_on,
            due_on=row.Review.due_on,
            ends_after=_ends_after(kit, row.Review, row.first_at, row.second_at, now),
        )
        for row in await tx.execute(query)
    ]


def _ends_after(
    kit: Kit, review: Review, first: datetime | None, second: datetime | None, now: datetime
) -> date | None:
    if first is None or local_day(now) <= review.due_on:
        return None
    return telling.last_day(kit, review, more=1 if second else 2, now=second or first)


def _line(review: Review, code: str, counts: dict[str, int]) -> Line:
    said = [counts.get(state, 0) for state in ("waiting", "confirmed", "ended", "left")]
    return Line(review.id, code, review.due_on, review.started_at, review.closed_at, *said)
