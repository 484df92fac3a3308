"""`ngomon notices`: announcements that everybody sees first."""

from __future__ import annotations

from datetime import date

import rich_click as click

from backend.db import Database
from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.support import notices as registry
from ngomon.commands import by, opened, out
from ngomon.commands.importing import day
from ngomon.commands.wrong import Wrong


@click.group(help="Announcements that everybody sees first.")
def notices() -> None:
    """The group."""


@notices.command(help="Say something to everybody, to the end of a day if one is given.")
@click.option("--title", required=True)
@click.option("--body", required=True)
@click.option("--until", callback=day, help="The last day, dd/mm/yyyy.")
@by.option
def publish(title: str, body: str, until: date | None) -> None:
    """An announcement may warn of people who ask for secrets, and may not ask for one itself."""

    async def write(db: Database, kit: Kit, _: Settings) -> None:
        async with db.write() as tx:
            registry.publish(tx, kit, title=title, body=body, until=until, now=Clock().now())

    try:
        opened(write)
    except FieldsInvalid as refusal:
        words = "; ".join(f"{one.field}: {one.message}" for one in refusal.fields)
        raise Wrong(f"not published: {words}") from refusal
    out.print("published")
