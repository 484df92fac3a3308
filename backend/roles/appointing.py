"""An operator appoints and dismisses who decides for a unit, of their own units and never themselves (rule 641)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import called, numbers
from backend.accounts.identity.people import full_names
from backend.appointment import MANAGER, Appointment
from backend.errors import Conflict, FieldError, FieldsInvalid
from backend.kit import Kit
from backend.names import folded
from backend.outside.clock import local_day
from backend.roles import draft as drafts
from backend.roles import forms, managers, operating, policy
from backend.roles.appointments import Days
from backend.roles.managers import ManagerNotFound, ManagerView
from backend.roles.models import Role, Unit
from backend.roles.operating import Reach
from backend.typed import BadText
from backend.words import mark as _

NAMESAKES = 50
UNKNOWN = _("Không thấy người này; hãy ghi số định danh cá nhân, hoặc đủ họ tên của người đang có vai trò")


class AlreadyManager(Conflict):
    """That person decides for that unit already; other days come with a file, or by ending it first."""

    code = "already_manager"
    title = "Người này đang phụ trách đơn vị ấy rồi"


class OneselfAppointed(Conflict):
    """Nobody gives themselves a right, or takes it from themselves: another operator does."""

    code = "oneself_appointed"
    title = "Không tự giao hoặc tự thôi quyền phụ trách của chính mình; hãy nhờ người vận hành khác"


class Wish(msgspec.Struct, frozen=True):
    """Who shall decide for what. `person` is an account's id, a personal number, or a full name that only one has."""

    person: str
    unit: str
    from_on: date | None
    until_on: date | None


async def appoint(tx: AsyncSession, kit: Kit, wish: Wish, *, by: UUID, now: datetime) -> None:
    """Let somebody decide for a unit, never from a past day. Raises as `dismiss`, FieldsInvalid, AlreadyManager."""
    reach = await operating.reach_of(tx, kit, by, now=now, hold=True)
    unit = await drafts.find_unit(tx, wish.unit.strip()) if wish.unit.strip() else None
    wrong = []
    if unit is None or not reach.has(unit.path) or (unit.ended_on and unit.ended_on <= local_day(now)):
        wrong.append(FieldError("unit", "unknown_unit", "Không có đơn vị này trong phạm vi bạn vận hành"))
    if wish.from_on is not None and wish.from_on < local_day(now):
        wrong.append(FieldError("from", "in_the_past", "Ngày bắt đầu không được ở quá khứ"))
    if wish.until_on is not None and wish.until_on < (wish.from_on or local_day(now)):
        late = "Ngày kết thúc không được trước ngày hiệu lực"
        wrong.append(FieldError("until", "before_effective", late))
    try:
        number = await _number(tx, kit, wish.person, reach)
    except FieldsInvalid as also:
        raise FieldsInvalid(*also.fields, *wrong) from also
    if wrong or unit is None:
        raise FieldsInvalid(*wrong)
    _expect_another(kit, number, reach)
    days = Days(wish.from_on, wish.until_on)
    if not await managers.add(tx, kit, unit.code, number, by=by, now=now, days=days):
        raise AlreadyManager


async def dismiss(
    tx: AsyncSession, kit: Kit, appointment_id: UUID, *, leave_undecided: bool, by: UUID, now: datetime
) -> None:
    """Take the right away. Raises RequestsUndecided, ManagerNotFound, OneselfAppointed, NotFound."""
    reach = await operating.reach_of(tx, kit, by, now=now, hold=True)
    one, unit = await _standing(tx, kit, appointment_id, reach)
    number = kit.keys.open("appointments.national_id", one.id, one.national_id)
    await managers.remove(tx, kit, str(unit.id), number, by=by, now=now, leave_undecided=leave_undecided)


async def weigh(
    tx: AsyncSession, kit: Kit, appointment_id: UUID, *, by: UUID, now: datetime
) -> tuple[ManagerView, int]:
    """Whose right it is, and how many requests nobody would decide without it. Raises as `dismiss`."""
    reach = await operating.reach_of(tx, kit, by, now=now)
    return await managers.weighed(tx, kit, *await _standing(tx, kit, appointment_id, reach))


async def _standing(
    tx: AsyncSession, kit: Kit, appointment_id: UUID, reach: Reach
) -> tuple[Appointment, Unit]:
    """An appointment in the operator's units that is not the operator's own."""
    query = select(Appointment, Unit).join(Unit, Unit.id == Appointment.unit_id)
    query = query.where(Appointment.id == appointment_id, Appointment.stands(MANAGER), reach.below())
    found = (await tx.execute(query)).one_or_none()
    if found is None:
        raise ManagerNotFound
    one, unit = found
    _expect_another(kit, kit.keys.open("appointments.national_id", one.id, one.national_id), reach)
    return one, unit


def _expect_another(kit: Kit, number: str, reach: Reach) -> None:
    if not reach.blinds.isdisjoint(kit.keys.blinds(numbers.NATIONAL_ID, number)):
        raise OneselfAppointed


async def _number(tx: AsyncSession, kit: Kit, typed: str, reach: Reach) -> str:
    """The personal number of whoever is meant; who has no account yet is named by it. Raises FieldsInvalid."""
    text = typed.strip()
    if not text:
        raise _wrong("missing", _("Hãy cho biết ai sẽ phụ trách"))
    if "".join(text.split()).isdigit():
        try:
            return forms.national_id(text)
        except BadText as bad:
            raise _wrong(bad.code, bad.message) from bad
    try:
        account = UUID(text)
    except ValueError:
        account = await _called(tx, kit, text, reach)
    number = (await numbers.personal(tx, kit, [account])).get(account)
    if number is None:
        raise _wrong("unknown_person", UNKNOWN)
    return number


async def _called(tx: AsyncSession, kit: Kit, name: str, reach: Reach) -> UUID:
    """The only one of that whole name with a role in the operator's units."""
    sought = await called.those(tx, kit, name)
    held = select(Role.account_id).join(Unit, Unit.id == Role.unit_id).distinct()
    held = held.where(reach.below(), Role.state.in_(policy.HELD))
    held = held.where(
        sought.is_one(Role.account_id) if sought.words else Role.account_id.in_(sought.accounts)
    )
    among = list(await tx.scalars(held.limit(NAMESAKES + 1)))
    names = await full_names(tx, kit, among)
    found = [one for one in among if folded(names[one]) == folded(name)]
    if len(found) > 1 or (
        found and len(among) > NAMESAKES
    ):  # a namesake may be among those who were not looked at
        raise _wrong("ambiguous", _("Có nhiều người cùng họ tên này, hãy ghi số định danh cá nhân"))
    if not found:
        raise _wrong("unknown_person", UNKNOWN)
    return found[0]


def _wrong(code: str, message: str) -> FieldsInvalid:
    return FieldsInvalid(FieldError("person", code, message))
