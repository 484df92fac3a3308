"""A PostgreSQL cluster of its own, or a standby of one.

`durable` waits for the disk at each commit, as in production: for a measurement.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.parts.processes import Part, free_port, scratch


class Postgres:
    """The cluster: `new_database(name)` answers an address for NGOMON_DATABASE_URL.

    `more` are further settings. One that is a `standby_of` a running cluster follows it until it is promoted.
    """

    def __init__(
        self,
        *,
        durable: bool = True,
        more: Mapping[str, str] | None = None,
        standby_of: Postgres | None = None,
    ) -> None:
        self.port = free_port()
        self._bin = _programs()
        self._server = _server() or self._bin
        self._user = _unprivileged_user()
        self.folder = folder = scratch("postgres")  # its socket lies there
        if self._user:
            shutil.chown(folder, self._user, self._user)
        self._data = folder / "data"
        if standby_of is None:
            self._run(
                self._server / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync",
            )  # fmt: skip
        else:
            where = f"host=127.0.0.1 port={standby_of.port} user=postgres"
            how = ("-R", "-X", "stream", "-c", "fast", "--no-sync")
            self._run("pg_basebackup", "-D", self._data, "-d", where, *how)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            "max_connections": "200",
            "fsync": "on" if durable else "off",
            "logging_collector": "off",
        } | dict(more or {})
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._part = Part(
            "postgres", [self._server / "postgres", "-D", self._data, *options], user=self._user
        )

    def start(self) -> None:
        """Bring it up if it is not; also after `stop` or `kill`, with the same data."""
        if not self._part.is_running:
            self._part.start(self._is_ready)

    def stop(self) -> None:
        """An orderly end that does not wait for clients."""
        self._part.stop(signal.SIGINT)

    @property
    def pid(self) -> int:
        """Of the server, whose children answer."""
        return self._part.pid

    def kill(self) -> None:
        """What a power cut does."""
        self._part.stop(signal.SIGKILL)

    def wait_for_standby(self) -> None:
        """From now on a commit is acknowledged when a standby has it too; one must be there."""
        self.say("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.say("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Of a standby: it is the one that writes from now on."""
        self.say("SELECT pg_promote()")

    def say(self, words: str) -> None:
        """A statement of the administrator's."""
        self._client("psql", "-q", "-c", words)

    def new_database(self, name: str, *, template: str = "template0") -> str:
        """An empty database, or a copy of one that has no connections; the old one of that name is gone."""
        self.drop_database(name)
        self._client("createdb", "-T", template, name)
        return self.url(name)

    async def a_new_database(self, name: str, *, template: str = "template0") -> str:
        """The same without holding up the event loop."""
        return await asyncio.to_thread(partial(self.new_database, name, template=template))

    def drop_database(self, name: str) -> None:
        """Away with it, whoever is still connected."""
        self._client("dropdb", "--if-exists", "--force", name)

    def files_hold(self, value: bytes) -> bool:
        """Whether these bytes stand in any file of the cluster: tables, indexes, its log of writes."""
        self._client("psql", "-q", "-c", "CHECKPOINT")
        return any(value in file.read_bytes() for file in self._data.rglob("*") if file.is_file())

    def url(self, name: str) -> str:
        """For NGOMON_DATABASE_URL."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    def _is_ready(self) -> bool:
        words = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(words, check=False).returncode == 0

    def _client(self, program: str, *words: str) -> None:
        self._run(program, "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *words)

    def _run(self, program: str | Path, *words: str | Path) -> None:
        command: list[str | Path] = [self._bin / program, *words]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"


def _server() -> Path | None:
    """The other server that somebody wants tried (`make postgres-newest`); the clients stay the machine's."""
    other = os.environ.get("POSTGRES_FOR_TESTS")
    return Path(other).resolve() if other else None


def _programs() -> Path:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if newest:
        return newest[-1].parent
    found = shutil.which("postgres")
    assert found, "no PostgreSQL server on this machine: `make test` installs it or says how"
    return Path(found).parent


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
