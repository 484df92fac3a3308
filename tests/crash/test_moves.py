"""`kill -9` in the middle of movements of every kind; the long run is `python -m bench moves`."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from bench import moves
from tests.parts.postgres import Postgres

NOTHING = {
    "instants_with_none_or_two_home_roles": 0,
    "people_with_other_roles_than_decided": {},
    "decisions_lost": 0,
    "not_decided": 0,
    "deliveries_lost": 0,
    "deliveries_doubled": 0,
    "broken_invariants": [],
}


@pytest_asyncio.fixture(loop_scope="session")
async def found(_postgres: Postgres) -> dict[str, Any]:
    """One person for each kind of movement."""
    _postgres.start()
    return await moves.measure(people=len(moves.KINDS), every=6, seed=3, cluster=_postgres)


async def test_movements_of_all_kinds_outlive_the_processes_that_make_them(found: dict[str, Any]) -> None:
    assert set(found["movements"]) == set(moves.KINDS) and found["samples"] >= 50
    assert found["server_kills"] + found["worker_kills"] >= 1, found
    assert {name: found[name] for name in NOTHING} == NOTHING, found
