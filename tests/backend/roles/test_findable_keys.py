"""By which keys people are found while keys rotate and servers are started anew one after another (rule 905)."""

from __future__ import annotations

from datetime import datetime

import pytest
import pytest_asyncio
from sqlalchemy import delete, select

from backend.account import Account
from backend.accounts.identity import called
from backend.accounts.identity.called import NameWord
from backend.accounts.identity.following import seal_names
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.journal import Journal, KeyRetired
from backend.kit import Kit
from backend.roles import authority, findable, managers, queue
from ngomon.admission import admit
from ngomon.rekey import rotate
from tests.backend.roles.world import World
from tests.checker import check

OLD, NEW = new_secret_key(), new_secret_key()
BOTH = KeyRing.parse(f"{NEW},{OLD}")


@pytest_asyncio.fixture(loop_scope="session")
async def world(db: Database, kit: Kit) -> World:
    """An is employed and found under the old key; the new one has come to the front of some servers' lists."""
    made = World(db, Kit.of(KeyRing.parse(f"{OLD},{NEW}"), kit.limits))
    await admit(db, made.kit.keys, now=made.now)
    await made.populate()
    await made.employ("An", "NV", "Chi")
    await admit(db, BOTH, now=made.now)
    return made


async def stale(world: World) -> int:
    """How many of the words are not those of the newest key."""
    async with world.db.read() as tx:
        words = set(await tx.scalars(select(NameWord.blind)))
    return len(words - called.indexes_of(BOTH, "An"))


async def found(world: World, keys: str) -> list[str]:
    """Who is found as "an" by a server with these keys."""
    kit = Kit.of(KeyRing.parse(keys), world.kit.limits)
    async with world.db.read() as tx:
        return [
            one.name
            for one in (await queue.people(tx, kit, world.people["Chi"], q="an", now=world.now)).items
        ]


async def test_words_are_carried_over_whichever_key_the_name_itself_is_under(world: World) -> None:
    both = Kit.of(BOTH, world.kit.limits)
    async with world.db.write() as tx:  # VNeID names An anew, on a server that is started anew already
        seal_names(both, await tx.get_one(Account, world.people["An"]), "An", "1990-01-02")
    assert await stale(world) == 2
    heard: dict[str, int] = {}
    report = await rotate(world.db, both, heard.__setitem__, now=world.now)
    assert (await stale(world), heard["name_words"]) == (0, 1)
    assert report.rewritten == sum(heard.values())
    assert await found(world, NEW) == ["An"]
    await check(world.db, Kit.of(KeyRing.parse(NEW), world.kit.limits))


class Late(Journal):
    """Closes the journal after another server, which has the older key in front, has made somebody findable."""

    other: Kit

    async def close(self, db: Database, *, now: datetime) -> int:
        """As the parent does."""
        async with db.write() as tx:
            await tx.execute(delete(NameWord))
        await findable.fill(db, self.other)
        return await super().close(db, now=now)


async def test_no_word_stays_or_comes_under_a_key_that_was_given_up(world: World) -> None:
    late = Late(BOTH)
    late.other = world.kit
    both = Kit.of(BOTH, world.kit.limits)._replace(journal=late)
    await rotate(world.db, both, lambda *_: None, now=world.now)
    assert await stale(world) == 0
    async with world.db.write() as tx:
        await tx.execute(delete(NameWord))
    with pytest.raises(KeyRetired):
        await findable.fill(world.db, world.kit)
    await findable.fill(world.db, both)
    assert await found(world, NEW) == ["An"]
    await check(world.db, Kit.of(KeyRing.parse(NEW), world.kit.limits))


async def test_a_right_given_under_the_new_key_is_that_of_a_number_kept_under_the_old_one(
    world: World,
) -> None:
    kit = Kit.of(BOTH, world.kit.limits)
    async with world.db.write() as tx:
        await managers.add(tx, kit, "TC", world.numbers["An"], by=None, now=world.now)
    async with world.db.read() as tx:
        who = await authority.of(tx, kit, world.people["An"], now=world.now)
    assert [post.code for post in who.units] == ["TC"]
