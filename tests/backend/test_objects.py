"""Objects of the ORM that statements read and make are the session's own: one of each row, kept and followed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database, new_id
from backend.objects import Making, Pairs, Reading
from backend.roles.models import StaffRecord, Unit
from backend.statements import given
from tests.parts.asked import heard

NOW = datetime(2026, 11, 1, tzinfo=UTC)
UNIT = Reading(Unit, lambda query: query.where(Unit.code == given("code", Unit.code)))
NEW = Making(Unit)
LISTED = Pairs(
    StaffRecord,
    Unit,
    lambda query: (
        query.join(Unit, Unit.id == StaffRecord.unit_id)
        .where(Unit.code == given("code", Unit.code))
        .order_by(StaffRecord.national_id_blind)
    ),
)


async def one(tx: AsyncSession, code: str = "NV") -> Unit:
    """A unit that a statement has written."""
    unit_id = new_id()
    unit = Unit(id=unit_id, code=code, name=code, folded=code, kind="", path=f"/{unit_id}/")
    return await NEW.add(tx, unit)


async def test_what_a_statement_has_made_is_the_session_s_and_what_is_changed_of_it_is_written(
    database: Database,
) -> None:
    async with database.write() as tx:
        made = await one(tx)
        assert made in tx
        assert not tx.is_modified(made)
        assert await tx.get(Unit, made.id) is made
        made.name = "Sở Nội vụ"
    async with database.read() as tx:
        found = await UNIT.one(tx, code="NV")
        assert (found.name, found.ended_on) == ("Sở Nội vụ", None)
        assert await tx.scalar(select(Unit).where(Unit.code == "NV")) is found


async def test_a_row_is_one_object_whoever_reads_it_and_says_what_the_row_says_now(
    database: Database,
) -> None:
    async with database.write() as tx:
        await one(tx)
    async with database.write() as tx:
        known = await tx.scalar(select(Unit).where(Unit.code == "NV"))
        assert known is not None
        behind = update(Unit).values(name="anew").execution_options(synchronize_session=False)
        await tx.execute(behind)
        assert known.name == "NV"
        assert await UNIT.one(tx, code="NV") is known
        assert known.name == "anew"
        known.kind = "held back"
        assert (await UNIT.one(tx, code="NV")).kind == "held back", "what was not flushed went first"
    async with database.read() as tx:
        assert (await UNIT.one(tx, code="NV")).kind == "held back"
        assert await UNIT.maybe(tx, code="TC") is None


async def test_of_a_row_that_is_only_read_nothing_is_written(database: Database) -> None:
    async with database.write() as tx:
        await one(tx)
    with heard() as asked:
        async with database.write() as tx:
            await UNIT.one(tx, code="NV")
    assert [sql.split()[0] for sql, _ in asked] == ["SELECT"]


async def test_what_was_taken_back_was_never_there(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            await one(tx)
            raise ZeroDivisionError
    async with database.read() as tx:
        assert await UNIT.all(tx, code="NV") == []


async def test_two_tables_are_read_together_and_a_row_beside_many_is_one_object(database: Database) -> None:
    async with database.write() as tx:
        unit = await one(tx)
        for number in (b"1", b"2"):
            tx.add(
                StaffRecord(
                    id=new_id(),
                    national_id_blind=number * 32,
                    unit_id=unit.id,
                    subject_type="cong_chuc",
                    position="chuyen_vien",
                    sealed=b"x",
                    imported_at=NOW,
                )
            )
    async with database.read() as tx:
        (first, above), (second, again) = await LISTED.all(tx, code="NV")
        assert above is again
        assert [first.national_id_blind[:1], second.national_id_blind[:1]] == [b"1", b"2"]
