"""A reorganisation beside others of other operators, and beside a filling of the province (rules 640, 641; O15)."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from backend.db import one_after_another
from backend.roles import rows as held
from backend.roles.reorganising import asking, listing, retelling, reversing, running
from backend.roles.staff_rows import CHANGING
from tests.backend.roles.test_filling import NEW, granted, listed, planned
from tests.backend.roles.test_reorganising_asked import carry, plan, run
from tests.backend.roles.world import World


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits for a turn here."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)


async def test_others_newer_ones_do_not_hide_an_operators_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.unit("KHAC")
    await world.person("Trà", manages="KHAC")
    monkeypatch.setattr(listing, "MOST", 1)
    runs: dict[tuple[str, str], UUID] = {}
    for who, unit in (("Giang", "NV"), ("Trà", "KHAC"), ("Giang", "TC"), ("Trà", "KHAC")):
        rename = {"action": "rename", "unit_code": unit, "new_name": f"Đơn vị {len(runs)}"}
        runs[who, unit] = await run(world, await plan(world, rename, by=who), by=who)
        await carry(world)
    async with world.db.read() as tx:
        found = {
            who: [
                one.id for one in await asking.all_theirs(tx, world.kit, by=world.people[who], now=world.now)
            ]
            for who in ("Giang", "Trà")
        }
    assert found == {"Giang": [runs["Giang", "TC"]], "Trà": [runs["Trà", "KHAC"]]}


async def test_o15_whoever_fills_and_whoever_reorganises_wait_for_each_other_in_one_order(
    world: World,
) -> None:
    """The tree before the directory, as a reorganisation asks for both: else each would wait for the other."""
    job, _ = await planned(world, NEW)
    await listed(world, job)
    async with world.db.write() as tx:
        await one_after_another(tx, held.TREE)
        fills = asyncio.create_task(job.go_on(world.db, by=None, progress=lambda _done, _all: None))
        await asyncio.sleep(0.5)  # the filling has come to what it waits for
        await one_after_another(tx, CHANGING)
    assert await fills == ""
    assert await granted(world) == 1
