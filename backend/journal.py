"""What happened, in an order that nobody can change unseen (design §4.11, security P7).

Entries are appended as the last act of the transaction that they describe. Each carries
the keyed hash of the one before, and the head row carries the newest under the same key,
so an edit, a gap and a cut tail are all found by `verify`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, LargeBinary, Row, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.crypto import KeyRing
from backend.db import Base, UtcDateTime, at_commit
from backend.facts import Fact, Operator

PURPOSE = "journal"
GENESIS = bytes(32)


class Entry(Base):
    """One fact, chained to the one before."""

    __tablename__ = "journal"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    tag: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[UUID | None] = mapped_column(index=True)
    by: Mapped[UUID | None]
    fact: Mapped[str] = mapped_column(Text)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Head(Base):
    """The chain's newest link; a row that every sealing transaction locks."""

    __tablename__ = "journal_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    seal: Mapped[bytes] = mapped_column(LargeBinary)


class Journal:
    """Writes and checks the chain with the installation's keys."""

    def __init__(self, keys: KeyRing, operator: Operator | None = None) -> None:
        self._keys, self._operator = keys, operator

    def record(self, tx: AsyncSession, fact: Fact, *, by: UUID | None, now: datetime) -> None:
        """Remember `fact` with this transaction; `by` is the acting account, or nothing for the machine.

        What a command records says who ran it.
        """
        if self._operator is not None:
            fact = msgspec.structs.replace(fact, operator=self._operator)
        tx.info.setdefault("facts", []).append((fact, by, now))
        at_commit(tx, "journal", self._seal)

    async def _seal(self, tx: AsyncSession) -> None:
        head = (await tx.execute(select(Head).where(Head.id == 1).with_for_update())).scalar_one_or_none()
        if head is None:
            head = Head(id=1, seq=0, hash=GENESIS, key_id=self._keys.newest, seal=b"")
            tx.add(head)
        for fact, by, now in tx.info.pop("facts"):
            body = msgspec.json.encode(fact).decode()
            link = Entry(
                seq=head.seq + 1,
                at=now,
                tag=str(fact.__struct_config__.tag),
                subject=fact.subject,
                by=by,
                fact=body,
                key_id=self._keys.newest,
            )
            link.hash = self._link(head.hash, link)
            head.seq, head.hash = link.seq, link.hash
            tx.add(link)
        head.key_id = self._keys.newest
        head.seal = self._head_seal(head)
        await tx.flush()

    def _link(self, previous: bytes, entry: Entry | Row[Any]) -> bytes:
        text = f"{entry.seq}|{entry.at.isoformat()}|{entry.tag}|{entry.subject}|{entry.by}|{entry.fact}"
        return self._keys.mac(PURPOSE, previous + text.encode(), entry.key_id)

    def _head_seal(self, head: Head) -> bytes:
        return self._keys.mac(f"{PURPOSE} head", b"%d|" % head.seq + head.hash, head.key_id)

    async def begin(self, tx: AsyncSession) -> None:
        """Seal the head of a journal in which nothing stands yet, so that a later wipe is seen."""
        head = await tx.get(Head, 1, with_for_update=True)
        if head is not None and not head.seal:
            head.key_id = self._keys.newest
            head.seal = self._head_seal(head)

    async def verify(self, tx: AsyncSession) -> tuple[int, str | None]:
        """Walk the chain: (number of entries, first thing that is wrong or nothing)."""
        head = await tx.get(Head, 1)
        previous, expected = GENESIS, 0
        rows = select(*Entry.__table__.columns)  # without objects, which would take most of the time
        async for entry in await tx.stream(rows.order_by(Entry.seq).execution_options(yield_per=500)):
            expected += 1
            if entry.seq != expected:
                return expected - 1, f"entry {expected} is missing"
            if entry.key_id not in self._keys.key_ids or self._link(previous, entry) != entry.hash:
                return expected - 1, f"entry {entry.seq} was altered"
            previous = entry.hash
        if head is None or not head.seal:  # as `prepare` leaves it until the first fact
            return expected, None if expected == 0 else "the head is missing"
        if head.seq != expected or head.hash != previous:
            return expected, f"the tail was cut after entry {expected}, the head says {head.seq}"
        if head.key_id not in self._keys.key_ids or self._head_seal(head) != head.seal:
            return expected, "the head was altered"
        return expected, None


async def prepare(tx: AsyncSession) -> None:
    """Make the head row once, at installation, so that PostgreSQL has a row to lock."""
    if await tx.get(Head, 1) is None:
        tx.add(Head(id=1, seq=0, hash=GENESIS, key_id=b"", seal=b""))
