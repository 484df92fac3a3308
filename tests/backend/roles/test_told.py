"""What people are told waits as long as what systems are told: ten seconds of "Hoàn tác" (case R23)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.errors import Refusal
from backend.owed import queue
from backend.roles.movements import SEPARATION
from backend.support import notices
from tests.backend.roles.test_suspension import act
from tests.backend.roles.world import World


async def test_r23_approved_undone_rejected_within_ten_seconds_tells_only_the_last(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=3)
    await world.undo("Chi", asked.id)
    world.pass_time(seconds=3)
    await world.reject("Chi", asked.id)
    assert await world.told("An") == []
    world.pass_time(seconds=9)
    assert await world.told("An") == []
    world.pass_time(seconds=1)
    (told,) = await world.told("An")
    assert "không được duyệt" in told and "hiệu lực" not in told
    assert [delivery.state for delivery in await world.deliveries("An")] == ["cancelled"]


async def test_r23_rejected_undone_approved_tells_of_the_role_alone(world: World) -> None:
    asked = await world.ask("An")
    await world.reject("Chi", asked.id)
    world.pass_time(seconds=9)
    await world.undo("Chi", asked.id)
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=10)
    (told,) = await world.told("An")
    assert "bắt đầu có hiệu lực" in told


@pytest.mark.parametrize("act", ["amend", "transfer", "end", "ended_by_manager"])
async def test_r23_every_change_is_told_when_it_stands_and_never_when_it_was_taken_back(
    world: World, act: str
) -> None:
    role = await world.employ("An", "NV", "Chi")
    world.pass_time(minutes=1)
    before = await world.told("An")
    last = "Dũng" if act == "transfer" else "Chi"

    async def decided() -> object:
        if act == "ended_by_manager":
            return (await world.end("Chi", role.id)).id
        draft = world.draft(act, "TC" if act == "transfer" else None)
        asked = await world.ask("An", draft)
        if act == "transfer":
            await world.approve("Chi", asked.id)
        await world.approve(last, asked.id)
        return asked.id

    found = await decided()
    assert await world.told("An") == before
    await world.undo(last, found)  # type: ignore[arg-type]
    world.pass_time(minutes=1)
    assert await world.told("An") == before
    await world.approve(last, found)  # type: ignore[arg-type]
    world.pass_time(seconds=10)
    assert len(await world.told("An")) == len(before) + (2 if act == "transfer" else 1)


async def test_r23_a_word_about_a_day_to_come_is_told_and_the_day_itself_too(world: World) -> None:
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=1)))
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=10)
    assert ["đã được duyệt" in body for body in await world.told("An")] == [True]
    world.pass_time(days=1)
    await world.roll()
    assert ["hiệu lực" in body for body in await world.told("An")] == [False, True]


async def test_r23_what_is_not_told_yet_can_be_neither_read_nor_denied(world: World) -> None:
    async with world.db.write() as tx:
        due = world.now + timedelta(seconds=10)
        hidden = notices.tell(
            tx,
            world.kit,
            world.people["An"],
            "role_changed",
            now=world.now,
            due=due,
            unit="x",
            change="begun",
        )
    for deed in ("read", "deny"):
        async with world.db.write() as tx:
            with pytest.raises(Refusal, match="notice_not_found"):
                if deed == "read":
                    await notices.read(tx, hidden.id, by=world.people["An"], now=world.now)
                else:
                    await notices.deny(tx, world.kit, hidden.id, by=world.people["An"], now=world.now)
    world.pass_time(seconds=10)
    async with world.db.write() as tx:
        await notices.read(tx, hidden.id, by=world.people["An"], now=world.now)


async def test_r23_the_undo_ends_at_the_instant_at_which_everybody_is_told(world: World) -> None:
    asked = await world.ask("An")
    await world.reject("Chi", asked.id)
    world.pass_time(seconds=10)
    assert len(await world.told("An")) == 1
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)


async def test_r23_so_does_that_of_one_units_word(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=10)
    with pytest.raises(Refusal, match="undo_too_late"):
        await world.undo("Chi", asked.id)


async def test_r23_the_phone_knows_until_when_a_word_may_be_taken_back(world: World) -> None:
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    stands = world.now + timedelta(seconds=10)
    assert (await world.own("An", asked.id)).settled_at == stands
    (role,) = await world.roles_seen("An")
    assert (role.state, role.settled_at) == ("active", stands)
    await world.undo("Chi", asked.id)
    assert (await world.own("An", asked.id)).settled_at is None


async def due(world: World) -> list[str]:
    """What is to be pushed now; afterwards it has been."""
    now, until = world.now, world.now + timedelta(minutes=5)
    async with world.db.write() as tx:
        taken = await queue.take(tx, queue.PUSH, now=now, until=until, most=50)
        await tx.flush()
        for one in taken:
            await queue.settle(tx, one, queue.SENT, now=now)
        return [one.kind for one in taken]


async def test_r08_every_word_is_told_with_who_is_waited_for_and_pushed_once_it_stands(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    moved = await world.move("Chi", role.id, "TC")
    assert await due(world) == ["request_begun"], "the word of the first role may still be taken back"
    world.pass_time(seconds=11)
    assert (await due(world), await due(world)) == (["role_changed"], [])
    await world.reject("Dũng", moved.id)
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await world.approve("Chi", asked.id)
    await world.undo("Chi", asked.id)
    world.pass_time(seconds=11)
    assert await due(world) == ["request_decided"], "what was taken back reaches nobody"
    await world.approve("Chi", asked.id)
    world.pass_time(seconds=11)
    assert await due(world) == ["request_word"]
    assert "đang chờ Đơn vị TC" in (await world.told("An"))[-1]
    leaves = await act(world, "Chi", role.id, SEPARATION, on=world.today + timedelta(days=3))
    assert leaves.applied_at is None and "đã ấn định ngày kết thúc" in (await world.told("An"))[-1]
    assert await due(world) == ["role_changed"]
