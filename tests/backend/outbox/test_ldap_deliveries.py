"""A directory as one of the downstream systems: connected by command, kept in step by the worker, compared."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from backend.crypto import new_secret_key
from backend.db import Database
from backend.outbox import systems
from backend.outbox.models import Delivery
from backend.outbox.reconcile import Comparison
from ngomon.commands.wrong import Wrong
from tests.backend.outbox.conftest import HUE, World
from tests.backend.outbox.test_commands import Command, installation, ngomon
from tests.backend.outbox.test_official_mail import connect
from tests.parts.directory import Directory

__all__ = ["installation", "ngomon"]  # fixtures
NAME = "thu-dien-tu"


async def test_tf16_a_decision_reaches_the_directory_across_a_restart(
    world: World, directory: Directory
) -> None:
    system = await connect(world, directory, NAME)
    account = await world.person()
    directory.ldap_down()
    async with world.working():
        await world.decide(account, system, email="anh@hue.example")
        await world.until_tried(account, 1)
        directory.ldap_up()
        await world.until(account, "synced", name=NAME)
        entry = directory.entry("anh@hue.example")
        assert entry["employeeNumber"] == [str(account)]
        assert directory.members(HUE.external_id) == entry["dn"]
        await world.decide(account, system, active=False)
        await world.until_version(account, 2)
    assert "title" not in directory.entry("anh@hue.example")
    assert entry["dn"][0] not in directory.members(HUE.external_id)


async def test_what_was_changed_in_the_directory_is_found_and_healed(
    world: World, directory: Directory
) -> None:
    system = await connect(world, directory, NAME)
    people = [await world.person() for _ in range(3)]
    for number, account in enumerate(people):
        await world.decide(account, system, email=f"p{number}@hue.example")
    async with world.working():
        for account in people:
            await world.until(account, "synced", name=NAME)
    assert set((await compared(world, NAME)).values()) == {"same"}
    directory.modify(
        f"dn: uid=p0,{directory.people_dn}\nchangetype: modify\nreplace: title\ntitle: Giám đốc\n\n"
        f"dn: uid=p1,{directory.people_dn}\nchangetype: delete\n"
    )
    found = await compared(world, NAME)
    assert [found[account] for account in people] == ["different", "missing", "same"]
    async with world.working():
        for account in people:
            await world.until(account, "synced", name=NAME)
    assert set((await compared(world, NAME)).values()) == {"same"}
    assert directory.entry("p0@hue.example")["title"] == ["Chuyên viên"]


async def compared(world: World, name: str) -> dict[object, str]:
    async with world.db.read() as tx:
        system = await systems.named(tx, name)
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    return {finding.account_id: finding.kind async for finding, _ in comparison.run(system)}


def test_a_directory_is_connected_by_command_and_never_shows_its_password(
    ngomon: Command, directory: Directory, installation: str
) -> None:
    added = ngomon("add", NAME, *directory.add_words, "--mail")
    listed = ngomon("list")
    assert f"{NAME} connected; 1 people" in added.output
    assert "ldap" in listed.output
    assert directory.password not in added.output + listed.output
    assert "waiting: 1" in ngomon("reconcile", NAME).output
    asyncio.run(_all_done(installation))
    assert "missing: 1" in ngomon("reconcile", NAME).output


async def _all_done(url: str) -> None:
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(update(Delivery).values(state="done"))
    await db.close()


BASE = ("--bind-dn", "cn=x,dc=hue", "--token", new_secret_key(), "--base-dn", "dc=hue")
HERE = ("--url", "ldap://127.0.0.1:9")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("--kind", "ldap", *HERE), "wants --bind-dn, --token"),
        (("--kind", "ldap", *HERE, *BASE[:2], *BASE[4:]), "wants --bind-dn, --token"),
        (("--kind", "ldap", *HERE, *BASE, "--people", "people"), "not a distinguished name: 'people,dc=hue'"),
        (("--kind", "ldap", *HERE, *BASE[:4], "--base-dn", " "), "not a distinguished name|is missing"),
        (
            ("--kind", "ldap", "--url", "ldap://8.8.8.8", *BASE),
            "must be ldaps to a public address at port 636",
        ),
        (("--kind", "ldap", "--url", "https://127.0.0.1", *BASE), "address is refused"),
        (
            ("--kind", "scim", "--url", "http://127.0.0.1:9", "--base-dn", "dc=hue"),
            "--base-dn is for systems of",
        ),
        (("--kind", "scim", "--url", "http://127.0.0.1:9", "--mail"), "only a directory"),
    ],
)
def test_what_cannot_be_a_directory_is_one_line(ngomon: Command, words: tuple[str, ...], cause: str) -> None:
    with pytest.raises(Wrong, match=cause):
        ngomon("add", NAME, *words)
    assert NAME not in ngomon("list").output
