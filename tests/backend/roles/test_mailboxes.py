"""The mailbox of an organisation: whose phone resets it, and what becomes of it when its keeper leaves (rule 651)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.appointment import Appointment
from backend.errors import FieldsInvalid, Refusal
from backend.imports.plan import PlanStale
from backend.imports.rows import ImportRefused, records
from backend.paging import CursorInvalid
from backend.roles import mailboxes, staff
from backend.roles.models import Role, Unit
from backend.roles.staff import MailHolder
from backend.roles.staff_import import StaffImport
from tests.backend.roles.test_differences import entry
from tests.backend.roles.test_staff import bring_in
from tests.backend.roles.world import World

BOX = "sonoivu@hue.example"


async def add(world: World, keeper: str, address: str = BOX, unit: str = "NV") -> None:
    async with world.db.write() as tx:
        await mailboxes.add(tx, world.kit, address, unit, world.numbers[keeper], by=None, now=world.now)


async def holder(world: World, address: str = BOX) -> MailHolder | None:
    async with world.db.read() as tx:
        return await staff.holder_of_mail(tx, world.kit, address, world.today)


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
        (line,) = await mailboxes.listed(tx, world.kit, on=world.today)
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


async def test_r43_a_successor_keeps_nothing_before_the_day_on_which_the_unit_ends(world: World) -> None:
    await world.employ("An", "TC", "Dũng")
    await add(world, "An")
    await world.dismiss("Chi")
    await ended(world, "NV", world.today + timedelta(days=30), "TC")
    assert await holder(world) is None, "neither who works at the successor, nor its manager"
    world.pass_time(days=30)
    kept = await holder(world)
    assert kept is not None and kept.account_id == world.people["An"]


async def test_r43_a_page_of_mailboxes_says_of_each_who_keeps_it(world: World) -> None:
    await world.employ("An", "NV-P", "Chi")
    for code in ("CU", "GIUA", "VO"):
        await world.unit(code, "HUE")
    for code, successor in (("CU", "GIUA"), ("GIUA", "TC"), ("VO", None)):
        await add(world, "An", f"{code.lower()}@hue.example", code)
        await ended(world, code, world.today, successor)
    await add(world, "An")
    await add(world, "Eve", "tc@hue.example", "TC")
    await world.appoint("Bình", "TC")  # later than Dũng
    shown = list[tuple[str, str]]()
    for after in ("", "giua@hue.example", "tc@hue.example"):
        async with world.db.read() as tx:
            page = await mailboxes.listed(tx, world.kit, on=world.today, after=after, most=2)
        shown += [(one.address.partition("@")[0], (one.keeps or "")[-3:]) for one in page]
    an, heir = (world.numbers[name][-3:] for name in ("An", "Dũng"))
    assert shown == [("cu", heir), ("giua", heir), ("sonoivu", an), ("tc", heir), ("vo", "")]
    async with world.db.read() as tx:
        with pytest.raises(CursorInvalid):
            await mailboxes.listed(tx, world.kit, on=world.today, after="NV")


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


async def planned(world: World, row: dict[str, str]) -> StaffImport:
    """A file of staff that was read and waits for a yes."""
    job = StaffImport(world.kit, world.now)
    async with world.db.read() as tx:
        assert not (await job.plan(tx, records([row]))).errors
    job.prepare()
    return job


async def said_yes(world: World, job: StaffImport) -> None:
    async with world.db.write() as tx:
        await job.act(tx, by=None, progress=lambda _done, _all: None)


async def account(world: World) -> UUID | None:
    found = await holder(world)
    return found.account_id if found else None


async def test_a33_a_role_and_a_right_keep_it_to_their_last_day_though_no_worker_was_there(
    world: World,
) -> None:
    role = await world.employ("An", "NV", "Chi")
    await add(world, "An")
    async with world.db.write() as tx:
        await tx.execute(update(Role).where(Role.id == role.id).values(until_on=world.today))
    assert await account(world) == world.people["An"]
    world.pass_time(days=1)
    assert await account(world) == world.people["Chi"]
    async with world.db.write() as tx:
        right = update(Appointment).where(Appointment.unit_id == world.units["NV"])
        await tx.execute(right.values(until_on=world.today))
    assert await account(world) == world.people["Chi"]
    world.pass_time(days=1)
    assert await holder(world) is None


async def test_a34_a_file_of_staff_gives_nobody_the_address_of_an_organisation(world: World) -> None:
    job = await planned(world, entry(world, "Eve", "TC", official_email=BOX))
    await add(world, "An")
    with pytest.raises(PlanStale):
        await said_yes(world, job)
    with pytest.raises(ImportRefused) as refused:
        await bring_in(world, entry(world, "Eve", "TC", official_email=BOX))
    assert [(one.column, one.reason) for one in refused.value.errors] == [("official_email", "address_taken")]


async def test_a34_nor_an_address_that_another_file_has_given_away_meanwhile(world: World) -> None:
    mine, other = (entry(world, name, "TC", official_email="x@hue.example") for name in ("Eve", "Bình"))
    job = await planned(world, mine)
    await bring_in(world, other)
    with pytest.raises(PlanStale):
        await said_yes(world, job)
    found = await holder(world, "x@hue.example")
    assert found is not None and found.account_id == world.people["Bình"]
