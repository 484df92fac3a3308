"""What an account had said before it was taken over is the person's who took it over, after an upgrade too (R26)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, select

from backend.db import Database
from tests.parts.postgres import Postgres
from tests.promises.test_migrations import alembic
from tests.promises.test_old_steps import AT, Old

BEFORE, AFTER = "0047", "0048"
TAKEN = {"first": "second", "second": "third", "third": None, "other": None}  # by which other account


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_r26_words_of_closed_accounts_are_said_by_whoever_took_them_over(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database("old_words")
    await alembic(url, "upgrade", BEFORE)
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            names = await connection.run_sync(write)
        await alembic(url, "upgrade", AFTER)
        async with database.engine.begin() as connection:
            said, placed = await connection.run_sync(read, names)
    finally:
        await database.close()
    assert said == {"first": "third", "second": "third", "third": "third", "other": "other"}
    assert placed == 0, "what they have said gets its places anew"


def write(connection: Connection) -> dict[str, str]:
    """A word of each; all ids by which they are called here."""
    old = Old(connection)
    unit = old.stored("unit")
    old.write("units", id=unit, code="unit", path=f"/{old.ids['unit']}/")
    old.write("journal_placed", id=1, seq=7)
    for name, into in TAKEN.items():
        account, asked = old.stored(name), old.stored(f"r {name}")
        taken = old.stored(into) if into else None
        old.write("accounts", id=account, status="active", created_at=AT, joined_into=taken)
        old.write(
            "role_requests", id=asked, account_id=account, created_by=account, kind="register",
            status="approved", unit_id=unit,
        )  # fmt: skip
        old.write(
            "request_steps", id=old.stored(f"s {name}"), request_id=asked, unit_id=unit,
            duty="approve", decision="approved", by=account,
        )  # fmt: skip
    return {one.hex: name for name, one in old.ids.items()}


def read(connection: Connection, names: dict[str, str]) -> tuple[dict[str, str], int | None]:
    """Whose each word is, and up to where the journal has its places."""
    meta = MetaData()
    meta.reflect(connection, only=["request_steps", "journal_placed"])
    rows = connection.execute(select(meta.tables["request_steps"])).all()
    said = {names[_hex(row.id)].removeprefix("s "): names[_hex(row.by)] for row in rows}
    return said, connection.scalar(select(meta.tables["journal_placed"].c.seq))


def _hex(stored: object) -> str:
    return str(stored).replace("-", "")
