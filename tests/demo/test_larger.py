"""A larger demo: as many people and requests as were asked for, that the pages list (rule 1030)."""

from __future__ import annotations

from sqlalchemy import func, select

from backend.account import Account
from backend.db import Database
from backend.kit import Kit
from backend.roles import inbox, queue
from demo.larger import enlarge, name_of
from tests.backend.roles.world import World


async def test_people_at_work_and_people_who_wait(database: Database, kit: Kit) -> None:
    world = World(database, kit)
    await world.populate()
    units = [world.units["NV"], world.units["TC"]]
    await enlarge(database, kit, units=units, people=6, waiting=4, others=3, now=world.now)
    async with database.read() as tx:
        people = await queue.people(tx, kit, world.people["Chi"], now=world.now)
        waiting = await inbox.waiting(tx, kit, world.people["Chi"], now=world.now)
        assert (await tx.scalar(select(func.count()).select_from(Account))) == len(world.people) + 13
    assert sorted(row.name for row in people.items) == sorted(name_of(number) for number in (0, 2, 4))
    assert len(waiting.items) == 2


async def test_a_second_run_makes_as_many_more(database: Database, kit: Kit) -> None:
    world = World(database, kit)
    await world.populate()
    units = [world.units["NV"], world.units["TC"]]
    for people in (3, 5):
        await enlarge(database, kit, units=units, people=people, waiting=1, now=world.now)
    async with database.read() as tx:
        shown = await queue.people(tx, kit, world.people["Chi"], now=world.now)
        assert (await tx.scalar(select(func.count()).select_from(Account))) == len(world.people) + 10
    assert len(shown.items) == 2 + 3
