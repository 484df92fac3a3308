"""A process goes on only with the keys of the data; nothing is called altered that cannot be checked (O16)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import delete, select, update

from backend.account import Account
from backend.appointment import Appointment
from backend.crypto import KeyMissing, KeyRing, KeyTrouble, new_secret_key
from backend.db import Database
from backend.environment import load
from backend.facts import AccountThawed, UnitsImported
from backend.journal import Entry, Head, KeyPrint, KeyRetired
from backend.kit import Kit
from backend.limits import Limits
from ngomon.admission import admit
from ngomon.app import create_app
from ngomon.migrations import migrate
from ngomon.rekey import rotate
from tests.ngomon.test_role_commands import STAFF, UNITS, Run, file, run

__all__ = ["file", "run"]
NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
COMMANDS = (
    ("units", "import", "FILE"),
    ("staff", "import", "PEOPLE"),
    ("managers", "list"),
    ("managers", "add", "--unit", "SNV", "--national-id", "000090000001"),
    ("systems", "list"),
    ("support", "desks", "list"),
    ("notices", "publish", "--title", "a", "--body", "b"),
    ("accounts", "thaw", "000090000001", "--by", "An", "--reason", "r"),
    ("accounts", "find", "000090000001"),
    ("keys", "rotate"),
    ("audit", "head"),
    ("audit", "verify"),
    ("migrate",),
    ("serve", "--port", "1"),
    ("worker",),
)


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """Commands that serve set the log up for their process, which is this one."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def kit_of(*keys: str) -> Kit:
    return Kit.of(KeyRing.parse(",".join(keys)), Limits())


async def filled(db: Database, kit: Kit) -> None:
    """An entry of the journal, and a sealed value."""
    async with db.write() as tx:
        row = uuid4()
        sealed = kit.keys.seal("accounts.full_name", row, "Nguyễn Văn Thử")
        tx.add(Account(id=row, full_name=sealed, created_at=NOW))
        kit.journal.record(tx, UnitsImported(count=1), by=None, now=NOW)


def test_o16_every_command_refuses_a_foreign_key_in_one_line(
    run: Run, file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, people = file(UNITS), tmp_path / "people.csv"
    people.write_text(STAFF)
    files = {"FILE": units, "PEOPLE": people}
    assert run("units", "import", units)[0] == 0
    right = os.environ["NGOMON_SECRET_KEYS"]
    missing = KeyRing.parse(right).newest.hex()
    monkeypatch.setenv("NGOMON_SECRET_KEYS", new_secret_key())
    for words in COMMANDS:
        code, out, err = run(*(files.get(word, word) for word in words))
        assert (code, out, err.count("\n")) == (1, "", 1), words
        assert f"key missing: {missing} is not in NGOMON_SECRET_KEYS" in err, words
        assert "altered" not in err
    assert run("audit", "verify")[2].startswith("ngomon: cannot check: key missing: ")
    assert run("keys", "new")[0] == 0, "what needs no data asks for no key"
    monkeypatch.setenv("NGOMON_SECRET_KEYS", right)
    assert run("audit", "verify")[1] == "journal is whole: 1 entries\n", "nothing was written meanwhile"


async def test_o16_a_server_with_another_key_does_not_come_up(tmp_path: Path) -> None:
    url, right = f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}", new_secret_key()
    await migrate(url, KeyRing.parse(right))
    app = create_app(load({"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": new_secret_key()}))
    with pytest.raises(ExceptionGroup) as stopped:
        async with app.litestar.lifespan():
            pass
    assert stopped.group_contains(KeyMissing)


async def test_o16_a_key_that_is_missing_is_refused_and_a_new_one_in_front_is_remembered(
    database: Database,
) -> None:
    first, second, third = (new_secret_key() for _ in range(3))
    await admit(database, KeyRing.parse(first), now=NOW)
    await filled(database, kit_of(first))
    await admit(
        database, KeyRing.parse(f"{first},{third}"), now=NOW
    )  # one that is only listed changes nothing
    await admit(database, KeyRing.parse(first), now=NOW)
    await admit(database, KeyRing.parse(f"{second},{first}"), now=NOW)
    for keys in (first, second, third, f"{third},{second}"):
        with pytest.raises(KeyMissing):
            await admit(database, KeyRing.parse(keys), now=NOW)
    async with database.read() as tx:
        assert await kit_of(second, first).journal.verify(tx) == (1, None), "the new key has sealed the head"
        assert len((await tx.scalars(select(KeyPrint))).all()) == 2


async def test_o16_another_key_of_the_same_identifier_is_not_the_key(database: Database) -> None:
    right = KeyRing.parse(new_secret_key())
    await admit(database, right, now=NOW)
    async with database.write() as tx:
        await tx.execute(update(KeyPrint).values(proof=b"x" * 32))
    with pytest.raises(KeyMissing):
        await admit(database, right, now=NOW)


async def test_o16_a_database_of_an_earlier_release_is_adopted_by_its_own_key_only(
    database: Database,
) -> None:
    right, wrong = new_secret_key(), new_secret_key()
    await filled(database, kit_of(right))  # no fingerprint stands there, as 0.2.0 leaves it
    with pytest.raises(KeyMissing):
        await admit(database, KeyRing.parse(wrong), now=NOW)
    with pytest.raises(KeyMissing):
        await admit(database, KeyRing.parse(f"{wrong},{new_secret_key()}"), now=NOW)
    async with database.read() as tx:
        assert (await tx.scalars(select(KeyPrint))).all() == []
    await admit(database, KeyRing.parse(right), now=NOW)
    with pytest.raises(KeyMissing):
        await admit(database, KeyRing.parse(wrong), now=NOW)


async def test_o16_the_migration_adopts_and_refuses(database: Database) -> None:
    right = new_secret_key()
    url = database.url.render_as_string(hide_password=False)
    async with database.write() as tx:  # sealed values, and a journal in which nothing stands
        row, keys = uuid4(), KeyRing.parse(right)
        tx.add(Account(id=row, full_name=keys.seal("accounts.full_name", row, "x"), created_at=NOW))
    with pytest.raises(KeyMissing):
        await migrate(url, KeyRing.parse(new_secret_key()))
    await migrate(url, keys)
    async with database.read() as tx:
        assert [row.key_id for row in await tx.scalars(select(KeyPrint))] == [keys.newest]


async def test_o16_adoption_opens_what_is_sealed_and_checks_the_head(database: Database) -> None:
    keys = KeyRing.parse(new_secret_key())
    foreign = KeyRing.parse(new_secret_key())
    async with database.write() as tx:  # the head was never sealed: only a value can tell
        row = uuid4()
        sealed = foreign.seal("accounts.full_name", row, "x")
        tx.add(Account(id=row, full_name=sealed, created_at=NOW))
    with pytest.raises(KeyMissing):
        await admit(database, keys, now=NOW)
    async with database.write() as tx:  # as if a foreign key had the same identifier
        await tx.execute(update(Account).values(full_name=sealed[:1] + keys.newest + sealed[5:]))
    with pytest.raises(KeyTrouble, match="nothing that is stored opens"):
        await admit(database, keys, now=NOW)
    async with database.write() as tx:
        await tx.execute(delete(Account))
        await tx.execute(update(Head).values(seq=3, seal=b"x" * 32, key_id=keys.newest))
    with pytest.raises(KeyTrouble, match="head is not one"):
        await admit(database, keys, now=NOW)


async def test_o16_entries_under_a_lost_key_cannot_be_checked_and_are_not_altered(database: Database) -> None:
    lost, right = new_secret_key(), new_secret_key()
    for kit in (kit_of(lost), kit_of(right, lost)):
        async with database.write() as tx:
            kit.journal.record(tx, AccountThawed(subject=uuid4()), by=None, now=NOW)
    alone = kit_of(right)
    await admit(database, alone.keys, now=NOW)  # everything sealed opens: an earlier release had rotated
    async with database.read() as tx:
        with pytest.raises(KeyMissing):
            await alone.journal.verify(tx)
    async with database.write() as tx:
        await tx.execute(update(Entry).where(Entry.seq == 1).values(key_id=b"none"))
    async with database.read() as tx:
        assert await alone.journal.verify(tx) == (0, "entry 1 was altered"), "a key that never was here"


def test_o16_a_demo_key_is_never_made_anew_beside_data(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NGOMON_SECRET_KEYS")
    database = tmp_path / "own.db"
    monkeypatch.setenv("NGOMON_DATABASE_URL", f"sqlite+aiosqlite:///{database}")
    assert run("migrate")[0] == 0
    keys = database.with_suffix(".keys")
    kept = keys.read_text()
    keys.unlink()
    code, out, err = run("migrate")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("ngomon: NGOMON_SECRET_KEYS: ") and str(keys) in err
    assert not keys.exists()
    keys.write_text(kept)
    assert run("migrate")[0] == 0


async def test_a12_a_key_that_was_given_up_may_be_missing_and_never_stands_first_again(
    database: Database,
) -> None:
    old, new = new_secret_key(), new_secret_key()
    await admit(database, KeyRing.parse(old), now=NOW)
    await filled(database, kit_of(old))
    both = kit_of(new, old)
    await admit(database, both.keys, now=NOW)
    await rotate(database, both, lambda *_: None, now=NOW)
    await admit(database, KeyRing.parse(new), now=NOW)
    await admit(database, both.keys, now=NOW)
    for keys in (old, f"{old},{new}"):
        with pytest.raises(KeyTrouble):
            await admit(database, KeyRing.parse(keys), now=NOW)
    for stale in (kit_of(old, new), kit_of(old)):  # processes that were not restarted
        with pytest.raises(KeyRetired):
            await filled(database, stale)


def test_a12_the_command_says_that_older_keys_may_go_and_names_what_does_not_open(
    run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("units", "import", file(UNITS))[0] == 0
    assert run("managers", "add", "--unit", "SNV", "--national-id", "000090000001")[0] == 0
    old, new = os.environ["NGOMON_SECRET_KEYS"], new_secret_key()
    assert run("keys", "rotate")[1].endswith("0 values sealed anew; none is left under an older key\n")

    async def spoilt(how: Callable[[bytes], bytes]) -> bytes:
        db = Database(os.environ["NGOMON_DATABASE_URL"])
        async with db.write() as tx:
            row = (await tx.scalars(select(Appointment))).one()
            was, row.national_id = row.national_id, how(row.national_id)
        await db.close()
        return was

    monkeypatch.setenv("NGOMON_SECRET_KEYS", f"{new},{old}")
    right = asyncio.run(spoilt(lambda value: value[:-1] + bytes([value[-1] ^ 1])))
    code, _, err = run("keys", "rotate")
    assert code == 1 and err == (
        "ngomon: a value of appointments.national_id opens with no listed key; what came before it is done\n"
    )
    asyncio.run(spoilt(lambda _: right))
    code, out, err = run("keys", "rotate", "--by", "Lê Văn An")
    assert (code, err) == (0, "") and "1 values sealed anew" in out
    assert "journal closed up to entry 2: older keys are given up" in out
    monkeypatch.setenv("NGOMON_SECRET_KEYS", new)
    assert run("audit", "verify")[1] == "journal is whole: 3 entries\n"
    assert "000******001" in run("managers", "list")[1]
    for keys in (old, f"{old},{new}"):
        monkeypatch.setenv("NGOMON_SECRET_KEYS", keys)
        assert run("managers", "list")[0] == 1
