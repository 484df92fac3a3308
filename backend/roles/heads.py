"""Managers of units below, about whom the manager above decides (rules 613, 616; case R07)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.called import Called
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.roles import policy, rights
from backend.roles.authority import Authority
from backend.roles.models import Role, Unit


async def of(
    tx: AsyncSession, kit: Kit, who: Authority, sought: Called | None, *, but: Collection[UUID]
) -> list[UUID]:
    """Roles of managers of units below, in units beside those of `but`, which are the reader's to decide about."""
    if not who.posts:
        return []
    managers = await rights.managers_by_unit(tx, on=who.today)
    below = {unit for unit in await tx.scalars(select(Unit.id).where(who.below())) if unit not in but}
    blinds = {blind for unit in below for blind in managers.get(unit, ())} - who.blinds
    if not blinds:
        return []
    current = (Identifier.kind == numbers.NATIONAL_ID, Identifier.ended_at.is_(None))
    accounts = select(Identifier.account_id).where(*current, Identifier.blind.in_(list(blinds)))
    query = select(Role.id, Role.account_id, Unit.path).join(Unit, Unit.id == Role.unit_id)
    query = query.where(
        Role.account_id.in_(accounts), Role.state.in_(policy.HELD), Role.unit_id.in_(list(below))
    )
    if sought is not None:
        known = sought.is_one(Role.account_id) if sought.words else Role.account_id.in_(sought.accounts)
        query = query.where(known)
    found = (await tx.execute(query)).all()
    await numbers.personal(tx, kit, {row.account_id for row in found})  # all in one statement
    return [
        row.id
        for row in found
        if who.decides(
            rights.decider(row.path, managers, set(await numbers.blinds_of(tx, kit, row.account_id)))
        )
    ]
