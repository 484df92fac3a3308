"""Managers of units below, about whom the manager above decides (rules 613, 616; case R07)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.called import Called
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.roles import policy, rights, territory
from backend.roles.authority import Authority
from backend.roles.models import Role, Unit


async def of(
    tx: AsyncSession,
    kit: Kit,
    who: Authority,
    sought: Called | None,
    *where: ColumnElement[bool] | TextClause,
    but: Collection[UUID],
    after: tuple[str, UUID] | None,
    most: int,
) -> list[UUID]:
    """The next roles, by unit and then by key, of managers of units below, in units beside those of `but`, which are
    the reader's to decide about; some more of them than are wanted, if there are.
    """
    if not who.posts:
        return []
    current = (Identifier.kind == numbers.NATIONAL_ID, Identifier.ended_at.is_(None))
    others = (Identifier.blind.in_(territory.near(who)), Identifier.blind.not_in(who.blinds))
    accounts, code = select(Identifier.account_id).where(*current, *others), territory.by_code(tx)
    query = select(Role.id, Role.account_id, Role.unit_id, Unit.code, Unit.path)
    query = query.join(Unit, Unit.id == Role.unit_id).order_by(code, Role.id).limit(most)
    query = query.where(Role.account_id.in_(accounts), Role.state.in_(policy.HELD), who.below(), *where)
    if sought is not None:
        known = sought.is_one(Role.account_id) if sought.words else Role.account_id.in_(sought.accounts)
        query = query.where(known)
    found: list[UUID] = []
    while len(found) < most:
        further = [] if after is None else [or_(code > after[0], and_(code == after[0], Role.id > after[1]))]
        rows = (await tx.execute(query.where(*further))).all()
        found += await _decided(tx, kit, who, [row for row in rows if row.unit_id not in but])
        if len(rows) < most:
            break
        after = rows[-1].code, rows[-1].id
    return found


async def _decided(tx: AsyncSession, kit: Kit, who: Authority, rows: Sequence[Any]) -> list[UUID]:
    """Those of some roles about whose people the reader decides there."""
    managers = await rights.managers_over(tx, {row.path for row in rows}, on=who.today)
    await numbers.personal(tx, kit, {row.account_id for row in rows})  # all in one statement
    return [
        row.id
        for row in rows
        if who.decides(
            rights.decider(row.path, managers, set(await numbers.blinds_of(tx, kit, row.account_id)))
        )
    ]
