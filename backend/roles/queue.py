"""What managers and applicants may see, and nothing of others (rule 613): the read side of roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.names import folded, masked
from backend.roles import authority, policy, rights, rows
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.dossier import view
from backend.roles.models import HELD, Role, RoleRequest, Unit
from backend.roles.own import mine, one_of_mine, roles_of
from backend.roles.views import Page, PersonRow, UnitRow

__all__ = [
    "mine",
    "name_for",
    "names_within",
    "one_of_mine",
    "people",
    "person",
    "roles_of",
    "units",
    "view",
]

MOST, CHUNK, UNITS = 25, 500, 50


class Held(NamedTuple):
    """A role that somebody has or will have."""

    id: UUID
    unit_id: UUID
    account_id: UUID


class Sought(NamedTuple):
    """A part of a name without marks, and who has the number, if it is one."""

    words: str
    holders: frozenset[UUID]


async def people(
    tx: AsyncSession,
    kit: Kit,
    manager: UUID,
    *,
    q: str | None = None,
    cursor: str | None = None,
    most: int = MOST,
) -> Page[PersonRow]:
    """Everybody with a role in the manager's units, unit by unit."""
    who = await authority.of(tx, kit, manager)
    places = await _places(tx, who)
    code, _, last = paging.place_of(cursor).rpartition(" ") if cursor else ("", "", "")
    todo = [
        (unit, paging.uuid_in(last) if name == code and last else None)
        for name, unit in places
        if name >= code
    ]
    sought = await _sought(tx, kit, q) if q else None
    found: list[UUID] = []
    async for batch in _in_order(tx, todo, CHUNK if q else most + 1):
        found += [row.id for row in (await _called(tx, kit, batch, sought) if sought else batch)]
        if len(found) > most:
            break
    rows = await tx.execute(_held(Role.id.in_(found[: most + 1])))
    by_id = {role.id: (role, unit) for role, unit in rows}
    shown, more = paging.cut([by_id[one] for one in found if one in by_id], most)
    lines = await _person_rows(tx, kit, shown, who)
    return Page(lines, paging.cursor_of(f"{lines[-1].unit_code} {lines[-1].role_id}") if more else None)


async def person(tx: AsyncSession, kit: Kit, role_id: UUID, manager: UUID) -> PersonRow:
    """One role below the manager's units; RoleNotFound for any other."""
    who = await authority.of(tx, kit, manager)
    query = _held(who.below()).where(Role.id == role_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise policy.RoleNotFound
    (line,) = await _person_rows(tx, kit, [(row[0], row[1])], who)
    return line


async def units(tx: AsyncSession) -> list[UnitRow]:
    """Every living unit in the order of the tree, siblings by code."""
    rows = (await tx.scalars(select(Unit).where(Unit.ended_on.is_(None)).order_by(Unit.code))).all()
    children: dict[UUID | None, list[Unit]] = {}
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


async def name_for(tx: AsyncSession, kit: Kit, request_id: UUID, reader: UUID) -> str | None:
    """The applicant's name, if the reader may see the request."""
    found = await tx.get(RoleRequest, request_id)
    if found is None:
        return None
    who = await authority.of(tx, kit, reader)
    steps = await rows.steps_of(tx, request_id)
    if policy.why_not_see(await rights.standing(tx, kit, found, steps, who)):
        return None
    return (await full_names(tx, kit, [found.account_id])).get(found.account_id)


async def names_within(
    tx: AsyncSession, kit: Kit, manager: UUID, among: Select[UUID], *, most: int
) -> dict[UUID, str]:
    """The names of those of some accounts who have or had a role in the manager's units; at most so many."""
    who = await authority.of(tx, kit, manager)
    managers = await rights.managers_by_unit(tx)
    query = (
        select(Role.account_id, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.account_id.in_(among), who.below(), Role.state != policy.UNDONE)
        .order_by(Role.account_id)
    )
    rows = [row for row in await tx.execute(query) if who.decides(rights.decider(row.path, managers, set()))]
    return await full_names(tx, kit, list(dict.fromkeys(row.account_id for row in rows))[:most])


async def _places(tx: AsyncSession, who: Authority) -> list[tuple[str, UUID]]:
    """The units whose people are the manager's, by code: the managed ones, and those below that have no manager."""
    if not who.posts:
        return []
    managers = await rights.managers_by_unit(tx)
    units = await tx.execute(select(Unit.code, Unit.id, Unit.path).where(who.below()))
    own = (unit for unit in units if who.decides(rights.decider(unit.path, managers, set())))
    return sorted((unit.code, unit.id) for unit in own)


def _held(where: ColumnElement[bool]) -> Select[Role, Unit]:
    return select(Role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.state.in_(policy.HELD), where)


def held_in(unit: UUID, after: UUID | None, most: int) -> Select[UUID, UUID, UUID]:
    """The next roles of one unit, from its part of the index."""
    query = select(Role.id, Role.unit_id, Role.account_id).where(Role.unit_id == unit, text(HELD))
    return (query if after is None else query.where(Role.id > after)).order_by(Role.id).limit(most)


async def _in_order(
    tx: AsyncSession, todo: list[tuple[UUID, UUID | None]], most: int
) -> AsyncIterator[list[Held]]:
    """The roles of some units, in order, in batches: of many units at once, and of each no more than so many."""
    while todo:
        some, todo = todo[:UNITS], todo[UNITS:]
        parts = [select(held_in(unit, after, most).subquery()) for unit, after in some]
        by_unit: dict[UUID, list[Held]] = {}
        for row in await tx.execute(union_all(*parts)):
            by_unit.setdefault(row.unit_id, []).append(Held(*row))
        batch: list[Held] = []
        for number, (unit, _) in enumerate(some):
            theirs = sorted(by_unit.get(unit, []))
            batch += theirs
            if len(theirs) == most:  # the unit may have more: on from there
                todo = [(unit, theirs[-1].id), *some[number + 1 :], *todo]
                break
        yield batch
        await asyncio.sleep(0)  # whoever else waits for an answer is served meanwhile


async def _sought(tx: AsyncSession, kit: Kit, q: str) -> Sought:
    """What somebody typed."""
    digits = "".join(letter for letter in q if letter.isdigit())
    if not digits or digits != "".join(q.split()):
        return Sought(folded(q), frozenset())
    blinds = kit.keys.blinds("national_id", digits)
    holders = await tx.scalars(select(Identifier.account_id).where(Identifier.blind.in_(blinds)))
    return Sought(folded(q), frozenset(holders))


async def _called(tx: AsyncSession, kit: Kit, batch: Sequence[Held], sought: Sought) -> list[Held]:
    """Those whose name holds the words, or whose personal number it is."""
    names = await full_names(tx, kit, [row.account_id for row in batch])
    return [
        row
        for row in batch
        if row.account_id in sought.holders or sought.words in folded(names[row.account_id])
    ]


async def _person_rows(
    tx: AsyncSession, kit: Kit, rows: list[tuple[Role, Unit]], who: Authority
) -> list[PersonRow]:
    accounts = [role.account_id for role, _ in rows]
    names = await full_names(tx, kit, accounts)
    known, catalogue = await numbers.personal(tx, kit, accounts), await in_force(tx)
    managers = await rights.managers_by_unit(tx)
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
                may_end=role.account_id != who.account_id and who.decides(deciding),
            )
        )
    return lines
