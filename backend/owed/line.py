"""The line of one channel: takes what is due, sends some at once, puts off what has not left; any number of processes.

A message is leased for a while, under a token (`queue.py`), and sent outside any transaction. What was owed when a
process died is sent by another when the lease is over; by a channel that sends `once` at most, unless it may have left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from backend.db import Database
from backend.outbox.bell import Bell
from backend.outside.clock import Clock
from backend.owed import queue
from backend.owed.models import Message
from backend.trouble import StorageTrouble
from backend.watch import Watch

LOOK = 5.0  # seconds between two looks for what nobody has rung for
SOON = 0.1  # at least, so that what another holds is not asked for all the time
PATIENCE = 3.0  # seconds that what is under way may end in when a process stops
log = structlog.get_logger("messages")


class NotSent(Exception):
    """It has certainly not left, and may be tried again."""


Sending = Callable[[], Awaitable[str]]  # what became of it; raises NotSent


class Channel(Protocol):
    """A way to a person."""

    name: str
    once: bool  # what may have left is not sent again
    most: int  # under way at once
    lease: timedelta  # longer than any sending takes
    news: timedelta  # what is older is told to nobody

    def pause(self, attempts: int) -> timedelta:
        """Before the next try."""
        ...

    async def prepared(self, row: Message, now: datetime) -> Sending | None:
        """What sends it; nothing when it is to be sent no more."""
        ...


class Line:
    """Sends what is owed over one channel."""

    def __init__(self, db: Database, clock: Clock, bell: Bell, channel: Channel) -> None:
        self._db, self._clock, self._bell, self._channel = db, clock, bell, channel
        self._watch = Watch(db)
        self._seen: int | None = None  # the database's version when nothing was owed
        self._turn = asyncio.Lock()  # two who begin at once must not both count the same room
        self._under_way: dict[asyncio.Task[None], UUID | None] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; where nobody has written since nothing was owed, nobody is asked."""
        topic = queue.topic(self._channel.name)
        with self._bell.listener(topic) as listener:
            ending = asyncio.create_task(stop.wait())
            ending.add_done_callback(lambda _: listener.hear(topic))
            while not stop.is_set():
                pause = LOOK
                try:
                    pause = await self._look()
                except StorageTrouble as error:
                    log.warning("database_trouble", error=type(error).__name__)
                except Exception as error:
                    log.exception("round_broke", exc_info=error)
                await listener.wait(pause)
        await self._over(list(self._under_way), PATIENCE)
        self._watch.close()

    async def round(self) -> None:
        """Send what is due, and wait until it has left."""
        await self.begin()
        await self._over(list(self._under_way), None)

    async def told(self, account_id: UUID) -> None:
        """Wait, not for long, until what is due for an account has left."""
        await self.begin()
        own = [task for task, receiver in self._under_way.items() if receiver == account_id]
        await self._over(own, PATIENCE)

    async def begin(self) -> None:
        """Take on whatever is due, as far as there is room."""
        async with self._turn:
            while (room := self._channel.most - len(self._under_way)) > 0:
                if await self._take(room) < room:
                    return

    async def _take(self, room: int) -> int:
        channel, now = self._channel, self._clock.now()
        async with self._db.read() as tx:
            due = await queue.next_moment(tx, channel.name)
        if due is None or due > now:
            return 0
        until = now + channel.lease
        async with self._db.write() as tx:
            taken = await queue.take(tx, channel.name, now=now, until=until, most=room)
        for row in taken:
            task = asyncio.create_task(self._send(row))
            self._under_way[task] = row.account_id
            task.add_done_callback(self._ended)
        return len(taken)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if len(self._under_way) >= self._channel.most:  # somebody may wait for this place
            self._bell.wake(queue.topic(self._channel.name))
        self._under_way.pop(task)

    async def _look(self) -> float:
        """Seconds until the next look."""
        version = self._watch.version()
        if version is not None and version == self._seen:
            return LOOK
        await self.begin()
        async with self._db.read() as tx:
            due = await queue.next_moment(tx, self._channel.name)
        self._seen = version if due is None else None
        if due is None or len(self._under_way) >= self._channel.most:
            return LOOK
        return min(LOOK, max(SOON, (due - self._clock.now()).total_seconds()))

    async def _send(self, row: Message) -> None:
        try:
            outcome = await self._outcome(row)
            async with self._db.write() as tx:
                if outcome is None:
                    await queue.put_off(tx, row, self._clock.now() + self._channel.pause(row.attempts))
                else:
                    await queue.settle(tx, row, outcome, now=self._clock.now())
            if outcome is None:
                self._bell.wake(queue.topic(self._channel.name))  # who looks learns when it is due again
        except StorageTrouble as error:  # its lease runs out
            log.warning("database_trouble", error=type(error).__name__)

    async def _outcome(self, row: Message) -> str | None:
        """What became of it; nothing when it has certainly not left."""
        now = self._clock.now()
        if now - row.at >= self._channel.news:
            return queue.DROPPED
        try:
            leaves = await self._channel.prepared(row, now)
            if leaves is None:
                return queue.DROPPED
            if self._channel.once and not await self._begins(row):
                return None  # somebody else has it
            return await leaves()
        except (NotSent, StorageTrouble) as error:
            log.warning("message_not_sent", about=row.kind, error=type(error).__name__)
        except Exception as error:
            log.exception("message_broke", about=row.kind, exc_info=error)
            return queue.UNCERTAIN if self._channel.once else None  # who knows how far it came
        return None

    async def _begins(self, row: Message) -> bool:
        async with self._db.write() as tx:
            return await queue.begins(tx, row, now=self._clock.now())

    async def _over(self, tasks: list[asyncio.Task[None]], patience: float | None) -> None:
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
