"""What an operator asks for in the workspace: a plan, a run, a reversal; of units of their own alone (rule 641)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import one_after_another
from backend.errors import Conflict
from backend.imports.plan import Stake, in_order, massive
from backend.imports.rows import ImportRefused, Record
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import decision_numbers, operating, rows, unit_tree
from backend.roles.models import Unit
from backend.roles.operating import MassChange, Reach
from backend.roles.reorganising import listing, reversing, running
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising.acts import Act
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import Plan, Wanted, concerned

PLACES = ("unit_code", "target_code", "new_parent_code")


class ReorganisationNotYet(Conflict):
    """It takes effect on a day that is to come, `on`: until then its people may change, so it is run on that day."""

    code = "reorganisation_not_yet"
    title = "Phương án chưa đến ngày có hiệu lực, chỉ chạy được vào chính ngày ấy"


class Yes(msgspec.Struct, frozen=True):
    """By which decision; that a large part is meant; of a reversal, that whose roles have changed since stay so."""

    decision: str = ""
    brake_off: bool = False
    leave_changed: bool = False


async def plan(
    tx: AsyncSession,
    kit: Kit,
    acts: Sequence[Record],
    people: Sequence[Record],
    *,
    by: UUID,
    now: datetime,
) -> Plan:
    """What the files would do; raises ImportRefused with every bad row, NotFound for who operates nothing."""
    reach, known = await operating.reach_of(tx, kit, by, now=now), await unit_tree.snapshot(tx)
    if errors := operating.strangers(acts, PLACES, known, reach):
        raise ImportRefused(in_order(errors))
    return await planning.make(tx, kit, acts, people, now=now)


async def run(
    tx: AsyncSession,
    kit: Kit,
    wanted: Wanted,
    run_id: UUID,
    yes: Yes,
    *,
    by: UUID,
    now: datetime,
) -> None:
    """Write down that it begins; the worker carries it. A second press finds it begun.

    Raises FieldsInvalid, PlanOutdated, ReorganisationNotYet, MassChange, NotFound.
    """
    number = decision_numbers.typed(yes.decision)
    await one_after_another(tx, rows.TREE)
    reach, known = await operating.reach_of(tx, kit, by, now=now, hold=True), await unit_tree.snapshot(tx)
    _expect(reach, {code: place.path for code, place in known.items()}, wanted.acts)
    if await tx.get(Reorganisation, run_id) is not None:
        return
    if wanted.on > local_day(now):
        raise ReorganisationNotYet(on=f"{wanted.on:%d/%m/%Y}")
    await planning.ensure_current(tx, wanted, known)
    made = await planning.outlook(tx, wanted, known, now=now)
    _brake(kit, made.massive(kit.limits.mass_change_percent), brake_off=yes.brake_off)
    await running.begin(tx, kit, made, run_id, decision=number, by=by, now=now)


async def reverse(tx: AsyncSession, kit: Kit, run_id: UUID, yes: Yes, *, by: UUID, now: datetime) -> None:
    """Write down that it goes back; the worker carries it. Raises ChangedSince, NotDone, MassChange, NotFound."""
    await one_after_another(tx, rows.TREE)
    found = await theirs(tx, kit, run_id, by=by, now=now, hold=True)
    stakes = await planning.stakes_back(tx, run_id, found.people, found.acts)
    _brake(kit, massive(stakes, kit.limits.mass_change_percent), brake_off=yes.brake_off)
    await reversing.begin(tx, kit, run_id, leave_changed=yes.leave_changed, now=now, by=by)


async def theirs(
    tx: AsyncSession, kit: Kit, run_id: UUID, *, by: UUID, now: datetime, hold: bool = False
) -> listing.Line:
    """A reorganisation of the operator's own units; any other is not there: raises NotFound."""
    reach, found = await operating.reach_of(tx, kit, by, now=now, hold=hold), await listing.one(tx, run_id)
    _expect(reach, await _places(tx, found.acts), found.acts)
    return found


async def all_theirs(tx: AsyncSession, kit: Kit, *, by: UUID, now: datetime) -> list[listing.Line]:
    """The newest of them, so many as a page lists, however many others' are newer."""
    reach, theirs_ = await operating.reach_of(tx, kit, by, now=now), list[listing.Line]()
    found = await listing.some(tx)
    while found and len(theirs_) < listing.MOST:
        places = await _places(tx, [act for one in found for act in one.acts])
        theirs_ += [one for one in found if _within(reach, places, one.acts)]
        found = await listing.some(tx, after=found[-1].id)
    return theirs_[: listing.MOST]


async def _places(tx: AsyncSession, acts: Sequence[Act]) -> dict[str, str]:
    """The paths of the units that are named, by code; nobody needs the others (rule 912)."""
    codes, found = sorted(concerned(acts)), dict[str, str]()
    for start in range(0, len(codes), planning.CHUNK):
        query = select(Unit.code, Unit.path).where(Unit.code.in_(codes[start : start + planning.CHUNK]))
        found |= {row.code: row.path for row in await tx.execute(query)}
    return found


def _expect(reach: Reach, places: Mapping[str, str], acts: Sequence[Act]) -> None:
    if not _within(reach, places, acts):
        raise running.ReorganisationNotFound


def _within(reach: Reach, places: Mapping[str, str], acts: Sequence[Act]) -> bool:
    return all(code in places and reach.has(places[code]) for code in concerned(acts))


def _brake(kit: Kit, stake: Stake | None, *, brake_off: bool) -> None:
    if stake is not None and not brake_off:
        percent = kit.limits.mass_change_percent
        raise MassChange(touched=stake.touched, existing=stake.existing, percent=percent)
