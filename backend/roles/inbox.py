"""What waits for a manager, oldest first: a page by its key, from the index of the deciding unit (rules 613, 618)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import CompoundSelect, Select, exists, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend import paging
from backend.account import Account
from backend.accounts.identity import called, numbers
from backend.accounts.identity.called import Called
from backend.kit import Kit
from backend.names import last_digits
from backend.roles import authority, comparing, policy
from backend.roles.authority import Authority, Lent
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.views import InboxRow

MOST = 25
LOOKED = 5000  # requests that are looked at for the number of those of whom many are called so
Ids = Select[UUID] | CompoundSelect[UUID]


class Inbox(msgspec.Struct, frozen=True):
    """One page of what waits, where the next begins, and how many there are on all pages, or that there are more."""

    items: list[InboxRow]
    next_cursor: str | None
    total: int
    is_all: bool = True


async def waiting(
    tx: AsyncSession,
    kit: Kit,
    manager: UUID,
    *,
    now: datetime,
    q: str | None = None,
    kind: str | None = None,
    unit: str | None = None,
    only: Collection[UUID] | None = None,
    late: bool = False,
    cursor: str | None = None,
    most: int = MOST,
) -> Inbox:
    """The requests that wait for this manager; `only` some of them, if they are named, or what is `late`."""
    who = await authority.of(tx, kit, manager, now=now)
    at = await tx.scalar(select(Unit.id).where(Unit.code == unit)) if unit else None
    if not who.speaks or (unit and at is None):
        return Inbox([], None, 0)
    sought = await called.those(tx, kit, q) if q else None
    if sought is not None and not sought.words:
        only = await _asked_by(tx, sought.accounts, only)
    parts = await _parts(tx, who, kind=kind, at=at, only=only)
    parts = [part.where(RequestStep.overdue_at.is_not(None)) for part in parts] if late else parts
    after = paging.uuid_of(cursor) if cursor else None
    if sought is not None and sought.words:
        total, is_all = await _count_some(tx, parts, sought)
        parts = [by_name(part, sought) for part in parts]
    else:
        total, is_all = await _count(tx, parts), True
    shown, more = paging.cut(await _first(tx, parts, after, most + 1), most)
    next_cursor = paging.cursor_of(str(shown[-1])) if more else None
    return Inbox(await _rows(tx, kit, shown), next_cursor, total, is_all)


async def next_after(
    tx: AsyncSession, kit: Kit, manager: UUID, request_id: UUID, *, now: datetime
) -> UUID | None:
    """The next that waits for this manager, from the first again behind the last; never the same."""
    who = await authority.of(tx, kit, manager, now=now)
    if not who.speaks:
        return None
    parts = await _parts(tx, who)
    found = await _first(tx, parts, request_id, 1) or await _first(tx, parts, None, 2)
    return next((one for one in found if one != request_id), None)


async def said_since(tx: AsyncSession, manager: UUID, since: datetime) -> dict[str, int]:
    """How many words of each kind this manager has said since then."""
    said = select(RequestStep.decision, func.count(RequestStep.request_id.distinct()))
    said = said.where(RequestStep.by == manager, RequestStep.at >= since).group_by(RequestStep.decision)
    return {str(decision): number for decision, number in await tx.execute(said)}


async def _parts(
    tx: AsyncSession,
    who: Authority,
    *,
    kind: str | None = None,
    at: UUID | None = None,
    only: Collection[UUID] | None = None,
) -> list[Select[UUID]]:
    """What waits for each unit that the person decides for, what has come up from below, and what was lent."""
    parts = [at_unit(decider, kind=kind, at=at, only=only) for decider in sorted(who.posts)]
    above = await tx.scalars(_escalated(who)) if who.posts else ()
    parts += [at_unit(one, RequestStep.above_id, kind=kind, at=at, only=only) for one in above if one]
    return parts + [_lent(one, who, at_unit(one.decider_id, kind=kind, at=at, only=only)) for one in who.lent]


def at_unit(
    decider: UUID,
    column: InstrumentedAttribute[UUID | None] = RequestStep.decider_id,
    *,
    kind: str | None = None,
    at: UUID | None = None,
    only: Collection[UUID] | None = None,
) -> Select[UUID]:
    """The requests that wait for one unit's word, a transfer within it once."""
    query = select(RequestStep.request_id).where(column == decider)
    if at is not None:
        query = query.where(RequestStep.unit_id == at)
    if only is not None:
        query = query.where(RequestStep.request_id.in_(only))
    if kind:
        of_kind = exists().where(RoleRequest.id == RequestStep.request_id, RoleRequest.kind == kind)
        query = query.where(of_kind)
    return query.distinct()


def _escalated(who: Authority) -> Select[UUID | None]:
    """Those of the person's units of which something is asked because a unit below is late."""
    return select(RequestStep.above_id).where(RequestStep.above_id.in_(sorted(who.posts))).distinct()


async def _asked_by(tx: AsyncSession, accounts: Collection[UUID], only: Collection[UUID] | None) -> set[UUID]:
    """What some people want that is not decided; one of each at most."""
    theirs = select(RoleRequest.id).where(RoleRequest.account_id.in_(accounts))
    found = set(await tx.scalars(theirs.where(RoleRequest.status.in_(policy.OPEN))))
    return found if only is None else found & set(only)


def by_name(part: Select[UUID], sought: Called) -> Select[UUID]:
    """Those of them whose applicant is called so, of whom there are many."""
    theirs = exists().where(RoleRequest.id == RequestStep.request_id, sought.is_one(RoleRequest.account_id))
    return part.where(theirs)


async def _count_some(tx: AsyncSession, parts: Sequence[Select[UUID]], sought: Called) -> tuple[int, bool]:
    """How many applicants of the oldest so many requests are called so, and whether these are all there are."""
    cut = [part.order_by(RequestStep.request_id).limit(LOOKED + 1) for part in parts]
    oldest = (cut[0] if len(cut) == 1 else _together(cut)).subquery()
    query = select(func.count(), func.count().filter(sought.is_one(RoleRequest.account_id)))
    query = query.select_from(oldest).join(RoleRequest, RoleRequest.id == oldest.c.request_id)
    looked, total = (await tx.execute(query)).one()
    return total, looked <= LOOKED


def _lent(one: Lent, who: Authority, query: Select[UUID]) -> Select[UUID]:
    """Of those what a delegate decides: of some kinds, at or below one unit, and nothing of the two people's own."""
    asked = select(RoleRequest.id).where(
        RoleRequest.id == RequestStep.request_id,
        RoleRequest.kind.in_(sorted(one.kinds)),
        RoleRequest.account_id.not_in([who.account_id, one.by]),
    )
    query = query.where(asked.exists())
    if one.unit_id == one.decider_id:
        return query
    return query.where(RequestStep.unit_id.in_(select(Unit.id).where(Unit.path.startswith(one.path))))


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


async def _rows(tx: AsyncSession, kit: Kit, ids: Sequence[UUID]) -> list[InboxRow]:
    late = (RequestStep.decider_id.is_not(None), RequestStep.overdue_at.is_not(None))
    overdue = exists().where(RequestStep.request_id == RoleRequest.id, *late)
    left = aliased(Unit)
    query = (
        select(RoleRequest, Unit.name, left.name.label("left"), Account, Role, overdue.label("late"))
        .join(Unit, Unit.id == RoleRequest.unit_id)
        .join(Account, Account.id == RoleRequest.account_id)
        .outerjoin(Role, Role.id == RoleRequest.role_id)
        .outerjoin(left, (left.id == Role.unit_id) & (left.id != Unit.id))
    )
    rows = (await tx.execute(query.where(RoleRequest.id.in_(ids)).order_by(RoleRequest.id))).all()
    catalogue, known = await in_force(tx), await numbers.personal(tx, kit, [row[3].id for row in rows])
    asked = [(found, account, role) for found, _, _, account, role, _ in rows]
    risks = await comparing.risks(tx, kit, asked)
    return [
        InboxRow(
            found.id,
            found.version,
            found.kind,
            kit.keys.open("accounts.full_name", account.id, account.full_name),
            last_digits(known.get(account.id, "")),
            catalogue.position_label(found.position),
            unit,
            from_unit,
            found.created_at,
            account.frozen_at is not None,
            late,
            risks.get(found.id, []),
        )
        for found, unit, from_unit, account, role, late in rows
    ]
