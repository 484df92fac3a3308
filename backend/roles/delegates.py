"""Who decides by a right that a manager has lent, what that binds, and how it ends (rule 625).

A delegate's appointment is held by the manager's: it ends with it, and with the post that made the delegate eligible,
in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.appointment import DELEGATE, Appointment
from backend.facts import DelegationEnded
from backend.kit import Kit
from backend.roles import policy, rights, rows
from backend.roles.authority import Authority
from backend.roles.models import RequestStep, Role, Unit
from backend.support import notices
from backend.support.models import Notice

GIVEN = "delegated"  # the notice of one that was lent


async def is_eligible(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    decider: Unit,
    *,
    on: date | None = None,
    without: UUID | None = None,
) -> bool:
    """Whether somebody may stand in there: a role where the unit decides, or the unit above is theirs to decide for.

    `without` a role that is just ending.
    """
    held = select(Unit.path).join(Role, Role.unit_id == Unit.id)
    held = held.where(Role.account_id == account_id, Role.state == policy.ACTIVE)
    paths = set(await tx.scalars(held if without is None else held.where(Role.id != without)))
    way = {unit for path in (*paths, decider.path) for unit in rights.way_up(path)}
    managers = await rights.managers_by_unit(tx, way, on=on)
    if any(rights.decider(path, managers, set()) == decider.id for path in paths):
        return True
    above = decider_above(decider, managers)
    own = await numbers.blinds_of(tx, kit, account_id)
    return above is not None and not managers[above].isdisjoint(own)


def decider_above(unit: Unit, managers: dict[UUID, set[bytes]]) -> UUID | None:
    """The nearest unit with managers above one."""
    return next((above for above in rights.way_up(unit.path)[1:] if above in managers), None)


async def bound_to(tx: AsyncSession, kit: Kit, who: Authority) -> set[UUID]:
    """Whose word is not independent of this person's: the delegates and the delegators of this moment."""
    query = select(Appointment).where(
        Appointment.by == who.account_id, Appointment.counts(DELEGATE, who.today)
    )
    of = [post.appointment_id for post in who.posts.values()]
    given = (await tx.scalars(query.where(Appointment.lent_from.in_(of)))).all() if of else []
    found = {lent.by for lent in who.lent}
    for one in given:
        if (delegate := await holder(tx, kit, one)) is not None:
            found.add(delegate)
    return found


async def behind(tx: AsyncSession, spoken: Sequence[RequestStep]) -> set[UUID]:
    """Who said these words, and by whose right."""
    by = select(Appointment.by).where(Appointment.id.in_([step.delegation_id for step in spoken]))
    lenders = await tx.scalars(by) if any(step.delegation_id for step in spoken) else ()
    return {one for one in (*(step.by for step in spoken), *lenders) if one is not None}


async def right_ended(
    tx: AsyncSession,
    kit: Kit,
    appointments: Iterable[UUID],
    *,
    by: UUID | None,
    now: datetime,
    role: UUID | None = None,
    due: datetime | None = None,
) -> None:
    """Managers' rights have just ended (with a `role`, if one carried them): what was lent from them ends too.

    So does what was lent to these managers because they were the ones above.
    """
    gone = list(appointments)
    query = select(Appointment).where(Appointment.lent_from.in_(gone), Appointment.stands(DELEGATE))
    for one in (await tx.scalars(query.order_by(Appointment.id).with_for_update())).all():
        await end(tx, kit, one, because="right_ended", by=by, now=now, role=role, due=due)
    for right in (await tx.scalars(select(Appointment).where(Appointment.id.in_(gone)))).all():
        if (manager := await holder(tx, kit, right)) is not None:
            await _without_ground(tx, kit, manager, by=by, now=now, role=role, due=due)


async def post_ended(
    tx: AsyncSession, kit: Kit, role: Role, *, by: UUID | None, now: datetime, due: datetime | None
) -> None:
    """Somebody's role has just ended or waits: whose delegate the person is no more without it."""
    await _without_ground(tx, kit, role.account_id, by=by, now=now, role=role.id, due=due)


async def _without_ground(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    by: UUID | None,
    now: datetime,
    role: UUID | None,
    due: datetime | None,
) -> None:
    """End what is lent to somebody who could be lent it no more."""
    blinds = await numbers.blinds_of(tx, kit, account_id)
    query = select(Appointment).where(Appointment.national_id_blind.in_(blinds), Appointment.stands(DELEGATE))
    for one in (await tx.scalars(query.order_by(Appointment.id).with_for_update())).all():
        decider = await tx.get_one(Unit, one.decider_id)
        if not await is_eligible(tx, kit, account_id, decider, without=role):
            await end(tx, kit, one, because="left", by=by, now=now, role=role, due=due)


async def denied(tx: AsyncSession, kit: Kit, notice: Notice, *, by: UUID, now: datetime) -> None:
    """One of the two says "Không phải tôi" to a delegation: it is over, and does not come back with a post.

    Nothing for other kinds of notice; the caller refuses a stranger's word, or one that comes too late.
    """
    if notice.kind != GIVEN or notice.about is None:
        return
    query = select(Appointment).where(Appointment.id == notice.about, Appointment.kind == DELEGATE)
    one = await tx.scalar(query.with_for_update().execution_options(**rows.FRESH))
    if one is not None and one.ended_at is None:
        await end(tx, kit, one, because="denied", by=by, now=now)
    elif one is not None:
        one.ended_by_role = None


async def end(
    tx: AsyncSession,
    kit: Kit,
    one: Appointment,
    *,
    because: str,
    by: UUID | None,
    now: datetime,
    role: UUID | None = None,
    due: datetime | None = None,
) -> None:
    """It is over; both hear of it."""
    one.ended_at, one.ended_by_role = now, role
    await tx.flush()
    delegate = await holder(tx, kit, one)
    assert one.unit_id is not None
    fact = DelegationEnded(subject=delegate, unit=one.unit_id, delegation=one.id, because=because)
    kit.journal.record(tx, fact, by=by, now=now)
    await tell(tx, kit, one, "delegation_ended", delegate, now=now, due=due)


async def tell(
    tx: AsyncSession,
    kit: Kit,
    one: Appointment,
    kind: str,
    delegate: UUID | None,
    *,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Both read of it; `due` while the act behind it can still be taken back."""
    names = await full_names(tx, kit, (one.by, delegate))
    unit = await tx.get_one(Unit, one.unit_id)
    said = {"unit": unit.name, "by": names.get(one.by, "…") if one.by else "…"}
    said["to"] = names.get(delegate, "…") if delegate else "…"
    said["until"] = f"{one.until_on:%d/%m/%Y}" if one.until_on else "…"
    about = one.id if kind == GIVEN else one.ended_by_role  # whoever denies the one says which
    for reader in {one.by, delegate} - {None}:
        assert reader is not None
        notices.tell(tx, kit, reader, kind, now=now, due=due, about=about, **said)


async def holder(tx: AsyncSession, kit: Kit, one: Appointment) -> UUID | None:
    """Whose appointment it is, if the person has an account."""
    number = kit.keys.open("appointments.national_id", one.id, one.national_id)
    return await numbers.holder_of(tx, kit, number)
