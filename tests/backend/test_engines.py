"""A connection of SQLite ends once, however many give it up (case W21), and a statement is one turn of its thread."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from backend.db import Database
from backend.engines import sqlite_connection
from backend.sqlite_cursor import FIRST, SqliteConnection


@pytest.mark.parametrize("first", ["close", "stop"])
async def test_w21_a_connection_that_is_closed_and_stopped_is_gone_for_both(
    tmp_path: Path, first: str
) -> None:
    connection = await SqliteConnection(lambda: sqlite_connection(tmp_path / "one.db"))
    if first == "stop":
        connection.stop()
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    connection.stop()
    await asyncio.wait_for(closing, 10)
    await asyncio.wait_for(connection.close(), 10)
    with pytest.raises(ValueError, match=r"(?i)connection"):
        await connection.execute("SELECT 1")


async def test_w21_a_reader_that_is_cancelled_again_while_it_gives_up_leaves_no_task(tmp_path: Path) -> None:
    database, complaints = Database(f"sqlite+aiosqlite:///{tmp_path}/two.db"), list[str]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, said: complaints.append(str(said["message"])))

    async def reads() -> Any:
        async with database.read() as tx:
            for _ in range(1000):
                await tx.execute(text("SELECT 1"))

    try:
        for delay in range(20):
            reading = asyncio.create_task(reads())
            await asyncio.sleep(0.005 + delay / 2000)
            for _ in range(4):  # as a scope does whose time is over: at every await
                reading.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([reading])
        await database.close()
        await asyncio.sleep(0.2)
        gc.collect()
        await asyncio.sleep(0)
        assert complaints == []
    finally:
        loop.set_exception_handler(None)


class Turning(SqliteConnection):
    """A connection that counts the turns of its thread."""

    turns = 0

    async def turn(self, act: Any, *given: Any) -> Any:
        self.turns += 1
        return await super().turn(act, *given)


MANY = FIRST * 2 + 44
COUNTED = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT x FROM n"


@pytest_asyncio.fixture
async def turning(tmp_path: Path) -> AsyncIterator[Turning]:
    opened = Turning(lambda: sqlite_connection(tmp_path / "one.db"))
    async with opened:
        yield opened


@pytest.mark.parametrize(
    ("rows", "turns"), [(0, 1), (1, 1), (FIRST - 1, 1), (FIRST, 2), (FIRST + 1, 2), (MANY, 2)]
)
async def test_a_statement_and_its_rows_are_one_turn_and_many_rows_are_two(
    turning: Turning, rows: int, turns: int
) -> None:
    cursor = turning.cursor()
    await cursor.execute(f"{COUNTED} WHERE x <= ?", (MANY, rows))
    assert [one[0] for one in cursor.description] == ["x"]
    assert await cursor.fetchall() == [(one + 1,) for one in range(rows)]
    assert await cursor.fetchall() == []
    await cursor.close()
    assert turning.turns == turns


@pytest.mark.parametrize("size", [1, 7, FIRST, FIRST + 1, 10_000])
async def test_what_is_read_in_parts_is_every_row_once(turning: Turning, size: int) -> None:
    cursor = turning.cursor()
    await cursor.execute(COUNTED, (MANY,))
    found: list[int] = []
    while some := await cursor.fetchmany(size):
        assert len(some) == min(size, MANY - len(found))
        found += [row[0] for row in some]
    assert found == list(range(1, MANY + 1))
    assert await cursor.fetchone() is None


async def test_what_is_closed_half_read_stands_in_nobodys_way(turning: Turning) -> None:
    await turning.cursor().execute("CREATE TABLE t (x)")
    await turning.cursor().executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(MANY)])
    half = turning.cursor()
    await half.execute("SELECT x FROM t")
    assert [row[0] async for row in half][:2] == [0, 1]
    await half.execute("SELECT x FROM t")
    assert await half.fetchone() == (0,)
    await half.close()
    changed = turning.cursor()
    await changed.execute("DELETE FROM t WHERE x < 10")  # a statement that is still open would lock the table
    assert (changed.rowcount, changed.description) == (10, None)
    await turning.cursor().execute("DROP TABLE t")
    written = turning.cursor()
    await written.execute("CREATE TABLE u (x INTEGER PRIMARY KEY)")
    await written.execute("INSERT INTO u VALUES (41) RETURNING x + 1")
    assert (await written.fetchall(), written.lastrowid) == ([(42,)], 41)
