"""Who decides for a unit: named by personal number, with or without an account yet (rule 1002)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.appointment import MANAGER, Appointment
from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound
from backend.facts import ManagerDismissed
from backend.kit import Kit
from backend.names import masked
from backend.outside.clock import local_day
from backend.roles import deciding, delegates, forms, undecided
from backend.roles import draft as drafts
from backend.roles.appointments import Days, appoint
from backend.roles.models import Unit
from backend.typed import BadText

PAGE = 50


class UnitNotFound(NotFound):
    """No unit of that code."""

    code = "unit_not_found"
    title = "Không có đơn vị này"


class ManagerNotFound(NotFound):
    """That person does not decide for that unit."""

    code = "manager_not_found"
    title = "Người này không phụ trách đơn vị này"


class RequestsUndecided(Conflict):
    """Nobody would decide some open requests any more: another manager has to be there first."""

    code = "requests_undecided"
    title = "Có yêu cầu sẽ không còn ai duyệt, hãy giao người phụ trách khác trước"


class ManagerView(msgspec.Struct, frozen=True):
    """One manager of one unit; the number is masked. Nobody may have an account of that number yet."""

    id: UUID
    account_id: UUID | None
    name: str | None
    unit_code: str
    unit_name: str
    national_id: str
    has_account: bool
    since: datetime
    from_on: date | None
    until_on: date | None


async def add(
    tx: AsyncSession,
    kit: Kit,
    unit_code: str,
    national_id: str,
    *,
    by: UUID | None,
    now: datetime,
    days: Days = Days(),  # noqa: B008 - immutable
) -> bool:
    """Let somebody decide for a unit; False when they already do."""
    unit, number = await _unit(tx, unit_code), _number(national_id)
    if days.until_on is not None and days.until_on < (days.from_on or local_day(now)):
        raise FieldsInvalid(
            FieldError("until", "before_effective", "Ngày kết thúc không được trước ngày hiệu lực")
        )
    if await _current(tx, kit, unit.id, number):
        return False
    await appoint(tx, kit, unit.id, number, days, by=by, now=now)
    await deciding.units_changed(tx, kit, [unit.id])
    return True


async def remove(
    tx: AsyncSession,
    kit: Kit,
    unit_code: str,
    national_id: str,
    *,
    by: UUID | None,
    now: datetime,
    leave_undecided: bool = False,
) -> None:
    """Take the right away, from the very next request on (rule 616); raises ManagerNotFound.

    RequestsUndecided when nobody would decide some open requests then, unless that is said to be meant.
    """
    unit, number = await _unit(tx, unit_code), _number(national_id)
    held = await _current(tx, kit, unit.id, number)
    if not held:
        raise ManagerNotFound
    if not leave_undecided and (left := await _left_undecided(tx, kit, unit, number)):
        raise RequestsUndecided(count=left)
    await tx.execute(update(Appointment).where(Appointment.id.in_(held)).values(ended_at=now))
    await delegates.right_ended(tx, kit, held, by=by, now=now)
    await deciding.units_changed(tx, kit, [unit.id])
    subject = await numbers.holder_of(tx, kit, number)
    kit.journal.record(tx, ManagerDismissed(subject=subject, unit=unit.id), by=by, now=now)


async def weighed(tx: AsyncSession, kit: Kit, one: Appointment, unit: Unit) -> tuple[ManagerView, int]:
    """Who it is, and how many open requests nobody would decide without this appointment."""
    number = kit.keys.open("appointments.national_id", one.id, one.national_id)
    (view,) = await _views(tx, kit, [(one, unit)])
    return view, await _left_undecided(tx, kit, unit, number)


async def page(
    tx: AsyncSession, kit: Kit, unit_code: str | None, *, cursor: str = "", most: int = PAGE
) -> tuple[list[ManagerView], str | None]:
    """The next of the province's, or of one unit's, and where to go on."""
    within = true() if unit_code is None else Unit.id == (await _unit(tx, unit_code)).id
    return await some(tx, kit, within, cursor=cursor, most=most)


async def some(
    tx: AsyncSession, kit: Kit, within: ColumnElement[bool], *, cursor: str = "", most: int = PAGE
) -> tuple[list[ManagerView], str | None]:
    """The next of some units, and where to go on."""
    query = _standing().where(within)
    if cursor:
        code, _, last = paging.place_of(cursor).rpartition(" ")
        beside = and_(Unit.code == code, Appointment.id > paging.uuid_in(last))
        query = query.where(or_(Unit.code > code, beside))
    found, more = paging.cut((await tx.execute(query.limit(most + 1))).all(), most)
    lines = await _views(tx, kit, [(one, unit) for one, unit in found])
    return lines, paging.cursor_of(f"{lines[-1].unit_code} {lines[-1].id}") if more else None


def _standing() -> Select[Appointment, Unit]:
    query = select(Appointment, Unit).join(Unit, Unit.id == Appointment.unit_id)
    return query.where(Appointment.stands(MANAGER)).order_by(Unit.code, Appointment.id)


async def _views(tx: AsyncSession, kit: Kit, found: Sequence[tuple[Appointment, Unit]]) -> list[ManagerView]:
    """With the names of those who have an account; asked of all of them at once."""
    known = {one.id: kit.keys.open("appointments.national_id", one.id, one.national_id) for one, _ in found}
    holders = await numbers.holders_of(tx, kit, known.values())
    names = await full_names(tx, kit, holders.values())
    return [_view(one, unit, known[one.id], holders.get(known[one.id]), names) for one, unit in found]


def _view(
    one: Appointment, unit: Unit, number: str, holder: UUID | None, names: Mapping[UUID, str]
) -> ManagerView:
    return ManagerView(
        id=one.id,
        account_id=holder,
        name=names.get(holder) if holder else None,
        unit_code=unit.code,
        unit_name=unit.name,
        national_id=masked(number),
        has_account=holder is not None,
        since=one.created_at,
        from_on=one.from_on,
        until_on=one.until_on,
    )


async def _current(tx: AsyncSession, kit: Kit, unit_id: UUID, number: str) -> list[UUID]:
    blinds = kit.keys.blinds("national_id", number)
    query = select(Appointment.id).where(
        Appointment.unit_id == unit_id, Appointment.national_id_blind.in_(blinds), Appointment.stands(MANAGER)
    )
    return list(await tx.scalars(query))


async def _left_undecided(tx: AsyncSession, kit: Kit, unit: Unit, number: str) -> int:
    """How many open requests nobody would decide without this manager."""
    open_now = await undecided.deciders(tx, below=unit.path)
    others = open_now.managers.get(unit.id, set()) - set(kit.keys.blinds("national_id", number))
    managers = {other: held for other, held in open_now.managers.items() if other != unit.id}
    return len(open_now.lost(managers=managers | ({unit.id: others} if others else {})))


async def _unit(tx: AsyncSession, code: str) -> Unit:
    unit = await drafts.find_unit(tx, code)
    if unit is None:
        raise UnitNotFound
    return unit


def _number(text: str) -> str:
    try:
        return forms.national_id(text)
    except BadText as bad:
        raise FieldsInvalid(FieldError("national_id", bad.code, bad.message)) from bad
