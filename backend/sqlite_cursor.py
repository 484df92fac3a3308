"""SQLite's connection with its thread, and a cursor that takes the thread one turn for a statement and its answer.

aiosqlite's own cursor takes four: one to be made, one for the statement, one for the rows, one to be closed. Each turn
wakes two threads, which costs more than most statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

FIRST = 256  # rows that come with the statement; what answers more is asked for the rest
Rows = list[Any]


class SqliteConnection(aiosqlite.Connection):
    """A connection with its thread; `plain` is the same one for what takes microseconds."""

    plain: Any

    def __init__(self, connector: Callable[[], Any]) -> None:
        super().__init__(lambda: self._opened(connector), iter_chunk_size=64)
        self._end: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """Once: the thread is gone after the first time, and whoever asks again waits for that same end (case W21)."""
        if self._end is None:
            self._end = super().stop()
        return self._end

    async def close(self) -> None:
        """What was begun is done first. A call that is cancelled twice may stop it while another closes it."""
        if self._connection is not None and (end := self.stop()) is not None:
            await asyncio.shield(end)

    def cursor(self) -> Cursor:  # type: ignore[override]  # entered by SQLAlchemy, and awaited by nobody
        """One that is made when it is first asked for something."""
        return Cursor(self)

    async def turn(self, act: Any, *given: Any) -> Any:
        """Have the thread do this."""
        return await self._execute(act, *given)  # type: ignore[no-untyped-call]

    def _opened(self, connector: Callable[[], Any]) -> Any:
        self.plain = connector()
        return self.plain


class Cursor:
    """What SQLAlchemy asks of a driver's cursor (its AsyncIODBAPICursor)."""

    arraysize = 1

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._plain: Any = None
        self._rows: Rows = []
        self._has_more = False

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> Self:
        """The statement, and the first of its rows."""
        self._plain, self._rows = await self._connection.turn(self._ask, sql, values)
        self._has_more = len(self._rows) == FIRST
        return self

    async def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> Self:
        """The same statement with many values; it answers no rows."""
        self._plain = await self._connection.turn(self._connection.plain.executemany, sql, values)
        return self

    async def fetchone(self) -> Any:
        """The next row, or nothing."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> Rows:
        """The next rows, fewer only at the end."""
        wanted = self.arraysize if size is None else size
        missing = wanted - len(self._rows)
        if self._has_more and missing > 0:
            more = await self._connection.turn(self._plain.fetchmany, missing)
            self._rows += more
            self._has_more = len(more) == missing
        given, self._rows = self._rows[:wanted], self._rows[wanted:]
        return given

    async def fetchall(self) -> Rows:
        """All that are left."""
        if self._has_more:
            self._rows += await self._connection.turn(self._plain.fetchall)
            self._has_more = False
        given, self._rows = self._rows, []
        return given

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Row by row."""
        while (row := await self.fetchone()) is not None:
            yield row

    async def close(self) -> None:
        """A statement that has said everything is at its end already."""
        if self._has_more:
            self._has_more = False
            await self._connection.turn(self._plain.close)

    @property
    def description(self) -> Any:
        """Of which columns the rows are; nothing where there are none."""
        return self._plain and self._plain.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed, as far as SQLite says."""
        return -1 if self._plain is None else int(self._plain.rowcount)

    @property
    def lastrowid(self) -> int | None:
        """Of the newest row that was written."""
        last: int | None = self._plain and self._plain.lastrowid
        return last

    def _ask(self, sql: str, values: Sequence[Any]) -> tuple[Any, Rows]:
        plain = self._connection.plain.execute(sql, values)
        return plain, plain.fetchmany(FIRST) if plain.description else []
