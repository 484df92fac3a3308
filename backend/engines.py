"""How the two engines are opened: which pragmas, which pools, and who says BEGIN.

SQLite has one connection that writes and some that read. On PostgreSQL transactions that write are begun by
`backend/transaction.py`, on connections that begin none by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

import aiosqlite
import pysqlite3
from sqlalchemy import URL, event
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from backend import trouble
from backend.counting import DATABASE, took

CLASSES = {"SELECT": "read", "WITH s": "read", "INSERT": "write", "UPDATE": "write", "DELETE": "write"}
SAFE_WAL = (3, 51, 3)  # older releases can lose commits in WAL with several connections (rule 910)


class SqliteConnection(aiosqlite.Connection):
    """A connection with its thread; `plain` is the same one for what takes microseconds."""

    plain: Any

    def __init__(self, file: Path) -> None:
        super().__init__(lambda: self._opened(file), iter_chunk_size=64)
        self._end: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """Once: the thread is gone after the first time, and whoever asks again waits for that same end (case W21)."""
        if self._end is None:
            self._end = super().stop()
        return self._end

    async def close(self) -> None:
        """What was begun is done first. A call that is cancelled twice may stop it while another closes it."""
        if self._connection is not None and (end := self.stop()) is not None:
            await asyncio.shield(end)

    def _opened(self, file: Path) -> Any:
        self.plain = sqlite_connection(file)
        return self.plain


def sqlite_engines(file: Path) -> tuple[AsyncEngine, AsyncEngine]:
    """The one that writes, and the one that reads."""
    if not file.name:
        raise ValueError("NGOMON_DATABASE_URL: an SQLite address needs a file")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    # whoever writes ends its own transaction, or gives the connection up (backend/transaction.py)
    writer = _sqlite_engine(file, StaticPool, {"pool_reset_on_return": None})
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    few = {"pool_size": 4, "max_overflow": 0, "pool_recycle": 3600}  # a new one knows of newer statistics
    reader = _sqlite_engine(file, AsyncAdaptedQueuePool, few)
    event.listen(reader.sync_engine, "begin", _begin_snapshot)
    for engine in (writer, reader):
        _measure(engine)
    return writer, reader


def postgres_engine(url: URL) -> AsyncEngine:
    """Connections that begin nothing by themselves; `execution_options(isolation_level=…)` makes one that does."""
    # a process that freezes inside a transaction must not keep its locks (cases TF07, TF09)
    own = {
        "application_name": "ngomon",
        "idle_in_transaction_session_timeout": trouble.IDLE_IN_TRANSACTION,
    }
    engine = create_async_engine(
        url,
        pool_size=16,
        max_overflow=8,
        pool_pre_ping=True,
        hide_parameters=True,  # an error in the log must not say what was being written
        isolation_level="AUTOCOMMIT",
        connect_args={"server_settings": own},
    )
    _measure(engine)
    return engine


def sqlite_connection(file: Path) -> Any:
    """A direct connection with the settings that the rules want; reads on the hot path use it too."""
    connection = pysqlite3.connect(str(file), isolation_level=None, timeout=10, check_same_thread=False)
    for pragma in (
        f"journal_mode={'WAL' if pysqlite3.sqlite_version_info >= SAFE_WAL else 'DELETE'}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "trusted_schema=OFF",
        "secure_delete=ON",  # what is erased is overwritten, not only forgotten (case A19)
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def empty_log(file: Path) -> bool:
    """Bring SQLite's log of writes into the file and cut it; False when a reader stands in the way."""
    with contextlib.closing(sqlite_connection(file)) as connection:
        connection.execute("PRAGMA busy_timeout=1000").fetchall()
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(busy == 0)


def _sqlite_engine(file: Path, pool: type[Any], options: dict[str, Any]) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        connection = SqliteConnection(file)
        return await connection

    return create_async_engine(
        "sqlite+aiosqlite://",
        module=_adapted(),
        async_creator=connect,
        poolclass=pool,
        hide_parameters=True,
        **options,
    )


def _adapted() -> AsyncAdapt_aiosqlite_dbapi:
    """The driver as SQLAlchemy wants it, with the errors of pysqlite3 and not those of the standard module."""
    driver = AsyncAdapt_aiosqlite_dbapi(aiosqlite, pysqlite3)
    for name in (
        "Error",
        "DatabaseError",
        "IntegrityError",
        "NotSupportedError",
        "OperationalError",
        "ProgrammingError",
    ):
        setattr(driver, name, getattr(pysqlite3, name))
    return driver


def _measure(engine: AsyncEngine) -> None:
    """Count how long the ORM's statements take; those of `backend/statements.py` count themselves."""
    event.listen(engine.sync_engine, "before_cursor_execute", _statement_begins)
    event.listen(engine.sync_engine, "after_cursor_execute", _statement_ends)


def _statement_begins(connection: Any, *_: Any) -> None:
    connection.info["begun"] = time.perf_counter()


def _statement_ends(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    took(DATABASE, time.perf_counter() - connection.info["begun"], CLASSES.get(statement[:6], "other"))


def _begin_immediate(connection: Any) -> None:
    """For who writes past `Database.write`: migrations and the checker; there the transaction has begun."""
    if not connection.connection.driver_connection.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_snapshot(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
