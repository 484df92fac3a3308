"""The checker, which remembers within a module what it has found right, sees what has changed since (rule 1021)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, text, update

from backend.account import Account
from backend.db import Database
from backend.facts import UnitsImported
from backend.kit import Kit
from tests.checker import Before, _journal
from tests.filled import fill
from tests.sealing import encryption

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def journal(db: Database, kit: Kit, before: Before | None) -> list[str]:
    async with db.read() as tx:
        return await _journal(tx, kit, before)


async def recorded(db: Database, kit: Kit) -> None:
    async with db.write() as tx:
        kit.journal.record(tx, UnitsImported(count=3), by=None, now=NOW)


async def test_a_row_that_has_changed_is_opened_again(database: Database, kit: Kit) -> None:
    before = Before()
    async with database.write() as tx:
        account = await fill(tx, kit, now=NOW)
    async with database.read() as tx:
        assert await encryption(tx, kit, before) == []
    async with database.write() as tx:
        (name,) = await tx.scalars(select(Account.full_name).where(Account.id == account))
        moved = kit.keys.seal("accounts.full_name", "another", "moved here")
        await tx.execute(update(Account).where(Account.id == account).values(full_name=moved))
    async with database.read() as tx:
        assert any("accounts.full_name" in one for one in await encryption(tx, kit, before))
    async with database.write() as tx:
        await tx.execute(update(Account).where(Account.id == account).values(full_name=name))
    async with database.read() as tx:
        assert await encryption(tx, kit, before) == []


async def test_the_journal_is_walked_on_from_where_it_stood(database: Database, kit: Kit) -> None:
    before = Before()
    for _ in range(2):
        await recorded(database, kit)
        assert await journal(database, kit, before) == []
    assert before.walk is not None and before.walk.count == 2
    await recorded(database, kit)
    async with database.write() as tx:
        await tx.execute(text("UPDATE journal SET fact = replace(fact, '3', '4') WHERE seq = 3"))
    assert len(await journal(database, kit, before)) == 1


async def test_what_was_altered_behind_is_found_by_whoever_remembers_nothing(
    database: Database, kit: Kit
) -> None:
    before = Before()
    for _ in range(3):
        await recorded(database, kit)
    assert await journal(database, kit, before) == []
    async with database.write() as tx:
        await tx.execute(text("UPDATE journal SET fact = replace(fact, '3', '4') WHERE seq = 2"))
    assert len(await journal(database, kit, None)) == 1
    async with database.write() as tx:
        await tx.execute(text("DELETE FROM journal WHERE seq = 3"))
    assert len(await journal(database, kit, before)) == 1, "a tail that was cut is seen either way"
