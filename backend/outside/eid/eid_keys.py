"""The keys that a provider publishes, read so that a strange one spoils no other (RFC 7517 §5; rule 413, case TL13)."""

from __future__ import annotations

from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

MOST = 50


def signing_keys(body: dict[str, Any]) -> KeySet:
    """The keys for signatures, without what is of an unknown kind or broken; ValueError when it is no key set."""
    listed = body.get("keys")
    if not isinstance(listed, list):
        raise ValueError("keys")  # noqa: TRY004 - whatever is wrong with the set is one trouble
    signing = [key for key in listed if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    return KeySet([key for given in signing[:MOST] if (key := _understood(given)) is not None])


def _understood(given: dict[str, Any]) -> Key | None:
    try:
        return JWKRegistry.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
