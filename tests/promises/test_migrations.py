"""Migrating an empty database gives exactly what the models say, on both engines, and can be taken back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from backend.db import Base, Database
from ngomon.migrations import config, newest
from tests.parts.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
ALEMBIC = "alembic_version"


async def alembic(url: str, act: str, revision: str) -> None:
    """`alembic upgrade head` and the like, in a thread because it runs a loop of its own."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    await asyncio.to_thread(getattr(command, act), config, revision)


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two empty databases: one to migrate, one to make from the models."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/migrated.db", f"sqlite+aiosqlite:///{tmp_path}/made.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database("migrated"), postgres.new_database("made")


@pytest.fixture
async def migrated(urls: tuple[str, str]) -> AsyncIterator[Database]:
    await alembic(urls[0], "upgrade", "head")
    database = Database(urls[0])
    yield database
    await database.close()


@pytest.fixture
async def made(urls: tuple[str, str], migrated: Database) -> AsyncIterator[Database]:
    """Made after `migrated`, because alembic/env.py is what imports every model."""
    database = Database(urls[1])
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


def describe(connection: Connection) -> dict[str, Any]:
    """Every table as the engine reports it, in an order of our own."""
    look = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in look.get_columns(table)
            },
            "primary key": look.get_pk_constraint(table),
            "foreign keys": in_order(look.get_foreign_keys(table)),
            "unique": in_order(look.get_unique_constraints(table)),
            "checks": in_order(look.get_check_constraints(table)),
            "indexes": in_order(look.get_indexes(table)),
        }
        for table in look.get_table_names()
        if table != ALEMBIC
    }


def in_order(constraints: Any) -> list[dict[str, Any]]:
    found = [{key: plain(value) for key, value in constraint.items()} for constraint in constraints]
    return sorted(found, key=lambda constraint: constraint.get("name", ""))


def plain(value: Any) -> str:
    """As text, also the condition of a partial index, which is an object that equals only itself."""
    return str({key: str(part) for key, part in value.items()} if isinstance(value, dict) else value)


async def described(database: Database) -> dict[str, Any]:
    async with database.engine.connect() as connection:
        return await connection.run_sync(describe)


async def test_an_empty_database_becomes_exactly_what_the_models_say(
    migrated: Database, made: Database
) -> None:
    before, after = await described(made), await described(migrated)
    assert set(after) == set(before) == set(Base.metadata.tables)
    for table, description in before.items():
        assert after[table] == description, table


async def test_migrating_twice_changes_nothing(urls: tuple[str, str], migrated: Database) -> None:
    before = await described(migrated)
    await alembic(urls[0], "upgrade", "head")
    assert await described(migrated) == before


async def test_migrations_can_be_taken_back(urls: tuple[str, str], migrated: Database) -> None:
    await alembic(urls[0], "downgrade", "base")
    assert await described(migrated) == {}


async def test_several_processes_may_migrate_at_once(urls: tuple[str, str]) -> None:
    words = (sys.executable, "-m", "alembic", "upgrade", "head")
    environment = os.environ | {"NGOMON_DATABASE_URL": urls[0]}
    processes = [
        await asyncio.create_subprocess_exec(
            *words, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [(await asyncio.wait_for(process.communicate(), 60))[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    database = Database(urls[0])
    assert set(await described(database)) == set(Base.metadata.tables)
    await database.close()


def test_the_newest_schema_is_the_one_that_alembic_names() -> None:
    assert newest() == ScriptDirectory.from_config(config("sqlite://")).get_current_head()
