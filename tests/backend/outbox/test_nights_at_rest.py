"""A night in which nothing comes due costs nothing, and what comes due is compared though nobody writes (rule 703)."""

from __future__ import annotations

import asyncio

import pytest

from backend.outbox import nightly as nights
from backend.outbox.nightly import Nightly
from tests.backend.outbox.conftest import World
from tests.backend.outbox.test_comparing import synced
from tests.backend.outbox.test_steering import comparison
from tests.parts.processes import within
from tests.parts.scim import ScimServer


async def test_at_rest_no_night_asks_for_systems_and_what_comes_due_is_compared_though_nobody_writes(
    world: World, scim_server: ScimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "LOOK_SECONDS", 0.01)
    await synced(world, await world.system(scim_server.url))
    world.pass_time(hours=36)
    stop, nightly, looks = (
        asyncio.Event(),
        Nightly(world.db, world.clock, 86400, lambda: comparison(world)),
        0,
    )
    whole = nightly.round

    async def counted(stop: asyncio.Event) -> None:
        nonlocal looks
        await whole(stop)
        looks += 1

    async def reconciled(many: int) -> None:
        while (await world.facts()).count("system.reconciled") < many:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)

    monkeypatch.setattr(nightly, "round", counted)
    running = asyncio.create_task(nightly.run(stop))
    async with within(60, "two comparisons"):
        await reconciled(1)
        rested = looks
        await asyncio.sleep(0.3)
        assert looks == rested or not world.db.is_sqlite
        world.pass_time(hours=36)
        await reconciled(2)
        stop.set()
        await running
