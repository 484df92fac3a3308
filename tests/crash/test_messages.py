"""`kill -9` of the server while text messages leave: none that had not begun is lost, none comes twice (rule 720)."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from backend.accounts.codes import messages
from backend.db import Database
from backend.outside.clock import Clock
from backend.owed import queue
from backend.owed.models import Message
from bench.town import Town, until_ready
from ngomon.migrations import migrate
from tests.parts.gateway import Gateway, gateway
from tests.parts.processes import listens, scratch

NUMBERS = [f"+84550{number:06d}" for number in range(300)]
KILLS = 4


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def hit(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Town, Database, Gateway]]:
    """A server that is about to be killed, its database, and the SMS centre, which remembers what came."""
    url = f"sqlite+aiosqlite:///{scratch('messages') / 'ngomon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database("messages")
    async with gateway() as centre:
        town = Town(url, centre, people=1, workers=1)  # type: ignore[arg-type]  # it has an address too
        await migrate(url)
        database = Database(url)
        try:
            await up(town)
            yield town, database, centre
        finally:
            town.close()
            await database.close()


async def up(town: Town) -> None:
    town.server.start(lambda: listens(town.port), patience=120)
    await until_ready(town.port)


async def all_owed(town: Town, database: Database) -> None:
    """One message to each number."""
    now = Clock().now()
    async with database.write() as tx:
        for number in NUMBERS:
            queue.owe(
                tx,
                town.kit.keys,
                queue.SMS,
                messages.RECOVERED,
                account_id=None,
                content=number,
                now=now,
            )


async def done(database: Database) -> int:
    async with database.read() as tx:
        return await tx.scalar(select(func.count(Message.id)).where(Message.done_at.is_not(None))) or 0


async def leases_run_out(database: Database) -> None:
    """A minute cannot be hurried from outside, so it is moved under what nobody has any more."""
    async with database.write() as tx:
        held = update(Message).where(Message.lease.is_not(None))
        await tx.execute(held.values(due_at=Clock().now()))


async def test_to13_of_killed_servers_no_message_is_lost_that_had_not_begun_and_none_comes_twice(
    hit: tuple[Town, Database, Gateway],
) -> None:
    town, database, centre = hit
    chance = random.Random(720)
    await all_owed(town, database)
    for kill in range(KILLS):
        async with asyncio.timeout(60):
            while len(centre.taken) < (kill + 1) * len(NUMBERS) // (KILLS + 3):
                await asyncio.sleep(0.002)
        await asyncio.sleep(chance.uniform(0, 0.02))
        town.server.stop(signal.SIGKILL)
        await leases_run_out(database)
        await up(town)
    async with asyncio.timeout(60):
        while await done(database) < len(NUMBERS):
            await asyncio.sleep(0.05)
    came = Counter(one.to for one in centre.taken)
    assert set(came.values()) == {1}
    async with database.read() as tx:
        rows = (await tx.scalars(select(Message))).all()
    outcomes = Counter(row.outcome for row in rows)
    assert set(outcomes) <= {queue.SENT, queue.UNCERTAIN}
    assert outcomes[queue.SENT] <= len(came) <= len(NUMBERS), (outcomes, len(came))
    assert outcomes[queue.UNCERTAIN] <= KILLS * messages.Texts.most < len(NUMBERS), "only what was under way"
    assert all(row.content is None and row.lease is None for row in rows)
