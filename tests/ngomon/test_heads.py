"""The journal's head leaves the house, and what went from before it is found (A07)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import delete, text, update

from backend.chain import Mark
from backend.db import Database
from backend.facts import UnitsImported
from backend.journal import Entry, Head
from backend.kit import Kit
from ngomon.admission import admit
from ngomon.heads import Heads, leaving
from tests.ngomon.test_role_commands import UNITS, Run, file, run
from tests.parts.processes import eventually

__all__ = ["file", "run"]
NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


async def wrote(db: Database, kit: Kit, count: int) -> None:
    async with db.write() as tx:
        kit.journal.record(tx, UnitsImported(count=count), by=None, now=NOW)


def kept(path: Path) -> list[int]:
    return [Mark.parse(line.split()[1]).seq for line in path.read_text().splitlines()]


async def test_a07_the_head_leaves_at_the_start_while_running_and_at_the_end(
    database: Database, kit: Kit, tmp_path: Path
) -> None:
    path = tmp_path / "heads"
    await admit(database, kit.keys, now=NOW)
    await wrote(database, kit, 1)
    async with leaving(Heads(database, kit.journal, str(path)), every=0.05):
        await eventually(lambda: path.exists() and kept(path) == [1], what="the head at the start")
        await wrote(database, kit, 2)
        await eventually(lambda: kept(path) == [1, 2], what="the head while running")
        await asyncio.sleep(0.2)
        assert kept(path) == [1, 2], "a head that is there is not written again"
        async with leaving(Heads(database, kit.journal, str(path)), every=60):
            await wrote(database, kit, 3)
    assert kept(path) == [1, 2, 3], "nor by another process"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a07_the_log_has_each_head_once(database: Database, kit: Kit) -> None:
    await admit(database, kit.keys, now=NOW)
    heads = Heads(database, kit.journal, "")
    with structlog.testing.capture_logs() as lines:
        await heads.keep(told=True)
        for count in (1, 2):
            await wrote(database, kit, count)
            await heads.keep(told=True)
            await heads.keep(told=True)
    assert [(line["event"], Mark.parse(line["head"]).seq) for line in lines] == [
        ("journal_head", number) for number in (0, 1, 2)
    ]


async def test_a07_a_file_that_cannot_be_written_stops_nobody(
    database: Database, kit: Kit, tmp_path: Path
) -> None:
    await admit(database, kit.keys, now=NOW)
    await wrote(database, kit, 1)
    path = tmp_path / "away" / "heads"
    async with leaving(Heads(database, kit.journal, str(path)), every=0.02):
        await asyncio.sleep(0.1)
        path.parent.mkdir()
        await eventually(path.exists, what="the head after the folder was there")
    assert kept(path) == [1], "and it is tried again"


def changed(*statements: Any) -> None:
    """Somebody with the database alone."""

    async def change() -> None:
        db = Database(os.environ["NGOMON_DATABASE_URL"])
        async with db.write() as tx:
            for statement in statements:
                await tx.execute(statement)
        await db.close()

    asyncio.run(change())


def test_a07_a_tail_that_went_with_its_head_is_found_by_a_head_outside(
    run: Run, file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "heads"
    monkeypatch.setenv("NGOMON_JOURNAL_HEADS", str(path))
    run("units", "import", file(UNITS))
    early = run("audit", "head")[1].strip()
    assert kept(path) == [1]
    backup = Mark.parse(early)
    run("managers", "add", "--unit", "SNV", "--national-id", "000090000001")
    late = run("audit", "head")[1].strip()
    assert kept(path) == [1, 2], "a command that writes lets the head leave"
    assert (
        run("audit", "verify", "--since", early, "--since", late)[1]
        == "journal is whole: 2 entries, 2 kept heads among them\n"
    )
    assert (
        run("audit", "verify", "--since", path)[1] == "journal is whole: 2 entries, 2 kept heads among them\n"
    )
    old = {"seq": backup.seq, "hash": backup.hash, "key_id": backup.key_id, "seal": backup.seal}
    changed(delete(Entry).where(Entry.seq == 2), update(Head).values(**old))
    assert run("audit", "verify", "--since", early)[0] == 0
    for since in (late, path):
        code, _, err = run("audit", "verify", "--since", since)
        assert code == 1 and "the tail was cut after entry 1, entry 2 had been a head" in err
    for bad in ("nonsense", "1.a.b.c", tmp_path / "nowhere", late[:-1]):
        code, _, err = run("audit", "verify", "--since", bad)
        assert code == 1 and err.endswith("neither a head nor a file of heads\n")
    forged = str(backup._replace(seq=2))
    assert (
        run("audit", "verify", "--since", forged)[2]
        == "ngomon: head 2 was not made with this installation's keys\n"
    )


def test_a07_the_file_must_have_a_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "heads"):
        monkeypatch.setenv("NGOMON_JOURNAL_HEADS", str(path))
        assert (
            run("audit", "head")[2]
            == "ngomon: NGOMON_JOURNAL_HEADS: must be a file in a folder that is there\n"
        )


def test_a07_a_role_that_nobody_decided_is_found(run: Run, file: Callable[[str], Path]) -> None:
    run("units", "import", file(UNITS))
    assert run("audit", "verify")[0] == 0
    account, role = uuid4().hex, uuid4()
    changed(
        text(
            "INSERT INTO accounts (id, status, kind, full_name, assurance_level, vouched_by, differs, epoch, version, "
            f"role_version, created_at) VALUES ('{account}', 'active', 'citizen', x'00', 2, 'vneid', '', 0, 1, 0, '2026-01-01')"
        ),
        text(
            "INSERT INTO roles (id, account_id, unit_id, subject_type, position, fields, state, is_home, from_on, request_id) "
            f"SELECT '{role.hex}', '{account}', id, 'cong_chuc', 'chuyen_vien', x'00', 'active', 1, '2026-01-01', "
            f"'{uuid4().hex}' FROM units LIMIT 1"
        ),
    )
    code, _, err = run("audit", "verify")
    assert code == 1 and f"role without entry: {role} is active, and the journal does not say so" in err
