"""How one provider is spoken to: a flavour as data with two hooks, and what the settings add (rule 402)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from backend.outside.eid.eid_claims import ClaimMap, claims_map
from backend.outside.eid.eid_envelope import Envelope, NotOpened, envelope_key
from backend.settings import EIdSettings, Settings

POST_OFFICE_LEVEL = 2  # whatever it claims (rule 403)

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
    `signed`: identity rests on a signed ID token with nonce and PKCE, else on userinfo alone. `says_when`: it tells
    when the person last showed up there (`auth_time`), so a fresh sign-in is proved; else it can only be asked for.
    """

    paths: tuple[str, str, str] | None
    signed: bool
    says_when: bool
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
    says_when=True,
    secret_in_body=False,
    userinfo_method="GET",
    acr_values="",
    scopes="openid profile phone eid",
    claims="vneid",
    callback=plain_code,
    unwrap=plain_body,
)
PORTAL = Flavour(  # WSO2 Identity Server, as the national portal runs it (rule 408)
    paths=("/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo"),
    signed=False,
    says_when=False,
    secret_in_body=True,
    userinfo_method="POST",
    acr_values="LoA1",
    scopes="openid",
    claims="portal",
    callback=plain_code,
    unwrap=plain_body,
)
DIRECT = Flavour(  # VNeID itself: no usable ID token, no nonce, sealed code and bodies (rule 409)
    paths=("/auth", "/token", "/userinfo"),
    signed=False,
    says_when=False,
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
    return _provider(settings.vneid, settings.limits.provider_timeout)


def post_office(settings: Settings) -> Provider | None:
    """The second provider, behind `NGOMON_POST_OFFICE_*`; nothing when none is named."""
    if not settings.post_office.issuer:
        return None
    provider = _provider(settings.post_office, settings.limits.provider_timeout)
    fixed = provider.claims.get("fixed", {}) | {"assurance_level": POST_OFFICE_LEVEL}
    return msgspec.structs.replace(provider, claims={**provider.claims, "fixed": fixed})


def _provider(given: EIdSettings, timeout: float) -> Provider:
    """One group of the settings; what it leaves open the flavour says."""
    flavour = FLAVOURS[given.flavour]
    untouched = given.scopes == OIDC.scopes  # the default of the settings is the one for plain OpenID
    return Provider(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=given.client_secret,
        client_key=given.client_key,
        scopes=flavour.scopes if untouched else given.scopes,
        claims=claims_map(given.claims or flavour.claims),
        timeout=timeout,
        flavour=flavour,
        authorize_url=given.authorize_url,
        token_url=given.token_url,
        userinfo_url=given.userinfo_url,
        userinfo_method=given.userinfo_method or flavour.userinfo_method,
        acr_values=given.acr_values or flavour.acr_values,
        envelope=_envelope(given.envelope_key, given.envelope_cipher, given.envelope_code),
    )


def _envelope(key_file: str, cipher: str, code: str) -> Envelope | None:
    if not key_file:
        return None
    return Envelope(envelope_key(key_file), cipher=cipher, raw_code=code == "raw")
