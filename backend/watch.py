"""Whether anybody has written since one last looked: what lets those wait cheaply who look for something due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from backend.db import Database
from backend.engines import sqlite_connection


class Watch:
    """Of one database and process; made where it is used, closed by whoever made it."""

    def __init__(self, database: Database) -> None:
        self._file = database.file
        self._connection: Any = None

    def version(self) -> int | None:
        """Another number after every commit of whichever process; nothing on PostgreSQL, where nobody can say.

        A few microseconds, without waiting for anything: SQLite reads it from memory that all connections share.
        """
        if self._file is None:
            return None
        if self._connection is None:
            self._connection = sqlite_connection(self._file)
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class OnceWritten:
    """A job of rounds that finds work in what somebody has written, or in what is `due` by now; else it is not begun.

    One that fails is begun again, whoever has written; on PostgreSQL it is always begun.
    """

    def __init__(
        self, watch: Watch, job: Callable[[], Awaitable[None]], *, due: Callable[[], bool] = lambda: False
    ) -> None:
        self._watch, self._job, self._due = watch, job, due
        self._seen: int | None = None

    async def __call__(self) -> None:
        """One round; what is written while the job runs is for the next one."""
        version = self._watch.version()
        if version is not None and version == self._seen and not self._due():
            return
        await self._job()
        self._seen = version
