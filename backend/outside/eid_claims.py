"""What an ID token must say to be believed, and whom it names (OpenID Connect Core §3.1.3.7; security O7)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from backend.names import clean_name

SKEW = 10  # seconds that two clocks may differ
OLDEST = 300  # an ID token older than this was not made for this sign-in
LONGEST_LIFE = 86400

ClaimMap = dict[str, str | list[str]]


class Person(msgspec.Struct, frozen=True):
    """Whom the e-ID vouches for. `level` is VNeID's mức độ, 1 or 2."""

    issuer: str
    subject: str
    national_id: str
    full_name: str
    birth_date: str | None
    gender: str | None
    level: int


def claims_map(file: str) -> dict[str, str | list[str]]:
    """Read a claims file, or the shipped one for VNeID when none is named."""
    path = Path(file) if file else Path(__file__).parent / "claims" / "vneid.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def why_not_believe(
    claims: dict[str, Any],
    token: str,
    access_token: object,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: float,
) -> str | None:
    """The first claim that is wrong, or nothing."""
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
        "at_hash": _at_hash_agrees(claims, token, access_token),
    }
    return next((name for name, good in checks.items() if not good), None)


def person_of(claims: dict[str, Any], places: ClaimMap, *, issuer: str) -> Person:
    """Read the person by the map; raises ValueError naming the claim that cannot be used."""
    return Person(
        issuer=issuer,
        subject=_text(claim_of(claims, places, "subject"), 255),
        national_id=_digits(claim_of(claims, places, "national_id")),
        full_name=clean_name(_text(claim_of(claims, places, "full_name"), 200)),
        birth_date=_day(claim_of(claims, places, "birth_date")),
        gender=_gender(claim_of(claims, places, "gender")),
        level=_level(claim_of(claims, places, "assurance_level")),
    )


def claim_of(claims: dict[str, Any], places: ClaimMap, name: str) -> Any:
    """The value of one attribute: the first of its places that holds something."""
    where = places.get(name, name)
    for place in [where] if isinstance(where, str) else where:
        if claims.get(place) not in (None, ""):
            return claims[place]
    return None


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
    half = base64.urlsafe_b64encode(raw[: len(raw) // 2]).rstrip(b"=").decode()
    return bool(claims["at_hash"] == half)


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise ValueError("text")
    return value


def _digits(value: object) -> str:
    if not isinstance(value, str) or len(value) != 12 or not (value.isascii() and value.isdecimal()):
        raise ValueError("national_id")
    return value


def _day(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("birth_date")  # noqa: TRY004 - every unusable claim is one kind of trouble
    try:
        day = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).date()
    except ValueError:
        raise ValueError(
            "birth_date"
        ) from None  # the parser's own words quote the date, and this goes to the log
    return day.isoformat()


def _gender(value: object) -> str | None:
    known = {
        "male": "male",
        "nam": "male",
        "1": "male",
        "female": "female",
        "nữ": "female",
        "0": "female",
        "2": "female",
    }
    return known.get(str(value).strip().lower()) if value is not None else None


def _level(value: object) -> int:
    if isinstance(value, bool) or str(value) not in ("1", "2"):
        raise ValueError("assurance_level")
    return int(str(value))
