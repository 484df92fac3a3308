"""An SMS gateway on a real socket that speaks Kannel's `sendsms` and can behave badly in every way that one does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.parts.processes import free_port

UNCLEAR = ("silent", "reset", "hangs up", "drips", "begins to answer", "502", "504", "200")
REFUSING = ("500", "503", "403", "404", "302")


class Taken(NamedTuple):
    """A message that the gateway will deliver, whatever it said to whoever brought it."""

    to: str
    text: str


class Gateway:
    """`moods` are for one request each, the last one stays; `taken` is what subscribers would read.

    `answers` says 202. The moods of UNCLEAR take the message and do not say so; those of REFUSING say no and
    mean it. `heard` is told of each message that was taken; `meanwhile` happens once, before the next answer.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: Callable[[str, str], None] = lambda _to, _text: None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.moods: list[str] = ["answers"]
        self.taken: list[Taken] = []
        self.asked = self.connections = 0
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """For NGOMON_SMS_URL."""
        return f"kannel://ngomon:tests-only@127.0.0.1:{self.port}/?from=HUE-S"

    async def open(self) -> None:
        """Take connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Refuse connections, and end those that there are."""
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            self._server = None

    async def reset(self, *moods: str) -> None:
        """Empty, open, and in these moods."""
        await self.shut()
        await self.open()
        self.behave(*moods or ("answers",))
        self.asked = self.connections = 0

    def behave(self, *moods: str) -> None:
        """How the next requests are answered; forgets what was taken."""
        self.moods, self.taken = list(moods), []

    def to(self, number: str) -> list[str]:
        """The texts for one number, oldest first."""
        last = number[-9:]
        return [one.text for one in self.taken if one.to.endswith(last)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(await reader.readuntil(b"\r\n\r\n"), reader, writer):
                    pass
        finally:
            writer.close()
            self._busy.discard(task)

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        mood = self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]
        self.asked += 1
        query = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
        if mood not in REFUSING:
            self.taken.append(Taken(query["to"][0], query["text"][0]))
            self.heard(*self.taken[-1])
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if mood == "silent":
            await reader.read()  # till the other side has had enough
        elif mood == "reset":
            linger = struct.pack("ii", 1, 0)  # close() then sends RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        elif mood == "drips":
            await _drip(writer, b"HTTP/1.1 202 Accepted\r\nX-Slow: " + b"a" * 3600)
        elif mood == "begins to answer":
            await _drip(writer, b"a" * 3600, b"HTTP/1.1 202 Accepted\r\nContent-Length: 3600\r\n\r\n")
        elif mood != "hangs up":
            status = b"202" if mood == "answers" else mood.encode()
            writer.write(b"HTTP/1.1 %s .\r\nContent-Length: 2\r\n\r\n0:" % status)
            await writer.drain()
            return b"connection: close" not in head.lower()
        return False


async def _drip(writer: asyncio.StreamWriter, slowly: bytes, first: bytes = b"") -> None:
    writer.write(first)
    for byte in slowly:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """Open until the block ends."""
    part = Gateway()
    await part.open()
    try:
        yield part
    finally:
        await part.shut()
