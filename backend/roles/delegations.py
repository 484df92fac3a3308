"""A manager lends the right to decide: to whom, for which requests and units, from when until when (rule 625).

What is lent is not lent on: only a right of one's own is. The delegate's account is locked before the rights are read:
neither's post ends beside it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import get_args
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.appointment import DELEGATE, Appointment
from backend.db import new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound, Refusal
from backend.facts import DelegationGiven
from backend.kit import Kit
from backend.limits import Limits
from backend.outside.clock import local_day
from backend.roles import authority, delegates, lending, policy, rows, territory
from backend.roles.authority import Authority, Post
from backend.roles.models import Unit
from backend.roles.movements import Kind
from backend.roles.queue import CHOICES
from backend.roles.requests import refused
from backend.words import mark as _

KINDS: tuple[str, ...] = get_args(Kind)
START_TOO_FAR = _("Ngày bắt đầu chậm nhất là {last}")
END_TOO_FAR = _("Ủy quyền kéo dài không quá {days} ngày: ngày kết thúc chậm nhất là {last}")
MOST = 100


class DelegationNotFound(NotFound):
    """No such delegation in force, or not one of this manager's."""

    code = "delegation_not_found"
    title = "Không tìm thấy ủy quyền đang có hiệu lực của bạn"


class AlreadyDelegated(Conflict):
    """The same person stands in there on some of these days already."""

    code = "already_delegated"
    title = "Người này đã được ủy quyền ở đơn vị này trong thời gian đó; hãy thu hồi trước khi ủy quyền lại"


class Wish(msgspec.Struct, frozen=True):
    """What a manager asks for. `to` is an account's id, a personal number, or a full name that only one has."""

    to: str
    kinds: list[str]
    units: list[str]
    from_on: date | None
    until_on: date | None


class Delegation(msgspec.Struct, frozen=True):
    """One that stands, for a page: who lends what to whom."""

    id: UUID
    by: str
    to: str
    unit: str
    unit_code: str
    kinds: list[str]
    from_on: date | None  # its first day, while that is to come
    until_on: date | None
    is_mine: bool  # to take back


async def give(
    tx: AsyncSession, kit: Kit, wish: Wish, *, by: UUID, now: datetime
) -> list[Appointment] | Refusal:
    """Lend the right, one delegation for each unit. Raises FieldsInvalid, AlreadyDelegated.

    Who decides for nothing is returned as a refusal (`settle` it after the commit).
    """
    days, wrong = _checked(wish, local_day(now), kit.limits)
    mine = await authority.of(tx, kit, by, now=now)
    to = await lending.meant(tx, kit, wish.to, mine, wrong)
    if to is not None and await tx.get(Account, to) is not None:
        await rows.account_locked(tx, to)
    who = await authority.of(tx, kit, by, now=now, hold=True)
    if not who.posts:
        return refused(tx, kit, policy.NotYourUnit(), to or by, by, now)
    account = await tx.get(Account, to, populate_existing=True) if to else None
    where = await lending.lent_of(tx, who, wish.units, wrong)
    if not any(one.field == "to" for one in wrong):
        wrong += await lending.why_not_to(tx, kit, account, where, who)
    if wrong or account is None:
        raise FieldsInvalid(*wrong)
    given = [await _lend(tx, kit, post, unit, account.id, wish, days, by=by, now=now) for post, unit in where]
    for one in given:
        assert one.unit_id is not None
        fact = DelegationGiven(subject=account.id, unit=one.unit_id, delegation=one.id)
        kit.journal.record(tx, fact, by=by, now=now)
        await delegates.tell(tx, kit, one, delegates.GIVEN, account.id, now=now)
    return given


async def take_back(
    tx: AsyncSession, kit: Kit, delegation_id: UUID, *, by: UUID, now: datetime
) -> Appointment | Refusal:
    """End it at once; only whoever lent it may."""
    query = select(Appointment).where(Appointment.id == delegation_id).with_for_update()
    one = (await tx.execute(query.execution_options(**rows.FRESH))).scalar_one_or_none()
    if one is None or one.kind != DELEGATE or one.by != by or one.ended_at is not None:
        return refused(tx, kit, DelegationNotFound(), delegation_id, by, now)
    await delegates.end(tx, kit, one, because="taken_back", by=by, now=now)
    return one


async def listed(tx: AsyncSession, kit: Kit, who: Authority) -> list[Delegation]:
    """What this person lends, what is lent to the person, and what others lend of the same units; the newest first."""
    concerned = or_(
        Appointment.lent_from.in_([post.appointment_id for post in who.posts.values()]),
        Appointment.national_id_blind.in_(who.blinds),
        Appointment.decider_id.in_(who.posts),
    )
    query = select(Appointment, Unit).join(Unit, Unit.id == Appointment.unit_id)
    query = query.where(Appointment.stands(DELEGATE), concerned).order_by(Appointment.id.desc()).limit(MOST)
    rows_now = (await tx.execute(query)).all()
    known = {
        one.id: kit.keys.open("appointments.national_id", one.id, one.national_id) for one, _ in rows_now
    }
    holders = await numbers.holders_of(tx, kit, known.values())
    names = await full_names(tx, kit, (*holders.values(), *(one.by for one, _ in rows_now)))
    found = []
    for one, unit in rows_now:
        holder = holders.get(known[one.id])
        found.append(
            Delegation(
                id=one.id,
                by=names.get(one.by, "…") if one.by else "…",
                to=names.get(holder, "…") if holder else "…",
                unit=unit.name,
                unit_code=unit.code,
                kinds=(one.kinds or "").split(),
                from_on=one.from_on,
                until_on=one.until_on,
                is_mine=one.by == who.account_id,
            )
        )
    return found


async def lendable(tx: AsyncSession, who: Authority) -> list[Unit]:
    """The units whose word is this manager's own, by code; of more than one chooses from, those that are managed."""
    theirs = [unit for _, unit in await territory.own(tx, who)]
    some = theirs if len(theirs) <= CHOICES else list(who.posts)
    living = select(Unit).where(Unit.id.in_(some), Unit.ended_on.is_(None))
    return list(await tx.scalars(living.order_by(Unit.code)))


def _checked(wish: Wish, today: date, limits: Limits) -> tuple[tuple[date, date], list[FieldError]]:
    """The days, and everything wrong that can be seen without asking anybody."""
    first, errors = wish.from_on or today, []
    if not wish.to.strip():
        errors.append(FieldError("to", "missing", "Hãy cho biết ủy quyền cho ai"))
    if not wish.kinds:
        errors.append(FieldError("kinds", "missing", "Hãy chọn ít nhất một loại yêu cầu"))
    elif not set(wish.kinds) <= set(KINDS):
        errors.append(FieldError("kinds", "unknown", "Không có loại yêu cầu này"))
    if not wish.units:
        errors.append(FieldError("units", "missing", "Hãy chọn ít nhất một đơn vị"))
    errors += _wrong_days(first, wish.until_on, today, limits)
    return (first, wish.until_on or first), errors


def _wrong_days(first: date, until: date | None, today: date, limits: Limits) -> list[FieldError]:
    """A delegation without an end is an appointment, which is not a manager's to make."""
    errors, furthest = [], today + timedelta(days=limits.schedule_ahead_days)
    latest = min(first, furthest) + timedelta(days=limits.delegation_days)
    if first < today:
        errors.append(FieldError("from", "in_the_past", "Ngày bắt đầu không được ở quá khứ"))
    if first > furthest:
        errors.append(FieldError("from", "too_far", START_TOO_FAR, last=f"{furthest:%d/%m/%Y}"))
    if until is None:
        errors.append(FieldError("until", "missing", "Vui lòng cho biết ngày kết thúc"))
    elif until < first:
        errors.append(FieldError("until", "before_from", "Ngày kết thúc không được trước ngày bắt đầu"))
    elif until > latest:
        most = {"days": str(limits.delegation_days), "last": f"{latest:%d/%m/%Y}"}
        errors.append(FieldError("until", "too_far", END_TOO_FAR, **most))
    return errors


async def _lend(
    tx: AsyncSession,
    kit: Kit,
    post: Post,
    unit: Unit,
    to: UUID,
    wish: Wish,
    days: tuple[date, date],
    *,
    by: UUID,
    now: datetime,
) -> Appointment:
    first, last = days
    number = (await numbers.personal(tx, kit, [to])).get(to)
    if number is None:
        raise FieldsInvalid(FieldError("to", "not_eligible", lending.NOT_ELIGIBLE))
    blinds = kit.keys.blinds(numbers.NATIONAL_ID, number)
    there = (Appointment.lent_from == post.appointment_id, Appointment.unit_id == unit.id)
    if await _stands(tx, *there, Appointment.national_id_blind.in_(blinds), days=days):
        raise AlreadyDelegated
    one = Appointment(
        id=new_id(),
        kind=DELEGATE,
        unit_id=unit.id,
        national_id_blind=kit.keys.blind(numbers.NATIONAL_ID, number),
        created_at=now,
        by=by,
        from_on=first if first > local_day(now) else None,
        until_on=last,
        lent_from=post.appointment_id,
        decider_id=post.id,
        kinds=" ".join(kind for kind in KINDS if kind in wish.kinds),
    )
    one.national_id = kit.keys.seal("appointments.national_id", one.id, number)
    tx.add(one)
    await tx.flush()
    return one


async def _stands(tx: AsyncSession, *where: ColumnElement[bool], days: tuple[date, date]) -> bool:
    """Whether one of these delegations is there on some of the days."""
    first, last = days
    begun = or_(Appointment.from_on.is_(None), Appointment.from_on <= last)
    held = select(Appointment.id).where(Appointment.stands(DELEGATE), *where, begun)
    return await tx.scalar(held.where(Appointment.until_on >= first).limit(1)) is not None
