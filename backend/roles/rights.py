"""Which unit decides about whom, and how somebody stands towards a request (rules 613, 616)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.alarms import alarm
from backend.appointment import MANAGER, Appointment
from backend.db import after_commit
from backend.errors import Refusal
from backend.kit import Kit
from backend.roles import authority, policy, rows
from backend.roles.authority import Authority, Lent
from backend.roles.models import RequestStep, Role, RoleRequest, StaffRecord, Unit
from backend.roles.policy import Standing, UnitPost
from backend.statements import Question, by_number, given, listed, one_of

FEW = 32  # units, with those above them, whose managers are asked for by a statement of the hot paths


class Deciders(NamedTuple):
    """The unit whose word it is, and the one that may say it as well when that is late; nobody, nobody further."""

    nearest: UUID | None
    above: UUID | None


class Managing(NamedTuple):
    """Who manages a unit: the keyed index of the number."""

    unit_id: UUID
    national_id_blind: bytes


def _managers(*which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(Appointment.unit_id, Appointment.national_id_blind).where(*which)


@by_number
def managers_on(count: int) -> Question[Managing]:
    """The managers of so many units on a day."""
    today = given("today", Appointment.from_on)
    units = one_of("unit", count, Appointment.unit_id)
    return Question(Managing, _managers(Appointment.counts(MANAGER, today), units))


@by_number
def managers_placed(count: int) -> Question[Managing]:
    """The same as the worker has left it."""
    units = one_of("unit", count, Appointment.unit_id)
    return Question(Managing, _managers(Appointment.counts(MANAGER, None), units))


async def managers_by_unit(
    tx: AsyncSession, units: Iterable[UUID] | None = None, *, on: date | None
) -> dict[UUID, set[bytes]]:
    """The blind personal numbers of the managers of some units, or of all; the day as of Appointment.counts."""
    wanted = None if units is None else set(units)
    found: dict[UUID, set[bytes]] = {}
    for row in await _managing(tx, wanted, on):
        found.setdefault(row.unit_id, set()).add(row.national_id_blind)
    return found


async def _managing(tx: AsyncSession, units: Collection[UUID] | None, on: date | None) -> Sequence[Any]:
    if units is not None and 0 < len(units) <= FEW:
        named = listed("unit", units)
        if on is None:
            return await managers_placed(len(units)).all(tx, **named)
        return await managers_on(len(units)).all(tx, today=on, **named)
    query = _managers(Appointment.counts(MANAGER, on))
    return (await tx.execute(query if units is None else query.where(Appointment.unit_id.in_(units)))).all()


async def alarm_of_vacancy(tx: AsyncSession, unit_id: UUID) -> None:
    """Somebody's right to decide for the unit has just ended: if it was the last one's, an operator is told."""
    if not await managers_by_unit(tx, [unit_id], on=None):
        after_commit(tx, partial(alarm, "unit_without_manager"))


@lru_cache(maxsize=4096)
def way_up(path: str) -> tuple[UUID, ...]:
    """The unit of a path and those above it, up to the root; a page asks of the same few for each of its lines."""
    return tuple(UUID(part) for part in reversed(path.strip("/").split("/")) if part)


def decider(path: str, managers: dict[UUID, set[bytes]], own: set[bytes]) -> UUID | None:
    """The deciding unit on the way from a unit to its root, about somebody with these blind numbers."""
    return deciders(path, managers, own).nearest


def deciders(path: str, managers: dict[UUID, set[bytes]], own: set[bytes]) -> Deciders:
    """The same, and the one after it."""
    posts = [
        UnitPost(
            unit,
            unit in managers,
            not own.isdisjoint(managers.get(unit, ())),
            bool(managers.get(unit, set()) - own),
        )
        for unit in way_up(path)
    ]
    nearest, above, *_ = [*policy.deciding_units(posts), None, None]
    return Deciders(nearest, above)


async def deciding_units(
    tx: AsyncSession, kit: Kit, units: Iterable[Unit], *, about: UUID, on: date | None
) -> dict[UUID, Deciders]:
    """By each of the units, those whose managers decide about somebody there (policy.deciding_units)."""
    paths = {unit.id: unit.path for unit in units}
    managers = await managers_over(tx, paths.values(), on=on)
    own = set(await numbers.blinds_of(tx, kit, about))
    return {unit_id: deciders(path, managers, own) for unit_id, path in paths.items()}


async def managers_over(tx: AsyncSession, paths: Iterable[str], *, on: date | None) -> dict[UUID, set[bytes]]:
    """The managers of the units of some paths, and of all that stand above."""
    return await managers_by_unit(tx, {unit for path in paths for unit in way_up(path)}, on=on)


def reads(who: Authority, path: str, managed: Collection[UUID]) -> bool:
    """Whether the people and requests of a unit are somebody's to read: no nearer manager has it (rule 613).

    Of a unit with a manager of its own the manager above knows its name, its counts, and what has come up from it.
    """
    return who.decides(next((unit for unit in way_up(path) if unit in managed), None))


def opens(who: Authority, path: str, managed: Collection[UUID]) -> bool:
    """Whether somebody may read a unit's page: who reads its people, and who manages its root."""
    return reads(who, path, managed) or who.decides(way_up(path)[-1])


def is_theirs(who: Authority, path: str, managers: dict[UUID, set[bytes]], own: set[bytes]) -> bool:
    """Whether somebody with these blind numbers and a role there is a person of theirs: to read, or to decide about."""
    return reads(who, path, managers) or who.decides(decider(path, managers, own))


async def standing(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    steps: list[RequestStep],
    who: Authority,
    managers: dict[UUID, set[bytes]] | None = None,
) -> Standing:
    """How somebody stands towards a request: sees it, is its subject, may decide which duties.

    `managers` of its units and those above, where they have been read.
    """
    if managers is None:
        managers = await managers_over(tx, [step.unit.path for step in steps], on=who.today)
    blinds = set(await numbers.blinds_of(tx, kit, found.account_id))
    deciding = {step.unit_id: deciders(step.unit.path, managers, blinds) for step in steps}
    theirs = [step for step in steps if who.decides(deciding[step.unit_id].nearest)]
    above = [step for step in steps if step not in theirs and step.overdue_at is not None]
    above = [step for step in above if who.decides(deciding[step.unit_id].above)]
    lent = {
        step.duty: by.id
        for step in steps
        if step not in theirs
        and step not in above
        and (by := _lent(who, deciding[step.unit_id].nearest, step, found))
    }
    own = {step.duty for step in (*theirs, *above)}
    is_subject = found.account_id == who.account_id  # who began it for another sees it while their units do
    account = await rows.account_of(tx, found.account_id)
    return Standing(
        sees=is_subject
        or bool(lent)
        or any(sees_step(who, step, step.unit.path, managers, blinds) for step in steps),
        is_subject=is_subject,
        duties=frozenset(step.duty for step in steps if step.decision is None and step.duty in {*own, *lent}),
        lent=lent,
        above=frozenset(step.duty for step in above),
        concerned=bool(theirs),
        frozen=account.frozen_at is not None,
        acted=any(
            step.by == who.account_id or (step.decision and who.decides(step.unit_id)) for step in steps
        ),
    )


def sees_step(
    who: Authority, step: RequestStep, path: str, managers: dict[UUID, set[bytes]], own: set[bytes]
) -> bool:
    """Whether a step shows somebody its request by their own right, asked by a person with these blind numbers.

    The unit is theirs to read, or theirs to decide about the person there, or it has come up to them because nobody
    spoke in time, or they have said the word themselves and stand over the unit still.
    """
    if not who.stands_over(path):
        return False
    nearest, above = deciders(path, managers, own)
    late = step.overdue_at is not None and who.decides(above)
    return step.by == who.account_id or late or who.decides(nearest) or reads(who, path, managers)


def _lent(who: Authority, unit_id: UUID | None, step: RequestStep, found: RoleRequest) -> Lent | None:
    """By which delegation this step may be decided."""
    return who.stands_in(unit_id, step.unit.path, found.kind, about=found.account_id)


async def why_not_take_over(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    steps: list[RequestStep],
    by: UUID,
    *,
    now: datetime,
    hold: bool = False,
) -> Refusal | None:
    """The reason why somebody may neither correct nor withdraw a request, as things are now."""
    who = await authority.of(tx, kit, by, now=now, hold=hold)
    return why_not_take_over_as(await standing(tx, kit, found, steps, who), found)


def why_not_take_over_as(stands: Standing, found: RoleRequest) -> Refusal | None:
    """The same of somebody of whom it is known how they stand."""
    return policy.why_not_take_over(stands, began_by_subject=found.created_by == found.account_id)


async def askable(tx: AsyncSession, kit: Kit, who: Authority) -> list[str]:
    """Names of the units that decide about somebody's own posts, as the roles and the staff directory know them."""
    held = select(Role.unit_id).where(Role.account_id == who.account_id, Role.state.in_(policy.HELD))
    there = (StaffRecord.national_id_blind.in_(who.blinds), StaffRecord.left_at.is_(None))
    listed = select(StaffRecord.unit_id).where(*there)
    ids = {*await tx.scalars(held), *await tx.scalars(listed)}
    posts = (await tx.scalars(select(Unit).where(Unit.id.in_(ids)))).all()
    known = await deciding_units(tx, kit, posts, about=who.account_id, on=who.today)
    deciding = {one.nearest for one in known.values()} - {None}
    return list(await tx.scalars(select(Unit.name).where(Unit.id.in_(deciding)).order_by(Unit.name)))
