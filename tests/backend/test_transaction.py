"""Calls that are cancelled while a transaction begins, writes or ends: nothing is half written, the next one can write."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from sqlalchemy import func, insert, select, text

from backend.db import Database, after_commit
from backend.engines import sqlite_connection
from backend.statements import Act
from backend.tallies import Tally
from backend.transaction import NotCommitted, Tx

KEY = b"k" * 32
ADD = Act(insert(Tally))
STEPS = 80  # turns of the loop; a transaction of two statements takes fewer on either engine


async def two(database: Database, slot: int, told: list[int], *, orm: bool) -> None:
    """Two rows that belong together."""
    async with database.write() as tx:
        await ADD.run(tx, key=KEY, slot=slot, count=1)
        if orm:
            tx.add(Tally(key=KEY * 2, slot=slot, count=1))
        else:
            await ADD.run(tx, key=KEY * 2, slot=slot, count=1)
        after_commit(tx, lambda: told.append(slot))


async def kept(database: Database) -> dict[int, int]:
    """How many rows each slot has."""
    async with database.read() as tx:
        found = await tx.execute(select(Tally.slot, func.count()).group_by(Tally.slot))
        return {row[0]: row[1] for row in found}


@pytest.mark.parametrize("orm", [False, True])
async def test_a_call_that_is_cancelled_at_any_moment_has_written_both_or_neither(
    database: Database, orm: bool
) -> None:
    finished: list[int] = []
    told: list[int] = []
    for slot in range(STEPS):
        task = asyncio.create_task(two(database, slot, told, orm=orm))
        for _ in range(slot):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
            finished.append(slot)
    rows = await kept(database)
    assert set(rows.values()) <= {2}
    assert set(finished) <= set(rows), "what was answered is kept"
    assert set(told) <= set(rows), "nobody hears of what was taken back"
    await two(database, STEPS, told, orm=orm)
    assert (await kept(database))[STEPS] == 2
    await nothing_is_open(database)


async def nothing_is_open(database: Database) -> None:
    """No connection has been left inside a transaction."""
    if database.file is not None:
        with contextlib.closing(sqlite_connection(database.file)) as other:
            other.execute("PRAGMA busy_timeout=0")
            other.execute("BEGIN IMMEDIATE")
            return
    async with database.read() as tx:
        words = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = :state"
        assert await tx.scalar(text(words), {"state": "idle in transaction"}) == 0


async def test_a_call_that_is_cancelled_while_another_process_writes_leaves_no_transaction_behind(
    database: Database,
) -> None:
    """On SQLite BEGIN itself waits; on PostgreSQL nobody does, and the call is over before it is cancelled."""
    told: list[int] = []
    with contextlib.ExitStack() as stack:
        if database.file is not None:
            other = stack.enter_context(contextlib.closing(sqlite_connection(database.file)))
            other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(two(database, 1, told, orm=False))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert set((await kept(database)).values()) <= {2}
    await two(database, 2, told, orm=False)
    await nothing_is_open(database)


async def test_what_the_database_took_back_by_itself_is_not_told_as_done(database: Database) -> None:
    """PostgreSQL gives a transaction up when a statement fails, and says so only in its answer to COMMIT."""
    told: list[int] = []

    async def went_on() -> None:
        async with database.write() as tx:
            assert isinstance(tx, Tx)
            await ADD.run(tx, key=KEY, slot=1, count=1)
            with contextlib.suppress(Exception):
                await tx.wire.rows("SELECT nothing FROM nowhere", ())
            after_commit(tx, lambda: told.append(1))

    if database.is_sqlite:
        await went_on()
    else:
        with pytest.raises(NotCommitted):
            await went_on()
    assert list(await kept(database)) == told == ([1] if database.is_sqlite else [])


async def test_while_another_process_writes_everybody_else_is_served(database: Database) -> None:
    """BEGIN is tried in the loop, and waits on the thread."""
    told: list[int] = []
    if database.file is None:
        await two(database, 1, told, orm=False)
        return
    with contextlib.closing(sqlite_connection(database.file)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(two(database, 1, told, orm=False))
        async with asyncio.timeout(5):
            for _ in range(20):
                await asyncio.sleep(0.005)
        assert not waiting.done()
        other.execute("ROLLBACK")
    await waiting
    assert told == [1]
    await two(database, 2, told, orm=True)
    assert await kept(database) == {1: 2, 2: 2}


async def test_connections_that_have_gone_away_while_they_stood_ready_are_not_the_last(
    database: Database,
) -> None:
    """As when PostgreSQL is started again: nobody who comes afterwards is refused for it."""
    told: list[int] = []
    await asyncio.gather(*(two(database, slot, told, orm=False) for slot in range(6)))
    if not database.is_sqlite:
        async with database.read() as tx:
            words = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert await tx.scalar(text(words)) >= 4
    for slot in range(6, 12):
        await two(database, slot, told, orm=slot % 2 == 0)
    assert await kept(database) == dict.fromkeys(range(12), 2)
