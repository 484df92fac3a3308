"""What the statuses of a SCIM system mean, in our words (RFC 7644 §3.12); the system's own text is never kept."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import httpx2
import msgspec

from backend.outside.connectors import DeliveryError

Resource = dict[str, Any]

LONGEST_WAIT = 86400  # a Retry-After beyond a day is not believed
NOT_MODIFIED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 304, 401, 403, 404, 405
CONFLICT, PRECONDITION_FAILED, TOO_MANY, SERVER_ERROR, NOT_IMPLEMENTED = 409, 412, 429, 500, 501
MOVED = range(300, 400)
OF_THE_MOMENT = {429, 502, 503, 504}  # what a system says of itself, not of one person
KINDS = {
    "invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget",
    "invalidValue", "invalidVers", "sensitive",
}  # fmt: skip
OF_AN_ATTRIBUTE = {"rejected_invalidPath", "rejected_noTarget", "rejected_mutability"}


class Conflict(Exception):
    """409: something else already has that name."""


class Vanished(Exception):
    """404: it was there a moment ago, or we thought so."""


class Changed(Exception):
    """412: somebody wrote between our reading and our writing (RFC 7644 §3.14)."""


class Unsupported(Exception):
    """405 or 501: the system does not do that at all."""


def answer_of(said: httpx2.Response) -> Any:
    """The JSON of a good answer, nothing of an empty one; raises what a bad one means."""
    try:
        found = msgspec.json.decode(said.content) if said.content else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = said
    if trouble := refusal(said, pick(found, "scimType")):
        raise trouble
    if found is said:  # a proxy's page, or a sign-in page: nothing that one person could be the cause of
        raise DeliveryError("unreadable_reply", permanent=False, of_system=True)
    if pick(found, "status") is not None and pick(found, "Resources") is None and _is_error(found):
        raise DeliveryError("rejected", permanent=True)  # an error that came as a 2xx
    return found


def _is_error(found: Any) -> bool:
    schemas = pick(found, "schemas")
    return isinstance(schemas, list) and any(str(one).endswith(":Error") for one in schemas)


def refusal(said: httpx2.Response, kind: str | None) -> Exception | None:
    """What a status means, or nothing when it is a good one; `kind` is the scimType of its body."""
    status = said.status_code
    known = {NOT_FOUND: Vanished, CONFLICT: Conflict, PRECONDITION_FAILED: Changed}
    known |= {NOT_ALLOWED: Unsupported, NOT_IMPLEMENTED: Unsupported}
    if status in known:
        return known[status]()
    if status in MOVED and status != NOT_MODIFIED:
        return DeliveryError("redirected", permanent=False, of_system=True)
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return DeliveryError("credentials_refused", permanent=False, of_system=True)
    if status == TOO_MANY or status >= SERVER_ERROR:
        of_system = status in OF_THE_MOMENT
        wait = retry_after(said.headers)
        return DeliveryError(f"status_{status}", permanent=False, retry_after=wait, of_system=of_system)
    if said.is_error:
        return DeliveryError(f"rejected_{kind}" if kind in KINDS else "rejected", permanent=True)
    return None


def retry_after(headers: httpx2.Headers) -> int | None:
    """Retry-After in seconds, from seconds or from a date (RFC 9110 §10.2.3), by the sender's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    try:
        sent = email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        sent = time.time()
    return max(0, min(int(until - sent), LONGEST_WAIT))


def pick(resource: Any, name: str) -> Any:
    """An attribute whatever letters its name is spelt with (RFC 7643 §2.1), or nothing."""
    if not isinstance(resource, dict):
        return None
    if name in resource:
        return resource[name]
    lowered = name.lower()
    return next((value for key, value in resource.items() if str(key).lower() == lowered), None)


def text_of(value: Any) -> str | None:
    """A value as text; numbers are taken as they are written, an empty text is none (RFC 7643 §2.5)."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return None
    return str(value) or None
