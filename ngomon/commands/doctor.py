"""`ngomon doctor`: every counterpart and setting, one line each."""

from __future__ import annotations

import asyncio
import sys

import rich_click as click

from ngomon.commands import out, settings_now


@click.command(help="Check every counterpart and setting, one line each.")
@click.option("--deep", is_flag=True, help="Look at what is stored as well; reads only.")
@click.option(
    "--rows", default=2000, show_default=True, type=click.IntRange(1, 100_000), help="Of --deep, a statement."
)
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(0, 86_400), help="Of --deep, in all."
)
def doctor(deep: bool, rows: int, seconds: float) -> None:
    """Exit 1 when something is wrong; 2 when --deep found nothing wrong and did not come to the end."""
    from ngomon import deep as stored
    from ngomon import doctor as checks
    from ngomon import logs

    settings = settings_now()
    logs.set_up(quiet=True)  # what the calls log goes to standard error, beside the lines
    well, whole = asyncio.run(checks.examine(settings, out)), True
    if deep:
        right, whole = asyncio.run(stored.examine(settings, out, rows=rows, seconds=seconds))
        well = well and right
    if not well:
        sys.exit(1)
    if not whole:
        sys.exit(2)
