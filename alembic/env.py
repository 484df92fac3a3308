"""How a migration reaches the database: one transaction, one migrator at a time, on either engine."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import ngomon.tables  # noqa: F401  (importing it is what fills Base.metadata)
from backend.db import Base, Database, UtcDateTime

DEFAULT_URL = "sqlite+aiosqlite:///data/ngomon.db"
ONE_MIGRATOR = 0x4E_67_6F_4D  # an advisory lock's number; any constant does
ONE_TRY, PATIENCE = "700ms", 120.0
BUSY = ("57014", "55P03", "40P01")  # out of time, not to be had, a deadlock


def database_url() -> str:
    """What the caller handed in, or the setting that every command reads."""
    return str(context.config.attributes.get("url") or os.environ.get("NGOMON_DATABASE_URL") or DEFAULT_URL)


def render_item(kind: str, item: Any, _: AutogenContext) -> str | bool:
    """A migration spells out the column that it makes, so that renaming our own type cannot break it."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """All steps in one transaction: on either engine a failed migration leaves nothing behind."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ONE_MIGRATOR})
            if set(context.get_context().get_current_heads()) != set(context.get_head_revisions() or ()):
                have_alone(connection)
        context.run_migrations()


def have_alone(connection: Connection) -> None:
    """Hold every table before the first step, or none: table after table, steps and calls would wait for each other.

    Each try is over before PostgreSQL would look for a deadlock (a second), so no call is ever its victim.
    """
    named = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    tables = ", ".join(connection.scalars(text(named)))
    usual = connection.scalar(text("SHOW statement_timeout"))
    end = time.monotonic() + PATIENCE
    while tables:
        try:
            with connection.begin_nested():  # what it has locked is free again when it is taken back
                connection.execute(text(f"SET LOCAL statement_timeout = '{ONE_TRY}'"))
                connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
                connection.execute(
                    text("SELECT set_config('statement_timeout', :usual, true)"), {"usual": usual}
                )
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in BUSY or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


async def online() -> None:
    """Open the database as the product does, and migrate it.

    SQLite rebuilds a table to alter it; foreign keys rest meanwhile, or dropping the old table
    would cascade. The pragma is ignored inside a transaction, hence the raw connection.
    """
    database = Database(database_url())
    try:
        async with database.engine.connect() as connection:
            if database.is_sqlite:
                raw = await connection.get_raw_connection()
                cursor = await raw.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
                await cursor.close()
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await database.close()


asyncio.run(online())
