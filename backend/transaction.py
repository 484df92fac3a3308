"""One transaction on the driver's own connection; the ORM's session on it costs nothing until it is asked.

`Database.write` hands it out. BEGIN and COMMIT are said to the driver, so that a statement of `backend/statements.py`
and the ORM stand in the same transaction whoever comes first. Where a cancelled call leaves it unknown how far the
database came, the transaction is taken back, or the connection given up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from backend.engines import BUSY_MILLISECONDS, is_busy
from backend.sqlite_cursor import SqliteConnection

READY = 4  # connections that wait for the next transaction; SQLite has one in all


class NotCommitted(Exception):
    """The database has taken everything back although we said COMMIT: somebody went on after a statement failed."""


class Wire(Protocol):
    """The driver's connection, as a transaction needs it."""

    dialect: Dialect
    may_be_gone: bool  # while nobody used it: BEGIN is what finds out

    async def begin(self) -> None:
        """Begin to write."""

    async def commit(self) -> None:
        """Keep everything; nothing to do where the ORM's session has committed already."""

    async def undo(self) -> None:
        """Take everything back, also what a cancelled call may have begun."""

    def is_usable(self) -> bool:
        """Whether nothing is left open, so that the next transaction may have it."""

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """What a statement answers."""

    async def touched(self, sql: str, values: Sequence[Any]) -> int:
        """How many rows a statement without an answer has changed."""


class SqliteWire:
    """Statements answer by key in microseconds, so they are asked here; what waits for the disk has the thread.

    The thread takes one thing after the other: whatever a cancelled call has begun is over before `undo`.
    """

    may_be_gone = False

    def __init__(self, connection: SqliteConnection, dialect: Dialect) -> None:
        self._connection, self.dialect = connection, dialect

    async def begin(self) -> None:
        """The one writer's turn; where another process has it, the thread waits (busy_timeout)."""
        plain = self._connection.plain
        plain.execute("PRAGMA busy_timeout=0")
        try:
            plain.execute("BEGIN IMMEDIATE")
        except Exception as error:
            if not is_busy(error):
                raise
        finally:
            plain.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        if not plain.in_transaction:
            await self._connection.execute_fetchall("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        """The disk's part."""
        if self._connection.in_transaction:
            await self._connection.commit()

    async def undo(self) -> None:
        """Nothing is left of it."""
        await self._connection.rollback()

    def is_usable(self) -> bool:
        """In no transaction."""
        return not self._connection.in_transaction

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """In the loop."""
        found: Sequence[Sequence[Any]] = self._connection.plain.execute(sql, values).fetchall()
        return found

    async def touched(self, sql: str, values: Sequence[Any]) -> int:
        """In the loop too."""
        return int(self._connection.plain.execute(sql, values).rowcount)


class PostgresWire:
    """asyncpg's connection, which keeps its statements prepared."""

    may_be_gone = True

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self._connection, self.dialect = connection, dialect

    async def begin(self) -> None:
        """READ COMMITTED, whatever the server's own habit is."""
        await self._connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")

    async def commit(self) -> None:
        """PostgreSQL answers ROLLBACK where a statement had failed, and raises nothing."""
        if await self._connection.execute("COMMIT") != "COMMIT":
            raise NotCommitted

    async def undo(self) -> None:
        """As far as the connection still lives."""
        if not self._connection.is_closed() and self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")

    def is_usable(self) -> bool:
        """Open, and in no transaction."""
        return not (self._connection.is_closed() or self._connection.is_in_transaction())

    async def rows(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """A round trip."""
        found: Sequence[Sequence[Any]] = await self._connection.fetch(sql, *values)
        return found

    async def touched(self, sql: str, values: Sequence[Any]) -> int:
        """The last word of the answer: `UPDATE 1`, `INSERT 0 1`."""
        return int((await self._connection.execute(sql, *values)).rpartition(" ")[2])


class Tx(AsyncSession):
    """A transaction that writes. As a session it is the ORM's; `wire` is for statements."""

    def __init__(self, wire: Wire, **options: Any) -> None:
        super().__init__(expire_on_commit=False, **options)
        self.wire = wire

    def is_untouched(self) -> bool:
        """Whether the ORM was asked for nothing."""
        return not (self.in_transaction() or self.identity_map or self.new)

    async def settle(self) -> None:
        """What the ORM still holds back goes first, as before each of its own questions; also a savepoint."""
        if not self.in_transaction():
            return
        if self.new or self.dirty or self.deleted:
            await self.flush()
        if self.in_nested_transaction():
            _ = await self.connection()


class Writers:
    """Connections of an engine that itself says neither BEGIN nor COMMIT; some stand ready between transactions."""

    def __init__(self, engine: AsyncEngine, ready: int) -> None:
        self._engine, self._most = engine, ready
        self._ready: list[tuple[AsyncConnection, Wire]] = []

    @asynccontextmanager
    async def transaction(self, info: dict[str, Any]) -> AsyncIterator[Tx]:
        """Leaving commits, raising takes everything back."""
        connection, wire = await self._begun()
        try:
            tx = Tx(wire, bind=connection, info=info)
            try:
                yield tx
                if tx.in_transaction():
                    await tx.commit()
            finally:
                if not tx.is_untouched():
                    await asyncio.shield(tx.close())
            await wire.commit()
        except BaseException:
            await _give_up(connection, wire)
            raise
        if len(self._ready) < self._most and wire.is_usable():
            self._ready.append((connection, wire))
        else:
            await _give_up(connection, wire)

    async def close(self) -> None:
        """Give the connections back."""
        while self._ready:
            await _give_up(*self._ready.pop())

    async def _begun(self) -> tuple[AsyncConnection, Wire]:
        """A connection in a transaction; one that has gone away while it stood ready is not the last one."""
        while self._ready:
            connection, wire = self._ready.pop()
            try:
                await wire.begin()
            except BaseException as error:
                await _give_up(connection, wire)
                if not wire.may_be_gone or not isinstance(error, Exception):
                    raise
            else:
                return connection, wire
        connection = await self._engine.connect()
        try:
            raw = await connection.get_raw_connection()
            wire = wire_of(raw.driver_connection, self._engine.dialect)
        except BaseException:
            await asyncio.shield(connection.close())
            raise
        try:
            await wire.begin()
        except BaseException:
            await _give_up(connection, wire)
            raise
        return connection, wire


async def _give_up(connection: AsyncConnection, wire: Wire) -> None:
    """Take back what is open; what cannot be taken back is not used again."""
    try:
        with contextlib.suppress(Exception):
            await asyncio.shield(wire.undo())
    finally:
        try:
            if not connection.invalidated and not wire.is_usable():
                await connection.invalidate()
        finally:
            await asyncio.shield(connection.close())


def wire_of(connection: Any, dialect: Dialect) -> Wire:
    """The wire over a driver's connection."""
    return (SqliteWire if isinstance(connection, SqliteConnection) else PostgresWire)(connection, dialect)
