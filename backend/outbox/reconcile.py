"""Reads back what a system holds, says where it differs, and has that healed (rule 703)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import Database, changed_one
from backend.facts import SystemReconciled
from backend.kit import Kit
from backend.outbox import queue
from backend.outbox.delivery import DesiredState, remember, target_of
from backend.outbox.models import Delivery, Link, System
from backend.outbox.strangers import TOO_LARGE, OurGroups, Strangers
from backend.outbox.systems import InScope, SystemTrouble, affected
from backend.outside.clock import Clock
from backend.outside.connectors import Connector, DeliveryError, Desired, connect
from backend.outside.connectors.kinds import kind_of
from backend.outside.connectors.learnt import read_learnt
from backend.outside.http import Guarded

AT_ONCE = 4  # people asked about at the same time: a comparison must not be a load test
WRONG = ("missing", "different", "extra", "stranger")
SILENT = ("waiting", "skipped", "unreadable")  # that say nothing about what the system holds
OF_A_LEAVER = ("active", "groups", "user_name")

Kind = Literal["same", "missing", "different", "extra", "stranger", "waiting", "skipped", "unreadable"]


class Finding(msgspec.Struct, frozen=True):
    """One person at one system; `fields` are the names of what differs, never the values.

    A stranger is nobody of ours and in a group of ours: a right that somebody has given by hand.
    """

    account_id: UUID | None
    kind: Kind
    fields: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether the system holds something else than it should."""
        return self.kind in WRONG


class Comparison:
    """A full comparison of one system; a dry one writes nothing anywhere. `foreign` counts groups that are not ours."""

    def __init__(
        self,
        database: Database,
        kit: Kit,
        desired: DesiredState,
        people: InScope,
        clock: Clock,
        http: Guarded,
        *,
        groups: OurGroups | None = None,
        dry: bool = False,
    ) -> None:
        self._database, self._kit, self._desired = database, kit, desired
        self._people, self._clock, self._http = people, clock, http
        self._groups, self._dry = groups, dry
        self.foreign = 0
        self._drift = self._unread = 0

    async def run(self, system: System) -> AsyncGenerator[tuple[Finding, int], None]:
        """One finding per person, with how many there will be; what is wrong is queued for healing.

        Raises DeliveryError when the system as a whole does not answer, SystemTrouble when it is of a kind that cannot
        be asked, or was disabled or taken away meanwhile. What cannot be read is a finding too, and stops nothing.
        """
        if "no_read_back" in kind_of(system.kind).cannot:
            raise SystemTrouble(f"{system.name} is told, and cannot be asked what it holds")
        async with self._database.read() as tx:
            people = await affected(tx, system, self._people)
        known = read_learnt(system.learnt)
        connector = await connect(system.kind, target_of(self._kit, system), self._http, known)
        try:
            for start in range(0, len(people), AT_ONCE):
                found = await self._found(
                    connector, system, [who for who, _ in people[start : start + AT_ONCE]]
                )
                await self._remember(system, found)
                for finding in found:
                    yield finding, len(people)
            async for finding in self._strangers(connector, system):
                yield finding, len(people)
            await self._note(system, len(people))
        finally:
            await remember(self._database, system, connector)
            await connector.close()

    async def _found(self, connector: Connector, system: System, some: list[UUID]) -> list[Finding]:
        """A few people: what we know of all of them is read at once, then the system is asked about each."""
        async with self._database.read() as tx:
            quiet = await _why_not_compared(tx, system.id, some)
            asked = [one for one in some if one not in quiet]
            if not asked:
                return [Finding(one, quiet[one]) for one in some]
            wanted = await self._desired(tx, self._kit, asked, system)
            known = select(Link.account_id, Link.remote_id).where(Link.system_id == system.id)
            rows = await tx.execute(known.where(Link.account_id.in_(asked)))
            names = {row.account_id: row.remote_id for row in rows}
        said = await asyncio.gather(
            *(self._compare(connector, one, wanted[one], names.get(one)) for one in asked)
        )
        compared = {finding.account_id: finding for finding in said}
        return [compared.get(one) or Finding(one, quiet[one]) for one in some]

    async def _compare(
        self, connector: Connector, account_id: UUID, wanted: Desired, remote_id: str | None
    ) -> Finding:
        try:
            held = await connector.read(wanted.external_id, remote_id)
        except DeliveryError as error:
            if error.of_system and error.code != TOO_LARGE:
                raise
            return Finding(account_id, "unreadable", (error.code,))
        if held is not None:
            wanted = connector.kept(wanted, held)
        return difference(account_id, wanted, held, connector.holds)

    async def _remember(self, system: System, found: list[Finding]) -> None:
        self._drift += sum(finding.is_wrong for finding in found)
        self._unread += sum(finding.kind == "unreadable" for finding in found)
        told = {one.account_id: one for one in found if one.account_id is not None and one.kind not in SILENT}
        if self._dry or not told:
            return
        now = self._clock.now()
        async with self._database.write() as tx:
            await _still_there(tx, system)
            for account_id, finding in told.items():
                if finding.is_wrong:
                    await self._heal(tx, system, account_id, finding.kind)
            for state, is_wrong in (("drift", True), ("synced", False)):
                some = [who for who, finding in told.items() if finding.is_wrong is is_wrong]
                if some:
                    links = update(Link).where(Link.system_id == system.id, Link.account_id.in_(some))
                    await tx.execute(links.values(state=state, checked_at=now))

    async def _heal(self, tx: AsyncSession, system: System, account_id: UUID, kind: Kind) -> None:
        lane = queue.REVOCATION if kind == "extra" else queue.BACKFILL
        await queue.enqueue(
            tx,
            account_id=account_id,
            version=await queue.version_of(tx, account_id),
            systems=[system.id],
            lane=lane,
            now=self._clock.now(),
        )

    async def _strangers(self, connector: Connector, system: System) -> AsyncIterator[Finding]:
        if self._groups is None:
            return
        looking = Strangers(self._database, self._groups, self._clock, dry=self._dry)
        async for found in looking.run(connector, system):
            self._drift += found.kind == "stranger"
            self._unread += found.kind == "unreadable"
            yield Finding(None, found.kind, found.fields)
        self.foreign = looking.foreign
        if not self._dry:
            await self._tell_of(system, [who for name in sorted(looking.named) if (who := _id_in(name))])

    async def _tell_of(self, system: System, named: Sequence[UUID]) -> None:
        """Of ours, and we know nothing of their being there, as after a restore: what is decided is brought there.

        Not where an operator has passed that over, or it is on its way.
        """
        for start in range(0, len(named), AT_ONCE):
            async with self._database.write() as tx:
                await _still_there(tx, system)
                ours = select(Account.id).where(Account.id.in_(named[start : start + AT_ONCE]))
                there = list(await tx.scalars(ours))
                quiet = await _why_not_compared(tx, system.id, there)
                for account_id in there:
                    if account_id not in quiet:
                        await self._heal(tx, system, account_id, "extra")

    async def _note(self, system: System, compared: int) -> None:
        """When it was compared, for the page and the next night."""
        if self._dry:
            return
        now = self._clock.now()
        async with self._database.write() as tx:
            over = update(System).where(System.id == system.id)
            if not await changed_one(tx, over.values(reconciled_at=now, comparing_until=None)):
                return  # it was taken away meanwhile
            fact = SystemReconciled(
                system=system.id, compared=compared, drift=self._drift, unread=self._unread
            )
            self._kit.journal.record(tx, fact, by=None, now=now)


def _id_in(name: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(name)
    return None


def difference(account_id: UUID, wanted: Desired, held: Desired | None, holds: tuple[str, ...]) -> Finding:
    """Compare what this kind of system keeps; of a leaver whether it still lets them in, or keeps the name."""
    if held is None or (
        wanted.active and not held.user_name
    ):  # nobody, or no more than a right without a user
        return Finding(account_id, "missing" if wanted.active else "same")
    fields = holds if wanted.active else [field for field in OF_A_LEAVER if field in holds]
    wrong = tuple(field for field in fields if wanted.compared(field) != held.compared(field))
    if not wrong:
        return Finding(account_id, "same")
    return Finding(account_id, "different" if wanted.active else "extra", wrong)


async def _still_there(tx: AsyncSession, system: System) -> None:
    """Connected as it was when it was asked: another address under its name is another system."""
    there = select(System.learnt).where(System.id == system.id, System.disabled_at.is_(None))
    learnt = await tx.scalar(there.with_for_update(read=True, key_share=True))
    if learnt is None or read_learnt(learnt).since != read_learnt(system.learnt).since:
        raise SystemTrouble(f"{system.name} was disabled, taken away or connected anew meanwhile")


async def _why_not_compared(tx: AsyncSession, system_id: UUID, people: list[UUID]) -> dict[UUID, Kind]:
    """Something is on its way, or an operator has passed the newest over: then nobody is to be healed."""
    theirs = (Delivery.system_id == system_id, Delivery.account_id.in_(people))
    newest = select(Delivery.account_id, func.max(Delivery.version).label("version"))
    newest = newest.where(*theirs, Delivery.state != "cancelled").group_by(Delivery.account_id)
    last = newest.subquery()
    is_last = and_(Delivery.account_id == last.c.account_id, Delivery.version == last.c.version)
    over = select(Delivery.account_id).join(last, is_last).where(*theirs, Delivery.state == "skipped")
    waiting = select(Delivery.account_id).where(*theirs, Delivery.state.in_(("pending", "leased")))
    found: dict[UUID, Kind] = dict.fromkeys(await tx.scalars(over), "skipped")
    return found | dict.fromkeys(await tx.scalars(waiting), "waiting")
