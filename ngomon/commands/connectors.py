"""`ngomon connectors`: which kinds of systems there are here, and whether one keeps the contract (rule 715)."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import rich_click as click

from backend.environment import load
from backend.outbox import systems as registry
from backend.outside import connectors as contract
from backend.outside.connectors import Connector, DeliveryError, Target, conformance, kinds
from backend.outside.connectors.conformance.bench import Bench
from backend.outside.connectors.conformance.rights import NOBODY
from backend.outside.http import Guarded
from ngomon.commands import out, show, targets
from ngomon.commands.wrong import Wrong
from ngomon.tasks import outgoing

SIGNS = {"held": "ok", "broken": "BROKEN", "not_proved": "-"}


@click.group(help="Kinds of downstream systems.")
def connectors() -> None:
    """The group."""


@connectors.command(
    name="list", help="Every kind that `ngomon systems add` takes here, and where it comes from."
)
def list_() -> None:
    """One row each; what a package brings is loaded, so that what is wrong with it is seen here."""
    show(("kind", "from", "reads back", "state"), [_row(kind) for kind in kinds.kinds()])


def _row(kind: str) -> tuple[str, str, str, str]:
    try:
        kinds.load(kind)
        reads = "no" if "no_read_back" in kinds.kind_of(kind).cannot else "yes"
    except kinds.ConnectorMissing as error:
        return kind, kinds.origin(kind), "-", str(error)
    return kind, kinds.origin(kind), reads, "ok"


@connectors.command(
    help="Try a connector on a TEST system, with invented people who are switched off at the end."
)
@targets.reached
@click.option(
    "--seconds", default=120.0, show_default=True, type=click.FloatRange(1, 3600), help="For one check."
)
def prove(seconds: float, **words: Any) -> None:
    """One line for each check; exit 1 when one is broken. Needs no database."""
    aim = targets.typed(**words)
    broken, unproved = asyncio.run(_prove(aim, outgoing(load(os.environ, storage_only=True)), seconds))
    if aim.made:
        out.print(f"signed with {aim.made}")
    if broken:
        raise Wrong(f"{broken} checks are broken: docs/connectors.md says what each wants")
    if unproved:
        out.print(f"{unproved} checks were not proved: nobody could see")


async def _prove(aim: targets.Reached, http: Guarded, seconds: float) -> tuple[int, int]:
    broken = unproved = 0
    try:
        await registry.check(http, kind=aim.kind, url=aim.url, options=aim.options)
        bench = _bench(aim, http)
        first = await bench.opened()
        if bench.can_be_read:  # who is not there at all is told so once
            await first.read(NOBODY, None)
        await first.close()
        async for outcome in conformance.prove_all(bench, patience=seconds):
            broken += outcome.state == "broken"
            unproved += outcome.state == "not_proved"
            why = f" ({outcome.why})" if outcome.why else ""
            out.print(f"{SIGNS[outcome.state]:6}  {outcome.check}: {outcome.said}{why}", soft_wrap=True)
    except (registry.SystemTrouble, kinds.ConnectorMissing) as trouble:
        raise Wrong(str(trouble)) from trouble
    except DeliveryError as error:
        raise Wrong(f"the system does not answer as it should: {error.code}") from error
    finally:
        await http.close()
    return broken, unproved


def _bench(aim: targets.Reached, http: Guarded) -> Bench:
    """What a command can see: through the connector alone."""

    async def refused() -> None:
        await contract.check(aim.kind, "nowhere", aim.options, http)

    can_be_read = "no_read_back" not in kinds.kind_of(aim.kind).cannot
    return Bench(lambda: _opened(aim, http), can_be_read=can_be_read, refused=refused)


async def _opened(aim: targets.Reached, http: Guarded) -> Connector:
    target = Target(aim.url.rstrip("/"), aim.token, options=aim.options)
    return await contract.connect(aim.kind, target, http)
