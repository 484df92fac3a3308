"""Statements of the hot paths: written once in SQLAlchemy's Core, compiled once per engine, run by the driver.

They stand in the same transaction as the ORM, which everything else keeps (docs/architecture.md says when to use
which). What they answer is frozen: a change is a statement of its own, so nothing is lost for want of a save.
A value has a type, or the statement is refused when it is made; `given` takes it from a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
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
from backend.transaction import Tx, Wire, wire_of

Row = TypeVar("Row", bound=tuple[Any, ...])
Clause = SelectBase | Insert | Update | Delete
ByEngine = Callable[[Callable[[Any], Any]], Clause]
INSERTS: dict[str, Callable[[Any], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

ALL: list[Statement] = []  # a test has each of them explained by both engines
BY_NUMBER: list[Callable[[int], Statement]] = []
Made = TypeVar("Made", bound="Statement")


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


def numbered(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several rows by the names of `rows_of`."""
    return {f"{name}_{at}": value for at, row in enumerate(rows) for name, value in row.items()}


def by_number(make: Callable[[int], Made]) -> Callable[[int], Made]:
    """A statement for each number of rows, made when it is first wanted."""
    made = cache(make)
    BY_NUMBER.append(made)
    return made


class Plan(NamedTuple):
    """A statement as one engine has it."""

    sql: str
    wanted: Mapping[str, type]  # what has to be given, and of which type
    places: tuple[tuple[str, Callable[[Any], Any] | None], ...]  # in the engine's order
    constants: Mapping[str, Any]
    readers: tuple[Callable[[Any], Any] | None, ...]  # of the columns of the answer

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """The values as the driver wants them; raises TypeError unless it is exactly those that are wanted."""
        if values.keys() != self.wanted.keys():
            raise TypeError(f"wanted {sorted(self.wanted)}, given {sorted(values)}")
        for name, kind in self.wanted.items():
            if values[name] is not None and not isinstance(values[name], kind):
                raise TypeError(f"{name} is a {type(values[name]).__name__}, wanted {kind.__name__}")
        return [
            self.constants[name] if name in self.constants else (to(values[name]) if to else values[name])
            for name, to in self.places
        ]


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
        wire = await wire_under(tx)
        if wire is None:
            return [
                self._row(one) for one in await tx.execute(cast(Executable, self.on(dialect_of(tx))), values)
            ]
        plan = self.plan(wire.dialect)
        begun = perf_counter()
        rows = await wire.rows(plan.sql, plan.bound(values))
        took(DATABASE, perf_counter() - begun, "read")
        return [
            self._row([read(cell) if read else cell for read, cell in zip(plan.readers, row, strict=True)])
            for row in rows
        ]

    async def maybe(self, tx: AsyncSession, **values: Any) -> Row | None:
        """The one row, or nothing."""
        rows = await self.all(tx, **values)
        if len(rows) > 1:
            raise ValueError(f"{len(rows)} rows where one was meant")
        return rows[0] if rows else None

    async def one(self, tx: AsyncSession, **values: Any) -> Row:
        """The one row; raises TouchedNothing."""
        found = await self.maybe(tx, **values)
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


async def wire_under(tx: AsyncSession) -> Wire | None:
    """The driver's connection under a session; nothing under one of PostgreSQL that only reads.

    There SQLAlchemy's own driver begins the snapshot with the first statement that it is asked itself.
    """
    if isinstance(tx, Tx):
        await tx.settle()
        return tx.wire
    if tx.get_bind().dialect.name != "sqlite":
        return None
    raw = await (await tx.connection()).get_raw_connection()
    return wire_of(raw.driver_connection, tx.get_bind().dialect)


def dialect_of(tx: AsyncSession) -> str:
    """The name of a session's engine."""
    return tx.get_bind().dialect.name


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
    places, constants, wanted = [], {}, {}
    for name in compiled.positiontup or ():
        bind = compiled.binds[name]
        if isinstance(bind.type, NullType):
            raise Untyped(f"{name} has no type: use `given`")
        to = bind.type.dialect_impl(dialect).bind_processor(dialect)
        places.append((name, to))
        if bind.required:
            wanted[name] = bind.type.python_type
        else:
            value = bind.effective_value
            constants[name] = to(value) if to else value
    readers = (
        column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in clause.exported_columns
    )
    return Plan(str(compiled), wanted, tuple(places), constants, tuple(readers))
