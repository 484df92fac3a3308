"""The staff directory against the roles, unit by unit, each with the act that settles it (rules 627, 613; R32, R45).

Whom the directory has never known is no difference: that it says nothing is not a word about anybody. The database
finds candidates by equal blind indexes; what each of them is, differing.py reads from the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    exists,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.roles import agencies, authority, differing, policy, territory
from backend.roles.authority import Authority
from backend.roles.models import HELD, Role, StaffRecord, Unit
from backend.roles.views import Page
from backend.statements import Question, by_number, given, listed, one_of

PAGE, AT_ONCE, STRETCHES = 25, 50, 1000  # rows of a page; sides of units in a statement, and for a page
GLANCE = 250  # units, and one that was begun, of which a statement says whether anything differs there
ROLES, ENTRIES = "a", "b"  # the two sides of a unit, in the order in which they are read
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
Column = ColumnElement[UUID] | InstrumentedAttribute[UUID]


class Place(NamedTuple):
    """Where something stands in the list, or where the list goes on after it."""

    code: str
    side: str
    last: UUID


class Stretch(NamedTuple):
    """One side of one unit, from somewhere on."""

    place: Place
    unit: UUID


class Glance(NamedTuple):
    """Of a unit where anything may differ: a role and an entry that do, if there are such."""

    unit_id: UUID
    role_id: UUID | None
    entry_id: UUID | None


class Candidate(NamedTuple):
    """A role or an entry that may differ."""

    id: UUID
    unit_id: UUID
    side: str


async def page(
    tx: AsyncSession, kit: Kit, reader: UUID, *, now: datetime, cursor: str = ""
) -> Page[differing.Difference]:
    """The next differences of the units whose pages the reader may open (rights.opens): of a root, all below it."""
    start = _start(cursor) if cursor else Place("", "", FIRST)
    if not await agencies.is_there(tx):
        return Page([], None)
    who = await authority.of(tx, kit, reader, now=now)
    todo = [
        Stretch(Place(code, side, start.last if (code, side) == start[:2] else FIRST), unit)
        for code, unit in await _open_units(tx, who, start.code)
        for side in (ROLES, ENTRIES)
        if (code, side) >= start[:2]
    ]
    found = await _candidates(tx, todo[:STRETCHES], rotating=len(kit.keys.key_ids) > 1)
    shown, more = paging.cut(found, PAGE)
    rows = await differing.of_roles(tx, kit, who, [one.last for one in shown if one.side == ROLES])
    rows |= await differing.of_entries(tx, kit, who, [one.last for one in shown if one.side == ENTRIES])
    following = shown[-1] if more else todo[STRETCHES].place if len(todo) > STRETCHES else None
    return Page(
        [rows[one.last] for one in shown if one.last in rows],
        paging.cursor_of(" ".join(map(str, following))) if following else None,
    )


def _start(cursor: str) -> Place:
    """Where the list goes on; raises CursorInvalid, also for a cursor of another list."""
    code, side, last = (*paging.place_of(cursor).split(" "), "", "")[:3]
    if side not in {ROLES, ENTRIES}:
        raise paging.CursorInvalid
    return Place(code, side, paging.uuid_in(last))


async def _open_units(tx: AsyncSession, who: Authority, start: str) -> list[tuple[str, UUID]]:
    """The next units whose pages the reader may open, by code: no more than a page looks through."""
    if not who.posts:
        return []
    code = territory.by_code(tx)
    opens = [Unit.path.startswith(post.path) for post in who.posts.values() if post.is_root]
    inner = {unit: post for unit, post in who.posts.items() if not post.is_root}
    if inner:  # below a root everything is open: nothing has to be known of who manages what there
        mine = territory.territory(msgspec.structs.replace(who, posts=inner), only_edge=True)
        opens.append(Unit.id.in_(select(mine.c.id).where(mine.c.depth == 0)))
    query = select(Unit.code, Unit.id).where(code >= start, or_(*opens))
    rows = await tx.execute(query.order_by(code).limit(STRETCHES // 2 + 2))
    return [(row.code, row.id) for row in rows]


async def _candidates(tx: AsyncSession, todo: Sequence[Stretch], *, rotating: bool) -> list[Place]:
    """One more than a page, in order; only where a glance has said that anything differs is it looked for."""
    found: list[Place] = []
    for at in range(0, len(todo), 2 * GLANCE):
        some = await _differing(tx, todo[at : at + 2 * GLANCE], rotating=rotating)
        found += await _within(tx, some, rotating=rotating, most=PAGE + 1 - len(found))
        if len(found) > PAGE:
            break
    return found


async def _differing(tx: AsyncSession, todo: Sequence[Stretch], *, rotating: bool) -> list[Stretch]:
    """Those sides of units on which anything differs, in their order; of few units it is not worth a question."""
    if len(todo) <= AT_ONCE:
        return list(todo)
    units = list(dict.fromkeys(one.unit for one in todo))
    places = [
        *units,
        *[LAST] * (GLANCE + 1 - len(units)),
    ]  # one form of the statement, however many there are
    ask = rotating_at if rotating else differing_at
    there = set[tuple[UUID, str]]()
    for row in await ask(len(places)).aside(tx, **listed("unit", places)):
        if row.role_id is not None:
            there.add((row.unit_id, ROLES))
        if row.entry_id is not None:
            there.add((row.unit_id, ENTRIES))
    return [one for one in todo if (one.unit, one.place.side) in there]


async def _within(tx: AsyncSession, todo: Sequence[Stretch], *, rotating: bool, most: int) -> list[Place]:
    """Somewhat more than so many, in order: of many units at once, and of each no more than a page wants."""
    found: list[Place] = []
    for at in range(0, len(todo), AT_ONCE):
        some = todo[at : at + AT_ONCE]
        units = list(dict.fromkeys(one.unit for one in some))
        after = {(one.unit, one.place.side): one.place.last for one in some}
        values: dict[str, Any] = {"most": PAGE + 1}
        for nth, unit in enumerate(units):  # of a side that is not meant nothing is behind the last
            values |= {f"unit_{nth}": unit, f"roles_{nth}": after.get((unit, ROLES), LAST)}
            values |= {f"entries_{nth}": after.get((unit, ENTRIES), LAST)}
        ask = rotating_in if rotating else candidates_in
        by_side: dict[tuple[UUID, str], list[UUID]] = {}
        for row in await ask(len(units)).aside(tx, **values):
            by_side.setdefault((row.unit_id, row.side), []).append(row.id)
        for place, unit in some:
            found += [place._replace(last=one) for one in sorted(by_side.get((unit, place.side), []))]
        if len(found) >= most:
            break
        await asyncio.sleep(0)  # whoever else waits for an answer is served meanwhile
    return found


@by_number
def candidates_in(count: int) -> Question[Candidate]:
    """Both sides of so many units."""
    return _both(count, rotating=False)


@by_number
def rotating_in(count: int) -> Question[Candidate]:
    """The same while keys are rotated."""
    return _both(count, rotating=True)


def _both(count: int, *, rotating: bool) -> Question[Candidate]:
    parts = [part for at in range(count) for part in (_roles_from(at, rotating=rotating), _entries_from(at))]
    return Question(Candidate, union_all(*(select(part.subquery()) for part in parts)))


@by_number
def differing_at(count: int) -> Question[Glance]:
    """Whether anything differs in so many units: each is read no further than to the first thing that does."""
    return _any(count, rotating=False)


@by_number
def rotating_at(count: int) -> Question[Glance]:
    """The same while keys are rotated."""
    return _any(count, rotating=True)


def _any(count: int, *, rotating: bool) -> Question[Glance]:
    role, entry = _held_otherwise(Unit.id, rotating=rotating), _unheld(Unit.id)
    first_role = role.with_only_columns(Role.id).correlate(Unit).limit(1).scalar_subquery()
    first_entry = entry.with_only_columns(StaffRecord.id).correlate(Unit).limit(1).scalar_subquery()
    each = select(Unit.id.label("unit_id"), first_role.label("role_id"), first_entry.label("entry_id")).where(
        one_of("unit", count, Unit.id)
    )
    seen = each.limit(count).subquery()  # by the limit a question of its own: each unit is looked at once
    differs = or_(seen.c.role_id.is_not(None), seen.c.entry_id.is_not(None))
    return Question(Glance, select(seen.c.unit_id, seen.c.role_id, seen.c.entry_id).where(differs))


def _roles_from(at: int, *, rotating: bool) -> Select[UUID, UUID, str]:
    query = _held_otherwise(given(f"unit_{at}", Unit.id), rotating=rotating)
    return (
        query.where(Role.id > given(f"roles_{at}", Role.id)).order_by(Role.id).limit(given("most", Integer()))
    )


def _entries_from(at: int) -> Select[UUID, UUID, str]:
    query = _unheld(given(f"unit_{at}", Unit.id)).where(
        StaffRecord.id > given(f"entries_{at}", StaffRecord.id)
    )
    return query.order_by(StaffRecord.id).limit(given("most", Integer()))


def _by_itself() -> ColumnElement[bool]:
    """Said so that no index is asked for it: nearly every post of the province stands by itself."""
    return case((Role.stands_on.is_(None), 1), else_=0) == 1


def _is_held(state: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return and_(state != policy.ENDED, state != policy.UNDONE)


def _held_otherwise(unit: Column, *, rotating: bool) -> Select[UUID, UUID, str]:
    """Roles that stand by themselves, of people who have left the directory, or whom it has where they hold none.

    While keys are rotated an entry may be under another one: then whoever seems to have none is looked at as well.
    """
    other = aliased(Role)  # asked by its person: by the unit, a large one is read again for each role
    posts = select(other.unit_id).where(
        other.account_id == Role.account_id,
        _is_held(other.state),
        or_(StaffRecord.position == "", StaffRecord.position == other.position),
    )
    in_force = and_(Role.is_home, Role.state != policy.SCHEDULED)
    differs = or_(
        StaffRecord.left_at.is_not(None),
        and_(StaffRecord.id.is_not(None), in_force, StaffRecord.unit_id.not_in(posts)),
    )
    number = and_(
        Identifier.account_id == Role.account_id,
        numbers.is_of(numbers.NATIONAL_ID),
        Identifier.ended_at.is_(None),
    )
    return (
        select(Role.id, Role.unit_id, literal(ROLES).label("side"))
        .join(Identifier, number)
        .outerjoin(StaffRecord, StaffRecord.national_id_blind == Identifier.blind)
        .where(Role.unit_id == unit, text(HELD), _by_itself())
        .where(or_(differs, StaffRecord.id.is_(None)) if rotating else differs)
    )


def _unheld(unit: Column) -> Select[UUID, UUID, str]:
    """Entries with a post, of people who hold no role anywhere."""
    held = exists().where(
        or_(Identifier.kind == numbers.NATIONAL_ID, Identifier.kind == numbers.OLD_ID),
        Identifier.ended_at.is_(None),
        Identifier.blind == StaffRecord.national_id_blind,
        Role.account_id == Identifier.account_id,
        _is_held(Role.state),
    )
    return (
        select(StaffRecord.id, StaffRecord.unit_id, literal(ENTRIES).label("side"))
        .where(StaffRecord.unit_id == unit, StaffRecord.left_at.is_(None))
        .where(StaffRecord.position != "", ~held)
    )
