"""A connection of SQLite ends once, however many give it up (case W21)."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from backend.db import Database
from backend.engines import SqliteConnection


@pytest.mark.parametrize("first", ["close", "stop"])
async def test_w21_a_connection_that_is_closed_and_stopped_is_gone_for_both(
    tmp_path: Path, first: str
) -> None:
    connection = await SqliteConnection(tmp_path / "one.db")
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
