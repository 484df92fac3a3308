"""Runs the server processes; SQLite takes one at a time, and says so (rule 1002)."""

from __future__ import annotations

import fcntl
import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.db import Database
from backend.limits import Limits

HEALTH_SECONDS = 60  # the supervisor kills a process that is silent so long; a busy one is not a dead one


class Busy(Exception):
    """Another server or worker has this SQLite database."""


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


def options(limits: Limits) -> dict[str, Any]:
    """How the server library serves us; tests serve with the same."""
    from ngomon.connection import connections

    return {
        "loop": "uvloop",
        "http": connections(limits),
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


def serve(app: Any, *, host: str, port: int, limits: Limits, workers: int = 1) -> None:
    """Run until told to stop; `app` is an application, or the name of a factory where there are several workers."""
    import uvicorn

    from ngomon.quiet import QuietServer

    if workers == 1:
        QuietServer(uvicorn.Config(app, host=host, port=port, **options(limits))).run()
    else:
        uvicorn.run(
            app, factory=isinstance(app, str), host=host, port=port, workers=workers, **options(limits)
        )
