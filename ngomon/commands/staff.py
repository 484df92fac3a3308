"""`ngomon staff`: the directory that fills forms in."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from backend.db import Database
from backend.imports import files
from backend.imports.plan import Imported
from backend.imports.rows import ImportRefused
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import staff as directory
from backend.settings import Settings
from ngomon.commands import bad_rows, by, opened, out


@click.group(help="The staff directory.")
def staff() -> None:
    """The group."""


@staff.command(name="import", help="Create or update staff from CSV or XLSX, all or nothing.")
@click.argument("file", type=click.Path(path_type=Path))
@by.option
def import_(file: Path) -> None:
    """Columns as in the contract; position, subject type, code, mail and phone may be empty."""

    async def bring_in(db: Database, kit: Kit, _: Settings) -> Imported:
        async with db.write() as tx:
            return await directory.bring_in(tx, kit, rows, by=None, now=Clock().now())

    try:
        rows = files.read(file, directory.COLUMNS, required=directory.REQUIRED)
        with out.status(f"{len(rows)} people…"):
            done = opened(bring_in)
    except ImportRefused as refused:
        raise bad_rows(file, refused) from refused
    out.print(f"{done.created} people created, {done.updated} updated")
