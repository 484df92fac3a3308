"""Days: what begins, changes and ends on its date in Huế, and what dies with a leaver."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.account import Account
from backend.errors import Refusal
from tests.backend.roles.world import World


async def versions(world: World, name: str) -> tuple[int, int]:
    async with world.db.read() as tx:
        account = await tx.get_one(Account, world.people[name])
        return account.version, account.role_version


async def test_a_role_begins_on_its_day_and_is_then_told(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=1)))
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:scheduled"]
    assert await world.deliveries("An") == []
    world.pass_time(hours=14)  # midnight in Huế
    assert await world.roll() == 1
    assert await world.states("An") == ["NV:active"]
    (delivery,) = await world.deliveries("An")
    assert (delivery.lane, delivery.not_before) == (1, world.now)


async def test_a_role_ends_after_its_last_day(world: World) -> None:
    await world.system("Văn bản")
    await world.employ("An", "NV", "Chi", until=world.today)
    world.pass_time(hours=13, minutes=59)
    assert await world.roll() == 0
    world.pass_time(minutes=1)
    assert await world.roll() == 1
    (role,) = await world.roles("An")
    assert (role.state, role.end_reason) == ("ended", "expired")
    assert [delivery.lane for delivery in await world.deliveries("An")] == [1, 0]


async def test_an_end_waits_for_its_day(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("end", effective_on=world.today + timedelta(days=3)))
    await world.approve("Chi", asked.id)
    world.pass_time(days=2)
    assert await world.roll() == 0
    world.pass_time(days=1)
    assert await world.roll() == 1
    (role,) = await world.roles("An")
    assert (role.state, role.ended_by_request) == ("ended", asked.id)


async def test_a_correction_waits_for_its_day(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    day = world.today + timedelta(days=3)
    asked = await world.ask("An", world.draft("amend", position="truong_phong", effective_on=day))
    await world.approve("Chi", asked.id)
    assert (await world.roles("An"))[0].position == "chuyen_vien"
    world.pass_time(days=3)
    await world.roll()
    assert (await world.roles("An"))[0].position == "truong_phong"


async def test_a_correction_of_what_has_ended_does_nothing(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask(
        "An", world.draft("amend", position="truong_phong", effective_on=world.today + timedelta(days=3))
    )
    await world.approve("Chi", asked.id)
    await world.end("Chi", role.id)
    world.pass_time(days=3)
    await world.roll()
    assert await world.roll() == 0
    (ended,) = await world.roles("An")
    assert (ended.state, ended.position) == ("ended", "chuyen_vien")


async def test_a_planned_role_is_cancelled_by_its_manager(world: World) -> None:
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=3)))
    await world.approve("Chi", asked.id)
    (role,) = await world.roles("An")
    await world.end("Chi", role.id, "Không nhận công tác")
    world.pass_time(days=4)
    assert await world.roll() == 0
    assert await world.states("An") == ["NV:ended"]
    await world.ask("An")


async def test_a_wait_past_the_last_day_cannot_be_approved(world: World) -> None:
    asked = await world.ask("An", world.draft(until=world.today + timedelta(days=1)))
    world.pass_time(days=2)
    with pytest.raises(Refusal, match="dates_passed"):
        await world.approve("Chi", asked.id)


async def test_a_late_approval_begins_the_role_today(world: World) -> None:
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=1)))
    world.pass_time(days=5)
    await world.approve("Chi", asked.id)
    (role,) = await world.roles("An")
    assert (role.state, role.from_on) == ("active", world.today)


async def test_every_change_makes_a_new_version_of_the_profile(world: World) -> None:
    before = await versions(world, "An")
    role = await world.employ("An", "NV", "Chi")
    began = await versions(world, "An")
    await world.end("Chi", role.id)
    ended = await versions(world, "An")
    assert before < began < ended
    assert [now[1] - then[1] for then, now in ((before, began), (began, ended))] == [1, 1]


@pytest.mark.parametrize(
    ("who", "code"), [("Eve", "role_not_found"), ("An", "own_request"), ("Giang", "role_not_found")]
)
async def test_only_the_units_manager_ends_a_role(world: World, who: str, code: str) -> None:
    role = await world.employ("An", "NV", "Chi")
    with pytest.raises(Refusal, match=code):
        await world.end(who, role.id)
    assert await world.states("An") == ["NV:active"]


async def test_a_role_ends_once(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await world.end("Chi", role.id)
    with pytest.raises(Refusal, match="role_changed"):
        await world.end("Chi", role.id)


async def test_an_open_correction_of_an_ended_role_cannot_be_approved(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("amend", position="truong_phong"))
    await world.end("Chi", role.id)
    with pytest.raises(Refusal, match="already_decided"):
        await world.approve("Chi", asked.id)
    assert (await world.request(asked.id)).status == "withdrawn"


async def test_a_leavers_revocation_goes_first_and_waits_for_the_undo(world: World) -> None:
    await world.system("Văn bản")
    role = await world.employ("An", "NV", "Chi")
    world.pass_time(minutes=1)
    await world.end("Chi", role.id)
    last = (await world.deliveries("An"))[-1]
    assert (last.lane, last.not_before) == (0, world.now + timedelta(seconds=10))


async def test_sessions_die_with_the_last_role(world: World) -> None:
    from backend.devices.models import Session

    role = await world.employ("An", "NV", "Chi")
    session_id = await world.signed_in("An")
    await world.end("Chi", role.id)
    async with world.db.read() as tx:
        session = (await tx.execute(select(Session).where(Session.id == session_id))).scalar_one()
        account = await tx.get_one(Account, world.people["An"])
    assert (session.ended_at, session.end_reason) == (world.now, "role_ended")
    assert account.active_session_id is None


async def test_a_transfer_keeps_the_sessions(world: World) -> None:
    from backend.devices.models import Session

    await world.employ("An", "NV", "Chi")
    session_id = await world.signed_in("An")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.approve("Dũng", asked.id)
    async with world.db.read() as tx:
        assert (await tx.get_one(Session, session_id)).ended_at is None
