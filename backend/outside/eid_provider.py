"""How one provider is spoken to: a flavour as data with two hooks, and what the settings add (domain §1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from backend.outside.eid_claims import ClaimMap, claims_map
from backend.outside.eid_envelope import Envelope, NotOpened, envelope_key
from backend.settings import Settings

POST_OFFICE_LEVEL = 2  # whatever it claims (contract-accounts, 2)

Code = tuple[str, dict[str, str]]
CallbackHook = Callable[[Envelope | None, str, str | None], Code]
UnwrapHook = Callable[[Envelope | None, dict[str, Any]], dict[str, Any]]


def plain_code(_: Envelope | None, code: str, __: str | None) -> Code:
    """The code goes to the token endpoint as it came."""
    return code, {}


def sealed_code(envelope: Envelope | None, code: str, encrypt_key: str | None) -> Code:
    """The code that may have come sealed, and what goes with it to the token endpoint. Raises NotOpened."""
    if encrypt_key is None:
        return code, {}
    beside = {"encrypt_key": encrypt_key}
    if envelope is None or envelope.raw_code:
        return code, beside
    try:
        plain = envelope.opened(encrypt_key, code).decode("ascii")
    except UnicodeDecodeError:
        raise NotOpened from None
    if not plain.isprintable() or not plain or " " in plain:
        raise NotOpened
    return plain, beside


def plain_body(_: Envelope | None, body: dict[str, Any]) -> dict[str, Any]:
    """The body is what it is."""
    return body


def sealed_body(envelope: Envelope | None, body: dict[str, Any]) -> dict[str, Any]:
    """The object inside `{"data", "key"}`; a body with neither is plain. Raises NotOpened."""
    if not body.keys() & {"data", "key"}:
        return body
    data, key = body.get("data"), body.get("key")
    if envelope is None or not isinstance(data, str) or not isinstance(key, str):
        raise NotOpened
    try:
        inside = msgspec.json.decode(envelope.opened(key, data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotOpened from None
    if not isinstance(inside, dict):
        raise NotOpened
    return inside


class Flavour(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from one kind of provider to the next.

    `paths` are authorize, token and userinfo below the issuer; without them discovery says where they are.
    `signed`: identity rests on a signed ID token with nonce and PKCE, else on userinfo alone.
    """

    paths: tuple[str, str, str] | None
    signed: bool
    secret_in_body: bool
    userinfo_method: str
    acr_values: str
    scopes: str
    claims: str
    callback: CallbackHook
    unwrap: UnwrapHook


OIDC = Flavour(
    paths=None,
    signed=True,
    secret_in_body=False,
    userinfo_method="GET",
    acr_values="",
    scopes="openid profile phone eid",
    claims="vneid",
    callback=plain_code,
    unwrap=plain_body,
)
PORTAL = Flavour(  # WSO2 Identity Server, as the national portal runs it (domain §1.2)
    paths=("/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo"),
    signed=False,
    secret_in_body=True,
    userinfo_method="POST",
    acr_values="LoA1",
    scopes="openid",
    claims="portal",
    callback=plain_code,
    unwrap=plain_body,
)
DIRECT = Flavour(  # VNeID itself: no usable ID token, no nonce, sealed code and bodies (domain §1.3)
    paths=("/auth", "/token", "/userinfo"),
    signed=False,
    secret_in_body=True,
    userinfo_method="GET",
    acr_values="",
    scopes="openid",
    claims="vneid_direct",
    callback=sealed_code,
    unwrap=sealed_body,
)
FLAVOURS = {"oidc": OIDC, "portal": PORTAL, "vneid_direct": DIRECT}


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one provider, as the settings say; an address that is given here counts before the flavour's."""

    issuer: str
    client_id: str
    client_secret: str
    client_key: str
    scopes: str
    claims: ClaimMap
    timeout: float
    flavour: Flavour = OIDC
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    userinfo_method: str = "GET"
    acr_values: str = ""
    envelope: Envelope | None = None


def vneid(settings: Settings) -> Provider:
    """The provider behind `NGOMON_VNEID_*`."""
    flavour = FLAVOURS[settings.vneid_flavour]
    untouched = (
        settings.vneid_scopes == OIDC.scopes
    )  # the default of the settings is the one for plain OpenID
    return Provider(
        issuer=settings.vneid_issuer,
        client_id=settings.vneid_client_id,
        client_secret=settings.vneid_client_secret,
        client_key=settings.vneid_client_key,
        scopes=flavour.scopes if untouched else settings.vneid_scopes,
        claims=claims_map(settings.vneid_claims or flavour.claims),
        timeout=settings.limits.provider_timeout,
        flavour=flavour,
        authorize_url=settings.vneid_authorize_url,
        token_url=settings.vneid_token_url,
        userinfo_url=settings.vneid_userinfo_url,
        userinfo_method=settings.vneid_userinfo_method or flavour.userinfo_method,
        acr_values=settings.vneid_acr_values or flavour.acr_values,
        envelope=_envelope(settings),
    )


def post_office(settings: Settings) -> Provider | None:
    """The second provider, behind `NGOMON_POST_OFFICE_*`; nothing when none is named."""
    if not settings.post_office_issuer:
        return None
    claims = claims_map(settings.post_office_claims)
    fixed = claims.get("fixed", {}) | {"assurance_level": POST_OFFICE_LEVEL}
    return Provider(
        issuer=settings.post_office_issuer,
        client_id=settings.post_office_client_id,
        client_secret=settings.post_office_client_secret,
        client_key=settings.post_office_client_key,
        scopes=settings.post_office_scopes,
        claims={**claims, "fixed": fixed},
        timeout=settings.limits.provider_timeout,
    )


def _envelope(settings: Settings) -> Envelope | None:
    if not settings.vneid_envelope_key:
        return None
    return Envelope(
        envelope_key(settings.vneid_envelope_key),
        cipher=settings.vneid_envelope_cipher,
        raw_code=settings.vneid_envelope_code == "raw",
    )
