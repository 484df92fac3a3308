"""What managers and applicants may see, and nothing of others (rule 613): the read side of roles."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import called, numbers
from backend.accounts.identity.called import Called
from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.names import last_digits, masked
from backend.roles import authority, heads, policy, rights, rows, territory
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.narrowed import EVERYBODY, Narrowed
from backend.roles.views import Page, PersonRow, UnitRow

MOST, UNITS = 25, 50
CHOICES = 300  # units in one list: whoever has more of them to choose from names one


class Place(NamedTuple):
    """Where a role stands in the list."""

    code: str
    role: UUID


async def people(
    tx: AsyncSession,
    kit: Kit,
    manager: UUID,
    *,
    now: datetime,
    narrowed: Narrowed = EVERYBODY,
    q: str | None = None,
    cursor: str | None = None,
    most: int = MOST,
) -> Page[PersonRow]:
    """Everybody whose role the manager decides about, unit by unit, with the heads of units below (R07)."""
    who = await authority.of(tx, kit, manager, now=now)
    return await people_of(tx, kit, who, narrowed=narrowed, q=q, cursor=cursor, most=most)


async def people_of(
    tx: AsyncSession,
    kit: Kit,
    who: Authority,
    *,
    narrowed: Narrowed = EVERYBODY,
    q: str | None = None,
    cursor: str | None = None,
    most: int = MOST,
) -> Page[PersonRow]:
    """The same of somebody whose rights are known."""
    below = await _below(tx, narrowed.unit)
    theirs = await _among(tx, who, below if narrowed.unit else None)
    start = _start(cursor) if cursor else None
    sought = await called.those(tx, kit, q) if q else None
    if sought is not None and not sought.words:
        own = await _roles_of(tx, sought.accounts, theirs, start, most + 1, narrowed)
    else:
        own = await _next(tx, theirs, start, most + 1, sought, narrowed)
    only = (below, *narrowed.where)
    if len(own) > most:  # behind these nobody stands on the page
        only = (*only, territory.by_code(tx) <= own[-1].code)
    but = {unit for _, unit in theirs}
    others = await heads.of(tx, kit, who, sought, *only, but=but, after=start, most=most + 1)
    found = [*(place.role for place in own), *others]
    rows = await tx.execute(_shown(and_(Role.id.in_(found), below, *narrowed.where)))
    held = sorted(((Place(unit.code, role.id), role, unit) for role, unit in rows), key=lambda row: row[0])
    onward = [(role, unit) for place, role, unit in held if start is None or place > start]
    shown, more = paging.cut(onward[: most + 1], most)
    lines = await _person_rows(tx, kit, shown, who)
    return Page(lines, paging.cursor_of(f"{lines[-1].unit_code} {lines[-1].role_id}") if more else None)


async def person(tx: AsyncSession, kit: Kit, role_id: UUID, manager: UUID, *, now: datetime) -> PersonRow:
    """One role of somebody of the manager's; RoleNotFound for any other."""
    who = await authority.of(tx, kit, manager, now=now)
    row = (await tx.execute(_held(who.below()).where(Role.id == role_id))).one_or_none()
    if row is None or not await is_theirs(tx, kit, who, row[0].account_id, row[1].path):
        raise policy.RoleNotFound
    (line,) = await _person_rows(tx, kit, [(row[0], row[1])], who)
    return line


async def is_theirs(tx: AsyncSession, kit: Kit, who: Authority, account_id: UUID, path: str) -> bool:
    """Whether somebody with a role at a path is a person of theirs (rights.is_theirs)."""
    own = set(await numbers.blinds_of(tx, kit, account_id))
    return rights.is_theirs(who, path, await rights.managers_over(tx, [path], on=who.today), own)


async def units(tx: AsyncSession) -> list[UnitRow]:
    """Every living unit in the order of the tree, siblings by code; none where they are more than one chooses from."""
    living = select(Unit.id, Unit.code, Unit.name, Unit.parent_id).where(Unit.ended_on.is_(None))
    rows = (await tx.execute(living.order_by(Unit.code).limit(CHOICES + 1))).all()
    if len(rows) > CHOICES:
        return []
    children: dict[UUID | None, list[Any]] = {}
    alive = {unit.id for unit in rows}
    for unit in rows:
        children.setdefault(unit.parent_id if unit.parent_id in alive else None, []).append(unit)
    found: list[UnitRow] = []
    stack = [(unit, 0) for unit in reversed(children.get(None, []))]
    while stack:
        unit, depth = stack.pop()
        found.append(UnitRow(unit.id, unit.code, unit.name, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(unit.id, []))]
    return found


async def name_for(
    tx: AsyncSession, kit: Kit, request_id: UUID, reader: UUID, *, now: datetime
) -> tuple[str, str] | None:
    """The applicant's name and last digits, if the reader may see the request."""
    found = await tx.get(RoleRequest, request_id)
    if found is None:
        return None
    who = await authority.of(tx, kit, reader, now=now)
    steps = await rows.steps_of(tx, request_id)
    if policy.why_not_see(await rights.standing(tx, kit, found, steps, who)):
        return None
    names = await full_names(tx, kit, [found.account_id])
    known = await numbers.personal(tx, kit, [found.account_id])
    return names.get(found.account_id, ""), last_digits(known.get(found.account_id, ""))


async def names_within(
    tx: AsyncSession, kit: Kit, manager: UUID, among: Select[UUID], *, now: datetime, most: int
) -> dict[UUID, str]:
    """The names of those of some accounts who have or had a role in the manager's units; at most so many."""
    who = await authority.of(tx, kit, manager, now=now)
    query = (
        select(Role.account_id, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.account_id.in_(among), who.below(), Role.state != policy.UNDONE)
        .order_by(Role.account_id)
    )
    held = (await tx.execute(query)).all()
    managers = await rights.managers_over(tx, {row.path for row in held}, on=who.today)
    rows = [row for row in held if rights.reads(who, row.path, managers)]
    return await full_names(tx, kit, list(dict.fromkeys(row.account_id for row in rows))[:most])


async def choices(tx: AsyncSession, kit: Kit, manager: UUID, *, now: datetime, most: int) -> list[UnitRow]:
    """The units by which the people can be narrowed, by code, at most so many: of many units the managed ones do."""
    who = await authority.of(tx, kit, manager, now=now)
    theirs = [unit for _, unit in await territory.own(tx, who)]
    some = theirs if len(theirs) <= most else list(who.posts)
    query = select(Unit).where(Unit.id.in_(some)).order_by(Unit.code)
    return [UnitRow(unit.id, unit.code, unit.name, 0) for unit in await tx.scalars(query)]


async def _below(tx: AsyncSession, unit: str) -> ColumnElement[bool]:
    """Of `Unit`: everything, or the one that is named and those below it."""
    path = await tx.scalar(select(Unit.path).where(Unit.code == unit)) if unit else None
    return Unit.path.startswith(path) if path is not None else false() if unit else true()


async def _among(
    tx: AsyncSession, who: Authority, below: ColumnElement[bool] | None
) -> list[tuple[str, UUID]]:
    """The units whose people are the manager's, as far as they are asked for."""
    theirs = await territory.own(tx, who)
    if below is None:
        return theirs
    asked = set(await tx.scalars(select(Unit.id).where(Unit.id.in_([unit for _, unit in theirs]), below)))
    return [one for one in theirs if one[1] in asked]


def _shown(where: ColumnElement[bool]) -> Select[Role, Unit]:
    return select(Role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.state != policy.UNDONE, where)


def _held(where: ColumnElement[bool]) -> Select[Role, Unit]:
    return select(Role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.state.in_(policy.HELD), where)


def held_in(
    unit: UUID,
    after: UUID | None,
    most: int,
    sought: Called | None = None,
    narrowed: Narrowed = EVERYBODY,
) -> Select[UUID, UUID]:
    """The next roles of one unit, from its part of the index; of many people who are called so, if it is asked."""
    query = select(Role.id, Role.unit_id).where(Role.unit_id == unit, *narrowed.where)
    if sought is not None:
        query = query.where(sought.is_one(Role.account_id))
    return (query if after is None else query.where(Role.id > after)).order_by(Role.id).limit(most)


def _start(cursor: str) -> Place:
    """Where the list goes on; raises CursorInvalid, also for a cursor of another list."""
    code, between, last = paging.place_of(cursor).rpartition(" ")
    if not between:
        raise paging.CursorInvalid
    return Place(code, paging.uuid_in(last))


async def _roles_of(
    tx: AsyncSession,
    accounts: Collection[UUID],
    places: Sequence[tuple[str, UUID]],
    start: Place | None,
    most: int,
    narrowed: Narrowed,
) -> list[Place]:
    """The next roles of a few people, unit by unit."""
    codes = {unit: code for code, unit in places}
    rows = await tx.execute(
        select(Role.id, Role.unit_id).where(Role.account_id.in_(accounts), *narrowed.where)
    )
    held = sorted(Place(codes[unit], role) for role, unit in rows if unit in codes)
    return [place for place in held if start is None or place > start][:most]


async def _next(
    tx: AsyncSession,
    places: Sequence[tuple[str, UUID]],
    start: Place | None,
    most: int,
    sought: Called | None,
    narrowed: Narrowed,
) -> list[Place]:
    """The next roles of some units, in order: of many units at once, and of each no more than are wanted."""
    todo = [
        (unit, start.role if start is not None and start.code == code else None)
        for code, unit in places
        if start is None or code >= start.code
    ]
    codes = {unit: code for code, unit in places}
    found: list[Place] = []
    for at in range(0, len(todo), UNITS):
        some = todo[at : at + UNITS]
        parts = [select(held_in(unit, after, most, sought, narrowed).subquery()) for unit, after in some]
        by_unit: dict[UUID, list[UUID]] = {}
        for row in await tx.execute(union_all(*parts)):
            by_unit.setdefault(row.unit_id, []).append(row.id)
        found += [Place(codes[unit], role) for unit, _ in some for role in sorted(by_unit.get(unit, []))]
        if len(found) >= most:
            break
        await asyncio.sleep(0)  # whoever else waits for an answer is served meanwhile
    return found[:most]


async def _person_rows(
    tx: AsyncSession, kit: Kit, rows: list[tuple[Role, Unit]], who: Authority
) -> list[PersonRow]:
    accounts = [role.account_id for role, _ in rows]
    names = await full_names(tx, kit, accounts)
    known, catalogue = await numbers.personal(tx, kit, accounts), await in_force(tx)
    managers = await rights.managers_over(tx, {unit.path for _, unit in rows}, on=who.today)
    lines = []
    for role, unit in rows:
        own = set(await numbers.blinds_of(tx, kit, role.account_id))
        deciding = rights.decider(unit.path, managers, own)
        lines.append(
            PersonRow(
                role.id,
                role.account_id,
                names[role.account_id],
                masked(known.get(role.account_id, "")),
                unit.name,
                unit.code,
                role.subject_type,
                catalogue.position_label(role.position),
                role.position,
                role.state,
                role.from_on,
                role.until_on,
                may_end=role.state in policy.HELD
                and role.account_id != who.account_id
                and who.decides(deciding),
            )
        )
    return lines
