"""What happened in this process, counted in memory until `backend/figures.py` keeps it (decision 0030; case O03).

No label names a person. A figure of seconds is counted in microseconds, each time in the bucket that it falls into.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import NamedTuple

SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STATEMENT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
DELIVERY = (1, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600, 86400)
DECISION = (60, 600, 3600, 14400, 43200, 86400, 172800, 259200, 604800, 1209600)
MORE, SUM = "+Inf", "sum"
MICRO = 1_000_000


class Figure(NamedTuple):
    """What a figure means, which labels it has, and for one of seconds its buckets."""

    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


FIGURES = {
    "ngomon_requests": Figure("Requests answered", ("method", "status")),
    "ngomon_request_seconds": Figure("Time to answer", (), SHORT),
    "ngomon_alarms": Figure("What an operator must look at", ("alarm",)),
    "ngomon_flows": Figure("Sign-ins and the like that were begun", ("kind",)),
    "ngomon_logins": Figure("Sign-ins that ended, by how", ("method", "outcome")),
    "ngomon_decisions": Figure("Words that ended a request or gave it back", ("kind", "outcome")),
    "ngomon_decision_age_seconds": Figure("From a request to its decision", (), DECISION),
    "ngomon_deliveries": Figure("Tries to bring somebody's state to a system", ("system", "outcome")),
    "ngomon_delivery_seconds": Figure("From a decision until it was read back", (), DELIVERY),
    "ngomon_sms": Figure("Text messages", ("outcome",)),
    "ngomon_database_seconds": Figure("Time of a statement", ("statement_class",), STATEMENT),
}
BUCKETS = {name: (*map(str, map(float, figure.bounds)), MORE) for name, figure in FIGURES.items()}
DATABASE = "ngomon_database_seconds"

Key = tuple[str, tuple[str, ...]]
Counts = dict[Key, int]
_fresh: defaultdict[Key, int] = defaultdict(int)


def count(name: str, *labels: str, by: int = 1) -> None:
    """It happened once more."""
    _fresh[name, labels] += by


def took(name: str, seconds: float, *labels: str) -> None:
    """It happened, and lasted so long."""
    bounds = FIGURES[name].bounds
    _fresh[name, (*labels, BUCKETS[name][bisect_left(bounds, seconds)])] += 1
    _fresh[name, (*labels, SUM)] += int(seconds * MICRO)


def take() -> Counts:
    """What has been counted since the last time; whoever cannot keep it gives it back."""
    global _fresh
    taken, _fresh = dict(_fresh), defaultdict(int)
    return taken


def give_back(counts: Counts) -> None:
    """It was not kept."""
    for key, many in counts.items():
        _fresh[key] += many
