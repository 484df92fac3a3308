"""What waits for a manager, oldest first: a page by its key, from the index of the deciding unit (rules 613, 618)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import CompoundSelect, Select, exists, func, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend import paging
from backend.account import Account
from backend.accounts.identity import called, numbers
from backend.accounts.identity.called import Called
from backend.kit import Kit
from backend.names import last_digits
from backend.outbox.states import COUNTED, Count
from backend.roles import authority, comparing, policy
from backend.roles.authority import Authority, Lent
from backend.roles.catalogue.in_force import NEWEST_ID, in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.views import InboxRow
from backend.statements import Question, by_number, given, listed

MOST = 25
FEW = 4  # units of one manager, beyond which one statement asks for all of them
LOOKED = 5000  # requests that are looked at for the number of those of whom many are called so
SHOWN = "requests shown"
Ids = Select[UUID] | CompoundSelect[UUID]


class Waits(NamedTuple):
    """A request that waits."""

    request_id: UUID


def _first_of(column: InstrumentedAttribute[UUID | None], unit: str, most: int) -> Select[UUID]:
    """The first requests that wait for one unit's word, or that have come up to it."""
    query = select(RequestStep.request_id).where(column == given(unit, Unit.id))
    return query.distinct().order_by(RequestStep.request_id).limit(most)


@by_number
def onward(count: int) -> Question[Waits]:
    """What waits for each of so many units: the one behind another, and the first two."""
    behind = RequestStep.request_id > given("last", RoleRequest.id)
    parts = list[Select[UUID]]()
    for column in (RequestStep.decider_id, RequestStep.above_id):
        for at in range(count):
            parts += [
                _first_of(column, f"unit_{at}", 1).where(behind),
                _first_of(column, f"unit_{at}", 2),
            ]
    return Question(Waits, union_all(*(select(part.subquery().c.request_id) for part in parts)))


class Inbox(msgspec.Struct, frozen=True):
    """One page of what waits, where the next begins, and how many there are on all pages (a `Count`), or here."""

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
    narrow = partial(_parts, who, kind=kind, at=at, only=only, late=late)
    by_words = sought if sought is not None and sought.words else None
    after = paging.uuid_of(cursor) if cursor else None
    total, is_all = 0, True
    if by_words is not None:
        parts = narrow(await escalated(tx, who))
        total, is_all = await _count_some(tx, parts, by_words)
        parts = [by_name(part, by_words) for part in parts]
    else:  # of few units it costs less to look at what has come up to each than to ask first whether anything has
        parts = narrow(who.posts if len(who.posts) <= FEW else await escalated(tx, who))
    shown, more = paging.cut(await _first(tx, parts, after, most + 1), most)
    if by_words is None:
        counts = more or after is not None
        total = await _count(tx, narrow(await escalated(tx, who))) if counts else len(shown)
    next_cursor = paging.cursor_of(str(shown[-1])) if more else None
    return Inbox(await _rows(tx, kit, shown), next_cursor, total, is_all)


async def next_after(
    tx: AsyncSession, kit: Kit, manager: UUID, request_id: UUID, *, now: datetime
) -> UUID | None:
    """The next that waits for this manager, from the first again behind the last; never the same."""
    who = await authority.of(tx, kit, manager, now=now)
    if not who.speaks:
        return None
    if not who.lent and len(who.posts) <= FEW:
        return await _next_of_own(tx, who, request_id)
    parts = _parts(who, await escalated(tx, who))
    found = await _first(tx, parts, request_id, 1) or await _first(tx, parts, None, 2)
    return next((one for one in found if one != request_id), None)


async def next_beside(
    tx: AsyncSession, kit: Kit, manager: UUID, first: Inbox, request_id: UUID, *, now: datetime
) -> UUID | None:
    """The same, read off the first page of everything that waits, where that is as far as it goes."""
    ids = [one.id for one in first.items if one.id != request_id]
    if behind := [one for one in ids if one > request_id]:
        return behind[0]
    if first.next_cursor is None:
        return ids[0] if ids else None
    return await next_after(tx, kit, manager, request_id, now=now)


async def _next_of_own(tx: AsyncSession, who: Authority, request_id: UUID) -> UUID | None:
    """The same where nothing is lent and the units are few, as nearly always."""
    asked = await onward(len(who.posts)).all(tx, last=request_id, **listed("unit", who.posts))
    found = {one.request_id for one in asked} - {request_id}
    return min((one for one in found if one > request_id), default=min(found, default=None))


async def escalated(tx: AsyncSession, who: Authority) -> list[UUID]:
    """Those of the person's units of which something is asked because a unit below is late."""
    late = select(RequestStep.above_id).where(RequestStep.above_id.in_(sorted(who.posts))).distinct()
    return [one for one in await tx.scalars(late) if one is not None]


async def said_since(tx: AsyncSession, manager: UUID, since: datetime) -> dict[str, int]:
    """How many words of each kind this manager has said since then."""
    said = select(RequestStep.decision, func.count(RequestStep.request_id.distinct()))
    said = said.where(RequestStep.by == manager, RequestStep.at >= since).group_by(RequestStep.decision)
    return {str(decision): number for decision, number in await tx.execute(said)}


def _parts(
    who: Authority,
    above: Iterable[UUID],
    *,
    kind: str | None = None,
    at: UUID | None = None,
    only: Collection[UUID] | None = None,
    late: bool = False,
) -> list[Select[UUID]]:
    """What waits for each unit that the person decides for, what has come up to some, and what was lent."""
    parts = [at_unit(decider, kind=kind, at=at, only=only) for decider in sorted(who.posts)]
    parts += [at_unit(one, RequestStep.above_id, kind=kind, at=at, only=only) for one in above]
    parts += [_lent(one, who, at_unit(one.decider_id, kind=kind, at=at, only=only)) for one in who.lent]
    return [part.where(RequestStep.overdue_at.is_not(None)) for part in parts] if late else parts


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


async def _count(tx: AsyncSession, parts: Sequence[Select[UUID]]) -> Count:
    """How many there are, as far as `COUNTED`, from the index alone: each part is read no further than that."""
    cut = [part.limit(COUNTED + 1) for part in parts]
    some = (cut[0] if len(cut) == 1 else _together(cut).limit(COUNTED + 1)).subquery()
    return Count(await tx.scalar(select(func.count()).select_from(some)) or 0)


def _together(parts: Sequence[Select[UUID]]) -> CompoundSelect[UUID]:
    """What any of them finds, once; each in brackets, for it has an order and an end of its own."""
    return union(*(select(part.subquery().c.request_id) for part in parts))


async def _rows(tx: AsyncSession, kit: Kit, ids: Sequence[UUID]) -> list[InboxRow]:
    late = (RequestStep.decider_id.is_not(None), RequestStep.overdue_at.is_not(None))
    overdue = exists().where(RequestStep.request_id == RoleRequest.id, *late)
    left = aliased(Unit)
    query = (
        select(RoleRequest, Unit, left.name.label("left"), Account, Role, overdue.label("late"), NEWEST_ID)
        .join(Unit, Unit.id == RoleRequest.unit_id)
        .join(Account, Account.id == RoleRequest.account_id)
        .outerjoin(Role, Role.id == RoleRequest.role_id)
        .outerjoin(left, (left.id == Role.unit_id) & (left.id != Unit.id))
    )
    rows = (await tx.execute(query.where(RoleRequest.id.in_(ids)).order_by(RoleRequest.id))).all()
    tx.info[SHOWN] = (
        rows  # while they are held, whoever opens one of them in this session need not read it again
    )
    catalogue = await in_force(tx, *(row[-1] for row in rows[:1]))
    known = await numbers.personal(tx, kit, [row[3].id for row in rows])
    asked = [(found, account, role) for found, _, _, account, role, *_ in rows]
    risks = await comparing.risks(tx, kit, asked)
    return [
        InboxRow(
            found.id,
            found.version,
            found.kind,
            kit.keys.open("accounts.full_name", account.id, account.full_name),
            last_digits(known.get(account.id, "")),
            catalogue.position_label(found.position),
            unit.name,
            from_unit,
            found.created_at,
            account.frozen_at is not None,
            late,
            risks.get(found.id, []),
        )
        for found, unit, from_unit, account, role, late, _ in rows
    ]
