"""Signed tokens made by hand, so that a forger's ones can be made too; no JOSE library would let them through."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """A P-256 key with its public JWK."""

    def __init__(self, kid: str | None = None) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        self.public: dict[str, Any] = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32)),
            "y": b64(numbers.y.to_bytes(32)),
        }
        self.kid = kid
        self.secret = b64(self._private.private_numbers().private_value.to_bytes(32))

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a provider publishes it."""
        return self.public | {"use": "sig", "alg": "ES256"} | ({"kid": self.kid} if self.kid else {})

    @property
    def pem(self) -> bytes:
        """The public key as bytes, which a confused verifier takes for a shared secret."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def take(self, secret: Any) -> None:
        """Sign with this private value of a JWK from now on."""
        raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        self._private = ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())

    def sign(self, message: bytes) -> bytes:
        """ES256 (RFC 7518 §3.4)."""
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def compact(header: Any, payload: Any, key: Key | None, *, signature: bytes | None = None) -> str:
    """`header.payload.signature`; anything may be given in place of header and payload, bytes as they are."""
    head, body = (
        b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload)
    )
    message = f"{head}.{body}"
    if signature is None:
        signature = key.sign(message.encode()) if key else b""
    return f"{message}.{b64(signature)}"
