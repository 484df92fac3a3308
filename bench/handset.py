"""A phone for load: its own key, proofs made with plain cryptography, a connection of its own."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.wire import Answer, Wire, request

ECDSA = ec.ECDSA(hashes.SHA256())


class Handset:
    """One device of a person; `session` is what the last `done` gave it."""

    def __init__(
        self, public_url: str, port: int, name: str = "Điện thoại đo", *, bound: bool = True
    ) -> None:
        self.name = name
        self.bound = bound
        self.wire = Wire(port)
        self.session: dict[str, Any] = {}
        self._url = public_url
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        x, y = (_b64(value.to_bytes(32)) for value in (numbers.x, numbers.y))
        jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self._head = _b64(msgspec.json.encode({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}))

    def proof(self, method: str, path: str, token: str | None = None) -> str:
        """A DPoP proof of this moment (RFC 9449 §4.2)."""
        claims = {
            "jti": secrets.token_urlsafe(12),
            "htm": method,
            "htu": self._url + path,
            "iat": int(time.time()),
        }
        if token is not None:
            claims["ath"] = _b64(hashlib.sha256(token.encode()).digest())
        message = f"{self._head}.{_b64(msgspec.json.encode(claims))}"
        r, s = decode_dss_signature(self._key.sign(message.encode(), ECDSA))
        return f"{message}.{_b64(r.to_bytes(32) + s.to_bytes(32))}"

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """The bytes of a call with proof and, once signed in, the token; without proof where not `bound`."""
        token = self.session.get("access_token")
        headers = {"authorization": f"{'DPoP' if self.bound else 'Bearer'} {token}"} if token else {}
        if self.bound:
            headers["dpop"] = self.proof(method, path, token)
        return request(method, path, host=self.wire.host, body=body, **headers)

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One call and its answer."""
        await self.wire.open()
        self.wire.send(self.request(method, path, body))
        return await self.wire.receive()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
