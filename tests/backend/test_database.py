"""What the database promises whoever opens it."""

from __future__ import annotations

from sqlalchemy import text

from backend.db import Database


async def test_a_process_that_freezes_inside_a_transaction_does_not_hold_the_others_up_for_ever(
    database: Database,
) -> None:
    question = "PRAGMA busy_timeout" if database.is_sqlite else "SHOW idle_in_transaction_session_timeout"
    async with database.write() as tx:
        assert await tx.scalar(text(question)) == (10_000 if database.is_sqlite else "10s")
