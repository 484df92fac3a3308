"""What waits for a manager, oldest first: a page by its key, from the index of the deciding unit (rules 613, 618)."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import CompoundSelect, Select, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.account import Account
from backend.accounts.identity import numbers
from backend.kit import Kit
from backend.names import folded
from backend.roles import authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.roles.views import InboxRow

MOST = 25
CHUNK = 500
Ids = Select[UUID] | CompoundSelect[UUID]


class Inbox(msgspec.Struct, frozen=True):
    """One page of what waits, where the next begins, and how many there are on all pages."""

    items: list[InboxRow]
    next_cursor: str | None
    total: int


async def waiting(
    tx: AsyncSession,
    kit: Kit,
    manager: UUID,
    *,
    q: str | None = None,
    kind: str | None = None,
    unit: str | None = None,
    only: Collection[UUID] | None = None,
    cursor: str | None = None,
    most: int = MOST,
) -> Inbox:
    """The requests that wait for this manager; `only` some of them, if they are named."""
    who = await authority.of(tx, kit, manager)
    at = await tx.scalar(select(Unit.id).where(Unit.code == unit)) if unit else None
    if not who.posts or (unit and at is None):
        return Inbox([], None, 0)
    parts = [_of(decider, kind=kind, at=at, only=only) for decider in sorted(who.posts)]
    after = paging.uuid_of(cursor) if cursor else None
    if q:
        called = await _called(tx, kit, parts, q)
        ids, total = called[bisect_right(called, after) if after else 0 :][: most + 1], len(called)
    else:
        ids, total = await _first(tx, parts, after, most + 1), await _count(tx, parts)
    shown, more = paging.cut(ids, most)
    return Inbox(await _rows(tx, kit, shown), paging.cursor_of(str(shown[-1])) if more else None, total)


def _of(decider: UUID, *, kind: str | None, at: UUID | None, only: Collection[UUID] | None) -> Select[UUID]:
    """The requests that wait for one unit's word, a transfer within it once."""
    query = select(RequestStep.request_id).where(RequestStep.decider_id == decider)
    if at is not None:
        query = query.where(RequestStep.unit_id == at)
    if only is not None:
        query = query.where(RequestStep.request_id.in_(only))
    if kind:
        query = query.join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        query = query.where(RoleRequest.kind == kind)
    return query.distinct()


async def _first(
    tx: AsyncSession, parts: Sequence[Select[UUID]], after: UUID | None, most: int
) -> list[UUID]:
    """The first of all units' requests: each unit gives as many as are wanted at most."""
    if after is not None:
        parts = [part.where(RequestStep.request_id > after) for part in parts]
    cut = [part.order_by(RequestStep.request_id).limit(most) for part in parts]
    found = await tx.scalars(cut[0] if len(cut) == 1 else _together(cut))
    return sorted(found)[:most]


async def _count(tx: AsyncSession, parts: Sequence[Select[UUID]]) -> int:
    """How many there are, from the index alone."""
    every = (parts[0] if len(parts) == 1 else _together(parts)).subquery()
    return await tx.scalar(select(func.count()).select_from(every)) or 0


def _together(parts: Sequence[Select[UUID]]) -> CompoundSelect[UUID]:
    """What any of them finds, once; each in brackets, for it has an order and an end of its own."""
    return union(*(select(part.subquery().c.request_id) for part in parts))


async def _called(tx: AsyncSession, kit: Kit, parts: Sequence[Select[UUID]], q: str) -> list[UUID]:
    """Those whose applicant's name holds the words, or whose personal number it is; others are served meanwhile."""
    digits = "".join(letter for letter in q if letter.isdigit())
    number = digits if digits == "".join(q.split()) else ""
    holder = await numbers.holder_of(tx, kit, number) if number else None
    wanted, found, after = folded(q), list[UUID](), None
    while ids := await _first(tx, parts, after, CHUNK):
        about = select(RoleRequest.id, Account.id, Account.full_name)
        about = about.join(Account, Account.id == RoleRequest.account_id).where(RoleRequest.id.in_(ids))
        for request_id, account, name in await tx.execute(about):
            if account == holder or wanted in folded(kit.keys.open("accounts.full_name", account, name)):
                found.append(request_id)
        after = ids[-1]
        await asyncio.sleep(0)
    return sorted(found)


async def _rows(tx: AsyncSession, kit: Kit, ids: Sequence[UUID]) -> list[InboxRow]:
    query = (
        select(RoleRequest, Unit.name, Account)
        .join(Unit, Unit.id == RoleRequest.unit_id)
        .join(Account, Account.id == RoleRequest.account_id)
    )
    rows = (await tx.execute(query.where(RoleRequest.id.in_(ids)).order_by(RoleRequest.id))).all()
    catalogue = await in_force(tx)
    return [
        InboxRow(
            found.id,
            found.version,
            found.kind,
            kit.keys.open("accounts.full_name", account.id, account.full_name),
            catalogue.position_label(found.position),
            unit,
            found.created_at,
            account.frozen_at is not None,
        )
        for found, unit, account in rows
    ]
