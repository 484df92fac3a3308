"""A run that two go on with at once is done once (rule 640), and whoever is in its way is not (rule 614)."""

from __future__ import annotations

import asyncio

from sqlalchemy import true

from backend.roles import policy
from backend.roles import rows as held_rows
from backend.roles.models import RequestStep, RoleRequest
from backend.roles.reorganising import moving, reversing, running
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


async def leaving(world: World, name: str = "An") -> RoleRequest:
    """Somebody of NV who asks to go to TC."""
    await world.employ(name, "NV", "Chi")
    return await world.ask(name, world.draft("transfer", unit="TC"))


async def test_whoever_takes_it_back_and_a_run_wait_for_each_other_in_one_order(world: World) -> None:
    request, has = await leaving(world), asyncio.Event()
    run = await begin(world, await plan(world, MERGE))

    async def takes_it_back() -> None:
        async with world.db.write() as tx:
            found = await held_rows.request_locked(tx, request.id)
            assert found is not None
            has.set()
            await asyncio.sleep(0.3)  # the run has come to the request meanwhile
            who = world.people["An"]
            await held_rows.move(tx, found, to=policy.WITHDRAWN, decided_at=world.now, decided_by=who)

    async def goes_along() -> None:
        await has.wait()
        async with world.db.write() as tx:
            step = await running.load(tx, run)
            await moving.ask_at(tx, step.run, true(), world.units["NV"], world.units["HUE"])

    await asyncio.gather(takes_it_back(), goes_along())
    places = {row[0] for row in await rows(world, RequestStep, "unit_id")}
    assert places == {world.units["NV"], world.units["TC"]}, "what nobody waits for stays where it was asked"


async def test_a_page_that_names_the_unit_that_is_left_is_another_page_after_a_merger(world: World) -> None:
    request = await leaving(world)
    await world.approve("Chi", request.id)

    async def version() -> int:
        async with world.db.read() as tx:
            return (await tx.get_one(RoleRequest, request.id)).version

    seen = [await version()]
    into = {"action": "merge", "unit_code": "NV", "target_code": "HUE"}
    run = await begin(world, await plan(world, into))
    await go_on(world, run)
    seen.append(await version())
    async with world.db.write() as tx:
        await reversing.begin(tx, world.kit, run, leave_changed=False, now=world.now)
    await back(world, run)
    seen.append(await version())
    assert seen == sorted(set(seen)), "TC's word on a page from before does not count"
