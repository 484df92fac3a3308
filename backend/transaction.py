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
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend.engines import SqliteConnection


class NotCommitted(Exception):
    """The database has taken everything back although we said COMMIT: somebody went on after a statement failed."""


class Wire(Protocol):
    """The driver's connection, as a transaction needs it."""

    dialect: Dialect

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

    def __init__(self, connection: SqliteConnection, dialect: Dialect) -> None:
        self._connection, self.dialect = connection, dialect

    async def begin(self) -> None:
        """The one writer's turn: waits for writers of other processes (busy_timeout)."""
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


@asynccontextmanager
async def writing(engine: AsyncEngine, info: dict[str, Any]) -> AsyncIterator[Tx]:
    """One transaction of an engine that itself says neither BEGIN nor COMMIT; leaving commits, raising takes back."""
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        wire = wire_of(raw.driver_connection, engine.dialect)
        try:
            await wire.begin()
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
            with contextlib.suppress(Exception):  # what cannot be taken back is not used again
                await asyncio.shield(wire.undo())
            raise
        finally:
            if not connection.invalidated and not wire.is_usable():
                await connection.invalidate()


def wire_of(connection: Any, dialect: Dialect) -> Wire:
    """The wire over a driver's connection."""
    return (SqliteWire if isinstance(connection, SqliteConnection) else PostgresWire)(connection, dialect)
