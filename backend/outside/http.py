"""The one way out: HTTP to other systems, with a guard at the door (rules 704, 705; cases TI08, TI09).

No redirects, no proxies from the environment, no private address unless listed, one
deadline for the whole exchange, and a reply that is cut before it can hurt.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, Iterable
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import httpcore2
import httpx2

from backend.outside.addresses import (
    AddressRefused,
    Allowed,
    HttpTrouble,
    NotSent,
    Unreachable,
    check,
)
from backend.outside.pinned import PinnedNetwork
from backend.outside.trust import trusted

NO_ANSWER = (TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
AGENT = "ngomon"
MOST = "reply_bytes"  # a request's extension: how long this one reply may be


class ReplyTooLarge(HttpTrouble):
    """The reply is longer than we read, packed or unpacked."""

    code = "reply_too_large"


class UnreadableReply(HttpTrouble):
    """The reply is packed in a way that we did not ask for and cannot unpack."""

    code = "unreadable_reply"


class Guarded:
    """Makes guarded clients; `allowed` lists the private or plain-http places that may be called.

    Replies are cut at `reply_bytes`, and at `list_bytes` where a caller asks who is in a group.
    """

    def __init__(
        self,
        allowed: Iterable[str] = (),
        *,
        reply_bytes: int = 65536,
        list_bytes: int = 16 << 20,
        timeout: float = 15.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allowed, self.list_bytes = Allowed(allowed), list_bytes
        self._reply_bytes, self._timeout = reply_bytes, timeout
        self._given_tls = tls
        self._shared: httpx2.AsyncClient | None = None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Whom the system trusts, read when a call is made: a process that makes none does not wait for it."""
        return self._given_tls or trusted()

    def client(
        self,
        *,
        base_url: str = "",
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> httpx2.AsyncClient:
        """A client of its own connections behind the guard; the caller closes it.

        The transport is ours, so that no proxy of the environment is asked.
        """
        return httpx2.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"} | (headers or {}),
            timeout=timeout or self._timeout,
            follow_redirects=False,
            transport=GuardedTransport(self.allowed, self._reply_bytes, self._tls),
            **more,
        )

    async def request(
        self, method: str, url: str, *, timeout: float | None = None, auth: Any = None, **more: Any
    ) -> httpx2.Response:
        """One exchange on shared connections; a redirect comes back as the answer that it is.

        Raises an HttpTrouble when there is no whole answer; cookies are not kept.
        """
        if self._shared is None:
            self._shared = self.client()
        self._shared.cookies.clear()
        return await self._shared.request(method, url, timeout=timeout or self._timeout, auth=auth, **more)

    async def check(self, url: str) -> None:
        """Refuse an address when it is saved."""
        await check(url, self.allowed)

    async def close(self) -> None:
        """Close the shared connections."""
        if self._shared is not None:
            await self._shared.aclose()
            self._shared = None


class Departure:
    """Hears from the pool whether a request has begun to leave; an error alone does not tell, a deadline hides it."""

    begun = False

    async def __call__(self, event: str, _: dict[str, Any]) -> None:
        """Takes the note of the pool's trace."""
        self.begun = self.begun or event.endswith(".send_request_headers.started")


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connects only where it may, and hands on only whole, small, unpacked answers."""

    def __init__(self, allowed: Allowed, reply_bytes: int, tls: ssl.SSLContext) -> None:
        self._reply_bytes = reply_bytes
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=32,
                max_keepalive_connections=16,
                keepalive_expiry=2.0,  # sooner than the five seconds after which common servers hang up
                network_backend=PinnedNetwork(allowed, encrypted=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange from resolving to the last byte, within one deadline.

        Raises NotSent or Unreachable by whether the request had begun to leave; nothing is ever sent twice here.
        """
        if request.url.scheme not in self._pools or request.url.userinfo:
            raise AddressRefused
        departure = Departure()
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                return await self._exchange(request, departure)
        except NO_ANSWER as error:
            raise (Unreachable if departure.begun else NotSent) from error

    async def _exchange(self, request: httpx2.Request, departure: Departure) -> httpx2.Response:
        pool = self._pools[request.url.scheme]
        most = request.extensions.get(MOST, self._reply_bytes)
        said = await pool.handle_async_request(_outgoing(request, departure))
        try:
            body = await self._read(said, most)
        finally:
            await said.aclose()
        headers = httpx2.Headers(said.headers)
        body = _unpacked(body, headers.pop("content-encoding", "identity"), most)
        for stale in ("content-length", "transfer-encoding"):
            headers.pop(stale, None)
        return httpx2.Response(said.status, headers=headers, content=body, request=request)

    async def _read(self, said: httpcore2.Response, most: int) -> bytes:
        body = bytearray()
        stream = said.stream
        if not isinstance(stream, AsyncIterable):
            raise UnreadableReply
        async for part in stream:
            body += part
            if len(body) > most:
                raise ReplyTooLarge
        return bytes(body)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.aclose()


def _outgoing(request: httpx2.Request, departure: Departure) -> httpcore2.Request:
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions | {"trace": departure},
    )


def _unpacked(body: bytes, coding: str, most: int) -> bytes:
    """The content behind a coding that we did not ask for, as long as it stays small (TI09)."""
    coding = coding.strip().lower()
    if coding in {"identity", ""} or not body:
        return body
    if coding not in WINDOW_BITS:
        raise UnreadableReply
    try:
        plain = zlib.decompressobj(WINDOW_BITS[coding]).decompress(body, most + 1)
    except zlib.error as error:
        raise UnreadableReply from error
    if len(plain) > most:
        raise ReplyTooLarge
    return plain
