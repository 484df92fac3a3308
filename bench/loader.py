"""Sends ready-made requests and counts: `python -m bench.loader PORT FILE CONNECTIONS`, one JSON line out.

Each connection sends its next request when the answer to the one before is complete; every request is sent once,
so that proofs need not repeat.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvloop


class Connection(asyncio.Protocol):
    """One kept-alive connection that works its share off."""

    def __init__(self, share: list[bytes], waits: list[float], done: asyncio.Future[int]) -> None:
        self._todo = iter(share)
        self._waits, self._done = waits, done
        self._buffer = b""
        self._sent = 0.0
        self._errors = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._next()

    def _next(self) -> None:
        raw = next(self._todo, None)
        if raw is None:
            self._transport.close()
            self._done.set_result(self._errors)
            return
        self._sent = time.perf_counter()
        self._transport.write(raw)

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        place = head.lower().index(b"content-length:") + 15
        if len(rest) >= int(head[place : head.find(b"\r\n", place) if b"\r\n" in head[place:] else None]):
            self._waits.append(time.perf_counter() - self._sent)
            self._errors += head[9:12] != b"200"
            self._buffer = b""
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """Only after the last answer, or something is wrong."""
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed early"))


def _the(connection: Connection) -> Connection:
    return connection


async def run(port: int, requests: list[bytes], connections: int) -> dict[str, float]:
    """Send them all."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    ends: list[asyncio.Future[int]] = [loop.create_future() for _ in range(connections)]
    started = time.perf_counter()
    for number, end in enumerate(ends):
        connection = Connection(requests[number::connections], waits, end)
        await loop.create_connection(partial(_the, connection), "127.0.0.1", port)
    errors = sum(await asyncio.gather(*ends))
    seconds = time.perf_counter() - started
    waits.sort()
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return {
        "n": len(waits),
        "seconds": seconds,
        "errors": errors,
        "p50_ms": middle * 1000,
        "p99_ms": late * 1000,
    }


if __name__ == "__main__":
    todo = msgspec.msgpack.decode(Path(sys.argv[2]).read_bytes(), type=list[bytes])
    print(json.dumps(uvloop.run(run(int(sys.argv[1]), todo, int(sys.argv[3])))))
