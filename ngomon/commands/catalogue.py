"""`ngomon catalogue`: subject types, positions, grants and rules as a file of the province (rule 602)."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from backend.db import Database
from backend.imports.plan import PlanStale
from backend.imports.rows import ImportRefused, in_both
from backend.kit import Kit
from backend.outside.clock import LOCAL, Clock
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.importing import CatalogueImport, CataloguePlan
from backend.roles.catalogue.in_force import kept_version, read_file
from backend.roles.catalogue.reading import Found
from backend.roles.catalogue.writing import written
from backend.settings import Settings
from ngomon.commands import by, counted, opened, out
from ngomon.commands.importing import Flags, allow, show_plan
from ngomon.commands.wrong import Wrong

FILE = click.argument("file", type=click.Path(path_type=Path))
VERSION = click.option("--version", type=click.IntRange(0), help="An earlier one; 0 is the shipped one.")


@click.group(help="The catalogue: subject types, positions, what they grant where, and their rules.")
def catalogue() -> None:
    """The group."""


@catalogue.command(help="Print the catalogue in force as its file.")
@VERSION
def show(version: int | None) -> None:
    """The first line says which version it is."""
    said, found = _kept(version)
    out.print(f"# {said}\n{written(found)}", end="", soft_wrap=True)


@catalogue.command(help="Write the catalogue in force to a file, which an import finds unchanged.")
@FILE
@VERSION
def export(file: Path, version: int | None) -> None:
    """Never over a file that is there."""
    said, found = _kept(version)
    try:
        with file.open("x", encoding="utf-8") as opened_file:
            opened_file.write(f"# {said}\n{written(found)}")
    except FileExistsError as error:
        raise Wrong(f"{file} is there already") from error
    except OSError as error:
        raise Wrong(f"{file} cannot be written: {error.strerror}") from error
    out.print(f"{said} written to {file}")


@catalogue.command(help="Say what is wrong with a file, line by line; the database is not asked.")
@FILE
def check(file: Path) -> None:
    """Exit 1 when something is."""
    found = _read(file).catalogue
    out.print(
        f"{file}: in order, {len(found.subject_types)} subject types, {len(found.positions)} positions, "
        f"{len(found.grants)} grants"
    )


@catalogue.command(name="import", help="Bring a file into force as a new version; first a plan.")
@FILE
@click.option("--dry-run", is_flag=True, help="Print the plan and do nothing; exit 1 when the file is wrong.")
@click.option("--yes", is_flag=True, help="Do what the plan says without asking.")
@click.option("--brake-off", is_flag=True, help="Even if many people lose a right.")
@by.option
def import_(file: Path, dry_run: bool, yes: bool, brake_off: bool) -> None:
    """What is in use and not in the file is closed, never removed."""
    found, chosen = _read(file), Flags(dry_run, yes, brake_off)

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        job = CatalogueImport(kit, found, Clock().now())
        async with db.read() as tx:
            plan = await job.plan(tx)
        if chosen.dry_run:
            show_plan(plan)
            return
        allow(plan, kit, chosen)
        if plan.is_empty:
            out.print(plan.summary())
            return
        async with db.write() as tx:
            row = await job.act(tx, by=None)
        out.print(f"version {row.version} in force: {plan.summary()}{_told(plan)}")

    try:
        opened(go)
    except PlanStale as stale:
        raise Wrong(
            "what the plan was made of has changed meanwhile: nothing was done, run it again"
        ) from stale


def _told(plan: CataloguePlan) -> str:
    return "".join(f"; {system}: {count} people told anew" for system, count in plan.told.items())


def _read(file: Path) -> Found:
    """The file, or every error of it on a line of its own."""
    try:
        return read_file(file.read_bytes())
    except OSError as error:
        raise Wrong(f"{file} cannot be read: {error.strerror}") from error
    except ImportRefused as refused:
        for one in refused.errors:
            where = f", {one.column}" if one.column else ""
            out.print(f"line {one.line}{where}: {in_both(one)}", soft_wrap=True)
        raise Wrong(f"{file}: {counted(len(refused.errors), 'error')}; nothing was imported") from refused


def _kept(version: int | None) -> tuple[str, Catalogue]:
    """Which catalogue it is, and the catalogue."""

    async def read(db: Database, _: Kit, __: Settings) -> tuple[str, Catalogue]:
        async with db.read() as tx:
            found = await kept_version(tx, version)
        if found is None:
            raise Wrong(f"there is no version {version}")
        number, since, what = found
        when = f", imported {since.astimezone(LOCAL):%d/%m/%Y %H:%M}" if since else ", as shipped"
        return f"catalogue, version {number}{when}", what

    return opened(read)
