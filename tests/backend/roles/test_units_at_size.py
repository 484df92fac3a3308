"""Lists of operators and of managers ask of everybody on them at once (rule 912)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.roles import authority, delegations, mailboxes, managers, unit_life, unit_pages, vacancies
from tests.backend.roles.test_delegations import lend
from tests.backend.roles.test_mailboxes import add
from tests.backend.roles.world import World
from tests.parts.asked import heard


async def _delegations(world: World, tx: AsyncSession) -> object:
    who = await authority.of(tx, world.kit, world.people["Chi"], now=world.now)
    return await delegations.listed(tx, world.kit, who)


LISTS: dict[str, Callable[[World, AsyncSession], Awaitable[object]]] = {
    "managers": lambda world, tx: managers.page(tx, world.kit, None),
    "who leads a unit": lambda world, tx: unit_pages.one(
        tx, world.kit, "NV", world.people["Chi"], now=world.now
    ),
    "delegations": _delegations,
    "units without a manager": lambda _, tx: vacancies.by_code(tx),
    "units": lambda world, tx: unit_life.lines(tx, world.today, after="HUE", most=50),
    "mailboxes": lambda world, tx: mailboxes.listed(tx, world.kit, on=world.today),
}


@pytest.mark.parametrize("name", LISTS)
async def test_more_lines_are_read_by_as_many_statements(world: World, name: str) -> None:
    async def asked() -> list[str]:
        async with world.db.read() as tx:
            with heard() as said:
                await LISTS[name](world, tx)
        return [statement for statement, _ in said]

    async def grow(names: str) -> None:
        for one in names:
            unit = f"U{one}"
            await world.unit(unit, "NV")
            await world.person(one, manages=unit)
            await world.appoint(one, "NV")
            await world.person(f"Được {one}")
            await world.employ(f"Được {one}", "NV", "Chi")
            await lend(world, "Chi", f"Được {one}", "NV")
            for named in (one, f"Được {one}"):  # of whom one has a role there, and one has none
                address = f"{'co' if named == one else 'khong'}.{one.lower()}@hue.example"
                await add(world, named, address)

    await grow("A")
    await asked()  # what is loaded at first is not of the list
    few = await asked()
    await grow("BC")
    assert len(await asked()) == len(few), "\n".join(few)


async def test_a_unit_without_a_manager_is_named_where_it_lost_one_or_nobody_decides(world: World) -> None:
    async def vacant() -> list[tuple[str, str | None]]:
        async with world.db.read() as tx:
            return [(one.unit_code, one.decided_by) for one in await vacancies.by_code(tx)]

    assert await vacant() == []
    await world.dismiss("Chi")
    assert await vacant() == [("NV", "HUE")]
    await world.dismiss("Giang")
    assert await vacant() == [("HUE", None), ("NV", None), ("NV-P", None)]
    async with world.db.read() as tx:
        first = await vacancies.by_code(tx, most=2)
        rest = await vacancies.by_code(tx, after=first[-1].unit_code, most=2)
        (alone,) = await vacancies.by_code(tx, only="NV-P")
    assert [one.unit_code for one in (*first, *rest)] == ["HUE", "NV", "NV-P"] and alone == rest[0]
    await world.unit("XA")
    await world.appoint("Giang", "HUE")
    assert await vacant() == [("NV", "HUE"), ("XA", None)]
