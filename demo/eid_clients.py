"""How a client proves itself at the stand-in e-ID's token endpoint (OpenID Connect Core §9)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_MOST_SECONDS = 300


class EidClient(msgspec.Struct, frozen=True):
    """One registered client: a secret for `client_secret_basic`, or public keys for `private_key_jwt`."""

    client_id: str
    redirect_uris: tuple[str, ...]
    secret: str | None = None
    jwks: dict[str, Any] | None = None


class NotTheClient(Exception):
    """The client did not prove itself: 401 `invalid_client` (RFC 6749 §5.2)."""


class ClientDesk:
    """Knows the clients and remembers the assertions that were used."""

    def __init__(self, clients: Iterable[EidClient], audiences: tuple[str, ...]) -> None:
        self.clients = {client.client_id: client for client in clients}
        self._audiences = audiences
        self._used: dict[str, float] = {}

    def authenticate(self, authorization: str, form: dict[str, str], now: float) -> EidClient:
        """The client of this token request. Exactly one way of proving it; raises `NotTheClient`."""
        if authorization and "client_assertion" in form:
            raise NotTheClient
        if "client_assertion" in form:
            return self._by_assertion(form, now)
        return self._by_secret(authorization)

    def _by_secret(self, authorization: str) -> EidClient:
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            raise NotTheClient
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise NotTheClient from None
        client = self.clients.get(unquote_plus(name))
        if client is None or client.secret is None:
            raise NotTheClient
        if not hmac.compare_digest(unquote_plus(secret).encode(), client.secret.encode()):
            raise NotTheClient
        return client

    def _by_assertion(self, form: dict[str, str], now: float) -> EidClient:
        """RFC 7523 §3: signed by the client's key, for us, soon over, used once."""
        assertion = form["client_assertion"]
        client = self._claimed_by(assertion)
        if form.get("client_assertion_type") != ASSERTION or client is None or client.jwks is None:
            raise NotTheClient
        try:
            keys = KeySet.import_key_set({"keys": client.jwks["keys"]})
            signed = jwt.decode(assertion, keys, algorithms=["ES256", "RS256"])
        except (JoseError, ValueError, KeyError, TypeError):
            raise NotTheClient from None
        if "crit" in signed.header:  # no extension is understood here (RFC 7515 §4.1.11)
            raise NotTheClient
        claims = signed.claims
        audience = claims.get("aud")
        named = set(audience if isinstance(audience, list) else [audience])
        expires, jti = claims.get("exp"), claims.get("jti")
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise NotTheClient
        if not named & set(self._audiences) or not isinstance(jti, str):
            raise NotTheClient
        if not isinstance(expires, int | float) or not now < expires <= now + ASSERTION_MOST_SECONDS:
            raise NotTheClient
        self._once(f"{client.client_id} {jti}", expires, now)
        return client

    def _claimed_by(self, assertion: str) -> EidClient | None:
        """Whose key to check with: read from the unverified part, believed only after the signature."""
        try:
            part = assertion.split(".")[1]
            claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            return self.clients.get(claims["iss"])
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    def _once(self, name: str, expires: float, now: float) -> None:
        self._used = {known: until for known, until in self._used.items() if until > now}
        if name in self._used:
            raise NotTheClient
        self._used[name] = expires
