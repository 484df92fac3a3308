"""Whoever may decide about somebody finds them among their people (case R07)."""

from __future__ import annotations

from uuid import UUID

from backend.roles import authority, heads, queue
from tests.backend.roles.world import World


async def people(world: World, name: str, **more: object) -> list[tuple[str, str, bool]]:
    async with world.db.read() as tx:
        found = await queue.people(tx, world.kit, world.people[name], now=world.now, **more)  # type: ignore[arg-type]
    return [(row.unit_code, row.name, row.may_end) for row in found.items]


async def test_r07_a_superior_sees_the_heads_below_and_nobody_elses_people(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await world.employ("An", "NV", "Chi")
    await world.employ("Dũng", "TC", "Giang")
    both = [("NV", "Chi", True), ("TC", "Dũng", True)]
    assert await people(world, "Giang") == both, "of a unit that has a manager, the manager alone"
    assert await people(world, "Giang", q="chi") == both[:1]
    assert await people(world, "Giang", q=world.numbers["Dũng"]) == both[1:]
    assert await people(world, "Chi") == [("NV", "Chi", False), ("NV", "An", True)]
    assert await people(world, "Eve") == []
    await world.appoint("Eve", "NV")
    assert await people(world, "Giang") == both, "whoever decides beside Chi does not decide about Chi"
    assert ("NV", "Chi", False) in await people(world, "Eve")
    await world.dismiss("Chi")
    assert await people(world, "Giang") == both[1:], "Chi is one of Eve's people now"
    assert ("NV", "Chi", True) in await people(world, "Eve")


async def test_r07_pages_of_heads_and_others_follow_one_another(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await world.employ("Dũng", "TC", "Giang")
    await world.employ("An", "HUE", "Giang")
    await world.employ("Bình", "HUE", "Giang")
    seen, cursor = [], None
    for _ in range(4):
        async with world.db.read() as tx:
            page = await queue.people(
                tx, world.kit, world.people["Giang"], now=world.now, cursor=cursor, most=1
            )
        seen += [row.name for row in page.items]
        cursor = page.next_cursor
    assert sorted(seen) == ["An", "Bình", "Chi", "Dũng"] and cursor is None


async def test_no_more_heads_are_read_than_are_wanted_however_many_units_have_one(world: World) -> None:
    first, second = await world.employ("Chi", "NV", "Giang"), await world.employ("Dũng", "TC", "Giang")
    async with world.db.read() as tx:
        who = await authority.of(tx, world.kit, world.people["Giang"], now=world.now)

        async def heads_after(place: tuple[str, UUID] | None) -> list[UUID]:
            return await heads.of(tx, world.kit, who, None, but=(), after=place, most=1)

        assert await heads_after(None) == [first.id]
        assert await heads_after(("NV", first.id)) == [second.id]
        assert await heads_after(("TC", second.id)) == []
