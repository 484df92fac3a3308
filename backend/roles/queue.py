"""What managers and applicants may see, and nothing of others (rule 613): the read side of roles."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.names import folded, masked
from backend.roles import authority, policy, rights, rows
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.dossier import view
from backend.roles.models import Role, RoleRequest, Unit
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

MOST = 25
Item = TypeVar("Item")


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
    deciding = await _deciding_paths(tx, who)
    rows = [(role, unit) for role, unit in await tx.execute(_held(Unit.path.in_(deciding)))]
    if q:
        found = await _called(tx, kit, {role.account_id for role, _ in rows}, q)
        rows = [(role, unit) for role, unit in rows if role.account_id in found]
    placed = sorted(((f"{unit.code} {role.id}", (role, unit)) for role, unit in rows), key=itemgetter(0))
    shown, more = paging.cut(_after(placed, cursor), most)
    lines = await _person_rows(tx, kit, [row for _, row in shown], who)
    return Page(lines, paging.cursor_of(shown[-1][0]) if more else None)


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
    return (await names_of(tx, kit, [found.account_id])).get(found.account_id)


async def names_within(tx: AsyncSession, kit: Kit, manager: UUID) -> dict[UUID, str]:
    """The names of everybody who has or had a role in the manager's units."""
    paths = await _deciding_paths(tx, await authority.of(tx, kit, manager))
    query = (
        select(Role.account_id)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Unit.path.in_(paths), Role.state != policy.UNDONE)
    )
    return await names_of(tx, kit, set(await tx.scalars(query)))


async def names_of(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID]) -> dict[UUID, str]:
    """Full names by account."""
    rows = await tx.execute(select(Account.id, Account.full_name).where(Account.id.in_(set(accounts))))
    return {row.id: kit.keys.open("accounts.full_name", row.id, row.full_name) for row in rows}


async def _deciding_paths(tx: AsyncSession, who: Authority) -> list[str]:
    """The units whose people are the manager's: the managed ones, and those below that have no manager."""
    if not who.posts:
        return []
    managers = await rights.managers_by_unit(tx)
    paths = await tx.scalars(select(Unit.path).where(who.below()))
    return [path for path in paths if who.decides(rights.decider(path, managers, set()))]


def _held(where: ColumnElement[bool]) -> Select[Role, Unit]:
    return select(Role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.state.in_(policy.HELD), where)


async def _called(tx: AsyncSession, kit: Kit, accounts: set[UUID], q: str) -> set[UUID]:
    """Those of the accounts whose name holds the words, or whose personal number it is."""
    wanted = folded(q)
    names = await names_of(tx, kit, accounts)
    found = {account for account, name in names.items() if wanted in folded(name)}
    digits = "".join(letter for letter in q if letter.isdigit())
    if digits and digits == "".join(q.split()):
        blinds = kit.keys.blinds("national_id", digits)
        found |= set(await tx.scalars(select(Identifier.account_id).where(Identifier.blind.in_(blinds))))
    return found & accounts


def _after(placed: list[tuple[str, Item]], cursor: str | None) -> list[tuple[str, Item]]:
    """What comes after the place that the cursor names, even if what stood there is gone."""
    if not cursor:
        return placed
    last = paging.place_of(cursor)
    return [one for one in placed if one[0] > last]


async def _person_rows(
    tx: AsyncSession, kit: Kit, rows: list[tuple[Role, Unit]], who: Authority
) -> list[PersonRow]:
    accounts = [role.account_id for role, _ in rows]
    names = await names_of(tx, kit, accounts)
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
                role.state,
                role.from_on,
                role.until_on,
                may_end=role.account_id != who.account_id and who.decides(deciding),
            )
        )
    return lines
