"""The stand-in e-ID: a small, strict OpenID provider that lives in memory.

It refuses what a careful provider refuses (rules 410, 411, 412, 413), so that what signs in here signs in
elsewhere, and it can misbehave once, on request, so that a visitor or a test sees what then happens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from backend.outside.clock import Clock
from demo.eid_claims import CLAIMS, Fault, claims_of
from demo.eid_clients import ClientDesk, EidClient
from demo.eid_counter import (
    CODE_SECONDS,
    TICKET_SECONDS,
    TOKEN_SECONDS,
    Ask,
    Counter,
    Refused,
    known_client,
)
from demo.persona import Persona

REMEMBERED = 5000
SCOPES = ("openid", "profile", "phone", "eid")
PROMPTS = ("none", "login", "consent", "select_account")  # whoever comes is asked anew, whatever max_age says
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


class Grant(msgspec.Struct):
    """One authorization code, and the access token that it became."""

    ask: Ask
    persona: Persona
    fault: Fault | None
    auth_time: int
    expires: float
    used: bool = False
    access_token: str | None = None


class Entered(msgspec.Struct, frozen=True):
    """Who was let in last at one address, and when."""

    full_name: str
    national_id: str
    at: datetime


class StandInEid(Counter):
    """The provider's state and its protocol; `eid_http.py` puts it on the wire."""

    faults = tuple(fault.value for fault in Fault)

    def __init__(
        self,
        issuer: str,
        clients: Iterable[EidClient],
        personas: Iterable[Persona],
        clock: Clock,
        *,
        title: tuple[str, str] = Counter.title,
    ) -> None:
        super().__init__(issuer, personas, clock)
        self.title = title
        self.desk = ClientDesk(clients, (self.issuer, f"{self.issuer}/token"))
        self._key = ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig", "alg": "ES256"})
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}
        self.entered: dict[str, Entered] = {}  # by the address that the code was redeemed for

    def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery §3, with RFC 9207's flag."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": ["LoA1", "LoA2"],
            "claims_supported": list(CLAIMS),
            "authorization_response_iss_parameter_supported": True,
        }

    def jwks(self) -> dict[str, Any]:
        """The public half of the signing key."""
        return {"keys": [self._key.as_dict(private=False)]}

    def ask(self, query: list[tuple[str, str]]) -> str:
        """As for every stand-in; wants what a careful provider wants: state, nonce and PKCE."""
        client, asked = known_client(self.desk.clients, query)
        redirect_uri = asked["redirect_uri"]
        if trouble := _trouble_with(asked):
            error, why = trouble
            to = self._answer(redirect_uri, asked.get("state"), error=error, error_description=why)
            raise Refused(error, why, redirect_to=to)
        now = self._now()
        self._forget(now)
        return self._waiting(
            Ask(
                client,
                redirect_uri,
                asked["state"],
                now + TICKET_SECONDS,
                nonce=asked["nonce"],
                challenge=asked["code_challenge"],
            )
        )

    def approve(self, ticket: str, persona: Persona) -> str:
        """As for every stand-in, with a code or with the fault that was asked for."""
        ask = self._take(ticket)
        fault, self.next_fault = Fault(self.next_fault) if self.next_fault else None, None
        if fault is Fault.CANCELLED:
            return self._answer(ask.redirect_uri, ask.state, error="access_denied")
        now = self._now()
        code = secrets.token_urlsafe(32)
        self._codes[code] = Grant(ask, persona, fault, int(now), now + CODE_SECONDS)
        return self._answer(ask.redirect_uri, ask.state, code=code)

    def redeem(self, authorization: str, form: dict[str, str]) -> tuple[dict[str, Any], Fault | None]:
        """The token response, and the fault that the wire still has to act out.

        Raises `NotTheClient`, or `Refused` (RFC 6749 §5.2); a code offered twice also ends its token
        (RFC 6749 §4.1.2).
        """
        now = self._now()
        client = self.desk.authenticate(authorization, form, now)
        if form.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "only authorization_code is offered")
        grant = self._codes.get(form.get("code", ""))
        if grant is None or grant.ask.client.client_id != client.client_id:
            raise Refused("invalid_grant", "unknown code")
        if grant.used:
            self._tokens.pop(grant.access_token or "", None)
            raise Refused("invalid_grant", "the code was used before")
        grant.used = True
        if grant.expires <= now or form.get("redirect_uri") != grant.ask.redirect_uri:
            raise Refused("invalid_grant", "the code is too old or was given for another address")
        if not _matches(form.get("code_verifier", ""), grant.ask.challenge):
            raise Refused("invalid_grant", "the code_verifier does not match")
        grant.access_token = secrets.token_urlsafe(32)
        grant.expires = now + TOKEN_SECONDS
        self._tokens[grant.access_token] = grant
        person = grant.persona
        self.entered[grant.ask.redirect_uri] = Entered(
            person.full_name, person.national_id, self._clock.now()
        )
        answer = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(SCOPES),
            "id_token": self._id_token(grant, int(now)),
        }
        return answer, grant.fault

    def userinfo(self, authorization: str) -> dict[str, Any] | None:
        """The claims behind a live access token, else None (RFC 6750 §3.1)."""
        scheme, _, token = authorization.partition(" ")
        grant = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.expires <= self._now():
            return None
        claims = claims_of(grant.persona, grant.fault)
        if grant.fault is Fault.OTHER_SUBJECT:
            claims["sub"] = secrets.token_hex(16)
        return claims

    def _id_token(self, grant: Grant, now: int) -> str:
        token = (grant.access_token or "").encode()
        claims = claims_of(grant.persona, grant.fault) | {
            "iss": self.issuer,
            "aud": grant.ask.client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": grant.auth_time,
            "nonce": grant.ask.nonce,
            "at_hash": _b64(hashlib.sha256(token).digest()[:16]),
        }
        if grant.fault is Fault.OLD_SESSION:
            claims["auth_time"] = grant.auth_time - 3600
        if grant.fault is Fault.NO_AUTH_TIME:
            del claims["auth_time"]
        if grant.fault is Fault.WRONG_NONCE:
            claims["nonce"] = secrets.token_urlsafe(16)
        if grant.fault is Fault.FOREIGN_ISSUER:
            claims["iss"] = "https://dinh-danh-khac.example"
        if grant.fault is Fault.EXPIRED_TOKEN:
            claims |= {"iat": now - 7200, "exp": now - 3600}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid, "typ": "JWT"}, claims, self._key)

    def _answer(self, redirect_uri: str, state: str | None, **said: str) -> str:
        """The authorization response, naming its issuer (RFC 9207 §2)."""
        return super()._answer(redirect_uri, state, iss=self.issuer, **said)

    def _forget(self, now: float) -> None:
        """Drop what is over, now and then, so that a long bench does not fill the memory."""
        if len(self._tickets) + len(self._codes) + len(self._tokens) > REMEMBERED:
            self._tickets = {name: ask for name, ask in self._tickets.items() if ask.expires > now}
            self._codes = {name: grant for name, grant in self._codes.items() if grant.expires > now}
            self._tokens = {name: grant for name, grant in self._tokens.items() if grant.expires > now}


def _trouble_with(asked: Mapping[str, str]) -> tuple[str, str] | None:
    """Why this request cannot be served, as error and description; None when it can."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "only response_type=code is offered"
    if asked.get("response_mode", "query") != "query":
        return "invalid_request", "only response_mode=query is offered"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope", "the scope openid is missing"
    if (
        not re.fullmatch(r"[0-9]{0,9}", asked.get("max_age", ""))
        or asked.get("prompt", "none") not in PROMPTS
    ):
        return "invalid_request", "max_age is a number of seconds, prompt one of a few words"
    if not asked.get("state") or not asked.get("nonce"):
        return "invalid_request", "state and nonce are needed"
    challenge = asked.get("code_challenge", "")
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        return "invalid_request", "PKCE with S256 is needed"
    return None


def _matches(verifier: str, challenge: str) -> bool:
    if not VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(_b64(hashlib.sha256(verifier.encode()).digest()), challenge)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
