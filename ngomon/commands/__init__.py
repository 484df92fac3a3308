"""The administrative commands: short jobs on the database, also beside a running server (contract §2)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError, ProgrammingError

from backend.crypto import KeyRing
from backend.db import Database
from backend.kit import Kit
from backend.roles.tables import ImportRefused, RowError
from backend.settings import Settings, load, with_keys

Result = TypeVar("Result")
out = Console()
SHOWN = 50


class Wrong(Exception):
    """The command cannot do what was asked; the text is the one line that says why."""


def opened(job: Callable[[Database, Kit, Settings], Awaitable[Result]]) -> Result:
    """Run one job on the configured database and close it again."""
    return asyncio.run(_run(job))


def bad_rows(file: Path, refused: ImportRefused) -> Wrong:
    """Print every bad cell of a file, and what to say in one line."""
    if [error.line for error in refused.errors] == [0]:
        return Wrong(f"{file}: {refused.errors[0].reason}")
    out.print(_table(refused.errors[:SHOWN]))
    more = len(refused.errors) - SHOWN
    rest = f" ({more} more not shown)" if more > 0 else ""
    return Wrong(f"{file}: {len(refused.errors)} errors{rest}; nothing was imported")


async def _run(job: Callable[[Database, Kit, Settings], Awaitable[Result]]) -> Result:
    settings = with_keys(load(os.environ))
    db = Database(settings.database_url)
    try:
        return await job(db, Kit.of(KeyRing.parse(settings.secret_keys), settings.limits), settings)
    except (OperationalError, ProgrammingError) as error:
        raise Wrong(_cause(error)) from error
    except OSError as error:
        raise Wrong(f"the database does not answer: {error}") from error
    finally:
        await db.close()


def _cause(error: OperationalError | ProgrammingError) -> str:
    text = str(error.orig)
    if "no such table" in text or "UndefinedTable" in text or "does not exist" in text:
        return "the database has no schema yet: run `ngomon migrate`"
    return f"the database does not answer: {text.splitlines()[0]}"


def _table(errors: Sequence[RowError]) -> Table:
    table = Table("line", "column", "reason")
    for error in errors:
        table.add_row(str(error.line), error.column or "-", error.reason)
    return table
