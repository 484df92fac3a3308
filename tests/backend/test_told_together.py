"""What an act tells people is written together at the end of its transaction, and taken back before that as after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from backend.db import Database, new_id
from backend.kit import Kit
from backend.owed.models import Message
from backend.support import notices
from backend.support.models import Notice
from tests.parts.asked import heard

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DUE = NOW + timedelta(seconds=10)
PEOPLE = 11  # more than stand in one statement


async def counted(database: Database) -> tuple[int, int]:
    """Notices and messages that there are."""
    async with database.read() as tx:
        told = await tx.scalar(select(func.count()).select_from(Notice))
        owed = await tx.scalar(select(func.count()).select_from(Message))
    return told or 0, owed or 0


async def test_what_many_are_told_is_written_by_few_statements(database: Database, kit: Kit) -> None:
    act = new_id()
    with heard() as asked:
        async with database.write() as tx:
            for _ in range(PEOPLE):
                notices.tell(
                    tx, kit, new_id(), "role_changed", now=NOW, due=DUE, about=act, unit="x", change="begun"
                )
    assert await counted(database) == (PEOPLE, PEOPLE)
    assert sum(sql.startswith("INSERT INTO notices") for sql, _ in asked) == 2
    assert sum(sql.startswith("INSERT INTO messages") for sql, _ in asked) == 2


async def test_what_is_told_and_taken_back_in_one_transaction_reaches_nobody(
    database: Database, kit: Kit
) -> None:
    act, other = new_id(), new_id()
    async with database.write() as tx:
        for about in (act, other):
            notices.tell(
                tx, kit, new_id(), "role_changed", now=NOW, due=DUE, about=about, unit="x", change="begun"
            )
        await notices.take_back(tx, act, now=NOW)
    async with database.read() as tx:
        assert list(await tx.scalars(select(Notice.about))) == [other]
        assert list(await tx.scalars(select(Message.about))) == [other]
