"""From SQLite to PostgreSQL: every row copied and counted; it may be stopped and started again (rule 1012)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.journal import Head
from backend.kit import Kit
from backend.roles.owed import owed
from ngomon import migrations, rows

NOT_EMPTY = "the target is not empty: nothing was moved"
CHUNK = 2000  # rows in one transaction
Told = Callable[[str, int, int], None]  # table, rows so far, rows in all


class MoveTrouble(Exception):
    """Why nothing moves, in one line."""


async def move(source: Database, target: Database, kit: Kit, told: Told) -> dict[str, int]:
    """Copy, compare, prove the journal on both; rows by table. The caller sees to it that nobody writes meanwhile."""
    if target.is_sqlite or not source.is_sqlite:
        raise MoveTrouble("it goes from SQLite (NGOMON_DATABASE_URL) to PostgreSQL (--to)")
    if not await migrations.is_current(source.url.render_as_string(hide_password=False)):
        raise MoveTrouble("the SQLite database does not have the newest schema: run `ngomon migrate` first")
    await _prepare(target)
    await _begin(target, await _name_of(source))
    counts = {}
    for table in rows.tables():
        counts[str(table.name)] = await _copy(source, target, table, told)
    for table in rows.tables():
        await _compare(source, target, table)
    for database, name in ((source, "SQLite"), (target, "PostgreSQL")):
        async with database.read() as tx:
            _, trouble = await kit.journal.verify(tx, witness=await owed(tx))
        if trouble:
            raise MoveTrouble(f"the journal is broken on {name}: {trouble}")
    async with target.write() as tx:
        await tx.execute(text(f"DROP TABLE {rows.MARK}"))
    return counts


async def _prepare(target: Database) -> None:
    """The newest schema, once: made again, it would put rows of its own where the source's have still to come."""
    url = target.url.render_as_string(hide_password=False)
    if await rows.is_coming_in(target):
        if not await migrations.is_current(url):
            raise MoveTrouble("another release has begun this move: take the target away and begin again")
        return
    if not await rows.is_empty(target):  # before its schema is touched
        raise MoveTrouble(NOT_EMPTY)
    await migrations.migrate(url)


async def _name_of(source: Database) -> str:
    """The journal's head names a database as it is at this moment."""
    async with source.read() as tx:
        head = await tx.get(Head, 1)
    return f"{head.seq}.{head.hash.hex()}" if head is not None else ""


async def _begin(target: Database, name: str) -> None:
    """Begin with an empty database, or go on with one that this very move has begun."""
    async with target.write() as tx:
        there = await tx.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": rows.MARK})
        if not there:
            if not await rows.is_untouched(tx):
                raise MoveTrouble(NOT_EMPTY)
            await rows.empty(tx)
            await tx.execute(text(f"CREATE TABLE {rows.MARK} (source text NOT NULL)"))
            await tx.execute(text(f"INSERT INTO {rows.MARK} VALUES (:name)"), {"name": name})  # noqa: S608 - a constant
        elif await tx.scalar(text(f"SELECT source FROM {rows.MARK}")) != name:  # noqa: S608 - a constant
            raise MoveTrouble(
                "somebody has written to SQLite since this move was begun: take the target away and begin again"
            )


async def _copy(source: Database, target: Database, table: Table, told: Told) -> int:
    """Behind the rows that are there already: nobody writes to either, so the order of the source is the order."""
    async with target.read() as tx:
        done = await rows.count(tx, table)
    async with source.read() as tx:
        total = await rows.count(tx, table)
        async for chunk in _chunks(tx, table, done):
            async with target.write() as there:
                await rows.put(there, table, chunk)
            done += len(chunk)
            told(str(table.name), done, total)
    return total


async def _chunks(tx: AsyncSession, table: Table, after: int) -> AsyncIterator[list[dict[str, Any]]]:
    names = rows.names(table)
    chunk: list[dict[str, Any]] = []
    async for row in rows.all_rows(tx, table, after=after):
        chunk.append(dict(zip(names, row, strict=True)))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _compare(source: Database, target: Database, table: Table) -> None:
    sums = [await _sum(database, table) for database in (source, target)]
    if sums[0] != sums[1]:
        raise MoveTrouble(
            f"table {table.name} differs: {sums[0][0]} rows on SQLite, {sums[1][0]} on PostgreSQL"
        )


async def _sum(database: Database, table: Table) -> tuple[int, str]:
    summed = rows.Sum()
    async with database.read() as tx:
        async for row in rows.all_rows(tx, table):
            summed.add(rows.written(row))
    return summed.whole
