"""What a process does again and again goes on after a round that failed, and ends when it is told to."""

from __future__ import annotations

import asyncio

from backend.rounds import rounds


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


async def test_whoever_is_told_to_stop_before_the_first_round_does_none() -> None:
    stop, seen = asyncio.Event(), 0

    async def job() -> None:
        nonlocal seen
        seen += 1

    stop.set()
    await asyncio.wait_for(rounds(stop, 3600, job, later=True), 20)
    await asyncio.wait_for(rounds(stop, 3600, job), 20)
    assert seen == 0
