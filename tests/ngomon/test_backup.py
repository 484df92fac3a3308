"""A backup and back, and from SQLite to PostgreSQL: nothing missing, nothing changed unseen, nobody signed in (rule 1011)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text, update

from backend.account import Account
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.devices.models import Session
from backend.facts import UnitsImported
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import states, systems
from backend.outbox.models import Delivery, Link, System
from backend.outside.clock import Clock
from backend.outside.connectors import webhook
from backend.owed import queue
from backend.owed.models import Message
from backend.roles import desired
from backend.roles.models import Unit
from ngomon import backup, migrations, moving, sealed_file
from ngomon.admission import admit
from ngomon.commands import moving as moving_command
from ngomon.commands.backup import backup as command
from ngomon.commands.backup import restore
from ngomon.commands.wrong import Wrong
from ngomon.server import Busy, only_one
from tests import databases
from tests.parts.postgres import Postgres

NOW = Clock().now()


class Stopped(Exception):
    """Somebody has stopped it."""


class House:
    """One installation's keys, and a database with something of most kinds in it."""

    def __init__(self, url: str) -> None:
        self.url, self.secret = url, new_secret_key()
        self.keys = KeyRing.parse(self.secret)
        self.kit = Kit.of(self.keys, Limits())
        self.account, self.session = new_id(), new_id()

    async def fill(self) -> None:
        db = Database(self.url)
        await admit(db, self.keys, now=NOW)
        parent, child = sorted((new_id(), new_id()), reverse=True)  # a parent's key may be greater
        async with db.write() as tx:
            for key, above, path in ((parent, None, f"/{parent}/"), (child, parent, f"/{parent}/{child}/")):
                code = f"H{len(path)}"
                tx.add(
                    Unit(id=key, parent_id=above, code=code, name=code, folded=code, kind="agency", path=path)
                )
                await tx.flush()
            name = self.kit.keys.seal("accounts.full_name", self.account, "Nguyễn Thị Ngọc Ánh")
            tx.add(Account(id=self.account, full_name=name, role_version=3, created_at=NOW))
            await tx.flush()
            tx.add(
                Session(
                    id=self.session, account_id=self.account, kind="mobile", epoch=1, jkt="k",
                    access_hash=b"\0\xff", access_expires_at=NOW, absolute_expires_at=NOW + timedelta(days=1),
                    method="vneid", assurance_level=2, authenticated_at=NOW, device_platform="android",
                    device_name="Máy", device_model="M", created_at=NOW, last_seen_at=NOW,
                )
            )  # fmt: skip
            for kind, token in (("scim", "t"), ("webhook", webhook.Secrets(webhook.new_secret()).written())):
                system, _ = await systems.add(
                    tx, self.kit, name=kind, kind=kind, url="https://8.8.8.8", token=token, unit_codes=[],
                    people=desired.people_in_scope, by=None, now=NOW,
                )  # fmt: skip
                tx.add(
                    Link(system_id=system.id, account_id=self.account, delivered_version=3, state="synced")
                )
                tx.add(
                    Delivery(
                        system_id=system.id, account_id=self.account, version=2, lane=1, state="done",
                        not_before=NOW, next_at=NOW, created_at=NOW, changed_at=NOW, done_at=NOW,
                    )
                )  # fmt: skip
            queue.owe(tx, self.keys, queue.SMS, "recovered", account_id=self.account, content="0550", now=NOW)
            self.kit.journal.record(tx, UnitsImported(count=2), by=None, now=NOW)
        await db.close()

    async def change(self) -> None:
        db = Database(self.url)
        async with db.write() as tx:
            self.kit.journal.record(tx, UnitsImported(count=3), by=None, now=NOW)
        await db.close()


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes the address of an empty database."""
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        return lambda: part.new_database(f"b{new_id().hex}")
    return lambda: f"sqlite+aiosqlite:///{tmp_path}/restored.db"


@pytest.fixture
async def house(tmp_path: Path) -> House:
    found = House(databases.sqlite(tmp_path))
    await found.fill()
    return found


async def test_what_was_backed_up_comes_back_and_everything_outside_begins_again(
    house: House, other: Callable[[], str], tmp_path: Path
) -> None:
    file, key, source = tmp_path / "b", b"k" * 32, Database(house.url)
    end = await backup.dump(source, file, key, NOW)
    await source.close()
    assert file.stat().st_mode & 0o777 == 0o600 and b"8.8.8.8" not in file.read_bytes()
    begin, said = backup.verify(file, key)
    assert said == end and end.tables["units"][0] == 2 and begin.made_at == NOW
    db = Database(other())
    stranger = KeyRing.parse(new_secret_key())
    with pytest.raises(Exception, match="key missing"):
        await backup.restore(db, Kit.of(stranger, Limits()), stranger, file, key, NOW)
    await backup.restore(db, house.kit, house.keys, file, key, NOW)
    with pytest.raises(sealed_file.FileTrouble, match="not empty"):
        await backup.restore(db, house.kit, house.keys, file, key, NOW)
    async with db.read() as tx:
        session = await tx.get_one(Session, house.session)
        assert (session.end_reason, session.access_hash) == ("restored", b"\0\xff")
        account = await tx.get_one(Account, house.account)
        assert account.role_version == 3 + backup.AHEAD
        assert house.keys.open("accounts.full_name", account.id, account.full_name) == "Nguyễn Thị Ngọc Ánh"
        assert set(await tx.scalars(select(System.reconciled_at))) == {None}
        owed = (await tx.scalars(select(Message))).one()
        assert (owed.due_at, owed.outcome, owed.content) == (None, "dropped", None), "it may have left since"
        told = (
            await tx.execute(
                select(System.kind, Delivery.version).join(Delivery).where(Delivery.state == "pending")
            )
        ).all()
        assert [tuple(row) for row in told] == [("webhook", 3 + backup.AHEAD)]
        words = {one.system: one.state for one in await states.states_for_account(tx, account.id, NOW)}
        assert "synced" not in words.values(), "nobody has read since what systems hold"
        count, trouble = await house.kit.journal.verify(tx)
        assert (count, trouble) == (4, None)
    await db.close()


def test_a_backup_that_was_changed_cut_or_is_of_another_key_does_not_open(tmp_path: Path) -> None:
    file, key = tmp_path / "f", b"k" * 32
    with file.open("wb") as out:
        writer = sealed_file.SealingWriter(out, key)
        for number in range(60_000):
            writer.line(b"%d %d" % (number, hash((number, "x"))))
        writer.end()
    whole = file.read_bytes()
    assert len(whole) > sealed_file.CHUNK // 4
    with file.open("rb") as source:
        assert sum(1 for _ in sealed_file.lines(source, key)) == 60_000
    wrong = {
        "key": (whole, b"x" * 32),
        "changed": (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], key),
        "cut": (whole[:-1], key),
        "cut whole": (whole[: len(sealed_file.MAGIC) + 32], key),
        "another": (b"PK" + whole, key),
    }
    for what, (content, used) in wrong.items():
        file.write_bytes(content)
        with pytest.raises(sealed_file.FileTrouble), file.open("rb") as source:
            assert list(sealed_file.lines(source, used)), what


def test_an_operator_backs_up_verifies_and_restores(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGOMON_DATABASE_URL", house.url)
    monkeypatch.setenv("NGOMON_SECRET_KEYS", house.secret)
    file, key = str(tmp_path / "all.backup"), str(tmp_path / "key")
    run = CliRunner()

    def said(*words: str) -> str:
        return run.invoke(command, words, catch_exceptions=False).output

    with pytest.raises(Wrong, match="there is no key file"):
        said("verify", __file__, "--key-file", key)
    assert f"a new key was made: {key}" in said(file, "--key-file", key)
    assert "rows" in said(file, "--key-file", key)
    assert "is whole" in said("verify", file, "--key-file", key)
    with pytest.raises(Wrong, match="no backup of ours"):
        said("verify", __file__, "--key-file", key)
    monkeypatch.setenv("NGOMON_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new.db")
    restored = run.invoke(restore, [file, "--key-file", key, "--by", "Nguyễn Văn A"], catch_exceptions=False)
    assert "every session has ended" in restored.output
    with pytest.raises(Wrong, match="not empty"):
        run.invoke(restore, [file, "--key-file", key], catch_exceptions=False)


async def test_a_database_that_is_not_empty_keeps_its_schema(house: House, tmp_path: Path) -> None:
    file, key = tmp_path / "all.backup", b"k" * 32
    source = Database(house.url)
    await backup.dump(source, file, key, NOW)
    await source.close()
    for made in (
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        "CREATE TABLE somebody_elses (id INTEGER)",
    ):
        target = Database(f"sqlite+aiosqlite:///{tmp_path}/{len(made)}.db")
        async with target.write() as tx:
            await tx.execute(text(made))
            await tx.execute(text("CREATE TABLE units (id INTEGER)"))
            await tx.execute(text("INSERT INTO units VALUES (1)"))
            before = set(await tx.scalars(text("SELECT name FROM sqlite_master")))
        with pytest.raises(sealed_file.FileTrouble, match="not empty"):
            await backup.restore(target, house.kit, house.keys, file, key, NOW)
        async with target.read() as tx:
            assert set(await tx.scalars(text("SELECT name FROM sqlite_master"))) == before
        await target.close()


async def test_a_backup_says_the_schema_of_the_database_and_not_of_the_release(
    house: House, tmp_path: Path
) -> None:
    source, file = Database(house.url), tmp_path / "all.backup"
    await backup.dump(source, file, b"k" * 32, NOW)
    assert backup.verify(file, b"k" * 32)[0].schema == migrations.newest()
    async with source.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    with pytest.raises(sealed_file.FileTrouble, match="schema 0007"):
        await backup.dump(source, tmp_path / "other", b"k" * 32, NOW)
    await source.close()
    assert {path.name for path in tmp_path.iterdir() if "other" in path.name} == set()


async def test_sqlite_moves_to_postgresql_in_steps_that_may_be_stopped(
    house: House, postgres: Postgres
) -> None:
    source, target = Database(house.url), Database(postgres.new_database(f"m{new_id().hex}"))

    def pull_the_plug(table: str, _done: int, _total: int) -> None:
        if table == "links":
            raise Stopped

    with pytest.raises(Stopped):
        await moving.move(source, target, house.kit, pull_the_plug)
    counts = await moving.move(source, target, house.kit, lambda *_: None)
    assert (counts["units"], counts["links"], counts["journal"]) == (2, 2, 3)
    async with target.read() as tx:
        assert await tx.scalar(text("SELECT to_regclass('ngomon_moving')")) is None
        assert (await tx.get_one(Session, house.session)).access_hash == b"\0\xff"
    with pytest.raises(moving.MoveTrouble, match="not empty"):
        await moving.move(source, target, house.kit, lambda *_: None)
    with pytest.raises(moving.MoveTrouble, match="from SQLite"):
        await moving.move(target, source, house.kit, lambda *_: None)
    await target.close()
    await source.close()


async def test_a_move_notices_what_was_written_since_it_began_and_what_arrived_otherwise(
    house: House, postgres: Postgres
) -> None:
    source, target = Database(house.url), Database(postgres.new_database(f"m{new_id().hex}"))

    def pull_the_plug(table: str, _done: int, _total: int) -> None:
        if table == "units":
            raise Stopped

    with pytest.raises(Stopped):
        await moving.move(source, target, house.kit, pull_the_plug)
    async with target.write() as tx:
        await tx.execute(update(Account).values(role_version=4))
    with pytest.raises(moving.MoveTrouble, match="table accounts differs"):
        await moving.move(source, target, house.kit, lambda *_: None)
    await house.change()
    with pytest.raises(moving.MoveTrouble, match="has written to SQLite since"):
        await moving.move(source, target, house.kit, lambda *_: None)
    await target.close()
    await source.close()


def test_nothing_moves_while_a_server_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGOMON_DATABASE_URL", house.url)
    monkeypatch.setenv("NGOMON_SECRET_KEYS", house.secret)
    words = ["--to", "postgresql+asyncpg://postgres@127.0.0.1:9/nowhere"]
    with only_one(Database(house.url)), pytest.raises(Busy, match="another server or worker is running"):
        CliRunner().invoke(moving_command.migrate_store, words, catch_exceptions=False)
