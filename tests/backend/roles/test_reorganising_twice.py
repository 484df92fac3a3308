"""A run that two go on with at once, from its page and by the command, is done once (rule 640)."""

from __future__ import annotations

import asyncio

from backend.roles.reorganising import reversing
from backend.roles.reorganising.models import Moved
from tests.backend.roles.test_reorganising import MERGE, back, begin, go_on, held, plan, rows
from tests.backend.roles.world import World


async def test_two_who_go_on_with_it_at_once_do_it_once(world: World) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    before = await held(world)
    run = await begin(world, await plan(world, MERGE))
    await asyncio.gather(go_on(world, run), go_on(world, run))
    assert {row[1] for row in await held(world)} == {"TC"}
    async with world.db.write() as tx:
        await reversing.begin(tx, world.kit, run, leave_changed=False, now=world.now)
    await asyncio.gather(back(world, run), back(world, run))
    assert await held(world) == before
    assert {row[1:] for row in await rows(world, Moved, "id", "left")} == {(False,)}
    tags = await world.tags()
    assert (tags.count("reorganisation.done"), tags.count("reorganisation.reversed")) == (1, 1)
