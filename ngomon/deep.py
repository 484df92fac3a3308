"""`ngomon doctor --deep`: the invariants over a living database, within bounds, and how far it came (rule 1021).

It reads only. Each statement looks at so many rows, all of them take so many seconds; what was not reached is said, and
is no "ok".
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any
from uuid import UUID

import msgspec
from rich.console import Console
from rich.text import Text
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.db import Database
from backend.engines import sqlite_connection
from backend.limits import Limits
from backend.settings import Settings
from backend.trouble import StorageTrouble
from ngomon import invariants
from ngomon.invariants import Invariant

ROWS, SECONDS = 2000, 60.0
SHOWN = 20  # of one table's faults; the rest is counted
FILE = "SQLite file"
STEPS = 100_000  # of SQLite's machine between two looks at the clock


class Looked(msgspec.Struct):
    """One table so far: rows that were looked at, what is wrong with them, and whether nothing is left."""

    name: str
    rows: int = 0
    wrong: list[str] = []
    done: bool = False
    trouble: str = ""


async def look(db: Database, limits: Limits, *, rows: int = ROWS, seconds: float = SECONDS) -> list[Looked]:
    """Every table part by part, by turns, so that each is reached; ends when all are done or the time is over."""
    end = time.monotonic() + seconds
    found = {table: Looked(table) for table in invariants.by_table()}
    places = dict.fromkeys(found, invariants.FIRST)
    while time.monotonic() < end and (left := [one for one in found.values() if not one.done]):
        for one in left:
            if time.monotonic() >= end:
                break
            await _part(db, limits, one, places, rows, end)
    whole = list(found.values())
    return [*whole, await _file(db, end)] if db.is_sqlite else whole


async def _part(
    db: Database, limits: Limits, one: Looked, places: dict[str, UUID], rows: int, end: float
) -> None:
    """Counted only when everything that is asked of the part was answered."""
    after, wrong = places[one.name], list[str]()
    try:
        async with asyncio.timeout(max(0.0, end - time.monotonic())), db.read() as tx:
            if not db.is_sqlite:
                patience = int((end - time.monotonic() + 1) * 1000)  # for a process that dies meanwhile
                await tx.execute(text("SET TRANSACTION READ ONLY"))
                await tx.execute(text(f"SET LOCAL statement_timeout = {patience}"))
            count, last = await invariants.extent(tx, one.name, after, rows)
            for invariant in _of(one.name):
                wrong += await invariants.broken(tx, invariant, limits, after=after, most=rows)
    except TimeoutError:
        return
    one.rows, one.wrong, one.done = one.rows + count, one.wrong + wrong, last is None
    places[one.name] = last or after


def _of(table: str) -> list[Invariant]:
    return invariants.by_table()[table]


async def _file(db: Database, end: float) -> Looked:
    """SQLite's own look at its file, on a connection that cannot write."""
    assert db.file is not None
    found = Looked(FILE)
    if time.monotonic() >= end:
        return found
    with contextlib.closing(sqlite_connection(db.file)) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        for question in ("PRAGMA quick_check", "PRAGMA foreign_key_check"):
            answer = await asyncio.to_thread(_asked, connection, question)
            if answer is None:
                return found
            found.wrong += answer
            found.rows += 1
    found.done = True
    return found


def _asked(connection: Any, question: str) -> list[str] | None:
    """What it complains about; nothing when it was stopped."""
    try:
        rows = connection.execute(question).fetchall()
    except Exception as error:
        if "interrupted" not in str(error):
            raise
        return None
    return [f"{question[7:]}: {row[0]}" for row in rows if row[0] != "ok"]


async def examine(settings: Settings, out: Console, *, rows: int, seconds: float) -> tuple[bool, bool]:
    """A line for each table and each fault; whether nothing is wrong, and whether everything was looked at."""
    db = Database(settings.database_url)
    try:
        found = await look(db, settings.limits, rows=rows, seconds=seconds)
    except (StorageTrouble, SQLAlchemyError) as error:
        out.print(Text(f"fail stored: {type(error).__name__}", style="red"))
        return False, False
    finally:
        await db.close()
    for one in found:
        out.print(Text(line(one), style="red" if one.wrong else "" if one.done else "yellow"), soft_wrap=True)
        for wrong in one.wrong[:SHOWN]:
            out.print(Text(f"       {wrong}"), soft_wrap=True)
    return not any(one.wrong for one in found), all(one.done for one in found)


def line(one: Looked) -> str:
    """For people: how far it came, and how much of that is wrong."""
    state = "fail" if one.wrong else "ok  " if one.done else "-   "
    came = "all of it" if one.name == FILE else f"all {one.rows} rows"
    if not one.done:
        came = (
            "the time was over before the end"
            if one.name == FILE
            else f"{one.rows} rows, then the time was over"
        )
    return f"{state} stored, {one.name}: {came}; {len(one.wrong) or 'nothing'} wrong"
