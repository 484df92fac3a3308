"""Who has a request open has not decided it: a word, or a correction, is the end of a look (rule 631)."""

from __future__ import annotations

from uuid import UUID

from backend.outbox.bell import Bell
from backend.roles import opened
from tests.backend.roles.world import World


async def opens(world: World, name: str, request_id: UUID) -> None:
    """The page of `name` tells of itself."""
    async with world.db.write() as tx:
        await opened.note(tx, request_id, by=world.people[name], now=world.now)


async def others(world: World, name: str, request_id: UUID) -> list[str]:
    """Who else is shown to `name` to have it open."""
    async with world.db.read() as tx:
        found = await opened.seen(tx, world.kit, request_id, world.people[name], now=world.now)
    return [one for one, _ in found.others]


async def is_new(world: World, name: str, request_id: UUID) -> bool:
    """Whether the page of `name` has yet to be told of."""
    async with world.db.read() as tx:
        return (await opened.seen(tx, world.kit, request_id, world.people[name], now=world.now)).is_new


async def test_whoever_has_said_one_of_two_words_has_it_open_no_more(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await opens(world, "Chi", asked.id)
    world.pass_time(minutes=1)
    assert await others(world, "Dũng", asked.id) == ["Chi"]
    await world.approve("Chi", asked.id)
    assert await others(world, "Dũng", asked.id) == [], "Chi has decided"
    await world.undo("Chi", asked.id)
    assert await others(world, "Dũng", asked.id) == ["Chi"], "and has not, again"


async def test_a_look_at_what_it_said_before_is_none_at_what_it_says_now(world: World) -> None:
    await world.appoint("Giang", "NV")
    asked = await world.ask("An")
    await opens(world, "Chi", asked.id)
    world.pass_time(minutes=1)
    await world.send_back("Chi", asked.id)
    await world.resubmit("An", asked.id, world.draft(position="van_thu"))
    assert await others(world, "Giang", asked.id) == [], "Chi has returned it, and has not seen it since"
    assert await is_new(world, "Chi", asked.id)
    world.pass_time(minutes=1)
    await opens(world, "Chi", asked.id)
    assert await others(world, "Giang", asked.id) == ["Chi"]
    assert not await is_new(world, "Chi", asked.id)


async def test_a_page_that_tells_of_itself_again_and_again_rings_once(world: World) -> None:
    asked, bell = await world.ask("An"), Bell(world.db)
    with bell.listener() as heard:
        await opens(world, "Chi", asked.id)
        assert await heard.wait(1)
        await opens(world, "Chi", asked.id)
        assert not await heard.wait(0.05), "nobody's page looks again for nothing"
        world.pass_time(minutes=16)
        await opens(world, "Chi", asked.id)
        assert await heard.wait(1)
