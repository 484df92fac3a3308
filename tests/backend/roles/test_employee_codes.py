"""An employee code is one person's, as an official address is (case R33)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from backend.errors import FieldsInvalid, Refusal
from backend.roles import coded
from backend.roles.models import Role, StaffRecord
from tests.backend.roles.test_differences import entry
from tests.backend.roles.test_staff import bring_in
from tests.backend.roles.test_staff_plan import complete
from tests.backend.roles.world import World

CODE: dict[str, Any] = {"fields": {"employee_code": "CC-7"}}


async def why_not(world: World, name: str) -> set[tuple[str, str]]:
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask(name, world.draft(**CODE))
    return {(error.field, error.code) for error in refused.value.fields}


async def test_r33_another_persons_code_is_refused_whether_a_role_or_the_directory_has_it(
    world: World,
) -> None:
    taken = {("fields.employee_code", "taken")}
    role = await world.employ("An", "NV", "Chi", **CODE)
    assert await why_not(world, "Bình") == taken
    await world.ask("An", world.draft("amend", position="van_thu", **CODE))  # one's own stays one's own
    await world.end("Chi", role.id)
    await bring_in(world, entry(world, "Eve", "NV", employee_code="CC-7"))
    assert await why_not(world, "Bình") == taken
    await complete(world, entry(world, "Chi", "NV"))
    assert (await world.ask("Bình", world.draft(**CODE))).status == "pending", "whoever has left holds none"


async def test_r33_of_two_who_ask_for_one_code_the_second_is_not_approved(world: World) -> None:
    first, second = [await world.ask(name, world.draft(**CODE)) for name in ("An", "Bình")]
    await world.approve("Chi", first.id)
    with pytest.raises(Refusal, match="employee_code_taken"):
        await world.approve("Chi", second.id)


async def test_r33_what_the_directory_gives_to_both_is_both_theirs(world: World) -> None:
    await bring_in(world, *(entry(world, name, "NV", employee_code="CC-7") for name in ("An", "Bình")))
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi", **CODE)


async def test_r33_codes_of_an_earlier_release_become_findable(world: World) -> None:
    await world.employ("An", "NV", "Chi", **CODE)
    await bring_in(world, entry(world, "Eve", "NV", employee_code="CC-8"))
    async with world.db.write() as tx:
        for table in (Role, StaffRecord):
            await tx.execute(update(table).values(code_blind=None))
    await coded.fill(world.db, world.kit)
    assert await why_not(world, "Bình") == {("fields.employee_code", "taken")}
    CODE["fields"]["employee_code"] = "CC-8"
    try:
        assert await why_not(world, "Bình") == {("fields.employee_code", "taken")}
    finally:
        CODE["fields"]["employee_code"] = "CC-7"
