"""A reorganisation during a review: what is reviewed goes along, and comes back with it (rules 640, 642)."""

from __future__ import annotations

from uuid import UUID

from backend.roles.reorganising import reversing
from tests.backend.roles.test_confirming import begin, confirm, counts, live, waits
from tests.backend.roles.test_reorganising import MERGE, go_on, plan
from tests.backend.roles.test_reorganising import begin as begin_merger
from tests.backend.roles.world import World


async def merged(world: World) -> UUID:
    run = await begin_merger(world, await plan(world, MERGE))
    await go_on(world, run)
    return run


async def test_after_a_merger_the_other_units_manager_confirms(world: World) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    await begin(world, "NV")
    confirmed, _ = await waits(world, "Chi")
    await confirm(world, "Chi", confirmed.id)
    await merged(world)
    assert await waits(world, "Chi") == []
    (row,) = await waits(world, "Dũng")
    assert row.unit_code == "TC" and await counts(world) == (1, 1, 0, 0)
    await confirm(world, "Dũng", row.id)
    assert await live(world, 20) == 0 and await counts(world) == (0, 2, 0, 0)


async def test_after_a_merger_what_nobody_confirms_ends_where_it_is(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    await merged(world)
    assert await live(world, 18) == 1
    assert [role.state for role in await world.roles("An")] == ["ended", "ended"]
    assert "quá hạn" not in "".join(await world.told("Chi"))  # it is no longer hers to say
    assert any("Lần báo cuối" in text for text in await world.told("Dũng"))


async def test_a_merger_that_is_taken_back_brings_the_review_back(world: World) -> None:
    an = await world.employ("An", "NV", "Chi")
    await begin(world, "NV")
    run = await merged(world)
    async with world.db.write() as tx:
        await reversing.begin(tx, world.kit, run, leave_changed=False, now=world.now)
    await reversing.go_on(world.db, world.kit, run, by=None, now=world.now, progress=lambda *_: None)
    assert await waits(world, "Dũng") == []
    (row,) = await waits(world, "Chi")
    assert (row.role_id, row.unit_code) == (an.id, "NV")


async def test_what_a_merger_brought_along_waits_in_one_review_only(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "TC", "Dũng")
    await begin(world, "NV")
    await merged(world)
    (started,) = await begin(world, "TC")
    assert started.roles == 1
    assert sorted(row.name for row in await waits(world, "Dũng")) == ["An", "Bình"]
