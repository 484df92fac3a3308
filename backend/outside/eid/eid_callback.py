"""What a provider said when it called us back, read from the raw address (rule 404).

Frameworks read `+` as a blank, which is right for forms and destroys base64; here percent-escapes
are decoded and a raw `+` stays what it is.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

MOST = 16384
NAMES = ("state", "code", "iss", "error", "encrypt_key")


class Callback(msgspec.Struct, frozen=True):
    """A provider's answer through the browser: a code, or an error."""

    state: str
    code: str | None = None
    iss: str | None = None
    error: str | None = None
    encrypt_key: str | None = None


NOTHING = Callback(state="", code="")


def read_callback(callback_url: str) -> Callback:
    """The answer in the whole address, undecoded, that the provider called.

    What cannot be read comes back with an empty state: it fits no sign-in, so the sign-in it is brought to
    ends as with any other answer that does not verify.
    """
    if len(callback_url) > MOST or not callback_url.isprintable():
        return NOTHING
    try:
        found = _pairs(urlsplit(callback_url).query)
    except ValueError:
        return NOTHING
    if "state" not in found or ("code" in found) == ("error" in found):
        return NOTHING
    return Callback(**found)


def _pairs(query: str) -> dict[str, str]:
    """The parameters that we know; ValueError when one is given twice or is no printable text."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name not in NAMES:
            continue
        text = unquote_to_bytes(value).decode()
        if name in found or not text.isprintable():
            raise ValueError(name)
        found[name] = text
    return found
