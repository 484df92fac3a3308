"""`ngomon doctor`: every counterpart and setting, one line each."""

from __future__ import annotations

import asyncio
import sys

import rich_click as click

from ngomon.commands import out, settings_now


@click.command(help="Check every counterpart and setting, one line each.")
def doctor() -> None:
    """Exit 1 when something is wrong."""
    from ngomon import doctor as checks
    from ngomon import logs

    logs.set_up(quiet=True)  # what the calls log goes to standard error, beside the lines
    if not asyncio.run(checks.examine(settings_now(), out)):
        sys.exit(1)
