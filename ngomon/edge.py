"""The outermost layer of every request, before any routing (rules 804, 824, 805, 802, 803).

It names the request, finds the caller's address, cuts what is too large or too slow, looks
at JSON bodies before anything parses them, and writes one log line without personal data.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from backend.bodyguard import check_json
from backend.counting import count, took
from backend.errors import BadRequest, Refusal
from backend.hanging_up import GONE, has_hung_up
from backend.limits import Limits
from mobile_api.problems import (
    HeadersTooLarge,
    InternalError,
    PayloadTooLarge,
    RequestTimeout,
    RouteNotFound,
    ServerStopping,
    UnsupportedMediaType,
    body_of,
    headers_of,
    home_of,
    language_of,
)
from ngomon.routes import Routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BODILESS = ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE")
SLOW = 1.0  # seconds
COME_BACK = 5  # seconds: by then another process answers, or this one again
HEARD_OUT = (
    8  # times: so much more than a file's longest is let pass, so that a page can say what the longest is
)
CASE_CODES = "/v1/support-codes/"
IsKnown = Callable[[HTTPScope], Awaitable[bool]]  # whether a session stands behind the cookie of a call
HasAnswered = Callable[[HTTPScope, Send], Awaitable[bool]]  # whether a door needed nothing of the rest
# what a QR code holds, and what somebody types to have it checked, which is whatever they were told (rule 313)
UNSAID = ("/v1/workspace-logins/", "/app/workspace-login/", CASE_CODES, "/v1/phone-change-slips/", "/verify/")
log = structlog.get_logger("access")


class Edge:
    """ASGI application around the whole product."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        routes: Routes,
        *,
        proxies: int,
        public_url: str,
        has_answered: HasAnswered,
        is_known: IsKnown,
        log_reads: int,
    ) -> None:
        self._app = app
        self._routes = routes
        self._limits = limits
        self._proxies, self._log_reads = proxies, log_reads
        self._has_answered, self._is_known = has_answered, is_known
        self._public_url = public_url.rstrip("/")
        self._headers = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
        if public_url.startswith("https://"):
            self._headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started, status, begun = time.perf_counter(), 500, False
        scope["request_id"] = request_id = os.urandom(16).hex()  # type: ignore[typeddict-unknown-key]
        scope["public_url"] = self._public_url  # type: ignore[typeddict-unknown-key]
        scope["address"] = self._address(scope)  # type: ignore[typeddict-unknown-key]

        async def sending(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                if scope["method"] == "OPTIONS" and (allowed := self._routes.methods(scope["path"])):
                    message["headers"] = _allowing(message["headers"], allowed)
                said = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in self._headers if header[0] not in said),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            inner, answering = _as_get(scope, sending) if scope["method"] == "HEAD" else (scope, sending)
            body = await self._guarded(scope, receive)
            if not await self._has_answered(inner, answering):
                await self._app(inner, body, answering)
        except Refusal as refusal:
            await _refuse(scope, sending, refusal, request_id)
        except (asyncio.CancelledError, Exception) as error:
            if begun:
                raise
            status = await _broken_off(scope, receive, sending, error, request_id)
        finally:
            seconds = time.perf_counter() - started
            _count(scope["method"], status, seconds)
            quick_read = status < 400 and scope["method"] in BODILESS and seconds <= SLOW
            if not quick_read or self._is_sampled(request_id):
                _tell(scope, request_id, status, seconds)

    def _is_sampled(self, request_id: str) -> bool:
        """Of quick calls that only read and went well, so many in a hundred."""
        return int(request_id[:4], 16) * 100 < self._log_reads << 16

    def _address(self, scope: HTTPScope) -> str:
        """The rightmost address that our own proxies did not write (rule 802)."""
        client = scope.get("client")
        direct = client[0] if client else ""
        if not self._proxies:
            return _line(direct)
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",") if hop.strip()]
        return _line(hops[-self._proxies] if len(hops) >= self._proxies else direct)

    async def _guarded(self, scope: HTTPScope, receive: Receive) -> Receive:
        if sum([len(name) + len(value) for name, value in scope["headers"]]) > self._limits.header_bytes:
            raise HeadersTooLarge
        if "//" in scope["path"] or not scope["path"].startswith("/"):
            # the router reads //v1/x as /v1/x, the guards by prefix do not: one address has one spelling (TI05)
            raise RouteNotFound
        _without_nul(scope)
        if [name for name, _ in scope["headers"]].count(b"host") != 1 and not scope["path"].startswith(
            "/health"
        ):
            raise BadRequest  # RFC 9112 §3.2; balancers' own questions after our health may come without one
        if scope["method"] in BODILESS:
            return receive
        headers = {bytes(name): bytes(value) for name, value in scope["headers"]}
        most, heard = await self._most(scope)
        if int(headers.get(b"content-length", b"0") or 0) > heard:
            raise PayloadTooLarge
        body = await self._whole(receive, most, heard)
        if body is None:
            scope["too_large"] = most  # type: ignore[typeddict-unknown-key]
            return _replay(b"", receive)
        if scope["path"].startswith("/v1/") and body:
            media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
            if media != b"application/json" or b"content-encoding" in headers:
                raise UnsupportedMediaType
            check_json(body, depth=self._limits.json_depth, keys=self._limits.json_keys)
        return _replay(body, receive)

    async def _most(self, scope: HTTPScope) -> tuple[int, int]:
        """How long a body may be, and how long one is heard out: of whoever is signed in a file where one is taken.

        A browser that is cut off while it sends shows nothing of the answer, so somewhat more than a file is let pass.
        """
        said = self._routes.said(scope["method"], scope["path"])
        if said.upload and await self._is_known(scope):
            return self._limits.upload_bytes, self._limits.upload_bytes * HEARD_OUT
        most = self._limits.body_bytes_sign_in if said.short else self._limits.body_bytes
        return most, most

    async def _whole(self, receive: Receive, most: int, heard: int) -> bytes | None:
        """The body; nothing of one that is longer than it may be and not longer than is heard out."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise RequestTimeout  # half a body is no body
                    part = message.get("body", b"")
                    size += len(part)
                    if size > heard:
                        raise PayloadTooLarge
                    if size > most:
                        parts.clear()
                    else:
                        parts.append(part)
                    if not message.get("more_body", False):
                        return None if size > most else b"".join(parts)
        except TimeoutError as error:
            raise RequestTimeout from error


def _without_nul(scope: HTTPScope) -> None:
    """No name of anything holds a NUL, which one database keeps and the other does not even compare (A21).

    A case code that is malformed is answered as one that is unknown, however it is malformed (rule 1103);
    the workspace says it in words of its own.
    """
    path, query = scope["path"], scope["query_string"]
    if "\0" in path and not path.startswith(CASE_CODES):
        raise RouteNotFound
    if (b"%00" in query or b"\0" in query) and not path.startswith("/workspace"):
        raise BadRequest


def _as_get(scope: HTTPScope, send: Send) -> tuple[HTTPScope, Send]:
    """HEAD is GET without the body (RFC 9110 §9.3.2); a proof names what was really asked: `scope["asked"]`.

    A stream ends with its head: the server tells the rest of the application that nobody listens.
    """

    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    asked: dict[str, object] = {**scope, "method": "GET", "asked": "HEAD"}
    return cast("HTTPScope", asked), head


def _allowing(headers: Iterable[tuple[bytes, bytes]], allowed: str) -> list[tuple[bytes, bytes]]:
    """The framework's own answer to OPTIONS names the methods of one handler, the address may have several (D04)."""
    return [(name, allowed.encode() if name == b"allow" else value) for name, value in headers]


def _line(address: str) -> str:
    """The address that counts stand against: of IPv6 the network, because one subscriber's line has 2^64 of them."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> HTTPReceiveMessage:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return cast("HTTPReceiveMessage", await receive())

    return again


async def _refuse(scope: Scope, send: Send, refusal: Refusal, request_id: str) -> None:
    body = body_of(refusal, lang=language_of(scope), instance=request_id, home=home_of(scope))
    headers = [(name.encode(), value.encode()) for name, value in headers_of(refusal)]
    headers += [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _broken_off(
    scope: HTTPScope, receive: Receive, send: Send, error: BaseException, request_id: str
) -> int:
    """The status of a call of which no answer came: a mistake of ours, or the server stops and waits no longer for it.

    Nobody but the server cancels a call, and here is the end of that.
    """
    if isinstance(error, asyncio.CancelledError):
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        if await has_hung_up(receive):
            return GONE
        refusal: Refusal = ServerStopping(retry_after=COME_BACK)
    else:
        log.error("unhandled", request=request_id, exc_info=error)
        refusal = InternalError()
    await _refuse(scope, send, refusal, request_id)
    return refusal.status


def _count(method: str, status: int, seconds: float) -> None:
    count("ngomon_requests", method if method in METHODS else "OTHER", str(status))
    took("ngomon_request_seconds", seconds)


def _tell(scope: HTTPScope, request_id: str, status: int, seconds: float) -> None:
    """One line, without anybody's data."""
    took = round(seconds * 1000, 1)
    log.info("request", id=request_id, method=scope["method"], path=_plain(scope), status=status, ms=took)


def _plain(scope: HTTPScope) -> str:
    """The path with control characters escaped; a query never reaches the log, nor what is scanned or checked."""
    path = next((f"{begin}*" for begin in UNSAID if scope["path"].startswith(begin)), scope["path"])
    return path[:200].encode("unicode_escape").decode()
