"""Ends a process with SIGKILL at random moments of its work and starts it again."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

from tests.parts.processes import Part


class Killer:
    """Kills `part` a random few steps of `progress` after it came back, within a random part of the next step."""

    def __init__(
        self,
        part: Part,
        progress: Callable[[], Awaitable[int]],
        *,
        ready: Callable[[], Awaitable[None]] | None,
        every: int,
        chance: random.Random,
    ) -> None:
        self.part, self.kills = part, 0
        self._progress, self._ready = progress, ready
        self._every, self._chance = every, chance

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; the process is up afterwards."""
        while not stop.is_set():
            mark = await self._progress() + self._chance.randint(1, 2 * self._every)
            while await self._progress() < mark and not stop.is_set():
                await asyncio.sleep(0.005)
            if stop.is_set():
                return
            await asyncio.sleep(self._chance.uniform(0, 0.08))
            self.part.stop(signal.SIGKILL)
            self.kills += 1
            self.part.start(lambda: True)
            if self._ready:
                await self._ready()
