"""A subscriber registry for measuring: whose a number is follows from its digits.

The numbers of the first half belong to the first people over and over, who have accounts; each of the
second half belongs to somebody of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

HALF = 500_000
NAME, BORN = "Người Được Đo", "1990-01-01"


def number_of(person: int) -> str:
    """The personal number of an invented person."""
    return f"000077{person:06d}"


def owner(digits: int, known: int) -> str:
    """The personal number behind 0550 `digits`."""
    return number_of(digits % known if digits < HALF else digits)


@asynccontextmanager
async def registry(port: int, known: int) -> AsyncIterator[str]:
    """Serve on `port`; the address for `NGOMON_SUBSCRIBERS_URL`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the measurement is over
            await serve(reader, writer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).split():
            while (await reader.readline()).strip():
                pass
            phone = line[1].decode().rpartition("/")[2]
            body = msgspec.json.encode(
                {
                    "phone": phone,
                    "national_id": owner(int(phone[-6:]), known),
                    "full_name": NAME,
                    "birth_date": BORN,
                    "active": True,
                }
            )
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield f"http://127.0.0.1:{port}"
