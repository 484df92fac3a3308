"""`ngomon keys`: the installation's encryption keys."""

from __future__ import annotations

import rich_click as click

from backend.crypto import new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.settings import Settings
from ngomon import rekey
from ngomon.commands import opened, out


@click.group(help="Keys: make a new one, re-encrypt with the newest.")
def keys() -> None:
    """The group."""


@keys.command(help="Print a fresh key for the front of NGOMON_SECRET_KEYS.")
def new() -> None:
    """32 random bytes as base64."""
    click.echo(new_secret_key())


@keys.command(help="Re-encrypt everything with the newest key; may be stopped and started again.")
def rotate() -> None:
    """Put the new key first in NGOMON_SECRET_KEYS, restart, then run this."""

    async def work(db: Database, kit: Kit, _: Settings) -> rekey.Report:
        return await rekey.rotate(db, kit.keys, lambda field, count: out.print(f"{field}: {count}"))

    report = opened(work, storage_only=True)
    out.print(f"{report.rewritten} values sealed anew; none is left under an older key")
    if report.journal_entries:
        out.print(
            f"{report.journal_entries} journal entries were chained under an older key: "
            "keep that key listed, or `ngomon audit verify` cannot check them"
        )
