"""One difference between the staff directory and a role: what each side says, and the act that settles it (rule 627).

Whose an entry is, is asked under every live key: while keys are rotated one side may be under another (rule 905).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.names import masked
from backend.roles import policy, rights, sight
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, StaffRecord, Unit
from backend.roles.staff_rows import person_of
from backend.transaction import Tx
from backend.words import Label

LISTED = (numbers.NATIONAL_ID, numbers.OLD_ID)  # by which numbers an entry may name somebody (case R19)
ENTRIES = "entries of the directory"
ELSEWHERE, LEFT, NO_ROLE = "elsewhere", "left", "no_role"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What one side says and the other does not; `act` only where it is the reader's to do."""

    why: str  # elsewhere, left, no_role
    unit: str
    unit_code: str
    name: str
    national_id: str
    held: Label | None = None
    listed: Label | None = None
    listed_unit: str | None = None
    account_id: UUID | None = None
    role_id: UUID | None = None
    act: str | None = None  # transfer, separation, end
    is_theirs: bool = False
    request_id: UUID | None = None  # what the person has asked for already
    is_reader: bool = False  # it is about whoever reads it


async def of_roles(
    tx: AsyncSession,
    kit: Kit,
    who: Authority,
    ids: Collection[UUID],
) -> dict[UUID, Difference]:
    """What differs of some roles, by the role."""
    if not ids:
        return {}
    query = select(Role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.id.in_(ids))
    found = [(role, unit) for role, unit in await tx.execute(query)]
    managers = await rights.managers_over(tx, {unit.path for _, unit in found}, on=who.today)
    accounts = {role.account_id for role, _ in found}
    names, known = await full_names(tx, kit, accounts), await numbers.personal(tx, kit, accounts)
    entries, posts = await entries_of(tx, kit, known), await _posts_of(tx, accounts)
    catalogue, rows = await in_force(tx), dict[UUID, Difference]()
    for role, unit in found:
        account = role.account_id
        if account not in entries:
            continue
        entry, listed_unit = entries[account]
        why = _why(role, entry, posts[account])
        if why is None:
            continue
        own = set(kit.keys.blinds(numbers.NATIONAL_ID, known[account]))
        theirs = account != who.account_id and who.decides(rights.decider(unit.path, managers, own))
        rows[role.id] = Difference(
            why=why,
            unit=unit.name,
            unit_code=unit.code,
            name=names[account],
            national_id=masked(known[account]),
            held=catalogue.position_label(role.position),
            listed=catalogue.position_label(entry.position) if entry.position else None,
            listed_unit=listed_unit,
            account_id=account,
            role_id=role.id,
            act=_act(role, why) if theirs else None,
            is_theirs=theirs,
        )
    return rows


async def of_entries(
    tx: AsyncSession, kit: Kit, who: Authority, ids: Collection[UUID]
) -> dict[UUID, Difference]:
    """What differs of some entries, by the entry."""
    if not ids:
        return {}
    query = select(StaffRecord, Unit).join(Unit, Unit.id == StaffRecord.unit_id)
    listed = await tx.execute(query.where(StaffRecord.id.in_(ids)))
    found = [(entry, unit, person_of(kit, entry)) for entry, unit in listed]
    holders = await _holders(tx, kit, {entry.id: person.national_id for entry, _, person in found})
    posts = await _posts_of(tx, holders.values())
    asked, catalogue = await _asked(tx, kit, who, holders.values()), await in_force(tx)
    return {
        entry.id: Difference(
            why=NO_ROLE,
            unit=unit.name,
            unit_code=unit.code,
            name=person.full_name,
            national_id=masked(person.national_id),
            listed=catalogue.position_label(entry.position),
            listed_unit=unit.name,
            request_id=asked.get(holders.get(entry.id)),
            is_reader=holders.get(entry.id) == who.account_id,
        )
        for entry, unit, person in found
        if holders.get(entry.id) not in posts
    }


def _why(role: Role, entry: StaffRecord, posts: Collection[tuple[UUID, str]]) -> str | None:
    """What the entry says against the role of somebody with these posts, if it does."""
    if entry.left_at is not None:
        return LEFT
    if not role.is_home or role.state == policy.SCHEDULED:
        return None
    fits = any(unit == entry.unit_id and entry.position in {"", position} for unit, position in posts)
    return None if fits else ELSEWHERE


def _act(role: Role, why: str) -> str | None:
    """What settles it; somebody whose post is suspended is not moved."""
    if why == LEFT:
        return "separation" if role.is_home else "end"
    return "transfer" if role.state == policy.ACTIVE else None


async def _posts_of(tx: AsyncSession, accounts: Collection[UUID]) -> dict[UUID, set[tuple[UUID, str]]]:
    """Units and positions that people have or will have, by account; nobody stands there without one."""
    held = select(Role.account_id, Role.unit_id, Role.position).where(Role.account_id.in_(list(accounts)))
    posts: dict[UUID, set[tuple[UUID, str]]] = {}
    for row in await tx.execute(held.where(Role.state.in_(policy.HELD))):
        posts.setdefault(row.account_id, set()).add((row.unit_id, row.position))
    return posts


async def entries_of(
    tx: AsyncSession, kit: Kit, known: Mapping[UUID, str]
) -> dict[UUID, tuple[StaffRecord, str]]:
    """The entries of people by account, also of who has left, with the name of the unit; asked once by who reads."""
    had: dict[UUID, tuple[StaffRecord, str] | None] = (
        {} if isinstance(tx, Tx) else tx.info.setdefault(ENTRIES, {})
    )
    if asked := {one: number for one, number in known.items() if one not in had}:
        had.update({**dict.fromkeys(asked), **await _entries_of(tx, kit, asked)})
    return {one: entry for one in known if (entry := had[one]) is not None}


async def _entries_of(
    tx: AsyncSession, kit: Kit, known: Mapping[UUID, str]
) -> dict[UUID, tuple[StaffRecord, str]]:
    owners = _by_blind(kit, known)
    query = select(StaffRecord, Unit.name).join(Unit, Unit.id == StaffRecord.unit_id)
    found = await tx.execute(query.where(StaffRecord.national_id_blind.in_(list(owners))))
    return {owners[entry.national_id_blind]: (entry, name) for entry, name in found}


async def _holders(tx: AsyncSession, kit: Kit, known: Mapping[UUID, str]) -> dict[UUID, UUID]:
    """The accounts of those whom entries are about, by the entry."""
    entries = _by_blind(kit, known)
    current = (Identifier.kind.in_(LISTED), Identifier.ended_at.is_(None))
    query = select(Identifier.blind, Identifier.account_id).where(*current)
    found = await tx.execute(query.where(Identifier.blind.in_(list(entries))))
    return {entries[row.blind]: row.account_id for row in found}


async def _asked(
    tx: AsyncSession, kit: Kit, who: Authority, accounts: Collection[UUID]
) -> dict[UUID | None, UUID]:
    """The open requests that the reader may see, by account."""
    query = select(RoleRequest.account_id, RoleRequest.id).where(RoleRequest.status.in_(policy.OPEN))
    found = (await tx.execute(query.where(RoleRequest.account_id.in_(list(accounts))))).all()
    seen = await sight.requests(tx, kit, who, [row.id for row in found])
    return {row.account_id: row.id for row in found if row.id in seen}


def _by_blind(kit: Kit, known: Mapping[UUID, str]) -> dict[bytes, UUID]:
    return {
        blind: whose
        for whose, number in known.items()
        for blind in kit.keys.blinds(numbers.kind_of(number), number)
    }
