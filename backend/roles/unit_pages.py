"""The units as a manager sees them: the tree below one's own, and one unit with its people (rules 613, 820)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.names import masked
from backend.outside.clock import local_day
from backend.roles import authority, policy, rights, unit_changes, unit_search
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.managers import UnitNotFound
from backend.roles.models import Role, Unit
from backend.roles.unit_changes import Was
from backend.words import Label

PAGE, MANAGERS_MOST = 50, 50


class Line(msgspec.Struct, frozen=True):
    """One unit in the tree; `is_open`: its page may be read."""

    code: str
    name: str
    people: int
    units: int
    is_vacant: bool
    is_open: bool
    below: list[Line]
    parent: str | None = None  # of one that was searched for


class Branch(msgspec.Struct, frozen=True):
    """What the tree shows: the unit that it hangs on, if one was asked for, and two levels below where they fit.

    `below` and `next_cursor` say where it goes on: of a single unit whose parts do not fit, among these.
    """

    top: tuple[str, str] | None
    lines: list[Line]
    next_cursor: str | None
    below: str = ""


class Lead(msgspec.Struct, frozen=True):
    """Somebody who decides for the unit."""

    name: str | None  # nobody has an account of that number yet
    national_id: str
    since: date
    until: date | None


class Holder(msgspec.Struct, frozen=True):
    """Somebody with a post in the unit; of two people of one name the number tells who is who (R31)."""

    account_id: UUID
    name: str
    national_id: str
    state: str
    is_theirs: bool  # the reader may open the person's page


class Group(msgspec.Struct, frozen=True):
    """The people of one position."""

    position: Label
    people: list[Holder]


class UnitPage(msgspec.Struct, frozen=True):
    """One unit with everything that its reader may know."""

    code: str
    name: str
    agency_code: str | None
    leaf_first: str | None  # the same in the older notation
    parent: tuple[str, str] | None
    ended_on: date | None
    managers: list[Lead]
    decided_by: str | None  # where nobody is in charge of the unit itself
    people: int
    groups: list[Group]
    next_cursor: str | None
    history: list[Was]
    successors: list[tuple[str, str]]
    predecessors: list[tuple[str, str]]


async def tree(
    tx: AsyncSession,
    kit: Kit,
    reader: UUID,
    *,
    below: str = "",
    q: str = "",
    cursor: str = "",
    now: datetime,
) -> Branch:
    """The reader's units, what stands below one of the reader's, or any of these by its name: 50 lines a page.

    UnitNotFound for what stands below any other.
    """
    who, living = await authority.of(tx, kit, reader, now=now), _living(local_day(now))
    asked = select(Unit).where(living)
    top: Unit | None = None
    if below:
        top = await tx.scalar(select(Unit).where(Unit.code == below))
        if top is None or not who.stands_over(top.path):
            raise UnitNotFound
        asked = asked.where(Unit.path.startswith(top.path) if q else Unit.parent_id == top.id)
    else:
        asked = asked.where(who.below() if q else Unit.id.in_(_tops(who)))
    asked = asked.where(*unit_search.named(q))
    if cursor:
        asked = asked.where(Unit.code > paging.place_of(cursor))
    units, more = paging.cut((await tx.scalars(asked.order_by(Unit.code).limit(PAGE + 1))).all(), PAGE)
    following, below = paging.cursor_of(units[-1].code) if more else None, top.code if top else ""
    children, too_many = await _parts(tx, [] if q else units, living)
    if too_many and children and len(units) == 1 and not more:
        following, below = paging.cursor_of(children[-1].code), units[0].code
    elif too_many:
        children = []
    lines = await _lines(tx, who, units, children, living)
    if q:
        lines = await _placed(tx, units, lines)
    return Branch((top.code, top.name) if top else None, lines, following, below)


async def _parts(
    tx: AsyncSession, units: Sequence[Unit], living: ColumnElement[bool]
) -> tuple[Sequence[Unit], bool]:
    """What stands directly below some units, as far as it fits on their page, and whether there is more."""
    room = PAGE - len(units)
    under = select(Unit).where(living, Unit.parent_id.in_([unit.id for unit in units]))
    return paging.cut((await tx.scalars(under.order_by(Unit.code).limit(room + 1))).all(), room)


async def _placed(tx: AsyncSession, units: Sequence[Unit], lines: Sequence[Line]) -> list[Line]:
    """Each with the name of what it stands below: of two "Phòng Tổng hợp" that says which is which."""
    above = select(Unit.id, Unit.name).where(Unit.id.in_({unit.parent_id for unit in units} - {None}))
    names: dict[UUID | None, str] = {row.id: row.name for row in await tx.execute(above)}
    return [
        msgspec.structs.replace(line, parent=names.get(unit.parent_id))
        for unit, line in zip(units, lines, strict=True)
    ]


async def one(
    tx: AsyncSession, kit: Kit, code: str, reader: UUID, *, now: datetime, cursor: str = ""
) -> UnitPage:
    """A unit that the reader is in charge of; of one with managers of its own only these and the root's read it."""
    who = await authority.of(tx, kit, reader, now=now)
    unit = await tx.scalar(select(Unit).where(Unit.code == code))
    if unit is None:
        raise UnitNotFound
    way = rights.way_up(unit.path)
    managed = await rights.managers_by_unit(tx, way, on=who.today)
    if not rights.opens(who, unit.path, managed):
        raise UnitNotFound
    above = {row.id: row for row in await tx.scalars(select(Unit).where(Unit.id.in_(way)))}
    decider = next((above[one].name for one in way[1:] if one in managed), None)
    parent = above.get(unit.parent_id) if unit.parent_id else None
    groups, following = await _people(tx, kit, who, unit, managed, cursor)
    went, came = await unit_changes.heirs(tx, unit)
    held = select(func.count()).select_from(Role).where(Role.unit_id == unit.id, Role.state.in_(policy.HELD))
    return UnitPage(
        unit.code,
        unit.name,
        unit.agency_code,
        leaf_first(unit.agency_code),
        (parent.code, parent.name) if parent else None,
        unit.ended_on,
        await _leads(tx, kit, unit.id),
        None if unit.id in managed else decider,
        await tx.scalar(held) or 0,
        groups,
        following,
        await unit_changes.history(tx, unit.id),
        went,
        came,
    )


def leaf_first(code: str | None) -> str | None:
    """An agency code in the notation of QCVN 102:2016, with its empty groups: `G22.17` is `000.00.17.G22`."""
    if code is None:
        return None
    groups = code.split(".")
    empty = ("00", "00", "000")[len(groups) - 1 :]
    return ".".join(reversed([*groups, *empty]))


def _tops(who: Authority) -> list[UUID]:
    """The reader's units without those that stand below another of them."""
    paths = [post.path for post in who.posts.values()]
    return [
        post.id
        for post in who.posts.values()
        if not any(post.path != path and post.path.startswith(path) for path in paths)
    ]


def _living(today: date) -> ColumnElement[bool]:
    return or_(Unit.ended_on.is_(None), Unit.ended_on > today)


async def _lines(
    tx: AsyncSession,
    who: Authority,
    units: Sequence[Unit],
    children: Sequence[Unit],
    living: ColumnElement[bool],
) -> list[Line]:
    shown = [*units, *children]
    ids = [unit.id for unit in shown]
    counts = select(Role.unit_id, func.count()).where(Role.unit_id.in_(ids), Role.state.in_(policy.HELD))
    people = {row[0]: row[1] for row in await tx.execute(counts.group_by(Role.unit_id))}
    smaller = select(Unit.parent_id, func.count()).where(living, Unit.parent_id.in_(ids))
    parts = {row[0]: row[1] for row in await tx.execute(smaller.group_by(Unit.parent_id))}
    managed = await rights.managers_over(tx, [unit.path for unit in shown], on=who.today)

    below_each: dict[UUID | None, list[Unit]] = {}
    for child in children:
        below_each.setdefault(child.parent_id, []).append(child)

    def line(unit: Unit) -> Line:
        below = [line(child) for child in below_each.pop(unit.id, [])]
        opened = rights.opens(who, unit.path, managed)
        vacant = unit.id not in managed
        return Line(
            unit.code, unit.name, people.get(unit.id, 0), parts.get(unit.id, 0), vacant, opened, below
        )

    return [line(unit) for unit in units]


async def _leads(tx: AsyncSession, kit: Kit, unit_id: UUID) -> list[Lead]:
    query = select(Appointment).where(Appointment.unit_id == unit_id, Appointment.stands(MANAGER))
    leading = (await tx.scalars(query.order_by(Appointment.id).limit(MANAGERS_MOST))).all()
    known = {one.id: kit.keys.open("appointments.national_id", one.id, one.national_id) for one in leading}
    holders = await numbers.holders_of(tx, kit, known.values())
    names = await full_names(tx, kit, holders.values())
    found = []
    for one in leading:
        holder = holders.get(known[one.id])
        name = names.get(holder) if holder else None
        since = one.from_on or local_day(one.created_at)
        found.append(Lead(name, masked(known[one.id]), since, one.until_on))
    return found


async def _people(
    tx: AsyncSession,
    kit: Kit,
    who: Authority,
    unit: Unit,
    managers: dict[UUID, set[bytes]],
    cursor: str,
) -> tuple[list[Group], str | None]:
    query = select(Role).where(Role.unit_id == unit.id, Role.state.in_(policy.HELD))
    if cursor:
        position, _, last = paging.place_of(cursor).rpartition(" ")
        further = and_(Role.position == position, Role.id > paging.uuid_in(last))
        query = query.where(or_(Role.position > position, further))
    found = (await tx.scalars(query.order_by(Role.position, Role.id).limit(PAGE + 1))).all()
    roles, more = paging.cut(found, PAGE)
    accounts = [role.account_id for role in roles]
    names, personal = await full_names(tx, kit, accounts), await numbers.personal(tx, kit, accounts)
    catalogue = await in_force(tx)
    groups: dict[str, list[Holder]] = {}
    for role in roles:
        one, number = role.account_id, personal.get(role.account_id, "")
        own = set(await numbers.blinds_of(tx, kit, one))
        theirs = rights.is_theirs(who, unit.path, managers, own)
        shown = Holder(one, names[one], masked(number), role.state, theirs)
        groups.setdefault(role.position, []).append(shown)
    listed = [Group(catalogue.position_label(position), people) for position, people in groups.items()]
    return listed, paging.cursor_of(f"{roles[-1].position} {roles[-1].id}") if more else None
