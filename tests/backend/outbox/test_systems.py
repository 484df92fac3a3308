"""Connecting, disabling and comparing systems."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from backend.outbox import systems
from backend.outbox.models import Delivery, System
from backend.outbox.reconcile import Comparison, Finding
from backend.outbox.systems import SystemTrouble
from backend.outside.connectors import DeliveryError, GroupRef
from backend.outside.connectors.kinds import ConnectorMissing
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import World
from tests.parts.scim import ScimServer

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


async def compared(world: World, system: System) -> dict[object, Finding]:
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    return {finding.account_id: finding async for finding, _ in comparison.run(system)}


def change(server: ScimServer, path: str, **values: Any) -> None:
    operations = [{"op": "replace", "path": key, "value": value} for key, value in values.items()]
    server.request("PATCH", path, json={"schemas": [PATCH], "Operations": operations}).raise_for_status()


@pytest.mark.parametrize(
    ("kind", "url", "cause"),
    [
        ("sftp", "https://8.8.8.8", "there is: scim, ldap, webhook"),
        ("scim", "https://169.254.169.254/", "address is refused"),
        ("scim", "http://8.8.8.8/", "address is refused"),
        ("scim", "https://root:word@8.8.8.8/", "address is refused"),
        ("scim", "https://nobody.invalid/", "not known"),
        ("scim", "https://8.8.8.8/" + "a" * 500, "too long"),
    ],
)
async def test_what_cannot_be_reached_safely_is_refused_before_it_is_saved(
    kind: str, url: str, cause: str
) -> None:
    with pytest.raises((SystemTrouble, ConnectorMissing), match=cause):
        await systems.check(Guarded(), kind=kind, url=url)


async def test_the_token_is_sealed(world: World) -> None:
    system = await world.system("http://127.0.0.1:9", token="a-secret-token")
    assert system.token is not None
    assert b"a-secret-token" not in system.token
    assert world.kit.keys.open("systems.token", system.id, system.token) == "a-secret-token"


async def test_a_name_is_given_once(world: World) -> None:
    await world.system("http://127.0.0.1:9")
    with pytest.raises(SystemTrouble, match="already"):
        await world.system("http://127.0.0.1:9")


async def test_a_new_system_is_told_of_everybody_in_scope(world: World, scim_server: ScimServer) -> None:
    people = [await world.person() for _ in range(3)]
    for account in people:
        await world.decide(account)
    gone = await world.person()
    await world.decide(gone, active=False)
    await world.system(scim_server.url)
    async with world.working():
        for account in people:
            await world.until(account, "synced")
    assert {user["externalId"] for user in scim_server.users()} == {str(account) for account in people}


async def test_a_disabled_system_that_is_connected_again_catches_up(
    world: World, scim_server: ScimServer
) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
        async with world.db.write() as tx:
            await systems.disable(tx, world.kit, "van-ban", by=None, now=world.clock.now())
        with pytest.raises(SystemTrouble, match="disabled already"):
            async with world.db.write() as tx:
                await systems.disable(tx, world.kit, "van-ban", by=None, now=world.clock.now())
        await world.decide(account, active=False)
        await world.system(scim_server.url)
        await world.until(account, "synced")
    assert scim_server.users()[0]["active"] is False
    assert (await world.facts()).count("system.connected") == 2


async def test_a_comparison_finds_and_heals_everything_and_the_next_finds_nothing(
    world: World, scim_server: ScimServer
) -> None:
    system = await world.system(scim_server.url)
    same, missing, renamed, outside, extra = [await world.person() for _ in range(5)]
    async with world.working():
        for account in (same, missing, renamed, outside, extra):
            await world.decide(account, system)
            await world.until(account, "synced")
        await world.decide(extra, system, active=False)
        await world.until(extra, "synced")
    users = {user["externalId"]: user["id"] for user in scim_server.users()}
    scim_server.request("DELETE", f"/Users/{users[str(missing)]}").raise_for_status()
    change(scim_server, f"/Users/{users[str(renamed)]}", title="Giám đốc")
    change(scim_server, f"/Users/{users[str(extra)]}", active=True)
    leave = {"op": "remove", "path": f'members[value eq "{users[str(outside)]}"]'}
    for group in scim_server.groups():
        body = {"schemas": [PATCH], "Operations": [leave]}
        scim_server.request("PATCH", f"/Groups/{group['id']}", json=body).raise_for_status()

    found = await compared(world, system)
    assert {account: (one.kind, one.fields) for account, one in found.items()} == {
        same: ("same", ()),
        missing: ("missing", ()),
        renamed: ("different", ("title",)),
        outside: ("different", ("groups",)),
        extra: ("extra", ("active",)),
    }
    assert await world.word(renamed) == "drift"
    async with world.working():
        for account in (missing, renamed, outside, extra):
            await world.until(account, "synced")
    assert {one.kind for one in (await compared(world, system)).values()} == {"same"}
    assert next(u for u in scim_server.users() if u["externalId"] == str(extra))["active"] is False


async def test_what_is_on_its_way_is_not_called_wrong(world: World, scim_server: ScimServer) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    await world.decide(account, system, hold=10)
    assert (await compared(world, system))[account].kind == "waiting"


async def test_a_system_that_does_not_answer_cannot_be_compared(world: World) -> None:
    account = await world.person()
    await world.decide(account)
    system = await world.system("http://127.0.0.1:9")
    async with world.db.write() as tx:
        await tx.execute(delete(Delivery))
    with pytest.raises(DeliveryError) as refused:
        await compared(world, system)
    assert refused.value.code == "unreachable"


async def test_a_new_group_name_reaches_the_system(world: World, scim_server: ScimServer) -> None:
    system, account = await world.system(scim_server.url), await world.person()
    async with world.working():
        await world.decide(account, system, groups=[GroupRef("H57.01", "Văn phòng Sở Nội vụ")])
        await world.until(account, "synced")
        await world.decide(account, system, groups=[GroupRef("H57.01", "Văn phòng Sở Nội vụ mới")])
        await world.until(account, "synced")
    assert [group["displayName"] for group in scim_server.groups()] == ["Văn phòng Sở Nội vụ mới"]
