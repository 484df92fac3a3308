"""`kill -9` of server and worker while managers decide over HTTP; the long run is `python -m bench crash`."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from bench import crash
from tests.parts.postgres import Postgres

NOTHING = {
    "decisions_lost": 0,
    "decisions_doubled": 0,
    "decisions_half": 0,
    "decisions_without_fact": 0,
    "deliveries_lost": 0,
    "deliveries_doubled": 0,
    "deliveries_unfinished": 0,
    "downstream_missing_or_wrong": 0,
    "downstream_doubled": 0,
    "downstream_strangers": 0,
    "downstream_without_group": 0,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drills(_postgres: Postgres) -> list[dict[str, Any]]:
    """Twenty approvals, then ten transfers, under fire."""
    _postgres.start()
    return await crash.measure(approvals_=20, transfers_=10, every=10, seed=7, cluster=_postgres)


async def test_killed_processes_lose_double_and_halve_no_decision_and_no_delivery(
    drills: list[dict[str, Any]],
) -> None:
    for who in ("server_kills", "worker_kills"):
        assert sum(drill[who] for drill in drills) >= 1, drills
    for drill in drills:
        assert {name: drill[name] for name in NOTHING} == NOTHING, drill
        assert drill["downstream_people"] == 20


async def test_nobody_is_without_a_home_role_or_has_two_while_processes_are_killed(
    drills: list[dict[str, Any]],
) -> None:
    moved = drills[1]
    assert moved["samples"] >= 50
    assert moved["instants_with_none_or_two_home_roles"] == 0


async def test_every_promise_of_the_database_holds_after_the_kills(drills: list[dict[str, Any]]) -> None:
    assert drills[-1]["broken_invariants"] == []
