"""`ngomon notices`: announcements that everybody sees first."""

from __future__ import annotations

from datetime import datetime

import rich_click as click

from backend.db import Database
from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.support import notices as registry
from ngomon.commands import by, opened, out
from ngomon.commands.wrong import Wrong


@click.group(help="Announcements that everybody sees first.")
def notices() -> None:
    """The group."""


@notices.command(help="Say something to everybody, to the end of a day if one is given.")
@click.option("--title", required=True)
@click.option("--body", required=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), default=None, help="The last day, as YYYY-MM-DD.")
@by.option
def publish(title: str, body: str, until: datetime | None) -> None:
    """An announcement may warn of people who ask for secrets, and may not ask for one itself."""

    async def write(db: Database, kit: Kit, _: Settings) -> None:
        async with db.write() as tx:
            last = until.date() if until else None
            registry.publish(tx, kit, title=title, body=body, until=last, now=Clock().now())

    try:
        opened(write)
    except FieldsInvalid as refusal:
        words = "; ".join(f"{one.field}: {one.message}" for one in refusal.fields)
        raise Wrong(f"not published: {words}") from refusal
    out.print("published")
