"""What an operator must look at now: counted for `/metrics`, and one line a minute in the log."""

from __future__ import annotations

import time
from collections import Counter
from typing import Literal, get_args

import structlog

from backend.counting import count

PAUSE = 60.0  # seconds between two lines of the same alarm: a flood must not fill the log as well

log = structlog.get_logger("alarms")
Name = Literal[
    "sms_budget_all",
    "sms_budget_hidden",
    "sms_budget_network",
    "sms_budget_block",
    "sign_ins_network",
    "wrong_reset_codes",
    "wrong_reset_codes_network",
    "journal_broken",
    "unit_without_manager",
    "request_undecided",
    "database_away",
    "database_full",
    "eid_away",
]
NAMES: tuple[Name, ...] = get_args(Name)
raised: Counter[Name] = Counter(dict.fromkeys(NAMES, 0))  # of this process
_told: dict[Name, float] = {}


def alarm(name: Name) -> None:
    """Raise it; a name says nothing of anybody."""
    raised[name] += 1
    count("ngomon_alarms", name)
    if time.monotonic() - _told.get(name, -PAUSE) >= PAUSE:
        _told[name] = time.monotonic()
        log.error("alarm", alarm=name)
