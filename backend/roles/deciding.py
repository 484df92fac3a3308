"""The deciding unit stands on every step that waits, so that nobody's list has to work it out.

It is written when the step is made and kept true in the transaction that changes a manager, a unit or somebody's
personal number; the click asks the rule anew (rights.standing; rule 618). A step waits while its request is pending and
nobody has spoken for it; every other one names no unit. Lock order: of all locks but the journal's, ours is the last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.appointment import MANAGER, Appointment
from backend.db import Database, one_after_another
from backend.kit import Kit
from backend.outbox.bell import REQUESTS, ring_after
from backend.outside.clock import local_day
from backend.roles import policy, rights, rows
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.roles.rights import Deciders
from backend.trouble import apart

CHANGING = "deciders"
CHUNK = 500
TOPS_MOST = 50  # with more parts of the tree than these everything is looked at
WAITS = (RequestStep.decision.is_(None), RoleRequest.status == policy.PENDING)
QUIET = {"synchronize_session": False}


async def by_unit(tx: AsyncSession, kit: Kit, units: Iterable[Unit], *, about: UUID) -> dict[UUID, Deciders]:
    """For who writes a step: the deciding units (rights.deciding_units), which nobody changes before the commit."""
    await hold(tx, leaning=True)
    return await rights.deciding_units(tx, kit, units, about=about, on=None)


async def hold(tx: AsyncSession, *, leaning: bool = False) -> None:
    """Who changes deciders waits for who writes steps, and they for them: asked before any step is touched."""
    await one_after_another(tx, CHANGING, leaning=leaning)


def last_day(kit: Kit, now: datetime) -> date:
    """Of a word that is asked for now."""
    return kit.days.after(local_day(now), kit.limits.step_days)


async def place(tx: AsyncSession, kit: Kit, found: RoleRequest, *, now: datetime | None = None) -> None:
    """The steps of one request wait anew, or no more; one that has no last day gets it, counted from `now`."""
    steps = await rows.steps_of(tx, found.id)
    deciding = await by_unit(tx, kit, [step.unit for step in steps], about=found.account_id)
    for step in steps:
        waits = step.decision is None and found.status == policy.PENDING
        step.decider_id = deciding[step.unit_id].nearest if waits else None
        step.above_id = deciding[step.unit_id].above if waits and step.overdue_at else None
        if waits and step.due_on is None and now is not None:
            step.due_on = last_day(kit, now)
    await tx.flush()


async def person_changed(tx: AsyncSession, kit: Kit, account_id: UUID) -> None:
    """Somebody has another personal number: whether they manage what decides about them is asked again."""
    waiting = select(RoleRequest).where(
        RoleRequest.account_id == account_id, RoleRequest.status == policy.PENDING
    )
    for found in (await tx.scalars(waiting)).all():
        await place(tx, kit, found)


async def units_changed(tx: AsyncSession, kit: Kit, units: Collection[UUID]) -> None:
    """Managers of these units came or went, or the units moved: what waits at or below them is placed anew."""
    if not units:
        return
    await tx.flush()
    await hold(tx)
    tops = await _tops(tx, units)
    below = or_(*(Unit.path.startswith(top) for top in tops)) if len(tops) <= TOPS_MOST else true()
    if await _anybody_waits(tx, below):
        managers = await rights.managers_by_unit(tx, on=None)
        await _of_everybody(tx, below, managers)
        await _of_managers(tx, kit, below, managers)
        await _above(tx, kit, below, managers)
    for topic in [f"{REQUESTS}:{top}" for top in tops] if len(tops) <= TOPS_MOST else [REQUESTS]:
        ring_after(tx, topic)


async def fill(db: Database, kit: Kit, *, now: datetime) -> None:
    """What an earlier release wrote beside this one is placed too, and gets its last day."""
    async with db.write() as tx:
        last = last_day(kit, now)
        without = (RequestStep.decider_id.is_not(None), RequestStep.due_on.is_(None))
        await tx.execute(update(RequestStep).where(*without).values(due_on=last).execution_options(**QUIET))
        pending = select(RoleRequest.id).where(RoleRequest.status == policy.PENDING)
        over = or_(RequestStep.decision.is_not(None), RequestStep.request_id.not_in(pending))
        stale = update(RequestStep).where(RequestStep.decider_id.is_not(None), over)
        stale = stale.values(decider_id=None, above_id=None)
        await tx.execute(stale.execution_options(**QUIET))
        await units_changed(tx, kit, set(await tx.scalars(select(Unit.id).where(Unit.parent_id.is_(None)))))


async def _tops(tx: AsyncSession, units: Collection[UUID]) -> list[str]:
    """The paths of the units, without those that lie below another of them."""
    ids, paths = sorted(units), set[str]()
    for start in range(0, len(ids), CHUNK):
        paths |= set(await tx.scalars(select(Unit.path).where(Unit.id.in_(ids[start : start + CHUNK]))))
    tops: list[str] = []
    for path in sorted(paths):
        if not tops or not path.startswith(tops[-1]):
            tops.append(path)
    return tops


async def _anybody_waits(tx: AsyncSession, below: ColumnElement[bool]) -> bool:
    """Most changes of a unit meet no open request: then nothing has to be known of the province's managers."""
    waiting = (
        select(RequestStep.id)
        .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(*WAITS, below)
    )
    return await tx.scalar(waiting.limit(1)) is not None


async def _of_everybody(
    tx: AsyncSession, below: ColumnElement[bool], managers: dict[UUID, set[bytes]]
) -> None:
    """The steps by their unit alone: nearly everybody who asks manages nothing."""
    query = (
        select(RequestStep.unit_id, Unit.path)
        .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(*WAITS, below)
        .distinct()
    )
    by_decider: dict[UUID | None, list[UUID]] = {}
    for unit_id, path in (await tx.execute(query)).all():
        by_decider.setdefault(rights.decider(path, managers, set()), []).append(unit_id)
    pending = select(RoleRequest.id).where(RoleRequest.status == policy.PENDING)
    for decider, ids in by_decider.items():
        for start in range(0, len(ids), CHUNK):
            placed = update(RequestStep).where(
                RequestStep.unit_id.in_(ids[start : start + CHUNK]),
                RequestStep.decision.is_(None),
                RequestStep.request_id.in_(pending),
                RequestStep.decider_id.is_distinct_from(decider),
            )
            await tx.execute(placed.values(decider_id=decider).execution_options(**QUIET))


async def _of_managers(
    tx: AsyncSession, kit: Kit, below: ColumnElement[bool], managers: dict[UUID, set[bytes]]
) -> None:
    """The steps about those who manage something themselves: nobody decides about their own."""
    stored = await _blinds_of_managers(tx, kit)
    blinds = sorted(stored)
    query = (
        select(RequestStep.id, RequestStep.decider_id, Unit.path, Identifier.blind)
        .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .join(Identifier, Identifier.account_id == RoleRequest.account_id)
        .where(*WAITS, below, Identifier.kind == numbers.NATIONAL_ID, Identifier.ended_at.is_(None))
    )
    for start in range(0, len(blinds), CHUNK):
        about = query.where(Identifier.blind.in_(blinds[start : start + CHUNK]))
        for step_id, placed, path, blind in (await tx.execute(about)).all():
            decider = rights.decider(path, managers, stored[blind])
            if decider != placed:
                anew = update(RequestStep).where(RequestStep.id == step_id).values(decider_id=decider)
                await tx.execute(anew.execution_options(**QUIET))


async def _above(
    tx: AsyncSession, kit: Kit, below: ColumnElement[bool], managers: dict[UUID, set[bytes]]
) -> None:
    """The unit above of those that are overdue, which are few."""
    query = (
        select(RequestStep.id, RequestStep.above_id, Unit.path, RoleRequest.account_id)
        .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(*WAITS, below, RequestStep.overdue_at.is_not(None))
    )
    late = (await tx.execute(query)).all()
    await numbers.personal(tx, kit, {step.account_id for step in late})  # all in one statement
    for step in late:
        own = set(await numbers.blinds_of(tx, kit, step.account_id))
        above = rights.deciders(step.path, managers, own).above
        if above != step.above_id:
            anew = update(RequestStep).where(RequestStep.id == step.id).values(above_id=above)
            await tx.execute(anew.execution_options(**QUIET))


async def _blinds_of_managers(tx: AsyncSession, kit: Kit) -> dict[bytes, set[bytes]]:
    """By the index of a manager's number under any live key, those that the appointments have stored.

    A number that cannot be read is known by the index that stands beside it: nobody else's step waits for it.
    """
    found: dict[bytes, set[bytes]] = {}
    query = select(Appointment.id, Appointment.national_id, Appointment.national_id_blind).where(
        Appointment.counts(MANAGER, None)
    )
    for row in await tx.execute(query):
        blinds = [row.national_id_blind]
        with apart("deciders", row.id):
            number = kit.keys.open("appointments.national_id", row.id, row.national_id)
            blinds = kit.keys.blinds(numbers.NATIONAL_ID, number)
        for blind in blinds:
            found.setdefault(blind, set()).add(row.national_id_blind)
    return found


numbers.followers.append(person_changed)
