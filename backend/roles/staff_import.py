"""A file of staff: planned, sealed outside of every transaction, and written in chunks (rule 1003; case O18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.numbers import OLD_ID, kind_of
from backend.db import new_id, one_after_another
from backend.facts import StaffImported
from backend.imports import words
from backend.imports.plan import Change, Plan, PlanStale, Progress, in_order, stakes
from backend.imports.rows import Record, RowError
from backend.kit import Kit
from backend.names import masked
from backend.outside.clock import local_day
from backend.roles import mailboxes, telling
from backend.roles import rows as locks
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import StaffRecord, Unit
from backend.roles.staff_rows import (
    CHANGING,
    COLUMNS,
    NEEDED,
    PERSONAL,
    REQUIRED,
    StaffPerson,
    StaffRow,
    Twins,
    checked,
    differing,
    misfit,
    opened,
)
from backend.roles.unit_tree import not_there, root_of

Item = TypeVar("Item")
Stored = tuple[
    UUID, datetime | None, bytes
]  # the unit of an entry, since when it has left, what it is sealed as
CHUNK = 500
NOWHERE = UUID(int=0)  # of a row whose unit is not there, which is never written


class Entry(msgspec.Struct, frozen=True):
    """One entry of the directory as it is stored."""

    id: UUID
    unit_id: UUID
    subject_type: str
    position: str
    left_at: datetime | None
    sealed: bytes


class Written(msgspec.Struct):
    """One entry as it will be stored; `was` is how it stands now, nothing for a new one."""

    id: UUID
    person: StaffPerson | None
    unit_id: UUID
    subject_type: str
    position: str
    was: Stored | None = None
    row: dict[str, Any] = {}


class StaffImport:
    """A file of staff; `complete`: whoever it does not name, within the units that it names, has left (R45)."""

    things, columns, required = "people", COLUMNS, REQUIRED

    def __init__(self, kit: Kit, now: datetime, *, complete: bool = False) -> None:
        self._kit, self._now, self._complete = kit, now, complete
        self._living: dict[str, UUID] = {}  # every unit that has not ended
        self._units: dict[str, UUID] = {}  # of these, that the file names
        self._codes: dict[UUID, str] = {}  # of every unit
        self._roots: dict[UUID, str] = {}  # the organisation that each is of
        self._touched: Counter[str] = Counter()  # entries of each that change or end
        self._writes: list[Written] = []
        self._left: list[Entry] = []
        self._readdressed: list[str] = []  # numbers whose official address becomes another
        self._mails: dict[str, int] = {}  # addresses that the file gives, with their lines
        self._named: set[UUID] = set()  # entries that the file is about

    async def plan(self, tx: AsyncSession, rows: Sequence[Record]) -> Plan:
        """What the rows would change in the directory as it stands."""
        plan = Plan(things=self.things)
        self._writes, self._left, self._readdressed, self._mails, self._named = [], [], [], {}, set()
        self._touched = Counter()
        self._living, self._units = await self._read_units(tx), {}
        catalogue, existing = await in_force(tx), await self._existing(tx)
        plan.existing = existing.total()
        twins, today = Twins(), local_day(self._now)
        for records in _parts(rows):  # one part after the other: the checked rows are not kept as well
            part = [checked(record, plan.errors, catalogue, today) for record in records]
            plan.errors += [error for row in part for error in (*twins.of(row), *self._placed(row))]
            known = await self._known(tx, part)
            self._mails |= {mail: row.line for row in part if (mail := row.given.get("official_email"))}
            self._named |= {entry.id for entry in known.values()}
            plan.notes += [
                words.noted("read_as_cmnd", line=row.line, who=masked(row.number))
                for row in part
                if kind_of(row.number) == OLD_ID and row.number
            ]
            for row in part:
                self._compare(plan, row, known.get(row.number), catalogue)
        taken = await self._taken(tx)
        plan.errors += [RowError(line, "official_email", "address_taken") for line in taken]
        if self._complete:
            await self._leavers(tx, plan, self._named)
        plan.roots = stakes(self._touched, existing)
        plan.errors = in_order(plan.errors)
        return plan

    def prepare(self) -> None:
        """Seal every entry that will be written."""
        keys = self._kit.keys
        for one in self._writes:
            person = one.person
            if person is None:
                continue
            mail = person.official_email
            one.row = {
                "id": one.id,
                "national_id_blind": keys.blind(kind_of(person.national_id), person.national_id),
                "email_blind": keys.blind("official_email", mail) if mail else None,
                "code_blind": keys.blind("employee_code", code) if (code := person.employee_code) else None,
                "unit_id": one.unit_id,
                "subject_type": one.subject_type,
                "position": one.position,
                "sealed": keys.seal("staff_records.sealed", one.id, msgspec.json.encode(person).decode()),
                "imported_at": self._now,
                "left_at": None,
            }
            one.person = None  # a file of a hundred thousand is not kept twice

    async def act(self, tx: AsyncSession, *, by: UUID | None, progress: Progress) -> None:
        """Write the entries; raises PlanStale."""
        await locks.tree_stands(tx)
        await one_after_another(tx, CHANGING)
        living = {
            code for code, unit in (await self._read_units(tx)).items() if self._units.get(code) == unit
        }
        if living != self._units.keys() or await self._taken(tx):
            raise PlanStale
        fresh = [one for one in self._writes if one.was is None]
        changed = [one for one in self._writes if one.was is not None]
        done, every = 0, len(self._writes) + len(self._left)
        for gone in _parts(self._left):
            await self._ensure_unchanged(
                tx, {entry.id: (entry.unit_id, entry.left_at, entry.sealed) for entry in gone}
            )
            free = {
                "left_at": self._now,
                "email_blind": None,
                "code_blind": None,
            }  # the address is there for who comes next
            await tx.execute(update(StaffRecord), [{"id": entry.id, **free} for entry in gone])
            progress(done := done + len(gone), every)
        for part in _parts(changed):
            await self._ensure_unchanged(tx, {one.id: one.was for one in part if one.was is not None})
            await tx.execute(update(StaffRecord), [one.row for one in part])
            progress(done := done + len(part), every)
        for part in _parts(fresh):
            await _ensure_new(tx, part)
            await tx.execute(insert(StaffRecord), [one.row for one in part])
            progress(done := done + len(part), every)
        await telling.addresses_changed(tx, self._kit, self._readdressed, now=self._now)
        self._kit.journal.record(tx, StaffImported(count=every), by=by, now=self._now)

    def _placed(self, row: StaffRow) -> list[RowError]:
        """Remember the unit that a row names; an error when it is not there."""
        code = row.given.get("unit_code")
        if not code:
            return []
        if code not in self._living:
            return [not_there(row.line, "unit_code", code, self._living)]
        self._units[code] = self._living[code]
        return []

    async def _known(self, tx: AsyncSession, part: Sequence[StaffRow]) -> dict[str, Entry]:
        """The entries that exist already, by personal number."""
        numbers = {
            blind: row.number
            for row in part
            for blind in self._kit.keys.blinds(kind_of(row.number), row.number)
        }
        columns = [getattr(StaffRecord, name) for name in Entry.__struct_fields__]
        query = select(StaffRecord.national_id_blind, *columns)
        found = await tx.execute(query.where(StaffRecord.national_id_blind.in_(list(numbers))))
        return {numbers[blind]: Entry(*rest) for blind, *rest in found}

    async def _taken(self, tx: AsyncSession) -> list[int]:
        """Lines that give somebody an address which is an organisation's, or another's whom the file does not name."""
        found = list[int]()
        for part in _parts(list(self._mails)):
            lines = {blind: mail for mail in part for blind in self._kit.keys.blinds("official_email", mail)}
            there = StaffRecord.email_blind.in_(list(lines))
            for blind, holder in await tx.execute(
                select(StaffRecord.email_blind, StaffRecord.id).where(there)
            ):
                if blind is not None and holder not in self._named:  # who is named has what the file says
                    found.append(self._mails[lines[blind]])
            found += [self._mails[box] for box in await mailboxes.among(tx, part)]
        return found

    def _compare(self, plan: Plan, row: StaffRow, entry: Entry | None, catalogue: Catalogue) -> None:
        """Count what one row does, and remember what has to be written."""
        if entry is None:
            missing = [name for name in NEEDED if name not in row.given]
            plan.errors += [RowError(row.line, name, "required_for_person") for name in missing]
            plan.created += 1
            old: dict[str, str] = {}
        else:
            person = msgspec.structs.asdict(opened(self._kit, entry.id, entry.sealed))
            post = {"subject_type": entry.subject_type, "position": entry.position}
            old = person | post | {"unit_code": self._codes[entry.unit_id]}
        new = {**old, **row.given}
        plan.errors += misfit(row.line, new.get("subject_type", ""), new.get("position", ""), catalogue)
        fields = differing(old, new, None if entry is None else entry.left_at)
        if entry is not None and not fields:
            plan.untouched += 1
            return
        if entry is not None:
            plan.changed.append(Change(row.line, masked(row.number), fields))
            self._touched[self._roots[entry.unit_id]] += 1
        if old.get("official_email", "") != new.get("official_email", ""):
            self._readdressed.append(row.number)
        self._writes.append(self._written(row, new, entry))

    def _written(self, row: StaffRow, new: dict[str, str], entry: Entry | None) -> Written:
        person = StaffPerson(row.number, **{name: new.get(name, "") for name in PERSONAL})
        unit = self._units.get(new.get("unit_code", ""), entry.unit_id if entry else NOWHERE)
        post = new.get("subject_type", ""), new.get("position", "")
        if entry is None:
            return Written(new_id(), person, unit, *post)
        return Written(entry.id, person, unit, *post, was=(entry.unit_id, entry.left_at, entry.sealed))

    async def _leavers(self, tx: AsyncSession, plan: Plan, named: set[UUID]) -> None:
        """Whom the units of the file have, and the file has not."""
        if plan.errors:
            plan.errors.append(RowError(0, "", "complete_needs_good"))
            return
        columns = [getattr(StaffRecord, name) for name in Entry.__struct_fields__]
        for part in _parts(sorted(self._units.values())):
            query = select(*columns).where(StaffRecord.unit_id.in_(part), StaffRecord.left_at.is_(None))
            self._left += [Entry(*row) for row in await tx.execute(query) if row.id not in named]
        left = words.noted("has_left")
        for entry in self._left:
            person = opened(self._kit, entry.id, entry.sealed)
            who = f"{masked(person.national_id)}, {self._codes[entry.unit_id]}"
            plan.ended.append(f"{who}: {left}")
            self._touched[self._roots[entry.unit_id]] += 1
            if person.official_email:
                self._readdressed.append(person.national_id)

    async def _read_units(self, tx: AsyncSession) -> dict[str, UUID]:
        """Every unit that has not ended, by code."""
        today = local_day(self._now)
        found = (await tx.execute(select(Unit.code, Unit.id, Unit.ended_on, Unit.path))).all()
        self._codes = {row.id: row.code for row in found}
        self._roots = {row.id: root_of(row.path) for row in found}
        return {row.code: row.id for row in found if row.ended_on is None or row.ended_on > today}

    async def _existing(self, tx: AsyncSession) -> Counter[str]:
        """How many entries there are of each organisation."""
        here = select(StaffRecord.unit_id, func.count()).where(StaffRecord.left_at.is_(None))
        found = Counter[str]()
        for unit_id, count in await tx.execute(here.group_by(StaffRecord.unit_id)):
            found[self._roots[unit_id]] += count
        return found

    async def _ensure_unchanged(self, tx: AsyncSession, known: Mapping[UUID, Stored]) -> None:
        """The entries are as the plan found them: not every writing of one seals it anew (A35)."""
        query = select(StaffRecord.id, StaffRecord.unit_id, StaffRecord.left_at, StaffRecord.sealed)
        query = query.where(StaffRecord.id.in_(list(known))).with_for_update()
        if {row.id: (row.unit_id, row.left_at, row.sealed) for row in await tx.execute(query)} != known:
            raise PlanStale


async def _ensure_new(tx: AsyncSession, part: Sequence[Written]) -> None:
    """Nobody has made entries of these people since."""
    blinds = [one.row["national_id_blind"] for one in part]
    there = select(StaffRecord.id).where(StaffRecord.national_id_blind.in_(blinds)).limit(1)
    if await tx.scalar(there) is not None:
        raise PlanStale


def _parts(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
