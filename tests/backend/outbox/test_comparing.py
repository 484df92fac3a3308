"""What a comparison cannot read or prove is said and stops nothing; a night is not lost with its worker (rule 703)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from backend.outbox import nightly as nights
from backend.outbox import steering, systems
from backend.outbox.models import System
from backend.outbox.nightly import Nightly
from backend.outbox.reconcile import Finding
from backend.outbox.systems import SystemTrouble
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import HUE, World
from tests.backend.outbox.proxy import FaultProxy, everything, slow
from tests.backend.outbox.test_official_mail import connect
from tests.backend.outbox.test_steering import GROUP, PATCH, USER, comparison
from tests.parts.directory import Directory
from tests.parts.quirky import QuirkyScim
from tests.parts.scim import ScimServer

CROWD = 1500  # members of one group: about 130 KB


@pytest.fixture(scope="module")
def _quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


@pytest.fixture
def quirky(_quirky: QuirkyScim) -> QuirkyScim:
    """Every odd system, empty."""
    _quirky.worlds.clear()
    return _quirky


async def synced(world: World, system: System, **state: Any) -> Any:
    account = await world.person()
    await world.decide(account, system, **state)
    async with world.working():
        await world.until(account, "synced", name=system.name)
    return account


async def compared(world: World, system: System, *, dry: bool = False) -> list[Finding]:
    return [one async for one, _ in comparison(world, dry=dry).run(await world.system_now(system))]


def crowded(quirky: QuirkyScim, quirk: str, code: str) -> None:
    """A group of theirs or of ours that is far longer than any other reply."""
    members = [{"value": f"{number:036}", "display": "x" * 40} for number in range(CROWD)]
    made = {"id": code, "externalId": code, "displayName": code, "members": members, "schemas": [GROUP]}
    quirky.world(quirk).stores["Groups"][code] = made


def given_by_hand(quirky: QuirkyScim, quirk: str, code: str = HUE.external_id) -> None:
    held = quirky.world(quirk)
    held.stores["Users"]["by-hand"] = {"id": "by-hand", "userName": "admin", "schemas": [USER]}
    ours = next(one for one in held.stores["Groups"].values() if one["externalId"] == code)
    ours["members"].append({"value": "by-hand"})


@pytest.mark.parametrize("quirk", ["plain", "ignoremembersfilter"])
async def test_a_crowded_group_is_read_whole_and_the_rest_is_compared(
    world: World, quirky: QuirkyScim, quirk: str
) -> None:
    system = await world.system(quirky.url(quirk), token=None)
    account = await synced(world, system)
    crowded(quirky, quirk, "theirs")
    given_by_hand(quirky, quirk)
    looking = comparison(world)
    found = [one async for one, _ in looking.run(await world.system_now(system))]
    assert found == [Finding(account, "same"), Finding(None, "stranger", ("group H57.01",))]
    assert looking.foreign == 1
    assert [one.kind for one in await compared(world, system)] == ["same"]


async def test_a_group_beyond_every_bound_is_named_and_stops_nothing(
    world: World, quirky: QuirkyScim
) -> None:
    world.http = Guarded(["127.0.0.1"], list_bytes=65536)
    system = await world.system(quirky.url("plain"), token=None)
    account = await synced(world, system)
    given_by_hand(quirky, "plain")
    crowded(quirky, "plain", "H57.99")
    crowded(quirky, "plain", "theirs")
    found = await compared(world, system)
    assert Finding(account, "same") in found  # the filter on members is known to tell the truth
    assert Finding(None, "unreadable", ("group H57.99", "reply_too_large")) in found
    assert Finding(None, "stranger", ("group H57.01",)) in found
    assert len(found) == 3
    with capture_logs() as lines:
        await Nightly(world.db, world.clock, 60, lambda: comparison(world)).round(asyncio.Event())
        world.pass_time(seconds=61)
        await Nightly(world.db, world.clock, 60, lambda: comparison(world)).round(asyncio.Event())
    (line,) = [one for one in lines if one["event"] == "reconciled"]
    assert (line["compared"], line["drift"]) == (1, 0)
    (line,) = [one for one in lines if one["event"] == "reconciled_in_part"]
    assert (line["unread"], line["unproved"], line["log_level"]) == (1, 0, "warning")


async def test_where_only_members_tell_who_is_in_a_person_is_unreadable_and_the_next_is_compared(
    world: World, quirky: QuirkyScim
) -> None:
    world.http = Guarded(["127.0.0.1"], list_bytes=65536)
    system = await world.system(quirky.url("ignoremembersfilter"), token=None)
    account = await synced(world, system)
    crowded(quirky, "ignoremembersfilter", "H57.99")
    assert Finding(account, "unreadable", ("reply_too_large",)) in await compared(world, system)


async def test_a_right_that_cannot_be_taken_is_unproved_and_found_again(
    world: World, quirky: QuirkyScim
) -> None:
    system = await world.system(quirky.url("stickygroups"), token=None)
    await synced(world, system)
    given_by_hand(quirky, "stickygroups")
    for dry, fields in ((True, ("group H57.01",)), (False, ("group H57.01", "unproved"))):
        for _ in range(2):
            (stranger,) = [one for one in await compared(world, system, dry=dry) if one.kind == "stranger"]
            assert stranger.fields == fields


async def test_a_right_that_was_given_by_hand_in_a_directory_is_found_and_taken(
    world: World, directory: Directory
) -> None:
    system = await connect(world, directory)
    account = await synced(world, system, email="anh@hue.example")
    hand = directory.add_mail_user("hand@hue.example")
    group = f"cn={HUE.external_id},{directory.groups_dn}"
    directory.modify(f"dn: {group}\nchangetype: modify\nadd: member\nmember: {hand}\n")
    for dry in (True, False):
        found = await compared(world, system, dry=dry)
        assert found == [Finding(account, "same"), Finding(None, "stranger", ("group H57.01",))]
        assert (hand in directory.members(HUE.external_id)) is dry
    assert await compared(world, system) == [Finding(account, "same")]
    assert directory.members(HUE.external_id) == directory.entry("anh@hue.example")["dn"]


async def test_a_directorys_crowded_group_is_named_and_the_others_are_read(
    world: World, directory: Directory
) -> None:
    system = await connect(world, directory)
    account = await synced(world, system, email="anh@hue.example")
    hand = directory.add_mail_user("hand@hue.example")
    group = f"cn={HUE.external_id},{directory.groups_dn}"
    directory.modify(f"dn: {group}\nchangetype: modify\nadd: member\nmember: {hand}\n")
    crowd = "\n".join(f"member: cn={number:060},{directory.people_dn}" for number in range(800))
    directory.add(f"dn: cn=H57.99,{directory.groups_dn}\nobjectClass: groupOfNames\ncn: H57.99\n{crowd}\n")
    world.http = Guarded(["127.0.0.1"], list_bytes=65536)
    assert await compared(world, system) == [
        Finding(account, "same"),
        Finding(None, "unreadable", ("group H57.99", "reply_too_large")),
        Finding(None, "stranger", ("group H57.01",)),
    ]
    assert hand not in directory.members(HUE.external_id)


def stranger_at(scim_server: ScimServer) -> str:
    made = scim_server.request("POST", "/Users", json={"schemas": [USER], "userName": "admin"}).json()
    ours = next(one for one in scim_server.groups() if one["externalId"] == HUE.external_id)
    add = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    body = {"schemas": [PATCH], "Operations": [add]}
    scim_server.request("PATCH", f"/Groups/{ours['id']}", json=body).raise_for_status()
    return str(made["id"])


@pytest.mark.parametrize("act", ["pause", "disable", "remove"])
async def test_a_system_that_is_stopped_while_it_is_compared_keeps_its_rights(
    world: World, scim_server: ScimServer, act: str
) -> None:
    system = await world.system(scim_server.url)
    await synced(world, system)
    stranger, now = stranger_at(scim_server), world.clock.now()
    found = []
    async for finding, _ in comparison(world).run(await world.system_now(system)):
        found.append(finding)
        if len(found) > 1:
            continue
        async with world.db.write() as tx:
            if act == "pause":
                await steering.pause(tx, world.kit, "van-ban", until=None, by=None, now=now)
                continue
            await systems.disable(tx, world.kit, "van-ban", by=None, now=now)
            if act == "remove":
                await steering.remove(tx, world.kit, "van-ban", by=None, now=now)
    assert found[1:] == [Finding(None, "unreadable", ("groups", "stopped_meanwhile"))]
    assert any(stranger in str(one.get("members")) for one in scim_server.groups())
    assert (await world.facts()).count("system.reconciled") == (0 if act == "remove" else 1)


async def test_nobody_is_healed_at_a_system_that_was_disabled_while_it_was_compared(
    world: World, scim_server: ScimServer
) -> None:
    system = await world.system(scim_server.url)
    for _ in range(5):  # one more than are asked about at once
        await synced(world, system)
    scim_server.clear()
    with pytest.raises(SystemTrouble, match="meanwhile"):
        async for _ in comparison(world).run(await world.system_now(system)):
            if (await world.system_now(system)).disabled_at is None:
                async with world.db.write() as tx:
                    await systems.disable(tx, world.kit, "van-ban", by=None, now=world.clock.now())


async def test_a_night_whose_worker_dies_is_another_workers(world: World, scim_server: ScimServer) -> None:
    async with FaultProxy(scim_server.url) as proxy:
        system = await world.system(proxy.url)
        await synced(world, system)
        world.pass_time(hours=36)
        stop, asked = asyncio.Event(), asyncio.Event()
        both = [Nightly(world.db, world.clock, 86400, lambda: comparison(world)) for _ in "12"]

        async def noticed(_: object) -> None:
            asked.set()

        proxy.before, proxy.concerns, proxy.always = noticed, everything, slow(30)
        world.be_patient()
        dying = asyncio.create_task(both[0].round(stop))
        await asked.wait()
        dying.cancel()
        await asyncio.wait({dying})
        proxy.always, before = None, len(proxy.calls)
        await both[1].round(stop)  # it may be at work still
        assert len(proxy.calls) == before
        world.pass_time(seconds=nights.LEASE.total_seconds() + 1)
        await both[1].round(stop)
        assert (await world.facts()).count("system.reconciled") == 1


async def test_a_comparison_that_failed_is_tried_again_the_same_night_and_not_at_every_look(
    world: World, scim_server: ScimServer
) -> None:
    async with FaultProxy(scim_server.url) as proxy:
        system = await world.system(proxy.url)
        await synced(world, system)
        world.pass_time(hours=36)
        stop, nightly = asyncio.Event(), Nightly(world.db, world.clock, 86400, lambda: comparison(world))
        scim_server.stop()
        await nightly.round(stop)
        tried = len(proxy.calls)
        scim_server.start()
        await nightly.round(stop)
        assert len(proxy.calls) == tried > 0
        world.pass_time(seconds=nights.RETRY.total_seconds() + 1)
        await nightly.round(stop)
        assert (await world.facts()).count("system.reconciled") == 1


async def test_whoever_compares_keeps_the_lease_and_stops_when_it_is_gone(
    world: World, scim_server: ScimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "LEASE", timedelta(seconds=2))
    async with FaultProxy(scim_server.url) as proxy:
        system = await world.system(proxy.url)
        await synced(world, system)
        world.pass_time(hours=36)
        stop, both = asyncio.Event(), [
            Nightly(world.db, world.clock, 86400, lambda: comparison(world)) for _ in "12"
        ]  # fmt: skip
        world.be_patient()
        proxy.concerns, proxy.always = everything, slow(50)
        with capture_logs() as lines:
            comparing = asyncio.create_task(both[0].round(stop))
            while not (until := (await world.system_now(system)).comparing_until):
                await asyncio.sleep(0.01)
            while world.clock.now() < until:
                await asyncio.sleep(0.1)
            calls = len(proxy.calls)
            await both[1].round(stop)
            assert len(proxy.calls) == calls and not comparing.done()
            async with world.db.write() as tx:
                await tx.execute(update(System).values(comparing_until=None))  # somebody asks anew
            await asyncio.wait_for(comparing, 20)
        assert "comparison_lost" in [line["event"] for line in lines]
        assert (await world.facts()).count("system.reconciled") == 0
