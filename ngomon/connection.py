"""One connection of a server process: how long, and how much, a caller may keep it waiting (rule 805; case TI03).

The server library counts nothing before the headers are complete and waits for ever for the rest, so that one
caller who never ends a header takes the memory and the time of everybody. Here a header has an end in bytes and
in seconds, a body in both too, and whoever says nothing is hung up on.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from backend.errors import Refusal
from backend.limits import Limits
from mobile_api.problems import HeadersTooLarge, body_of, headers_of
from ngomon.quiet import Dates

AFTER = 1.0  # seconds: what is said in words arrives before the line goes dead
OVERHEAD = 4096  # bytes of a body's framing, between two pieces of the body itself
log = structlog.get_logger("access")


class Gathering(asyncio.Transport):
    """The way out of one answer: its head waits for what else is written at once, so that both leave in one packet.

    A head that comes alone, as that of a stream does, leaves when the loop has nothing else to do for its call.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head: bytes | None = None
        self._has_begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """The first that is written waits for the second."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head + data)
        elif self._has_begun:
            self._transport.write(data)
        else:
            self._has_begun, self._head = True, bytes(data)
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """What was written leaves before."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """As of the connection."""
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)


class Connection(HttpToolsProtocol):
    """Hangs up at the end of a deadline, and at too many bytes that are no request yet."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        home: str,
        dates: Dates,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits, self._home, self._dates = limits, home, dates
        self._deadline: TimerHandle | None = None
        self._reading = "headers"  # or "body", or "nothing" between two requests
        self._unread = 0  # bytes since anything came of them
        self._unwanted = 0  # bytes of a body whose request is answered already
        self._unfetched: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The time for the first headers begins now, whether or not a byte comes."""
        super().connection_made(transport)
        self._wait(self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read in pieces, so that no header is longer in memory than it may be."""
        self._dates.renew(self.config, self.server_state)
        if self._reading == "nothing":
            self._begin_headers()
        step = self._limits.header_bytes
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            self._unread += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._reading == "headers" and self._unread > step:
                self._refuse()
                return
            if self._unread > OVERHEAD + step or self._unwanted > self._limits.body_bytes:
                self._hang_up()
                return

    def on_message_begin(self) -> None:
        """A request begins: the first of this connection, or the next one of a kept one."""
        if self._reading == "nothing":
            self._begin_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are whole: now the body has its time."""
        self._reading, self._unread, self._unwanted = "body", 0, 0
        self._wait(self._limits.request_seconds + AFTER)
        earlier = self.cycle
        super().on_headers_complete()
        # an answer to HEAD is over with its head, and then the line may be closed at any moment
        if self.cycle is not earlier and self.scope["method"] != "HEAD":
            self.cycle.transport = Gathering(self.transport, self.loop)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unread = 0
        if self.cycle.response_complete:
            self._unwanted += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; from here the application takes the time that it takes."""
        self._reading, self._unread, self._unwanted = "nothing", 0, 0
        self._stop_waiting()
        super().on_message_complete()

    def _begin_headers(self) -> None:
        self._reading, self._unread = "headers", 0
        self._wait(self._limits.header_seconds)

    def timeout_keep_alive_handler(self) -> None:
        """Idle long enough; what the caller has not fetched by now nobody fetches."""
        self._hang_up()

    def pause_writing(self) -> None:
        """The caller does not fetch the answer: that has a deadline too."""
        super().pause_writing()
        self._unfetched = self.loop.call_later(self._limits.idle_seconds, self._hang_up)

    def resume_writing(self) -> None:
        """The caller fetches again."""
        if self._unfetched is not None:
            self._unfetched.cancel()
            self._unfetched = None
        super().resume_writing()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    def _refuse(self) -> None:
        """Say why, unless an answer to an earlier request is on its way, and read no byte more."""
        self._stop_waiting()
        self._unset_keepalive_if_required()
        self.transport.pause_reading()
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_answer(HeadersTooLarge(), self._home))
        # closing at once, with bytes unread, would throw the answer away before it is read (RFC 9112 §9.6)
        self._deadline = self.loop.call_later(AFTER, self._hang_up)


def connections(limits: Limits, home: str) -> Callable[..., Connection]:
    """What the server library makes a connection with."""
    return partial(Connection, limits=limits, home=home, dates=Dates())


def _answer(refusal: Refusal, home: str) -> bytes:
    """The refusal as it goes over the wire, in the manner of the edge, which never sees this request."""
    request_id = os.urandom(16).hex()
    log.info("request", id=request_id, status=refusal.status)
    body = body_of(refusal, lang="vi", instance=request_id, home=home)
    headers = [*headers_of(refusal), ("x-request-id", request_id), ("x-content-type-options", "nosniff")]
    headers += [("content-length", str(len(body))), ("connection", "close")]
    lines = [f"{name}: {value}\r\n".encode() for name, value in headers]
    return STATUS_LINE[refusal.status] + b"".join(lines) + b"\r\n" + body
