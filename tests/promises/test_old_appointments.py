"""Managers and clerks of the release before this one keep their rights, their days and their numbers (rule 1002)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, MetaData, Table, select

from backend.crypto import KeyRing, KeyTrouble, new_secret_key
from backend.db import Database
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.promises.test_migrations import alembic
from tests.promises.test_old_steps import Old

BEFORE, AFTER = "0020", "0021"
AT, LATER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
DAY, LAST = date(2026, 5, 1), date(2026, 6, 1)


def write(connection: Connection, keys: KeyRing) -> dict[UUID, tuple[Any, ...]]:
    """Two managers and two clerks as 0.2.0 leaves them; what each has to be afterwards."""
    old, found = Old(connection), dict[UUID, tuple[Any, ...]]()
    old.write("units", id=old.stored("unit"), path="/")
    old.write("support_desks", id=old.stored("desk"), added_at=AT, removed_at=None)

    def row(table: str, number: str, **values: Any) -> UUID:
        made = old.ids.setdefault(number, uuid4())
        sealed = keys.seal(f"{table}.national_id", made, number)
        blind = keys.blind("national_id", number)
        old.write(table, id=old.stored(number), national_id=sealed, national_id_blind=blind, **values)
        return made

    unit, desk = old.stored("unit"), old.stored("desk")
    one = row("managers", "000000000001", unit_id=unit, created_at=AT, from_on=DAY, until_on=LAST)
    found[one] = ("manager", "unit", "000000000001", AT, DAY, LAST, None)
    one = row("managers", "000000000002", unit_id=unit, created_at=AT, ended_at=LATER)
    found[one] = ("manager", "unit", "000000000002", AT, None, None, LATER)
    one = row("support_staff", "000000000003", desk_id=desk, added_at=AT)
    found[one] = ("clerk", "desk", "000000000003", AT, None, None, None)
    one = row("support_staff", "000000000004", desk_id=desk, added_at=AT, removed_at=LATER)
    found[one] = ("clerk", "desk", "000000000004", AT, None, None, LATER)
    return found


def read(connection: Connection, keys: KeyRing) -> dict[UUID, tuple[Any, ...]]:
    """The appointments, opened."""
    from backend.appointment import Appointment

    held = connection.execute(select(Appointment.__table__)).all()
    return {
        row.id: (
            row.kind, "unit" if row.unit_id else "desk",
            keys.open("appointments.national_id", row.id, row.national_id),
            row.created_at, row.from_on, row.until_on, row.ended_at,
        )
        for row in held
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_managers_and_clerks_of_before_are_appointments_and_the_old_names_still_answer(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database("old_appointments")
    keys = KeyRing.parse(new_secret_key())
    await alembic(url, "upgrade", BEFORE)
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            wanted = await connection.run_sync(write, keys)
        with pytest.raises(RuntimeError, match="ngomon migrate"):
            await alembic(url, "upgrade", AFTER)  # a number is sealed anew, and alembic alone has no keys
        with pytest.raises(KeyTrouble):
            await migrate(url, KeyRing.parse(new_secret_key()))
        await migrate(url, keys)
        async with database.engine.begin() as connection:
            assert await connection.run_sync(read, keys) == wanted
            for view in ("managers", "support_staff"):
                table = await connection.run_sync(
                    lambda sync, name: Table(name, MetaData(), autoload_with=sync), view
                )
                assert len((await connection.execute(select(table))).all()) == 2
    finally:
        await database.close()
