"""Who decided for a unit that is there again decides for it again, if the post that carried it is back (rule 605).

What is not given back is left as it is, and stands among the units that nobody decides for: somebody appoints anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.appointment import MANAGER, Appointment
from backend.facts import ManagerAppointed
from backend.kit import Kit
from backend.roles import delegates, rights
from backend.roles.models import Role
from backend.roles.reorganising import models, moving
from backend.roles.reorganising.models import Moved
from backend.roles.reorganising.moving import By


async def give_back(tx: AsyncSession, kit: Kit, found: Sequence[Moved], act: By) -> None:
    """Each of these appointments stands again, or is left ended."""
    held = await tx.scalars(select(Appointment).where(Appointment.id.in_([one.row_id for one in found])))
    ended = {one.id: one for one in held}
    holders = {one.id: await delegates.holder(tx, kit, one) for one in ended.values()}
    await moving.hold(tx, sorted({holder for holder in holders.values() if holder is not None}))
    for one in found:
        appointment = ended[one.row_id]
        if await _is_carried(tx, one, holders[one.row_id]) and not await _is_anew(tx, kit, appointment):
            appointment.ended_at, one.back_at = None, act.now
            kit.journal.record(tx, ManagerAppointed(unit=one.from_id), by=act.by, now=act.now)
        else:
            one.left = True
        await tx.flush()
    for unit in sorted({one.from_id for one in found if one.left}):
        await rights.alarm_of_vacancy(tx, unit)


async def _is_carried(tx: AsyncSession, one: Moved, holder: UUID | None) -> bool:
    """Whether the home post that the person had in the unit is as it was; who had none there keeps the right.

    Whose account is gone is found by nobody's number: one right of nobody is then not given back for another's sake.
    """
    posts = (
        select(Role.state, Moved.state)
        .join(Moved, Moved.row_id == Role.id)
        .join(Account, Account.id == Role.account_id)
        .where(Moved.run_id == one.run_id, Moved.kind == models.ROLE, Moved.from_id == one.from_id)
        .where(Role.is_home, Account.status != "active" if holder is None else Account.id == holder)
    )
    states = (await tx.execute(posts)).all()
    return not states or any(now == before for now, before in states)


async def _is_anew(tx: AsyncSession, kit: Kit, one: Appointment) -> bool:
    """Whether the same person was appointed there since the unit is back."""
    number = kit.keys.open("appointments.national_id", one.id, one.national_id)
    theirs = Appointment.national_id_blind.in_(kit.keys.blinds(numbers.NATIONAL_ID, number))
    again = select(Appointment.id).where(
        Appointment.unit_id == one.unit_id, theirs, Appointment.stands(MANAGER)
    )
    return await tx.scalar(again.limit(1)) is not None
