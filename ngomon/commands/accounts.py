"""`ngomon accounts`: people who have an account, and what a hotline asks an operator for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import rich_click as click

from backend.accounts import hotline
from backend.devices import takeover
from backend.errors import FieldsInvalid
from backend.names import masked
from backend.outside.clock import LOCAL
from ngomon.commands import by, opened, out, writing
from ngomon.commands.account_import import import_
from ngomon.commands.wrong import Wrong

if TYPE_CHECKING:
    from ngomon.commands import Act

Result = TypeVar("Result")
NOBODY = "no account has this number"


@click.group(help="Accounts.")
def accounts() -> None:
    """Account commands."""


@accounts.command(help="Who has this number, masked; the journal keeps that it was asked.")
@click.argument("number")
@by.option
def find(number: str) -> None:
    """One line for each thing."""
    found = _done(lambda tx, kit, now: hotline.find(tx, kit, number, now=now))
    if found is None:
        raise Wrong(NOBODY)
    live = ", ".join(f"{count} {kind}" for kind, count in found.sessions.items())
    for word, value in (
        ("account", str(found.id)),
        ("number", masked(number)),
        ("name", found.name),
        ("status", found.status),
        ("level", f"{found.level}, vouched for by {found.vouched_by}"),
        ("phone", found.phone or "-"),
        ("frozen since", _at(found.frozen_at)),
        ("recovery frozen since", _at(found.recovery_frozen_at)),
        ("sessions", live or "none"),
    ):
        out.print(f"{word}: {value}", soft_wrap=True)


@accounts.command(help="Let nobody in by phone any more and end every session, as the hotline was asked to.")
@click.argument("number")
@click.option("--reason", default=None, help="One line; the person reads it.")
@by.option
def freeze(number: str, reason: str | None) -> None:
    """Safe to repeat; the owner lifts it at VNeID, or `thaw` does."""
    fresh = _done(lambda tx, kit, now: hotline.freeze(tx, kit, number, reason=reason, now=now))
    if fresh is None:
        raise Wrong(NOBODY)
    out.print("frozen; every session has ended" if fresh else "frozen already")


@accounts.command(help="Lift a freeze, and that of recovery, after checking the person.")
@click.argument("number")
@click.option("--reason", required=True, help="One line: how the person was checked; the person reads it.")
@by.option
def thaw(number: str, reason: str) -> None:
    """The operator's half of "Không phải tôi", and of `freeze`."""
    if by.name_given() is None:
        raise click.UsageError("thaw wants --by NAME: whoever checked the person is named in the journal")
    _done(lambda tx, kit, now: hotline.thaw(tx, kit, number, reason=reason, now=now))
    out.print("the account may sign in again")


def _done(act: Act[Result]) -> Result:
    """Run an act in one transaction; what it refuses is one line for the operator."""
    try:
        return opened(writing(act))
    except takeover.NotFrozen as refusal:
        raise Wrong(
            "neither the account nor its recovery is frozen, or no account has this number"
        ) from refusal
    except FieldsInvalid as refusal:
        said = ", ".join(f"{one.field} ({one.code})" for one in refusal.fields)
        raise Wrong(f"not acceptable: {said.replace('national_id', 'number')}") from refusal


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M}" if moment is not None else "-"


accounts.add_command(import_)
