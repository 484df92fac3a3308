"""Which accounts of the release before count as their owner's: where a stranger can have left nothing (A01, A04)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, MetaData, insert, select

from backend.db import Database
from tests.parts.postgres import Postgres
from tests.promises.test_migrations import alembic

BEFORE = "0008"  # what release 0.2.0 and this one know alike
AT = datetime(2026, 11, 1, tzinfo=UTC)
VNEID, POST = "https://vneid.example", "https://post.example"

# who opened it, at which level; the identities in it, with their levels; a password; whose it counts as afterwards
ACCOUNTS: dict[str, tuple[str, int, list[tuple[str, int]], bool, str]] = {
    "VNeID alone": ("vneid", 2, [(VNEID, 2)], False, "vneid"),
    "VNeID, and a password": ("vneid", 2, [(VNEID, 2)], True, ""),
    "VNeID of level 1": ("vneid", 1, [(VNEID, 1)], False, ""),
    "VNeID, joined by the post office": ("vneid", 2, [(VNEID, 2), (POST, 2)], False, ""),
    "VNeID, joined by level 1 of another": ("vneid", 2, [(VNEID, 2), (VNEID, 1)], False, ""),
    "certificate alone": ("certificate", 3, [], False, "certificate"),
    "certificate, joined by VNeID of level 1": ("certificate", 3, [(VNEID, 1)], False, ""),
    "certificate, and VNeID": ("certificate", 3, [(VNEID, 2)], False, "certificate, vneid"),
    "post office": ("post_office", 2, [(POST, 2)], False, ""),
    "subscriber": ("subscriber", 2, [], True, ""),
}


def written(connection: Connection, table: str, **values: Any) -> None:
    """A row with something in every column that must hold something."""
    meta = MetaData()
    meta.reflect(connection, only=[table])
    columns = [one for one in meta.tables[table].columns if not one.nullable and one.name not in values]
    made = {one.name: _something(one.type.python_type) for one in columns}
    connection.execute(insert(meta.tables[table]).values(**(made | values)))


def _something(kind: type) -> Any:
    return {int: 1, str: "x", bytes: b"x", bool: False, datetime: AT}[kind]


def an_id(connection: Connection) -> object:
    """As the engine has it: SQLite, asked for its columns, knows no UUID."""
    return uuid4().hex if connection.dialect.name == "sqlite" else uuid4()


def fill(connection: Connection) -> None:
    """The accounts as 0.2.0 leaves them, each named by its gender."""
    for number, (by, level, identities, password, _) in enumerate(ACCOUNTS.values()):
        account = an_id(connection)
        written(
            connection, "accounts", id=account, gender=str(number), status="active", vouched_by=by,
            assurance_level=level, created_at=AT, vouched_at=AT,
        )  # fmt: skip
        for turn, (issuer, reached) in enumerate(identities):
            subject = f"{number}-{turn}"
            written(
                connection, "identities", id=an_id(connection), account_id=account, issuer=issuer, subject=subject, level=reached
            )  # fmt: skip
        if password:
            written(connection, "passwords", account_id=account)


def owners(connection: Connection) -> dict[str, str]:
    """By what each account counts as its owner's."""
    meta = MetaData()
    meta.reflect(connection, only=["accounts"])
    table, found, names = meta.tables["accounts"], {}, list(ACCOUNTS)
    for row in connection.execute(select(table)):
        came = [by for by in ("certificate", "vneid") if getattr(row, f"{by}_at") is not None]
        found[names[int(row.gender)]] = ", ".join(came)
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a01_a04_an_old_account_is_owned_only_where_a_stranger_can_have_left_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database("old_accounts")
    await alembic(url, "upgrade", BEFORE)
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(fill)
        await alembic(url, "upgrade", "head")
        async with database.engine.begin() as connection:
            found = await connection.run_sync(owners)
    finally:
        await database.close()
    assert found == {name: owned for name, (*_, owned) in ACCOUNTS.items()}
