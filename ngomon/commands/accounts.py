"""`ngomon accounts`: people who have an account."""

from __future__ import annotations

import rich_click as click

from backend.accounts.identity import numbers
from backend.db import Database
from backend.devices import takeover
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from ngomon.commands import by, opened, out
from ngomon.commands.account_import import import_


@click.group(help="Accounts.")
def accounts() -> None:
    """Account commands."""


@accounts.command(help="Lift the freeze after checking the person who reported a take-over.")
@click.option("--national-id", required=True)
@by.option
def thaw(national_id: str) -> None:
    """The operator's half of "Không phải tôi"."""

    async def lift(db: Database, kit: Kit, _: Settings) -> None:
        async with db.write() as tx:
            account_id = await numbers.holder_of(tx, kit, national_id)
            if account_id is None:
                raise takeover.NotFrozen
            await takeover.thaw(tx, kit, account_id, now=Clock().now())

    opened(lift)
    out.print("the account may sign in again")


accounts.add_command(import_)
