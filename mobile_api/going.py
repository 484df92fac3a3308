"""A call that goes says so in every answer: since when, until when, and what to use instead (docs/versions.md)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any

from litestar.datastructures import ResponseHeader
from litestar.types import Scope

NOTICE = timedelta(days=365)  # between the first answer that says so and the last day
HEADERS = "going"  # where a handler keeps them, for the answers that are refusals


def going(since: date, instead: str, *, last_day: date | None = None) -> dict[str, Any]:
    """What a handler's decorator is given besides: the headers of RFC 9745 and 8594, and `deprecated` in the document.

    `instead` is the address of the paragraph that says what to use. Raises ValueError of a notice under a year.
    """
    if last_day is not None and last_day < since + NOTICE:
        raise ValueError(f"{last_day} is less than a year after {since}")
    told = {
        "Deprecation": f"@{int(_midnight(since).timestamp())}",
        "Link": f'<{instead}>; rel="deprecation"; type="text/html"',
    }
    if last_day is not None:
        told["Sunset"] = format_datetime(_midnight(last_day + timedelta(days=1)), usegmt=True)
    return {
        "deprecated": True,
        "response_headers": [ResponseHeader(name=name, value=value) for name, value in told.items()],
        "opt": {HEADERS: told},
    }


def told_in(scope: Scope) -> dict[str, str]:
    """The same headers for a refusal; nothing of a call that stays, and of an address that nobody serves."""
    handler = scope.get("route_handler")
    found: dict[str, str] = handler.opt.get(HEADERS, {}) if handler is not None else {}
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
