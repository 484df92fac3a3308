"""`ngomon staff`: the directory that fills forms in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click
from sqlalchemy.exc import IntegrityError

from backend.imports.plan import Import
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import decision_numbers, staff_import
from backend.roles.filling import Filling
from backend.typed import BadText
from ngomon.commands import by
from ngomon.commands.importing import Flags, flags, run
from ngomon.commands.wrong import Wrong


def number_of(_: click.Context, __: click.Parameter, number: str | None) -> str | None:
    """The number of a decision, as `125/QĐ-UBND`: it stays in the journal for ever."""
    if number is None:
        return None
    try:
        return decision_numbers.read(number)
    except BadText as bad:
        if bad.code == "personal_number":
            raise click.BadParameter("the number of a decision, and no personal number or phone") from bad
        longest = decision_numbers.LONGEST
        raise click.BadParameter(f"the number of a decision, of 1 to {longest} characters") from bad


@click.group(help="The staff directory.")
def staff() -> None:
    """The group."""


@staff.command(name="import", help="Create or change staff from CSV or XLSX; first a plan.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--complete", is_flag=True, help="Whoever the file does not name, in the units that it names, has left."
)
@click.option("--as-roles", is_flag=True, help="Give everybody in it the home role that the file says.")
@click.option(
    "--decision",
    metavar="NUMBER",
    callback=number_of,
    help="With --as-roles: the decision that grants them.",
)
@flags
def import_(file: Path, complete: bool, as_roles: bool, decision: str | None, **chosen: Any) -> None:
    """Columns as in the contract; whoever is new needs national_id, full_name, birth_date and unit_code.

    With --as-roles every row needs subject_type and position too.
    """
    if as_roles and decision is None:
        raise click.UsageError("--as-roles wants --decision NUMBER: a role is granted by somebody's decision")
    if as_roles and by.name_given() is None:
        raise click.UsageError("--as-roles wants --by NAME: the journal keeps who filled the roles")
    if decision is not None and not as_roles:
        raise click.UsageError("--decision belongs to --as-roles: the directory alone grants nothing")

    def make(kit: Kit) -> Import:
        now = Clock().now()
        if decision is None:
            return staff_import.StaffImport(kit, now, complete=complete)
        return Filling(kit, now, decision=decision, complete=complete)

    try:
        run(file, make, Flags(**chosen))
    except IntegrityError as error:
        raise Wrong(
            "somebody of the file opened an account or got a role meanwhile: run it again, it goes on"
        ) from error
