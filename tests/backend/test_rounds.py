"""What a process does again and again goes on after a round that failed, and ends when it is told to."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from backend.rounds import at_most, rounds
from backend.trouble import DatabaseAway


async def test_a_round_that_fails_ends_nothing() -> None:
    stop, seen = asyncio.Event(), 0

    async def job() -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            raise RuntimeError("once")
        stop.set()

    await asyncio.wait_for(rounds(stop, 0, job), 20)
    assert seen == 2


async def test_o20_a_database_that_is_away_is_one_line_and_no_traceback() -> None:
    stop = asyncio.Event()

    async def job() -> None:
        stop.set()
        raise DatabaseAway(retry_after=5)

    with capture_logs() as lines:
        await asyncio.wait_for(rounds(stop, 0, job), 20)
    assert lines == [{"event": "database_trouble", "error": "DatabaseAway", "log_level": "warning"}]


async def test_whoever_is_told_to_stop_before_the_first_round_does_none() -> None:
    stop, seen = asyncio.Event(), 0

    async def job() -> None:
        nonlocal seen
        seen += 1

    stop.set()
    await asyncio.wait_for(rounds(stop, 3600, job, later=True), 20)
    await asyncio.wait_for(rounds(stop, 3600, job), 20)
    assert seen == 0


async def test_all_who_wait_for_seconds_are_woken_together() -> None:
    now = asyncio.get_running_loop().time()
    for seconds in (1, 1.5, 2, 20):
        async with at_most(seconds) as wait:
            ends = wait.when()
        assert ends is not None and ends == int(ends) and now < ends <= now + seconds + 1
    async with at_most(0.2) as short, at_most(None) as endless:
        assert short.when() != int(short.when() or 0), "whoever waits for less does not wait for others"
        assert endless.when() is None
