"""`ngomon systems`: the downstream systems that are kept in step (rule 1002)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rich_click as click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.kit import Kit
from backend.outbox import states
from backend.outbox import systems as registry
from backend.outbox.models import System
from backend.outbox.states import Count
from backend.outside.clock import Clock
from backend.roles import desired
from backend.roles.models import Unit
from backend.settings import Settings
from backend.words import ENGLISH
from ngomon.commands import by, out, reading, reconciling, show, steering, targets, writing
from ngomon.commands.pages import more, placed
from ngomon.commands.steering import said
from ngomon.tasks import outgoing

MOST = 50  # systems at once: each is asked about by ten statements of its own
WAITING = ("held", "pending", "delivering", "paused", "retrying")


@click.group(help="Downstream systems.")
def systems() -> None:
    """The group."""


for care in (*steering.COMMANDS, reconciling.reconcile):
    systems.add_command(care)


@systems.command(help="Connect a system, or connect a disabled one again, and tell it of everybody in scope.")
@click.argument("name")
@targets.reached
@click.option("--unit", "unit_codes", multiple=True, help="A unit whose subtree it serves; none: every unit.")
@click.option("--mail", "keeps_mail", is_flag=True, help="ldap: it keeps the passwords of the official mail.")
@by.option
def add(name: str, unit_codes: tuple[str, ...], keeps_mail: bool, **words: Any) -> None:
    """Checks the address before anything is written."""
    aim = targets.typed(**words)

    async def connect(db: Database, kit: Kit, settings: Settings) -> str:
        await registry.check(outgoing(settings), kind=aim.kind, url=aim.url, options=aim.options)
        async with db.write() as tx:
            await _refuse_unknown_units(tx, unit_codes)
            system, told = await registry.add(
                tx,
                kit,
                name=name,
                kind=aim.kind,
                url=aim.url,
                token=aim.token,
                unit_codes=unit_codes,
                people=desired.people_in_scope,
                by=None,
                now=Clock().now(),
                options=aim.options,
                keeps_mail=keeps_mail,
            )
            return f"{told} people to be sent{await _why_so_few(tx, system)}"

    out.print(f"{name} connected; {said(connect)}")
    if aim.made:
        out.print(f"its secret, which is shown only now: {aim.made}")


@systems.command(name="list", help="Systems, and how far each is in step, by name, 50 at once.")
@click.option("--after", metavar="NAME", default="", help="Begin behind this system: the next page.")
def list_(after: str) -> None:
    """One row each; the token is not shown."""
    with placed():
        found = said(reading(lambda tx, _, now: states.overview(tx, now, after=after, most=MOST + 1)))
    rows = [
        (
            one.name,
            one.kind,
            one.url,
            ", ".join(one.unit_codes) or "all",
            "disabled" if one.disabled_at else one.state,
            Count(sum(one.counts.get(word, 0) for word in WAITING)).said(ENGLISH),
            Count(one.counts.get("dead", 0)).said(ENGLISH),
            one.error or "-",
            ", ".join(one.learnt) or "-",
        )
        for one in found[:MOST]
    ]
    show(("system", "kind", "address", "units", "state", "waiting", "failed", "last error", "learnt"), rows)
    if len(found) > MOST:
        more(found[MOST - 1].name)


@systems.command(help="Send a system nothing more; what waits is kept until it is connected again.")
@click.argument("name")
@by.option
def disable(name: str) -> None:
    """Works from the next delivery on."""
    said(writing(lambda tx, kit, now: registry.disable(tx, kit, name, by=None, now=now)))
    out.print(f"{name} disabled")


@systems.command(help="Sign what a webhook is told with a new secret, and with the old one too for a day.")
@click.argument("name")
@by.option
def rotate_secret(name: str) -> None:
    """Shows the new secret, once."""
    fresh = said(writing(lambda tx, kit, now: registry.rotate_secret(tx, kit, name, by=None, now=now)))
    out.print(f"{name}: its new secret, which is shown only now: {fresh}", soft_wrap=True)


async def _why_so_few(tx: AsyncSession, system: System) -> str:
    """Who stands in the directory only is told to nobody."""
    listed = await desired.listed_in_scope(tx, system)
    in_force = len(await desired.people_in_scope(tx, system))
    return f" ({listed:,} in the directory, {in_force:,} with a role in force)" if listed else ""


async def _refuse_unknown_units(tx: AsyncSession, codes: Sequence[str]) -> None:
    known = set(await tx.scalars(select(Unit.code).where(Unit.code.in_(codes))))
    if unknown := sorted(set(codes) - known):
        raise registry.SystemTrouble(f"no unit with the code {', '.join(unknown)}")
