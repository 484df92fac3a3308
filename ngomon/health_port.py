"""A worker's own little door: whether it lives, and whether it can work (case O04; rule 1010).

A worker that hangs does not answer, so whoever asks with a deadline can tell it from one that has nothing to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from socket import socket

from sqlalchemy import text

from backend.db import Database

PATIENCE = 5.0  # seconds for a request, and for the database
LONGEST = 4096
ANSWERS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


@asynccontextmanager
async def health(db: Database, taken: Sequence[socket]) -> AsyncIterator[None]:
    """Answer `/health/live` and `/health/ready` on these sockets meanwhile; on none where there are none."""
    async with AsyncExitStack() as open_doors:
        for one in taken:
            server = await asyncio.start_server(partial(_answer, db), sock=one)
            await open_doors.enter_async_context(server)
        yield


async def _answer(db: Database, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await reader.readuntil(b"\r\n"))[:LONGEST].split()
            status = await _status(db, line[1].decode("latin-1") if len(line) > 1 else "")
            body = b'{"status":"ok"}' if status == 200 else b'{"status":"no"}'
            more = "Retry-After: 5\r\n" if status == 503 else ""
            head = (
                f"HTTP/1.1 {status} {ANSWERS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # whoever asks so gets no answer
    finally:
        writer.close()


async def _status(db: Database, path: str) -> int:
    if path == "/health/live":
        return 200
    if path != "/health/ready":
        return 404
    try:
        async with asyncio.timeout(PATIENCE / 2):
            async with db.read() as tx:
                await tx.execute(text("SELECT 1 FROM journal_head"))
            await db.prove_writable()  # what it delivers it has to write down
    except Exception:  # noqa: BLE001 - whatever it is, it is not ready
        return 503
    return 200
