"""Whose an official address is, and what the import may leave out (rules 172, 1005)."""

from __future__ import annotations

import pytest

from backend.roles import staff
from backend.roles.staff import MailHolder
from tests.backend.roles.test_staff import GOOD, bring_in
from tests.backend.roles.world import World

LATER = {"subject_type": "", "position": "", "employee_code": "", "official_email": "", "phone": ""}


async def holder(world: World, address: str) -> MailHolder | None:
    async with world.db.read() as tx:
        return await staff.holder_of_mail(tx, world.kit, address, world.today)


async def test_an_address_belongs_to_the_account_with_the_number(world: World) -> None:
    await bring_in(world, GOOD)
    for address in ("an@hue.example", "An@HUE.example", " an@hue.example "):
        assert await holder(world, address) == MailHolder(world.people["An"], "+84550000001")
    for address in ("binh@hue.example", "", "*", "an"):
        assert await holder(world, address) is None


@pytest.mark.parametrize(
    ("phone", "e164"),
    [
        ("0550000001", "+84550000001"),
        ("+84 550 000 001", "+84550000001"),
        ("024 3825 0000", None),
        ("", None),
    ],
)
async def test_somebody_without_account_is_known_by_the_phone_alone(
    world: World, phone: str, e164: str | None
) -> None:
    await bring_in(world, GOOD | {"national_id": "000099000099", "phone": phone})
    assert await holder(world, "an@hue.example") == MailHolder(None, e164)


async def test_an_address_that_moved_on_belongs_to_the_next_person(world: World) -> None:
    await bring_in(world, GOOD)
    await bring_in(world, GOOD | {"official_email": ""})
    assert await holder(world, "an@hue.example") is None
    await bring_in(world, GOOD | {"national_id": "000099000099"})
    assert await holder(world, "an@hue.example") == MailHolder(None, "+84550000001")


@pytest.mark.parametrize("left_out", [LATER, None])
async def test_the_import_takes_people_without_post_address_and_phone(
    world: World, left_out: dict[str, str] | None
) -> None:
    row = GOOD | left_out if left_out else {name: GOOD[name] for name in GOOD.keys() - LATER.keys()}
    assert (await bring_in(world, row)).created == 1
    assert (await bring_in(world, row | {"subject_type": "can_bo"})).updated == 1
