"""A catalogue's file: planned, and brought into force as a new version, which every system concerned hears of."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.facts import CatalogueImported
from backend.imports import words
from backend.imports.plan import Change, Plan, PlanStale, Stake, massive
from backend.kit import Kit
from backend.outbox import renewal
from backend.outbox.models import System
from backend.outbox.queue import BACKFILL, REVOCATION
from backend.outside.clock import local_day
from backend.roles import policy, rows
from backend.roles.catalogue.concerned import Concerned, concerned
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import alone, in_force, newest_version, shipped, text_of
from backend.roles.catalogue.merging import Used, differences, flat, merged
from backend.roles.catalogue.reading import Found
from backend.roles.models import CatalogueVersion, Role, RoleRequest, StaffRecord


class CataloguePlan(Plan, kw_only=True):
    """What the file changes; `told` says per system of how many people it hears, `losing` how many lose a right."""

    people: int = 0
    losing: int = 0
    told: dict[str, int] = {}

    def massive(self, percent: int) -> Stake | None:
        """Whether more people lose a right than a slip of the hand should be able to take from them."""
        return massive([Stake(self.losing, self.people)], percent)

    def at_stake(self, stake: Stake) -> str:
        """What the brake is about."""
        return (
            f"{stake.touched} of {stake.existing} people with a role in force would lose a right in a system"
        )


class CatalogueImport:
    """One file; `plan` reads, `act` writes."""

    def __init__(self, kit: Kit, found: Found, now: datetime) -> None:
        self._kit, self._found, self._now = kit, found, now
        self._before = self._after = shipped()
        self._closed = self._removed = 0
        self._people: set[UUID] = set()

    async def plan(self, tx: AsyncSession) -> CataloguePlan:
        """What would be in force, and of whom systems would be told."""
        self._before = await in_force(tx)
        self._after = await self._merged(tx, self._before)
        plan = self._compared()
        told = await concerned(tx, self._before, self._after, now=self._now)
        self._people = {who for one in told for who in one.people}
        plan.told = {one.system: len(one.people) for one in told}
        plan.losing = len({who for one in told for who in one.losing})
        plan.people = await _in_force(tx)
        plan.notes += [_note(one) for one in told]
        plan.notes += await self._unknown_systems(tx)
        return plan

    async def act(self, tx: AsyncSession, *, by: UUID | None) -> CatalogueVersion:
        """Bring it into force and have everybody concerned told in the same transaction; raises PlanStale."""
        await rows.accounts_locked(tx, self._people)
        before = await alone(tx)
        if text_of(before) != text_of(self._before) or await self._merged(tx, before) != self._after:
            raise PlanStale
        newest = await newest_version(tx)
        version = newest.version + 1 if newest else 1
        row = CatalogueVersion(id=new_id(), version=version, text=text_of(self._after), imported_at=self._now)
        tx.add(row)
        await tx.flush()
        told = await concerned(tx, before, self._after, now=self._now)
        losing = {(who, one.system_id) for one in told for who in one.losing}
        others = {(who, one.system_id) for one in told for who in one.people} - losing
        sent = await renewal.renew_at(tx, {REVOCATION: losing, BACKFILL: others}, now=self._now)
        fact = CatalogueImported(version=version, closed=self._closed, removed=self._removed, told=sent)
        self._kit.journal.record(tx, fact, by=by, now=self._now)
        return row

    async def _merged(self, tx: AsyncSession, current: Catalogue) -> Catalogue:
        yesterday = local_day(self._now) - timedelta(days=1)  # what is closed now takes nobody any more
        return merged(current, self._found.catalogue, await _used(tx), yesterday)

    def _compared(self) -> CataloguePlan:
        plan = CataloguePlan(things="entries")
        old, new, lines = flat(self._before), flat(self._after), self._found.lines
        given = flat(self._found.catalogue)
        plan.existing = len(old)
        for name, entry in new.items():
            fields = differences(old.get(name, {}), entry)
            if name not in old:
                plan.created += 1
            elif not fields:
                plan.untouched += 1
            elif name not in given and "until" in entry:
                plan.ended.append(str(words.noted("entry_closed", entry=name, until=entry["until"])))
            else:
                plan.changed.append(Change(lines.get(name, 1), name, fields))
        self._closed = len(plan.ended)
        gone = [name for name in old if name not in new]
        plan.ended += [str(_gone(name)) for name in gone]
        self._removed = len(gone)
        if plan.is_empty and text_of(self._before) != text_of(self._after):
            plan.changed.append(Change(1, str(words.noted("order_of_entries")), ()))
        return plan

    async def _unknown_systems(self, tx: AsyncSession) -> list[words.Note]:
        """A grant may name a system that is connected tomorrow; or one that is spelt otherwise."""
        there = set(await tx.scalars(select(System.name)))
        return [
            words.noted("no_such_system", grant=grant.code, system=system)
            for grant in self._after.grants.values()
            for system in grant.systems
            if system not in there
        ]


def _gone(name: str) -> words.Note:
    """A type or post goes when nobody ever had it; a right or a rule goes whoever has it, or is held to it."""
    if name.startswith(("subject_types ", "positions ")):
        return words.noted("entry_removed", entry=name)
    return words.noted("entry_gone", entry=name)


def _note(one: Concerned) -> words.Note:
    told = len(one.people)
    if losing := len(one.losing):
        return words.noted("system_told_less", system=one.system, count=told, losing=losing)
    return words.noted("system_told", system=one.system, count=told)


async def _used(tx: AsyncSession) -> Used:
    """What a role, a request or somebody of the directory ever was."""
    found: set[tuple[str, str]] = set()
    for table in (Role, RoleRequest, StaffRecord):
        query = select(table.subject_type, table.position).distinct()
        found |= {(row.subject_type, row.position) for row in await tx.execute(query)}
    return Used(frozenset(kind for kind, _ in found), frozenset(position for _, position in found))


async def _in_force(tx: AsyncSession) -> int:
    people = select(Role.account_id).where(Role.state == policy.ACTIVE).distinct().subquery()
    return await tx.scalar(select(func.count()).select_from(people)) or 0
