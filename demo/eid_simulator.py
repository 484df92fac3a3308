"""Simulators of the e-IDs that are not plain OpenID Connect: the portal and VNeID itself (rules 408, 409).

They are as careful as the real ones are said to be, and give every malformed answer of `eid_simulator_variants.py`
when asked: by the switch on the page, or by `?variant=` on the authorization request.
"""

from __future__ import annotations

import hmac
import json
import secrets
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from backend.outside.clock import Clock
from demo.eid_clients import EidClient, NotTheClient
from demo.eid_counter import (
    CODE_SECONDS,
    TICKET_SECONDS,
    TOKEN_SECONDS,
    Ask,
    Counter,
    Refused,
    known_client,
)
from demo.eid_simulator_sealing import Spoil, seal
from demo.eid_simulator_variants import DIRECT, HONEST, PORTAL, Variant
from demo.persona import ENTERPRISES, Persona

REMEMBERED = 5000


class Grant(msgspec.Struct):
    """One code, what became of it, and what will be wrong with it."""

    ask: Ask
    persona: Persona
    variant: Variant
    expires: float
    encrypt_key: str | None = None
    used: bool = False


class Simulator(Counter):
    """A provider without discovery and ID token: the secret travels in the form, identity is userinfo's."""

    variants: Mapping[str, Variant] = {}
    paths: tuple[str, str, str]  # authorize, token, userinfo

    def __init__(
        self, issuer: str, clients: Iterable[EidClient], personas: Iterable[Persona], clock: Clock
    ) -> None:
        super().__init__(issuer, personas, clock)
        self.faults = tuple(self.variants)
        self._clients = {client.client_id: client for client in clients}
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}

    def ask(self, query: list[tuple[str, str]]) -> str:
        """As for every stand-in; `variant` names what will go wrong."""
        client, asked = known_client(self._clients, query)
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise Refused("invalid_request", "response_type=code and scope=openid are needed")
        if not asked.get("state"):
            raise Refused("invalid_request", "the state is missing")
        if (fault := asked.get("variant", "")) and fault not in self.variants:
            raise Refused("invalid_request", "this variant is not known")
        expires = self._now() + TICKET_SECONDS
        return self._waiting(Ask(client, asked["redirect_uri"], asked["state"], expires, fault=fault))

    def approve(self, ticket: str, persona: Persona) -> str:
        """As for every stand-in, unescaped as the real one is said to be: `+` and `/` travel as they are."""
        ask = self._take(ticket)
        fault, self.next_fault = ask.fault or self.next_fault or "", None
        variant = self.variants.get(fault, HONEST)
        if variant.enterprise and persona.kind != "enterprise":
            persona = ENTERPRISES[0]
        now = self._now()
        self._forget(now)
        grant = Grant(ask, persona, variant, now + CODE_SECONDS, used=variant.dead_code)
        pairs = [*self._code(secrets.token_urlsafe(32), grant).items(), ("state", ask.state)]
        if variant.query is not None:
            pairs = variant.query(pairs)
        query = "&".join(f"{name}={quote(value, safe='+/=:')}" for name, value in pairs)
        return f"{ask.redirect_uri}{'&' if '?' in ask.redirect_uri else '?'}{query}"

    def redeem(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the token answer. Raises `NotTheClient`, or `Refused` (RFC 6749 §5.2)."""
        client = self._clients.get(form.get("client_id", ""))
        secret = form.get("client_secret", "").encode()
        if client is None or not hmac.compare_digest(secret, (client.secret or "").encode()):
            raise NotTheClient
        grant = self._codes.get(form.get("code", ""))
        if form.get("grant_type") != "authorization_code" or grant is None or grant.used:
            raise Refused("invalid_grant", "unknown code, or one that was used before")
        grant.used = True
        asked = (client.client_id, form.get("redirect_uri"), form.get("encrypt_key"))
        if grant.expires <= self._now() or asked != (
            grant.ask.client.client_id,
            grant.ask.redirect_uri,
            grant.encrypt_key,
        ):
            raise Refused("invalid_grant", "the code is too old or was given for another request")
        token = secrets.token_urlsafe(32)
        grant.expires = self._now() + TOKEN_SECONDS
        self._tokens[token] = grant
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return self._said("token", grant.variant, answer)

    def userinfo(self, authorization: str) -> tuple[int, bytes] | None:
        """Status and body about the person behind a live access token, else None."""
        scheme, _, token = authorization.partition(" ")
        grant = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.expires <= self._now():
            return None
        return self._said("userinfo", grant.variant, self._claims(grant.persona))

    def _said(self, place: str, variant: Variant, answer: dict[str, Any]) -> tuple[int, bytes]:
        here = variant if variant.place == place else HONEST
        if here.instead is not None:
            return here.instead
        changed = {name: value for name, value in (answer | here.changes).items() if value is not None}
        return 200, self._wrapped(json.dumps(changed).encode(), here.spoil)

    def _code(self, code: str, grant: Grant) -> dict[str, str]:
        """Keep the code, and say it as this kind of provider does."""
        self._codes[code] = grant
        return {"code": code}

    def _wrapped(self, body: bytes, _: Spoil) -> bytes:
        return body

    @abstractmethod
    def _claims(self, persona: Persona) -> dict[str, Any]:
        """What userinfo says about somebody."""

    def _forget(self, now: float) -> None:
        if len(self._codes) + len(self._tokens) > REMEMBERED:
            self._codes = {name: grant for name, grant in self._codes.items() if grant.expires > now}
            self._tokens = {name: grant for name, grant in self._tokens.items() if grant.expires > now}


class PortalSimulator(Simulator):
    """The national public-service portal: `/oauth2/*` of WSO2 Identity Server, claims in Vietnamese."""

    title = ("Cổng dịch vụ công (bản thử)", "Public-service portal (stand-in)")
    variants = PORTAL
    paths = ("/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo")

    def _claims(self, persona: Persona) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "sub": persona.key,
            "TechID": f"tech-{persona.sub}",
            "LoaiTaiKhoan": 2 if persona.kind == "enterprise" else 1,
            "SoDienThoai": persona.phone_number,
            "ThuDienTu": persona.email,
            "loAs": f"LoA{persona.level}",
        }
        if persona.kind == "enterprise":
            return claims | {"MaSoThue": persona.tax_code, "TenDoanhNghiep": persona.full_name}
        return claims | {
            "SoDinhDanh": persona.national_id or None,
            "SoCMND": persona.old_id_number,
            "HoVaTen": persona.full_name,
            "GioiTinh": 2 if persona.gender == "female" else 1,
        }


class DirectSimulator(Simulator):
    """VNeID itself: code and bodies sealed with the relying party's key."""

    title = ("VNeID kết nối trực tiếp (bản thử)", "VNeID, connected directly (stand-in)")
    variants = DIRECT
    paths = ("/auth", "/token", "/userinfo")

    def __init__(
        self,
        issuer: str,
        clients: Iterable[EidClient],
        personas: Iterable[Persona],
        clock: Clock,
        *,
        key: RSAPublicKey,
        cipher: str,
        raw_code: bool,
    ) -> None:
        super().__init__(issuer, clients, personas, clock)
        self._key, self._cipher, self._raw_code = key, cipher, raw_code

    def _code(self, code: str, grant: Grant) -> dict[str, str]:
        spoil = grant.variant.spoil if grant.variant.place == "callback" else Spoil()
        sealed = seal(code.encode(), self._key, self._cipher, spoil)
        grant.encrypt_key = sealed.get("key")
        # taken back raw only when it could be opened; a spoilt one could be by nobody
        self._codes[sealed["data"] if self._raw_code and spoil == Spoil() else code] = grant
        return {
            name: sealed[part] for name, part in (("code", "data"), ("encrypt_key", "key")) if part in sealed
        }

    def _wrapped(self, body: bytes, spoil: Spoil) -> bytes:
        return json.dumps(seal(body, self._key, self._cipher, spoil)).encode()

    def _claims(self, persona: Persona) -> dict[str, Any]:
        return {
            "citizenPid": persona.national_id,
            "fullName": persona.full_name,
            "birthDate": persona.birth_date,
            "accountType": 1,
            "accountLevel": persona.level,
        }
