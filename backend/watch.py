"""Whether anybody has written since one last looked: what lets those wait cheaply who look for something due."""

from __future__ import annotations

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
