"""`ngomon managers`: who approves for a unit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.outside.clock import Clock, local_day
from backend.roles import managers as registry
from backend.roles import vacancies
from backend.roles.appointments import Days, ManagersImport
from backend.settings import Settings
from ngomon.commands import by, opened, out, reading, show
from ngomon.commands.importing import Flags, day, flags, run
from ngomon.commands.pages import MOST, more, placed
from ngomon.commands.wrong import Wrong

Result = TypeVar("Result")
Page = tuple[list[registry.ManagerView], str | None]


def _said(job: Callable[[], Result], unit_code: str) -> Result:
    """Run a job; what it refuses is one line for the operator."""
    try:
        return job()
    except registry.UnitNotFound as refusal:
        raise Wrong(f"no unit with the code {unit_code!r}") from refusal
    except registry.ManagerNotFound as refusal:
        raise Wrong(f"that person is not a manager of {unit_code}") from refusal
    except registry.RequestsUndecided as refusal:
        count = refusal.facts["count"]
        raise Wrong(
            f"{count} open requests would have nobody to decide them: name another manager first, or say --yes"
        ) from refusal
    except FieldsInvalid as refusal:
        if any(field.field == "until" for field in refusal.fields):
            raise Wrong("the last day is before the first, or over") from refusal
        raise Wrong("a personal number has 12 digits") from refusal


@click.group(help="Who approves for a unit.")
def managers() -> None:
    """The group."""


@managers.command(help="Let somebody decide for a unit; the person need not have an account yet.")
@click.option("--unit", "unit_code", required=True, help="The unit's code.")
@click.option("--national-id", required=True, help="The personal number, 12 digits.")
@click.option("--from", "begins", callback=day, help="The first day, dd/mm/yyyy.  [default: at once]")
@click.option("--until", callback=day, help="The last day, dd/mm/yyyy.")
@by.option
def add(unit_code: str, national_id: str, begins: date | None, until: date | None) -> None:
    """Safe to repeat."""

    async def appoint(db: Database, kit: Kit, _: Settings) -> bool:
        async with db.write() as tx:
            return await registry.add(
                tx, kit, unit_code, national_id, by=None, now=Clock().now(), days=Days(begins, until)
            )

    fresh = _said(lambda: opened(appoint), unit_code)
    out.print(f"manager of {unit_code} added" if fresh else f"already a manager of {unit_code}")


@managers.command(help="Take the right away, from the very next request on.")
@click.option("--unit", "unit_code", required=True, help="The unit's code.")
@click.option("--national-id", required=True, help="The personal number, 12 digits.")
@click.option("--yes", is_flag=True, help="Even if nobody decides some open requests then.")
@by.option
def remove(unit_code: str, national_id: str, yes: bool) -> None:
    """Fails when that person is no manager of that unit."""

    async def dismiss(db: Database, kit: Kit, _: Settings) -> None:
        async with db.write() as tx:
            await registry.remove(
                tx, kit, unit_code, national_id, by=None, now=Clock().now(), leave_undecided=yes
            )

    _said(lambda: opened(dismiss), unit_code)
    out.print(f"manager of {unit_code} removed")


@managers.command(
    name="import", help="Appoint managers from CSV or XLSX; first a plan. Nobody's right is taken away."
)
@click.argument("file", type=click.Path(path_type=Path))
@flags
def import_(file: Path, **chosen: Any) -> None:
    """Columns: unit_code, national_id, from, until."""
    run(file, lambda kit: ManagersImport(kit, Clock().now()), Flags(**chosen))


@managers.command(
    name="list",
    help="Who decides now, numbers masked; then the units that nobody is in charge of any more. 200 of each at once.",
)
@click.option("--unit", "unit_code", default=None, help="Only this unit's.")
@click.option("--after", metavar="PLACE", default="", help="The next page of those who decide.")
@click.option(
    "--vacant-after", metavar="CODE", default="", help="The next page of the units: behind this code."
)
def list_(unit_code: str | None, after: str, vacant_after: str) -> None:
    """One line each; a next page is of one of the two."""

    async def read(tx: AsyncSession, kit: Kit, _: datetime) -> tuple[Page, list[vacancies.Vacancy]]:
        page: Page = ([], None)
        if not vacant_after:
            page = await registry.page(tx, kit, unit_code, cursor=after, most=MOST)
        if after:
            return page, []
        return page, await vacancies.by_code(tx, after=vacant_after, most=MOST + 1, only=unit_code)

    with placed():
        (found, following), vacant = _said(lambda: opened(reading(read)), unit_code or "")
    if not vacant_after:
        _show_managers(found)
    if following:
        more(following)
    _show_vacant(vacant[:MOST])
    if len(vacant) > MOST:
        more(vacant[MOST - 1].unit_code, "--vacant-after")


def _show_managers(found: list[registry.ManagerView]) -> None:
    rows = [
        (
            one.unit_code,
            one.unit_name,
            one.national_id,
            "yes" if one.has_account else "not yet",
            f"{local_day(one.since):%d/%m/%Y}",
            f"{one.from_on:%d/%m/%Y}" if one.from_on else "now",
            f"{one.until_on:%d/%m/%Y}" if one.until_on else "-",
        )
        for one in found
    ]
    show(("unit", "name", "personal number", "has an account", "since", "from", "until"), rows)


def _show_vacant(found: list[vacancies.Vacancy]) -> None:
    lost = [
        (
            one.unit_code,
            one.unit_name,
            f"{local_day(one.since):%d/%m/%Y}" if one.since else "ever",
            one.decided_by or "NOBODY",
        )
        for one in found
    ]
    if lost:
        show(("unit without a manager", "name", "since", "decided by"), lost)
