"""The door of `/v1` in plain ASGI: proof of possession, session, and the hottest answer (rule 801, performance.md).

Everything under `/v1` needs a session unless its handler says that it is open (default deny).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope, Message, Send

from backend.caller import Caller
from backend.devices.entry import Entry
from backend.errors import Refusal, Unproved
from backend.openness import Openness
from backend.outside.clock import Clock
from mobile_api.me import Profiles
from mobile_api.problems import body_of, headers_of, home_of, instance_of, language_of

PREFIX = "/v1/"
OpennessOf = Callable[[str, str], Openness]  # of a method and an address


class Doorkeeper:
    """Sets `scope["user"]` (Who) or `scope["jkt"]`, and answers `GET /v1/me` itself."""

    def __init__(self, entry: Entry, profiles: Profiles, clock: Clock, openness_of: OpennessOf) -> None:
        self._openness_of = openness_of
        self._entry = entry
        self._profiles = profiles
        self._clock = clock

    async def has_answered(self, scope: HTTPScope, send: Send) -> bool:
        """Whether the call is answered already, which is why not, or by what stands ready; or else let it in."""
        if not scope["path"].startswith(PREFIX):
            return False
        try:
            answer = await self._enter(scope)
        except Refusal as refusal:
            await self._refuse(scope, send, refusal)
            return True
        if answer is not None:
            headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
            await _send(send, 200, headers, answer)
        return answer is not None

    async def _enter(self, scope: HTTPScope) -> bytes | None:
        method, path = scope["method"], scope["path"]
        asked = str(scope.get("asked", method))  # HEAD is answered as GET, and its proof says HEAD
        raw = scope["raw_path"]
        sent = raw.decode("latin-1") if raw and b"%" in raw else path  # what the proof names
        authorization, proof = [], []
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization.append(value.decode("latin-1"))
            elif name == b"dpop":
                proof.append(value.decode("latin-1"))
        now = self._clock.now()
        openness = self._openness_of(method, path)
        nonce = openness is Openness.NONCED  # asked for by the call, not by what comes with it
        if not authorization and openness.is_open:
            known: dict[str, Any] = {"jkt": None}
            if openness is not Openness.ANYBODY and (proof or openness is not Openness.EITHER):
                known["jkt"] = await self._entry.key_of(proof, method=asked, path=sent, now=now, nonce=nonce)
            scope.update(known)  # type: ignore[typeddict-item]
            return None
        ended = openness is Openness.REPLACED
        who = await self._entry.admit(
            authorization, proof, method=asked, path=sent, now=now, ended=ended, nonce=nonce
        )
        scope.update({"user": who, "jkt": who.jkt})  # type: ignore[typeddict-item]
        if path == "/v1/me" and method == "GET":
            return await self._profiles.of(who.account_id, who.version)
        return None

    async def _refuse(self, scope: HTTPScope, send: Send, refusal: Refusal) -> None:
        headers = [(name.encode(), value.encode()) for name, value in headers_of(refusal)]
        if refusal.code == "use_dpop_nonce":
            fresh = self._entry.nonces.fresh(self._clock.now().timestamp())
            headers.append((b"dpop-nonce", fresh.encode()))
        body = body_of(refusal, lang=language_of(scope), instance=instance_of(scope), home=home_of(scope))
        await _send(send, refusal.status, headers, body)


async def proved(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route of the API: nothing is reached that the door has not looked at, nor anything without a
    session but what says so itself (default deny).

    It waits for nothing, but a guard that says so is run by a thread, which costs more than most statements.
    """
    scope: Mapping[str, object] = connection.scope  # the door adds keys that ASGI does not know
    is_open = handler.opt.get("open_to", Openness.SESSION).is_open
    if "jkt" not in scope or (scope.get("user") is None and not is_open):
        raise Unproved


def caller_of(request: Request[Any, Any, Any], clock: NamedDependency[Clock]) -> Caller:
    """Who calls, as the door and the edge have found out; for the use cases."""
    scope: Mapping[str, Any] = request.scope
    if "jkt" not in scope:  # the door was not passed: never read that as "no key wanted"
        raise Unproved
    return Caller(clock.now(), scope["jkt"], str(scope.get("address", "")), scope.get("user"))


def lang_of(request: Request[Any, Any, Any]) -> str:
    """In which language the caller is answered."""
    return language_of(request.scope)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
