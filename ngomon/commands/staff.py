"""`ngomon staff`: the directory that fills forms in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from backend.outside.clock import Clock
from backend.roles import staff as directory
from ngomon.commands.importing import Flags, flags, run


@click.group(help="The staff directory.")
def staff() -> None:
    """The group."""


@staff.command(name="import", help="Create or change staff from CSV or XLSX; first a plan.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--complete", is_flag=True, help="Whoever the file does not name, in the units that it names, has left."
)
@flags
def import_(file: Path, complete: bool, **chosen: Any) -> None:
    """Columns as in the contract; whoever is new needs national_id, full_name, birth_date and unit_code."""
    run(file, lambda kit: directory.StaffImport(kit, Clock().now(), complete=complete), Flags(**chosen))
