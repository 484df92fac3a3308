"""`ngomon systems`, as an operator types it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from backend.account import Account
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox.models import Delivery
from backend.outside.clock import Clock
from backend.roles.models import Role, Unit
from ngomon.commands import Wrong
from ngomon.commands.systems import systems
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
    assert "1 still on their way" in ngomon("reconcile", "van-ban").output
    asyncio.run(_all_done(installation))
    assert (
        "1 people compared: 1 missing, 0 different, 0 extra; 1 queued"
        in ngomon("reconcile", "van-ban").output
    )
    assert "0 missing, 0 different, 0 extra; 0 queued" in ngomon("reconcile", "van-ban").output


async def _all_done(url: str) -> None:
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(update(Delivery).values(state="done"))
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
