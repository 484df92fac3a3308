"""Systems that a connector is tried on, and one of their kind that is out of reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from backend.outside.connectors import Connector, Target, check, connect, kinds
from backend.outside.connectors.conformance import prove
from backend.outside.connectors.conformance.bench import Bench
from backend.outside.connectors.conformance.people import Check
from backend.outside.http import Guarded

HTTP = Guarded(["127.0.0.1"])
WHOLE = (
    "external_id", "user_name", "full_name", "title", "employee_number", "organization", "department", "groups",
    "active",
)  # fmt: skip
Opened = Callable[[], Awaitable[Connector]]


def bench(kind: str, aim: Target, away: Target, **more: Any) -> Bench:
    """A system that is there, and one of its kind that is not."""

    def to(target: Target) -> Opened:
        return lambda: connect(kind, target, HTTP)

    can_be_read = "no_read_back" not in kinds.kind_of(kind).cannot
    refused = lambda: check(kind, "nowhere", aim.options, HTTP)  # noqa: E731 (one of three of a row)
    return Bench(to(aim), lost=to(away), refused=refused, can_be_read=can_be_read, **more)


async def holds(check_: Check, at: Bench) -> None:
    outcome = await prove(check_, at)
    assert (outcome.state, outcome.why) == ("held", "")


def named(check_: Check) -> str:
    return check_.__name__
