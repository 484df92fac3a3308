"""What somebody with the database in hand, but without the key, cannot do to the journal unseen (rule 901)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import KeyMissing, KeyRing, new_secret_key
from backend.db import Database
from backend.facts import AccountThawed, UnitsImported
from backend.journal import Journal
from backend.kit import Kit
from backend.limits import Limits
from tests import databases
from tests.service import Service

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)

TAMPERING = {
    "edit a fact": ["UPDATE journal SET fact = replace(fact, '3', '4') WHERE seq = 3"],
    "edit a time": ["UPDATE journal SET at = (SELECT at FROM journal WHERE seq = 5) WHERE seq = 3"],
    "edit a tag": ["UPDATE journal SET tag = 'account.closed' WHERE seq = 3"],
    "edit who": ["UPDATE journal SET by = (SELECT subject FROM journal WHERE seq = 6) WHERE seq = 3"],
    "edit whom": ["UPDATE journal SET subject = NULL WHERE seq = 6"],
    "delete one": ["DELETE FROM journal WHERE seq = 3"],
    "delete one and close up": ["DELETE FROM journal WHERE seq = 3", "UPDATE journal SET seq = seq - 1 WHERE seq = 4",
                                "UPDATE journal SET seq = seq - 1 WHERE seq = 5", "UPDATE journal SET seq = seq - 1 WHERE seq = 6"],
    "swap two": ["UPDATE journal SET seq = 99 WHERE seq = 2", "UPDATE journal SET seq = 2 WHERE seq = 3",
                 "UPDATE journal SET seq = 3 WHERE seq = 99"],
    "cut the tail": ["DELETE FROM journal WHERE seq > 4"],
    "cut the tail and the head with it": ["DELETE FROM journal WHERE seq > 4",
        "UPDATE journal_head SET seq = 4, hash = (SELECT hash FROM journal WHERE seq = 4)"],
    "take the head away": ["DELETE FROM journal_head"],
    "take the head's seal away": ["UPDATE journal_head SET seal = key_id WHERE id = 1", "UPDATE journal_head SET seal = substr(seal, 1, 0)"],
    "another hash": ["UPDATE journal SET hash = (SELECT hash FROM journal WHERE seq = 2) WHERE seq = 3"],
    "an unknown key": ["UPDATE journal SET key_id = hash WHERE seq = 6"],
    "one more at the end": ["INSERT INTO journal SELECT 7, at, tag, subject, by, fact, key_id, hash FROM journal WHERE seq = 6"],
}  # fmt: skip


async def written(db: Database, kit: Kit) -> None:
    for day in range(5):
        async with db.write() as tx:
            kit.journal.record(tx, UnitsImported(count=day + 1), by=None, now=NOW.replace(day=day + 1))
    async with db.write() as tx:
        kit.journal.record(tx, AccountThawed(subject=uuid4()), by=uuid4(), now=NOW)


async def verified(db: Database, journal: Journal) -> tuple[int, str | None]:
    async with db.read() as tx:
        return await journal.verify(tx)


async def test_tw17_an_untouched_chain_verifies_and_every_tampering_is_found(
    database: Database, kit: Kit
) -> None:
    assert await verified(database, kit.journal) == (0, None), "a fresh installation is in order"
    await written(database, kit)
    assert await verified(database, kit.journal) == (6, None)
    for name, statements in TAMPERING.items():
        async with database.engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement.replace(" by ", ' "by" ').replace(" by,", ' "by",')))
            async with AsyncSession(connection) as tx:
                count, trouble = await kit.journal.verify(tx)
            await connection.rollback()
        assert trouble, f"{name} was not found"
        assert count <= 6
        assert name != "delete one" or (count, trouble) == (2, "entry 3 is missing")
    assert await verified(database, kit.journal) == (6, None)

    forger = Kit.of(KeyRing.parse(new_secret_key()), kit.limits)
    with pytest.raises(KeyMissing):  # it cannot say that anything was altered (case O16)
        await verified(database, forger.journal)


async def test_p4_a_chain_goes_on_under_a_new_key(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    first, second = (Kit.of(KeyRing.parse(keys), Limits()) for keys in (old, f"{new},{old}"))
    await written(database, first)
    await written(database, second)
    assert await verified(database, second.journal) == (12, None)
    with pytest.raises(KeyMissing):
        await verified(database, first.journal)


async def test_a_transaction_that_is_taken_back_leaves_no_entry(service: Service) -> None:
    before = await verified(service.db, service.kit.journal)
    with pytest.raises(RuntimeError):
        async with service.db.write() as tx:
            service.kit.journal.record(tx, UnitsImported(count=9), by=None, now=NOW)
            raise RuntimeError
    assert await verified(service.db, service.kit.journal) == before


async def test_many_writers_at_once_make_one_chain_without_gap(service: Service) -> None:
    async def write(number: int) -> None:
        async with service.db.write() as tx:
            service.kit.journal.record(tx, UnitsImported(count=number), by=None, now=NOW)

    before, _ = await verified(service.db, service.kit.journal)
    await asyncio.gather(*(write(number) for number in range(40)))
    assert await verified(service.db, service.kit.journal) == (before + 40, None)


async def test_a_head_that_another_process_has_moved_is_not_taken_for_the_one_that_was_left(
    tmp_path: Path,
) -> None:
    """Each remembers the head that it left itself (sealing.LastHead)."""
    keys = new_secret_key()
    places = [(Database(databases.sqlite(tmp_path)), Kit.of(KeyRing.parse(keys), Limits())) for _ in range(2)]
    for _ in range(3):
        for db, kit in places:
            await written(db, kit)
    assert await verified(places[0][0], places[0][1].journal) == (36, None)
    for db, _ in places:
        await db.close()


async def test_tw17_a_head_that_was_altered_since_it_was_left_is_not_written_over(
    tmp_path: Path, kit: Kit
) -> None:
    db = Database(databases.sqlite(tmp_path))
    await written(db, kit)
    async with db.engine.begin() as connection:
        await connection.execute(
            text("UPDATE journal_head SET hash = (SELECT hash FROM journal WHERE seq = 4)")
        )
    await written(db, kit)
    assert (await verified(db, kit.journal))[1] == "entry 7 was altered"
    await db.close()


async def test_how_far_a_walk_is_is_told(database: Database, kit: Kit) -> None:
    await written(database, kit)
    seen: list[tuple[int, int]] = []
    async with database.read() as tx:
        assert await kit.journal.verify(tx, progress=lambda total, count: seen.append((total, count))) == (
            6,
            None,
        )
    assert seen == [(6, 6)]


async def test_tw17_a_time_that_only_looks_like_what_was_linked_is_found(tmp_path: Path, kit: Kit) -> None:
    """SQLite keeps times as text, in which nobody may write anything that reads the same."""
    db = Database(databases.sqlite(tmp_path))
    await written(db, kit)
    for statement in ("SET at = replace(at, ' ', 'T')", "SET at = at || ' '", "SET subject = upper(subject)"):
        async with db.engine.connect() as connection:
            await connection.execute(text(f"UPDATE journal {statement} WHERE subject IS NOT NULL"))
            async with AsyncSession(connection) as tx:
                assert (await kit.journal.verify(tx))[1] == "entry 6 was altered", statement
            await connection.rollback()
    await db.close()
