"""Runs the server processes; SQLite takes one at a time, and says so (rule 1002)."""

from __future__ import annotations

import fcntl
import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.db import Database
from backend.errors import CannotStart
from backend.settings import Settings

HEALTH_SECONDS = 60  # the supervisor kills a process that is silent so long; a busy one is not a dead one


class Busy(CannotStart):
    """Another server or worker has this SQLite database."""


class NotBound(CannotStart):
    """Nobody can be served at that address."""


@contextmanager
def only_one(db: Database) -> Iterator[None]:
    """Hold the SQLite database's server lock; raises Busy when somebody else does. PostgreSQL needs none."""
    if db.file is None:
        yield
        return
    lock = Path(f"{db.file}.server")
    with os.fdopen(os.open(lock, os.O_CREAT | os.O_RDWR, 0o600), "w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(
                f"{db.file}: another server or worker is running on this SQLite database; "
                "stop it first, or move to PostgreSQL to run several"
            ) from error
        yield


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches that address; a name other than `localhost` may lead anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> list[socket.socket]:
    """That port of every address of the host, taken; raises NotBound. Who calls before we serve waits."""
    taken: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            taken.append(socket.create_server(address, family=family))
    except OSError as error:
        for one in taken:
            one.close()
        raise NotBound(f"cannot serve on {host} port {port}: {error.strerror}") from error
    return taken


def options(settings: Settings) -> dict[str, Any]:
    """How the server library serves us; tests serve with the same."""
    from ngomon.connection import connections

    limits = settings.limits
    return {
        "loop": "uvloop",
        "http": connections(limits, settings.public_url),
        "ws": "none",
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "date_header": True,
        "timeout_graceful_shutdown": limits.drain,
        "timeout_keep_alive": limits.idle_seconds,
        "timeout_worker_healthcheck": HEALTH_SECONDS,
        "proxy_headers": False,
    }


def keep_loaded() -> None:
    """What this process has loaded stays for its life: no look for garbage goes through it again.

    Each full look took an eighth of a second, in which everybody waited.
    """
    gc.freeze()


def serve(app: Any, sockets: list[socket.socket], *, settings: Settings, workers: int = 1) -> None:
    """Run until told to stop; `app` is an application, or the name of a factory where there are several workers."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from ngomon.quiet import QuietServer

    config = uvicorn.Config(app, factory=isinstance(app, str), workers=workers, **options(settings))
    if workers == 1:
        keep_loaded()
        QuietServer(config).run(sockets)
    else:
        Multiprocess(config, sockets).run()
