"""By which number the staff directory names somebody: a CCCD, or an old CMND (case R19)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend.accounts.identity.numbers import kind_of
from backend.crypto import KeyRing


def number_listed(keys: KeyRing, _: object, texts: Mapping[str, str]) -> list[bytes]:
    """The index of the number in an entry's sealed text."""
    number = msgspec.json.decode(texts["sealed"])["national_id"]
    return keys.blinds(kind_of(number), number)
