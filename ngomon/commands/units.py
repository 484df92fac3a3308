"""`ngomon units`: the agencies of the province and their parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from backend.outside.clock import Clock
from backend.roles import units as registry
from ngomon.commands.importing import Flags, flags, run


@click.group(help="Units: agencies and their parts.")
def units() -> None:
    """The group."""


@units.command(name="import", help="Create or change units from CSV or XLSX; first a plan.")
@click.argument("file", type=click.Path(path_type=Path))
@flags
def import_(file: Path, **chosen: Any) -> None:
    """Columns: code, name, parent_code (- for a root), agency_code, kind; what the file lacks stays as it is."""
    run(file, lambda kit: registry.UnitsImport(kit, Clock().now()), Flags(**chosen))
