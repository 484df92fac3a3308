"""A phone as an app developer would write one from the contract: its own key, its own proofs, plain HTTP.

Proofs are made with joserfc, not with the product's code, so that both must agree with RFC 9449.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

from backend.outside.clock import Clock


class Phone:
    """One device: `http` is any client whose base URL is the service's."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        public_url: str,
        *,
        name: str = "Điện thoại thử",
        clock: Clock | None = None,
    ) -> None:
        self.http = http
        self.public_url = public_url
        self.name = name
        self.clock = clock or Clock()
        self.key = ECKey.generate_key("P-256")
        self.session: dict[str, Any] = {}

    def proof(self, method: str, path: str, token: str | None = None, **changes: Any) -> str:
        """A DPoP proof; `changes` replace claims, or header members with the prefix `header_`."""
        public = self.key.as_dict(private=False)
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        header: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": self.public_url + path,
            "iat": int(self.clock.now().timestamp()),
        }
        if token is not None:
            claims["ath"] = (
                base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
            )
        for name, value in changes.items():
            target = header if name.startswith("header_") else claims
            target[name.removeprefix("header_")] = value
        return jws.serialize_compact(
            header, _json({k: v for k, v in claims.items() if v is not None}), self.key
        )

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Proof and, once signed in, the token."""
        token = self.session.get("access_token")
        if token is None:
            return {"DPoP": self.proof(method, path)}
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(method, path, token)}

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One call with the session's token."""
        plain = path.split("?", maxsplit=1)[0]
        sent = self.headers(method, plain) | headers
        return await self.http.request(method, path, json=body, headers=sent)

    async def open(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        """One call that makes a session: a proof, no token."""
        sent = {"DPoP": self.proof("POST", path)} | headers
        return await self.http.post(path, json=body, headers=sent)

    async def begin(self, **device: str) -> dict[str, Any]:
        """Start a sign-in by VNeID."""
        about = {"platform": "android", "name": self.name, "model": "Mẫu 1"} | device
        answer = await self.open("/v1/logins", {"method": "vneid", "device": about})
        assert answer.status_code == 201, answer.text
        started: dict[str, Any] = answer.json()
        return started

    async def bring(self, login: str, back: dict[str, str]) -> httpx2.Response:
        """Hand the e-ID's answer in."""
        return await self.open(f"/v1/logins/{login}/authorize", back)

    def keep(self, done: dict[str, Any]) -> dict[str, Any]:
        """Remember the session of a `done`."""
        assert done.get("step") == "done", done
        self.session = done["session"]
        return done


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def returned(location: str) -> dict[str, str]:
    """The query that the e-ID sent back, as the body of `authorize`."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    return {name: query[name] for name in ("state", "code", "iss", "error") if name in query}
