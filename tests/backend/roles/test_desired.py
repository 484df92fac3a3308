"""What a system should hold of a person follows from the roles alone (rule 701)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from backend.outbox.models import System
from backend.outside.connectors import Desired, GroupRef
from backend.roles.desired import desired
from backend.roles.models import Unit
from tests.backend.roles.test_staff import GOOD, bring_in
from tests.backend.roles.world import World


async def wanted(world: World, name: str, system_id: UUID) -> Desired:
    async with world.db.read() as tx:
        system = await tx.get_one(System, system_id)
        account = world.people[name]
        return (await desired(tx, world.kit, [account], system))[account]


async def test_a_role_in_force_is_told_in_full(world: World) -> None:
    system = await world.system("Văn bản")
    fields = {"employee_code": "A1", "official_email": "an@hue.example"}
    await world.employ("An", "NV-P", "Chi", position="truong_phong", fields=fields)
    assert await wanted(world, "An", system) == Desired(
        external_id=str(world.people["An"]),
        user_name="an@hue.example",
        full_name="An",
        title="Trưởng phòng",
        employee_number="A1",
        email="an@hue.example",
        organization="Đơn vị HUE",
        department="Đơn vị NV-P",
        unit_code="NV-P",
        groups=[
            GroupRef("NV-P", "Đơn vị NV-P"),
            GroupRef("role:leader", "Lãnh đạo"),
            GroupRef("role:staff", "Người dùng nội bộ"),
        ],
        active=True,
    )


async def test_without_an_official_address_the_account_names_the_user(world: World) -> None:
    system = await world.system("Văn bản")
    await world.employ("An", "NV", "Chi")
    state = await wanted(world, "An", system)
    assert (state.user_name, state.email) == (str(world.people["An"]), None)


async def test_without_a_role_in_force_nobody_is_active(world: World) -> None:
    system = await world.system("Văn bản")
    assert not (await wanted(world, "An", system)).active
    role = await world.employ("An", "NV", "Chi")
    await world.end("Chi", role.id)
    left = await wanted(world, "An", system)
    assert (left.active, left.groups, left.full_name) == (False, [], "An")


async def test_a_system_knows_only_its_own_units(world: World) -> None:
    north, south = await world.system("Bắc", "NV"), await world.system("Nam", "TC")
    await world.employ("An", "NV-P", "Chi")
    assert (await wanted(world, "An", north)).active
    assert not (await wanted(world, "An", south)).active
    assert {delivery.system_id for delivery in await world.deliveries("An")} == {north}


async def test_a_disabled_system_is_told_nothing(world: World) -> None:
    system_id = await world.system("Văn bản")
    async with world.db.write() as tx:
        (await tx.get_one(System, system_id)).disabled_at = world.now
    await world.employ("An", "NV", "Chi")
    assert await world.deliveries("An") == []


async def test_a08_an_address_is_proved_by_the_directory_for_this_very_number_only(world: World) -> None:
    system = await world.system("Văn bản")
    await bring_in(world, GOOD)
    await world.employ("An", "NV", "Chi", fields={"official_email": "an@hue.example"})
    await world.employ("Bình", "NV", "Chi", fields={"official_email": "quantri@hue.example"})
    await world.employ("Eve", "NV", "Chi")
    proved = [(await wanted(world, name, system)).address_proved for name in ("An", "Bình", "Eve")]
    assert proved == [True, False, False]
    await bring_in(world, GOOD | {"official_email": "an2@hue.example"})
    assert not (await wanted(world, "An", system)).address_proved


async def test_r25_the_organization_is_the_agency_and_a_group_whose_name_is_not_unique_carries_it(
    world: World,
) -> None:
    system = await world.system("Văn bản")
    async with world.db.write() as tx:
        for code, agency in (("HUE", "H57"), ("NV", "H57.05"), ("NV-P", "H57.05.01"), ("TC", None)):
            await tx.execute(update(Unit).where(Unit.code == code).values(agency_code=agency))
    office = await world.unit("NV-P-1", "NV-P")
    await world.employ("An", "NV-P-1", "Chi")
    await world.employ("Bình", "TC", "Dũng")
    an, binh = [await wanted(world, name, system) for name in ("An", "Bình")]
    assert (an.organization, an.department) == ("Đơn vị NV", "Đơn vị NV-P-1")
    assert binh.organization == "Đơn vị HUE"
    assert GroupRef("NV-P-1", "Đơn vị NV-P-1") in an.groups
    async with world.db.write() as tx:
        await tx.execute(update(Unit).where(Unit.id == office).values(name="Đơn vị TC"))
    assert GroupRef("NV-P-1", "Đơn vị TC, Đơn vị NV") in (await wanted(world, "An", system)).groups
    assert GroupRef("TC", "Đơn vị TC, Đơn vị HUE") in (await wanted(world, "Bình", system)).groups
