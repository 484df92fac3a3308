"""What the database promises whoever opens it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.db import Database, new_id
from backend.engines import sqlite_connection


async def test_a_process_that_freezes_inside_a_transaction_does_not_hold_the_others_up_for_ever(
    database: Database,
) -> None:
    question = "PRAGMA busy_timeout" if database.is_sqlite else "SHOW idle_in_transaction_session_timeout"
    async with database.write() as tx:
        assert await tx.scalar(text(question)) == (10_000 if database.is_sqlite else "10s")


def test_what_sqlite_has_committed_is_on_the_disk(tmp_path: Path) -> None:
    with contextlib.closing(sqlite_connection(tmp_path / "ngomon.db")) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (
            2,
        )  # FULL; what tests open later says OFF


async def test_what_is_read_in_one_session_is_of_one_moment(database: Database) -> None:
    await _table(database)
    async with database.read() as tx:
        before = await tx.scalar(text("SELECT COUNT(*) FROM moments"))
        async with database.write() as other:
            await other.execute(text("INSERT INTO moments VALUES (1)"))
        assert await tx.scalar(text("SELECT COUNT(*) FROM moments")) == before == 0
    async with database.read() as tx:
        assert await tx.scalar(text("SELECT COUNT(*) FROM moments")) == 1


async def _table(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(text("CREATE TABLE moments (n INTEGER)"))


async def test_postgresql_compiles_nothing_before_it_answers(database: Database) -> None:
    async with database.read() as reading, database.write() as writing:
        for tx in (reading, writing):
            assert database.is_sqlite or await tx.scalar(text("SHOW jit")) == "off"


def test_ids_are_in_order_of_time_within_a_millisecond_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written last is shown first, however soon after another it was written."""
    moments = [1_790_000_000_000_000_000 + step for step in (0, 1_000, 500_000, 999_999, 1_000_000)]
    ids = []
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda now=moment: now)
        ids.append(new_id())
    assert ids == sorted(ids) and {one.version for one in ids} == {7}
    assert len({one.int & ((1 << 62) - 1) for one in ids}) == len(ids), "the rest is drawn"
