"""The line in front of one system: takes turns, keeps a few deliveries under way, waits when it has to."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from backend.db import Database
from backend.kit import Kit
from backend.outbox import circuit, turns
from backend.outbox.bell import DELIVERIES, Bell, Listener
from backend.outbox.delivery import Deliverer
from backend.outbox.models import System
from backend.outbox.turns import Turn
from backend.outside.clock import Clock
from backend.trouble import StorageTrouble

log = structlog.get_logger("worker")

IN_FLIGHT = 8  # deliveries to one system at the same time, of different people
POLL = 1.0  # what came due, or was committed by another process whose bell we missed
AFTER_TROUBLE = 1.0
TROUBLE = (SQLAlchemyError, OSError, StorageTrouble)
FINISHED = "finished"


class Line:
    """Serves one system until it is told to stop."""

    def __init__(
        self, system_id: UUID, database: Database, kit: Kit, clock: Clock, bell: Bell, deliverer: Deliverer
    ) -> None:
        self._system_id = system_id
        self._database, self._kit, self._clock = database, kit, clock
        self._bell, self._deliverer = bell, deliverer
        self._running: dict[asyncio.Task[None], Turn] = {}

    @property
    def turns(self) -> list[Turn]:
        """What is under way now."""
        return list(self._running.values())

    async def serve(self, stop: asyncio.Event) -> None:
        """Take and deliver until `stop`; what is under way then goes on."""
        with self._bell.listener() as listener:
            while not stop.is_set():
                try:
                    taken = await self._take()
                except TROUBLE as error:
                    log.warning("database_trouble", error=type(error).__name__)
                    await asyncio.sleep(AFTER_TROUBLE)
                    continue
                for turn in taken:
                    task = asyncio.create_task(self._deliver(turn, listener))
                    self._running[task] = turn
                if not taken:
                    await _something(listener)

    async def finish(self, patience: float) -> list[Turn]:
        """Wait for what is under way, then cut it off; the turns that were cut."""
        if not self._running:
            return []
        _, late = await asyncio.wait(self._running, timeout=patience)
        cut = [self._running[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return cut

    async def _deliver(self, turn: Turn, listener: Listener) -> None:
        try:
            await self._deliverer.deliver(turn)
        except TROUBLE as error:  # the lease runs out, and somebody tries again
            log.warning("database_trouble", delivery=str(turn.delivery_id), error=type(error).__name__)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._running.pop(task, None)
            listener.hear(FINISHED)

    async def _take(self) -> list[Turn]:
        free = IN_FLIGHT - len(self._running)
        if free <= 0:
            return []
        now = self._clock.now()
        async with self._database.read() as tx:
            system = await tx.get(System, self._system_id)
            if system is None or circuit.is_open(system, now):
                return []
            if not await turns.anything_due(tx, self._system_id, now):
                return []
        async with self._database.write() as tx:
            await turns.free_expired(tx, self._system_id, now)
            fresh = await tx.get(System, self._system_id, populate_existing=True)
            if fresh is None or circuit.is_open(fresh, now):
                return []
            if circuit.is_suspect(fresh):
                return await turns.take_probe(tx, fresh, now=now, lease=self._kit.limits.lease)
            return await turns.take(tx, self._system_id, now=now, lease=self._kit.limits.lease, most=free)


async def _something(listener: Listener) -> None:
    """Until something may have become due; news that are not about deliveries do not wake it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + POLL
    while (left := end - loop.time()) > 0:
        if await listener.wait(left) & {DELIVERIES, FINISHED}:
            return
