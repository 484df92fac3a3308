"""A reorganisation runs in stages, each a short transaction; after a crash it goes on where it was (rule 640).

First the new names and places, while every unit is still there; then the people, some at a time, each with everything
of theirs in one commit; then the units end; then systems hear of whoever stayed and works elsewhere by name. At every
moment everybody has exactly one home role.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import MANAGER, Appointment
from backend.db import Database, one_after_another
from backend.errors import NotFound
from backend.facts import ManagerDismissed, ReorganisationBegun, ReorganisationDone
from backend.imports.plan import Progress
from backend.kit import Kit
from backend.roles import deciding, delegates, policy, rows, staff_rows, unit_changes, unit_tree
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.reorganising import models, moving, retelling, tree_after
from backend.roles.reorganising.acts import closing, successors
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.moving import QUIET, By
from backend.roles.reorganising.plan import Plan, Wanted, ensure_current, sources

CHUNK = 100  # people in one transaction, each with everything of theirs
PAUSE = 0.12  # seconds between two: on SQLite another process asks for its turn that often


class ReorganisationNotFound(NotFound):
    """No reorganisation of that identifier."""

    code = "reorganisation_not_found"
    title = "Không có đợt sắp xếp này"


class Step(msgspec.Struct, frozen=True):
    """A run as it goes on: what was wanted, and the units by identifier."""

    run: Reorganisation
    wanted: Wanted
    codes: dict[UUID, str]
    units: dict[str, Unit]


async def begin(
    tx: AsyncSession, kit: Kit, plan: Plan, run_id: UUID, *, decision: str, by: UUID | None, now: datetime
) -> None:
    """The decision is written down, and what the file calls and places otherwise is so; raises PlanOutdated."""
    await one_after_another(tx, rows.TREE)
    known = await unit_tree.snapshot(tx)
    await ensure_current(tx, plan.wanted, known)
    text = msgspec.json.encode(plan.wanted).decode()
    run = Reorganisation(
        id=run_id,
        decision=decision,
        state=models.RUNNING,
        effective_on=plan.wanted.on,
        plan=text,
        people=plan.people,
        started_at=now,
        asked_by=by,
    )
    tx.add(run)
    await tx.flush()
    after = tree_after.placed(tree_after.begun(plan.wanted.acts, known))
    await replace(tx, kit, known, after, run, now)
    fact = ReorganisationBegun(run=run_id, decision=decision, units=len(plan.wanted.acts), people=plan.people)
    kit.journal.record(tx, fact, by=by, now=now)


async def go_on(
    db: Database, kit: Kit, run_id: UUID, *, by: UUID | None, now: datetime, progress: Progress
) -> int:
    """Everything that is left of a run that has begun; how many people went now."""
    done, after = 0, UUID(int=0)
    async with db.read() as tx:
        total = (await load(tx, run_id)).run.people
    while True:
        async with db.write() as tx:
            await rows.tree_stands(tx)
            step = await load(tx, run_id)
            people, last = await some(tx, kit, step, after, By(by, now))
        done += people
        progress(min(done, total), total)
        if last is None:
            break
        await asyncio.sleep(PAUSE)
        after = last
    await _staff(db, run_id)
    async with db.write() as tx:
        await _finish(tx, kit, run_id, By(by, now))
    await retelling.everybody(db, run_id, now=now)
    async with db.write() as tx:
        await one_after_another(tx, rows.TREE)  # whoever else goes on with it says that it is done, or we do
        step = await load(tx, run_id)
        if step.run.state == models.RUNNING:
            step.run.state, step.run.done_at = models.DONE, now
            kit.journal.record(tx, ReorganisationDone(run=run_id, people=step.run.people), by=by, now=now)
    return done


async def load(tx: AsyncSession, run_id: UUID) -> Step:
    """The run, what it wants, and its units; raises ReorganisationNotFound."""
    run = await tx.get(Reorganisation, run_id, populate_existing=True)
    if run is None:
        raise ReorganisationNotFound
    wanted = msgspec.json.decode(run.plan, type=Wanted)
    names = {code for act in wanted.acts for code in (act.unit, act.target) if code}
    units = {unit.code: unit for unit in await tx.scalars(select(Unit).where(Unit.code.in_(names)))}
    codes = {units[code].id: code for code in sources(wanted.acts)}
    return Step(run, wanted, codes, units)


async def some(tx: AsyncSession, kit: Kit, step: Step, after: UUID, act: By) -> tuple[int, UUID | None]:
    """The next people whose roles go; how many, and where to go on (nothing: that was all)."""
    there = (Role.unit_id.in_(step.codes), Role.state.in_(policy.HELD))
    query = select(Role.id, Role.account_id).where(*there, Role.id > after).order_by(Role.id).limit(CHUNK)
    found = (await tx.execute(query)).all()
    if not found:
        return 0, None
    await moving.hold(tx, sorted({row[1] for row in found}))
    fresh = select(Role).where(*there, Role.id.in_([row[0] for row in found])).order_by(Role.id)
    roles = (await tx.scalars(fresh.execution_options(**rows.FRESH))).all()
    targets = {role.id: step.wanted.target_of(step.codes[role.unit_id], role.id) for role in roles}
    going = {one: step.units[code] for one, code in targets.items()}
    leaving = [role for role in roles if going[role.id].id != role.unit_id]
    people = await moving.move(tx, kit, step.run, going, leaving, act) if leaving else 0
    return people, found[-1][0]


async def _staff(db: Database, run_id: UUID) -> None:
    """The rows of the staff directory go along, some at a time."""
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with db.write() as tx:
            await one_after_another(tx, staff_rows.CHANGING)
            after = await _some_staff(tx, await load(tx, run_id), after)
        await asyncio.sleep(PAUSE)


async def _some_staff(tx: AsyncSession, step: Step, after: UUID) -> UUID | None:
    query = select(StaffRecord.id, StaffRecord.unit_id).where(
        StaffRecord.unit_id.in_(step.codes), StaffRecord.id > after
    )
    found = (await tx.execute(query.order_by(StaffRecord.id).limit(CHUNK))).all()
    by_target: dict[tuple[UUID, UUID], list[UUID]] = {}
    for row_id, unit_id in found:
        target = step.units[step.wanted.target_of(step.codes[unit_id], row_id)].id
        if target != unit_id:
            by_target.setdefault((unit_id, target), []).append(row_id)
    for (old, new), ids in by_target.items():
        await moving.keep(tx, step.run, models.STAFF, [(one, None, old, new, "") for one in ids])
        there = update(StaffRecord).where(StaffRecord.id.in_(ids)).values(unit_id=new)
        await tx.execute(there.execution_options(**QUIET))
    return found[-1][0] if found else None


async def _finish(tx: AsyncSession, kit: Kit, run_id: UUID, act: By) -> None:
    """Whoever came meanwhile goes too, what waits waits at the successors, and the units end."""
    await one_after_another(tx, rows.TREE, staff_rows.CHANGING)
    step, after = await load(tx, run_id), UUID(int=0)
    while (last := (await some(tx, kit, step, after, act))[1]) is not None:
        after = last
    after_staff: UUID | None = UUID(int=0)
    while after_staff is not None:
        after_staff = await _some_staff(tx, step, after_staff)
    known = await unit_tree.snapshot(tx)
    on = step.run.effective_on
    ending = [code for code in closing(step.wanted.acts) if not unit_tree.has_ended(known[code], on)]
    heirs = successors(step.wanted.acts)
    for code in ending:
        old, new = step.units[code], step.units[heirs[code]]
        await moving.ask_at(tx, step.run, true(), old.id, new.id)
        await _dismiss(tx, kit, step.run, old, new, act)
        over = {"ended_on": step.run.effective_on, "successor_id": new.id}
        await tx.execute(update(Unit).where(Unit.id == old.id).values(**over).execution_options(**QUIET))
    await unit_changes.keep(tx, _endings(step, ending, act.now))
    below = tree_after.placed(tree_after.settled(step.wanted.acts, known, on))
    await replace(tx, kit, known, below, step.run, act.now)
    await deciding.units_changed(tx, kit, {unit.id for unit in step.units.values()})


def _endings(step: Step, ending: list[str], now: datetime) -> list[dict[str, Any]]:
    """One line of a unit's history for each of its successors."""
    pairs = dict.fromkeys(
        (one.unit, one.target) for one in step.wanted.acts if one.unit in ending and one.target
    )
    on, run = step.run.effective_on, step.run.id
    return [
        unit_changes.change(
            step.units[old].id, unit_changes.ENDED, on, now, moved=(None, step.units[new].id), run=run
        )
        for old, new in pairs
    ]


async def _dismiss(tx: AsyncSession, kit: Kit, run: Reorganisation, old: Unit, new: Unit, act: By) -> None:
    """Whoever decides for a unit that is no more decides for it no more."""
    query = select(Appointment.id).where(Appointment.unit_id == old.id, Appointment.stands(MANAGER))
    held = list(await tx.scalars(query))
    await moving.keep(tx, run, models.APPOINTMENT, [(one, None, old.id, new.id, "") for one in held])
    over = update(Appointment).where(Appointment.id.in_(held)).values(ended_at=act.now)
    await tx.execute(over.execution_options(**QUIET))
    await delegates.right_ended(tx, kit, held, by=act.by, now=act.now)
    for _ in held:
        kit.journal.record(tx, ManagerDismissed(unit=old.id), by=act.by, now=act.now)


async def replace(
    tx: AsyncSession,
    kit: Kit,
    known: unit_tree.Tree,
    after: unit_tree.Tree,
    run: Reorganisation,
    now: datetime,
) -> None:
    """The units are called and stand as in `after`; their history says so."""
    changed = [place for code, place in after.items() if place != known[code]]
    values = [
        {"id": one.id, "name": one.name, "folded": one.folded, "parent_id": one.parent_id, "path": one.path}
        for one in changed
    ]
    for start in range(0, len(values), CHUNK):
        await tx.execute(update(Unit), values[start : start + CHUNK])
    await unit_changes.keep(tx, unit_changes.between(known, after, run.effective_on, now, run.id))
    await deciding.units_changed(tx, kit, {place.id for place in changed})
