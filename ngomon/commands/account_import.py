"""`ngomon accounts import`: people who have an account already, on the day of going live (case R35)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import rich_click as click
from rich.progress import Progress
from sqlalchemy.exc import IntegrityError

from backend.accounts.importing import COLUMNS, REQUIRED, AccountsImport, Count
from backend.db import Database
from backend.imports import files, skipped
from backend.imports.rows import ImportRefused, Record, RowError
from backend.imports.skipped import BadRows
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from ngomon.commands import bad_rows, by, opened, out
from ngomon.commands.importing import asked_on_screen, for_bad_rows
from ngomon.commands.wrong import Wrong

ROWS_MOST, BYTES_MOST = 5_000_000, 1_000_000_000
KEPT = 10_000  # bad rows that are named; of more only the number


class Bad:
    """What is wrong with the rows: written to a file, or kept to be printed."""

    def __init__(self, file: BadRows | None) -> None:
        self._file = file
        self.errors: list[RowError] = []

    def add(self, record: Record, errors: list[RowError]) -> None:
        """One bad row."""
        if self._file is not None:
            self._file.add(record, errors)
        elif len(self.errors) < KEPT:
            self.errors += errors


@click.command(name="import", help="Bring people in who have an account already: CSV, read as a stream.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done; exit 1 when rows are bad.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option(
    "--skip-bad", type=click.Path(path_type=Path), help="Take the good rows, write the others here."
)
@by.option
def import_(file: Path, dry_run: bool, yes: bool, skip_bad: Path | None) -> None:
    """Columns: national_id, full_name, birth_date, phone, level, opened_on. Once more goes on where it stopped."""

    async def go(db: Database, kit: Kit, settings: Settings) -> None:
        job = AccountsImport(kit, Clock().now(), invented=settings.is_demo)
        found = await _look(db, job, file, skip_bad)
        out.print(f"plan: {_summary(found)}")
        if dry_run:
            return
        if not yes:
            asked_on_screen()
        if found.created:
            with Progress(console=out, transient=True, disable=not out.is_terminal) as bar:
                task = bar.add_task("accounts", total=found.created)
                done = await job.bring_in(
                    db, _rows(file), by=None, progress=lambda now: bar.update(task, completed=now.created)
                )
            out.print(_summary(done))

    try:
        opened(go)
    except ImportRefused as refused:
        raise bad_rows(file, refused) from refused
    except IntegrityError as error:
        raise Wrong("somebody of the file opened an account meanwhile: run it again, it goes on") from error


async def _look(db: Database, job: AccountsImport, file: Path, skip_bad: Path | None) -> Count:
    """What the file would do; raises ImportRefused when bad rows are not to be passed over."""
    with ExitStack() as stack:
        bad = Bad(stack.enter_context(_opened(skip_bad)) if skip_bad else None)
        status = stack.enter_context(out.status("reading…"))
        found = await job.look(
            db,
            _rows(file),
            bad=bad.add,
            progress=lambda now: status.update(f"{now.created + now.there + now.bad:,} rows read…"),
        )
    if skip_bad is not None and found.bad:
        out.print(f"{found.bad} bad rows written to {skip_bad}")
    if bad.errors:
        raise ImportRefused(bad.errors)
    return found


def _opened(file: Path) -> BadRows:
    with for_bad_rows(file):
        return BadRows(file)


def _rows(file: Path) -> Iterator[Record]:
    if file.suffix.lower() != ".csv":
        raise Wrong("this import reads CSV only: a workbook of a whole province does not fit into memory")
    columns = (*COLUMNS, skipped.REASON)
    return files.stream(file, columns, required=REQUIRED, rows_most=ROWS_MOST, bytes_most=BYTES_MOST)


def _summary(found: Count) -> str:
    dropped = (
        f"; {found.without_phone} without their phone, which receives no code or serves as many accounts as it may"
        if found.without_phone
        else ""
    )
    return f"{found.created} accounts created, {found.there} unchanged, {found.bad} rows bad{dropped}"
