"""One JSON object a line, UTC, and nothing in it that looks like a person's number or a token (rules 906, 907)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PERSONAL = re.compile(r"(?<!\d)(?:\+?84|0)\d{9,10}(?!\d)|(?<!\d)\d{12}(?!\d)|eyJ[\w-]+\.[\w-]+\.[\w-]*")


def set_up(*, quiet: bool) -> None:
    """Configure logging once per process; `quiet` leaves errors only: in the demo's terminal somebody reads.

    The HTTP client's own lines name whole addresses, and in one to the SMS centre stands the text with its code.
    """
    for talkative in ("httpx2", "httpcore2"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if quiet else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _without_personal_data(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str) and name != "timestamp":
            event[name] = PERSONAL.sub("…", value)
    return event
