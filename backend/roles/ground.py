"""What a word about a request stands on, in few questions: whose it is, its steps, who manages there, what is held.

The request is locked already. The account is locked here with the steps, which nobody else says a word at meanwhile;
what hangs on the account is asked when that is held, in one question of several small answers.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.identity_rows import Held
from backend.accounts.models import Identifier
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.objects import Joined
from backend.roles import policy, rights, rows
from backend.roles.catalogue.in_force import NEWEST_ID, in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.rows import Place
from backend.statements import Question, by_number, given, listed, one_of

PLACE = "place"  # as `MANAGER`, no number is of this kind
WHOSE = Joined(
    (Account, RequestStep, Unit),
    lambda query: (
        query.join(RequestStep, RequestStep.request_id == given("request", RequestStep.request_id))
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(Account.id == given("account", Account.id))
        .order_by(RequestStep.position)
        .with_for_update(key_share=True, of=Account)
    ),
    NEWEST_ID,
)


class Around(NamedTuple):
    """A number of somebody, a manager of a unit, or a unit where the applicant has a role."""

    what: str
    of: UUID
    id: UUID
    said: bytes
    is_home: bool


class Ground(NamedTuple):
    """All of it."""

    account: Account
    steps: list[RequestStep]
    managers: dict[UUID, set[bytes]]
    held: list[Place]


@by_number
def around(count: int) -> Question[Around]:
    """Of an applicant, of whoever speaks, and of so many units."""
    none, today = literal(False), given("today", Appointment.from_on)
    said = select(
        Identifier.kind.label("what"),
        Identifier.account_id.label("of"),
        Identifier.id,
        Identifier.value.label("said"),
        none.label("is_home"),
    ).where(one_of("account", 2, Identifier.account_id), Identifier.ended_at.is_(None))
    managing = select(
        literal(MANAGER), Appointment.unit_id, Appointment.id, Appointment.national_id_blind, none
    ).where(Appointment.counts(MANAGER, today), one_of("unit", count, Appointment.unit_id))
    held = select(literal(PLACE), Role.unit_id, Role.id, literal(b""), Role.is_home).where(
        Role.account_id == given("account_0", Role.account_id),
        one_of("state", len(policy.HELD), Role.state),
    )
    return Question(Around, union_all(said, managing, held))


async def gathered(tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID, today: date) -> Ground:
    """For somebody's word; the account is held from now."""
    rows_there = await WHOSE.all(tx, request=found.id, account=found.account_id)
    steps = []
    for _account, step, unit, _newest in rows_there:
        set_committed_value(step, "unit", unit)
        steps.append(step)
    account: Account = rows_there[0][0]
    await in_force(tx, rows_there[0][-1])
    units = {one for step in steps for one in rights.way_up(step.unit.path)}
    if len(units) > rights.FEW:
        await numbers.personal(tx, kit, [by, account.id])
        managers = await rights.managers_by_unit(tx, units, on=today)
        return Ground(account, steps, managers, await rows.places_held(tx, account.id))
    both = {**listed("account", (account.id, by)), **listed("state", policy.HELD)}
    found_rows = await around(len(units)).all(tx, today=today, **both, **listed("unit", units))
    managers = dict[UUID, set[bytes]]()
    for one in found_rows:
        if one.what == MANAGER:
            managers.setdefault(one.of, set()).add(one.said)
    of_people = [Held(one.id, one.of, one.what, one.said) for one in found_rows]
    numbers.learn(tx, kit, (account.id, by), of_people)
    return Ground(
        account, steps, managers, [Place(one.of, one.is_home) for one in found_rows if one.what == PLACE]
    )
