"""The line in front of one system: takes turns, keeps a few deliveries under way, waits when it has to.

Turns are taken and acknowledged in batches. How many are taken ahead follows the system's pace: a quarter of a second's
worth, so that what is urgent waits no longer than that, and nothing for one that is slow or in trouble.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from backend.db import Database
from backend.kit import Kit
from backend.outbox import circuit, turns
from backend.outbox.bell import DELIVERIES, Bell, Listener
from backend.outbox.delivery import Deliverer, Parcel
from backend.outbox.models import System
from backend.outbox.outcome import Acknowledged
from backend.outbox.turns import Turn
from backend.outside.clock import Clock
from backend.trouble import StorageTrouble
from backend.watch import Watch

log = structlog.get_logger("worker")

IN_FLIGHT = 8  # deliveries to one system at the same time, of different people
AHEAD_SECONDS, AHEAD_MOST = 0.25, 32  # what is taken ahead: so much of the system's time, so many at most
LINGER = 0.1  # an acknowledgement waits so long for others, while others are under way
POLL = 1.0  # what came due, or was committed by another process whose bell we missed
AFTER_TROUBLE = 1.0
TROUBLE = (SQLAlchemyError, OSError, StorageTrouble)
FINISHED = "finished"


class Line:
    """Serves one system until it is told to stop."""

    def __init__(
        self,
        system_id: UUID,
        database: Database,
        kit: Kit,
        clock: Clock,
        bell: Bell,
        deliverer: Deliverer,
        watch: Watch,
    ) -> None:
        self._system_id = system_id
        self._database, self._kit, self._clock = database, kit, clock
        self._bell, self._deliverer, self._watch = bell, deliverer, watch
        self._ahead: deque[Parcel] = deque()
        self._running: dict[asyncio.Task[None], Turn] = {}
        self._sent: list[Acknowledged] = []
        self._sent_since = 0.0
        self._ahead_most = 0
        self._look = True  # whether something may be due that was not seen
        self._seen: int | None = None  # the database's version when nothing was due
        self._next: datetime | None = None  # when something of that may become due
        self._plenty = False  # whether the last look found as much as it asked for

    @property
    def turns(self) -> list[Turn]:
        """What this worker holds now: taken ahead, under way, not acknowledged yet."""
        ahead = [parcel.turn for parcel in self._ahead]
        return ahead + list(self._running.values()) + [one.turn for one in self._sent]

    async def serve(self, stop: asyncio.Event) -> None:
        """Take, deliver and acknowledge until `stop`; what is under way then goes on."""
        with self._bell.listener() as listener:
            while not stop.is_set():
                try:
                    if self._may_acknowledge():
                        await self._acknowledge()
                    if self._look and self._room():
                        await self._take(self._room())
                except TROUBLE as error:
                    log.warning("database_trouble", error=type(error).__name__)
                    await asyncio.sleep(AFTER_TROUBLE)
                    continue
                self._start(listener)
                await self._something(listener)

    async def finish(self, patience: float) -> list[Turn]:
        """Wait for what is under way, then cut it off; the turns that were cut, or never begun."""
        cut = [parcel.turn for parcel in self._ahead]
        self._ahead.clear()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=patience)
            cut += [self._running[task] for task in late]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._acknowledge()
        return cut

    def _start(self, listener: Listener) -> None:
        while self._ahead and len(self._running) < IN_FLIGHT:
            parcel = self._ahead.popleft()
            self._running[asyncio.create_task(self._deliver(parcel, listener))] = parcel.turn

    async def _deliver(self, parcel: Parcel, listener: Listener) -> None:
        began = time.monotonic()
        try:
            said = await self._deliverer.deliver(parcel)
            if isinstance(said, Acknowledged):
                self._sent_since = self._sent_since if self._sent else time.monotonic()
                self._sent.append(said)
                pace = IN_FLIGHT / (time.monotonic() - began)
                self._ahead_most = min(int(AHEAD_SECONDS * pace), AHEAD_MOST)
            else:
                self._look = True
                if said is None or not said.permanent:
                    await self._let_go()
        except TROUBLE as error:  # the lease runs out, and somebody tries again
            log.warning("database_trouble", delivery=str(parcel.turn.delivery_id), error=type(error).__name__)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._running.pop(task, None)
            self._start(listener)
            listener.hear(FINISHED)

    async def _let_go(self) -> None:
        """The system may be in trouble: nothing that was only taken ahead goes there now."""
        self._ahead_most = 0
        if self._ahead:
            turns_ahead = [parcel.turn for parcel in self._ahead]
            self._ahead.clear()
            await self._deliverer.give_back(turns_ahead)

    def _may_acknowledge(self) -> bool:
        """Whether nobody more can be waited for."""
        is_alone = not self._running and not self._ahead
        enough = len(self._sent) >= AHEAD_MOST or time.monotonic() >= self._sent_since + LINGER
        return bool(self._sent) and (is_alone or enough)

    async def _acknowledge(self) -> None:
        done, self._sent = self._sent, []
        if not done:
            return
        try:
            await self._deliverer.acknowledge(self._system_id, done)
        except TROUBLE:
            self._sent = done + self._sent  # still ours: it is said again when the database answers
            raise
        self._look = True

    def _room(self) -> int:
        """How many may be taken now; rather several later than one at once."""
        if len(self._ahead) > self._ahead_most // 2:
            return 0
        return IN_FLIGHT + self._ahead_most - len(self._running) - len(self._ahead)

    async def _take(self, most: int) -> None:
        self._look = False
        try:
            taken = await self._taken(most)
        except IntegrityError:  # another worker has leased one of them a moment ago
            self._look = True
            return
        self._plenty = self._look = len(taken) == most
        found = await self._deliverer.prepare(taken)
        self._ahead = deque(sorted([*self._ahead, *found], key=lambda parcel: parcel.turn.lane))

    async def _taken(self, most: int) -> list[Turn]:
        now, lease = self._clock.now(), self._kit.limits.lease
        if not self._plenty:
            seen = self._watch.version()
            async with self._database.read() as tx:
                system = await tx.get(System, self._system_id)
                if system is None or circuit.is_open(system, now):
                    self._seen, self._next = seen, circuit.next_moment(system) if system is not None else None
                    return []
                waiting, expired = await turns.anything_due(tx, self._system_id, now)
                if not waiting and not expired:
                    self._seen, self._next = seen, await turns.next_moment(tx, self._system_id, now)
                    return []
            if expired or circuit.is_suspect(system):
                return await self._probed(most)
        async with self._database.write() as tx:
            return await turns.take(tx, self._system_id, now=now, lease=lease, most=most)

    async def _probed(self, most: int) -> list[Turn]:
        """Of a system in trouble only one, as a question; and what a dead worker has left is free again."""
        now, lease = self._clock.now(), self._kit.limits.lease
        async with self._database.write() as tx:
            await turns.free_expired(tx, self._system_id, now)
            fresh = await tx.get(System, self._system_id, populate_existing=True)
            if fresh is None or circuit.is_open(fresh, now):
                return []
            if circuit.is_suspect(fresh):
                return await turns.take_probe(tx, fresh, now=now, lease=lease)
            return await turns.take(tx, self._system_id, now=now, lease=lease, most=most)

    async def _something(self, listener: Listener) -> None:
        """Until there may be something to do; news that are not about deliveries do not wake it."""
        if self._look and self._room():
            return
        while not (self._look and self._room()):
            heard = await listener.wait(LINGER if self._sent else POLL)
            if not heard and not self._sent:
                self._look = not self._is_quiet()
            if DELIVERIES in heard:
                self._look = True
            if heard & {DELIVERIES, FINISHED} or self._may_acknowledge():
                return

    def _is_quiet(self) -> bool:
        """Nobody has written since nothing was due, and no moment has come that was written down then."""
        written = self._seen is None or self._watch.version() != self._seen
        return not written and (self._next is None or self._clock.now() < self._next)
