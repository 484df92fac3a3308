"""The hot question of every call: whose token is this, and is it still good? (rule 312)

It goes past SQLAlchemy on purpose: one prepared statement on this process's own connection,
a primary or unique key each time. PostgreSQL takes a round trip for the question and one
for the proof; SQLite answers in the calling thread, in a few microseconds.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from backend import trouble
from backend.counting import DATABASE, took
from backend.db import Database
from backend.devices.proofs import InvalidProof
from backend.devices.seen import SeenProofs
from backend.engines import sqlite_connection
from backend.words import mark as _

KEPT = 50_000
COLUMNS = """
    s.id, s.account_id, s.kind, s.jkt, s.access_expires_at, s.absolute_expires_at, s.ended_at, s.end_reason,
    s.assurance_level, s.authenticated_at, s.last_seen_at, s.epoch, a.epoch, a.active_session_id, a.status, a.version,
    n.device_name, s.method
"""
QUESTION = f"""
    SELECT {COLUMNS} FROM sessions s
    JOIN accounts a ON a.id = s.account_id
    LEFT JOIN sessions n ON n.id = s.replaced_by
    WHERE s.access_hash = """  # noqa: S608 - no outside text in it


class Found(NamedTuple):
    """One session with its account's slot; times are aware UTC."""

    session_id: UUID
    account_id: UUID
    kind: str
    jkt: str | None
    access_expires_at: datetime
    absolute_expires_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    level: int
    authenticated_at: datetime
    last_seen_at: datetime
    holds_slot: bool
    status: str
    version: int
    newer_device: str | None
    method: str


class Reader(Protocol):
    """Answers by token hash; remembers a proof first where there is one."""

    async def find(self, access_hash: bytes) -> Found | None:
        """The session of this token, live or ended."""

    async def remember(self, seen_id: bytes, until: int) -> None:
        """Accept a proof once; raises InvalidProof when it has been seen (RFC 9449 §11.1)."""

    async def close(self) -> None:
        """Give the connection back."""


def reader_of(database: Database, *, proof_life: int) -> Reader:
    """The reader for this database; proofs are accepted within `proof_life` seconds."""
    return SqliteReader(database, proof_life) if database.is_sqlite else PostgresReader(database)


class SqliteReader:
    """Reads directly, and keeps an answer until anybody commits anything: SQLite's `data_version` tells (D4 of
    performance.md), so an ended session is out at its very next call here too.

    Proofs have a file of their own, so that remembering never waits for the one writer.
    """

    def __init__(self, database: Database, proof_life: int) -> None:
        assert database.file is not None
        self._connection = sqlite_connection(database.file)
        self._connection.execute("PRAGMA query_only=ON")
        self._known: OrderedDict[bytes, Found] = OrderedDict()
        self._data_version = -1
        self._seen = SeenProofs(database.file.with_suffix(".proofs"), life=proof_life)

    async def find(self, access_hash: bytes) -> Found | None:
        """One join by unique key, where something was committed since the last one."""
        with trouble.named():
            return self._find(access_hash)

    def _find(self, access_hash: bytes) -> Found | None:
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._known.clear()
            self._data_version = version  # read before the question, so what comes after asks again
        known = self._known.get(access_hash)
        if known is not None:
            return known
        begun = perf_counter()
        row = self._connection.execute(QUESTION + "?", (access_hash,)).fetchone()
        took(DATABASE, perf_counter() - begun, "hot")
        if row is None:
            return None
        found = self._known[access_hash] = _found(row, UUID, _time)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found

    async def remember(self, seen_id: bytes, until: int) -> None:
        """This process serves alone, so its memory decides."""
        with trouble.named():
            fresh = self._seen.add(seen_id, until)
        if not fresh:
            raise InvalidProof(_("Bằng chứng DPoP đã được dùng"))

    async def close(self) -> None:
        """Close both files."""
        self._connection.close()
        self._seen.close()


class PostgresReader:
    """Reads on connections of its own by prepared statements; proofs are rows that every process sees."""

    def __init__(self, database: Database) -> None:
        self._hosts = database.hosts
        self._pool: Any = None
        self._making = asyncio.Lock()

    async def _connections(self) -> Any:
        async with self._making:
            if self._pool is None:
                import asyncpg

                connect: Any = self._hosts.connect
                self._pool = await asyncpg.create_pool(connect=connect, min_size=0, max_size=8)
        return self._pool

    async def find(self, access_hash: bytes) -> Found | None:
        """One join by unique key."""
        with trouble.named():
            pool = self._pool or await self._connections()
            begun = perf_counter()
            row = await pool.fetchrow(QUESTION + "$1", access_hash)
            took(DATABASE, perf_counter() - begun, "hot")
        return _found(row, _same, _same) if row else None

    async def remember(self, seen_id: bytes, until: int) -> None:
        """One insert that either makes the row or finds it, on every process alike."""
        with trouble.named():
            pool = self._pool or await self._connections()
            done = await pool.execute(
                "INSERT INTO seen_proofs VALUES ($1, $2) ON CONFLICT DO NOTHING", seen_id, until
            )
        if done != "INSERT 0 1":
            raise InvalidProof(_("Bằng chứng DPoP đã được dùng"))

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()


def _found(row: Any, uuid: Any, time: Any) -> Found:
    session_id = uuid(row[0])
    slot = uuid(row[13]) if row[13] is not None else None
    return Found(
        session_id=session_id,
        account_id=uuid(row[1]),
        kind=row[2],
        jkt=row[3],
        access_expires_at=time(row[4]),
        absolute_expires_at=time(row[5]),
        ended_at=time(row[6]) if row[6] is not None else None,
        end_reason=row[7],
        level=row[8],
        authenticated_at=time(row[9]),
        last_seen_at=time(row[10]),
        holds_slot=row[2] != "mobile" or (slot == session_id and row[11] == row[12]),
        status=row[14],
        version=row[15],
        newer_device=row[16],
        method=row[17],
    )


def _same(value: Any) -> Any:
    return value


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
