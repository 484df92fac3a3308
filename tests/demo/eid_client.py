"""A careful relying party of the stand-in e-ID, for its tests."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from litestar import Litestar
from litestar.datastructures import State

from backend.branding.brand import shipped
from backend.outside.clock import Clock
from demo.eid import StandInEid
from demo.eid_clients import EidClient
from demo.eid_http import eid_router
from demo.persona import PERSONAS

ISSUER = "http://eid.test/demo/eid"
BACK = "http://app.test/app/vneid"
BASIC = ("hue-s", "mot:bi mat/+")
APP_KEY = ECKey.generate_key("P-256", {"kid": "app-1"})


class Client:
    """A careful relying party over real HTTP messages."""

    def __init__(self, eid: StandInEid, clock: Clock, http: httpx2.AsyncClient) -> None:
        self.eid, self.clock, self.http = eid, clock, http
        self.verifier = secrets.token_urlsafe(48)
        self.nonce = secrets.token_urlsafe(16)

    def query(self, **changed: str | None) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "hue-s",
            "redirect_uri": BACK,
            "scope": "openid profile phone eid",
            "state": "s-1",
            "nonce": self.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    async def authorize(self, **changed: str | None) -> httpx2.Response:
        return await self.http.get(f"{ISSUER}/authorize", params=self.query(**changed))

    async def code(self, persona: str = "an", **changed: str | None) -> str:
        answer = await self.authorize(prompt="none", login_hint=persona, **changed)
        assert answer.status_code == 303, answer.text
        return said(answer)["code"]

    async def token(
        self, code: str, *, auth: tuple[str, str] | None = None, **changed: str
    ) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
        } | changed
        if "client_assertion" in changed:
            return await self.http.post(f"{ISSUER}/token", data=form)
        return await self.http.post(f"{ISSUER}/token", data=form, auth=quoted(auth or BASIC))

    async def id_token(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set((await self.http.get(f"{ISSUER}/jwks")).json())
        return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


def quoted(pair: tuple[str, str]) -> tuple[str, str]:
    """Basic credentials are form-encoded first (RFC 6749 §2.3.1)."""
    return quote_plus(pair[0]), quote_plus(pair[1])


def said(answer: httpx2.Response) -> dict[str, str]:
    """The authorization response inside a redirect."""
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    eid = StandInEid(
        ISSUER,
        [
            EidClient("hue-s", (BACK,), secret=BASIC[1]),
            EidClient("khoa", (BACK,), jwks={"keys": [APP_KEY.as_dict(private=False)]}),
        ],
        PERSONAS,
        clock,
    )
    branded = State({"brand": shipped()})
    app = Litestar([eid_router(eid)], state=branded, openapi_config=None, logging_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx2 wants wider message types
    async with httpx2.AsyncClient(transport=transport, base_url="http://eid.test") as http:
        yield Client(eid, clock, http)
