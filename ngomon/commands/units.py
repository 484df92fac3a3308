"""`ngomon units`: the agencies of the province and their parts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import rich_click as click

from backend.db import Database
from backend.imports import exported
from backend.kit import Kit
from backend.outside.clock import Clock, local_day
from backend.roles import unit_life
from backend.roles import units as registry
from backend.roles.managers import RequestsUndecided, UnitNotFound
from backend.settings import Settings
from ngomon.commands import by, opened, out, reading, show
from ngomon.commands.importing import Flags, day, flags, run
from ngomon.commands.pages import MOST, more, placed
from ngomon.commands.wrong import Wrong


@click.group(help="Units: agencies and their parts.")
def units() -> None:
    """The group."""


@units.command(name="import", help="Create or change units from CSV or XLSX; first a plan.")
@click.argument("file", type=click.Path(path_type=Path))
@flags
def import_(file: Path, **chosen: Any) -> None:
    """Columns: code, name, parent_code (- for a root), agency_code, kind; what the file lacks stays as it is."""
    run(file, lambda kit: registry.UnitsImport(kit, Clock().now()), Flags(**chosen))


@units.command(name="list", help="Living units in the order of the tree, 200 at once.")
@click.option("--tree", is_flag=True, help="Codes and names alone, each below its parent.")
@click.option("--after", metavar="CODE", default="", help="Begin behind this unit: the next page.")
def list_(tree: bool, after: str) -> None:
    """One line each."""
    with placed():
        found = _lines(after, MOST + 1)
    if tree:
        for one in found[:MOST]:
            out.print(f"{'  ' * one.depth}{one.code}  {one.name}")
    else:
        rows = [(*one[1:6], f"{one.ends_on:%d/%m/%Y}" if one.ends_on else "-") for one in found[:MOST]]
        show(("code", "name", "parent", "agency code", "kind", "ends"), rows)
    if len(found) > MOST:
        more(found[MOST - 1].code)


@units.command(help="Write every living unit as CSV or XLSX, which an import finds nothing to change by.")
@click.argument("file", type=click.Path(path_type=Path))
def export(file: Path) -> None:
    """Never over a file that is there."""
    found = _lines()
    write = exported.workbook if file.suffix.lower() == ".xlsx" else exported.lines
    try:
        with file.open("xb") as opened_file:
            opened_file.write(write(unit_life.rows(found)))
    except FileExistsError as error:
        raise Wrong(f"{file} is there already") from error
    except OSError as error:
        raise Wrong(f"{file} cannot be written: {error.strerror}") from error
    out.print(f"{len(found)} units written to {file}")


@units.command(help="End a unit; whoever has a role in it, and what stands below it, has to be moved first.")
@click.argument("code")
@click.option("--successor", required=True, help="The code of the unit that takes its work over.")
@click.option("--on", "ends", callback=day, required=True, help="The first day without it, dd/mm/yyyy.")
@click.option("--yes", is_flag=True, help="Even if nobody decides some open requests then.")
@by.option
def end(code: str, successor: str, ends: date, yes: bool) -> None:
    """The journal keeps both."""

    async def go(db: Database, kit: Kit, _: Settings) -> int:
        async with db.write() as tx:
            now = Clock().now()
            return await unit_life.end(
                tx, kit, code, successor=successor, on=ends, by=None, now=now, leave_undecided=yes
            )

    try:
        listed = opened(go)
    except UnitNotFound as refusal:
        raise Wrong(
            f"no unit with the code {code!r}, or none that is there then with {successor!r}"
        ) from refusal
    except unit_life.UnitReorganised as refusal:
        raise Wrong(
            f"a reorganisation is about {code} or {successor} and is not over: wait for it, or "
            "`ngomon reorganise resume` it; nothing was done"
        ) from refusal
    except unit_life.UnitInUse as refusal:
        facts = refusal.facts
        raise Wrong(
            f"{facts['people']} people have a role in {code} and {facts['units']} units stand below it: move them first"
        ) from refusal
    except RequestsUndecided as refusal:
        raise Wrong(
            f"{refusal.facts['count']} open requests would have nobody to decide them: say --yes if that is meant"
        ) from refusal
    rest = f"; {listed} people of the staff directory still stand in it" if listed else ""
    rest += "; that day has passed, so it has ended" if ends < local_day(Clock().now()) else ""
    out.print(f"{code} ends on {ends:%d/%m/%Y}, {successor} takes its work over{rest}")


def _lines(after: str = "", most: int | None = None) -> list[unit_life.Line]:
    return opened(reading(lambda tx, _, now: unit_life.lines(tx, local_day(now), after=after, most=most)))
