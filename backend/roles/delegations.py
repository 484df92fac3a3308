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
from backend.names import folded
from backend.outside.clock import local_day
from backend.roles import authority, delegates, policy, queue, rights, rows
from backend.roles import draft as drafts
from backend.roles.authority import Authority, Post
from backend.roles.models import Unit
from backend.roles.movements import Kind
from backend.roles.requests import refused
from backend.words import mark as _

KINDS: tuple[str, ...] = get_args(Kind)
NOT_ELIGIBLE = _(
    "Không thấy người này; hãy ghi số định danh hoặc đủ họ tên của người có vai trò tại đơn vị bạn phụ trách"
    " hoặc của người phụ trách cấp trên"
)
START_TOO_FAR = _("Ngày bắt đầu chậm nhất là {last}")
END_TOO_FAR = _("Ủy quyền kéo dài không quá {days} ngày: ngày kết thúc chậm nhất là {last}")
NAMESAKES = 50
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
    days = _checked(wish, local_day(now), kit.limits)
    mine = await authority.of(tx, kit, by, now=now)
    to = await _person(tx, kit, wish.to, mine)
    if to is not None and await tx.get(Account, to) is not None:
        await rows.account_locked(tx, to)
    who = await authority.of(tx, kit, by, now=now, hold=True)
    if not who.posts:
        return refused(tx, kit, policy.NotYourUnit(), to or by, by, now)
    account = await tx.get(Account, to, populate_existing=True) if to else None
    if account is not None and account.id == by:
        raise _wrong("oneself", _("Bạn đang có quyền này rồi; hãy chọn người khác"))
    if account is None or account.status != "active":
        raise _wrong("not_eligible", NOT_ELIGIBLE)  # whether there is such an account is nobody's to learn
    given = []
    for code in dict.fromkeys(wish.units):
        post, unit = await _lendable(tx, who, code)
        if not await delegates.is_eligible(
            tx, kit, account.id, await tx.get_one(Unit, post.id), on=who.today
        ):
            raise _wrong("not_eligible", NOT_ELIGIBLE)
        given.append(await _lend(tx, kit, post, unit, account.id, wish, days, by=by, now=now))
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
    found = []
    for one, unit in await tx.execute(query):
        number = kit.keys.open("appointments.national_id", one.id, one.national_id)
        holder = await numbers.holder_of(tx, kit, number)
        names = await full_names(tx, kit, (one.by, holder))
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
    """The units whose word is this manager's own, by code."""
    if not who.posts:
        return []
    managers = await rights.managers_by_unit(tx, on=who.today)
    units = await tx.scalars(select(Unit).where(who.below(), Unit.ended_on.is_(None)).order_by(Unit.code))
    return [unit for unit in units if who.decides(rights.decider(unit.path, managers, set()))]


def _checked(wish: Wish, today: date, limits: Limits) -> tuple[date, date]:
    """The days, if everything that can be seen without asking anybody is right."""
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
    if errors or wish.until_on is None:
        raise FieldsInvalid(*errors)
    return first, wish.until_on


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


async def _lendable(tx: AsyncSession, who: Authority, code: str) -> tuple[Post, Unit]:
    """The unit, and the post by which its word is this manager's own."""
    unit = await drafts.find_unit(tx, code)
    managers = await rights.managers_over(tx, [unit.path], on=who.today) if unit else {}
    post = who.posts.get(rights.decider(unit.path, managers, set()) or unit.id) if unit else None
    if unit is None or post is None:
        raise FieldsInvalid(
            FieldError("units", "not_yours", "Bạn chỉ ủy quyền được cho đơn vị mà bạn đang phụ trách")
        )
    return post, unit


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
        raise _wrong("not_eligible", NOT_ELIGIBLE)
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


async def _person(tx: AsyncSession, kit: Kit, typed: str, who: Authority) -> UUID | None:
    """Who is meant; a name has to be that of one person alone. Raises FieldsInvalid."""
    text = typed.strip()
    try:
        return UUID(text)
    except ValueError:
        pass
    digits = "".join(text.split())
    if digits.isdigit():
        return await numbers.holder_of(tx, kit, digits)
    found = await queue.people_of(tx, kit, who, q=text, most=NAMESAKES)
    called = {one.account_id for one in found.items if folded(one.name) == folded(text)}
    called |= await _above(tx, kit, who, text)
    if len(called) > 1 or (called and found.next_cursor is not None):  # a namesake may stand on the next page
        raise FieldsInvalid(
            FieldError("to", "ambiguous", "Có nhiều người cùng họ tên này, hãy ghi số định danh cá nhân")
        )
    return next(iter(called), None)


async def _above(tx: AsyncSession, kit: Kit, who: Authority, name: str) -> set[UUID]:
    """Managers of the units above who are called so."""
    way = {unit for post in who.posts.values() for unit in rights.way_up(post.path)[1:]}
    query = select(Appointment).where(Appointment.unit_id.in_(way), Appointment.counts("manager", who.today))
    found = set()
    for one in await tx.scalars(query):
        number = kit.keys.open("appointments.national_id", one.id, one.national_id)
        if (holder := await numbers.holder_of(tx, kit, number)) is not None:
            found.add(holder)
    names = await full_names(tx, kit, found)
    return {one for one in found if folded(names[one]) == folded(name)}


def _wrong(code: str, message: str) -> FieldsInvalid:
    return FieldsInvalid(FieldError("to", code, message))
