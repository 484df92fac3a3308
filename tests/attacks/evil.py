"""An e-ID gone bad: a provider that says whatever a test wants, over a real socket (TL04 to TL13)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import uvicorn

from backend.outside.clock import Clock
from tests.attacks.jose import Key, b64, compact
from tests.parts.processes import free_port

Answering = Callable[[Any], Awaitable[None]]
Forging = Callable[[dict[str, Any], dict[str, Any]], str]  # header, claims -> the ID token


class EvilProvider:
    """Discovery, keys and tokens; `grant` says what the next code is worth, `instead` replaces whole answers."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.clock = Clock()
        self.key = Key("first")
        self.jwks: Any = {"keys": [self.key.jwk]}
        self.instead: dict[str, Answering] = {}
        self.asked: Counter[str] = Counter()
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any], Forging | None]] = {}

    def reset(self) -> None:
        """Behave again."""
        self.instead.clear()
        self.jwks = {"keys": [self.key.jwk]}

    def grant(self, authorization_url: str, forge: Forging | None = None, **claims: Any) -> dict[str, str]:
        """What the app gets back; `claims` change the ID token (None takes one away)."""
        query = dict(parse_qsl(urlsplit(authorization_url).query))
        code = secrets.token_urlsafe(16)
        self._codes[code] = (query, claims, forge)
        return {"state": query["state"], "code": code, "iss": self.issuer}

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """As an honest provider does."""
        return compact(header, claims, self.key)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked[path] += 1
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if path in self.instead:
            await self.instead[path](send)
        elif path == "/.well-known/openid-configuration":
            await say(send, self._metadata())
        elif path == "/jwks":
            await say(send, self.jwks)
        elif path == "/token":
            await self._token(parse_qs(body.decode()), send)
        else:
            await say(send, {"error": "not_found"}, status=404)

    def _metadata(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        said: dict[str, Any] = {name: self.issuer + path for name, path in places.items()}
        return said | {"issuer": self.issuer, "authorization_response_iss_parameter_supported": True}

    async def _token(self, form: dict[str, list[str]], send: Any) -> None:
        query, changes, forge = self._codes.pop(form["code"][0], ({}, {}, None))
        challenge = b64(hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest())
        if challenge != query.get("code_challenge"):
            await say(send, {"error": "invalid_grant"}, status=400)
            return
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": "ngomon", "sub": secrets.token_hex(8), "iat": now, "exp": now + 300, "nonce": query["nonce"],
            "national_id": f"000055{secrets.randbelow(10**6):06d}", "full_name": "Nguyễn Văn Giả", "birth_date": "1990-02-03", "gender": "male",
            "assurance_level": 2,
        }  # fmt: skip
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT"}
        token = forge(header, claims) if forge else self.sign(header, claims)
        await say(send, {"access_token": "at", "token_type": "Bearer", "id_token": token})


async def say(send: Any, value: Any, *, status: int = 200, **headers: str) -> None:
    """A JSON answer, or bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    named = {"content-type": "application/json"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    raw = [(name.encode(), text.encode()) for name, text in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def saying(value: Any, *, status: int = 200, **headers: str) -> Answering:
    """`instead` of an honest answer: this one."""

    async def answer(send: Any) -> None:
        await say(send, value, status=status, **headers)

    return answer


def dripping(over: asyncio.Event) -> Answering:
    """`instead` of an honest answer: one that comes in pieces and does not end before `over`."""

    async def answer(send: Any) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        with contextlib.suppress(Exception):
            while not over.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.1)
            await send({"type": "http.response.body", "body": b""})

    return answer


@contextlib.asynccontextmanager
async def evil_provider() -> AsyncIterator[EvilProvider]:
    """The provider on a free port."""
    port = free_port()
    evil = EvilProvider(f"http://127.0.0.1:{port}")
    config = uvicorn.Config(
        evil, host="127.0.0.1", port=port, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield evil
    server.should_exit = True
    await task
