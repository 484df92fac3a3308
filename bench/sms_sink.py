"""An SMS centre that accepts everything and remembers the codes: Kannel's `sendsms` as far as it is asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

CODE = re.compile(r"\b\d{6}\b")
BODY = b"0: Accepted for delivery"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class SmsSink:
    """`codes` holds the newest code by number (E.164), `all` every one; `messages` counts."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.all: dict[str, list[str]] = {}
        self.messages = 0
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """For NGOMON_SMS_URL."""
        return f"kannel://bench:bench@127.0.0.1:{self.port}/?from=BENCH"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                query = parse_qs(urlsplit(head.split(b" ", 2)[1].decode()).query)
                found = CODE.search(query["text"][0])
                if found:
                    self.codes[query["to"][0]] = found.group()
                    self.all.setdefault(query["to"][0], []).append(found.group())
                self.messages += 1
                writer.write(ACCEPTED)
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def hang_up(self) -> None:
        """End every connection, and let their tasks see it."""
        for writer in list(self._open):
            writer.close()
        while self._open:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sms_sink() -> AsyncIterator[SmsSink]:
    """Up on a free port until the block ends."""
    sink = SmsSink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await sink.hang_up()
