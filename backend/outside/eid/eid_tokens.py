"""What an ID token must say to be believed (OpenID Connect Core §3.1.3.7; rule 412)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

import msgspec

from backend.crypto import base64url

SKEW = 10  # seconds that two clocks may differ
OLDEST = 300  # an ID token older than this was not made for this sign-in
LONGEST_LIFE = 86400
LATEST = 1 << 40  # seconds: beyond every calendar


def why_not_believe(
    claims: dict[str, Any],
    token: str,
    access_token: object,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    fresh_since: float | None,
    now: float,
) -> str | None:
    """The first claim that is wrong, or nothing. `fresh_since`: when the person was asked to show up again (§2)."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    given_nonce = claims.get("nonce")
    checks = {
        "iss": claims.get("iss") == issuer,
        "aud": client_id in audiences,
        "azp": claims.get("azp", client_id if len(audiences) == 1 else None) == client_id,
        "nonce": isinstance(given_nonce, str)
        and secrets.compare_digest(given_nonce.encode(), nonce.encode()),
        "exp": _number(claims.get("exp"), now - SKEW, now + LONGEST_LIFE),
        "iat": _number(claims.get("iat"), now - OLDEST, now + SKEW),
        "nbf": "nbf" not in claims or _number(claims["nbf"], 0, now + SKEW),
        "auth_time": fresh_since is None or _number(claims.get("auth_time"), fresh_since - SKEW, now + SKEW),
        "at_hash": _at_hash_agrees(claims, token, access_token),
    }
    return next((name for name, good in checks.items() if not good), None)


def is_moment(value: object) -> bool:
    """Whether an optional `auth_time` is one: an odd value is none, and refuses nobody."""
    return _number(value, 1, LATEST)


def _number(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _at_hash_agrees(claims: dict[str, Any], token: str, access_token: object) -> bool:
    """OpenID Connect Core §3.1.3.6; all allowed algorithms but EdDSA hash with SHA-256."""
    if "at_hash" not in claims or not isinstance(access_token, str):
        return "at_hash" not in claims
    padded = token.split(".", 1)[0] + "=="
    header = msgspec.json.decode(base64.urlsafe_b64decode(padded))
    digest = hashlib.sha512 if header.get("alg") == "EdDSA" else hashlib.sha256
    raw = digest(access_token.encode()).digest()
    half = base64url(raw[: len(raw) // 2])
    return bool(claims["at_hash"] == half)
