"""A right is over with its last day, and there from its first, also while no worker is there (rule 616)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from backend.appointment import CLERK, MANAGER, Appointment
from backend.errors import Refusal
from backend.roles import authority, inbox, timeline
from backend.roles.models import RoleRequest
from backend.support import desks
from backend.support.models import Desk
from tests.backend.roles.test_delegations import lend
from tests.backend.roles.world import World


async def last_day(world: World, unit: str, on: date) -> None:
    """The managers of a unit have this last day."""
    async with world.db.write() as tx:
        here = (Appointment.kind == MANAGER, Appointment.unit_id == world.units[unit])
        await tx.execute(update(Appointment).where(*here).values(until_on=on))


async def refused(world: World, who: str, asked: object) -> str:
    with pytest.raises(Refusal) as no:
        await world.approve(who, asked)  # type: ignore[arg-type]
    return no.value.code


async def test_nobody_decides_by_a_right_whose_last_day_is_over(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    await last_day(world, "NV", world.today)
    world.pass_time(hours=13, minutes=59)  # 23:59 of the last day
    assert (await world.seen_by("Chi", asked)).why_not_decide is None
    world.pass_time(minutes=1)
    assert await refused(world, "Chi", asked) == "request_not_found"
    with pytest.raises(Refusal, match="role_not_found"):
        await world.end("Chi", role.id)
    async with world.db.read() as tx:
        chi = world.people["Chi"]
        assert (await inbox.waiting(tx, world.kit, chi, now=world.now)).total == 0
        assert not (await authority.of(tx, world.kit, chi, now=world.now)).speaks
    await world.approve("Giang", asked)  # nobody has the unit any more: the one above decides at once
    await world.roll()
    assert (await world.tags())[-1] == "manager.dismissed"


async def test_nobody_decides_by_a_lent_right_whose_last_day_is_over(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    await lend(world, "Chi", "An", "NV", until_on=world.today + timedelta(days=1))
    world.pass_time(days=1)
    assert (await world.seen_by("An", asked)).why_not_decide is None
    world.pass_time(days=1)
    assert await refused(world, "An", asked) == "request_not_found"
    await world.approve("Chi", asked)


async def test_what_was_lent_is_over_with_the_right_that_it_was_lent_from(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    await lend(world, "Chi", "An", "NV")
    await last_day(world, "NV", world.today)
    await world.appoint("Eve", "NV")  # the unit goes on deciding, by another's right
    world.pass_time(days=1)
    assert await refused(world, "An", asked) == "request_not_found"
    await world.approve("Eve", asked)
    await world.roll()


async def test_a_right_is_there_from_its_first_day(world: World) -> None:
    asked = (await world.ask("Bình", world.draft(unit="NV-P"))).id
    await world.appoint("Eve", "NV-P")
    async with world.db.write() as tx:
        here = (Appointment.kind == MANAGER, Appointment.unit_id == world.units["NV-P"])
        await tx.execute(update(Appointment).where(*here).values(from_on=world.today + timedelta(days=1)))
    assert await refused(world, "Eve", asked) == "request_not_found"
    world.pass_time(days=1)
    assert await refused(world, "Chi", asked) == "request_not_found"
    await world.approve("Eve", asked)
    await world.roll()


async def test_a_clerk_is_none_after_the_last_day(world: World) -> None:
    async with world.db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "19001075"}
        await desks.add(tx, world.kit, "HUE", **about, now=world.now)
        await desks.hire(tx, world.kit, "HUE", world.numbers["An"], now=world.now)
        await tx.execute(update(Appointment).where(Appointment.kind == CLERK).values(until_on=world.today))
    blinds = world.kit.keys.blinds("national_id", world.numbers["An"])
    for there in (True, False):
        async with world.db.read() as tx:
            assert bool(await desks.staffed_by(tx, blinds, now=world.now)) is there
            who = await authority.of(tx, world.kit, world.people["An"], now=world.now)
            assert bool(who.desks) is there
        world.pass_time(days=1)


async def test_a_clerk_who_was_hired_while_the_desk_was_closed_is_none(world: World) -> None:
    async with world.db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "19001075"}
        await desks.add(tx, world.kit, "HUE", **about, now=world.now)
        await desks.hire(tx, world.kit, "HUE", world.numbers["An"], now=world.now)
        await tx.execute(
            update(Desk).values(removed_at=world.now)
        )  # by who did not see the other's commit yet
    async with world.db.read() as tx:
        blinds = world.kit.keys.blinds("national_id", world.numbers["An"])
        assert not await desks.staffed_by(tx, blinds, now=world.now)
        assert not (await authority.of(tx, world.kit, world.people["An"], now=world.now)).desks


async def test_a_request_that_nobody_decided_expires_with_the_last_day_that_it_asks_for(world: World) -> None:
    tomorrow = world.today + timedelta(days=1)
    asked = (await world.ask("Bình", world.draft(unit="NV", until=tomorrow))).id
    back = (await world.ask("An", world.draft(unit="NV", until=tomorrow))).id
    await world.send_back("Chi", back, "Thiếu số quyết định")
    world.pass_time(days=1)
    assert await world.roll() == 0  # its last day is a day
    world.pass_time(days=1)
    assert await refused(world, "Chi", asked) == "dates_passed"
    async with world.db.read() as tx:
        assert await timeline.is_due(tx, now=world.now)
    assert await world.roll() == 2 and await world.roll() == 0
    async with world.db.read() as tx:
        assert not await timeline.is_due(tx, now=world.now)
        for one in (asked, back):
            found = await tx.get_one(RoleRequest, one)
            assert (found.status, found.decided_at, found.decided_by) == ("expired", world.now, None)
        chi = world.people["Chi"]
        assert (await inbox.waiting(tx, world.kit, chi, now=world.now)).total == 0
    assert (await world.tags())[-2:] == ["role.request_expired"] * 2
    (told,) = [words for words in await world.told("Bình") if "đã hết ngày cuối" in words]
    assert f"{tomorrow:%d/%m/%Y}" in told
    assert (
        await world.ask("Bình", world.draft(unit="NV"))
    ).status == "pending"  # nothing is in the way any more
