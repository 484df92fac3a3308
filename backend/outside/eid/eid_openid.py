"""Where a provider's endpoints are and what its ID tokens say, verified (rules 410, 411, 412, 413, 414)."""

from __future__ import annotations

from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backend.outside.clock import Clock
from backend.outside.eid.eid_errors import refused, unavailable
from backend.outside.eid.eid_keys import signing_keys
from backend.outside.eid.eid_provider import Provider
from backend.outside.eid.eid_tokens import SKEW, why_not_believe
from backend.outside.eid.eid_wire import Wire

ALGORITHMS = [
    "RS256",
    "PS256",
    "ES256",
    "EdDSA",
]  # asymmetric only: never none, never a shared secret (RFC 8725 §3.2)
DISCOVERY_LIFE = 3600
JWKS_PAUSE = 300  # an unknown kid refetches at most this often (rule 413)
JWKS_LIFE = 86400


class Metadata(msgspec.Struct):
    """What discovery says (OpenID Connect Discovery §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


class OpenId:
    """One provider's endpoints and keys, fetched when needed and kept for a while."""

    def __init__(self, provider: Provider, wire: Wire, clock: Clock) -> None:
        self._provider, self._wire, self._clock = provider, wire, clock
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    async def metadata(self) -> Metadata:
        """The endpoints: discovered, or where the flavour has them. Raises ProviderUnavailable."""
        now = self._clock.now().timestamp()
        if self._metadata is None or not _is_younger(now - self._metadata_at, DISCOVERY_LIFE):
            self._metadata, self._metadata_at = await self._found(), now
        return self._metadata

    async def _found(self) -> Metadata:
        provider = self._provider
        issuer = provider.issuer.rstrip("/")
        if provider.flavour.paths is None:
            metadata = _read(await self._wire.page(f"{issuer}/.well-known/openid-configuration"))
            if metadata.issuer != provider.issuer:
                raise unavailable("discovery_issuer_differs")
        else:
            authorize, token, userinfo = (issuer + path for path in provider.flavour.paths)
            metadata = Metadata(provider.issuer, authorize, token, jwks_uri="", userinfo_endpoint=userinfo)
        metadata.authorization_endpoint = provider.authorize_url or metadata.authorization_endpoint
        metadata.token_endpoint = provider.token_url or metadata.token_endpoint
        metadata.userinfo_endpoint = provider.userinfo_url or metadata.userinfo_endpoint
        return metadata

    async def verified(
        self, metadata: Metadata, nonce: str, tokens: dict[str, Any], fresh_since: float | None
    ) -> dict[str, Any]:
        """The claims of the ID token among the tokens; raises LoginRefused when they cannot be believed."""
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise refused("id_token_missing")
        claims = await self._signed_claims(metadata, token)
        wrong = why_not_believe(
            claims,
            token,
            tokens.get("access_token"),
            issuer=metadata.issuer,
            client_id=self._provider.client_id,
            nonce=nonce,
            fresh_since=fresh_since,
            now=self._clock.now().timestamp(),
        )
        if wrong:
            raise refused("id_token_" + wrong)
        return claims

    async def _signed_claims(self, metadata: Metadata, token: str) -> dict[str, Any]:
        for fresh in (False, True):
            keys = await self._jwks(metadata, fresh=fresh)
            try:
                believed = jwt.decode(token, keys, algorithms=ALGORITHMS)
                if "crit" in believed.header:  # we understand no extension (RFC 7515 §4.1.11)
                    raise refused("id_token_crit")
                return dict(believed.claims)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
                if fresh or not self._may_refetch():
                    raise refused("id_token_signature") from error
        raise refused("id_token_signature")

    def _may_refetch(self) -> bool:
        return not _is_younger(self._clock.now().timestamp() - self._keys_at, JWKS_PAUSE)

    async def _jwks(self, metadata: Metadata, *, fresh: bool) -> KeySet:
        age = self._clock.now().timestamp() - self._keys_at
        if self._keys is None or not _is_younger(age, JWKS_PAUSE if fresh else JWKS_LIFE):
            body = await self._wire.page(metadata.jwks_uri)
            try:
                self._keys = signing_keys(body)
            except ValueError as error:
                raise unavailable("jwks_shape") from error
            self._keys_at = self._clock.now().timestamp()
        return self._keys


def _is_younger(age: float, most: float) -> bool:
    """Whether what was fetched so many seconds ago still counts; what is of a moment to come does not."""
    return -SKEW <= age <= most


def _read(body: dict[str, Any]) -> Metadata:
    try:
        return msgspec.convert(body, Metadata)
    except msgspec.ValidationError as error:
        raise unavailable("discovery_shape") from error
