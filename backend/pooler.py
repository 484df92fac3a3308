"""Whether a pooler stands before PostgreSQL, and whether it gives each of our connections one of PostgreSQL's for good.

Listening, prepared statements and the limits that a connection sets for itself belong to a connection. A pooler that
hands those out by transaction takes all three away without a word, and under load only (case B34).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.crypto import new_token

ROUNDS = 5
NEVER_OF_A_SESSION = ("unsupported startup parameter", "prepared statement", "statement pooling")
MARKED = "SELECT current_setting('ngomon.mark', true)"


class PoolerBetween(Exception):
    """Our transactions go to connections that are not ours."""

    def __init__(self) -> None:
        super().__init__(
            "NGOMON_DATABASE_URL leads to a connection pooler (PgBouncer) that hands out connections by transaction: "
            "name PostgreSQL itself, or a pooler with pool_mode = session"
        )


async def expect_own_connections(engine: AsyncEngine) -> None:
    """Raises PoolerBetween where two of our connections may be one and the same at PostgreSQL."""
    if engine.dialect.name != "postgresql":
        return
    import asyncpg

    try:
        async with engine.connect() as one:
            mine: Any = (await one.get_raw_connection()).driver_connection
            if await mine.fetchval("SELECT pg_backend_pid()") == mine.get_server_pid():
                return  # PostgreSQL itself: a pooler makes up the number that it greets with
            async with engine.connect() as other:
                theirs = (await other.get_raw_connection()).driver_connection
                apart = await _stay_apart(mine, theirs)
    except (DBAPIError, OSError, asyncpg.PostgresError) as error:
        if any(word in str(error) for word in NEVER_OF_A_SESSION):
            raise PoolerBetween from error
        return  # away: whoever asks next is told
    if not apart:
        raise PoolerBetween


async def _stay_apart(mine: Any, theirs: Any) -> bool:
    """What one connection was told it still knows, and the other never does, whoever was asked last."""
    mark = new_token()
    await mine.execute(f"SELECT set_config('ngomon.mark', '{mark}', false)")
    for _round in range(ROUNDS):
        if await theirs.fetchval(MARKED) == mark or await mine.fetchval(MARKED) != mark:
            return False
    return True
