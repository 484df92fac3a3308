"""The mailbox of an organisation: whose phone resets it, and what becomes of it when its keeper leaves (rule 651)."""

from __future__ import annotations

from datetime import date

import pytest

from backend.errors import FieldsInvalid, Refusal
from backend.roles import mailboxes, staff
from backend.roles.models import Unit
from backend.roles.staff import MailHolder
from tests.backend.roles.test_differences import entry
from tests.backend.roles.test_staff import bring_in
from tests.backend.roles.world import World

BOX = "sonoivu@hue.example"


async def add(world: World, keeper: str, address: str = BOX, unit: str = "NV") -> None:
    async with world.db.write() as tx:
        await mailboxes.add(tx, world.kit, address, unit, world.numbers[keeper], by=None, now=world.now)


async def holder(world: World, address: str = BOX) -> MailHolder | None:
    async with world.db.read() as tx:
        return await staff.holder_of_mail(tx, world.kit, address)


async def test_r43_the_keepers_phone_resets_it_while_the_role_lasts_and_then_the_managers(
    world: World,
) -> None:
    role = await world.employ("An", "NV-P", "Chi")
    await add(world, "An")
    await bring_in(world, entry(world, "An", "NV-P", phone="0550 000 042"))
    kept = await holder(world, BOX.upper())
    assert kept == MailHolder(world.people["An"], "+84550000042")
    await world.end("Chi", role.id)
    after = await holder(world)
    assert after is not None and after.account_id == world.people["Chi"], "it stays with the unit"
    await world.dismiss("Chi")
    assert await holder(world) is None
    await world.employ("Bình", "NV", "Giang")
    async with world.db.write() as tx:
        await mailboxes.name_keeper(tx, world.kit, BOX, world.numbers["Bình"], by=None, now=world.now)
    named = await holder(world)
    assert named is not None and named.account_id == world.people["Bình"]
    assert (await world.tags())[-1] == "mailbox.keeper_named"


async def test_r43_whoever_has_no_role_there_keeps_nothing(world: World) -> None:
    await world.employ("Eve", "TC", "Dũng")
    await add(world, "Eve")
    found = await holder(world)
    assert found is not None and found.account_id == world.people["Chi"]
    async with world.db.read() as tx:
        (line,) = await mailboxes.listed(tx, world.kit)
    number = world.numbers
    assert (line.named[-3:], (line.keeps or "")[-3:]) == (number["Eve"][-3:], number["Chi"][-3:])
    assert number["Eve"] not in str(line) and number["Chi"] not in str(line)


async def test_r43_a_mailbox_goes_to_whoever_took_its_units_work_over_and_comes_back_with_it(
    world: World,
) -> None:
    await world.employ("An", "TC", "Dũng")
    await world.unit("MỚI", "HUE")
    await add(world, "An")
    await world.dismiss("Chi")
    assert await holder(world) is None, "a role elsewhere keeps nothing, and nobody is left"
    await ended(world, "NV", world.now.date(), "MỚI")
    assert await holder(world) is None
    await ended(world, "MỚI", world.now.date(), "TC")
    kept = await holder(world)
    assert kept is not None and kept.account_id == world.people["An"], (
        "named, and at work where its work is done"
    )
    async with world.db.write() as tx:
        await mailboxes.name_keeper(tx, world.kit, BOX, world.numbers["Eve"], by=None, now=world.now)
    kept = await holder(world)
    assert kept is not None and kept.account_id == world.people["Dũng"], "the successor's manager"
    await ended(world, "TC", world.now.date(), "NV")  # a circle ends
    assert await holder(world) == kept
    await ended(world, "NV", None, None)
    await world.appoint("Bình", "NV")
    back = await holder(world)
    assert back is not None and back.account_id == world.people["Bình"]


async def ended(world: World, code: str, on: date | None, successor: str | None) -> None:
    """Say of a unit that it has ended, as a merger does, or that it is there again."""
    async with world.db.write() as tx:
        unit = await tx.get_one(Unit, world.units[code])
        unit.ended_on, unit.successor_id = on, world.units[successor] if successor else None


async def test_r43_an_address_is_an_organisations_or_somebodys_and_never_both(world: World) -> None:
    await bring_in(world, entry(world, "An", "NV", official_email="an@hue.example"))
    with pytest.raises(Refusal, match="mailbox_exists"):
        await add(world, "An", "AN@hue.example")
    await add(world, "An")
    with pytest.raises(Refusal, match="mailbox_exists"):
        await add(world, "Bình")
    with pytest.raises(FieldsInvalid):
        await world.ask("Bình", world.draft(fields={"official_email": BOX}))
    for address, unit in (("khong phai thu", "NV"), ("khac@hue.example", "nowhere")):
        with pytest.raises(FieldsInvalid):
            await add(world, "An", address, unit)
    async with world.db.write() as tx:
        await mailboxes.remove(tx, world.kit, BOX, by=None, now=world.now)
    assert await holder(world) is None
    with pytest.raises(Refusal, match="mailbox_not_found"):
        async with world.db.write() as tx:
            await mailboxes.remove(tx, world.kit, BOX, by=None, now=world.now)
