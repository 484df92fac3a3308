"""By what accounts are found that may be one person's: a keyed index of name and year of birth (case R26).

The year alone, because of some people only the year is known: whoever uses the index compares the rest.
"""

from __future__ import annotations

from backend.crypto import KeyRing
from backend.names import folded

FIELD = "person"
UNKNOWN = "0000"


def blind_of(keys: KeyRing, full_name: str, birth_date: str | None) -> bytes | None:
    """The index under the newest key; nothing for somebody whose year of birth nobody knows."""
    text = _text(full_name, birth_date)
    return keys.blind(FIELD, text) if text is not None else None


def blinds_of(keys: KeyRing, full_name: str, birth_date: str | None) -> list[bytes]:
    """The same under every live key, to look for."""
    text = _text(full_name, birth_date)
    return keys.blinds(FIELD, text) if text is not None else []


def _text(full_name: str, birth_date: str | None) -> str | None:
    year = (birth_date or UNKNOWN)[:4]
    return f"{folded(full_name)}|{year}" if year != UNKNOWN else None
