"""The administrative commands: short jobs on the database, also beside a running server (contract §2)."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.exc import OperationalError, ProgrammingError

from backend.crypto import KeyRing, KeyTrouble
from backend.db import Database
from backend.imports.rows import ImportRefused
from backend.imports.words import in_both
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings, load, with_keys
from backend.trouble import StorageTrouble
from ngomon.admission import admit
from ngomon.commands import by
from ngomon.heads import Heads

Result = TypeVar("Result")
SHOWN = 50  # bad cells on a screen; a file or another program gets them all
WIDE = 100_000  # columns where no screen ends them
# what we print is never markup: a unit may be called [x]
out = Console(width=None if sys.stdout.isatty() else WIDE, markup=False, emoji=False, highlight=False)


class Wrong(Exception):
    """The command cannot do what was asked; the text is the one line that says why."""


def opened(
    job: Callable[[Database, Kit, Settings], Awaitable[Result]], *, storage_only: bool = False
) -> Result:
    """Run one job on the configured database and close it again; the journal says who ran it.

    `storage_only` as in `settings.load`.
    """
    return asyncio.run(_run(job, storage_only))


def bad_rows(file: Path, refused: ImportRefused) -> Wrong:
    """Print every bad cell of a file, and what to say in one line."""
    if [error.line for error in refused.errors] == [0]:
        return Wrong(f"{file}: {in_both(refused.errors[0])}")
    shown = refused.errors[:SHOWN] if out.is_terminal else refused.errors
    show(
        ("line", "column", "reason"),
        [(str(error.line), error.column or "-", in_both(error)) for error in shown],
    )
    more = len(refused.errors) - len(shown)
    rest = f" ({more} more not shown: write them to a file with > FILE)" if more else ""
    return Wrong(f"{file}: {len(refused.errors)} errors{rest}; nothing was imported")


def show(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. What stands in it can be searched for: nothing is cut, on a narrow screen it is folded."""
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table)


async def _run(job: Callable[[Database, Kit, Settings], Awaitable[Result]], storage_only: bool) -> Result:
    settings = with_keys(load(os.environ, storage_only=storage_only))
    db = Database(settings.database_url)
    try:
        await admit(db, KeyRing.parse(settings.secret_keys), now=Clock().now())
        kit = Kit.of(KeyRing.parse(settings.secret_keys), settings.limits, operator=by.whoever_runs())
        return await _done(job, db, kit, settings)
    except (OperationalError, ProgrammingError) as error:
        raise Wrong(cause(error)) from error
    except KeyTrouble as trouble:
        raise Wrong(str(trouble)) from trouble
    except StorageTrouble as trouble:
        raise Wrong(said_of(trouble)) from trouble
    finally:
        await db.close()


async def _done(
    job: Callable[[Database, Kit, Settings], Awaitable[Result]], db: Database, kit: Kit, settings: Settings
) -> Result:
    """The job, and the journal's head out of the house after it (attack A07)."""
    result = await job(db, kit, settings)
    if settings.journal_heads:
        await Heads(db, kit.journal, settings.journal_heads).keep()
    return result


def said_of(trouble: StorageTrouble) -> str:
    """One line about a database in trouble, with the words of the engine."""
    said = trouble.__cause__
    if isinstance(said, OperationalError | ProgrammingError):
        return cause(said)
    return f"the database does not answer: {said}" if said else trouble.code


def cause(error: OperationalError | ProgrammingError) -> str:
    """One line about a database that does not answer as it should; its own words hold no password."""
    text = str(error.orig)
    if "no such table" in text or "UndefinedTable" in text or "does not exist" in text:
        return "the database has no schema yet: run `ngomon migrate`"
    return f"the database does not answer: {text.splitlines()[0]}"
