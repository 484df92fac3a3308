"""`ngomon migrate`: the newest schema."""

from __future__ import annotations

import asyncio
import os

import rich_click as click

from backend.environment import load, with_keys
from ngomon.commands import out


@click.command(help="Bring the database to the newest schema.")
def migrate() -> None:
    """Safe to repeat; it needs database and keys, and asks for nothing else."""
    from backend.crypto import KeyRing
    from ngomon import migrations
    from ngomon.commands.causes import database_asked

    settings = with_keys(load(os.environ, storage_only=True))
    with database_asked():
        asyncio.run(_whole(settings.database_url))
        asyncio.run(migrations.migrate(settings.database_url, KeyRing.parse(settings.secret_keys)))
    out.print("database is at the newest schema")


async def _whole(url: str) -> None:
    from backend.db import Database
    from ngomon.commands.opening import refuse_half

    db = Database(url)
    try:
        await refuse_half(db)
    finally:
        await db.close()
