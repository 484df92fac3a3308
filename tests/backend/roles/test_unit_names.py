"""A unit is found by any part of its name, as people write it (case R38)."""

from __future__ import annotations

import pytest

from backend.errors import FieldsInvalid
from backend.imports.rows import records
from backend.roles import units
from tests.backend.roles.world import World

NAMES = {"X-1": "Xã H\u2019Bia", "X-2": "Buôn B'lok", "X-3": "Xã Cư M\u02bcgar"}


async def laid(world: World) -> None:
    rows = [
        {"code": code, "name": name, "parent_code": "HUE", "agency_code": "", "kind": "x"}
        for code, name in NAMES.items()
    ]
    async with world.db.write() as tx:
        await units.bring_in(tx, world.kit, records(rows), by=None, now=world.now)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("H'Bia", "X-1"),
        ("hbia", "X-1"),
        ("h`bia", "X-1"),
        ("blok", "X-2"),
        ("b\u2019lok", "X-2"),
        ("mgar cu", "X-3"),
        ("CƯ M'", "X-3"),
    ],
)
async def test_r38_a_unit_is_found_by_any_part_marks_and_apostrophes_aside(
    world: World, typed: str, code: str
) -> None:
    await laid(world)
    async with world.db.read() as tx:
        found = await units.search(tx, q=typed, parent=None)
    assert [unit.code for unit in found.items] == [code]


@pytest.mark.parametrize("typed", ["Xã H'Bia", "xã hbia", "XA H\u2018BIA"])
async def test_r38_a_whole_name_typed_without_its_code_is_the_unit(world: World, typed: str) -> None:
    await laid(world)
    asked = await world.ask("An", world.draft(unit=typed))
    async with world.db.read() as tx:
        (unit,) = (await units.search(tx, q="X-1", parent=None)).items
    assert asked.unit_id == unit.id
    with pytest.raises(FieldsInvalid):
        await world.ask("Bình", world.draft(unit="Xã H"))
