"""What a process does again and again until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import floor

import structlog

from backend.trouble import StorageTrouble

log = structlog.get_logger("rounds")


def at_most(seconds: float | None) -> asyncio.Timeout:
    """Ends a wait after so long; from a second on with a whole one, so that all who look wake together."""
    if seconds is None or seconds < 1:
        return asyncio.timeout(seconds)
    return asyncio.timeout_at(floor(asyncio.get_running_loop().time() + seconds))


async def rounds(
    stop: asyncio.Event, seconds: float, job: Callable[[], Awaitable[None]], *, later: bool = False
) -> None:
    """Do `job`, wait so long, and again until `stop`; `later` waits before the first time too.

    A round that fails is logged, in one line where it is the database's trouble, and the next one tries again.
    """
    if later:
        await _wait(stop, seconds)
    while not stop.is_set():
        try:
            await job()
        except StorageTrouble as error:
            log.warning("database_trouble", error=type(error).__name__)
        except Exception as error:
            log.exception("round_broke", exc_info=error)
        await _wait(stop, seconds)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with at_most(seconds):
            await stop.wait()
