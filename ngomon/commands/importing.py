"""What every import of a file asks, shows and says (rule 1003)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

import msgspec
import rich_click as click
from rich.progress import Progress

from backend import statistics
from backend.db import Database
from backend.imports import files, skipped
from backend.imports.plan import Import, Plan, PlanStale, Staged
from backend.imports.rows import ImportRefused, Record, RowError
from backend.kit import Kit
from backend.roles.appointments import read_day
from backend.settings import Settings
from ngomon.commands import SHOWN, bad_rows, by, opened, out
from ngomon.commands.wrong import Wrong

Command = TypeVar("Command", bound=Callable[..., None])


class Flags(msgspec.Struct, frozen=True):
    """How far an import may go."""

    dry_run: bool = False
    yes: bool = False
    brake_off: bool = False
    skip_bad: Path | None = None


def flags(command: Command) -> Command:
    """The options that every import has."""
    for option in (
        by.option,
        click.option(
            "--skip-bad", type=click.Path(path_type=Path), help="Take the good rows, write the others here."
        ),
        click.option("--brake-off", is_flag=True, help="Even if it changes much of what exists."),
        click.option("--yes", is_flag=True, help="Do what the plan says without asking."),
        click.option(
            "--dry-run", is_flag=True, help="Print the plan and do nothing; exit 1 when rows are bad."
        ),
    ):
        command = option(command)
    return command


def day(_: click.Context, __: click.Parameter, text: str | None) -> date | None:
    """An option that is a day, as people write one."""
    try:
        return read_day(text) if text else None
    except ValueError as error:
        raise click.BadParameter("a day, as dd/mm/yyyy or yyyy-mm-dd") from error


def run(file: Path, make: Callable[[Kit], Import], chosen: Flags) -> None:
    """Read, plan, ask, act, say."""

    async def go(db: Database, kit: Kit, _: Settings) -> None:
        job = make(kit)
        with out.status("reading…"):
            rows = files.read(file, (*job.columns, skipped.REASON), required=job.required)
        plan, errors = await _planned(db, job, rows, chosen)
        if chosen.dry_run:
            show_plan(plan)
            if errors:
                raise bad_rows(file, ImportRefused(errors))
            return
        if errors and chosen.skip_bad is None:
            raise bad_rows(file, ImportRefused(errors))
        allow(plan, kit, chosen)
        if errors and chosen.skip_bad is not None:
            _write_bad(chosen.skip_bad, rows, errors)
        rows.clear()  # what will be written stands in the plan
        if not plan.is_empty:
            await _act(db, job)
            await statistics.refresh(db, imported=True)
        out.print(plan.summary())

    try:
        opened(go)
    except ImportRefused as refused:
        raise bad_rows(file, refused) from refused
    except PlanStale as stale:
        raise Wrong(
            "what the plan was made of has changed meanwhile: nothing was done, run it again"
        ) from stale


def allow(plan: Plan, kit: Kit, chosen: Flags) -> None:
    """Show the plan on a screen and ask; elsewhere want what is asked for in words. Raises Wrong."""
    percent = kit.limits.mass_change_percent
    stake = plan.massive(percent)
    if stake is not None and not chosen.brake_off:
        show_plan(plan)
        raise Wrong(
            f"brake: {plan.at_stake(stake)}, more than {percent} %: if that is meant, say --brake-off; nothing was done"
        )
    if plan.is_empty or chosen.yes:
        return
    if is_screen():
        show_plan(plan)
        asked_on_screen()
    elif plan.needs_yes:
        show_plan(plan)
        raise Wrong("this changes what exists: read the plan and say --yes; nothing was done")


def is_screen() -> bool:
    """Whether somebody sits there who can be asked."""
    return out.is_terminal and sys.stdin.isatty()


def asked_on_screen() -> None:
    """Ask whoever sits there; elsewhere nobody is asked."""
    if is_screen():
        click.confirm("do this?", abort=True)


async def _planned(
    db: Database, job: Import, rows: Sequence[Record], chosen: Flags
) -> tuple[Plan, list[RowError]]:
    """The plan of the good rows, and everything that is wrong with the others.

    Without --skip-bad what is wrong is said of the file as it is: not what would be missing once its bad rows are gone.
    """
    errors: list[RowError] = []
    while True:
        with out.status(f"planning {len(rows)} rows…"):
            async with db.read() as tx:
                plan = await job.plan(tx, rows)
        if chosen.skip_bad is not None or not errors:
            errors += plan.errors
        if not plan.errors or not (chosen.dry_run or chosen.skip_bad):
            return plan, errors
        if any(error.line == 0 for error in plan.errors):  # of the whole file: nothing to pass over
            if chosen.skip_bad is None:
                return plan, errors
            raise ImportRefused(errors)
        rows = skipped.good_rows(rows, plan.errors)


async def _act(db: Database, job: Import) -> None:
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(f"{job.things}: sealing", total=None)
        job.prepare()

        def progress(done: int, every: int) -> None:
            bar.update(task, description=job.things, completed=done, total=every)

        async with db.write() as tx:
            await job.act(tx, by=None, progress=progress)
        left = await job.go_on(db, by=None, progress=progress) if isinstance(job, Staged) else ""
    if left:
        out.print(left)


def _write_bad(file: Path, rows: Sequence[Record], errors: Sequence[RowError]) -> None:
    with for_bad_rows(file):
        count = skipped.write(file, rows, errors)
    out.print(f"{count} bad rows written to {file}")


@contextmanager
def for_bad_rows(file: Path) -> Iterator[None]:
    """What is made inside is new, or it is said why not."""
    try:
        yield
    except FileExistsError as error:
        raise Wrong(
            f"{file} is there already: name another file for the bad rows; nothing was done"
        ) from error
    except OSError as error:
        raise Wrong(f"{file} cannot be written: {error.strerror}; nothing was done") from error


def show_plan(plan: Plan) -> None:
    """The plan; a screen gets the first lines of each kind, a file or another program all."""
    out.print(f"plan: {plan.summary()}")
    _lines(
        f"  line {change.line}, {change.what}: " + "; ".join(map(str, change.fields))
        for change in plan.changed
    )
    _lines(f"  ended: {what}" for what in plan.ended)
    _lines(f"  {note}" for note in plan.notes)
    for warning in plan.warnings:
        out.print(f"  warning: {warning}")


def _lines(lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if out.is_terminal and number == SHOWN:
            out.print("  … (more: write the plan to a file with --dry-run > FILE)")
            return
        out.print(line)
