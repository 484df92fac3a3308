"""A catalogue that comes while others act, and what else a new one may change."""

from __future__ import annotations

import asyncio
from datetime import date

import msgspec
import pytest
from sqlalchemy import func, select

from backend.errors import FieldsInvalid
from backend.imports.plan import PlanStale
from backend.outside.clock import local_day
from backend.roles import review
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.importing import CataloguePlan
from backend.roles.catalogue.in_force import shipped
from backend.roles.models import CatalogueVersion, Role
from tests.backend.roles.editions import (
    bring_in,
    in_force_now,
    job_of,
    of_post,
    settled,
    without,
)
from tests.backend.roles.world import World


async def test_a_plan_whose_ground_has_changed_does_nothing(world: World) -> None:
    first, second = (job_of(world, of_post("lai_xe", shipped(), label=label)) for label in ("Một", "Hai"))
    third = job_of(world, without("positions", "chuyen_vien", shipped()))
    async with world.db.read() as tx:
        for job in (first, second, third):
            await job.plan(tx)
    async with world.db.write() as tx:
        await first.act(tx, by=None)
    with pytest.raises(PlanStale):
        async with world.db.write() as tx:
            await second.act(tx, by=None)
    async with world.db.read() as tx:
        await third.plan(tx)
    await world.employ("An", "NV", "Chi")  # what nobody had is in use now
    with pytest.raises(PlanStale):
        async with world.db.write() as tx:
            await third.act(tx, by=None)
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(CatalogueVersion)) == 1


async def test_a_decision_that_may_still_be_taken_back_is_told_of_too(world: World) -> None:
    """Taken back after the import, the post before would mean what no system has heard."""
    await world.system("Văn bản")
    asked = await world.ask("An", world.draft(position="van_thu"))
    await world.approve("Chi", asked.id)
    await settled(world)
    await world.approve("Chi", (await world.ask("An", world.draft("amend", position="can_su"))).id)
    await world.employ("Bình", "NV", "Chi")
    plan = await bring_in(world, lambda one: of_post("chuyen_vien", one, label="Chuyên viên khác"))
    assert plan.told == {"Văn bản": 2}, "Bình, and An within the ten seconds"


async def test_a_role_that_begins_while_a_catalogue_comes_is_told_of(world: World) -> None:
    """Otherwise a system that has just read the older one would hold what it said for ever."""
    await world.system("Văn bản")
    await world.employ("Bình", "NV", "Chi")
    asked = await world.ask("An")
    await settled(world)
    job = job_of(world, of_post("chuyen_vien", shipped(), label="Chuyên viên phòng"))
    async with world.db.read() as tx:
        assert (await job.plan(tx)).told == {"Văn bản": 1}

    async def act() -> None:
        async with world.db.write() as tx:
            await job.act(tx, by=None)

    async with world.db.write() as tx:
        await review.approve(tx, world.kit, asked.id, version=None, by=world.people["Chi"], now=world.now)
        acting = asyncio.create_task(act())
        await asyncio.sleep(0.3)
        assert not acting.done(), "it waits for whoever leans on the older one"
    await acting
    assert len({one.version for one in await world.deliveries("An")}) == 2


def test_the_brake_is_for_those_who_would_lose_a_right() -> None:
    plan = CataloguePlan(things="entries", people=30, losing=3, changed=[])
    few = CataloguePlan(things="entries", people=20, losing=20)
    assert plan.massive(10) is None and few.massive(10) is None
    plan.losing = 4
    stake = plan.massive(10)
    assert stake is not None and "4 of 30 people" in plan.at_stake(stake)


async def test_movements_are_adjusted_and_the_rules_are_kept(world: World) -> None:
    def edit(one: Catalogue) -> Catalogue:
        shorter = msgspec.structs.replace(one.movements["secondment"], longest_days=365, back_days=10)
        movements = {**one.movements, "secondment": shorter}
        return msgspec.structs.replace(one, movements=movements, concurrent_limit=2)

    plan = await bring_in(world, edit)
    assert [change.what for change in plan.changed] == ["movements secondment", "concurrent_limit"]
    assert [str(field) for field in plan.changed[0].fields] == [
        "longest_days: 1096 → 365",
        "back_days: 30 → 10",
    ]
    now = await in_force_now(world)
    assert (now.movements["secondment"].back_days, now.concurrent_limit) == (10, 2)


async def test_an_order_is_a_change_too(world: World) -> None:
    turned = {code: shipped().positions[code] for code in reversed([*shipped().positions])}
    plan = await bring_in(world, lambda one: msgspec.structs.replace(one, positions=turned))
    assert [change.what.partition(" · ")[0] for change in plan.changed] == ["thứ tự các mục"]
    assert next(iter((await in_force_now(world)).positions)) == next(iter(turned))


async def test_a_day_after_which_nobody_gets_it_is_the_last_one(world: World) -> None:
    last = local_day(world.now)
    await bring_in(world, lambda one: of_post("chuyen_vien", one, until=last))
    asked = await world.ask("An")
    world.pass_time(days=1)
    with pytest.raises(FieldsInvalid):
        await world.ask("Bình")
    await world.approve("Chi", asked.id)
    async with world.db.read() as tx:
        assert (await tx.scalar(select(Role.state))) == "active"
    assert last >= date(2026, 3, 2)
