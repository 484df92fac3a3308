"""Many at the same instant, over HTTP, on two server processes (rules 303, 208); the long runs are in bench/."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.db import Database
from bench import one_code, one_device
from bench.town import Town, town_on_postgres
from tests.checker import check
from tests.parts.postgres import Postgres

PEOPLE, ROUNDS = 2, 4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(_postgres: Postgres) -> AsyncIterator[tuple[Town, str]]:
    """Two processes on PostgreSQL; here no budget of guesses helps, so only the code's own use counts."""
    _postgres.start()
    async with town_on_postgres(people=20, cluster=_postgres, NGOMON_OTP_ATTEMPTS="100") as found:
        yield found
        database = Database(found[0].environ["NGOMON_DATABASE_URL"])
        await check(database, found[0].kit)
        await database.close()


async def test_of_sixteen_phones_that_sign_in_at_once_one_stays_in_and_the_others_are_told(
    town: tuple[Town, str],
) -> None:
    figures = await one_device.race(*town, rounds=ROUNDS, width=16, people=PEOPLE, sample=1, most_seconds=120)
    assert figures["rounds"] >= 2
    assert figures["answers"] == {"200": 16 * figures["rounds"]}
    assert figures["rounds_with_more_than_one_live_device"] == 0
    assert figures["rounds_without_exactly_one"] == 0
    assert figures["next_calls"] == {"200": figures["rounds"], "401 session_replaced": 15 * figures["rounds"]}


async def test_a_code_that_is_typed_sixty_four_times_at_once_works_once(town: tuple[Town, str]) -> None:
    figures = await one_code.race(*town, rounds=ROUNDS, width=64, first=PEOPLE, most_seconds=120)
    assert figures["rounds"] >= 2
    assert figures["rounds_by_successes"] == {"1": figures["rounds"]}
    assert figures["rounds_with_wrong_rows"] == 0
    assert figures["errors"] == 0
