"""Statements of the hot paths: written once in SQLAlchemy's Core, compiled once per engine, run by the driver.

They stand in the same transaction as the ORM, which everything else keeps (docs/architecture.md says when to use
which). What they answer is frozen: a change is a statement of its own, so nothing is lost for want of a save.
A value has a type, or the statement is refused when it is made; `given` takes it from a column.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    ColumnElement,
    Delete,
    Dialect,
    Executable,
    Insert,
    SelectBase,
    Update,
    bindparam,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import NullType, TypeEngine

from backend.counting import DATABASE, took
from backend.sqlite_cursor import SqliteConnection
from backend.transaction import SqliteWire, Tx, Wire

named: Any = namedtuple  # noqa: PYI024 - a row's fields are columns, which no checker knows
Row = TypeVar("Row", bound=tuple[Any, ...])
Clause = SelectBase | Insert | Update | Delete
ByEngine = Callable[[Callable[[Any], Any]], Clause]
INSERTS: dict[str, Callable[[Any], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

ALL: list[Statement] = []  # a test has each of them explained by both engines
BY_NUMBER: list[Callable[[int], object]] = []
Made = TypeVar("Made")


class TouchedNothing(Exception):
    """A statement that must find its row found none."""


class Untyped(TypeError):
    """A statement with a value whose type nobody knows, or with one of another type than its column."""


def given(name: str, like: InstrumentedAttribute[Any] | TypeEngine[Any]) -> BindParameter[Any]:
    """A value that is named when the statement is run, of the type of a column."""
    return bindparam(name, type_=like if isinstance(like, TypeEngine) else like.type)


def rows_of(count: int, *columns: InstrumentedAttribute[Any]) -> list[dict[str, BindParameter[Any]]]:
    """The VALUES of an INSERT of so many rows; what is given to it is `numbered`."""
    return [{column.key: given(f"{column.key}_{at}", column) for column in columns} for at in range(count)]


def one_of(name: str, count: int, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether a column has one of so many values; they are given to it by `listed`."""
    return column.in_([given(f"{name}_{at}", column) for at in range(count)])


def listed(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """The values by the names of `one_of`."""
    return {f"{name}_{at}": value for at, value in enumerate(values)}


def numbered(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several rows by the names of `rows_of`."""
    return {f"{name}_{at}": value for at, row in enumerate(rows) for name, value in row.items()}


def by_number(make: Callable[[int], Made]) -> Callable[[int], Made]:
    """A statement for each number of rows, made when it is first wanted."""
    made = cache(make)
    BY_NUMBER.append(made)
    return made


class Place(NamedTuple):
    """Where a value stands in a statement: one that is given, or what always stands there."""

    name: str
    kind: type | None  # nothing of a constant
    to: Callable[[Any], Any] | None  # as the driver wants it
    constant: Any = None


class Plan(NamedTuple):
    """A statement as one engine has it."""

    sql: str
    wanted: Mapping[str, type]  # what has to be given, and of which type
    places: tuple[Place, ...]  # in the engine's order
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]  # of those columns of the answer that need one

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """The values as the driver wants them; raises TypeError unless it is exactly those that are wanted."""
        if values.keys() != self.wanted.keys():
            raise TypeError(f"wanted {sorted(self.wanted)}, given {sorted(values)}")
        found = []
        for name, kind, to, constant in self.places:
            if kind is None:
                found.append(constant)
                continue
            value = values[name]
            if value.__class__ is not kind and value is not None and not isinstance(value, kind):
                raise TypeError(f"{name} is a {type(value).__name__}, wanted {kind.__name__}")
            found.append(to(value) if to else value)
        return found

    def read(self, rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """The rows of the answer in our types."""
        if not self.readers:
            return rows
        found = list(map(list, rows))
        for cells in found:
            for place, reader in self.readers:
                cells[place] = reader(cells[place])
        return found


class Statement:
    """What the two kinds share. `clause` may be a function of the engine's own INSERT, which knows ON CONFLICT."""

    def __init__(self, clause: Clause | ByEngine) -> None:
        self._clause = clause
        self._plans: dict[str, Plan] = {}
        check(self.on("sqlite"))
        self._check()
        ALL.append(self)

    def _check(self) -> None:
        """What else a kind demands."""

    def on(self, engine: str) -> Clause:
        """The clause for one engine."""
        return self._clause(INSERTS[engine]) if callable(self._clause) else self._clause

    def plan(self, dialect: Dialect) -> Plan:
        """How the engine has it; compiled when it is first asked for."""
        found = self._plans.get(dialect.name)
        if found is None:
            found = self._plans[dialect.name] = planned(self.on(dialect.name), dialect)
        return found


class Question(Statement, Generic[Row]):
    """A statement that answers with rows, a SELECT or one with RETURNING; `row` names its columns in their order."""

    def __init__(self, row: type[Row], clause: Clause | ByEngine) -> None:
        self._fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
        self._row: Callable[[Sequence[Any]], Row] = row._make  # type: ignore[attr-defined]
        super().__init__(clause)

    def _check(self) -> None:
        columns = tuple(self.on("sqlite").exported_columns.keys())
        if columns != self._fields:
            raise TypeError(f"{self._fields} does not name the columns {columns}")

    async def all(self, tx: AsyncSession, **values: Any) -> list[Row]:
        """Every row."""
        if isinstance(tx, Tx):
            await tx.settle()
            wire: Wire = tx.wire
        elif tx.get_bind().dialect.name == "sqlite":
            raw = await (await tx.connection()).get_raw_connection()
            assert isinstance(raw.driver_connection, SqliteConnection)
            wire = SqliteWire(raw.driver_connection, tx.get_bind().dialect)
        else:  # SQLAlchemy's own driver begins PostgreSQL's snapshot with the first statement that it is asked itself
            clause = cast(Executable, self.on(tx.get_bind().dialect.name))
            return [self._row(one) for one in await tx.execute(clause, values)]
        plan = self.plan(wire.dialect)
        begun = perf_counter()
        rows = await wire.rows(plan.sql, plan.bound(values))
        took(DATABASE, perf_counter() - begun, "read")
        return list(map(self._row, plan.read(rows)))

    async def aside(self, tx: AsyncSession, **values: Any) -> list[Row]:
        """Every row, where it looks at more than a few: on SQLite on the session's thread, and others are served."""
        plan = self.plan(tx.get_bind().dialect)
        rows = await (await tx.connection()).exec_driver_sql(plan.sql, tuple(plan.bound(values)))
        return list(map(self._row, plan.read(rows)))

    async def maybe(self, tx: AsyncSession, **values: Any) -> Row | None:
        """The one row, or nothing."""
        return _only(await self.all(tx, **values))

    async def one(self, tx: AsyncSession, **values: Any) -> Row:
        """The one row; raises TouchedNothing."""
        found = _only(await self.all(tx, **values))
        if found is None:
            raise TouchedNothing
        return found


class Act(Statement):
    """A statement that changes something and answers nothing."""

    async def run(self, tx: AsyncSession, **values: Any) -> None:
        """Change what must be there; raises TouchedNothing."""
        if await self.touched(tx, **values) == 0:
            raise TouchedNothing

    async def touched(self, tx: AsyncSession, **values: Any) -> int:
        """How many rows it changed, which may be none."""
        assert isinstance(tx, Tx), "a session that only reads"
        await tx.settle()
        plan = self.plan(tx.wire.dialect)
        begun = perf_counter()
        touched = await tx.wire.touched(plan.sql, plan.bound(values))
        took(DATABASE, perf_counter() - begun, "write")
        return touched


def _only(rows: list[Row]) -> Row | None:
    if len(rows) > 1:
        raise ValueError(f"{len(rows)} rows where one was meant")
    return rows[0] if rows else None


def check(clause: Clause) -> None:
    """Raises Untyped for a value without a type, of another type than what it is compared with, or for a list."""
    for part in iterate(clause):
        if isinstance(part, BindParameter):
            if part.required and isinstance(part.type, NullType):
                raise Untyped(f"{part.key} has no type: use `given`")
            if part.expanding:
                raise Untyped(f"{part.key} is a list: a statement has one form")
        if isinstance(part, BinaryExpression):
            sides = (part.left, part.right)
            if any(isinstance(side, BindParameter) for side in sides) and not _agree(*sides):
                raise Untyped(f"{part} compares two types")


def _agree(one: Any, other: Any) -> bool:
    return isinstance(one.type, NullType) or one.type.python_type is other.type.python_type


def planned(clause: Clause, dialect: Dialect) -> Plan:
    """Compile a clause for an engine, by the public parts of SQLAlchemy alone."""
    compiled = clause.compile(dialect=dialect)
    places = []
    for name in compiled.positiontup or ():
        bind = compiled.binds[name]
        if isinstance(bind.type, NullType):
            raise Untyped(f"{name} has no type: use `given`")
        to = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if bind.required:
            kind = bind.type.python_type
            places.append(Place(name, kind, _remembered(to) if to and kind is datetime else to))
        else:
            value = bind.effective_value
            places.append(Place(name, None, None, to(value) if to else value))
    readers = (
        (at, column.type.dialect_impl(dialect).result_processor(dialect, None))
        for at, column in enumerate(clause.exported_columns)
    )
    return Plan(
        str(compiled),
        {place.name: place.kind for place in places if place.kind is not None},
        tuple(places),
        tuple((at, reader) for at, reader in readers if reader is not None),
    )


def _remembered(to: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One moment stands in many rows of an act, and SQLite wants each as text."""
    return lru_cache(maxsize=16)(to)
