"""Tells whoever waits that something was committed: workers wake up, live pages refresh.

A bell carries no content, only a topic; missing one costs a second of polling. In one process it is an event. On
PostgreSQL it is NOTIFY in the very transaction that commits, whoever's it is (decision 0034), heard by LISTEN on a
connection of its own; while that is lost, everybody looks again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from uuid import uuid4
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database, after_commit, at_commit
from backend.rounds import at_most
from backend.transaction import Tx

if TYPE_CHECKING:
    import asyncpg

log = structlog.get_logger("bell")

CHANNEL = "ngomon"
NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"
COMMAND = "command"  # who rings and hears nothing itself
DELIVERIES = "deliveries"
REQUESTS = "requests"
MESSAGES = "messages"  # something is owed to a person; the channel follows
STATES = "states"  # deliveries moved on; nobody has to act
LOST = "lost"
HEARTBEAT = 20.0  # a lost connection is noticed after this many seconds at the latest
RECONNECT_MOST = 10.0

_bells: WeakKeyDictionary[Database, Bell] = WeakKeyDictionary()


def ring_after(tx: AsyncSession, topic: str) -> None:
    """Ring when this transaction has been committed: here, and on PostgreSQL in every process that listens."""
    database = tx.info.get("database")
    if database is None:
        return
    bell = _bells.get(database)
    if bell is not None:
        after_commit(tx, lambda: bell.wake(topic))
    if not database.is_sqlite:
        tx.info.setdefault("topics", set()).add(topic)
        at_commit(tx, "bell", lambda tx: _notify(tx, bell.name if bell is not None else COMMAND), first=True)


async def _notify(tx: AsyncSession, name: str) -> None:
    """Leaves with the commit, and not without it."""
    assert isinstance(tx, Tx)  # nobody else has at_commit
    await tx.wire.rows(NOTIFY, (CHANNEL, sorted(f"{name}:{topic}" for topic in tx.info["topics"])))


class Listener:
    """One who waits; topics that ring while it is busy are kept, each once."""

    def __init__(self, only: str | None = None) -> None:
        self._only = only
        self._topics: set[str] = set()
        self._rung = asyncio.Event()

    def hear(self, topic: str) -> None:
        """Keep the topic and wake up."""
        if self._only not in (None, topic):
            return
        self._topics.add(topic)
        self._rung.set()

    async def wait(self, timeout: float | None = None) -> set[str]:
        """The topics since the last time, or none when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with at_most(timeout):
                await self._rung.wait()
        heard, self._topics = self._topics, set()
        self._rung.clear()
        return heard


class Bell:
    """One per process and database; `async with bell:` joins the other processes."""

    def __init__(self, database: Database) -> None:
        self._hosts = (
            None if database.is_sqlite else database.hosts
        )  # not the database, which a bell must not keep
        self._has_neighbours = not database.is_sqlite
        self.crosses = False  # whether other processes are heard at the moment
        self.name = uuid4().hex
        self._listeners: set[Listener] = set()
        self._lost = Listener()
        self._relay: asyncio.Task[None] | None = None
        _bells[database] = self

    def wake(self, topic: str) -> None:
        """Wake whoever listens in this process."""
        for listener in self._listeners:
            listener.hear(topic)

    @contextmanager
    def listener(self, only: str | None = None) -> Iterator[Listener]:
        """Somebody who hears everything from now on, or `only` one topic."""
        listener = Listener(only)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def listen(self) -> AsyncIterator[str]:
        """Topics as they ring."""
        with self.listener() as listener:
            while True:
                for topic in await listener.wait():
                    yield topic

    async def __aenter__(self) -> Self:
        if self._has_neighbours:
            self._relay = asyncio.create_task(self._keep_hearing())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._relay is not None:
            self._relay.cancel()
            await asyncio.gather(self._relay, return_exceptions=True)
            self._relay = None

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        name, _, topic = str(payload).partition(":")
        if name != self.name:
            self.wake(topic)

    def _wake_everybody(self) -> None:
        for topic in (DELIVERIES, REQUESTS, STATES):
            self.wake(topic)

    async def _keep_hearing(self) -> None:
        import asyncpg

        assert self._hosts is not None, "SQLite has no neighbours"
        pause = 0.5
        while True:
            try:
                connection = await self._hosts.connect()
                pause = 0.5
                try:
                    await self._hear_over(connection)
                finally:
                    self.crosses = False
                    await connection.close(timeout=2)
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,  # of several hosts none that writes, while one is promoted
            ) as error:
                log.warning("bell_disconnected", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RECONNECT_MOST)
            self._wake_everybody()  # who hears nothing looks again and again

    async def _hear_over(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _: self._lost.hear(LOST))
        await connection.add_listener(CHANNEL, self._hear)
        self.crosses = True
        self._wake_everybody()  # whatever was missed until now
        while not connection.is_closed():
            if not await self._lost.wait(HEARTBEAT):
                await connection.execute("SELECT 1", timeout=5)
