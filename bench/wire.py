"""HTTP/1.1 with as little as possible between us and the socket, so that the load is the product's, not ours."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec


class Lost(Exception):
    """The connection ended before the whole answer had come."""


class Answer(NamedTuple):
    """One response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def request(method: str, path: str, *, host: str, body: Any = None, **headers: str) -> bytes:
    """The bytes of one request; a dict goes as JSON, text as a form."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    payload = b""
    if body is not None:
        is_form = isinstance(body, str)
        payload = body.encode() if is_form else msgspec.json.encode(body)
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        lines += [f"content-type: {kind}", f"content-length: {len(payload)}"]
    return "\r\n".join([*lines, "", ""]).encode() + payload


class Wire:
    """One kept-alive connection. `send` never waits, so that many requests can leave in one instant."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> Self:
        """Connect; again after `close`."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    @property
    def own_port(self) -> int:
        """Our end of the connection."""
        assert self._writer is not None, "not open"
        return int(self._writer.get_extra_info("sockname")[1])

    def send(self, raw: bytes) -> None:
        """Write one request."""
        assert self._writer is not None, "not open"
        self._writer.write(raw)

    async def receive(self, patience: float = 60) -> Answer:
        """Read one answer; raises Lost."""
        assert self._reader is not None, "not open"
        try:
            async with asyncio.timeout(patience):
                head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = _headers(head[1:])
                body = await self._body(self._reader, headers)
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise Lost(type(error).__name__) from error
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(head[0].split(" ")[1]), headers, body)

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        parts = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readexactly(2)
        return b"".join(parts)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request and its answer; connects first where needed. Raises Lost or OSError."""
        await self.open()
        self.send(request(method, path, host=self.host, body=body, **headers))
        return await self.receive()

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    found: dict[str, str] = {}
    for name, _, value in pairs:
        key = name.strip().lower()
        found[key] = f"{found[key]}\n{value.strip()}" if key in found else value.strip()
    return found
