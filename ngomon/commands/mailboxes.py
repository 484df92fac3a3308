"""`ngomon mailboxes`: the official mailboxes of organisations, and who keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import mailboxes as boxes
from ngomon.commands import by, opened, out, reading, show, writing
from ngomon.commands.pages import MOST, more, placed
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from ngomon.commands import Act

keeper_option = click.option(
    "--keeper", "number", required=True, help="The keeper's personal number, 12 digits."
)


def _said(act: Act[Any], address: str) -> None:
    """Do it; what is refused is one line for the operator."""
    try:
        opened(writing(act))
    except boxes.MailboxExists as refusal:
        raise Wrong(f"{address} is a mailbox or somebody's address already") from refusal
    except boxes.MailboxNotFound as refusal:
        raise Wrong(f"no mailbox {address}") from refusal
    except FieldsInvalid as refusal:
        raise Wrong(f"not acceptable: {', '.join(field.field for field in refusal.fields)}") from refusal


@click.group(help="Official mailboxes of organisations: whose phone resets the password.")
def mailboxes() -> None:
    """The group."""


@mailboxes.command(help="Say which unit's mailbox an address is, and who keeps it.")
@click.argument("address")
@click.option("--unit", "unit_code", required=True, help="The unit's code.")
@keeper_option
@by.option
def add(address: str, unit_code: str, number: str) -> None:
    """A keeper counts while holding a role in the unit or below it; else the unit's manager keeps it."""
    _said(lambda tx, kit, now: boxes.add(tx, kit, address, unit_code, number, by=None, now=now), address)
    out.print(f"mailbox {address} added")


@mailboxes.command(help="Let somebody else keep a mailbox.")
@click.argument("address")
@keeper_option
@by.option
def keeper(address: str, number: str) -> None:
    """From the next reset on."""
    _said(lambda tx, kit, now: boxes.name_keeper(tx, kit, address, number, by=None, now=now), address)
    out.print(f"keeper of {address} named")


@mailboxes.command(help="Nobody resets its password here any more.")
@click.argument("address")
@by.option
def remove(address: str) -> None:
    """The mailbox itself stays where it is."""
    _said(lambda tx, kit, now: boxes.remove(tx, kit, address, by=None, now=now), address)
    out.print(f"mailbox {address} removed")


@mailboxes.command(
    name="list", help="Mailboxes: who is named, and who keeps each now; numbers masked. 200 at once."
)
@click.option("--after", metavar="ADDRESS", default="", help="Begin behind this mailbox: the next page.")
def list_(after: str) -> None:
    """One line each."""

    async def look(tx: AsyncSession, kit: Kit, now: datetime) -> list[boxes.MailboxView]:
        return await boxes.listed(tx, kit, on=local_day(now), after=after, most=MOST + 1)

    with placed():
        found = opened(reading(look))
    rows = [
        (one.address, one.unit_code, one.named, one.keeps or "nobody", f"{local_day(one.since):%d/%m/%Y}")
        for one in found[:MOST]
    ]
    show(("address", "unit", "keeper", "keeps it now", "since"), rows)
    if len(found) > MOST:
        more(found[MOST - 1].address)
