"""A manager's list of what waits: a page by its key, and the true number, both from the index of the deciding unit."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend import paging
from backend.errors import Refusal
from backend.outbox import states
from backend.roles import inbox
from backend.roles.inbox import Inbox
from tests.backend.roles.world import World
from tests.parts.asked import heard


async def waiting(world: World, name: str, **narrowed: str) -> Inbox:
    async with world.db.read() as tx:
        return await inbox.waiting(tx, world.kit, world.people[name], now=world.now, **narrowed)  # type: ignore[arg-type]


async def test_who_decides_for_several_units_gets_one_list_in_the_order_of_asking(world: World) -> None:
    await world.appoint("Eve", "NV-P")
    await world.appoint("Eve", "TC")
    places = {"An": "TC", "Bình": "NV-P", "Chi": "TC", "Giang": "NV"}
    asked = [(await world.ask(name, world.draft(unit=unit))).id for name, unit in places.items()]
    async with world.db.read() as tx:
        first = await inbox.waiting(tx, world.kit, world.people["Eve"], most=2, now=world.now)
        second = await inbox.waiting(
            tx, world.kit, world.people["Eve"], most=2, cursor=first.next_cursor, now=world.now
        )
    assert [row.id for row in (*first.items, *second.items)] == asked[:3]
    assert (first.total, second.total, second.next_cursor) == (3, 3, None)


async def test_a_transfer_within_ones_units_is_one_request(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    world.pass_time(seconds=11)
    await world.appoint("Eve", "NV")
    await world.appoint("Eve", "TC")
    asked = await world.ask("An", world.draft("transfer", unit="TC"))
    found = await waiting(world, "Eve")
    assert ([row.id for row in found.items], found.total) == ([asked.id], 1)
    assert (await waiting(world, "Eve", q="an")).total == 1


async def test_the_number_is_of_what_the_list_is_narrowed_to(world: World) -> None:
    for name, unit in {"An": "NV", "Bình": "NV-P", "Eve": "NV-P"}.items():
        await world.ask(name, world.draft(unit=unit))
    assert (await waiting(world, "Chi")).total == 3
    assert (await waiting(world, "Chi", unit="NV-P")).total == 2
    assert (await waiting(world, "Chi", unit="nowhere")).total == 0
    assert (await waiting(world, "Chi", kind="end")).total == 0
    assert (await waiting(world, "Chi", q="binh")).total == 1
    assert (await waiting(world, "Chi", q="x" * 10_000)).total == 0


@pytest.mark.parametrize("units", [("NV",), ("NV-P", "TC")])
async def test_of_more_than_are_counted_it_says_that_there_are_more(
    world: World, monkeypatch: pytest.MonkeyPatch, units: tuple[str, ...]
) -> None:
    for unit in units:
        await world.appoint("Giang" if unit == "NV" else "Eve", unit)
    reader = "Giang" if len(units) == 1 else "Eve"
    monkeypatch.setattr(inbox, "COUNTED", 2)
    monkeypatch.setattr(states, "COUNTED", 2)

    async def told() -> tuple[str, int]:
        async with world.db.read() as tx:
            found = await inbox.waiting(tx, world.kit, world.people[reader], most=1, now=world.now)
        return f"{found.total}", len(found.items)

    for nth, name in enumerate(("An", "Bình", "Chi", "Dũng")):
        await world.ask(name, world.draft(unit=units[nth % len(units)]))
        assert await told() == ((f"{nth + 1}", 1) if nth < 2 else ("2+", 1)), name


@pytest.mark.parametrize("cursor", ["!", "AA", "é", "TlYgMQ"])
async def test_a_cursor_of_another_list_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Refusal, match="cursor_invalid"):
        await waiting(world, "Chi", cursor=cursor)


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
async def test_the_page_and_its_number_come_from_the_index_of_the_deciding_unit(world: World) -> None:
    await world.appoint("Eve", "NV-P")
    await world.appoint("Eve", "TC")
    begin = paging.cursor_of(str(UUID(int=0)))  # a page that says that it is all is not counted beside it
    with heard() as said:
        for name in ("Chi", "Eve"):
            await waiting(world, name, cursor=begin)
            await waiting(world, name, unit="NV-P", cursor=begin)
    asked = [
        one for one in said if "request_steps.decider_id" in one[0] and "FROM role_requests" not in one[0]
    ]
    assert len(asked) == 8
    async with world.db.engine.connect() as connection:
        for statement, values in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [words for *_, words in plan if "request_steps" in words]
            assert steps, statement
            own = [step for step in steps if "ix_request_steps_above" not in step]  # few have come up
            assert own, steps
            assert all("COVERING INDEX ix_request_steps_decider" in step for step in own), steps
