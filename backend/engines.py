"""How the two engines are opened: which pragmas, which pools, and who says BEGIN.

SQLite has one connection that writes and some that read. On PostgreSQL transactions that write are begun by
`backend/transaction.py`, on connections that begin none by themselves.
"""

from __future__ import annotations

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
from backend.hosts import Hosts
from backend.sqlite_cursor import SqliteConnection

CLASSES = {"SELECT": "read", "WITH s": "read", "INSERT": "write", "UPDATE": "write", "DELETE": "write"}
BUSY, BUSY_MILLISECONDS = 5, 10_000  # another connection writes; how long that is waited for
STATEMENTS = 512  # kept prepared by a connection: more than there are
SAFE_WAL = (3, 51, 3)  # older releases can lose commits in WAL with several connections (rule 910)


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


def postgres_engine(url: URL, hosts: Hosts, *, ready: int) -> AsyncEngine:
    """Connections that begin nothing by themselves; `execution_options(isolation_level=…)` makes one that does.

    At least as many as are `ready` for writers stay open.
    """
    engine = create_async_engine(
        url,
        pool_size=max(16, ready),
        max_overflow=8,
        pool_pre_ping=True,
        hide_parameters=True,  # an error in the log must not say what was being written
        isolation_level="AUTOCOMMIT",
        async_creator=hosts.connect,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    _measure(engine)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """A process that freezes inside a transaction must not keep its locks (cases TF07, TF09).

    Nothing of ours runs so long that it is worth being compiled first: of a statement with hundreds of parts PostgreSQL
    compiles for a tenth of a second what it then does in ten milliseconds (rule 912).

    Said on the connection and not as it begins, where a pooler with a session for each of us would refuse it.
    """
    limit = f"SET idle_in_transaction_session_timeout = '{trouble.IDLE_IN_TRANSACTION}'"
    connection.run_async(lambda driver: driver.execute(f"{limit}; SET jit = off"))


def sqlite_connection(file: Path) -> Any:
    """A direct connection with the settings that the rules want; reads on the hot path use it too."""
    connection = pysqlite3.connect(
        str(file), isolation_level=None, timeout=10, check_same_thread=False, cached_statements=STATEMENTS
    )
    for pragma in (
        f"journal_mode={'WAL' if pysqlite3.sqlite_version_info >= SAFE_WAL else 'DELETE'}",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MILLISECONDS}",
        "trusted_schema=OFF",
        "secure_delete=ON",  # what is erased is overwritten, not only forgotten (case A19)
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def is_busy(error: Exception) -> bool:
    """Whether SQLite says that somebody else is writing."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == BUSY


def empty_log(file: Path) -> bool:
    """Bring SQLite's log of writes into the file and cut it; False when a reader stands in the way."""
    with contextlib.closing(sqlite_connection(file)) as connection:
        connection.execute("PRAGMA busy_timeout=1000").fetchall()
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(busy == 0)


def _sqlite_engine(file: Path, pool: type[Any], options: dict[str, Any]) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        connection = SqliteConnection(lambda: sqlite_connection(file))
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
