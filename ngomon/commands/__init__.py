"""The administrative commands: short jobs on the database, also beside a running server (rule 1002).

Here stands what every command says and shows; what opens a database is imported when one is opened.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from backend.environment import load, with_keys
from backend.settings import Settings
from ngomon.commands.wrong import Wrong

Result = TypeVar("Result")

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from backend.db import Database
    from backend.imports.rows import ImportRefused
    from backend.kit import Kit

    Job = Callable[[Database, Kit, Settings], Awaitable[Result]]
    Act = Callable[[AsyncSession, Kit, datetime], Awaitable[Result]]

SHOWN = 50  # bad cells on a screen; a file or another program gets them all
WIDE = 100_000  # columns where no screen ends them
# what we print is never markup: a unit may be called [x]
out = Console(width=None if sys.stdout.isatty() else WIDE, markup=False, emoji=False, highlight=False)


def opened(job: Job[Result], *, storage_only: bool = False) -> Result:
    """Run one job on the configured database and close it again; the journal says who ran it.

    `storage_only` as in `environment.load`.
    """
    from ngomon.commands import opening

    return opening.run(job, storage_only=storage_only)


def writing(act: Act[Result]) -> Job[Result]:
    """The job that is one act of this moment, in a transaction of its own."""
    from backend.outside.clock import Clock

    async def job(db: Database, kit: Kit, _: Settings) -> Result:
        async with db.write() as tx:
            return await act(tx, kit, Clock().now())

    return job


def reading(question: Act[Result]) -> Job[Result]:
    """The same of a question, which changes nothing."""
    from backend.outside.clock import Clock

    async def job(db: Database, kit: Kit, _: Settings) -> Result:
        async with db.read() as tx:
            return await question(tx, kit, Clock().now())

    return job


def settings_now() -> Settings:
    """What the environment says."""
    return with_keys(load(os.environ))


def bad_rows(file: Path, refused: ImportRefused) -> Wrong:
    """Print every bad cell of a file, and what to say in one line."""
    from backend.imports.rows import in_both

    if [error.line for error in refused.errors] == [0]:
        return Wrong(f"{file}: {in_both(refused.errors[0])}")
    shown = refused.errors[:SHOWN] if out.is_terminal else refused.errors
    show(
        ("line", "column", "reason"),
        [(str(error.line), error.column or "-", in_both(error)) for error in shown],
    )
    more = len(refused.errors) - len(shown)
    rest = f" ({more} more not shown: write them to a file with > FILE)" if more else ""
    return Wrong(f"{file}: {counted(len(refused.errors), 'error')}{rest}; nothing was imported")


def counted(number: int, one: str) -> str:
    """So many of these, in English."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. What stands in it can be searched for: nothing is cut, on a narrow screen it is folded."""
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table)
