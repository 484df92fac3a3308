"""An appointment follows the post that carries it (rule 605, case R02).

When the home role of somebody who decides for that very unit ends or leaves, the right to decide ends in the same
commit, unless whoever decides about the role keeps it by name, with a reason. Who has no role there keeps it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.accounts.identity import numbers
from backend.appointment import DELEGATE, MANAGER, Appointment
from backend.errors import Conflict, FieldError, FieldsInvalid
from backend.facts import AppointmentKept, DelegationGiven, ManagerAppointed, ManagerDismissed
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import deciding, delegates, forms, movements, policy, rights, rows, undecided
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import Outlook
from backend.support import notices

OURS = frozenset({policy.APPROVE, policy.RELEASE})  # the words of the unit that the role is in


class NobodyWouldDecide(Conflict):
    """With the appointment the last decider of some open requests goes; `count` says of how many."""

    code = "nobody_would_decide"
    title = (
        "Có yêu cầu đang chờ sẽ không còn ai duyệt. Hãy giữ quyền phụ trách, hoặc xác nhận rằng bạn đã biết"
    )


class AppointmentAtStake(Conflict):
    """One of many, and more than it looks: the person decides for the unit."""

    code = "appointment_at_stake"
    title = "Người này đang phụ trách đơn vị và sẽ thôi phụ trách; hãy mở yêu cầu để quyết định riêng"


class Keep(msgspec.Struct, frozen=True):
    """The appointment that outlives the post, named by its unit's code, and why."""

    unit: str
    reason: str


class How(msgspec.Struct, frozen=True):
    """What a yes says beside yes: what is kept, that its consequences were seen, that it is one of many."""

    keep: Keep | None = None
    confirmed: bool = False
    many: bool = False


async def outlook(tx: AsyncSession, kit: Kit, role: Role | None) -> Outlook | None:
    """What the end of a role takes with it; nothing where it carries no appointment."""
    if role is None or not await _carried(tx, kit, role):
        return None
    unit = await tx.get_one(Unit, role.unit_id)
    own = set(await numbers.blinds_of(tx, kit, role.account_id))
    now = await undecided.deciders(tx, below=unit.path)
    managers = now.managers or await rights.managers_by_unit(tx, [unit.id], on=None)
    others = managers.get(unit.id, set()) - own
    after = {one: held for one, held in managers.items() if one != unit.id} | (
        {unit.id: others} if others else {}
    )
    waiting, then = set(), set()
    for step in now.steps:
        path, applicant = now.paths[step.unit_id], now.own.get(step.account_id, set())
        if rights.decider(path, managers, applicant) == unit.id:
            waiting.add(step.request_id)
            then.add(rights.decider(path, after, applicant))
    names = (await tx.scalars(select(Unit.name).where(Unit.id.in_(then - {None, unit.id})))).all()
    lost = now.lost(managers=after)
    return Outlook(unit.name, unit.code, not others, len(waiting), ", ".join(names) or None, len(lost))


async def weigh(
    tx: AsyncSession, kit: Kit, found: RoleRequest, duties: AbstractSet[str], how: How, *, by: UUID
) -> bool:
    """Before a yes to an end or a move: remember what is kept; whether an appointment goes with it.

    Raises what has to be looked at first: AppointmentAtStake, NobodyWouldDecide, or FieldsInvalid for a keeping that is
    nobody's to say or without reason.
    """
    leaves = movements.of(found).leaves
    at_stake = await outlook(tx, kit, await rows.role_now(tx, found.role_id)) if leaves else None
    if how.keep is not None:
        if at_stake is None or how.keep.unit != at_stake.unit_code:
            raise FieldsInvalid(FieldError("keep", "no_appointment", "Người này không phụ trách đơn vị này"))
        if OURS.isdisjoint(duties):
            raise FieldsInvalid(FieldError("keep", "not_yours", policy.NotYourUnit.title))
        found.kept_by = by
        found.kept_reason = kit.keys.seal(
            "role_requests.kept_reason", found.id, forms.reason(how.keep.reason)
        )
        return False
    if at_stake is None or found.kept_by is not None:
        return False
    if how.many:
        raise AppointmentAtStake
    if at_stake.undecided and not how.confirmed:
        raise NobodyWouldDecide(count=at_stake.undecided)
    return True


async def follow(
    tx: AsyncSession, kit: Kit, role: Role, *, request_id: UUID | None, by: UUID | None, now: datetime
) -> None:
    """The role has just ended: so has the appointment, unless the request that ended it keeps it.

    What was lent to the person because of the role, or by the person's right, ends with them.
    """
    due = now + timedelta(seconds=kit.limits.undo_window)
    await delegates.post_ended(tx, kit, role, by=by, now=now, due=due)
    held = await _carried(tx, kit, role, hold=True)
    if not held:
        return
    kept = select(RoleRequest.kept_by).where(RoleRequest.id == request_id)
    if request_id is not None and (keeper := await tx.scalar(kept)) is not None:
        fact = AppointmentKept(subject=role.account_id, unit=role.unit_id, request=request_id)
        kit.journal.record(tx, fact, by=keeper, now=now)
        return
    ended = update(Appointment).where(Appointment.id.in_(held)).values(ended_at=now, ended_by_role=role.id)
    await tx.execute(ended.execution_options(synchronize_session=False))
    await delegates.right_ended(tx, kit, held, by=by, now=now, role=role.id, due=due)
    await deciding.units_changed(tx, kit, [role.unit_id])
    kit.journal.record(
        tx, ManagerDismissed(subject=role.account_id, unit=role.unit_id, with_role=role.id), by=by, now=now
    )
    await rights.alarm_of_vacancy(tx, role.unit_id)


async def revive(tx: AsyncSession, kit: Kit, found: RoleRequest, *, now: datetime) -> None:
    """The end of the role was taken back, and with it that of the appointment; not where there is a new one.

    Nor for a unit that is no more: there is nothing to decide there.
    """
    other = aliased(Appointment)
    again = exists().where(
        other.unit_id == Appointment.unit_id,
        other.national_id_blind == Appointment.national_id_blind,
        other.ended_at.is_(None),
        other.kind == MANAGER,
    )
    gone = exists().where(Unit.id == Appointment.unit_id, Unit.ended_on <= local_day(now))
    ours = (Appointment.ended_by_role == found.role_id, Appointment.kind == MANAGER, ~gone)
    back = update(Appointment).where(*ours, ~again)
    back = back.values(ended_at=None, ended_by_role=None)
    revived = await tx.execute(
        back.returning(Appointment.unit_id).execution_options(synchronize_session=False)
    )
    units = [unit for (unit,) in revived.all() if unit is not None]
    await deciding.units_changed(tx, kit, units)
    for unit in units:
        fact = ManagerAppointed(subject=found.account_id, unit=unit)
        kit.journal.record(tx, fact, by=found.decided_by, now=now)
    await _lend_again(tx, kit, found, now)


async def _lend_again(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> None:
    """What was lent is lent again, where the right that it comes from is there and the delegate could be lent it."""
    lender = aliased(Appointment)
    stands = exists().where(lender.id == Appointment.lent_from, lender.ended_at.is_(None))
    query = select(Appointment).where(
        Appointment.ended_by_role == found.role_id, Appointment.kind == DELEGATE, stands
    )
    for one in (await tx.scalars(query.order_by(Appointment.id).with_for_update())).all():
        holder = await delegates.holder(tx, kit, one)
        decider = await tx.get_one(Unit, one.decider_id)
        is_over = one.until_on is not None and one.until_on < local_day(now)
        if is_over or holder is None or not await delegates.is_eligible(tx, kit, holder, decider):
            continue
        is_heard = one.ended_at is None or one.ended_at + timedelta(seconds=kit.limits.undo_window) <= now
        one.ended_at = one.ended_by_role = None
        if is_heard:
            await delegates.tell(tx, kit, one, delegates.GIVEN, holder, now=now)
        assert one.unit_id is not None
        fact = DelegationGiven(unit=one.unit_id, delegation=one.id)
        kit.journal.record(tx, fact, by=found.decided_by, now=now)
    if found.role_id is not None:
        await notices.take_back(tx, found.role_id, now=now)


async def _carried(tx: AsyncSession, kit: Kit, role: Role, *, hold: bool = False) -> list[UUID]:
    """The appointments that a role in force carries: its person's, for its very unit."""
    if not role.is_home or role.state not in {policy.ACTIVE, policy.SUSPENDED}:
        return []
    blinds = await numbers.blinds_of(tx, kit, role.account_id)
    query = select(Appointment.id).where(
        Appointment.unit_id == role.unit_id,
        Appointment.national_id_blind.in_(blinds),
        Appointment.stands(MANAGER),
    )
    return list(await tx.scalars(query.with_for_update() if hold else query))
