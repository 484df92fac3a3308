"""Files of units, staff and managers that an operator lays down: planned, seen, and then acted on (rules 641, 1003)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import statistics
from backend.db import Database
from backend.errors import Conflict, NotFound
from backend.imports.plan import Import, Plan, PlanStale, in_order
from backend.imports.rows import ImportRefused, Record, RowError
from backend.kit import Kit
from backend.roles import operating, unit_tree, uploads
from backend.roles.appointments import ManagersImport
from backend.roles.operating import MassChange, Reach
from backend.roles.staff_import import StaffImport
from backend.roles.unit_tree import Tree
from backend.roles.units import UnitsImport

UNITS, STAFF, MANAGERS = "units", "staff", "managers"


class ImportOutdated(Conflict):
    """What the plan that was seen is made of has changed since."""

    code = "import_stale"
    title = "Dữ liệu đã thay đổi sau khi bạn xem kế hoạch; chưa có gì được ghi, hãy xem lại kế hoạch mới"


class Kind(NamedTuple):
    """One kind of file: how it is read, and which of its columns name units."""

    make: Callable[[Kit, datetime], Import]
    places: tuple[str, ...]


KINDS = {
    UNITS: Kind(UnitsImport, ("code", "parent_code")),
    STAFF: Kind(StaffImport, ("unit_code",)),
    MANAGERS: Kind(ManagersImport, ("unit_code",)),
}


class Planned(NamedTuple):
    """A plan with the import that it is of, and the print by which a yes names it."""

    job: Import
    plan: Plan
    print: str


def named(kind: str) -> Kind:
    """Raises NotFound."""
    if kind not in KINDS:
        raise NotFound
    return KINDS[kind]


async def plan(
    tx: AsyncSession, kit: Kit, kind: str, rows: Sequence[Record], *, by: UUID, now: datetime
) -> Planned:
    """What the rows would do; raises ImportRefused with every bad row, NotFound for who operates nothing."""
    reach, known = await operating.reach_of(tx, kit, by, now=now), await unit_tree.snapshot(tx)
    errors = await _beyond(tx, kit, kind, rows, known, reach)
    job = named(kind).make(kit, now)
    made = await job.plan(tx, rows)
    if errors or made.errors:
        raise ImportRefused(in_order([*errors, *made.errors]))
    return Planned(job, made, hashlib.sha256(msgspec.json.encode(made)).hexdigest()[:32])


def lay(tx: AsyncSession, kit: Kit, kind: str, rows: Sequence[Record], *, by: UUID, now: datetime) -> UUID:
    """Keep the rows until they are said yes to."""
    return uploads.lay(tx, kit, kind, msgspec.json.encode(rows).decode(), by=by, now=now)


async def laid(tx: AsyncSession, kit: Kit, kind: str, upload_id: UUID, *, by: UUID, now: datetime) -> Planned:
    """The plan of what was laid down, as things are now. Raises UploadGone, ImportRefused."""
    text, _ = await uploads.read(tx, kit, upload_id, kind, by=by, now=now)
    rows = msgspec.json.decode(text, type=list[Record])
    return await plan(tx, kit, kind, rows, by=by, now=now)


async def confirm(
    db: Database,
    kit: Kit,
    kind: str,
    upload_id: UUID,
    *,
    seen: str,
    brake_off: bool,
    by: UUID,
    now: datetime,
) -> Plan:
    """Do what the plan `seen` says. Raises ImportOutdated, MassChange, ImportRefused, UploadGone, NotFound."""
    async with db.read() as tx:
        found = await laid(tx, kit, kind, upload_id, by=by, now=now)
        reach = await operating.reach_of(tx, kit, by, now=now)
    if found.print != seen:
        raise ImportOutdated
    made, percent = found.plan, kit.limits.mass_change_percent
    if (stake := made.massive(percent)) is not None and not brake_off:
        raise MassChange(touched=stake.touched, existing=stake.existing, percent=percent)
    if not made.is_empty:
        await asyncio.to_thread(found.job.prepare)
    async with db.write() as tx:
        if await operating.reach_of(tx, kit, by, now=now, hold=True) != reach:
            raise NotFound
        await uploads.read(tx, kit, upload_id, kind, by=by, now=now)  # a second press finds it gone
        if not made.is_empty:
            await _act(tx, found.job, by)
        await uploads.forget(tx, upload_id)
    await statistics.refresh(db, imported=True)
    return made


async def _act(tx: AsyncSession, job: Import, by: UUID) -> None:
    try:
        await job.act(tx, by=by, progress=lambda _done, _all: None)
    except PlanStale as stale:
        raise ImportOutdated from stale


async def _beyond(
    tx: AsyncSession, kit: Kit, kind: str, rows: Sequence[Record], known: Tree, reach: Reach
) -> list[RowError]:
    """What a row asks for that is not the operator's to ask."""
    errors = operating.strangers(rows, named(kind).places, known, reach)
    if kind == UNITS:
        errors += operating.rootless(rows, known)
    if kind == STAFF:
        errors += await operating.elsewhere(tx, kit, rows, reach)
    if kind == MANAGERS:
        errors += operating.themselves(kit, rows, reach)
    return errors
