"""A real PgBouncer before a PostgreSQL, on loopback; `mode` says for how long it hands a connection out."""

from __future__ import annotations

import os
import shutil

from tests.parts.dovecot import program
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens, scratch

CONFIG = """
[databases]
* = host=127.0.0.1 port={postgres} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
{more}
"""


class PgBouncer:
    """`url(name)` leads to a database of that PostgreSQL through the pooler; `more` are further settings."""

    def __init__(self, behind: Postgres, *, mode: str = "transaction", size: int = 3, more: str = "") -> None:
        self.port = free_port()
        folder = scratch("pgbouncer")
        (folder / "users").write_text('"postgres" ""\n', encoding="utf-8")
        text = CONFIG.format(
            postgres=behind.port, port=self.port, folder=folder, mode=mode, size=size, more=more
        )
        (folder / "pgbouncer.ini").write_text(text, encoding="utf-8")
        user = "postgres" if os.geteuid() == 0 else None  # it refuses to be root
        if user:
            folder.chmod(0o755)
            shutil.chown(folder, user)
        self._part = Part("pgbouncer", [program("pgbouncer"), folder / "pgbouncer.ini"], user=user)

    def start(self) -> None:
        """Listening."""
        self._part.start(lambda: listens(self.port))

    def stop(self) -> None:
        """Gone."""
        self._part.stop()

    def url(self, name: str) -> str:
        """For NGOMON_DATABASE_URL."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"
