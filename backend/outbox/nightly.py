"""Compares every system by itself, each at its own moment of the night (rule 703)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta

import structlog
from sqlalchemy import or_, select, update

from backend.db import Database, changed_one
from backend.outbox import circuit
from backend.outbox.models import System
from backend.outbox.reconcile import Comparison
from backend.outside.clock import LOCAL, Clock
from backend.outside.connectors import CONNECTORS, ConnectorMissing, DeliveryError
from backend.rounds import rounds
from backend.trouble import StorageTrouble

log = structlog.get_logger("reconcile")

LOOK_SECONDS = 30
NIGHT_BEGINS, NIGHT_SECONDS = time(22), 7 * 3600
DAY = timedelta(days=1)


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

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop`."""
        await rounds(stop, LOOK_SECONDS, lambda: self.round(stop))

    async def round(self, stop: asyncio.Event) -> None:
        """Compare what is due, one system after the other."""
        now = self._clock.now()
        async with self._database.read() as tx:
            systems = list(await tx.scalars(select(System).where(System.disabled_at.is_(None))))
        for system in systems:
            due = due_at(system, self._every)
            mute = "no_read_back" in CONNECTORS[system.kind].cannot or circuit.is_open(system, now)
            if mute or (due is not None and due > now) or stop.is_set():
                continue
            if await self._claim(system, now):
                await self._compare(system, stop)

    async def _claim(self, system: System, now: datetime) -> bool:
        """Of several workers one compares."""
        before = System.reconciled_at
        same = before.is_(None) if system.reconciled_at is None else or_(before == system.reconciled_at)
        claim = update(System).where(System.id == system.id, same).values(reconciled_at=now)
        async with self._database.write() as tx:
            return await changed_one(tx, claim)

    async def _compare(self, system: System, stop: asyncio.Event) -> None:
        comparison, compared, drift = self._comparison(), 0, 0
        try:
            async for finding, _ in comparison.run(system):
                compared, drift = compared + 1, drift + finding.is_wrong
                if stop.is_set():
                    break
            else:
                log.info("reconciled", system=str(system.id), compared=compared, drift=drift)
                return
            await self._again(system)
        except (DeliveryError, ConnectorMissing, StorageTrouble) as error:
            log.warning(
                "not_reconciled", system=str(system.id), error=getattr(error, "code", type(error).__name__)
            )
            await self._again(system)

    async def _again(self, system: System) -> None:
        """It was not compared: the next round tries again."""
        back = update(System).where(System.id == system.id).values(reconciled_at=system.reconciled_at)
        async with self._database.write() as tx:
            await tx.execute(back)
