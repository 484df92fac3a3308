"""The server library's loop without its ten looks a second: at rest a server costs next to nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import FrameType

import uvicorn

from backend.rounds import at_most

TICK = 1.0  # seconds: how old the Date of an answer may be


class QuietServer(uvicorn.Server):
    """Looks once a second, and at once when it is asked to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """As the library's; the tick of number nought renews the Date."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with at_most(TICK):
                    await self._asked.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked.set)
