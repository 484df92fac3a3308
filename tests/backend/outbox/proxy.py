"""Stands between the product and a real system, and behaves badly when told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self
from urllib.parse import urlsplit

Relay = Callable[[], Awaitable[bytes]]
Fault = Callable[[Relay], Awaitable[bytes]]


class Call(NamedTuple):
    """One call that reached the proxy."""

    method: str
    path: str
    body: bytes


class FaultProxy:
    """`faults` are used up one per call that `concerns`; `always` is for every such call."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._server: asyncio.Server | None = None
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.concerns: Callable[[Call], bool] = lambda call: call.method != "GET"
        self.before: Callable[[Call], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.method != "GET"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            names = {line.partition(b":")[0].lower(): line.partition(b":")[2] for line in head.split(b"\r\n")}
            length = int(names.get(b"content-length", b"0"))
            body = await reader.readexactly(length)
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            call = Call(method, path, body)
            self.calls.append(call)
            if self.before is not None:
                await self.before(call)
            writer.write(await self._answer(call, head, body))
            await writer.drain()
        writer.close()

    async def _answer(self, call: Call, head: bytes, body: bytes) -> bytes:
        async def relay() -> bytes:
            return await self._relay(head, body)

        if self.concerns(call):
            if self.faults:
                return await self.faults.pop(0)(relay)
            if self.always is not None:
                return await self.always(relay)
        return await relay()

    async def _relay(self, head: bytes, body: bytes) -> bytes:
        lines = [line for line in head.rstrip().split(b"\r\n") if not line.lower().startswith(b"connection:")]
        reader, writer = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        writer.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
        try:
            answer = await reader.read()
        finally:
            writer.close()
        start, _, rest = answer.partition(b"\r\n")
        return start + b"\r\nConnection: close\r\n" + rest


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer at once, without asking the system."""

    async def fault(_relay: Relay) -> bytes:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {code} X\r\n{lines}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    return fault


async def cut_after_applying(relay: Relay) -> bytes:
    """The system did it, and the answer is lost."""
    await relay()
    return b""


def everything(_call: Call) -> bool:
    """For `concerns`: reading as well."""
    return True


async def passing(relay: Relay) -> bytes:
    """No fault."""
    return await relay()


def slow(seconds: float) -> Fault:
    """The system did it, and says so too late."""

    async def fault(relay: Relay) -> bytes:
        answer = await relay()
        await asyncio.sleep(seconds)
        return answer

    return fault
