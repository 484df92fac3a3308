"""Compares every system by itself, each at its own moment of the night (rule 703)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing, closing, suppress
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, or_, select, update

from backend.db import Database, changed_one
from backend.outbox import circuit
from backend.outbox.models import System
from backend.outbox.reconcile import Comparison
from backend.outbox.strangers import UNPROVED
from backend.outbox.systems import SystemTrouble
from backend.outside.clock import LOCAL, Clock
from backend.outside.connectors import DeliveryError
from backend.outside.connectors.kinds import ConnectorMissing, cannot
from backend.rounds import rounds
from backend.trouble import StorageTrouble
from backend.watch import OnceWritten, Watch

log = structlog.get_logger("reconcile")

LOOK_SECONDS = 30
NIGHT_BEGINS, NIGHT_SECONDS = time(22), 7 * 3600
DAY = timedelta(days=1)
LEASE = timedelta(minutes=2)  # a comparison whose worker says nothing for so long is another worker's
RETRY = timedelta(minutes=15)  # after one that failed: the same night, and not at every look


def due_at(system: System, every: int) -> datetime | None:
    """When a system is to be compared again; nothing: at once, for somebody has asked for it.

    By days it is at a moment of the night that is the system's own, so that not all are asked at once.
    """
    if system.reconciled_at is None:
        return None
    if timedelta(seconds=every) < DAY:
        return system.reconciled_at + timedelta(seconds=every)
    earliest = (system.reconciled_at + timedelta(seconds=every) - DAY / 2).astimezone(LOCAL)
    own = timedelta(seconds=system.id.int % NIGHT_SECONDS)
    slot = datetime.combine(earliest.date() - DAY, NIGHT_BEGINS, LOCAL) + own
    while slot < earliest:
        slot += DAY
    return slot


class Nightly:
    """Runs beside the deliveries of one worker; another worker's comparison is left to it."""

    def __init__(
        self, database: Database, clock: Clock, every: int, comparison: Callable[[], Comparison]
    ) -> None:
        self._database, self._clock, self._every, self._comparison = database, clock, every, comparison
        self._next: datetime | None = None  # of what stood there at the last look; nothing: nothing ever

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop`; where nobody has written and nothing has come due, nobody is asked."""
        with closing(Watch(self._database)) as watch:
            looking = OnceWritten(watch, lambda: self.round(stop), due=self._is_due)
            await rounds(stop, LOOK_SECONDS, looking)

    def _is_due(self) -> bool:
        return self._next is not None and self._next <= self._clock.now()

    async def round(self, stop: asyncio.Event) -> None:
        """Compare what is due, one system after the other."""
        now = self._clock.now()
        async with self._database.read() as tx:
            systems = list(await tx.scalars(select(System).where(System.disabled_at.is_(None))))
        due = {one: self._due(one, now) for one in systems if "no_read_back" not in cannot(one.kind)}
        self._next = min(due.values(), default=None)
        for system, moment in due.items():
            if moment > now or stop.is_set():
                continue
            if until := await self._claim(system, now):
                await self._compare(system, until, stop)

    def _due(self, system: System, now: datetime) -> datetime:
        """Not before it may be spoken to."""
        due = due_at(system, self._every) or now
        return max(due, circuit.next_moment(system) or due)

    async def _claim(self, system: System, now: datetime) -> datetime | None:
        """Of several workers one compares, and only for as long as it says that it still does; until when."""
        before, until = System.reconciled_at, now + LEASE
        same = before.is_(None) if system.reconciled_at is None else before == system.reconciled_at
        claim = update(System).where(System.id == system.id, same, _is_free(now))
        async with self._database.write() as tx:
            mine = await changed_one(tx, claim.values(comparing_until=until))
        return until if mine else None

    async def _compare(self, system: System, until: datetime, stop: asyncio.Event) -> None:
        """Compare it, and hold the lease meanwhile; who loses the lease stops."""
        lease = Lease(self._database, self._clock, system, until)
        comparing = asyncio.ensure_future(self._findings(system, stop))
        holding = asyncio.ensure_future(lease.hold())
        try:
            await asyncio.wait({holding, comparing}, return_when=asyncio.FIRST_COMPLETED)
            await _ended(holding)
            if not comparing.done():
                log.warning("comparison_lost", system=str(system.id))
            elif not comparing.result():
                await lease.end()
        except (DeliveryError, ConnectorMissing, StorageTrouble, SystemTrouble) as error:
            code = getattr(error, "code", type(error).__name__)
            log.warning("not_reconciled", system=str(system.id), error=code)
            await lease.end(RETRY)
        finally:
            await _ended(holding, comparing)

    async def _findings(self, system: System, stop: asyncio.Event) -> bool:
        """Whether it was gone through to the end."""
        count: Counter[str] = Counter()
        async with aclosing(self._comparison().run(system)) as findings:
            async for finding, _ in findings:
                count["compared"] += finding.account_id is not None
                count["drift"] += finding.is_wrong
                count["unread"] += finding.kind == "unreadable"
                count["unproved"] += UNPROVED in finding.fields
                if stop.is_set():
                    return False
        log.info("reconciled", system=str(system.id), compared=count["compared"], drift=count["drift"])
        if count["unread"] or count["unproved"]:
            unread, unproved = count["unread"], count["unproved"]
            log.warning("reconciled_in_part", system=str(system.id), unread=unread, unproved=unproved)
        return True


class Lease:
    """One worker's word that it compares a system now; it ends by itself when the worker dies."""

    def __init__(self, database: Database, clock: Clock, system: System, until: datetime) -> None:
        self._database, self._clock, self._system, self._until = database, clock, system, until

    async def hold(self) -> None:
        """Say so again and again; returns when another worker has it."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 4)
            with suppress(StorageTrouble):  # the next word may still come in time
                if not await self._say(self._clock.now() + LEASE):
                    return

    async def end(self, rest: timedelta | None = None) -> None:
        """Give it back; nobody tries within `rest`."""
        with suppress(StorageTrouble):
            await self._say(self._clock.now() + rest if rest else None)

    async def _say(self, until: datetime | None) -> bool:
        own = (System.id == self._system.id, System.comparing_until == self._until)
        async with self._database.write() as tx:
            mine = await changed_one(tx, update(System).where(*own).values(comparing_until=until))
        if mine and until is not None:
            self._until = until
        return mine


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(System.comparing_until.is_(None), System.comparing_until <= now)


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
