"""One person's day that meets a mistake of ours holds up nobody else's, and is tried again (rules 612, 912)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.crypto import Unreadable
from backend.outbox import worker
from backend.outbox.bell import Bell
from backend.outbox.worker import Worker
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.roles import desired, timeline
from backend.roles.models import RoleRequest
from backend.trouble import OfOne
from tests.backend.roles.world import World


async def planned(world: World, name: str) -> UUID:
    """A correction of a person's role for the day after tomorrow."""
    await world.employ(name, "NV", "Chi")
    day = world.today + timedelta(days=2)
    asked = await world.ask(name, world.draft("amend", position="truong_phong", effective_on=day))
    await world.approve("Chi", asked.id)
    return asked.id


async def write(world: World, request: UUID, fields: bytes) -> bytes:
    """Into the sealed fields of a request; what stood there."""
    async with world.db.write() as tx:
        before = (await tx.get_one(RoleRequest, request)).fields
        await tx.execute(update(RoleRequest).where(RoleRequest.id == request).values(fields=fields))
    return before


async def positions(world: World) -> list[str]:
    return [(await world.roles(name))[0].position for name in ("An", "Bình")]


@asynccontextmanager
async def working(world: World) -> AsyncIterator[Clock]:
    """A worker beside the test; its clock."""
    clock, stop = Clock(), asyncio.Event()
    clock.ahead = world.now - datetime.now(UTC)
    http = Guarded()
    running = Worker(world.db, world.kit, desired.desired, timeline, clock, Bell(world.db), http)
    task = asyncio.create_task(running.run(stop))
    try:
        yield clock
    finally:
        stop.set()
        await task
        await http.close()


async def until(world: World, wanted: list[str]) -> None:
    async with asyncio.timeout(20):
        while await positions(world) != wanted:
            await asyncio.sleep(0.02)


async def test_what_cannot_be_read_of_one_stops_nobody_elses_day_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROLL", 0.02)
    ill, _ = await planned(world, "An"), await planned(world, "Bình")
    whole = await write(world, ill, b"nobody can read this")
    world.pass_time(days=2)
    async with working(world) as clock:
        await until(world, ["chuyen_vien", "truong_phong"])
        await write(world, ill, whole)
        clock.ahead += worker.HELD_UP
        await until(world, ["truong_phong", "truong_phong"])


async def test_whose_day_it_is_that_failed_is_said_and_nothing_of_it_stays(world: World) -> None:
    ill, _ = await planned(world, "An"), await planned(world, "Bình")
    whole = await write(world, ill, b"nobody can read this")
    world.pass_time(days=2)
    with pytest.raises(OfOne) as held:
        await world.roll()
    assert held.value.account_id == world.people["An"]
    assert isinstance(held.value.__cause__, Unreadable)
    assert await positions(world) == ["chuyen_vien", "chuyen_vien"]
    await write(world, ill, whole)


async def test_when_it_fails_with_everybody_it_is_no_one_persons_mistake(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HELD_UP_MOST", 1)
    ill = [await planned(world, name) for name in ("An", "Bình")]
    whole = [await write(world, one, b"nobody can read this") for one in ill]
    world.pass_time(days=2)
    clock = Clock()
    beside = Worker(world.db, world.kit, desired.desired, timeline, clock, Bell(world.db), Guarded())
    with pytest.raises(OfOne):
        await beside._roll(world.now)
    assert await positions(world) == ["chuyen_vien", "chuyen_vien"]
    for one, fields in zip(ill, whole, strict=True):
        await write(world, one, fields)
