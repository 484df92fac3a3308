"""An appointment follows the post that carries it (case R02, rule 605)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.alarms import raised
from backend.errors import FieldsInvalid, Refusal
from backend.journal import Entry
from backend.roles import authority, carried, managers, vacancies
from backend.roles.appointments import Days
from backend.roles.carried import How, Keep
from backend.roles.models import Role
from tests.backend.roles.test_staff import GOOD, bring_in
from tests.backend.roles.world import World

KEEP = How(keep=Keep("NV", "Tiếp tục phụ trách đến khi có người thay"))


async def manages(world: World, name: str) -> list[str]:
    codes = {unit_id: code for code, unit_id in world.units.items()}
    async with world.db.read() as tx:
        return sorted(
            codes[one] for one in (await authority.of(tx, world.kit, world.people[name], now=world.now)).posts
        )


async def head(world: World) -> Role:
    """Chi has a post in NV, which she manages; Giang, above, approved it."""
    return await world.employ("Chi", "NV", "Giang")


async def test_r02_the_end_of_the_post_ends_the_appointment_in_the_same_commit(world: World) -> None:
    role = await head(world)
    asked = await world.ask("An")
    before = raised["unit_without_manager"]
    await world.end("Giang", role.id)
    assert await manages(world, "Chi") == []
    assert raised["unit_without_manager"] == before + 1
    with pytest.raises(Refusal, match="request_not_found"):
        await world.approve("Chi", asked.id)
    await world.approve("Giang", asked.id)
    async with world.db.read() as tx:
        found = [
            entry.fact for entry in await tx.scalars(select(Entry).where(Entry.tag == "manager.dismissed"))
        ]
        (vacancy,) = [one for one in await vacancies.by_code(tx) if one.unit_code == "NV"]
    assert str(role.id) in found[-1]
    assert (vacancy.since, vacancy.decided_by) == (world.now, "HUE")


async def test_r02_so_do_a_transfer_a_planned_end_and_the_last_day(world: World) -> None:
    await head(world)
    moved = await world.ask("Chi", world.draft("transfer", "TC"))
    await world.approve("Giang", moved.id)
    assert await manages(world, "Chi") == ["NV"]
    await world.approve("Dũng", moved.id)
    assert await manages(world, "Chi") == []

    await world.employ("Dũng", "TC", "Giang", until=world.today + timedelta(days=1))
    world.pass_time(days=2)
    await world.roll()
    assert await manages(world, "Dũng") == []

    await world.person("Hoa", manages="NV")
    await world.employ("Hoa", "NV", "Giang")
    leaving = await world.ask("Hoa", world.draft("end", effective_on=world.today + timedelta(days=2)))
    await world.approve("Giang", leaving.id)
    assert await manages(world, "Hoa") == ["NV"]
    world.pass_time(days=2)
    await world.roll()
    assert await manages(world, "Hoa") == []


async def test_r02_who_has_no_post_there_keeps_it(world: World) -> None:
    await world.appoint("Chi", "NV-P")
    role = await world.employ("Chi", "TC", "Dũng")
    await world.end("Dũng", role.id)
    assert await manages(world, "Chi") == ["NV", "NV-P"]


async def test_r02_another_of_the_units_managers_stays(world: World) -> None:
    await world.person("Hoa", manages="NV")
    role = await head(world)
    before = raised["unit_without_manager"]
    await world.end("Giang", role.id)
    assert (await manages(world, "Hoa"), await manages(world, "Chi")) == (["NV"], [])
    assert raised["unit_without_manager"] == before


async def test_r02_the_deciding_act_keeps_it_by_name_with_a_reason(world: World) -> None:
    role = await head(world)
    with pytest.raises(FieldsInvalid):
        await world.end("Giang", role.id, how=How(keep=Keep("NV", " ")))
    with pytest.raises(FieldsInvalid):
        await world.end("Giang", role.id, how=How(keep=Keep("TC", "Nhầm đơn vị")))
    ended = await world.end("Giang", role.id, how=KEEP)
    assert await manages(world, "Chi") == ["NV"] and await world.states("Chi") == ["NV:ended"]
    assert "manager.kept" in await world.tags()
    seen = await world.seen_by("Giang", ended.id)
    assert (seen.kept_by, seen.kept_reason) == ("Giang", "Tiếp tục phụ trách đến khi có người thay")


async def test_r02_only_the_old_unit_keeps_it(world: World) -> None:
    await head(world)
    moved = await world.ask("Chi", world.draft("transfer", "TC"))
    with pytest.raises(FieldsInvalid) as refused:
        await world.approve("Dũng", moved.id, how=KEEP)
    assert refused.value.fields[0].code == "not_yours"
    await world.approve("Giang", moved.id, how=KEEP)
    await world.approve("Dũng", moved.id)
    assert await manages(world, "Chi") == ["NV"] and await world.states("Chi") == ["NV:ended", "TC:active"]


async def test_r02_a_keeping_falls_with_the_word_that_said_it(world: World) -> None:
    await head(world)
    moved = await world.ask("Chi", world.draft("transfer", "TC"))
    await world.approve("Giang", moved.id, how=KEEP)
    await world.undo("Giang", moved.id)
    await world.approve("Giang", moved.id)
    await world.approve("Dũng", moved.id)
    assert await manages(world, "Chi") == []


async def test_r02_a_keeping_falls_with_the_wish_that_it_was_said_about(world: World) -> None:
    await head(world)
    moved = await world.ask("Chi", world.draft("transfer", "TC"))
    await world.approve("Giang", moved.id, how=KEEP)
    await world.send_back("Dũng", moved.id)
    await world.resubmit("Chi", moved.id, world.draft("transfer", "TC", position="truong_phong"))
    await world.approve("Giang", moved.id)
    await world.approve("Dũng", moved.id)
    assert await manages(world, "Chi") == []


@pytest.mark.parametrize("again", [False, True])
async def test_r02_undo_gives_the_appointment_back_once(world: World, again: bool) -> None:
    role = await head(world)
    ended = await world.end("Giang", role.id)
    assert await manages(world, "Chi") == []
    if again:
        await world.appoint("Chi", "NV")
    await world.undo("Giang", ended.id)
    assert await manages(world, "Chi") == ["NV"]
    assert await world.states("Chi") == ["NV:active"]


async def test_r02_what_ends_the_appointment_of_many_is_held_back(world: World) -> None:
    await head(world)
    leaving = await world.ask("Chi", world.draft("end"))
    with pytest.raises(Refusal, match="appointment_at_stake"):
        await world.approve("Giang", leaving.id, how=How(many=True))
    assert await manages(world, "Chi") == ["NV"]
    await bring_in(world, GOOD | {"national_id": world.numbers["An"]})
    plain = await world.ask("An")
    await world.approve("Chi", plain.id, how=How(many=True))


async def test_r02_nobody_is_left_without_a_decider_unseen(world: World) -> None:
    role = await head(world)
    own = await world.ask("Giang", world.draft(unit="NV"))  # Chi decides it; above her only Giang does
    other = await world.ask("An")
    async with world.db.read() as tx:
        outlook = await carried.outlook(tx, world.kit, role)
    assert outlook is not None
    assert (outlook.is_last, outlook.waiting, outlook.then, outlook.undecided) == (True, 2, "Đơn vị HUE", 1)
    with pytest.raises(Refusal) as refused:
        await world.end("Giang", role.id)
    assert (refused.value.code, refused.value.facts) == ("nobody_would_decide", {"count": 1})
    assert await world.states("Chi") == ["NV:active"]
    await world.end("Giang", role.id, how=How(confirmed=True))
    assert await manages(world, "Chi") == []
    assert {(await world.request(one.id)).status for one in (own, other)} == {"pending"}


async def test_the_last_day_of_the_last_manager_is_told_to_the_operator(world: World) -> None:
    async with world.db.write() as tx:
        days = Days(None, world.today)
        await managers.add(tx, world.kit, "NV-P", world.numbers["Eve"], by=None, now=world.now, days=days)
    before = raised["unit_without_manager"]
    world.pass_time(days=1)
    await world.roll()
    assert await manages(world, "Eve") == [] and raised["unit_without_manager"] == before + 1
