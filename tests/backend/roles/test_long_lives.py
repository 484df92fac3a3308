"""Somebody with a long life behind them is shown page by page, by as many statements as anybody (rules 820, 601, 912)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.db import Database, new_id
from backend.kit import Kit
from backend.roles import own, person, posts
from backend.roles.models import RequestStep, Role, RoleRequest
from backend.roles.person import Place
from tests.backend.roles.world import World
from tests.parts.asked import heard


@pytest_asyncio.fixture
async def world(database: Database, kit: Kit) -> World:
    """Rows are written past the rules here, so nothing is checked afterwards."""
    made = World(database, kit)
    await made.populate()
    await made.employ("An", "NV", "Chi")
    return made


async def grow_old(world: World, name: str, years: int, units: tuple[str, ...] = ("NV", "TC")) -> None:
    """So many more posts that have ended, each with its request, in turn in NV and in TC, which Chi does not read."""
    who = world.people[name]
    what: dict[str, Any] = {"account_id": who, "subject_type": "cong_chuc", "position": "chuyen_vien"}
    for number in range(years):
        request, role, at = new_id(), new_id(), world.now - timedelta(days=years - number)
        unit = world.units[units[number % len(units)]]
        asked = {"id": request, "created_by": who, "kind": "register", "status": "approved", "unit_id": unit}
        asked |= dict.fromkeys(("created_at", "decided_at", "applied_at"), at)
        asked |= {"fields": world.kit.keys.seal("role_requests.fields", request, "{}")}
        step = {"id": new_id(), "request_id": request, "position": 1, "unit_id": unit, "duty": "approve"}
        step |= {"decision": "approved", "at": at, "by": world.people["Eve"]}
        post = {"id": role, "unit_id": unit, "request_id": request, "state": "ended", "from_on": at.date()}
        post |= {"began_at": at, "ended_at": at, "fields": world.kit.keys.seal("roles.fields", role, "{}")}
        async with world.db.write() as tx:
            await tx.execute(insert(RoleRequest), [what | asked])
            await tx.execute(insert(RequestStep), [step])
            await tx.execute(insert(Role), [what | post])


async def opened(world: World, reader: str, place: Place = person.START) -> person.Person:
    async with world.db.read() as tx:
        return await person.person(
            tx, world.kit, world.people["An"], world.people[reader], now=world.now, place=place
        )


LISTS: dict[str, Callable[[World, AsyncSession], Awaitable[object]]] = {
    "a person's page": lambda world, tx: person.person(
        tx, world.kit, world.people["An"], world.people["Chi"], now=world.now
    ),
    "one's own roles": lambda world, tx: posts.roles_of(tx, world.kit, world.people["An"]),
    "one's own requests": lambda world, tx: own.mine(tx, world.kit, world.people["An"], now=world.now),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_long_life_is_asked_for_by_no_more_statements(world: World, name: str) -> None:
    async def asked() -> list[str]:
        async with world.db.read() as tx:
            with heard() as said:
                await LISTS[name](world, tx)
        return [statement for statement, _ in said]

    await grow_old(world, "An", 2)
    await asked()  # what is loaded at first is not of the page
    few = await asked()
    await grow_old(world, "An", 60)
    many = await asked()
    assert few
    assert len(many) <= len(few), "\n".join(many)


async def test_the_posts_of_a_long_life_come_page_by_page_those_in_force_first(world: World) -> None:
    await grow_old(world, "An", posts.MOST + 3)
    async with world.db.read() as tx:
        query = select(Role.id).where(Role.account_id == world.people["An"], Role.state == "ended")
        past = list(await tx.scalars(query.order_by(Role.id.desc())))
        first = await posts.roles_of(tx, world.kit, world.people["An"])
        rest = await posts.roles_of(tx, world.kit, world.people["An"], cursor=first.next_cursor)
    assert [one.state for one in first.items] == ["active", *["ended"] * posts.MOST]
    assert [one.id for one in (*first.items[1:], *rest.items)] == past
    assert rest.next_cursor is None
    assert all(one.settled_at is not None for one in (*first.items, *rest.items))


async def test_a_person_is_read_page_by_page_and_nothing_of_another_managers(world: World) -> None:
    await grow_old(world, "An", 2 * person.STRETCH)
    first = await opened(world, "Chi")
    assert len(first.roles.items) == 1 + person.SHOWN and first.roles.next_cursor
    seen, place = list(first.requests.items), first.requests.next_cursor
    while place is not None:
        page = await opened(world, "Chi", Place(requests=place))
        seen += page.requests.items
        place = page.requests.next_cursor
    assert {one.unit for one in seen} == {"Đơn vị NV"}
    assert len({one.id for one in seen}) == len(seen) == 1 + person.STRETCH
    older = await opened(world, "Chi", Place(roles=first.roles.next_cursor))
    assert not {one.role.id for one in older.roles.items} & {one.role.id for one in first.roles.items}


async def test_a_page_that_shows_nothing_leads_on_to_the_one_that_does(world: World) -> None:
    await grow_old(world, "An", person.STRETCH, units=("TC",))
    first = await opened(world, "Chi")
    assert first.requests.items == [] and first.requests.next_cursor
    last = await opened(world, "Chi", Place(requests=first.requests.next_cursor))
    assert [one.unit for one in last.requests.items] == ["Đơn vị NV"]
    assert last.requests.next_cursor is None


@pytest.mark.parametrize("place", [Place(roles="!"), Place(requests="!"), Place(roles="é")])
async def test_a_cursor_that_nobody_gave_out_is_refused(world: World, place: Place) -> None:
    with pytest.raises(paging.CursorInvalid):
        await opened(world, "Chi", place)
