"""`ngomon doctor --deep`: what must hold of a living database, asked within bounds (rule 1021)."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console
from sqlalchemy import event, text, update

from backend.account import Account
from backend.accounts.models import OneTimeCode
from backend.db import Database, new_id
from backend.environment import load
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox.models import Delivery, Link, System
from ngomon import deep, invariants
from ngomon.deep import FILE, Looked
from tests import checker

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEOPLE = 25


async def people(db: Database) -> None:
    """Some, each with a delivery that has arrived."""
    async with db.write() as tx:
        system = new_id()
        tx.add(System(id=system, name="van-ban", kind="scim", url="https://8.8.8.8", created_at=NOW))
        accounts = [new_id() for _ in range(PEOPLE)]
        tx.add_all(Account(id=one, full_name=b"sealed", created_at=NOW, role_version=3) for one in accounts)
        await tx.flush()
        moments = dict.fromkeys(("not_before", "next_at", "created_at", "changed_at"), NOW)
        for one in accounts:
            tx.add(Link(system_id=system, account_id=one))
            tx.add(Delivery(system_id=system, account_id=one, version=3, lane=1, state="done", **moments))


def named(found: list[Looked]) -> dict[str, Looked]:
    return {one.name: one for one in found}


async def test_every_row_is_looked_at_once_in_parts(database: Database) -> None:
    await people(database)
    for rows in (1, 7, PEOPLE, 1000):
        found = named(await deep.look(database, Limits(), rows=rows))
        assert all(one.done and not one.wrong for one in found.values()), found
        assert (found["accounts"].rows, found["deliveries"].rows) == (PEOPLE, PEOPLE), rows
        assert (FILE in found) is database.is_sqlite


async def test_what_is_wrong_is_named_wherever_it_stands(database: Database) -> None:
    await people(database)
    async with database.write() as tx:
        await tx.execute(update(Delivery).values(version=4))
    for rows in (1, 7, 1000):
        wrong = named(await deep.look(database, Limits(), rows=rows))["deliveries"].wrong
        assert len(wrong) == PEOPLE and all("promises a version" in one for one in wrong)


async def test_it_says_how_far_it_came_when_the_time_is_over(database: Database) -> None:
    await people(database)
    found = await deep.look(database, Limits(), rows=5, seconds=0.0)
    assert not any(one.done or one.rows for one in found)
    assert all("time was over" in deep.line(one) and deep.line(one).startswith("-") for one in found)


async def test_it_reads_only_and_looks_at_so_many_rows_a_statement(database: Database) -> None:
    await people(database)
    asked: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    for engine in {database.engine.sync_engine, database._reader.sync_engine}:
        event.listen(engine, "before_cursor_execute", heard)
    await deep.look(database, Limits(), rows=5)
    verbs = {statement.split()[0] for statement in asked}
    assert verbs <= {"SELECT", "WITH", "SET", "BEGIN"}
    assert all(
        "LIMIT" in one for one in asked if one.startswith(("SELECT", "WITH")) and "pg_catalog" not in one
    )
    if not database.is_sqlite:
        assert "SET TRANSACTION READ ONLY" in asked


@pytest.mark.parametrize("rows", [5])
async def test_the_command_says_it_in_lines(database: Database, kit: Kit, rows: int) -> None:
    await people(database)
    settings = load({"NGOMON_DATABASE_URL": database.url.render_as_string(hide_password=False)})
    page = io.StringIO()
    assert await deep.examine(settings, Console(file=page, width=400), rows=rows, seconds=60) == (True, True)
    assert f"ok   stored, accounts: all {PEOPLE} rows; nothing wrong" in page.getvalue()
    async with database.write() as tx:
        await tx.execute(text("UPDATE deliveries SET state = 'dead'"))
    assert await deep.examine(settings, Console(file=page, width=400), rows=rows, seconds=60) == (False, True)
    assert f"fail stored, deliveries: all {PEOPLE} rows; {PEOPLE} wrong" in page.getvalue()
    assert await deep.examine(settings, Console(file=page, width=400), rows=rows, seconds=0) == (True, False)


async def test_every_invariant_can_be_asked_of_both_engines(database: Database) -> None:
    async with database.read() as tx:
        for one in invariants.INVARIANTS:
            assert await invariants.broken(tx, one, Limits()) == [], one.says


async def test_the_checker_of_every_test_finds_what_this_finds(database: Database, kit: Kit) -> None:
    await people(database)
    once = dict.fromkeys(("first_sent_at", "last_sent_at", "expires_at"), NOW)
    code = {"phone": b"sealed", "phone_blind": b"x", "key_id": b"x", "purpose": "login", "attempts": 99}
    async with database.write() as tx:
        await tx.execute(update(Delivery).values(version=4, state="dead"))
        tx.add(OneTimeCode(flow_id=new_id(), **code, **once))
    async with database.read() as tx:
        wanted = [
            line for one in invariants.INVARIANTS for line in await invariants.broken(tx, one, kit.limits)
        ]
        found = await checker.of_all(tx, kit)
    assert len(wanted) == 2 * PEOPLE + 1
    assert sorted(found) == sorted(wanted)
    with pytest.raises(checker.Broken, match="was guessed at 99 times"):
        await checker.check(database, kit)
