"""`ngomon serve` and `ngomon worker`: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import rich_click as click

from ngomon.commands import opened, out, settings_now
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from backend.db import Database
    from backend.settings import Settings


@click.command(help="Run the API and the workspace.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """On SQLite one process, which carries the worker too."""
    from ngomon import logs, server

    settings = settings_now()
    if settings.is_demo and not server.is_loopback(host):
        raise Wrong(
            f"--host {host}: the demo opens its inbox and its e-ID to whoever comes, so it is served on this machine "
            "only (127.0.0.1, ::1, localhost); other machines get NGOMON_PROFILE=production"
        )
    logs.set_up(quiet=False)
    if workers > 1 and settings.database_url.startswith("sqlite"):
        raise Wrong("SQLite takes one server process; use PostgreSQL for --workers above 1")
    db = _ready(settings)
    from ngomon.app import create_app  # whoever is refused above need not wait for it

    with server.only_one(db):
        sockets = server.bound(host, port)
        app = create_app(settings).asgi if workers == 1 else "ngomon.app:from_environment"
        out.print(f"serving on http://{host}:{port}, processes: {workers}, {described(db)}")
        server.serve(app, sockets, settings=settings, workers=workers)


@click.command(help="Deliver to the downstream systems; on PostgreSQL any number may run.")
@click.option(
    "--health-port", type=click.IntRange(1, 65535), help="Answer /health/live and /health/ready there."
)
@click.option("--health-host", default="127.0.0.1", show_default=True, help="The address of --health-port.")
def worker(health_port: int | None, health_host: str) -> None:
    """The same loop that a server on SQLite carries."""
    import uvloop

    from ngomon import alone, logs, server

    settings = settings_now()
    logs.set_up(quiet=False)
    db = _ready(settings)
    with server.only_one(db):
        doors = server.bound(health_host, health_port) if health_port is not None else []
        out.print(f"delivering to the downstream systems, {described(db)}")
        server.keep_loaded()
        uvloop.run(alone.run_worker(settings, doors))


def described(db: Database) -> str:
    """Which database, without what lets one in."""
    if db.is_sqlite:
        return f"SQLite {db.file}"
    return f"PostgreSQL {db.url.host or db.url.query.get('host', 'of this machine')}/{db.url.database}"


def _ready(settings: Settings) -> Database:
    """The database, once it has the newest schema and these are the keys of its data."""
    from backend.db import Database
    from ngomon import migrations
    from ngomon.commands.causes import database_asked

    with database_asked():
        db = Database(settings.database_url)
        if not asyncio.run(migrations.is_current(settings.database_url)):
            raise Wrong("the database does not have the newest schema: run `ngomon migrate` first")

    async def admitted(*_: object) -> None:
        """What every job asks before it begins."""

    opened(admitted)
    return db
