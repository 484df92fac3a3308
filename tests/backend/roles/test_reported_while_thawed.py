"""A former device that reports in the very moment in which the account is thawed freezes nothing (rule 303; A27)."""

from __future__ import annotations

import asyncio

import pytest

from backend.devices import takeover
from backend.devices.takeover import NotReplaced
from tests.backend.roles.world import World


@pytest.mark.parametrize("db", ["postgres"], indirect=True)
async def test_a27_a_report_that_waits_for_a_thaw_is_held_against_it(world: World) -> None:
    """On SQLite one writes after the other. Here both have read before either has written."""
    account = world.people["An"]
    former = await world.signed_in("An")
    await world.signed_in("An")
    async with world.db.write() as tx:
        assert await takeover.freeze(tx, world.kit, account, session=None, by_session=None, now=world.now)

    async def report() -> None:
        async with world.db.write() as tx:
            await takeover.report(tx, world.kit, former, now=world.now)

    async with world.db.write() as tx:
        await takeover.thaw(tx, world.kit, account, now=world.now)
        await tx.flush()
        reporting = asyncio.ensure_future(report())
        await asyncio.sleep(0.3)
        assert not reporting.done(), "it has read, and waits for the account"
    with pytest.raises(NotReplaced):
        await reporting
