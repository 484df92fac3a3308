"""Every row of every table, read and written whole: what a backup and a move to another engine have in common."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, func, insert, inspect, select, text
from sqlalchemy import table as named
from sqlalchemy.ext.asyncio import AsyncSession

import ngomon.tables  # noqa: F401  (importing it fills the metadata)
from backend import trouble
from backend.db import Base, Database

AT_ONCE = 500
MARK = "ngomon_moving"  # a table that is there while a move is not over: which database comes in here
MADE = {"journal_head", "key_prints", "figures"}  # by `migrate`, and by whoever only started once
Row = Sequence[Any]


class Sum:
    """How many rows there were, and a sum over them that knows no order: engines sort text each in its way."""

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def add(self, line: bytes) -> None:
        """One row as it is written."""
        self.rows += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(line).digest(), "big")) % (1 << 256)

    @property
    def text(self) -> str:
        """For people and files."""
        return f"{self._sum:064x}"

    @property
    def whole(self) -> tuple[int, str]:
        """Both."""
        return self.rows, self.text


def tables() -> list[Table]:
    """Every table; whose rows others name come first."""
    return list(Base.metadata.sorted_tables)


def names(table: Table) -> list[str]:
    """The names of its columns, as plain text."""
    return [f"{column.name}" for column in table.columns]


async def all_rows(tx: AsyncSession, table: Table, *, after: int = 0) -> AsyncIterator[Row]:
    """The rows of one table by key, those that others of the table name first; `after` leaves the first ones out."""
    query = select(table).order_by(*_order(table)).offset(after)
    async for row in await tx.stream(query.execution_options(yield_per=AT_ONCE)):
        yield tuple(row)


def _order(table: Table) -> list[Any]:
    """A unit stands below its parent, so its path is longer."""
    first = [func.length(table.c.path)] if any(fk.column.table is table for fk in table.foreign_keys) else []
    return [*first, *table.primary_key.columns]


def written(row: Row) -> bytes:
    """A row as one line."""
    return msgspec.json.encode(row)


def read(table: Table, line: bytes) -> dict[str, Any]:
    """The row again, as the columns want it."""
    values = msgspec.json.decode(line)
    pairs = zip(table.columns, values, strict=True)
    return {
        column.name: None if value is None else msgspec.convert(value, column.type.python_type)
        for column, value in pairs
    }


async def put(tx: AsyncSession, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as they are."""
    if rows := list(rows):
        await (await tx.connection()).execute(insert(table), rows)


async def count(tx: AsyncSession, table: Table) -> int:
    """How many rows a table has."""
    return await tx.scalar(select(func.count()).select_from(table)) or 0


async def is_untouched(tx: AsyncSession) -> bool:
    """Whether nobody has done anything here yet: a schema, and nothing that `migrate` does not make itself."""
    for one in tables():
        if one.name in MADE:
            continue
        if await tx.scalar(select(text("1")).select_from(one).limit(1)) is not None:
            return False
    return True


async def is_empty(db: Database) -> bool:
    """Whether nothing stands in the whole database, of ours or of anybody, whatever its schema is."""
    async with db.engine.connect() as connection:
        names = await connection.run_sync(lambda found: inspect(found).get_table_names())
        for name in set(names) - MADE - {"alembic_version"}:
            if await connection.scalar(select(text("1")).select_from(named(name)).limit(1)) is not None:
                return False
    return True


async def is_coming_in(db: Database) -> bool:
    """Whether another database has been begun to be moved into this one, and not all of it is here."""
    with trouble.named():
        async with db.engine.connect() as connection:
            return await connection.run_sync(lambda found: inspect(found).has_table(MARK))


async def empty(tx: AsyncSession) -> None:
    """Take away what `migrate` makes."""
    for table in reversed(tables()):
        await tx.execute(table.delete())
