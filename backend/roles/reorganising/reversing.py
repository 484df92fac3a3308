"""A reorganisation is taken back: units, roles and rights are as they were, row by row (rule 640).

The same stages the other way round. Roles have the identifiers that they had; the time between stays in their history
as the roles that stood in for them. Whose role has changed since is named and refuses it, or is left as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.db import Database, one_after_another
from backend.errors import Conflict
from backend.facts import ReorganisationReversed, RoleRevived
from backend.imports.plan import Progress
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import deciding, policy, rows, staff_rows
from backend.roles.models import RequestStep, Role, RoleRequest, StaffRecord, Unit
from backend.roles.reorganising import models, moving, plan, retelling, rights_back, units_back
from backend.roles.reorganising.models import Moved, Reorganisation
from backend.roles.reorganising.moving import QUIET, By
from backend.roles.reorganising.running import CHUNK, PAUSE, load
from backend.support import notices

REASON = "reorganisation_reversed"


class ChangedSince(Conflict):
    """What the reorganisation did has been changed since: `count` people, `units` by code."""

    code = "changed_since"
    title = "Vai trò hoặc đơn vị đã thay đổi sau khi sắp xếp"

    def __init__(self, people: list[UUID], units: list[str]) -> None:
        super().__init__(count=len(people), units=units)
        self.people, self.units = people, units


class NotDone(Conflict):
    """Only what is done is taken back; `state` says how far it is."""

    code = "reorganisation_not_done"
    title = "Đợt sắp xếp này chưa hoàn tất hoặc đã được hoàn nguyên"


class Changed(msgspec.Struct, frozen=True):
    """Whose roles, and which units, are no longer as the run left them."""

    people: list[UUID]
    rows: list[UUID]
    units: list[str]


async def changed(tx: AsyncSession, run: Reorganisation, today: date) -> Changed:
    """What has been changed since the run."""
    found = (await tx.execute(_changed(run).order_by(Moved.id))).all()
    codes = await units_back.changed(tx, run.id) or await units_back.in_the_way(tx, run.id, today)
    return Changed(sorted({row[1] for row in found}), [row[0] for row in found], codes)


def _changed(run: Reorganisation) -> Select[UUID, UUID]:
    """The rows of roles that are not as the run left them, and whose: by what was decided or came true since."""
    was = aliased(Role)
    decided = select(RoleRequest.id).where(
        RoleRequest.role_id == Role.id,
        RoleRequest.status == policy.APPROVED,
        or_(RoleRequest.decided_at >= run.started_at, RoleRequest.applied_at >= run.started_at),
    )
    says_other = or_(
        Role.subject_type != was.subject_type,
        Role.position != was.position,
        Role.is_home != was.is_home,
        Role.until_on.is_distinct_from(was.until_on),
    )
    return (
        select(Moved.id, Role.account_id)
        .join(Role, Role.id == Moved.new_id)
        .join(was, was.id == Moved.row_id)
        .where(Moved.run_id == run.id, Moved.kind == models.ROLE, Moved.back_at.is_(None))
        .where(or_(Role.state != Moved.state, Role.unit_id != Moved.to_id, decided.exists(), says_other))
    )


async def begin(
    tx: AsyncSession,
    kit: Kit,
    run_id: UUID,
    *,
    leave_changed: bool,
    now: datetime,
    by: UUID | None = None,
) -> int:
    """The units are there again, as they were; how many people will go back. Raises ChangedSince and NotDone.

    With `by` the worker carries the rest.
    """
    await one_after_another(tx, rows.TREE)
    step = await load(tx, run_id)
    run = step.run
    if run.state != models.DONE:
        raise NotDone(state=run.state)
    if busy := await plan.under_way(tx, step.wanted.acts, but=run_id):
        raise ChangedSince([], busy)
    since = await changed(tx, run, local_day(now))
    if since.units or (since.people and not leave_changed):
        raise ChangedSince(since.people, since.units)
    for start in range(0, len(since.rows), CHUNK):
        left = update(Moved).where(Moved.id.in_(since.rows[start : start + CHUNK])).values(left=True)
        await tx.execute(left.execution_options(**QUIET))
    run.state, run.asked_by = models.REVERSING, by
    await units_back.put_back(tx, kit, run, now)
    return run.people - len(since.people)


async def go_on(
    db: Database, kit: Kit, run_id: UUID, *, by: UUID | None, now: datetime, progress: Progress
) -> int:
    """Everything that is left of a reversal that has begun; how many roles went back now."""
    done, after = 0, UUID(int=0)
    async with db.read() as tx:
        total = (await load(tx, run_id)).run.people
    while True:
        async with db.write() as tx:
            await rows.tree_stands(tx)
            run = (await load(tx, run_id)).run
            found = await _next(tx, run_id, models.ROLE, after)
            if found:
                done, after = done + await _roles_back(tx, kit, run, found, By(by, now)), found[-1].id
        progress(min(done, total), total)
        if not found:
            break
        await asyncio.sleep(PAUSE)
    await _records_back(db, run_id, now)
    async with db.write() as tx:
        await _finish(tx, kit, run_id, By(by, now))
    await retelling.everybody(db, run_id, now=now)
    async with db.write() as tx:
        await one_after_another(tx, rows.TREE)
        run = (await load(tx, run_id)).run
        if run.state == models.REVERSING:
            run.state, run.reversed_at = models.REVERSED, now
            kept = select(Moved.id).where(Moved.run_id == run_id, Moved.left)
            left = len((await tx.scalars(kept)).all())
            kit.journal.record(tx, ReorganisationReversed(run=run_id, left=left), by=by, now=now)
    return done


async def _next(tx: AsyncSession, run_id: UUID, kind: str, after: UUID) -> Sequence[Moved]:
    query = select(Moved).where(
        Moved.run_id == run_id, Moved.kind == kind, Moved.id > after, ~Moved.left, Moved.back_at.is_(None)
    )
    return (await tx.scalars(query.order_by(Moved.id).limit(CHUNK))).all()


async def _roles_back(
    tx: AsyncSession, kit: Kit, run: Reorganisation, found: Sequence[Moved], act: By
) -> int:
    """Of these the role that stood in ends, and the earlier one is as it was."""
    ids = [one.new_id for one in found if one.new_id is not None]
    accounts = sorted(set(await tx.scalars(select(Role.account_id).where(Role.id.in_(ids)))))
    await moving.hold(tx, accounts)
    waiting = select(Moved).where(Moved.id.in_([one.id for one in found]), Moved.back_at.is_(None))
    found = (await tx.scalars(waiting.order_by(Moved.id).execution_options(**rows.FRESH))).all()
    fresh = select(Role).where(Role.id.in_(ids)).execution_options(**rows.FRESH)
    stood = {role.id: role for role in await tx.scalars(fresh)}
    since = set(await tx.scalars(_changed(run).where(Moved.id.in_([one.id for one in found]))))
    back = [one for one in found if one.id not in since]
    pairs = {one.new_id: one.row_id for one in back if one.new_id}
    ends = {"state": policy.ENDED, "ended_at": act.now, "end_reason": REASON}
    await tx.execute(update(Role).where(Role.id.in_(pairs)).values(**ends).execution_options(**QUIET))
    for state in (policy.ACTIVE, policy.SUSPENDED):
        which = [one.row_id for one in back if one.state == state]
        again = {"state": state, "ended_at": None, "end_reason": None}
        revived = update(Role).where(Role.id.in_(which), Role.state == policy.ENDED).values(**again)
        await tx.execute(revived.execution_options(**QUIET))
    await _hang_back(tx, pairs)
    units = {
        unit.id: unit.name
        for unit in await tx.scalars(select(Unit).where(Unit.id.in_({m.from_id for m in back})))
    }
    for one in found:
        one.back_at, one.left = (act.now, False) if one in back else (None, True)
    for one in back:
        role = stood[one.new_id or one.row_id]
        fact = RoleRevived(subject=role.account_id, role=one.row_id, instead=role.id, run=run.id)
        kit.journal.record(tx, fact, by=act.by, now=act.now)
        unit = units[one.from_id]
        notices.tell(tx, kit, role.account_id, "role_changed", now=act.now, unit=unit, change=moving.REASON)
    moves = {(stood[one.new_id].account_id, one.to_id, one.from_id) for one in back if one.new_id}
    await moving.tell(tx, moves, act.now)
    return len(back)


async def _hang_back(tx: AsyncSession, pairs: dict[UUID, UUID]) -> None:
    """What stands on the roles that stood in, and what is asked of them, belongs to the earlier ones again."""
    await moving.stand_on(tx, pairs)
    asked = select(RoleRequest).where(RoleRequest.role_id.in_(pairs), moving.WAITS)
    for request in (await tx.scalars(asked.execution_options(**rows.FRESH))).all():
        if request.role_id is not None:
            request.role_id = pairs[request.role_id]
        request.version += 1  # its page names the unit that it leaves (rule 614)
        if request.keeps:
            kept = msgspec.json.decode(request.keeps, type=list[UUID])
            request.keeps = msgspec.json.encode([pairs.get(one, one) for one in kept]).decode()
    await tx.flush()


async def _records_back(db: Database, run_id: UUID, now: datetime) -> None:
    """The rows of the staff directory that are still where the run put them, and what is planned and asked."""
    places = (
        (models.STAFF, StaffRecord, StaffRecord.unit_id),
        (models.PLANNED, Role, Role.unit_id),
        (models.REQUEST, RoleRequest, RoleRequest.unit_id),
        (models.STEP, RequestStep, RequestStep.unit_id),
    )
    for kind, model, column in places:
        after = UUID(int=0)
        while True:
            async with db.write() as tx:
                await one_after_another(tx, rows.TREE, staff_rows.CHANGING)
                found = await _next(tx, run_id, kind, after)
                await moving.held_of(tx, kind, [one.row_id for one in found])
                await deciding.hold(tx)
                for old, new, ids in _grouped(found):
                    there = update(model).where(model.id.in_(ids), column == new, *_open(kind))
                    back = there.values(unit_id=old).returning(model.id)
                    gone = list(await tx.scalars(back.execution_options(**QUIET)))
                    await moving.look_different(tx, await moving.held_of(tx, kind, gone))
                for one in found:
                    one.back_at = now
            if not found:
                break
            after = found[-1].id
            await asyncio.sleep(PAUSE)


def _open(kind: str) -> list[ColumnElement[bool]]:
    """Only what waits goes back; what was decided meanwhile was decided where it was."""
    if kind == models.PLANNED:
        return [Role.state == policy.SCHEDULED]
    if kind == models.REQUEST:
        return [moving.WAITS]
    return [RequestStep.decision.is_(None)] if kind == models.STEP else []


def _grouped(found: Sequence[Moved]) -> list[tuple[UUID, UUID, list[UUID]]]:
    pairs: dict[tuple[UUID, UUID], list[UUID]] = {}
    for one in found:
        pairs.setdefault((one.from_id, one.to_id), []).append(one.row_id)
    return [(old, new, ids) for (old, new), ids in pairs.items()]


async def _finish(tx: AsyncSession, kit: Kit, run_id: UUID, act: By) -> None:
    """Whoever decided for a unit that is there again decides for it again (rights_back.py)."""
    await one_after_another(tx, rows.TREE)
    units: set[UUID] = set()
    while found := await _next(tx, run_id, models.APPOINTMENT, UUID(int=0)):
        await rights_back.give_back(tx, kit, found, act)
        units |= {one.from_id for one in found}
    moved = select(Moved.from_id, Moved.to_id).where(Moved.run_id == run_id).distinct()
    units |= {unit for row in await tx.execute(moved) for unit in row}
    await deciding.units_changed(tx, kit, units)
