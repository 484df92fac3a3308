"""Asks a national e-ID who somebody is: an OpenID Connect client found by discovery (security O1 to O9).

Whatever does not verify is one outward answer, `login_refused`; whatever cannot be
reached is `provider_unavailable`. The reason goes to the log as a word, without claims.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from backend.errors import Forbidden, Unavailable
from backend.outside.clock import Clock
from backend.outside.eid_claims import Person, claim_of, person_of, why_not_believe
from backend.outside.eid_keys import signing_keys
from backend.outside.http import Guarded, HttpTrouble

log = structlog.get_logger("eid")

ALGORITHMS = [
    "RS256",
    "PS256",
    "ES256",
    "EdDSA",
]  # asymmetric only: never none, never a shared secret (RFC 8725 §3.2)
DISCOVERY_LIFE = 3600
JWKS_PAUSE = 300  # an unknown kid refetches at most this often (security O9)
JWKS_LIFE = 86400


class ProviderUnavailable(Unavailable):
    """The e-ID does not answer, or answers with an error of its own."""

    code = "provider_unavailable"
    title = "Hệ thống định danh chưa phản hồi, vui lòng thử lại sau ít phút"


class LoginRefused(Forbidden):
    """The e-ID's answer does not verify; the sign-in is over (contract-accounts, 5)."""

    code = "login_refused"
    title = "Không xác minh được kết quả đăng nhập, vui lòng đăng nhập lại"


class Attempt(msgspec.Struct, frozen=True):
    """The secrets of one sign-in: state, nonce and PKCE verifier, 256 bit each (security O5)."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class Provider(msgspec.Struct, frozen=True):
    """How to reach one OpenID provider, as the settings say."""

    issuer: str
    client_id: str
    client_secret: str
    client_key: str
    scopes: str
    claims: dict[str, str | list[str]]
    timeout: float


class Metadata(msgspec.Struct):
    """What discovery says (OpenID Connect Discovery §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


class EId:
    """One provider: `begin` a sign-in, `finish` it with the code that came back."""

    def __init__(self, provider: Provider, http: Guarded, clock: Clock) -> None:
        self.provider = provider
        self._http = http
        self._clock = clock
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._client_key = _private_key(provider.client_key) if provider.client_key else None

    async def begin(self, redirect_uri: str) -> tuple[str, Attempt]:
        """The address to send the person to, and the secrets to keep until they return."""
        metadata = await self._discover()
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
        )
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.provider.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": _b64(hashlib.sha256(attempt.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return metadata.authorization_endpoint + joint + urlencode(query), attempt

    async def finish(self, attempt: Attempt, *, code: str, iss: str | None) -> Person:
        """Exchange the code and verify everything; raises LoginRefused or ProviderUnavailable."""
        try:
            async with asyncio.timeout(self.provider.timeout + 1):
                metadata = await self._discover()
                self._check_issuer(metadata, iss)
                tokens = await self._exchange(metadata, attempt, code)
                claims = await self._verified(metadata, attempt, tokens)
                return await self._person(metadata, claims, str(tokens.get("access_token", "")))
        except TimeoutError as error:
            raise ProviderUnavailable(retry_after=30) from error

    def _check_issuer(self, metadata: Metadata, iss: str | None) -> None:
        """RFC 9207 §2.4: an answer of another provider, or a missing promised `iss`, is a mix-up."""
        if iss is not None and iss != metadata.issuer:
            raise _refused("iss_differs")
        if iss is None and metadata.authorization_response_iss_parameter_supported:
            raise _refused("iss_missing")

    async def _discover(self) -> Metadata:
        now = self._clock.now().timestamp()
        if self._metadata is None or now - self._metadata_at > DISCOVERY_LIFE:
            body = await self._fetch(
                "GET", f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            )
            try:
                metadata = msgspec.convert(body, Metadata)
            except msgspec.ValidationError as error:
                raise _unavailable("discovery_shape") from error
            if metadata.issuer != self.provider.issuer:
                raise _unavailable("discovery_issuer_differs")
            self._metadata, self._metadata_at = metadata, now
        return self._metadata

    async def _exchange(self, metadata: Metadata, attempt: Attempt, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers = {"Accept": "application/json"}
        if self._client_key is not None:
            form |= {
                "client_id": self.provider.client_id,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._assertion(metadata),
            }
        else:
            pair = f"{quote(self.provider.client_id, safe='')}:{quote(self.provider.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        body = await self._fetch("POST", metadata.token_endpoint, data=form, headers=headers)
        if not isinstance(body.get("id_token"), str):
            raise _refused("id_token_missing")
        return body

    def _assertion(self, metadata: Metadata) -> str:
        """RFC 7523 §3: who we are, signed with our key, for this provider, once."""
        assert self._client_key is not None
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.provider.client_id,
            "sub": self.provider.client_id,
            "aud": metadata.token_endpoint,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        header = {"alg": "ES256", "kid": self._client_key.kid or self._client_key.thumbprint()}
        return jwt.encode(header, claims, self._client_key, algorithms=["ES256"])

    async def _verified(self, metadata: Metadata, attempt: Attempt, tokens: dict[str, Any]) -> dict[str, Any]:
        token = str(tokens["id_token"])
        claims = await self._signed_claims(metadata, token)
        now = self._clock.now().timestamp()
        wrong = why_not_believe(
            claims,
            token,
            tokens.get("access_token"),
            issuer=metadata.issuer,
            client_id=self.provider.client_id,
            nonce=attempt.nonce,
            now=now,
        )
        if wrong:
            raise _refused("id_token_" + wrong)
        return claims

    async def _signed_claims(self, metadata: Metadata, token: str) -> dict[str, Any]:
        for fresh in (False, True):
            keys = await self._jwks(metadata, fresh=fresh)
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
                if fresh or not self._may_refetch():
                    raise _refused("id_token_signature") from error
        raise _refused("id_token_signature")

    def _may_refetch(self) -> bool:
        return self._clock.now().timestamp() - self._keys_at > JWKS_PAUSE

    async def _jwks(self, metadata: Metadata, *, fresh: bool) -> KeySet:
        age = self._clock.now().timestamp() - self._keys_at
        if self._keys is None or age > JWKS_LIFE or (fresh and age > JWKS_PAUSE):
            body = await self._fetch("GET", metadata.jwks_uri)
            try:
                self._keys = signing_keys(body)
            except ValueError as error:
                raise _unavailable("jwks_shape") from error
            self._keys_at = self._clock.now().timestamp()
        return self._keys

    async def _person(self, metadata: Metadata, claims: dict[str, Any], access_token: str) -> Person:
        wanted = ("subject", "national_id", "full_name", "assurance_level")
        if (
            any(claim_of(claims, self.provider.claims, name) is None for name in wanted)
            and metadata.userinfo_endpoint
            and access_token
        ):
            more = await self._fetch(
                "GET", metadata.userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"}
            )
            if more.get("sub") != claims.get("sub"):  # OpenID Connect Core §5.3.2
                raise _refused("userinfo_sub")
            claims = {**more, **claims}
        try:
            return person_of(claims, self.provider.claims, issuer=metadata.issuer)
        except ValueError as error:
            raise _refused("claims_" + str(error)) from error

    async def _fetch(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, timeout=self.provider.timeout, **options)
        except HttpTrouble as error:
            raise _unavailable(type(error).__name__) from error
        if answer.status_code in (400, 403) and method == "POST":
            raise _refused("token_" + _word(answer))
        if answer.status_code != 200:
            raise _unavailable(f"status_{answer.status_code}")
        try:
            body = msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _unavailable("not_json") from error
        if not isinstance(body, dict):
            raise _unavailable("not_an_object")
        return body


def _private_key(file: str) -> ECKey:
    """The private JWK of `NGOMON_VNEID_CLIENT_KEY` (contract §1)."""
    return ECKey.import_key(msgspec.json.decode(Path(file).read_bytes()))


def _refused(reason: str) -> LoginRefused:
    log.warning("login refused", reason=reason)
    return LoginRefused()


def _unavailable(reason: str) -> ProviderUnavailable:
    log.warning("provider unavailable", reason=reason)
    return ProviderUnavailable(retry_after=30)


def _word(answer: httpx2.Response) -> str:
    """The provider's error code, if it is one of the registered ones (RFC 6749 §5.2)."""
    known = ("invalid_grant", "invalid_client", "invalid_request", "unauthorized_client")
    return next((code for code in known if code.encode() in answer.content), "refused")


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
