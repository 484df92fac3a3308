"""The staff directory against the roles, unit by unit, each with the act that settles it (rules 627, 613; R32, R45).

Whom the directory has never known is no difference: that it says nothing is not a word about anybody. The database
finds candidates by equal blind indexes; what each of them is, differing.py reads from the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, exists, literal, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.roles import authority, differing, policy, rights
from backend.roles.authority import Authority
from backend.roles.models import HELD, Role, StaffRecord, Unit
from backend.roles.views import Page

PAGE, AT_ONCE, STRETCHES = 25, 50, 1000  # rows of a page; sides of units in a statement, and for a page
ROLES, ENTRIES = "a", "b"  # the two sides of a unit, in the order in which they are read
FIRST = UUID(int=0)


class Place(NamedTuple):
    """Where something stands in the list, or where the list goes on after it."""

    code: str
    side: str
    last: UUID


class Stretch(NamedTuple):
    """One side of one unit, from somewhere on."""

    place: Place
    unit: UUID


async def page(
    tx: AsyncSession, kit: Kit, reader: UUID, *, now: datetime, cursor: str = ""
) -> Page[differing.Difference]:
    """The next differences of the units whose pages the reader may open (rights.opens): of a root, all below it."""
    who = await authority.of(tx, kit, reader, now=now)
    managers = await rights.managers_by_unit(tx, on=who.today) if who.posts else {}
    start = _start(cursor) if cursor else Place("", "", FIRST)
    todo = [
        Stretch(Place(code, side, start.last if (code, side) == start[:2] else FIRST), unit)
        for code, unit in await _open_units(tx, who, managers)
        for side in (ROLES, ENTRIES)
        if (code, side) >= start[:2]
    ]
    found = await _candidates(tx, todo[:STRETCHES], rotating=len(kit.keys.key_ids) > 1)
    shown, more = paging.cut(found, PAGE)
    rows = await differing.of_roles(tx, kit, who, managers, [one.last for one in shown if one.side == ROLES])
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


async def _open_units(
    tx: AsyncSession, who: Authority, managers: Mapping[UUID, set[bytes]]
) -> list[tuple[str, UUID]]:
    if not who.posts:
        return []
    below = await tx.execute(select(Unit.code, Unit.id, Unit.path).where(who.below()))
    return sorted((unit.code, unit.id) for unit in below if rights.opens(who, unit.path, managers))


async def _candidates(tx: AsyncSession, todo: Sequence[Stretch], *, rotating: bool) -> list[Place]:
    """One more than a page, in order: of many units at once, and of each no more than are wanted."""
    found: list[Place] = []
    for at in range(0, len(todo), AT_ONCE):
        some = todo[at : at + AT_ONCE]
        parts = [
            _held_otherwise(one, rotating=rotating) if one.place.side == ROLES else _unheld(one)
            for one in some
        ]
        by_side: dict[tuple[UUID, str], list[UUID]] = {}
        for row in await tx.execute(union_all(*(select(part.subquery()) for part in parts))):
            by_side.setdefault((row.unit_id, row.side), []).append(row.id)
        for place, unit in some:
            found += [place._replace(last=one) for one in sorted(by_side.get((unit, place.side), []))]
        if len(found) > PAGE:
            break
        await asyncio.sleep(0)  # whoever else waits for an answer is served meanwhile
    return found


def _held_otherwise(stretch: Stretch, *, rotating: bool) -> Select[UUID, UUID, str]:
    """Roles that stand by themselves, of people who have left the directory, or whom it has where they hold none.

    While keys are rotated an entry may be under another one: then whoever seems to have none is looked at as well.
    """
    other = aliased(Role)  # asked by its person: by the unit, a large one is read again for each role
    posts = select(other.unit_id).where(
        other.account_id == Role.account_id,
        other.state.in_(policy.HELD),
        or_(StaffRecord.position == "", StaffRecord.position == other.position),
    )
    in_force = and_(Role.is_home, Role.state != policy.SCHEDULED)
    differs = or_(
        StaffRecord.left_at.is_not(None),
        and_(StaffRecord.id.is_not(None), in_force, StaffRecord.unit_id.not_in(posts)),
    )
    number = and_(
        Identifier.account_id == Role.account_id,
        Identifier.kind == numbers.NATIONAL_ID,
        Identifier.ended_at.is_(None),
    )
    return (
        select(Role.id, Role.unit_id, literal(ROLES).label("side"))
        .join(Identifier, number)
        .outerjoin(StaffRecord, StaffRecord.national_id_blind == Identifier.blind)
        .where(
            Role.unit_id == stretch.unit, text(HELD), Role.id > stretch.place.last, Role.stands_on.is_(None)
        )
        .where(or_(differs, StaffRecord.id.is_(None)) if rotating else differs)
        .order_by(Role.id)
        .limit(PAGE + 1)
    )


def _unheld(stretch: Stretch) -> Select[UUID, UUID, str]:
    """Entries with a post, of people who hold no role anywhere."""
    held = exists().where(
        Identifier.kind == numbers.NATIONAL_ID,
        Identifier.ended_at.is_(None),
        Identifier.blind == StaffRecord.national_id_blind,
        Role.account_id == Identifier.account_id,
        Role.state.in_(policy.HELD),
    )
    return (
        select(StaffRecord.id, StaffRecord.unit_id, literal(ENTRIES).label("side"))
        .where(StaffRecord.unit_id == stretch.unit, StaffRecord.id > stretch.place.last)
        .where(StaffRecord.left_at.is_(None), StaffRecord.position != "", ~held)
        .order_by(StaffRecord.id)
        .limit(PAGE + 1)
    )
