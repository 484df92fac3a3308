"""Delivers what the outbox holds: inside the server, or beside other workers on PostgreSQL.

Each system has its own line and its own few places, so a dead or slow one delays nobody
else (rule 707). The network is never called inside a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Collection
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.kit import Kit
from backend.outbox import turns
from backend.outbox.bell import DELIVERIES, Bell
from backend.outbox.delivery import Connections, Deliverer, DesiredState
from backend.outbox.line import TROUBLE, Line
from backend.outbox.models import System
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.rounds import at_most
from backend.trouble import OfOne
from backend.watch import Watch

log = structlog.get_logger("worker")

LOOK_FOR_SYSTEMS = 2.0  # seconds until a system that another process added is noticed at the latest
ROLL = 5.0
HELD_UP = timedelta(minutes=10)  # until the day of somebody with whom it failed is tried again
HELD_UP_MOST = 100  # of more than so many at once it is no longer one person's mistake
PATIENCE = 5.0  # what is under way may end within these seconds when the worker stops


class Calendar(Protocol):
    """Puts into force what has come due; the roles know how."""

    def is_due(self, tx: AsyncSession, *, now: datetime) -> Awaitable[bool]:
        """A cheap look, before anybody has to wait for a write."""
        ...

    def next_moment(self, now: datetime) -> datetime:
        """When something becomes due at the latest, though nobody writes anything meanwhile."""
        ...

    def roll(self, tx: AsyncSession, kit: Kit, *, now: datetime, but: Collection[UUID]) -> Awaitable[object]:
        """Act in the caller's transaction, for everybody `but` some; raises OfOne where it fails with one person."""
        ...


class Worker:
    """One per process; `run` until told to stop. Any number may run beside each other on PostgreSQL."""

    def __init__(
        self,
        database: Database,
        kit: Kit,
        desired: DesiredState,
        calendar: Calendar,
        clock: Clock,
        bell: Bell,
        http: Guarded,
    ) -> None:
        self._database, self._kit, self._calendar = database, kit, calendar
        self._clock, self._bell = clock, bell
        self._connections = Connections(kit, http)
        self._deliverer = Deliverer(database, kit, desired, clock, self._connections)
        self._watch = Watch(database)
        self._systems_seen: int | None = None
        self._held_up: dict[UUID, datetime] = {}  # whose day met a mistake, and until when they are left
        self._lines: dict[UUID, tuple[Line, asyncio.Task[None]]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve every system, keep the leases alive and follow the calendar."""
        helpers = [asyncio.create_task(self._keep_leases()), asyncio.create_task(self._keep_rolling(stop))]
        try:
            while not stop.is_set():
                await self._open_lines(stop)
                with contextlib.suppress(TimeoutError):
                    async with at_most(LOOK_FOR_SYSTEMS):
                        await stop.wait()
        finally:
            stop.set()
            await self._close_lines()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await self._connections.close()
            self._watch.close()

    async def _open_lines(self, stop: asyncio.Event) -> None:
        seen = self._watch.version()
        whole = not any(task.done() for _, task in self._lines.values())
        if whole and seen is not None and seen == self._systems_seen:
            return
        try:
            async with self._database.read() as tx:
                systems = (await tx.scalars(select(System.id).where(System.disabled_at.is_(None)))).all()
        except TROUBLE as error:
            log.warning("database_trouble", error=type(error).__name__)
            return
        if stop.is_set():  # while we read: lines that are over now have ended, and are not broken
            return
        self._systems_seen = seen
        for system_id in systems:
            if system_id in self._lines and self._lines[system_id][1].done():
                log.error("line_broke", exc_info=self._lines.pop(system_id)[1].exception())
            if system_id not in self._lines:
                line = Line(
                    system_id,
                    self._database,
                    self._kit,
                    self._clock,
                    self._bell,
                    self._deliverer,
                    self._watch,
                )
                self._lines[system_id] = (line, asyncio.create_task(line.serve(stop)))

    async def _close_lines(self) -> None:
        self._bell.wake(DELIVERIES)
        serving = [task for _, task in self._lines.values()]
        await asyncio.gather(*serving, return_exceptions=True)
        cut = await asyncio.gather(*(line.finish(PATIENCE) for line, _ in self._lines.values()))
        unfinished = [turn for turns_of_line in cut for turn in turns_of_line]
        self._lines.clear()
        if unfinished:
            async with self._database.write() as tx:
                await turns.give_back(tx, unfinished, self._clock.now())

    async def _keep_leases(self) -> None:
        """One statement for all; a frozen process renews nothing, and loses its turns."""
        lease = self._kit.limits.lease
        while True:
            await asyncio.sleep(lease / 3)
            held = [turn for line, _ in self._lines.values() for turn in line.turns]
            if not held:
                continue
            try:
                async with self._database.write() as tx:
                    await turns.renew(tx, held, now=self._clock.now(), lease=lease)
            except TROUBLE as error:
                log.warning("database_trouble", error=type(error).__name__)

    async def _keep_rolling(self, stop: asyncio.Event) -> None:
        seen: int | None = None  # the database's version when nothing was due
        due = self._clock.now()
        while not stop.is_set():
            try:
                version, now = self._watch.version(), self._clock.now()
                if version is None or version != seen or now >= due:
                    await self._roll(now)
                    seen, due = version, min([self._calendar.next_moment(now), *self._held_up.values()])
            except TROUBLE as error:
                log.warning("database_trouble", error=type(error).__name__)
            except Exception:
                log.exception("roll_broke")  # deliveries go on; the next round tries again
            with contextlib.suppress(TimeoutError):
                async with at_most(ROLL):
                    await stop.wait()

    async def _roll(self, now: datetime) -> None:
        """All that is due, but what fails with one person: nobody else waits for the mistake of that."""
        self._held_up = {one: until for one, until in self._held_up.items() if until > now}
        async with self._database.read() as tx:
            is_over = not await self._calendar.is_due(tx, now=now)
        while not is_over:
            try:
                async with self._database.write() as tx:
                    await self._calendar.roll(tx, self._kit, now=now, but=self._held_up)
                is_over = True
            except OfOne as held:
                if len(self._held_up) >= HELD_UP_MOST:
                    raise
                self._held_up[held.account_id] = now + HELD_UP
                log.exception("roll_held_up", account=str(held.account_id))
