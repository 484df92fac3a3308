"""`ngomon systems`, as an operator types it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from backend.account import Account
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.environment import load, with_keys
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox.bell import Bell
from backend.outbox.models import Delivery, Link
from backend.outbox.states import State
from backend.outside.clock import Clock
from backend.roles.models import Role, Unit
from ngomon.commands.systems import systems
from ngomon.commands.wrong import Wrong
from ngomon.tasks import outgoing, worker_of
from tests import databases
from tests.parts.scim import ScimServer

Command = Callable[..., Result]
TOKEN = ScimServer.token


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated database, and the settings that name it."""
    url, key = databases.sqlite(tmp_path), new_secret_key()
    for name, value in {
        "DATABASE_URL": url,
        "SECRET_KEYS": key,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }.items():
        monkeypatch.setenv(f"NGOMON_{name}", value)
    asyncio.run(_populate(url, key))
    return url


async def _populate(url: str, key: str) -> None:
    """Two agencies, and one person with a role in the first."""
    db, kit, now = Database(url), Kit.of(KeyRing.parse(key), Limits()), Clock().now()
    account_id, role_id, first, second = new_id(), new_id(), new_id(), new_id()
    async with db.write() as tx:
        for unit_id, code in ((first, "H57.01"), (second, "H57.02")):
            tx.add(
                Unit(
                    id=unit_id, code=code, name=f"Sở {code}", folded=code, kind="agency", path=f"/{unit_id}/"
                )
            )
        name = kit.keys.seal("accounts.full_name", account_id, "Nguyễn Thị Ngọc Ánh")
        tx.add(Account(id=account_id, full_name=name, role_version=1, created_at=now))
        await tx.flush()
        role = Role(
            id=role_id, account_id=account_id, unit_id=first, subject_type="cong_chuc", state="active"
        )
        role.position, role.from_on, role.request_id = "chuyen_vien", date(2026, 1, 1), new_id()
        role.fields = kit.keys.seal("roles.fields", role_id, "{}")
        tx.add(role)
    await db.close()


@pytest.fixture
def ngomon(installation: str) -> Command:
    """Runs one command; what it refuses is raised."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(systems, words, catch_exceptions=False, env={"COLUMNS": "200"})

    return run


def test_adding_tells_the_people_in_scope_and_never_shows_the_token(
    ngomon: Command, scim_server: ScimServer
) -> None:
    added = ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
    other = ngomon(
        "add", "mot-cua", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN, "--unit", "H57.02"
    )
    listed = ngomon("list")
    assert "van-ban connected; 1 people" in added.output
    assert "mot-cua connected; 0 people" in other.output
    assert "H57.02" in listed.output
    assert all(TOKEN not in said.output for said in (added, other, listed))


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("--kind", "csv", "--url", "https://8.8.8.8"), "not installed yet; there is: scim, ldap, webhook"),
        (("--kind", "webhook", "--url", "https://8.8.8.8", "--token", "t"), "has no --token"),
        (("--kind", "webhook", "--url", "https://8.8.8.8", "--secret", "whsec_c2hvcnQ="), "24 to 64 bytes"),
        (
            ("--kind", "scim", "--url", "https://8.8.8.8", "--secret", "whsec_x"),
            "is for systems of the kind webhook",
        ),
        (("--kind", "scim", "--url", "https://10.0.0.1"), "address is refused"),
        (("--kind", "scim", "--url", "http://127.0.0.1:9", "--unit", "H99"), "no unit with the code H99"),
    ],
)
def test_what_cannot_be_connected_is_one_line(ngomon: Command, words: tuple[str, ...], cause: str) -> None:
    with pytest.raises(Wrong, match=cause):
        ngomon("add", "van-ban", *words)
    assert "van-ban" not in ngomon("list").output


def test_comparing_lists_what_is_wrong_once(
    ngomon: Command, installation: str, scim_server: ScimServer
) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
    assert "waiting: 1" in ngomon("reconcile", "van-ban").output
    asyncio.run(_all_done(installation))
    for words in (("--dry-run",), ("--dry-run",), ()):
        said = ngomon("reconcile", "van-ban", *words).output
        assert all(line in said for line in ("drift: 1", "missing: 1", "different: 0", "foreign: 0")), said
    assert "drift: 0" in ngomon("reconcile", "van-ban").output


async def _all_done(url: str) -> None:
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(update(Delivery).values(state="done"))
    await db.close()


def test_o23_one_system_is_looked_at_paused_passed_over_and_taken_away(
    ngomon: Command, scim_server: ScimServer
) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
    (line,) = ngomon("deliveries", "van-ban").output.splitlines()
    delivery = line.split()[0]
    assert str(UUID(delivery)) == delivery and "pending" in line
    with pytest.raises(Wrong, match="skip wants --by NAME"):
        ngomon("skip", "van-ban", delivery, "--reason", "hai hồ sơ")
    assert (
        "skipped"
        in ngomon("skip", "van-ban", delivery, "--reason", "hai hồ sơ", "--by", "Nguyễn Văn A").output
    )
    assert "hai hồ sơ" in ngomon("deliveries", "van-ban", "--state", "skipped").output
    assert ngomon("deliveries", "van-ban", "--state", "dead").output == ""
    assert "paused until" in ngomon("pause", "van-ban", "--until", "2099-01-01T00:00:00+07:00").output
    shown = ngomon("show", "van-ban").output
    assert "circuit: paused by an operator until 01/01/2099" in shown
    assert all(f"{word}: " in shown for word in ("backlog", "oldest", "rate", "last error", "does not keep"))
    assert TOKEN not in shown
    assert "resumed" in ngomon("resume", "van-ban").output
    assert "wants a moment like" in ngomon("pause", "van-ban", "--until", "tomorrow").output
    with pytest.raises(Wrong, match="disable it first"):
        ngomon("remove", "van-ban")
    ngomon("disable", "van-ban")
    assert "0 deliveries to be tried again once it is connected" in ngomon("replay", "van-ban").output
    assert "removed; 0 people taken out, 0 left" in ngomon("remove", "van-ban").output
    assert "van-ban" not in ngomon("list").output


def test_deliveries_are_listed_by_every_state_that_phones_and_pages_say(
    ngomon: Command, installation: str, scim_server: ScimServer
) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)

    def listed() -> dict[str, int]:
        return {
            word: len(ngomon("deliveries", "van-ban", "--state", word).output.splitlines())
            for word in (*get_args(State), "cancelled")
        }

    nothing = dict.fromkeys(listed(), 0)
    assert listed() == nothing | {"pending": 1}
    ngomon("pause", "van-ban")
    assert listed() == nothing | {"paused": 1} and " paused " in ngomon("deliveries", "van-ban").output
    ngomon("resume", "van-ban")
    later = datetime.now(UTC) + timedelta(minutes=1)
    for row, link, word in (
        ({"not_before": later}, {}, "held"),
        ({"not_before": datetime.now(UTC), "attempts": 2}, {}, "retrying"),
        ({"state": "leased", "lease_until": later}, {}, "delivering"),
        ({"state": "done"}, {"state": "synced"}, "synced"),
        ({}, {"state": "drift"}, "drift"),
        ({"state": "cancelled"}, {}, "cancelled"),
    ):
        asyncio.run(_put(installation, row, link))
        assert listed() == nothing | {word: 1}, word


async def _put(url: str, row: Mapping[str, object], link: Mapping[str, object]) -> None:
    db = Database(url)
    async with db.write() as tx:
        for table, values in ((Delivery, row), (Link, link)):
            if values:
                await tx.execute(update(table).values(values))
    await db.close()


def test_whoever_a_removed_system_knows_is_taken_out_of_it_first(
    ngomon: Command, installation: str, scim_server: ScimServer
) -> None:
    for leave in (("--leave-people",), ()):
        ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
        asyncio.run(_delivered(installation))
        ngomon("disable", "van-ban")
        said = ngomon("remove", "van-ban", *leave).output
        assert ("0 people taken out, 1 left" if leave else "1 people taken out, 0 left") in said
        assert [user["active"] for user in scim_server.users()] == [bool(leave)]


def test_whoever_may_be_in_a_removed_system_is_taken_out_too(
    ngomon: Command, installation: str, scim_server: ScimServer
) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
    asyncio.run(_delivered(installation))
    asyncio.run(_unacknowledged(installation))
    ngomon("disable", "van-ban")
    assert "1 people taken out, 0 left" in ngomon("remove", "van-ban").output
    assert [user["active"] for user in scim_server.users()] == [False]


def test_a_system_out_of_reach_is_said_in_one_line_with_the_remedy_and_nothing_is_half_done(
    ngomon: Command, installation: str, scim_server: ScimServer
) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN)
    asyncio.run(_delivered(installation))
    ngomon("disable", "van-ban")
    scim_server.stop()
    with pytest.raises(Wrong) as refused:
        ngomon("remove", "van-ban")
    assert str(refused.value) == (
        "van-ban does not answer as it should (unreachable); 0 people are out, nothing is removed: "
        "try again, or leave the others in it with --leave-people"
    )
    assert "van-ban" in ngomon("list").output
    assert "removed; 0 people taken out, 1 left in it" in ngomon("remove", "van-ban", "--leave-people").output


def test_a_system_that_holds_nobody_is_not_asked_before_it_is_removed(
    ngomon: Command, scim_server: ScimServer
) -> None:
    ngomon("add", "mot-cua", "--kind", "scim", "--url", scim_server.url, "--token", TOKEN, "--unit", "H57.02")
    ngomon("disable", "mot-cua")
    scim_server.stop()
    assert "removed; 0 people taken out, 0 left in it" in ngomon("remove", "mot-cua").output


async def _unacknowledged(url: str) -> None:
    """As when the process dies between the system's answer and our note of it."""
    db = Database(url)
    async with db.write() as tx:
        lost = {"delivered_version": 0, "remote_id": None, "state": "unknown", "checked_at": None}
        await tx.execute(update(Link).values(**lost))
        await tx.execute(update(Delivery).values(state="pending", done_at=None))
    await db.close()


async def _delivered(url: str) -> None:
    """What a worker would do with what waits."""
    db = Database(url)
    settings = with_keys(load(os.environ, storage_only=True))
    kit = Kit.of(KeyRing.parse(settings.secret_keys), Limits())
    stop, http = asyncio.Event(), outgoing(settings)
    running = asyncio.create_task(worker_of(db, kit, Clock(), Bell(db), http).run(stop))
    try:
        async with asyncio.timeout(20):
            while True:
                async with db.read() as tx:
                    if set(await tx.scalars(select(Delivery.state))) == {"done"}:
                        return
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running
        await http.close()
        await db.close()


def test_replaying_and_disabling_say_what_they_did(ngomon: Command, scim_server: ScimServer) -> None:
    ngomon("add", "van-ban", "--kind", "scim", "--url", scim_server.url)
    assert "van-ban: 0 deliveries" in ngomon("replay", "van-ban").output
    assert "van-ban disabled" in ngomon("disable", "van-ban").output
    assert "disabled" in ngomon("list").output
    with pytest.raises(Wrong, match="is disabled"):
        ngomon("reconcile", "van-ban")
    with pytest.raises(Wrong, match="no system 'nobody'"):
        ngomon("replay", "nobody")
