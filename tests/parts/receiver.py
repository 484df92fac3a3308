"""A system that is told by webhook, as the specification's own library would have it: what it takes for true is verified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """`secrets` are those that it knows; `told` is what verified, `refused` counts the rest; `answers` come first."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = list(secrets)
        self.told: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.raw: list[bytes] = []
        self.refused = 0
        self.answers: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:]
                headers = dict(_named(line) for line in lines if line)
                body = await reader.readexactly(int(headers["content-length"]))
                self._hear(headers, body)
                status = self.answers.pop(0) if self.answers else b"204 No Content"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def _hear(self, headers: dict[str, str], body: bytes) -> None:
        for secret in self.secrets:
            try:
                self.told.append(Webhook(secret).verify(body, headers))
            except WebhookVerificationError:
                continue
            self.names.append(headers["webhook-id"])
            self.raw.append(body)
            return
        self.refused += 1


def _named(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.lower(), value


@asynccontextmanager
async def receiver(*secrets: str) -> AsyncIterator[Receiver]:
    """Up on a free port until the block ends."""
    one = Receiver(*secrets)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield one
    finally:
        server.close()
