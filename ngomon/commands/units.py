"""`ngomon units`: the agencies of the province and their parts."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from backend.db import Database
from backend.imports import files
from backend.imports.rows import ImportRefused
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import units as registry
from backend.settings import Settings
from ngomon.commands import bad_rows, by, opened, out


@click.group(help="Units: agencies and their parts.")
def units() -> None:
    """The group."""


@units.command(name="import", help="Create or update units from CSV or XLSX, all or nothing.")
@click.argument("file", type=click.Path(path_type=Path))
@by.option
def import_(file: Path) -> None:
    """Columns: code, name, parent_code, agency_code, kind."""

    async def bring_in(db: Database, kit: Kit, _: Settings) -> registry.Imported:
        async with db.write() as tx:
            return await registry.bring_in(tx, kit, rows, by=None, now=Clock().now())

    try:
        rows = files.read(file, registry.COLUMNS, required=registry.REQUIRED)
        with out.status(f"{len(rows)} units…"):
            done = opened(bring_in)
    except ImportRefused as refused:
        raise bad_rows(file, refused) from refused
    out.print(f"{done.created} units created, {done.updated} updated")
