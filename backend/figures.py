"""Totals of what every process counts, kept in the database, so that any server tells of all (decision 0030; case O03).

A total only grows, whichever process is asked: what a process has counted and not kept yet is told by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import BigInteger, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend import counting
from backend.counting import DATABASE, Key
from backend.db import Base, Database, after_commit, insert_into
from backend.retention import Stays

KEEP_SECONDS = 15
WORKER = "worker_seen"  # not counted: when a worker last said that it is there, in seconds of Unix time
_here: WeakKeyDictionary[Database, int] = (
    WeakKeyDictionary()
)  # the same on SQLite, where one process does everything


class Total(Base):
    """How often something has happened in all; `labels` is a JSON list."""

    __tablename__ = "figures"
    retention = Stays("one row for each figure and label, some hundred")

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    labels: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


async def keep(db: Database) -> None:
    """Add what this process has counted to the totals; what statements took alone is worth no statement."""
    counts = counting.take()
    if not any(name != DATABASE for name, _ in counts):
        counting.give_back(counts)
        return
    rows = [
        {"name": name, "labels": msgspec.json.encode(labels).decode(), "value": many}
        for (name, labels), many in sorted(
            counts.items()
        )  # in one order: others keep theirs at the same time
    ]
    try:
        async with db.write() as tx:
            new = insert_into(tx, Total)
            more = {"value": Total.value + new.excluded.value}
            await _write(tx, new.on_conflict_do_update(index_elements=["name", "labels"], set_=more), rows)
    except BaseException:
        counting.give_back(counts)
        raise


async def worker_is_here(db: Database, now: datetime) -> None:
    """Let any server tell that a worker lives.

    On SQLite that is this very process, which remembers it: a row would wake everybody who waits for something written.
    """
    if db.is_sqlite:
        _here[db] = int(now.timestamp())
        return
    async with db.write() as tx:
        new = insert_into(tx, Total)
        said = new.on_conflict_do_update(
            index_elements=["name", "labels"], set_={"value": new.excluded.value}
        )
        await _write(tx, said, [{"name": WORKER, "labels": "[]", "value": int(now.timestamp())}])


def counted(tx: AsyncSession, name: str, *labels: str) -> None:
    """It happens if this transaction is committed."""
    after_commit(tx, partial(counting.count, name, *labels))


def lasted(tx: AsyncSession, name: str, since: datetime, now: datetime) -> None:
    """The same of something that has taken so long."""
    after_commit(tx, partial(counting.took, name, (now - since).total_seconds()))


async def totals(tx: AsyncSession) -> Mapping[Key, int]:
    """Everything that is kept."""
    rows = await tx.execute(select(Total.name, Total.labels, Total.value))
    kept = {(name, msgspec.json.decode(labels, type=tuple[str, ...])): value for name, labels, value in rows}
    here = _here.get(tx.info["database"])
    return kept if here is None else kept | {(WORKER, ()): here}


async def _write(tx: AsyncSession, statement: Any, rows: list[dict[str, Any]]) -> None:
    await (await tx.connection()).execute(statement, rows)
