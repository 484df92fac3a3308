"""Every kind of a manager's word, said many times in the same instant; the long run is `python -m bench one_word`."""

from __future__ import annotations

from typing import Any

import pytest_asyncio

from bench import one_word
from bench.town import town_on_postgres
from tests.parts.postgres import Postgres

WIDE = 16


@pytest_asyncio.fixture(loop_scope="session")
async def found(_postgres: Postgres) -> list[dict[str, Any]]:
    """One round of each kind of word."""
    _postgres.start()
    async with town_on_postgres(people=1, cluster=_postgres, NGOMON_LIMIT_UNDO_WINDOW="60") as town:
        return await one_word.race(*town, rounds=1, width=WIDE, most_seconds=300)


async def test_of_sixteen_equal_words_at_once_one_counts_whatever_the_word(
    found: list[dict[str, Any]],
) -> None:
    assert [one["word"] for one in found] == list(one_word.WORDS)
    for one in found:
        assert one["rounds"] == 1 and one["errors"] == 0, one
        assert one["rounds_without_exactly_one_fact"] == one["rounds_in_another_final_state"] == 0, one
        assert one["answers"]["303"] == 1 and sum(one["answers"].values()) == WIDE, one
