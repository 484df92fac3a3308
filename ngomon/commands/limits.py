"""`ngomon limits`: what is in force."""

from __future__ import annotations

import rich_click as click

from ngomon.commands import settings_now, show


@click.command(help="Print every limit in force.")
def limits() -> None:
    """Seconds and counts, by the names under which they are set."""
    found = settings_now().limits
    show(
        ("setting", "value"),
        [(f"NGOMON_LIMIT_{name.upper()}", str(getattr(found, name))) for name in found.__struct_fields__],
    )
