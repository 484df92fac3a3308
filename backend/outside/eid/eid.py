"""Asks a national e-ID who somebody is: plain OpenID Connect, or a special flavour (rules 410, 411, 412, 413, 402).

Whatever does not verify is one outward answer, `login_refused`; whatever cannot be
reached is `provider_unavailable`. The reason goes to the log as a word, without claims.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from backend.crypto import base64url
from backend.outside.clock import Clock
from backend.outside.eid.eid_claims import Person, is_incomplete, person_of
from backend.outside.eid.eid_envelope import NotOpened
from backend.outside.eid.eid_errors import ProviderUnavailable, refused
from backend.outside.eid.eid_openid import Metadata, OpenId
from backend.outside.eid.eid_provider import Provider
from backend.outside.eid.eid_tokens import is_moment
from backend.outside.eid.eid_wire import Wire
from backend.outside.http import Guarded

MOST_TOKEN = 8192
NOTHING = (None, "")  # a claim that says it hides no other place of it


class Attempt(msgspec.Struct, frozen=True):
    """The secrets of one sign-in: state, nonce and PKCE verifier, 256 bit each (rule 411)."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    fresh_since: float | None = None  # the person has to have shown up at the e-ID since then


class EId:
    """One provider: `begin` a sign-in, `finish` it with the code that came back."""

    def __init__(self, provider: Provider, http: Guarded, clock: Clock) -> None:
        self.provider = provider
        self._clock = clock
        self._wire = Wire(provider, http)
        self._openid = OpenId(provider, self._wire, clock)
        self._client_key = _private_key(provider.client_key) if provider.client_key else None

    async def begin(self, redirect_uri: str, *, fresh: bool = False) -> tuple[str, Attempt]:
        """The address to send the person to, and the secrets to keep until they return.

        `fresh`: the e-ID's own session shall not answer for whoever holds the phone; the person shows up again (RFC
        9470 §5), and the answer has to say so where this kind of e-ID can.
        """
        metadata = await self._openid.metadata()
        attempt = Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            fresh_since=self._clock.now().timestamp() if fresh else None,
        )
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.provider.scopes,
            "state": attempt.state,
        }
        if self.provider.flavour.signed:
            query |= {
                "nonce": attempt.nonce,
                "code_challenge": base64url(hashlib.sha256(attempt.verifier.encode()).digest()),
                "code_challenge_method": "S256",
            }
        if fresh:
            query |= {"max_age": "0"} if self.provider.flavour.says_when else {"prompt": "login"}
        stronger = self.provider.claims.get("step_up", {}).get("acr_values", "") if fresh else ""
        if level := stronger or self.provider.acr_values:
            query["acr_values"] = level
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return metadata.authorization_endpoint + joint + urlencode(query), attempt

    async def called(self) -> dict[str, str]:
        """What we call there, by what it is for, as discovery or the flavour says; raises ProviderUnavailable."""
        found = await self._openid.metadata()
        places = {
            "token": found.token_endpoint,
            "keys": found.jwks_uri,
            "userinfo": found.userinfo_endpoint or "",
        }
        return {name: place for name, place in places.items() if place}

    async def finish(
        self, attempt: Attempt, *, code: str, iss: str | None, encrypt_key: str | None = None
    ) -> Person:
        """Exchange the code and verify everything; raises LoginRefused or ProviderUnavailable.

        `code` and `encrypt_key` are as `read_callback` reads them: a `+` in them is one.
        """
        try:
            async with asyncio.timeout(self.provider.timeout + 1):
                metadata = await self._openid.metadata()
                self._check_issuer(metadata, iss)
                tokens = await self._exchange(metadata, attempt, code, encrypt_key)
                claims = await self._claims(metadata, attempt, tokens)
        except TimeoutError as error:
            raise ProviderUnavailable(retry_after=30) from error
        except NotOpened as error:
            raise refused("envelope") from error
        shown_at = claims.get("auth_time") if self.provider.flavour.says_when else None
        try:
            person = person_of(claims, self.provider.claims, issuer=metadata.issuer)
        except ValueError as error:
            raise refused("claims_" + str(error)) from error
        person = msgspec.structs.replace(person, shown_at=shown_at if is_moment(shown_at) else None)
        if self.provider.envelope is not None and person.subject == person.national_id:
            # kept in the clear to find the person by, which a personal number must not be (rule 904)
            return msgspec.structs.replace(person, subject=self.provider.envelope.alias(person.subject))
        return person

    def _check_issuer(self, metadata: Metadata, iss: str | None) -> None:
        """RFC 9207 §2.4: an answer of another provider, or a missing promised `iss`, is a mix-up."""
        if iss is not None and iss != metadata.issuer:
            raise refused("iss_differs")
        if iss is None and metadata.authorization_response_iss_parameter_supported:
            raise refused("iss_missing")

    async def _exchange(
        self, metadata: Metadata, attempt: Attempt, code: str, encrypt_key: str | None
    ) -> dict[str, Any]:
        provider = self.provider
        opened, beside = provider.flavour.callback(provider.envelope, code, encrypt_key)
        form = {
            "grant_type": "authorization_code",
            "code": opened,
            "redirect_uri": attempt.redirect_uri,
            **beside,
        }
        if provider.flavour.signed:
            form["code_verifier"] = attempt.verifier
        headers = {"Accept": "application/json"}
        if provider.flavour.secret_in_body:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        elif self._client_key is not None:
            form |= {
                "client_id": provider.client_id,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._assertion(self._client_key, metadata),
            }
        else:
            headers["Authorization"] = self._wire.basic()
        body = await self._wire.ask("POST", metadata.token_endpoint, data=form, headers=headers)
        return provider.flavour.unwrap(provider.envelope, body)

    def _assertion(self, key: ECKey, metadata: Metadata) -> str:
        """RFC 7523 §3: who we are, signed with our key, for this provider, once."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.provider.client_id,
            "sub": self.provider.client_id,
            "aud": metadata.token_endpoint,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        header = {"alg": "ES256", "kid": key.kid or key.thumbprint()}
        return jwt.encode(header, claims, key, algorithms=["ES256"])

    async def _claims(self, metadata: Metadata, attempt: Attempt, tokens: dict[str, Any]) -> dict[str, Any]:
        """The ID token's claims, with userinfo's where one is missing; userinfo's alone where no token is signed."""
        access_token = _bearer(tokens.get("access_token"))
        if not self.provider.flavour.signed:
            if not access_token:
                raise refused("access_token_missing")
            return await self._userinfo(metadata, access_token)
        claims = await self._openid.verified(metadata, attempt.nonce, tokens, attempt.fresh_since)
        if access_token and is_incomplete(claims, self.provider.claims):
            more = await self._userinfo(metadata, access_token)
            if more and more.get("sub") != claims.get("sub"):  # OpenID Connect Core §5.3.2
                raise refused("userinfo_sub")
            more.pop("auth_time", None)  # only the signed token says when
            claims = {**more, **{name: value for name, value in claims.items() if value not in NOTHING}}
        return claims

    async def _userinfo(self, metadata: Metadata, access_token: str) -> dict[str, Any]:
        if not metadata.userinfo_endpoint:
            return {}
        body = await self._wire.ask(
            self.provider.userinfo_method,
            metadata.userinfo_endpoint,
            headers={"Accept": "application/json", "Authorization": f"Bearer {access_token}"},
        )
        return self.provider.flavour.unwrap(self.provider.envelope, body)


def _private_key(file: str) -> ECKey:
    """The private JWK of `NGOMON_VNEID_CLIENT_KEY` (rule 1001)."""
    return ECKey.import_key(msgspec.json.decode(Path(file).read_bytes()))


def _bearer(token: object) -> str:
    """An access token that fits into a header (RFC 6750 §2.1), else nothing."""
    fits = isinstance(token, str) and len(token) <= MOST_TOKEN and token.isascii() and token.isprintable()
    return token if fits and isinstance(token, str) and " " not in token else ""
