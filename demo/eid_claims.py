"""What the stand-in e-ID says about a person, and how it can be made to say it wrongly once."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from demo.persona import Persona

CLAIMS = (
    "sub", "national_id", "full_name", "birth_date", "gender", "phone_number", "assurance_level",
    "auth_time", "acr", "nonce", "at_hash",
)  # fmt: skip


class Fault(StrEnum):
    """What can go wrong with the next sign-in."""

    CANCELLED = "cancelled"
    WRONG_NONCE = "wrong_nonce"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 a fault's name, not a secret
    FOREIGN_ISSUER = "foreign_issuer"
    LEVEL_1 = "level_1"
    PROVIDER_503 = "provider_503"
    SLOW = "slow"
    OTHER_SUBJECT = "other_subject"
    OLD_SESSION = "old_session"  # its own session answers, although it was asked to see the person again
    NO_AUTH_TIME = "no_auth_time"


def claims_of(persona: Persona, fault: Fault | None = None) -> dict[str, Any]:
    """What rule 401 calls the default claims."""
    level = 1 if fault is Fault.LEVEL_1 else persona.level
    claims: dict[str, Any] = {
        "sub": persona.sub,
        "national_id": persona.national_id,
        "full_name": persona.full_name,
        "birth_date": persona.birth_date,
        "gender": persona.gender,
        "assurance_level": level,
        "acr": f"LoA{level}",
    }
    if persona.phone_number:
        claims["phone_number"] = persona.phone_number
    return claims
