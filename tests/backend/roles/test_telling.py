"""Whatever changes what a system is told about somebody queues a delivery, whoever changed it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from backend.accounts.identity import people
from backend.accounts.models import Identity
from backend.db import new_id
from backend.outbox.models import Delivery
from backend.outside.eid.eid_claims import Person
from backend.roles import telling
from tests.backend.roles.test_units import bring_in, csv
from tests.backend.roles.world import World

ISSUER = "https://vneid.example"


async def settled(world: World) -> None:
    """Everything on its way has arrived."""
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="done"))


async def waiting(world: World, name: str) -> list[Delivery]:
    return [one for one in await world.deliveries(name) if one.state == "pending"]


async def signs_in(world: World, name: str, full_name: str) -> None:
    """VNeID says who An is."""
    person = Person(ISSUER, name, world.numbers[name], full_name, "1990-01-02", None, 2)
    async with world.db.write() as tx:
        if await people.account_of(tx, world.kit, person, now=world.now) is None:
            raise AssertionError(name)


async def linked(world: World, name: str) -> None:
    async with world.db.write() as tx:
        tx.add(
            Identity(
                id=new_id(), account_id=world.people[name], issuer=ISSUER, subject=name, level=2,
                created_at=world.now, last_used_at=world.now,
            )
        )  # fmt: skip


async def test_r22_a_name_that_vneid_corrects_is_told_to_every_system_that_knows_the_person(
    world: World,
) -> None:
    north, south = await world.system("Bắc", "NV"), await world.system("Nam", "TC")
    await world.employ("An", "NV-P", "Chi")
    await linked(world, "An")
    await settled(world)
    await signs_in(world, "An", "An")
    assert await waiting(world, "An") == []  # the same name: nothing to tell
    (before,) = await world.deliveries("An")
    await signs_in(world, "An", "Trần Thị An")
    (told,) = await waiting(world, "An")
    assert (told.system_id, told.version > before.version) == (north, True)
    assert south not in {one.system_id for one in await world.deliveries("An")}


async def test_r22_a_corrected_name_does_not_give_a_held_decision_away(world: World) -> None:
    await world.system("Văn bản")
    await linked(world, "An")
    asked = await world.ask("An", world.draft(unit="NV"))
    await world.approve("Chi", asked.id)
    await signs_in(world, "An", "Trần Thị An")
    held, told = await world.deliveries("An")
    assert (held.not_before > world.now, told.not_before) == (True, world.now)
    assert held.state == told.state == "pending"  # the line takes nobody of whom a decision is held


async def test_r22_a_renamed_unit_is_told_of_everybody_below_it_and_of_nobody_else(
    world: World, tmp_path: Path
) -> None:
    await world.system("Văn bản")
    for name, unit, manager in (("An", "NV-P", "Chi"), ("Bình", "NV", "Chi"), ("Eve", "TC", "Dũng")):
        await world.employ(name, unit, manager)
    await settled(world)
    rows = "HUE,Đơn vị HUE,,,\nNV,Sở Nội vụ mới,HUE,,\nNV-P,Đơn vị NV-P,NV,,\nTC,Đơn vị TC,HUE,,\n"
    await bring_in(world, csv(tmp_path, rows))
    assert [len(await waiting(world, name)) for name in ("An", "Bình", "Eve")] == [1, 1, 0]
    await settled(world)
    await bring_in(world, csv(tmp_path, rows))
    assert [len(await waiting(world, name)) for name in ("An", "Bình", "Eve")] == [0, 0, 0]


async def test_r22_a_unit_that_moves_is_told_to_the_system_that_it_leaves_and_to_the_one_that_it_enters(
    world: World, tmp_path: Path
) -> None:
    north, south = await world.system("Bắc", "NV"), await world.system("Nam", "TC")
    await world.employ("An", "NV-P", "Chi")
    await settled(world)
    rows = "HUE,Đơn vị HUE,,,\nNV,Đơn vị NV,HUE,,\nNV-P,Đơn vị NV-P,TC,,\nTC,Đơn vị TC,HUE,,\n"
    await bring_in(world, csv(tmp_path, rows))
    assert {one.system_id for one in await waiting(world, "An")} == {north, south}


async def test_r22_whom_the_directory_gives_another_address_every_system_hears_of(world: World) -> None:
    await world.system("Văn bản")
    await world.employ("An", "NV", "Chi")
    await settled(world)
    async with world.db.write() as tx:
        assert await telling.addresses_changed(tx, world.kit, [world.numbers["Eve"]], now=world.now) == 0
        assert await telling.addresses_changed(tx, world.kit, [world.numbers["An"]], now=world.now) == 1
    assert len(await waiting(world, "An")) == 1
