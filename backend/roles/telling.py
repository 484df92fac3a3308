"""Who has to be told anew after a change that is no decision: everybody under a unit, everybody with a number (R22)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.outbox import renewal
from backend.outbox.models import System
from backend.outbox.queue import CHUNK
from backend.roles import policy, rows
from backend.roles.models import Role, Unit
from backend.roles.scope import in_scope, scope_of


async def units_changed(tx: AsyncSession, units: Iterable[UUID], *, now: datetime) -> int:
    """After units got another name, code, agency code, place or end: tell of everybody at or below them.

    Systems that knew them are told too, so that whoever moved out of a system's units is switched off there.
    The units' paths must be the new ones, and written. Returns the number of deliveries.
    """
    changed = {str(unit) for unit in units}
    if not changed:
        return 0
    query = (
        select(Role.account_id, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .join(Account, Account.id == Role.account_id)
        .where(Role.state == policy.ACTIVE, Account.status == "active")
    )
    concerned: defaultdict[UUID, set[str]] = defaultdict(set)
    for account_id, path in await tx.execute(query):
        if not changed.isdisjoint(path.split("/")):
            concerned[account_id].add(path)
    also: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for system in await tx.scalars(select(System).where(System.disabled_at.is_(None))):
        scope = await scope_of(tx, system)
        for account_id, paths in concerned.items():
            if any(in_scope(path, scope) for path in paths):
                also[account_id].add(system.id)
    return await renewal.renew(tx, concerned, now=now, also=also)


async def hold(tx: AsyncSession, units: Iterable[UUID]) -> None:
    """Before a change of these units and all below them: their people's roles stay as they are until the commit.

    The caller has the tree (`rows.TREE`) for itself: a role that would begin there waits, and then reads the new one.
    """
    await rows.accounts_locked(tx, await people_of(tx, units))


async def people_of(tx: AsyncSession, units: Iterable[UUID]) -> set[UUID]:
    """Who has a role in force in these units."""
    ids = sorted(units)
    found: set[UUID] = set()
    for start in range(0, len(ids), CHUNK):
        query = select(Role.account_id).where(
            Role.unit_id.in_(ids[start : start + CHUNK]), Role.state == policy.ACTIVE
        )
        found |= set(await tx.scalars(query))
    return found


async def addresses_changed(tx: AsyncSession, kit: Kit, numbers: Iterable[str], *, now: datetime) -> int:
    """After the staff directory gave these personal numbers another official address, or took theirs away.

    Whether an address is proved decides who is adopted in a system, so each is told again.
    """
    blinds = [blind for number in numbers for blind in kit.keys.blinds("national_id", number)]
    people: set[UUID] = set()
    for start in range(0, len(blinds), CHUNK):
        held = (Identifier.kind == "national_id", Identifier.ended_at.is_(None))
        query = select(Identifier.account_id).join(Role, Role.account_id == Identifier.account_id)
        part = Identifier.blind.in_(blinds[start : start + CHUNK])
        people |= set(await tx.scalars(query.where(*held, part, Role.state == policy.ACTIVE)))
    return await renewal.renew(tx, people, now=now)
