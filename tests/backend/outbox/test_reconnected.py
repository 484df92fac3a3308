"""A system that is connected again at another address is another one: nothing of the old one speaks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from backend.outbox import systems
from backend.outbox.models import Delivery, System
from backend.outbox.reconcile import Comparison
from backend.outbox.systems import SystemTrouble
from backend.outside.connectors.webhook import Secrets, new_secret
from tests.backend.outbox.conftest import World
from tests.backend.outbox.proxy import Call, FaultProxy, Relay
from tests.parts.quirky import QuirkyScim


@pytest.fixture
def quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


async def moved(world: World, system: System, url: str) -> System:
    """Disabled, and connected again under its name at another address."""
    world.pass_time(seconds=1)
    async with world.db.write() as tx:
        await systems.disable(tx, world.kit, system.name, by=None, now=world.clock.now())
    return await world.system(url, token=None)


@pytest.mark.parametrize("leaves", [True, False])
async def test_rule_706_a_number_that_the_old_system_gave_adopts_nobody_at_the_new_one(
    world: World, quirky: QuirkyScim, leaves: bool
) -> None:
    system, account = await world.system(quirky.url("numbers"), token=None), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
        number = (await world.link(account)).remote_id
        director: dict[str, object] = {
            "id": number,
            "userName": "giamdoc@so.hue.example",
            "active": True,
            "meta": {},
        }
        quirky.world("plain").stores["Users"][str(number)] = dict(director)
        system = await moved(world, system, quirky.url("plain"))
        await world.decide(account, system, active=not leaves)
        await world.until_version(account, 2)
    assert quirky.world("plain").stores["Users"][str(number)] == director


async def test_rule_601_what_the_old_address_answers_is_not_said_of_the_new_one(
    world: World, quirky: QuirkyScim
) -> None:
    world.be_patient(lease=30)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(call: Call) -> None:
        if call.method == "POST":
            asked.set()
            await go_on.wait()

    async with FaultProxy(quirky.url("plain")) as proxy:
        proxy.before = slowly
        system = await world.system(f"{proxy.url}/plain/scim/v2", token=None)
        account = await world.person()
        async with world.working():
            await world.decide(account, system)
            await asyncio.wait_for(asked.wait(), 20)
            await moved(world, system, quirky.url("noconfig"))
            go_on.set()
            await world.until(account, "synced")
    assert [one["externalId"] for one in quirky.world("noconfig").users] == [str(account)]


async def test_rule_707_what_the_old_address_wants_no_more_the_new_one_does(
    world: World, quirky: QuirkyScim
) -> None:
    world.be_patient(lease=30)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def gone(_: Relay) -> bytes:
        asked.set()
        await go_on.wait()
        return b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    async with FaultProxy(quirky.url("plain")) as proxy:
        proxy.always = gone
        token = Secrets(new_secret()).written()
        system, account = await world.system(proxy.url, kind="webhook", token=token), await world.person()
        async with world.working():
            await world.decide(account, system)
            await asyncio.wait_for(asked.wait(), 20)
            await moved(world, system, quirky.url("plain"))
            go_on.set()
            await world.until(account, "synced")
            await asyncio.sleep(0.2)
    assert (await world.system_now(system)).disabled_at is None


async def test_rule_703_what_was_read_at_the_old_address_is_written_down_of_none(
    world: World, quirky: QuirkyScim
) -> None:
    system, account = await world.system(quirky.url("plain"), token=None), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    before = await world.system_now(system)
    await moved(world, system, quirky.url("noconfig"))
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="done"))  # or it would be said that it waits
    with pytest.raises(SystemTrouble, match="connected anew"):
        _ = [finding async for finding, _ in comparison.run(before)]
    assert (await world.link(account)).state == "unknown"
