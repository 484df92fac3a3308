"""Of many requests, roles and units those that somebody may read, asked at once: as rights says of one (rule 613)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.kit import Kit
from backend.roles import rights
from backend.roles.authority import Authority
from backend.roles.models import RequestStep, Role, RoleRequest, Unit


class Post(NamedTuple):
    """What is asked of a role here, and where its unit stands."""

    id: UUID
    account_id: UUID
    unit_id: UUID
    state: str
    path: str


async def requests(tx: AsyncSession, kit: Kit, who: Authority, ids: Collection[UUID]) -> set[UUID]:
    """Those requests that they may know of by their own right."""
    query = select(RequestStep, RoleRequest.account_id, Unit.path)
    query = query.join(RoleRequest, RoleRequest.id == RequestStep.request_id)
    query = query.join(Unit, Unit.id == RequestStep.unit_id).where(
        RequestStep.request_id.in_(ids), who.below()
    )
    rows = (await tx.execute(query)).all()
    managers = await rights.managers_over(tx, {row.path for row in rows}, on=who.today)
    own = await _blinds(tx, kit, {row.account_id for row in rows})
    return {
        row.RequestStep.request_id
        for row in rows
        if rights.sees_step(who, row.RequestStep, row.path, managers, own[row.account_id])
    }


async def known(tx: AsyncSession, kit: Kit, who: Authority, found: Collection[RoleRequest]) -> set[UUID]:
    """Those requests that they may know of in whatever way: as rights.standing says of one (`sees`)."""
    about = {one.id: one for one in found}
    query = select(RequestStep, Unit.path).join(Unit, Unit.id == RequestStep.unit_id)
    steps = (await tx.execute(query.where(RequestStep.request_id.in_(about)))).all()
    managers = await rights.managers_over(tx, {row.path for row in steps}, on=who.today)
    own = await _blinds(tx, kit, {one.account_id for one in found})
    seen = {one.id for one in found if one.account_id == who.account_id}
    for step, path in steps:
        one = about[step.request_id]
        blinds = own[one.account_id]
        nearest = rights.decider(path, managers, blinds)
        if who.stands_in(nearest, path, one.kind, about=one.account_id) or rights.sees_step(
            who, step, path, managers, blinds
        ):
            seen.add(one.id)
    return seen


async def roles(tx: AsyncSession, kit: Kit, who: Authority, where: Any) -> list[Post]:
    """Those roles, of the ones meant, whose holder is a person of theirs."""
    query = select(Role.id, Role.account_id, Role.unit_id, Role.state, Unit.path)
    meant = query.join(Unit, Unit.id == Role.unit_id).where(where, who.below())
    rows = [Post._make(row) for row in await tx.execute(meant)]
    managers = await rights.managers_over(tx, {row.path for row in rows}, on=who.today)
    own = await _blinds(tx, kit, {row.account_id for row in rows})
    return [row for row in rows if rights.is_theirs(who, row.path, managers, own[row.account_id])]


async def units(tx: AsyncSession, who: Authority, ids: Collection[UUID]) -> set[UUID]:
    """Those units whose people are theirs."""
    rows = (await tx.execute(select(Unit.id, Unit.path).where(Unit.id.in_(ids), who.below()))).all()
    managers = await rights.managers_over(tx, {row.path for row in rows}, on=who.today)
    return {row.id for row in rows if rights.reads(who, row.path, managers)}


async def _blinds(tx: AsyncSession, kit: Kit, accounts: Collection[UUID]) -> dict[UUID, set[bytes]]:
    await numbers.personal(tx, kit, accounts)  # all in one statement
    return {one: set(await numbers.blinds_of(tx, kit, one)) for one in accounts}
