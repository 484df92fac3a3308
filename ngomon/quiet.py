"""The server library's loop without its ten looks a second: at rest a server costs next to nothing.

What it looks for is whether it shall stop, of which a signal tells it, and what time it is, of which only an answer
has to tell.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from email.utils import formatdate
from types import FrameType

import uvicorn
from uvicorn.server import ServerState

from backend.rounds import at_most

TICK = 60.0  # seconds: a look at what no signal has told


class Dates:
    """The Date of the answers of one process: made when something comes, and once in a second."""

    def __init__(self) -> None:
        self._second = 0

    def renew(self, config: uvicorn.Config, state: ServerState) -> None:
        """Whatever is answered from now on has this second's."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            date = formatdate(second, usegmt=True).encode()
            state.default_headers = [(b"date", date), *config.encoded_headers]


class QuietServer(uvicorn.Server):
    """Looks at once when it is asked to stop, and else hardly ever."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """As the library's."""
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
