"""What is not whole is not used, and what is somebody's is not touched: backups and moves (rules 1011, 1012)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from backend.db import Database, new_id
from ngomon import backup, moving, sealed_file
from ngomon.commands import opened
from ngomon.commands.migrate import migrate
from ngomon.commands.wrong import Wrong
from tests import databases
from tests.ngomon.test_backup import NOW, House, Stopped
from tests.parts.postgres import Postgres


@pytest.fixture
async def house(tmp_path: Path) -> House:
    found = House(databases.sqlite(tmp_path))
    await found.fill()
    return found


async def test_rule_1012_nothing_runs_on_a_database_that_is_half_there(
    house: House, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = Database(house.url), Database(postgres.new_database(f"m{new_id().hex}"))

    def pull_the_plug(table: str, _done: int, _total: int) -> None:
        if table == "links":
            raise Stopped

    with pytest.raises(Stopped):
        await moving.move(source, target, house.kit, pull_the_plug)
    url = target.url.render_as_string(hide_password=False)
    await target.close()
    await source.close()
    monkeypatch.setenv("NGOMON_DATABASE_URL", url)
    monkeypatch.setenv("NGOMON_SECRET_KEYS", house.secret)
    ran = list[bool]()

    async def look(*_: object) -> None:
        ran.append(True)

    with pytest.raises(Wrong, match="migrate-store` again"):
        await asyncio.to_thread(opened, look, storage_only=True)
    assert ran == []


async def test_rule_1012_a_database_that_is_half_there_is_not_migrated(
    house: House, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would put the journal's head and the keys' prints where the move has still to put its own."""
    source, target = Database(house.url), Database(postgres.new_database(f"m{new_id().hex}"))

    def pull_the_plug(table: str, _done: int, _total: int) -> None:
        if table == "accounts":
            raise Stopped

    with pytest.raises(Stopped):
        await moving.move(source, target, house.kit, pull_the_plug)
    monkeypatch.setenv("NGOMON_DATABASE_URL", target.url.render_as_string(hide_password=False))
    monkeypatch.setenv("NGOMON_SECRET_KEYS", house.secret)
    ran = await asyncio.to_thread(CliRunner().invoke, migrate)
    assert isinstance(ran.exception, Wrong) and "migrate-store` again" in str(ran.exception)
    async with target.read() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM key_prints")) == 0
    await moving.move(source, target, house.kit, lambda *_: None)
    assert (await asyncio.to_thread(CliRunner().invoke, migrate)).exception is None
    await target.close()
    await source.close()


async def test_rule_1012_a_target_that_is_not_empty_keeps_its_schema(
    house: House, postgres: Postgres
) -> None:
    source, target = Database(house.url), Database(postgres.new_database(f"m{new_id().hex}"))
    async with target.write() as tx:
        await tx.execute(text("CREATE TABLE somebody_elses (id integer)"))
        await tx.execute(text("INSERT INTO somebody_elses VALUES (1)"))
    with pytest.raises(moving.MoveTrouble, match="not empty"):
        await moving.move(source, target, house.kit, lambda *_: None)
    async with target.read() as tx:
        tables = await tx.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        assert set(tables) == {"somebody_elses"}
    await target.close()
    await source.close()


async def test_rule_1011_of_two_backups_into_one_file_at_once_one_is_written_and_the_other_says_so(
    house: House, tmp_path: Path
) -> None:
    source, file, key = Database(house.url), tmp_path / "all.backup", b"k" * 32
    both = await asyncio.gather(
        *(backup.dump(source, file, key, NOW) for _ in range(2)), return_exceptions=True
    )
    (trouble,) = [one for one in both if isinstance(one, sealed_file.FileTrouble)]
    assert "is being written" in str(trouble)
    assert backup.verify(file, key)[1] in both
    await backup.dump(source, file, key, NOW)
    await source.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
