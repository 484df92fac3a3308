"""Roles go from one unit to another: the old one ends, the same post begins at the new unit, in one commit (rule 640).

What hangs on a role goes with it: what stands on it, what waits for it, what is asked of it. Every row that moves is
written down with where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import new_id
from backend.facts import RoleReorganised, RoleScheduled
from backend.kit import Kit
from backend.outbox import renewal
from backend.outbox.models import System
from backend.outbox.queue import BACKFILL
from backend.roles import delegates, policy, rows
from backend.roles import draft as drafts
from backend.roles.confirming import following
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.reorganising import models
from backend.roles.reorganising.models import Moved, Reorganisation
from backend.roles.scope import in_scope, scope_of
from backend.support import notices

QUIET = {"synchronize_session": False}
REASON = "reorganised"
WAITS = or_(
    RoleRequest.status.in_(policy.OPEN),
    and_(RoleRequest.status == policy.APPROVED, RoleRequest.applied_at.is_(None)),
)


class By(NamedTuple):
    """Who does it in the journal, and when."""

    by: UUID | None
    now: datetime


async def hold(tx: AsyncSession, accounts: Sequence[UUID]) -> None:
    """Nobody else changes these people's requests and roles until the commit; in everybody's order of locks."""
    asked = select(RoleRequest.id).where(RoleRequest.account_id.in_(accounts), WAITS)
    await tx.execute(asked.order_by(RoleRequest.id).with_for_update())
    await rows.accounts_locked(tx, accounts)


async def move(
    tx: AsyncSession,
    kit: Kit,
    run: Reorganisation,
    going: Mapping[UUID, Unit],
    roles: Sequence[Role],
    act: By,
) -> int:
    """These roles go to these units; their accounts are held. How many people go."""
    planned = [role for role in roles if role.state == policy.SCHEDULED]
    moving = [role for role in roles if role.state in {policy.ACTIVE, policy.SUSPENDED}]
    old = {role.unit_id for role in roles}
    for role in planned:
        await _plan_anew(tx, kit, run, role, going[role.id], act)
    begun = [_stand_in(kit, run, role, going[role.id], act.now) for role in moving]
    ends = {"state": policy.ENDED, "ended_at": act.now, "end_reason": REASON}
    ids = [role.id for role in moving]
    await tx.execute(update(Role).where(Role.id.in_(ids)).values(**ends).execution_options(**QUIET))
    if begun:
        await tx.execute(insert(Role), begun)
    pairs = {role.id: new["id"] for role, new in zip(moving, begun, strict=True)}
    await keep(
        tx, run, models.ROLE, [(r.id, pairs[r.id], r.unit_id, going[r.id].id, r.state) for r in moving]
    )
    await stand_on(tx, pairs)
    await _ask_of(tx, run, pairs, {role.id: going[role.id].id for role in moving}, old)
    for role in moving:
        fact = RoleReorganised(
            subject=role.account_id, role=pairs[role.id], old=role.id, unit=going[role.id].id, run=run.id
        )
        kit.journal.record(tx, fact, by=act.by, now=act.now)
        unit = going[role.id].name
        notices.tell(tx, kit, role.account_id, "role_changed", now=act.now, unit=unit, change=REASON)
        await delegates.post_ended(tx, kit, role, by=act.by, now=act.now, due=None)
    await tell(tx, {(role.account_id, role.unit_id, going[role.id].id) for role in roles}, act.now)
    return len({role.account_id for role in roles})


async def stand_on(tx: AsyncSession, pairs: Mapping[UUID, UUID]) -> None:
    """What stands on the one stands on the other, and what is reviewed goes on being reviewed."""
    held = select(Role.id, Role.stands_on).where(Role.stands_on.in_(pairs), Role.state.in_(policy.HELD))
    for row_id, on in (await tx.execute(held)).all():
        if on is None:
            continue
        moved = update(Role).where(Role.id == row_id).values(stands_on=pairs[on])
        await tx.execute(moved.execution_options(**QUIET))
    await following.follow(tx, pairs)


async def tell(tx: AsyncSession, moves: set[tuple[UUID, UUID, UUID]], now: datetime) -> None:
    """Every system that knows a person, or that either unit concerns, after every single decision (lane)."""
    people = {who for who, _, _ in moves}
    units = {unit for _, old, new in moves for unit in (old, new)}
    paths = {row[0]: row[1] for row in await tx.execute(select(Unit.id, Unit.path).where(Unit.id.in_(units)))}
    also: dict[UUID, set[UUID]] = {who: set() for who in people}
    for system in (await tx.scalars(select(System).where(System.disabled_at.is_(None)))).all():
        scope = await scope_of(tx, system)
        for who, old, new in moves:
            if in_scope(paths[old], scope) or in_scope(paths[new], scope):
                also[who].add(system.id)
    await renewal.renew(tx, people, now=now, also=also, lane=BACKFILL)
    shown = update(Account).where(Account.id.in_(people)).values(version=Account.version + 1)
    await tx.execute(shown.execution_options(**QUIET))


async def _plan_anew(
    tx: AsyncSession, kit: Kit, run: Reorganisation, role: Role, unit: Unit, act: By
) -> None:
    """What is to begin will begin at the new unit."""
    await keep(tx, run, models.PLANNED, [(role.id, None, role.unit_id, unit.id, role.state)])
    there = update(Role).where(Role.id == role.id).values(unit_id=unit.id)
    await tx.execute(there.execution_options(**QUIET))
    await ask_at(tx, run, RoleRequest.id == role.request_id, role.unit_id, unit.id)
    fact = RoleScheduled(subject=role.account_id, role=role.id, unit=unit.id)
    kit.journal.record(tx, fact, by=act.by, now=act.now)


async def _ask_of(
    tx: AsyncSession,
    run: Reorganisation,
    pairs: Mapping[UUID, UUID],
    places: Mapping[UUID, UUID],
    old: set[UUID],
) -> None:
    """What is open or planned about a role is about the one that stands in for it."""
    about = select(RoleRequest).where(RoleRequest.role_id.in_(pairs), WAITS)
    for found in (await tx.scalars(about.execution_options(**rows.FRESH))).all():
        was = found.role_id
        if was is None:
            continue
        found.role_id = pairs[was]
        found.version += 1  # its page names the unit that it leaves (rule 614)
        if found.keeps:
            kept = msgspec.json.decode(found.keeps, type=list[UUID])
            found.keeps = msgspec.json.encode([pairs.get(one, one) for one in kept]).decode()
        await tx.flush()
        for unit in old - {places[was]}:
            await ask_at(tx, run, RoleRequest.id == found.id, unit, places[was])


async def ask_at(tx: AsyncSession, run: Reorganisation, which: Any, old: UUID, new: UUID) -> None:
    """What waits at one unit waits at the other: the request itself, and the words that it still needs."""
    open_ = (RequestStep.decision.is_(None), RequestStep.unit_id == old)
    there = select(RoleRequest.id).where(which, WAITS, RoleRequest.unit_id == old)
    needing = select(RoleRequest.id).join(RequestStep).where(which, WAITS, *open_)
    concerned = await held(tx, RoleRequest.id.in_(there.union(needing)), WAITS)
    asked = select(RoleRequest.id).where(RoleRequest.id.in_(concerned), RoleRequest.unit_id == old)
    ids = list(await tx.scalars(asked))
    await keep(tx, run, models.REQUEST, [(one, None, old, new, "") for one in ids])
    follow = update(RoleRequest).where(RoleRequest.id.in_(ids)).values(unit_id=new)
    await tx.execute(follow.execution_options(**QUIET))
    steps = select(RequestStep.id).where(RequestStep.request_id.in_(concerned), *open_)
    waiting = list(await tx.scalars(steps))
    await keep(tx, run, models.STEP, [(one, None, old, new, "") for one in waiting])
    follows = update(RequestStep).where(RequestStep.id.in_(waiting)).values(unit_id=new)
    await tx.execute(follows.execution_options(**QUIET))
    await look_different(tx, concerned)


async def held(tx: AsyncSession, *which: ColumnElement[bool]) -> list[UUID]:
    """These requests change by nobody else until the commit: asked before any of their steps is touched."""
    query = select(RoleRequest.id).where(*which).order_by(RoleRequest.id).with_for_update()
    return list(await tx.scalars(query))


async def held_of(tx: AsyncSession, kind: str, moved: Sequence[UUID]) -> list[UUID]:
    """The requests that these rows are, or are steps of; nobody else changes them until the commit."""
    if kind == models.REQUEST:
        return await held(tx, RoleRequest.id.in_(moved))
    whose = select(RequestStep.request_id).where(RequestStep.id.in_(moved))
    return await held(tx, RoleRequest.id.in_(whose)) if kind == models.STEP else []


async def look_different(tx: AsyncSession, requests: Sequence[UUID]) -> None:
    """Another unit's name stands on their pages: a word on a page from before does not count (rule 614)."""
    seen = update(RoleRequest).where(RoleRequest.id.in_(requests)).values(version=RoleRequest.version + 1)
    if requests:
        await tx.execute(seen.execution_options(**QUIET))


async def keep(
    tx: AsyncSession,
    run: Reorganisation,
    kind: str,
    moved: Sequence[tuple[UUID, UUID | None, UUID, UUID, str]],
) -> None:
    """Write down which rows moved: the row, what stands in for it, from and to which unit, what it was."""
    names = ("row_id", "new_id", "from_id", "to_id", "state")
    written = [
        {"id": new_id(), "run_id": run.id, "kind": kind, **dict(zip(names, one, strict=True))}
        for one in moved
    ]
    for start in range(0, len(written), 500):
        await tx.execute(insert(Moved), written[start : start + 500])


def _stand_in(kit: Kit, run: Reorganisation, role: Role, unit: Unit, now: datetime) -> dict[str, Any]:
    """The row of the same post at another unit."""
    fresh = new_id()
    row = {column.name: getattr(role, column.name) for column in Role.__table__.columns}
    values = drafts.fields_of(kit, role)
    return row | {
        "id": fresh,
        "unit_id": unit.id,
        "fields": drafts.seal_fields(kit, "roles.fields", fresh, values),
        "from_on": max(role.from_on, run.effective_on),
        "began_at": now,
    }
