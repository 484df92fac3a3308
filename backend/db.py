"""Where everything is kept, and the only file that knows which engine keeps it.

SQLite: one writer at a time in this process, in the order of asking (rule 910), on a
library without the WAL-reset race (rule 910). PostgreSQL through asyncpg: READ COMMITTED to write, one
snapshot to read.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import CursorResult, DateTime, Dialect, MetaData, Row, Select, Update, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from backend import (
    lists,  # noqa: F401 - says how a list is sent to PostgreSQL
    trouble,
)
from backend.engines import empty_log, postgres_engine, sqlite_engines
from backend.hosts import Hosts
from backend.transaction import READY, Tx, Writers

PART = 1000  # rows that are read without a pause
Columns = TypeVarTuple("Columns")
AtCommit = Callable[[AsyncSession], Awaitable[None]]
AfterCommit = Callable[[], None]


class Base(DeclarativeBase):
    """Every table; names of constraints are spelled out so that both engines and migrations agree."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True
    python_type = datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the engine: UTC, naive for SQLite, which has no zones."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """From the engine: always aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7): unguessable, and in order of time, also within a millisecond (§6.2)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    finer = (rest << 12) // 1_000_000
    bits = (milliseconds << 80) | (7 << 76) | (finer << 64) | (2 << 62) | secrets.randbits(62)
    return UUID(int=bits)


def at_commit(tx: AsyncSession, key: str, action: AtCommit, *, first: bool = False) -> None:
    """Run `action` once as the last act inside this transaction; a second one of the same key is ignored.

    `first`: before what others wait for each other with, as the journal's seal.
    """
    known: dict[str, AtCommit] = tx.info.get("at_commit", {})
    if key not in known:
        tx.info["at_commit"] = {key: action} | known if first else known | {key: action}


def after_commit(tx: AsyncSession, action: AfterCommit) -> None:
    """Run `action` when this transaction has been committed, and never when it has not."""
    tx.info.setdefault("after_commit", []).append(action)


async def changed_one(tx: AsyncSession, statement: Update) -> bool:
    """Whether a conditional update found its row: of many at once one does (rule 204)."""
    done = await tx.execute(statement.execution_options(synchronize_session=False))
    return isinstance(done, CursorResult) and done.rowcount == 1


def insert_into(tx: AsyncSession, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """The engine's own INSERT, which knows ON CONFLICT."""
    insert = sqlite.insert if tx.get_bind().dialect.name == "sqlite" else postgresql.insert
    return insert(table)


async def one_after_another(tx: AsyncSession, *whats: str, leaning: bool = False) -> None:
    """Wait until no other transaction does any of `whats`, and keep others waiting until the commit.

    Those that are `leaning` on what it does wait for it and it for them, not for each other. Of several each waits
    in the same order. On SQLite whoever writes is alone already; the caller has written, or will.
    """
    if tx.get_bind().dialect.name == "postgresql" and whats:
        keys = sorted(map(lock_key, set(whats)))
        lock = "pg_advisory_xact_lock_shared" if leaning else "pg_advisory_xact_lock"
        if isinstance(tx, Tx) and not tx.in_transaction():  # the ORM's session need not begin for it
            await tx.wire.rows(f"SELECT {lock}(key) FROM unnest($1::bigint[]) AS key", (keys,))  # noqa: S608
            return
        locks = text(f"SELECT {lock}(key) FROM unnest(CAST(:keys AS bigint[])) AS key")  # noqa: S608 - one of two
        await tx.execute(locks, {"keys": keys})


async def in_parts(tx: AsyncSession, query: Select[*Columns]) -> AsyncIterator[Sequence[Row[*Columns]]]:
    """What a question answers, so many rows at a time: others of this process go on between them (rule 707)."""
    stream = await tx.stream(query.execution_options(yield_per=PART))
    async for rows in stream.partitions():
        yield rows


def has_waited(tx: AsyncSession) -> bool:
    """Whether others may have written since this transaction began: on SQLite whoever writes is alone."""
    return tx.get_bind().dialect.name != "sqlite"


def lock_key(what: str) -> int:
    """The number that `one_after_another` locks for `what` on PostgreSQL."""
    return int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)


class Database:
    """One database: `read()` for questions, `write()` for anything that changes.

    `engine` may write too, past both: for migrations and the checker.
    """

    engine: AsyncEngine
    hosts: Hosts  # of PostgreSQL only

    def __init__(self, url: str, *, ready: int = READY) -> None:
        """`ready`: connections that stay with the writers between transactions; most have few at once."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = asyncio.Lock()
        if self.is_sqlite:
            self._writer, self._reader = sqlite_engines(Path(self.url.database or ""))
            self.engine = self._writer
        else:
            self.hosts = Hosts(self.url)
            self._writer = postgres_engine(self.url, self.hosts, ready=ready)
            self.engine = self._writer.execution_options(isolation_level="READ COMMITTED")
            # a page that asks twice must be told of one moment, as SQLite's snapshots do
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")
        self._writers = Writers(self._writer, ready)
        self._read = async_sessionmaker(self._reader, expire_on_commit=False, info={"database": self})

    @property
    def file(self) -> Path | None:
        """The SQLite file, or nothing on PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for questions; nothing it does is kept. Raises StorageTrouble, as `write` does."""
        with trouble.named():
            async with self._read() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: leaving commits, raising takes everything back.

        On SQLite writers stand in line here instead of fighting in the engine, whose
        busy handler is not fair. No network call belongs inside.
        """
        line = self._turn if self.is_sqlite else nullcontext()
        with trouble.named():
            async with line, self._writers.transaction({"database": self}) as tx:
                yield tx
                await tx.settle()
                for action in list(tx.info.get("at_commit", {}).values()):
                    await action(tx)
        for action in tx.info.get("after_commit", ()):
            action()

    async def scrub(self) -> bool:
        """Leave old pages of SQLite in no file; False when a reader stands in the way, who is gone a moment later.

        Deleted rows are overwritten in their pages, but the log of writes keeps pages as they were (case A19).
        On PostgreSQL they stay until the engine overwrites them: docs/personal-data.md says what that means.
        """
        if self.file is None:
            return True
        async with self._turn:
            return await asyncio.to_thread(empty_log, self.file)

    async def prove_writable(self) -> None:
        """Write something that means nothing, for a database that answers may still have no room.

        Raises StorageTrouble. SQLite's own number of the application stays what it is; PostgreSQL's table lives
        as long as its transaction.
        """
        words = (
            "PRAGMA user_version = 0" if self.is_sqlite else "CREATE TEMPORARY TABLE room () ON COMMIT DROP"
        )
        async with self.write() as tx:
            await tx.execute(text(words))

    async def close(self) -> None:
        """Give every connection back."""
        await self._writers.close()
        await self._writer.dispose()
        await self._reader.dispose()
