"""Pages by the code of a unit on a database that orders words as people do, and Python as bytes (rules 601, 912)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.db import Database
from backend.kit import Kit
from backend.roles import managers, unit_life, vacancies
from ngomon.migrations import migrate
from tests.backend.roles.world import World
from tests.parts.postgres import Postgres

CODES = ("a-1", "B-1", "b-2", "C-1", "Đ-1", "d-2")  # bytes: B-1 C-1 a-1 b-2 d-2 Đ-1; people: a B b C d Đ


@pytest_asyncio.fixture
async def vietnamese(postgres: Postgres, kit: Kit) -> AsyncIterator[World]:
    """Units below HUE, each with a manager, in a database whose words stand as in a Vietnamese dictionary."""
    postgres.drop_database("vi")
    postgres.say("CREATE DATABASE vi TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'vi'")
    await migrate(postgres.url("vi"))
    db = Database(postgres.url("vi"))
    world = World(db, kit)
    for code in CODES:
        await world.unit(code)
        await world.person(f"Thủ trưởng {code}", manages=code)
    yield world
    await db.close()


async def test_every_manager_stands_on_one_page(vietnamese: World) -> None:
    seen, cursor = list[str](), ""
    async with vietnamese.db.read() as tx:
        for _ in CODES:
            page, following = await managers.page(tx, vietnamese.kit, None, cursor=cursor, most=1)
            seen += [one.unit_code for one in page]
            cursor = following or ""
    assert sorted(seen) == sorted(CODES) and not cursor


async def test_every_unit_without_a_manager_stands_on_one_page(vietnamese: World) -> None:
    for code in CODES:
        await vietnamese.dismiss(f"Thủ trưởng {code}")
    seen, after = list[str](), ""
    async with vietnamese.db.read() as tx:
        for _ in CODES:
            seen += [one.unit_code for one in await vacancies.by_code(tx, after=after, most=1)]
            after = seen[-1]
        assert await vacancies.by_code(tx, after=after, most=1) == []
    assert seen == sorted(CODES)


async def test_the_tree_goes_on_in_the_order_of_its_codes(vietnamese: World) -> None:
    for code in CODES:
        await vietnamese.unit(f"{code}/x", code)
    seen, after = list[str](), ""
    async with vietnamese.db.read() as tx:
        for _ in range(2 * len(CODES)):
            seen += [one.code for one in await unit_life.lines(tx, vietnamese.today, after=after, most=1)]
            after = seen[-1]
        assert await unit_life.lines(tx, vietnamese.today, after=after, most=1) == []
    assert seen == [one for code in sorted(CODES) for one in (code, f"{code}/x")]
