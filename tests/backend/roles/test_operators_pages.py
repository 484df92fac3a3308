"""The lists of an operator's commands one line at a time, on both engines (rule 912)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.outbox import states
from backend.roles.reorganising import listing
from backend.roles.reorganising.models import Reorganisation
from backend.support import desks
from tests.backend.roles.world import World

Page = Callable[[AsyncSession, Any], Awaitable[list[Any]]]


async def walked(world: World, page: Page, place: str, said: str, first: object = "") -> list[object]:
    """What each line says; the next page begins behind the place of the last."""
    seen, after = list[object](), first
    async with world.db.read() as tx:
        while found := await page(tx, after):
            (one,) = found
            after = getattr(one, place)
            seen.append(getattr(one, said))
            assert len(seen) < 10, "it goes on for ever"
    return seen


async def test_desks_and_who_works_there(world: World) -> None:
    told = {"name": "Đội", "mailbox": "hotro@hue.example", "phone": "0234 3000 000"}
    for code in ("C", "A", "B"):  # all in one moment
        async with world.db.write() as tx:
            await desks.add(tx, world.kit, code, **told, now=world.now)
            for name in ("An", "Bình"):
                await desks.hire(tx, world.kit, code, world.numbers[name], now=world.now)
    found = await walked(world, lambda tx, after: desks.listed(tx, after=after, most=1), "code", "code")
    async with world.db.read() as tx:
        assert found == [one.code for one in await desks.listed(tx)] and sorted(map(str, found)) == [*"ABC"]
    world.pass_time(days=1)
    async with world.db.write() as tx:
        await desks.remove(tx, world.kit, "C", now=world.now)
        await desks.add(tx, world.kit, "C", **told, now=world.now)
    found = await walked(world, lambda tx, after: desks.listed(tx, after=after, most=1), "code", "code")
    assert found[-1] == "C", "one that comes back comes back behind the others"
    staff = await walked(
        world, lambda tx, after: desks.staff(tx, world.kit, None, after=after, most=1), "id", "desk", None
    )
    assert staff == [*"AABB"]


async def test_systems_and_reorganisations(world: World) -> None:
    for number, name in enumerate("CAB"):
        await world.system(name)
        async with world.db.write() as tx:
            one = Reorganisation(id=new_id(), decision=name, state="done", people=number, plan="{}")
            one.effective_on, one.started_at = world.today, world.now
            tx.add(one)
    found = await walked(
        world, lambda tx, after: states.overview(tx, world.now, after=after, most=1), "name", "name"
    )
    assert found == [*"ABC"]
    runs = await walked(world, lambda tx, after: listing.page(tx, after=after, most=1), "id", "id", None)
    assert len(runs) == 3 and runs == sorted(runs, key=str, reverse=True)
