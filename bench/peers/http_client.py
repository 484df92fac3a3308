"""POSTs a small body to a system that answers at once: `CLIENT PORT COUNT AT_ONCE`; one JSON line out.

CLIENT is `guarded` (ours), `httpx2` (the same library bare) or `aiohttp`; run by whichever Python has it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

BODY = json.dumps({"type": "person.changed", "data": {"externalId": "x" * 36, "active": True}}).encode()
Post = Callable[[], Awaitable[Any]]


async def rate(post: Post, count: int, at_once: int) -> dict[str, float]:
    """So many posts, so many at once: a second, and CPU of each."""
    todo = iter(range(count))

    async def carry() -> None:
        for _ in todo:
            await post()

    await asyncio.gather(*(post() for _ in range(at_once)))
    used, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(carry() for _ in range(at_once)))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    return {"a_second": round(count / seconds), "cpu_us": round(used / count * 1e6)}


async def run(client: str, url: str, count: int, at_once: int) -> dict[str, float]:
    """With the named client."""
    if client == "aiohttp":
        import aiohttp  # type: ignore[import-not-found]

        async with aiohttp.ClientSession() as session:

            async def post() -> None:
                async with session.post(url, data=BODY) as said:
                    await said.read()

            return await rate(post, count, at_once)
    if client == "httpx2":
        import httpx2

        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
        async with httpx2.AsyncClient(limits=limits) as bare:
            return await rate(lambda: bare.post(url, content=BODY), count, at_once)
    from backend.outside.http import Guarded

    async with Guarded(["127.0.0.1"]).client() as ours:
        return await rate(lambda: ours.post(url, content=BODY), count, at_once)


if __name__ == "__main__":
    name, port, number, wide = sys.argv[1:]
    address = f"http://127.0.0.1:{port}/hook"
    print(json.dumps(uvloop.run(run(name, address, int(number), int(wide)))))
