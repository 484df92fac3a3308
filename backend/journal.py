"""What happened, in an order that nobody can change unseen (rule 901).

Entries are appended as the last act of the transaction that they describe. Each carries
the keyed hash of the one before, and the head row carries the newest under the same key,
so an edit, a gap and a cut tail are all found by `verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.alarms import alarm
from backend.chain import GENESIS, KEY_ID, Mark, Walk, Witness, each_key, head_seal, range_seal
from backend.chain_rows import Progress, walked
from backend.crypto import KeyRing, KeyTrouble
from backend.db import Base, Database, UtcDateTime, at_commit
from backend.facts import Fact, KeysRotated, Operator
from backend.retention import Stays
from backend.sealing import HeadNow, LastHead, Line, linked
from backend.statements import Act, Question, by_number, given, numbered, rows_of

BROKEN = b"\xff" * 32  # what the next entry hangs on when the head is not ours
AT_ONCE = 8  # entries in one statement


class Entry(Base):
    """One fact, chained to the one before."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_tag_seq", "tag", "seq"), Index("ix_journal_by_seq", "by", "seq"))
    retention = Stays("the proof of what happened; it holds identifiers and codes only")

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    tag: Mapped[str] = mapped_column(String(40))
    subject: Mapped[UUID | None] = mapped_column(index=True)
    by: Mapped[UUID | None]
    fact: Mapped[str] = mapped_column(Text)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Head(Base):
    """The chain's newest link; a row that every sealing transaction locks."""

    __tablename__ = "journal_head"
    retention = Stays("one row")

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    seal: Mapped[bytes] = mapped_column(LargeBinary)
    retired: Mapped[bytes | None] = mapped_column(LargeBinary)  # keys that may seal nothing more, joined


class Closed(Base):
    """A range of entries that `keys rotate` has closed: provable without the keys that it was linked under."""

    __tablename__ = "journal_closed"
    retention = Stays("one row for each rotation of keys, without which the journal proves nothing")

    last_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # over its entries, hashes included
    retired: Mapped[bytes] = mapped_column(LargeBinary)  # the keys that end here, joined
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    seal: Mapped[bytes] = mapped_column(LargeBinary)


class KeyPrint(Base):
    """A key that this database has had; `proof` is empty where nobody could show the key any more (case O16)."""

    __tablename__ = "key_prints"
    retention = Stays("one row for each key there has been, so that none that was given up comes back")

    key_id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    proof: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


HEAD_COLUMNS = Head.seq, Head.hash, Head.key_id, Head.seal, Head.retired
HEAD = Question(HeadNow, select(*HEAD_COLUMNS).where(Head.id == 1).with_for_update())


@by_number
def _entries(count: int) -> Act:
    """Write so many entries."""
    columns = (getattr(Entry, name) for name in Line._fields)
    return Act(insert(Entry).values(rows_of(count, *columns)))


def _moving(insert: Callable[[Any], Any]) -> Any:
    """Write the head, which is new where nobody has prepared the database."""
    new = insert(Head)
    told = {one.key: new.excluded[one.key] for one in HEAD_COLUMNS}
    return new.on_conflict_do_update(index_elements=["id"], set_=told)


def _seen(head: HeadNow) -> dict[str, Any]:
    return {f"seen_{name}": value for name, value in head._asdict().items()}


MOVE = Act(_moving)
ONWARD = Act(  # the same of a head that is just as this process has left it
    update(Head)
    .where(Head.id == 1, *(one.is_not_distinct_from(given(f"seen_{one.key}", one)) for one in HEAD_COLUMNS))
    .values({one: given(one.key, one) for one in HEAD_COLUMNS})
)


class KeyRetired(KeyTrouble):
    """A process has a key in front that `keys rotate` has given up."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(
            f"key {key_id.hex()} was given up by `ngomon keys rotate` and must not stand first in NGOMON_SECRET_KEYS"
        )


class JournalBroken(Exception):
    """What is to be closed does not verify; the text says where."""


class Journal:
    """Writes and checks the chain with the installation's keys."""

    def __init__(self, keys: KeyRing, operator: Operator | None = None) -> None:
        self._keys, self._operator, self._last = keys, operator, LastHead()

    def record(self, tx: AsyncSession, fact: Fact, *, by: UUID | None, now: datetime) -> None:
        """Remember `fact` with this transaction; `by` is the acting account, or nothing for the machine.

        What a command records says who ran it.
        """
        if self._operator is not None:
            fact = msgspec.structs.replace(fact, operator=self._operator)
        tx.info.setdefault("facts", []).append((fact, by, now))
        at_commit(tx, "journal", self._seal)

    async def _seal(self, tx: AsyncSession) -> None:
        facts, known = tx.info.pop("facts"), self._last.of(tx)
        if known is not None:
            lines, head = linked(self._keys, facts, known, known.hash)
            if await ONWARD.touched(tx, **head._asdict(), **_seen(known)):
                await self._write(tx, lines, head)
                return
        known = await HEAD.maybe(tx) or HeadNow(0, GENESIS, self._keys.newest, b"", None)
        if self._keys.newest in each_key(known.retired or b""):
            raise KeyRetired(self._keys.newest)
        whole = self._is_whole(known)
        if not whole:  # sealing on would make it look whole: the break must stay to be found
            alarm("journal_broken")
        lines, head = linked(self._keys, facts, known, known.hash if whole else BROKEN)
        await MOVE.run(tx, id=1, **head._asdict())
        await self._write(tx, lines, head)

    async def _write(self, tx: AsyncSession, lines: list[Line], head: HeadNow) -> None:
        for at in range(0, len(lines), AT_ONCE):
            part = lines[at : at + AT_ONCE]
            await _entries(len(part)).run(tx, **numbered(line._asdict() for line in part))
        self._last.left(tx, head)

    def _is_whole(self, head: Head | HeadNow) -> bool:
        """Whether the head is as one of ours left it; raises KeyMissing when that cannot be said."""
        if not head.seal:
            return head.seq == 0
        return head_seal(self._keys, head) == head.seal

    def _seal_head(self, head: Head) -> None:
        head.key_id = self._keys.newest
        head.seal = head_seal(self._keys, head)

    async def begin(self, tx: AsyncSession) -> None:
        """Put the head under the newest key: of a journal in which nothing stands yet, so that a later wipe is seen,
        and when a key has come to the front. The caller has proved the keys.
        """
        head = await tx.get(Head, 1, with_for_update=True)
        moved = head is not None and (not head.seal or head.key_id != self._keys.newest)
        if head is not None and moved and self._is_whole(head):
            self._seal_head(head)

    async def close(self, db: Database, *, now: datetime) -> int:
        """Close all entries until now and give up every key but the newest; the last entry's number.

        Raises JournalBroken, KeyMissing. The long walk is done before anybody has to wait for it.
        """
        async with db.read() as tx:
            walk = Walk(self._keys, await _known(tx), await _closed(tx), closing=True)
            trouble = await walked(tx, walk)
        if trouble is None:
            async with db.write() as tx:
                head = await tx.get_one(Head, 1, with_for_update=True)
                trouble = await walked(tx, walk)
                if (
                    trouble is None
                    and (head.seq, head.hash) == (walk.count, walk.previous)
                    and self._is_whole(head)
                ):
                    await self._close(tx, head, walk, now)
                    return walk.count
        raise JournalBroken(trouble or f"the head is not that of entry {walk.count}")

    async def _close(self, tx: AsyncSession, head: Head, walk: Walk, now: datetime) -> None:
        old = await tx.scalars(
            select(KeyPrint).where(KeyPrint.retired_at.is_(None), KeyPrint.key_id != self._keys.newest)
        )
        retired = b""
        for row in old:
            row.retired_at = now
            retired += row.key_id
        head.retired = (head.retired or b"") + retired
        first = 1
        ranges = await _closed(tx)
        if walk.count >= walk.first:
            ranges.append(Closed(last_seq=walk.count, digest=walk.digest, retired=retired))
        for closed in ranges:
            closed.key_id = self._keys.newest
            closed.seal = range_seal(self._keys, first, closed)
            first = closed.last_seq + 1
            tx.add(closed)
        self.record(tx, KeysRotated(entries=walk.count, given_up=len(retired) // KEY_ID), by=None, now=now)

    async def mark(self, tx: AsyncSession) -> Mark | None:
        """The head to be kept outside, or nothing before the first seal."""
        head = await tx.get(Head, 1)
        return Mark(head.seq, head.hash, head.key_id, head.seal) if head is not None and head.seal else None

    def made(self, mark: Mark) -> bool:
        """Whether this installation made the mark, as far as its keys are still listed."""
        return mark.key_id not in self._keys.key_ids or head_seal(self._keys, mark) == mark.seal

    async def verify(
        self,
        tx: AsyncSession,
        *,
        since: Iterable[Mark] = (),
        witness: Witness | None = None,
        progress: Progress | None = None,
    ) -> tuple[int, str | None]:
        """Walk the chain: (number of entries, first thing that is wrong or nothing); raises KeyMissing.

        `since` are heads that left the house, `witness` knows what the entries must have said, `progress` is told now
        and then how many entries of how many were seen.
        """
        head = await tx.get(Head, 1)
        walk = Walk(self._keys, await _known(tx), await _closed(tx), since)
        told = partial(progress, head.seq) if progress is not None and head is not None else None
        trouble = await walked(tx, walk, witness=witness, progress=told)
        if trouble is None:
            trouble = walk.end()
        if trouble is not None:
            return walk.count, trouble
        if head is None or not head.seal:  # as `prepare` leaves it until the first fact
            return walk.count, None if walk.count == 0 else "the head is missing"
        if head.seq != walk.count or head.hash != walk.previous:
            return walk.count, f"the tail was cut after entry {walk.count}, the head says {head.seq}"
        return walk.count, walk.head(head) or (witness.trouble() if witness else None)


async def _known(tx: AsyncSession) -> list[bytes]:
    return list(await tx.scalars(select(KeyPrint.key_id)))


async def _closed(tx: AsyncSession) -> list[Closed]:
    return list(await tx.scalars(select(Closed).order_by(Closed.last_seq)))


async def prepare(tx: AsyncSession) -> None:
    """Make the head row once, at installation, so that PostgreSQL has a row to lock."""
    if await tx.get(Head, 1) is None:
        tx.add(Head(id=1, seq=0, hash=GENESIS, key_id=b"", seal=b""))
