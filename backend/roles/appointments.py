"""Who decides for a unit from when until when: the days of appointments, and many of them from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.appointment import DELEGATE, MANAGER, Appointment
from backend.db import new_id, one_after_another
from backend.facts import DeskStaffRemoved, ManagerAppointed, ManagerDaysSet, ManagerDismissed
from backend.imports.plan import Change, Field, Plan, PlanStale, Progress, in_order, stakes
from backend.imports.rows import Record, Row, RowError
from backend.kit import Kit
from backend.names import is_whole_birth_date, masked, read_birth_date
from backend.outside.clock import local_day
from backend.roles import deciding, delegates, forms, rights
from backend.roles import rows as locks
from backend.roles.models import Unit
from backend.roles.unit_tree import not_there, root_of
from backend.trouble import of_one
from backend.typed import BadText

COLUMNS = ("unit_code", "national_id", "from", "until")
REQUIRED = ("unit_code", "national_id")
CHANGING = "managers"
CHUNK = 500


class Days(NamedTuple):
    """From which day a right is there, and its last one; nothing: at once, and until it is taken."""

    from_on: date | None = None
    until_on: date | None = None


class ManagerRow(msgspec.Struct, frozen=True):
    """One row of the file, checked; a column that the file lacks is not in `given`."""

    line: int
    unit_code: str
    number: str
    given: dict[str, date | None]


class Planned(NamedTuple):
    """What one row does: appoints somebody, or gives an appointment other days."""

    row: ManagerRow
    unit_id: UUID
    days: Days
    stored: tuple[UUID, Days] | None


async def appoint(
    tx: AsyncSession, kit: Kit, unit_id: UUID, number: str, days: Days, *, by: UUID | None, now: datetime
) -> None:
    """Somebody who does not decide for the unit will."""
    tx.add(_appointment(kit, unit_id, number, days, by=by, now=now))
    await tx.flush()
    subject = await numbers.holder_of(tx, kit, number)
    kit.journal.record(tx, ManagerAppointed(subject=subject, unit=unit_id), by=by, now=now)


def _appointment(
    kit: Kit, unit_id: UUID, number: str, days: Days, *, by: UUID | None, now: datetime
) -> Appointment:
    row = new_id()
    return Appointment(
        id=row,
        kind=MANAGER,
        by=by,
        unit_id=unit_id,
        national_id_blind=kit.keys.blind("national_id", number),
        national_id=kit.keys.seal("appointments.national_id", row, number),
        created_at=now,
        from_on=days.from_on if days.from_on and days.from_on > local_day(now) else None,
        until_on=days.until_on,
    )


def due(today: date) -> Select[UUID]:
    """The appointments that begin or have ended."""
    there = select(Appointment.id).where(Appointment.ended_at.is_(None))
    days = there.where(Appointment.from_on <= today).union_all(there.where(Appointment.until_on < today))
    return select(Appointment.id).where(Appointment.id.in_(days))  # each by its own index


async def roll(tx: AsyncSession, kit: Kit, *, now: datetime, but: Collection[UUID] = ()) -> int:
    """What was to begin today begins, what had its last day ends; how many. Raises OfOne of an appointment that fails.

    The days decide, not whether it is written down: of those of `but`, which are left, nobody has a right more.
    """
    today = local_day(now)
    query = (
        due(today).with_only_columns(Appointment).where(Appointment.id.not_in(but)).order_by(Appointment.id)
    )
    found = (await tx.scalars(query.with_for_update(skip_locked=True))).all()
    for one in found:
        if one.from_on is not None and one.from_on <= today:
            one.from_on = None
        if one.until_on is not None and one.until_on < today:
            with of_one(one.id):
                await _run_out(tx, kit, one, now=now)
    changed = {one.unit_id for one in found if one.kind == MANAGER and one.unit_id is not None}
    await deciding.units_changed(tx, kit, changed)
    return len(found)


async def _run_out(tx: AsyncSession, kit: Kit, one: Appointment, *, now: datetime) -> None:
    if one.ended_at is not None:
        return  # in this round, with the right that it was lent from
    if one.kind == DELEGATE:
        await delegates.end(tx, kit, one, because="expired", by=None, now=now)
        return
    one.ended_at = now
    await tx.flush()
    if one.desk_id is not None:
        kit.journal.record(tx, DeskStaffRemoved(desk=one.desk_id), by=None, now=now)
    if one.unit_id is not None:
        number = kit.keys.open("appointments.national_id", one.id, one.national_id)
        subject = await numbers.holder_of(tx, kit, number)
        kit.journal.record(tx, ManagerDismissed(subject=subject, unit=one.unit_id), by=None, now=now)
        await delegates.right_ended(tx, kit, [one.id], by=None, now=now)
        await rights.alarm_of_vacancy(tx, one.unit_id)


class ManagersImport:
    """A file of managers: it appoints and gives other days, and takes nobody's right away."""

    things, columns, required = "managers", COLUMNS, REQUIRED

    def __init__(self, kit: Kit, now: datetime) -> None:
        self._kit, self._now = kit, now
        self._planned: list[Planned] = []
        self._roots: dict[
            UUID, str
        ] = {}  # of every unit in which somebody decides, the organisation that it is of

    async def plan(self, tx: AsyncSession, rows: Sequence[Record]) -> Plan:
        """Who would decide for what."""
        plan = Plan(things=self.things)
        self._planned = []
        wanted = [self._checked(record, plan.errors) for record in rows]
        units = await _living(tx, local_day(self._now))
        stored = await self._stored(tx, wanted)
        there = await self._existing(tx)
        plan.existing = there.total()
        seen: dict[tuple[str, str], int] = {}
        for row in wanted:
            unit_id, key = units.get(row.unit_code), (row.unit_code, row.number)
            if row.unit_code and unit_id is None:
                plan.errors.append(not_there(row.line, "unit_code", row.unit_code, units))
            elif row.number and key in seen:
                first = {"first": str(seen[key])}
                plan.errors.append(RowError(row.line, "national_id", "comes_twice", first))
            elif unit_id is not None and row.number:
                self._compare(plan, row, unit_id, stored.get((unit_id, row.number)))
            seen.setdefault(key, row.line)
        plan.errors = in_order(plan.errors)
        changed = Counter(self._roots[one.unit_id] for one in self._planned if one.stored is not None)
        plan.roots = stakes(changed, there)
        return plan

    def prepare(self) -> None:
        """An appointment is sealed where it is written: there are few."""

    async def act(self, tx: AsyncSession, *, by: UUID | None, progress: Progress) -> None:
        """Appoint, and set days; raises PlanStale."""
        await locks.tree_stands(tx)
        await one_after_another(tx, CHANGING)
        stored = await self._stored(tx, [one.row for one in self._planned])
        living = await _living(tx, local_day(self._now))
        if any(living.get(one.row.unit_code) != one.unit_id for one in self._planned):
            raise PlanStale
        for start in range(0, len(self._planned), CHUNK):
            part = self._planned[start : start + CHUNK]
            if any(stored.get((one.unit_id, one.row.number)) != one.stored for one in part):
                raise PlanStale
            await self._write(tx, part, by=by)
            progress(start + len(part), len(self._planned))
        await deciding.units_changed(tx, self._kit, {one.unit_id for one in self._planned})

    async def _write(self, tx: AsyncSession, part: Sequence[Planned], *, by: UUID | None) -> None:
        kit, now = self._kit, self._now
        holders = await numbers.holders_of(tx, kit, [one.row.number for one in part])
        for one in part:
            subject = holders.get(one.row.number)
            fact: ManagerAppointed | ManagerDaysSet = ManagerAppointed(subject=subject, unit=one.unit_id)
            if one.stored is None:
                tx.add(_appointment(kit, one.unit_id, one.row.number, one.days, by=by, now=now))
            else:
                manager = await tx.get_one(Appointment, one.stored[0])
                manager.from_on, manager.until_on = one.days
                fact = ManagerDaysSet(subject=subject, unit=one.unit_id)
            kit.journal.record(tx, fact, by=by, now=now)
        await tx.flush()

    def _compare(self, plan: Plan, row: ManagerRow, unit_id: UUID, stored: tuple[UUID, Days] | None) -> None:
        old = stored[1] if stored else Days()
        begins, until = row.given.get("from", old.from_on), row.given.get("until", old.until_on)
        today = local_day(self._now)
        if begins is not None and begins <= today:
            begins = None  # a right that is there already
        if stored is not None and old.from_on is None:
            begins = None  # what has begun does not begin later
        if until is not None and until < (begins or today):
            plan.errors.append(RowError(row.line, "until", "over_before_first_day"))
            return
        days = Days(begins, until)
        if stored is None:
            plan.created += 1
        elif days == old:
            plan.untouched += 1
            return
        else:
            pairs = (("from", old.from_on, begins), ("until", old.until_on, until))
            fields = tuple(Field(name, _shown(was), _shown(is_)) for name, was, is_ in pairs if was != is_)
            plan.changed.append(Change(row.line, f"{row.unit_code}, {masked(row.number)}", fields))
        self._planned.append(Planned(row, unit_id, days, stored))

    def _checked(self, record: Record, errors: list[RowError]) -> ManagerRow:
        row = Row(record, errors)
        number = row.text("national_id", longest=20, required=True)
        try:
            number = forms.national_id(number) if number else ""
        except BadText as bad:
            row.wrong("national_id", bad.code)
            number = ""
        given = {name: _day(row, name) for name in ("from", "until") if row.has(name)}
        return ManagerRow(record.line, row.text("unit_code", longest=40, required=True), number, given)

    async def _existing(self, tx: AsyncSession) -> Counter[str]:
        """How many appointments there are in each organisation."""
        by_unit = select(Unit.id, Unit.path, func.count()).join(Appointment, Appointment.unit_id == Unit.id)
        by_unit = by_unit.where(Appointment.stands(MANAGER)).group_by(Unit.id, Unit.path)
        found, self._roots = Counter[str](), {}
        for unit_id, path, count in await tx.execute(by_unit):
            self._roots[unit_id] = root_of(path)
            found[root_of(path)] += count
        return found

    async def _stored(
        self, tx: AsyncSession, rows: Sequence[ManagerRow]
    ) -> dict[tuple[UUID, str], tuple[UUID, Days]]:
        """The appointments that there are of these people, by unit and number."""
        found: dict[tuple[UUID, str], tuple[UUID, Days]] = {}
        blinds = {
            blind: row.number for row in rows for blind in self._kit.keys.blinds("national_id", row.number)
        }
        every = list(blinds)
        for start in range(0, len(every), CHUNK):
            part = Appointment.national_id_blind.in_(every[start : start + CHUNK])
            for one in await tx.scalars(select(Appointment).where(part, Appointment.stands(MANAGER))):
                if one.unit_id is not None:
                    key = one.unit_id, blinds[one.national_id_blind]
                    found[key] = one.id, Days(one.from_on, one.until_on)
        return found


async def _living(tx: AsyncSession, today: date) -> dict[str, UUID]:
    rows = await tx.execute(
        select(Unit.code, Unit.id).where(or_(Unit.ended_on.is_(None), Unit.ended_on > today))
    )
    return {row.code: row.id for row in rows}


def _day(row: Row, column: str) -> date | None:
    text = row.text(column, longest=30)
    try:
        return read_day(text) if text else None
    except ValueError:
        row.wrong(column, "bad_day")
        return None


def read_day(text: str) -> date:
    """A whole day as people write it, `dd/mm/yyyy` or ISO; raises ValueError."""
    found = read_birth_date(text)
    if not is_whole_birth_date(found):
        raise ValueError(text)
    return date.fromisoformat(found)


def _shown(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
