"""What a key that was given up can still do (A12), and what a head that left the house proves (A07)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chain import Mark, head_seal, link, range_seal
from backend.crypto import KeyMissing, KeyRing, new_secret_key
from backend.db import Database
from backend.facts import UnitsImported
from backend.journal import Closed, Entry, Head, JournalBroken, KeyPrint
from backend.kit import Kit
from backend.limits import Limits
from backend.roles.owed import owed
from ngomon.admission import admit
from ngomon.rekey import rotate

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def kit_of(*keys: str) -> Kit:
    return Kit.of(KeyRing.parse(",".join(keys)), Limits())


async def written(db: Database, kit: Kit, entries: int = 5, *, first: int = 1) -> None:
    await admit(db, kit.keys, now=NOW)
    for count in range(first, first + entries):
        async with db.write() as tx:
            kit.journal.record(tx, UnitsImported(count=count), by=None, now=NOW)


async def rotated(db: Database, kit: Kit) -> None:
    await admit(db, kit.keys, now=NOW)
    await rotate(db, kit, lambda *_: None, now=NOW)


async def verified(db: Database, kit: Kit, **more: Any) -> tuple[int, str | None]:
    async with db.read() as tx:
        return await kit.journal.verify(tx, **more)


async def forged(tx: AsyncSession, keys: KeyRing, *, under: bytes) -> None:
    """One more entry, with everything that the holder of a key can make."""
    head = await tx.get_one(Head, 1)
    row = await tx.get_one(Entry, head.seq)
    entry = Entry(seq=head.seq + 1, at=NOW, tag=row.tag, subject=None, by=None, fact=row.fact, key_id=under)
    entry.hash = link(keys, head.hash, entry)
    tx.add(entry)
    head.seq, head.hash, head.key_id = entry.seq, entry.hash, under
    head.seal = head_seal(keys, head)


async def test_a12_closed_ranges_verify_without_the_keys_that_were_given_up(database: Database) -> None:
    first, second, third = (new_secret_key() for _ in range(3))
    await written(database, kit_of(first))
    await rotated(database, kit_of(second, first))
    await written(database, kit_of(second), 3)
    assert await verified(database, kit_of(second)) == (9, None), "five, the rotation, three more"
    await rotated(database, kit_of(third, second))
    await written(database, kit_of(third), 2)
    assert await verified(database, kit_of(third)) == (12, None), "nobody lists the first two any more"
    async with database.read() as tx:
        assert [row.last_seq for row in await tx.scalars(select(Closed).order_by(Closed.last_seq))] == [5, 9]


Tampering = Callable[[AsyncSession, Kit], Awaitable[Any]]
TAMPERING: dict[str, Tampering] = {
    "edit within": lambda tx, _: tx.execute(update(Entry).where(Entry.seq == 2).values(fact='{"count":9}')),
    "edit a hash within": lambda tx, _: tx.execute(
        update(Entry).where(Entry.seq == 2).values(hash=b"x" * 32)
    ),
    "edit a key within": lambda tx, _: tx.execute(update(Entry).where(Entry.seq == 2).values(key_id=b"abcd")),
    "take one away": lambda tx, _: tx.execute(delete(Entry).where(Entry.seq == 2)),
    "another digest": lambda tx, _: tx.execute(update(Closed).values(digest=b"x" * 32)),
    "another seal": lambda tx, _: tx.execute(update(Closed).values(seal=b"x" * 32)),
    "none given up": lambda tx, _: tx.execute(update(Closed).values(retired=b"")),
    "cut to within": lambda tx, _: tx.execute(delete(Entry).where(Entry.seq > 3)),
}


async def heard_as_told(db: Database, kit: Kit) -> None:
    """Within a closed range an entry is heard before its range is proved: what nobody can read is altered, no fault."""
    for fact in ("", "{", '{"role":7}', "[]"):
        async with AsyncSession(db.engine) as tx:
            await tx.execute(update(Entry).where(Entry.seq == 2).values(tag="role.begun", fact=fact))
            _, trouble = await kit.journal.verify(tx, witness=await owed(tx))
            assert trouble == "an entry of 1 to 5 was altered", (fact, trouble)
            await tx.rollback()


async def test_a12_every_tampering_with_a_closed_range_is_found(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    await rotated(database, kit_of(new, old))
    for kit in (kit_of(new), kit_of(new, old)):
        for name, tamper in TAMPERING.items():
            async with AsyncSession(database.engine) as tx:
                await tamper(tx, kit)
                assert (await kit.journal.verify(tx))[1], f"{name} was not found"
                await tx.rollback()
    await heard_as_told(database, kit_of(new))
    async with AsyncSession(database.engine) as tx:  # without the range its entries need the old key
        await tx.execute(delete(Closed))
        with pytest.raises(KeyMissing):
            await kit_of(new).journal.verify(tx)
        await tx.rollback()


async def test_a12_a_leaked_key_that_was_given_up_forges_nothing(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    await rotated(database, kit_of(new, old))
    leaked = KeyRing.parse(old)
    for kit in (kit_of(new), kit_of(new, old)):
        async with AsyncSession(database.engine) as tx:
            await forged(tx, leaked, under=leaked.newest)
            count, trouble = await kit.journal.verify(tx)
            assert (count, trouble) == (6, "entry 7 is under a key that was given up after entry 5")
            await tx.rollback()
    async with AsyncSession(database.engine) as tx:  # they take the traces of the rotation away as well
        await tx.execute(delete(Closed))
        await tx.execute(delete(Entry).where(Entry.seq > 5))
        last = await tx.get_one(Entry, 5)
        head = await tx.get_one(Head, 1)
        head.seq, head.hash, head.retired = 5, last.hash, b""
        await forged(tx, leaked, under=leaked.newest)
        await tx.flush()
        for row in await tx.scalars(select(KeyPrint)):
            row.retired_at = None
        trouble = (await kit_of(new, old).journal.verify(tx))[1]
        assert trouble is not None and trouble.startswith("the head is not under the newest key")
        await tx.rollback()


async def test_a12_the_rotation_closes_nothing_that_does_not_verify(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    async with database.write() as tx:
        await tx.execute(update(Entry).where(Entry.seq == 2).values(fact='{"count":9}'))
    with pytest.raises(JournalBroken, match="entry 2 was altered"):
        await rotated(database, kit_of(new, old))
    async with database.read() as tx:
        assert (await tx.scalars(select(Closed))).all() == []
        assert all(row.retired_at is None for row in await tx.scalars(select(KeyPrint)))


async def test_a12_the_rotation_closes_no_journal_whose_tail_was_cut(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    async with database.write() as tx:
        await tx.execute(delete(Entry).where(Entry.seq > 3))
    with pytest.raises(JournalBroken, match="the head is not that of entry 3"):
        await rotated(database, kit_of(new, old))


async def test_a12_the_rotation_does_not_whitewash_a_forged_head(database: Database) -> None:
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    async with database.write() as tx:
        await tx.execute(update(Head).values(seal=b"x" * 32))
    with pytest.raises(JournalBroken, match="head"):
        await rotated(database, kit_of(new, old))
    assert (await verified(database, kit_of(new, old)))[1] == "the head was altered"


async def test_a07_a_forged_head_stays_to_be_found_when_the_journal_goes_on(database: Database) -> None:
    kit = kit_of(new_secret_key())
    await written(database, kit)
    async with database.write() as tx:  # the tail cut, the head set to what is left: then somebody signs in
        last = await tx.get_one(Entry, 3)
        await tx.execute(update(Head).values(seq=3, hash=last.hash))
        await tx.execute(delete(Entry).where(Entry.seq > 3))
    await written(database, kit, 4)
    assert await verified(database, kit) == (3, "entry 4 was altered")


async def test_a07_a_head_from_a_backup_hides_nothing_from_a_head_that_left_the_house(
    database: Database,
) -> None:
    kit = kit_of(new_secret_key())
    await written(database, kit)
    async with database.read() as tx:
        old = await tx.get_one(Head, 1)
        backup = {"seq": old.seq, "hash": old.hash, "key_id": old.key_id, "seal": old.seal}
        early = await kit.journal.mark(tx)
    await written(database, kit, 3)
    async with database.read() as tx:
        late = await kit.journal.mark(tx)
    assert early is not None and late is not None and (early.seq, late.seq) == (5, 8)
    assert await verified(database, kit, since=[late, early]) == (8, None)
    async with database.write() as tx:
        await tx.execute(delete(Entry).where(Entry.seq > 5))
        await tx.execute(update(Head).values(**backup))
    assert await verified(database, kit) == (5, None), "with the database alone nothing is to be seen"
    assert await verified(database, kit, since=[early]) == (5, None)
    cut = "the tail was cut after entry 5, entry 8 had been a head"
    assert await verified(database, kit, since=[early, late]) == (5, cut)
    await written(database, kit, 4, first=100)  # and others are written over the gap
    gone = "entry 8 is not the one that had been a head: entries up to it went or were altered"
    assert await verified(database, kit, since=[early, late]) == (7, gone)


async def test_a07_a_head_is_read_back_as_it_was_written_and_nothing_else_is(database: Database) -> None:
    kit = kit_of(new_secret_key())
    await written(database, kit, 1)
    async with database.read() as tx:
        mark = await kit.journal.mark(tx)
    assert mark is not None and Mark.parse(f" {mark}\n") == mark and kit.journal.made(mark)
    assert not kit.journal.made(mark._replace(seq=2)) and not kit.journal.made(mark._replace(hash=b"x" * 32))
    assert kit_of(new_secret_key()).journal.made(mark), "of a key that is not listed nothing can be said"
    text = str(mark)
    for bad in (
        "",
        "1",
        text[:-1],
        text + "=",
        text.replace(".", "!"),
        "x" + text,
        text.upper(),
        "1.a.b.c",
        "é.é.é.é",
    ):
        with pytest.raises(ValueError, match="not a head"):
            Mark.parse(bad)


async def test_a12_ranges_say_where_they_begin(database: Database) -> None:
    """A range that is taken away would move the beginning of the next one."""
    keys = [new_secret_key() for _ in range(3)]
    await written(database, kit_of(keys[0]))
    for at in (1, 2):
        await rotated(database, kit_of(keys[at], keys[at - 1]))
        await written(database, kit_of(keys[at]), 1)
    kit = kit_of(keys[2])
    async with AsyncSession(database.engine) as tx:
        await tx.execute(delete(Closed).where(Closed.last_seq == 5))
        assert (await kit.journal.verify(tx))[1] == "an entry of 1 to 7 was altered"
        later = (await tx.scalars(select(Closed))).one()
        assert range_seal(kit.keys, 6, later) == later.seal != range_seal(kit.keys, 1, later)
        await tx.rollback()


async def test_a07_a_cut_into_a_closed_range_is_found_though_the_head_fits(database: Database) -> None:
    """The new key had sealed a head before the rotation closed more than that head says."""
    old, new = new_secret_key(), new_secret_key()
    await written(database, kit_of(old))
    both = kit_of(new, old)
    await written(database, both, 1)
    async with database.read() as tx:
        head = await tx.get_one(Head, 1)
        backup = {"seq": head.seq, "hash": head.hash, "key_id": head.key_id, "seal": head.seal}
    await written(database, both, 2)
    await rotated(database, both)
    async with database.write() as tx:
        await tx.execute(delete(Entry).where(Entry.seq > 6))
        await tx.execute(update(Head).values(**backup))
    cut = "the tail was cut after entry 6, a closed range goes on to 8"
    assert await verified(database, kit_of(new)) == (6, cut)
