"""`ngomon keys`: the installation's encryption keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from ngomon.commands import by, opened, out
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from backend.db import Database
    from backend.kit import Kit
    from backend.settings import Settings
    from ngomon import rekey


@click.group(help="Keys: make a new one, re-encrypt with the newest.")
def keys() -> None:
    """The group."""


@keys.command(help="Print a fresh key for the front of NGOMON_SECRET_KEYS.")
def new() -> None:
    """32 random bytes as base64."""
    from backend.crypto import new_secret_key

    click.echo(new_secret_key())


@keys.command(
    help="Re-encrypt everything with the newest key, and give the older ones up; may be started again."
)
@by.option
def rotate() -> None:
    """Put the new key first in NGOMON_SECRET_KEYS, restart, then run this."""
    from backend.crypto import Unreadable
    from backend.journal import JournalBroken
    from backend.outside.clock import Clock
    from ngomon import rekey

    async def work(db: Database, kit: Kit, _: Settings) -> rekey.Report:
        told = lambda field, count: out.print(f"{field}: {count}")  # noqa: E731
        return await rekey.rotate(db, kit, told, now=Clock().now())

    try:
        report = opened(work, storage_only=True)
    except Unreadable as trouble:
        raise Wrong(
            f"a value of {trouble} opens with no listed key; what came before it is done"
        ) from trouble
    except JournalBroken as trouble:
        raise Wrong(f"journal is broken: {trouble}; no key was given up") from trouble
    out.print(f"{report.rewritten} values sealed anew; none is left under an older key")
    if report.closed is not None:
        out.print(
            f"journal closed up to entry {report.closed}: older keys are given up and may be taken from the list"
        )
