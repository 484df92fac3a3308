"""Whether a pooler stands before PostgreSQL, and whether it gives each of our connections one of PostgreSQL's for good.

Listening, prepared statements and the limits that a connection sets for itself belong to a connection. A pooler that
hands those out by transaction takes all three away without a word, and under load only (case B34).

What a setting still says is no proof: a pooler that hands out two connections in turn gives two askers in turn the same
ones each time. What is said to a connection at rest is one: a pooler by transaction has nobody to hand it to.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.crypto import new_token
from backend.trouble import trouble_in

ROUNDS = 5  # most poolers by transaction are found out by these, which wait for nothing
PATIENCE = 10.0  # seconds until what PostgreSQL tells a connection has come, on a machine that is busy
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
    """Raises PoolerBetween where two of our connections may be one and the same at PostgreSQL.

    Raises what the engine raises, or StorageTrouble, where the database is away: nothing is known then.
    """
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
                apart = await _stay_apart(mine, theirs) and await _is_told_at_rest(mine, theirs)
    except (DBAPIError, OSError) as error:
        if _is_never_of_a_session(error):
            raise PoolerBetween from error
        raise
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        away = None if _is_never_of_a_session(error) else trouble_in(error)
        raise away or PoolerBetween() from error
    if not apart:
        raise PoolerBetween


def _is_never_of_a_session(error: Exception) -> bool:
    return any(word in str(error) for word in NEVER_OF_A_SESSION)


async def _stay_apart(mine: Any, theirs: Any) -> bool:
    """What one connection was told it still knows, and the other never does, whoever was asked last."""
    mark = new_token()
    await mine.execute(f"SELECT set_config('ngomon.mark', '{mark}', false)")
    for _round in range(ROUNDS):
        if await theirs.fetchval(MARKED) == mark or await mine.fetchval(MARKED) != mark:
            return False
    return True


async def _is_told_at_rest(mine: Any, theirs: Any) -> bool:
    """What the other says reaches a connection that asks nothing meanwhile, as the bell's does."""
    channel, heard = new_token(), asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    await mine.add_listener(channel, hear)
    try:
        await theirs.execute(f"SELECT pg_notify('{channel}', '')")
        if await _came(heard):
            return True
        await mine.execute("SELECT 1")  # raises where the connection broke, which says nothing of a pooler
        return False
    finally:
        await mine.remove_listener(channel, hear)


async def _came(heard: asyncio.Event) -> bool:
    """Whether it is told in time; a call that takes too long by itself is another trouble, and goes up."""
    try:
        async with asyncio.timeout(PATIENCE):
            await heard.wait()
    except TimeoutError:
        return False
    return True
