"""The calendar is asked when somebody has written or its moment has come, and not again and again (rule 912)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.outbox import worker
from backend.outbox.worker import Worker
from tests.backend.outbox.conftest import World


class Asked:
    """A calendar that counts who asks it."""

    def __init__(self, next_moment: datetime) -> None:
        self.times, self.rolled, self.due = 0, 0, False
        self._next = next_moment

    def next_moment(self, now: datetime) -> datetime:
        """When it was made for, then a day later."""
        return self._next if now < self._next else now + timedelta(days=1)

    async def is_due(self, tx: AsyncSession, **_: Any) -> bool:
        """As it is told."""
        await tx.execute(text("SELECT 1"))
        self.times += 1
        return self.due

    async def roll(self, *_: Any, **__: Any) -> None:
        """Everything that is due."""
        self.rolled += 1
        self.due = False


async def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


# on PostgreSQL nobody can say whether somebody has written
@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_the_calendar_is_left_alone_until_somebody_writes_or_its_moment_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROLL", 0.005)
    calendar, stop = Asked(world.clock.now() + timedelta(hours=1)), asyncio.Event()
    beside = Worker(world.db, world.kit, world.desired, calendar, world.clock, world.bell, world.http)
    running = asyncio.create_task(beside.run(stop))
    try:
        await until(lambda: calendar.times == 1)
        await asyncio.sleep(0.2)
        assert calendar.times == 1
        await world.person()
        await until(lambda: calendar.times == 2)
        calendar.due = True
        world.clock.ahead += timedelta(hours=2)
        await until(lambda: calendar.rolled == 1)
        await asyncio.sleep(0.2)
        assert calendar.rolled == 1
    finally:
        stop.set()
        await running
