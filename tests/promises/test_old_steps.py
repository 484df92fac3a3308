"""What waits when the release before this one is upgraded stands with its deciding unit afterwards (rule 618)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, MetaData, insert, select

from backend.db import Database
from tests.parts.postgres import Postgres
from tests.promises.test_migrations import alembic

BEFORE, AFTER = "0015", "0016"
AT = datetime(2026, 11, 1, tzinfo=UTC)
WRITTEN = {int: 1, str: "x", bytes: b"x", bool: False, datetime: AT, date: AT.date()}

# who asks, where; the request's status; whether the unit has spoken; who decides afterwards
STEPS: dict[str, tuple[str, str, str, str | None, str | None]] = {
    "nearest": ("An", "ward", "pending", None, "office"),
    "own": ("Chi", "office", "pending", None, "root"),
    "a manager below whose right is over": ("An", "desk", "pending", None, "office"),
    "spoken": ("An", "ward", "pending", "approved", None),
    "over": ("An", "ward", "withdrawn", None, None),
    "returned": ("An", "ward", "returned", None, None),
    "nobody": ("An", "elsewhere", "pending", None, None),
}
UNITS = {"root": None, "office": "root", "ward": "office", "desk": "office", "elsewhere": None}
MANAGERS = {"Giang": ("root", None), "Chi": ("office", None), "Dũng": ("desk", AT)}


class Old:
    """A database as the release before has it, written without its models."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.meta = connection, MetaData()
        self.meta.reflect(connection)
        self.ids: dict[str, UUID] = {}

    def stored(self, name: str) -> Any:
        """An id by name, as the engine has it: SQLite, asked for its columns, knows no UUID."""
        made = self.ids.setdefault(name, uuid4())
        return made.hex if self.connection.dialect.name == "sqlite" else made

    def write(self, table: str, **values: Any) -> None:
        """A row with something in every column that must hold something."""
        columns = [one for one in self.meta.tables[table].columns if not one.nullable]
        made = {one.name: WRITTEN[one.type.python_type] for one in columns if one.name not in values}
        self.connection.execute(insert(self.meta.tables[table]).values(**(made | values)))

    def fill(self) -> None:
        """Units, managers, and one request of somebody new for each step."""
        paths = dict[str | None, str]()
        for unit, above in UNITS.items():
            row, parent = self.stored(unit), self.stored(above) if above else None
            paths[unit] = f"{paths.get(above, '/')}{self.ids[unit]}/"
            self.write("units", id=row, code=unit, parent_id=parent, path=paths[unit])
        for name, (unit, ended) in MANAGERS.items():
            self.write(
                "managers", id=self.stored(f"m {name}"), unit_id=self.stored(unit), ended_at=ended,
                national_id_blind=name.encode(), created_at=AT,
            )  # fmt: skip
        for step, (name, unit, status, decision, _) in STEPS.items():
            account, request = self.stored(f"a {step}"), self.stored(f"r {step}")
            self.write("accounts", id=account, status="active", created_at=AT)
            self.write(
                "identifiers", id=self.stored(f"i {step}"), account_id=account, kind="national_id",
                blind=name.encode() if name in MANAGERS else step.encode(),
            )  # fmt: skip
            self.write(
                "role_requests", id=request, account_id=account, created_by=account, kind="register",
                status=status, unit_id=self.stored(unit),
            )  # fmt: skip
            self.write(
                "request_steps", id=self.stored(step), request_id=request, unit_id=self.stored(unit),
                duty="approve", decision=decision,
            )  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_waits_already_gets_its_deciding_unit(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database("old_steps")
    await alembic(url, "upgrade", BEFORE)
    database, ids = Database(url), dict[str, UUID]()

    def write(connection: Connection) -> None:
        old = Old(connection)
        old.fill()
        ids.update(old.ids)

    def read(connection: Connection) -> dict[str, str | None]:
        meta = MetaData()
        meta.reflect(connection, only=["request_steps"])
        names = {one.hex: name for name, one in ids.items()} | {"": None}
        rows = connection.execute(select(meta.tables["request_steps"])).all()
        plain = [(str(row.id).replace("-", ""), str(row.decider_id or "").replace("-", "")) for row in rows]
        return {str(names[step]): names[decider] for step, decider in plain}

    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(write)
        await alembic(url, "upgrade", AFTER)
        async with database.engine.begin() as connection:
            found = await connection.run_sync(read)
    finally:
        await database.close()
    assert found == {step: decider for step, (*_, decider) in STEPS.items()}
