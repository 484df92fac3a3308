"""Objects of the ORM that statements read and make: where a rule wants an object, and speed matters.

The object is the session's own, the only one of its row: what is changed of it is written as ever. Only the question,
or the INSERT, is said to the driver, which is a fifth of the work (docs/architecture.md says when to use which).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Label, Select, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from backend.db import Base, at_commit
from backend.statements import Act, Question, by_number, named, numbered, rows_of

Of = TypeVar("Of", bound=Base)
With = TypeVar("With", bound=Base)


@cache
def columns_of(table: type[Base]) -> tuple[str, ...]:
    """The names of a table's columns, as its objects have them."""
    return tuple(attribute.key for attribute in inspect(table).column_attrs)


class Reading(Generic[Of]):
    """Whole rows of one table as objects, as they are now."""

    def __init__(self, table: type[Of], which: Callable[[Select[Any]], Select[Any]]) -> None:
        names = columns_of(table)
        self._table = table
        self._question: Question[Any] = Question(
            named(table.__name__, names),
            which(select(*(getattr(table, name) for name in names))),
        )

    async def all(self, tx: AsyncSession, **values: Any) -> list[Of]:
        """Every row."""
        return [entered(tx, self._table, row._asdict()) for row in await self._question.all(tx, **values)]

    async def maybe(self, tx: AsyncSession, **values: Any) -> Of | None:
        """The one row, or nothing."""
        row = await self._question.maybe(tx, **values)
        return entered(tx, self._table, row._asdict()) if row is not None else None

    async def one(self, tx: AsyncSession, **values: Any) -> Of:
        """The one row; raises TouchedNothing."""
        return entered(tx, self._table, (await self._question.one(tx, **values))._asdict())


class Pairs(Generic[Of, With]):
    """The same of two tables that are joined."""

    def __init__(
        self, table: type[Of], beside: type[With], which: Callable[[Select[Any]], Select[Any]]
    ) -> None:
        self._tables = table, beside
        self._names = columns_of(table), columns_of(beside)
        columns = [
            getattr(one, name).label(f"{mark}_{name}")
            for mark, one, names in zip(("of", "with"), self._tables, self._names, strict=True)
            for name in names
        ]
        row = named(table.__name__, [column.name for column in columns])
        self._question: Question[Any] = Question(row, which(select(*columns).select_from(table)))

    async def all(self, tx: AsyncSession, **values: Any) -> list[tuple[Of, With]]:
        """Every pair."""
        first, second = self._names
        return [
            (
                entered(tx, self._tables[0], dict(zip(first, row[: len(first)], strict=True))),
                entered(tx, self._tables[1], dict(zip(second, row[len(first) :], strict=True))),
            )
            for row in await self._question.all(tx, **values)
        ]


class Joined:
    """The same of however many tables, with single values beside them, behind the objects."""

    def __init__(
        self,
        tables: Sequence[type[Base]],
        which: Callable[[Select[Any]], Select[Any]],
        *beside: Label[Any],
    ) -> None:
        self._tables = [(table, columns_of(table)) for table in tables]
        columns = [
            getattr(table, name).label(f"{table.__tablename__}_{name}")
            for table, names in self._tables
            for name in names
        ]
        row = named(tables[0].__name__, [column.name for column in (*columns, *beside)])
        self._question: Question[Any] = Question(row, which(select(*columns, *beside).select_from(tables[0])))

    async def all(self, tx: AsyncSession, **values: Any) -> list[list[Any]]:
        """Every row: its objects in the order of the tables, then the values."""
        return [self._split(tx, row) for row in await self._question.all(tx, **values)]

    def _split(self, tx: AsyncSession, row: tuple[Any, ...]) -> list[Any]:
        found, at = list[Any](), 0
        for table, names in self._tables:
            found.append(entered(tx, table, dict(zip(names, row[at : at + len(names)], strict=True))))
            at += len(names)
        return [*found, *row[at:]]


class Making(Generic[Of]):
    """An INSERT of one object."""

    def __init__(self, table: type[Of]) -> None:
        self._names, self._act = columns_of(table), Act(insert(table))

    async def add(self, tx: AsyncSession, made: Of) -> Of:
        """Write it now, with nothing in what was not said of it; its own defaults are the caller's to say."""
        values = {name: getattr(made, name) for name in self._names}
        await self._act.run(tx, **values)
        return _enter(tx, made, values)


class Together:
    """Rows of one table that a transaction gathers, and writes at its end: so many in one statement."""

    SOME = 8

    def __init__(self, table: type[Base]) -> None:
        self._key = table.__tablename__

        def made(count: int) -> Act:
            columns = [getattr(table, name) for name in columns_of(table)]
            return Act(insert(table).values(rows_of(count, *columns)))

        self._acts = by_number(made)

    def add(self, tx: AsyncSession, row: dict[str, Any]) -> None:
        """Write this one too, before the commit."""
        tx.info.setdefault(self._key, []).append(row)
        at_commit(tx, self._key, self.write, first=True)

    async def write(self, tx: AsyncSession) -> None:
        """All that was gathered so far, now: for what is about to change or to take it back."""
        rows = tx.info.pop(self._key, [])
        for at in range(0, len(rows), self.SOME):
            part = rows[at : at + self.SOME]
            await self._acts(len(part)).run(tx, **numbered(part))


def entered(tx: AsyncSession, table: type[Of], values: dict[str, Any]) -> Of:
    """The session's object of a row, with what the row says now."""
    keys = tuple(values[column.key] for column in inspect(table).primary_key if column.key is not None)
    known: Of | None = tx.identity_map.get(identity_key(table, keys))
    if known is None:
        return _enter(tx, table(), values)
    for name, value in values.items():
        set_committed_value(known, name, value)
    return known


def _enter(tx: AsyncSession, new: Of, values: dict[str, Any]) -> Of:
    for name, value in values.items():
        set_committed_value(new, name, value)
    make_transient_to_detached(new)
    tx.add(new)
    return new
