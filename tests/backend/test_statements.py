"""Statements of the hot paths: refused when they are made, in one transaction with the ORM, and never a scan."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import String, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

import backend
from backend import statements, tallies
from backend.db import Database
from backend.kit import Kit
from backend.statements import Act, Question, Statement, TouchedNothing, Untyped, given
from backend.tallies import Tally, Want
from backend.throttle import Window
from backend.transaction import Tx, Wire

KEY = b"k" * 32
SAMPLES: dict[type, Any] = {
    UUID: UUID(int=1),
    bytes: KEY,
    str: "x",
    int: 1,
    bool: False,
    datetime: datetime(2026, 11, 1, tzinfo=UTC),
    date: date(2026, 11, 1),
}


class Found(NamedTuple):
    """A tally."""

    slot: int
    many: int


ADD = Act(insert(Tally))
MORE = Act(
    update(Tally)
    .where(Tally.key == given("of", Tally.key), Tally.slot == given("minute", Tally.slot))
    .values(count=Tally.count + 1)
)
LOOK = Question(
    Found, select(Tally.slot, Tally.count.label("many")).where(Tally.key == given("of", Tally.key))
)


OWN: list[Statement] = [ADD, MORE, LOOK]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Act(update(Tally).where(Tally.slot == 1).values(count=bindparam("many"))),
        lambda: Act(insert(Tally).values(key=bindparam("who"), slot=1, count=1)),
        lambda: Act(update(Tally).where(Tally.key == bindparam("of", type_=String())).values(count=1)),
        lambda: Act(update(Tally).where(Tally.slot.in_([1, 2])).values(count=1)),
        lambda: Question(Found, select(Tally.slot, Tally.key)),
    ],
)
def test_a_value_without_a_type_of_another_type_or_a_list_is_refused_when_the_statement_is_made(
    make: Callable[[], Statement],
) -> None:
    with pytest.raises((Untyped, TypeError)):
        OWN.append(make())


@pytest.mark.parametrize(
    "values",
    [{"of": KEY}, {"of": KEY, "minute": 1, "more": 1}, {"of": "k", "minute": 1}, {"of": KEY, "minute": "1"}],
)
async def test_exactly_the_named_values_are_taken_and_of_their_types(
    database: Database, values: dict[str, Any]
) -> None:
    async with database.write() as tx:
        with pytest.raises(TypeError):
            await MORE.touched(tx, **values)


async def test_a_change_of_nothing_is_an_error_unless_it_is_asked_for(database: Database) -> None:
    async with database.write() as tx:
        assert await MORE.touched(tx, of=KEY, minute=1) == 0
        with pytest.raises(TouchedNothing):
            await MORE.run(tx, of=KEY, minute=1)
        assert await LOOK.maybe(tx, of=KEY) is None
        with pytest.raises(TouchedNothing):
            await LOOK.one(tx, of=KEY)


async def test_the_orm_and_the_statements_see_each_other_and_are_kept_or_taken_back_together(
    database: Database,
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            tx.add(Tally(key=KEY, slot=1, count=1))  # not flushed: the statement has it sent first
            await MORE.run(tx, of=KEY, minute=1)
            assert await tx.scalar(select(Tally.count).where(Tally.key == KEY)) == 2
            raise ZeroDivisionError
    async with database.write() as tx:
        assert await LOOK.maybe(tx, of=KEY) is None
        await ADD.run(tx, key=KEY, slot=1, count=5)
        tx.add(Tally(key=KEY, slot=2, count=7))
    async with database.read() as tx:
        found = await LOOK.all(tx, of=KEY)
    assert sorted(found) == [Found(1, 5), Found(2, 7)]
    with pytest.raises(AttributeError):
        found[0].many = 6  # type: ignore[misc]


async def test_a_session_that_only_reads_is_told_of_one_moment_whoever_asks(database: Database) -> None:
    async with database.write() as tx:
        await ADD.run(tx, key=KEY, slot=1, count=5)
    async with database.read() as tx:
        before = await LOOK.one(tx, of=KEY)
        async with database.write() as other:
            await MORE.run(other, of=KEY, minute=1)
        assert await LOOK.one(tx, of=KEY) == before == Found(1, 5)
        assert await tx.scalar(select(Tally.count).where(Tally.key == KEY)) == 5
    async with database.read() as tx:
        assert await LOOK.one(tx, of=KEY) == Found(1, 6)


async def test_a_savepoint_of_the_orm_takes_back_what_a_statement_did_in_it(database: Database) -> None:
    async with database.write() as tx:
        await ADD.run(tx, key=KEY, slot=1, count=1)
        with pytest.raises(ZeroDivisionError):
            async with tx.begin_nested():
                await MORE.run(tx, of=KEY, minute=1)
                raise ZeroDivisionError
    async with database.read() as tx:
        assert await LOOK.one(tx, of=KEY) == Found(1, 1)


async def test_a_transaction_without_the_orm_never_makes_its_session_begin(database: Database) -> None:
    async with database.write() as tx:
        await ADD.run(tx, key=KEY, slot=1, count=1)
        assert isinstance(tx, Tx)
        assert not tx.in_transaction()


async def test_budgets_are_spent_by_one_statement_and_tallies_by_two_however_many(
    database: Database, kit: Kit
) -> None:
    now, hourly = SAMPLES[datetime], [Window(3, 3600)]
    async with database.write() as tx:
        with asked(tx) as heard:
            await kit.throttle.spend(tx, [("sms", str(who), hourly) for who in range(4)], now=now)
            waits = await tallies.add(tx, [Want(bytes([who]) * 32, hourly) for who in range(4)], now=now)
    assert waits == [0, 0, 0, 0]
    assert len(heard) == 3


@contextmanager
def asked(tx: AsyncSession) -> Iterator[list[str]]:
    """The statements that go by the driver's connection meanwhile."""
    assert isinstance(tx, Tx)
    heard: list[str] = []
    wire, tx.wire = tx.wire, Listening(tx.wire, heard)
    yield heard
    tx.wire = wire


class Listening:
    """A wire that is listened to."""

    def __init__(self, wire: Wire, heard: list[str]) -> None:
        self._wire, self._heard = wire, heard

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wire, name)
        if name not in ("rows", "touched"):
            return found

        def hearing(sql: str, values: Any) -> Any:
            self._heard.append(sql)
            return found(sql, values)

        return hearing


def products() -> list[Statement]:
    """Every statement of the product; of those that are made for a number of rows, each number up to three."""
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        importlib.import_module(module.name)
    for make, count in itertools.product(statements.BY_NUMBER, (1, 2, 3)):
        make(count)
    return [one for one in statements.ALL if one not in OWN]


async def scanning(database: Database, statement: Statement) -> str | None:
    """What the engine says of a statement that has to look at a whole table; nothing of a good one."""
    async with database.write() as tx:
        assert isinstance(tx, Tx)
        if not database.is_sqlite:
            await tx.execute(text("SET LOCAL enable_seqscan = off"))  # so small, a scan would be right
        plan = statement.plan(tx.wire.dialect)
        values = plan.bound({name: SAMPLES[kind] for name, kind in plan.wanted.items()})
        words = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        told = "\n".join(str(row[-1]) for row in await tx.wire.rows(words + plan.sql, values))
    return (
        f"{plan.sql}\n{told}"
        if re.search(r"\b(SCAN (?!\d+[ -]|anon_\d|CONSTANT ROW)|Seq Scan)", told)
        else None
    )


async def test_no_statement_scans_a_table(database: Database) -> None:
    found = products()
    assert found
    assert [told for one in found if (told := await scanning(database, one))] == []
    count = Question(Found, select(Tally.slot, Tally.count.label("many")).where(Tally.count == 1))
    OWN.append(count)
    assert await scanning(database, count), "a scan would be noticed"
