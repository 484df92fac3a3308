"""A file reaches nobody beside its operator's own, by whatever number, and no unit that has ended (rules 641, 1003)."""

from __future__ import annotations

import pytest

from backend.imports.plan import PlanStale
from backend.imports.rows import records
from backend.roles import unit_life
from backend.roles.appointments import ManagersImport
from tests.backend.roles.test_appointing import STAFF, codes_of, confirm, lay, made, wrong
from tests.backend.roles.world import World


@pytest.fixture
async def other(world: World) -> None:
    """Another root, whose operator is Trà."""
    await world.unit("KHAC")
    await world.person("Trà", manages="KHAC")


@pytest.mark.parametrize("number", ["000000077777", "123456789", "123 456 789"])
async def test_nobody_is_drawn_out_of_anothers_directory_by_an_old_number(
    world: World, other: None, number: str
) -> None:
    """A list of people has the nine digits of an old CMND too, and they are as much theirs who keep it."""
    person = STAFF | {"national_id": number, "unit_code": "NV"}
    await confirm(
        world, "staff", await lay(world, "staff", person), (await made(world, "staff", person)).print
    )
    for drawn in (
        person | {"unit_code": "KHAC"},
        {"national_id": number, "official_email": "toi@khac.gov.vn"},
    ):
        assert await wrong(world, "staff", drawn, by="Trà") == [(2, "national_id", "person_elsewhere")]


async def test_nobody_is_appointed_by_a_file_to_a_unit_that_has_ended_since_its_plan(world: World) -> None:
    job = ManagersImport(world.kit, world.now)
    async with world.db.read() as tx:
        rows = records([{"unit_code": "NV-P", "national_id": world.numbers["Eve"]}])
        assert (await job.plan(tx, rows)).errors == []
    async with world.db.write() as tx:
        await unit_life.end(tx, world.kit, "NV-P", successor="NV", on=world.today, by=None, now=world.now)
    with pytest.raises(PlanStale):
        async with world.db.write() as tx:
            await job.act(tx, by=None, progress=lambda _done, _all: None)
    assert await codes_of(world, "Eve") == []
