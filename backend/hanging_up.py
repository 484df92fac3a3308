"""Whether whoever asked still waits for the answer: nobody tells a call that its caller has hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

GONE = 499  # in the log and the figures, where nobody waited for an answer any more and none was made


async def has_hung_up(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> bool:
    """Look, and do not wait; of a call whose body is wanted only once that has been read."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    return False
