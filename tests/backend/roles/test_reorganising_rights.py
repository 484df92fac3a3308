"""Who decides for a unit after its reorganisation was taken back: whose post is there again, and nobody twice (A32)."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from backend.account import Account
from backend.accounts.identity.called import NameWord
from backend.accounts.models import Identifier
from backend.roles import authority
from backend.roles.models import Role
from backend.roles.movements import SUSPENSION
from backend.roles.reorganising import retelling, reversing, running
from backend.roles.unit_changes import UnitChange
from tests.backend.roles.test_reorganising import MERGE, back, begin, go_on, plan, reverse, state_of
from tests.backend.roles.test_suspension import act, lift
from tests.backend.roles.world import World


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for a turn here."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)


async def merged(world: World) -> UUID:
    run = await begin(world, await plan(world, MERGE))
    await go_on(world, run)
    world.pass_time(minutes=1)
    return run


async def back_begins(world: World, run: UUID) -> None:
    async with world.db.write() as tx:
        await reversing.begin(tx, world.kit, run, leave_changed=True, now=world.now)


async def in_force(world: World, name: str) -> Role:
    (role,) = [one for one in await world.roles(name) if one.state == "active"]
    return role


async def decides(world: World, name: str) -> list[str]:
    async with world.db.read() as tx:
        return [
            post.code for post in (await authority.of(tx, world.kit, world.people[name], now=world.now)).units
        ]


async def test_a32_a_head_who_retired_meanwhile_does_not_decide_again(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await world.person("Hạnh", manages="NV")
    run = await merged(world)
    await world.end("Dũng", (await in_force(world, "Chi")).id)
    world.pass_time(minutes=1)
    await reverse(world, run, leave_changed=True)
    assert (await decides(world, "Chi"), await decides(world, "Hạnh")) == ([], ["NV"])
    assert await state_of(world, run) == "reversed"


async def test_a32_nor_does_one_who_retires_between_two_stages_of_the_way_back(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    run = await merged(world)
    await back_begins(world, run)
    with pytest.raises(KeyboardInterrupt):
        await back(world, run, stop=1)
    home = await in_force(world, "Chi")
    assert home.unit_id == world.units["NV"], "the roles are back, the rights are not"
    await world.end("Giang", home.id)
    world.pass_time(minutes=1)
    await back(world, run)
    assert await decides(world, "Chi") == []


async def test_a32_nobody_is_found_by_the_number_of_an_account_that_is_gone(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    run = await merged(world)
    await world.end("Dũng", (await in_force(world, "Chi")).id)
    world.pass_time(minutes=1)
    async with world.db.write() as tx:
        gone = Identifier.account_id == world.people["Chi"]
        await tx.execute(update(Identifier).where(gone).values(ended_at=world.now))
        await tx.execute(delete(NameWord).where(NameWord.account_id == world.people["Chi"]))
        await tx.execute(update(Account).where(Account.id == world.people["Chi"]).values(status="erased"))
    await reverse(world, run, leave_changed=True)
    async with world.db.write() as tx:
        await tx.execute(update(Identifier).where(gone).values(ended_at=None))
    assert await decides(world, "Chi") == []


async def test_a32_whoever_was_appointed_anew_does_not_stop_the_way_back(world: World) -> None:
    run = await merged(world)
    await back_begins(world, run)
    await world.appoint("Chi", "NV")
    await back(world, run)
    assert await state_of(world, run) == "reversed" and await decides(world, "Chi") == ["NV"]


async def test_a_head_whose_post_is_back_decides_again(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    run = await merged(world)
    assert await decides(world, "Chi") == []
    await reverse(world, run)
    assert await decides(world, "Chi") == ["NV"]


async def test_rule_605_whoever_is_let_back_decides_for_no_unit_that_is_no_more(world: World) -> None:
    head = await world.employ("Chi", "NV", "Giang", position="truong_phong")
    await act(world, "Giang", head.id, SUSPENSION)
    await merged(world)
    (there,) = [one for one in await world.roles("Chi") if one.state == "suspended"]
    await lift(world, "Dũng", there.id)
    assert (await in_force(world, "Chi")).unit_id == world.units["TC"]
    assert await decides(world, "Chi") == []


async def test_rule_640_a_unit_is_there_again_from_the_day_that_it_is_here(world: World) -> None:
    world.now = world.now.replace(hour=20)  # three in the morning of the next day
    run = await merged(world)
    await reverse(world, run)
    async with world.db.read() as tx:
        days = await tx.execute(select(UnitChange.kind, UnitChange.on_day))
    assert {tuple(row) for row in days} >= {("revived", world.today), ("ended", world.today)}
    async with world.db.read() as tx:
        assert set(await tx.scalars(select(UnitChange.on_day))) == {world.today}
