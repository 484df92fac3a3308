"""What a page reads, and how it is found, stays the same where the province is large (rule 912)."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.importing import AccountsImport
from backend.db import Database, new_id
from backend.facts import ManagerAppointed
from backend.imports.rows import Record
from backend.roles import (
    audit,
    audit_places,
    authority,
    differences,
    eligible,
    operating,
    queue,
    reports,
    territory,
    undecided,
    unit_pages,
    vacancies,
)
from backend.roles.confirming import listing
from backend.roles.reorganising import asking
from tests.backend.roles.world import World
from tests.parts.asked import heard

Heard = Sequence[tuple[str, Any]]
# as SQLite has sampled a province of 26,000 numbers: what begins with the kind is taken for few
LOOKED_THROUGH = re.compile(
    r"SCAN identifiers|uq_identifiers_current \((?:kind=\?\)|ANY)|ix_roles_stands_on|Seq Scan on identifiers"
)
SAMPLED = (
    ("roles", "ix_roles_in_force", "3000 779 779"),
    ("roles", "ix_roles_held_position", "3000 779 779 1"),
    ("roles", "ix_roles_unit_state", "3000 779 779 1"),
    ("roles", "ix_roles_code_blind", "3000 779"),
    ("roles", "ix_roles_stands_on", "3000 779"),
    ("roles", "ix_roles_until_on", "0 0"),
    ("roles", "ix_roles_held", "3000 779 1"),
    ("roles", "uq_roles_one_home", "3000 1"),
    ("roles", "ix_roles_unit_id", "3000 779"),
    ("roles", "ix_roles_email_blind", "3000 779"),
    ("roles", "ix_roles_account_id", "3000 1"),
    ("roles", "sqlite_autoindex_roles_1", "3000 1"),
    ("identifiers", "uq_identifiers_current", "26004 100 1"),
    ("identifiers", "ix_identifiers_account_id", "26004 1"),
    ("identifiers", "sqlite_autoindex_identifiers_1", "26004 1"),
)


async def _reach(world: World, tx: AsyncSession) -> operating.Reach:
    return await operating.reach_of(tx, world.kit, world.people["Giang"], now=world.now)


async def _vacant(world: World, tx: AsyncSession) -> None:
    await vacancies.first(tx, (await _reach(world, tx)).below(), 101)


async def _reorganisations(world: World, tx: AsyncSession) -> None:
    await asking.all_theirs(tx, world.kit, by=world.people["Giang"], now=world.now)


async def _people(world: World, tx: AsyncSession) -> None:
    await queue.people(tx, world.kit, world.people["Giang"], now=world.now, most=1)


async def _own_units(world: World, tx: AsyncSession) -> None:
    await territory.own(tx, await authority.of(tx, world.kit, world.people["Giang"], now=world.now))


READ: dict[str, Callable[[World, AsyncSession], Awaitable[None]]] = {
    "what nobody decides for": _vacant,
    "reorganisations": _reorganisations,
    "people of a root whose own fill the page": _people,
    "units of a root": _own_units,
}


@pytest.mark.parametrize("what", READ)
async def test_no_more_rows_are_read_where_there_are_more_units_with_managers(
    world: World, what: str
) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "HUE", "Giang")

    async def rows() -> int:
        async with world.db.read() as tx:
            with heard() as said:
                await READ[what](world, tx)
            return sum(
                [
                    len(await _again(tx, *one))
                    for one in said
                    if one[0].lstrip().startswith(("SELECT", "WITH"))
                ]
            )

    few = await rows()
    for nth in range(4):
        unit = f"X{nth}"
        await world.unit(unit, "HUE")
        await world.unit(f"{unit}-P", unit)
        await world.person(f"Trưởng {nth}", manages=unit)
        await world.employ(f"Trưởng {nth}", unit, "Giang")
    assert await rows() == few


async def _again(tx: AsyncSession, statement: str, values: Any) -> Sequence[Any]:
    connection = await tx.connection()
    return (await connection.exec_driver_sql(statement, tuple(values) if values else None)).all()


async def test_the_journal_is_asked_by_the_same_statements_however_many_managers_are_below(
    world: World,
) -> None:
    async def asked() -> set[str]:
        async with world.db.read() as tx:
            with heard() as said:
                await audit.of_units(tx, world.kit, world.people["Giang"], now=world.now)
        return {statement for statement, _ in said if "journal_places" in statement}

    for nth in range(2):
        await world.unit(f"Y{nth}", "HUE")
        await world.person(f"Phó {nth}", manages=f"Y{nth}")
        await audit_places.fill(world.db)
    few = await asked()
    await world.unit("Y2", "HUE")
    await world.person("Phó 2", manages="Y2")
    await audit_places.fill(world.db)
    assert await asked() == few


async def _numbers(world: World, tx: AsyncSession) -> None:
    """Whatever looks for people by their number, or for the number of some people."""
    giang = world.people["Giang"]
    await undecided.own_among(
        tx, set(world.people.values()), set(world.kit.keys.blinds("national_id", "0" * 12))
    )
    await eligible.holders_of(tx, world.kit, [world.numbers["An"]])
    await listing.waiting(tx, world.kit, giang, now=world.now)
    await differences.page(tx, world.kit, giang, now=world.now)
    await audit.of_units(tx, world.kit, giang, now=world.now)
    await queue.people(tx, world.kit, giang, now=world.now)


async def test_numbers_are_never_looked_through(world: World) -> None:
    for nth in range(60):  # so many that it is asked first where anything differs
        await world.unit(f"Z{nth:02}", "HUE")
    await world.employ("An", "NV", "Chi")
    cells = {"national_id": "000000099999", "full_name": "Lê Văn Mới", "birth_date": "1990-01-01"}
    async with world.db.read() as tx:
        with heard() as said:
            await _numbers(world, tx)
    with heard() as written:
        done = AccountsImport(world.kit, world.now)
        await done.bring_in(world.db, [Record(2, cells)], by=None, progress=lambda *_: None)
    looked = [one for one in (*said, *written) if "identifiers" in one[0] and not one[0].startswith("INSERT")]
    assert len(looked) > 8
    for told in await _plans(world.db, looked):
        assert not LOOKED_THROUGH.search(told), told


async def _plans(db: Database, looked: Heard) -> list[str]:
    """How the engine would answer in a province."""
    async with db.write() as tx:
        if db.is_sqlite:
            await tx.execute(text("ANALYZE"))
            await tx.execute(text("DELETE FROM sqlite_stat1"))
            for row in SAMPLED:
                known = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")
                await tx.execute(known, dict(zip(("tbl", "idx", "stat"), row, strict=True)))
    fresh, found = (
        Database(db.url.render_as_string(hide_password=False)),
        [],
    )  # a new connection knows of them
    try:
        async with fresh.read() as tx:
            if not db.is_sqlite:
                await tx.execute(text("SET LOCAL enable_seqscan = off"))
            words = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
            for statement, values in looked:
                rows = await _again(tx, f"{words} {statement}", values)
                found.append(f"{statement}\n" + "\n".join(str(row[-1]) for row in rows))
    finally:
        await fresh.close()
    return found


class Counted(UUID):
    """A key that counts how often it is looked at."""

    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()


async def test_whoever_asks_of_one_person_looks_at_none_of_the_others(world: World) -> None:
    others = dict.fromkeys([Counted(int=new_id().int) for _ in range(50)])
    async with world.db.read() as tx:
        tx.info[numbers.PERSONAL] = others
        Counted.looks = 0
        assert await numbers.personal(tx, world.kit, [world.people["An"]])
    assert Counted.looks == 0


async def test_a_unit_where_nothing_differs_is_not_told(world: World) -> None:
    async with world.db.read() as tx:
        units = {"unit_0": world.units["NV"], "unit_1": world.units["TC"]}
        assert await differences.differing_at(2).aside(tx, **units) == []


@contextmanager
def calls_of(function: Any) -> Iterator[list[int]]:
    """How often a function of Python's is called meanwhile."""
    found = [0]

    def hear(frame: FrameType, happened: str, _: Any) -> None:
        if happened == "call" and frame.f_code is function.__code__:
            found[0] += 1

    sys.setprofile(hear)
    try:
        yield found
    finally:
        sys.setprofile(None)


async def test_a_tree_of_many_parts_compares_none_with_each_other(world: World) -> None:
    for nth in range(40):
        await world.unit(f"W{nth:02}", "HUE")
    async with world.db.read() as tx:
        with calls_of(UUID.__eq__) as compared:
            branch = await unit_pages.tree(tx, world.kit, world.people["Giang"], now=world.now)
    assert len(branch.lines[0].below) == 42
    assert compared[0] < 10 * 42, "each with each would be 1,800"


async def test_of_more_words_a_report_makes_no_more_keys(world: World) -> None:
    async def keys() -> int:
        async with world.db.read() as tx:
            with calls_of(UUID.__init__) as made:
                await reports.report(tx, world.kit, world.people["Chi"], now=world.now)
        return made[0]

    await world.employ("An", "NV", "Chi")
    await keys()
    few = await keys()
    for nth in range(8):
        await world.person(f"Thêm {nth}")
        await world.employ(f"Thêm {nth}", "NV", "Chi")
    assert await keys() == few


async def test_a_few_entries_that_are_not_the_readers_cost_no_second_question(world: World) -> None:
    await world.unit("XA")
    own = ManagerAppointed(subject=None, unit=world.units["HUE"])
    strange = ManagerAppointed(subject=world.people["Chi"], unit=world.units["XA"])
    async with world.db.write() as tx:
        for fact in (own, own, *[strange] * 5):
            world.kit.journal.record(tx, fact, by=None, now=world.now)
    await audit_places.fill(world.db)
    async with world.db.read() as tx:
        with heard() as said:
            lines, _ = await audit.of_units(tx, world.kit, world.people["Giang"], now=world.now, most=2)
    assert [line.fact for line in lines] == [own, own]
    assert len([statement for statement, _ in said if "journal_places" in statement]) == 2
