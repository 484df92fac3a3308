"""A real PgBouncer before PostgreSQL: by session everything works, by less it is refused in one line (case B34)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from backend import pooler as check
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.outbox.bell import REQUESTS, ring_after
from backend.pooler import PoolerBetween, expect_own_connections
from ngomon.migrations import begin
from tests import databases
from tests.ngomon.test_start import run
from tests.parts.command import Ended
from tests.parts.pgbouncer import PgBouncer
from tests.parts.postgres import Postgres
from tests.parts.processes import eventually, free_port
from tests.service import running

IGNORING = "ignore_startup_parameters = idle_in_transaction_session_timeout"


@contextmanager
def pooler(postgres: Postgres, mode: str, size: int, more: str = "") -> Iterator[PgBouncer]:
    """Running until the block ends."""
    between = PgBouncer(postgres, mode=mode, size=size, more=more)
    between.start()
    try:
        yield between
    finally:
        between.stop()


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("transaction", ""),
        ("transaction", IGNORING),
        ("transaction", "server_round_robin = 1"),
        ("statement", ""),
    ],
)
def test_b34_a_pooler_by_transaction_is_said_in_one_line(
    ended: Ended, postgres: Postgres, mode: str, more: str
) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    direct = databases.postgres(postgres, "pooled")
    asyncio.run(begin(direct, KeyRing.parse(keys["NGOMON_SECRET_KEYS"])))
    with pooler(postgres, mode, 3, more) as between:
        url = {"NGOMON_DATABASE_URL": between.url("pooled")} | keys
        for words in (["serve", "--port", "1"], ["worker"]):
            code, _, err = ended(*words, **url)
            assert (code, len(err.splitlines())) == (1, 1), err
            assert "PgBouncer" in err and "PostgreSQL itself" in err
        code, out, _ = ended("doctor", **url)
        assert code == 1
        assert "fail database: NGOMON_DATABASE_URL leads to a connection pooler" in out


def test_b34_what_a_role_is_given_at_its_start_hides_no_pooler(tmp_path: Path, postgres: Postgres) -> None:
    """The limit that we set may come from elsewhere, and is no proof that our words arrive. A process of its own."""
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    direct = databases.postgres(postgres, "limited")
    asyncio.run(begin(direct, KeyRing.parse(keys["NGOMON_SECRET_KEYS"])))
    asyncio.run(limited(direct))
    with pooler(postgres, "transaction", 3, IGNORING) as between:
        code, said = run(tmp_path, "worker", NGOMON_DATABASE_URL=between.url("limited"), **keys)
        assert (code, len(said)) == (1, 1), said
        assert "PostgreSQL itself" in said[0]


@pytest.mark.parametrize("more", ["server_round_robin = 1", "server_round_robin = 0"])
async def test_b34_a_pooler_that_hands_out_two_in_turn_is_found_out_each_time(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    """Two askers in turn then get the same connection each time, as if it were their own."""
    monkeypatch.setattr(check, "PATIENCE", 0.3)
    databases.postgres(postgres, "in_turn")
    with pooler(postgres, "transaction", 2, more) as between:
        await two_at_once(between.url("in_turn"))
        for _time in range(3):
            db = Database(between.url("in_turn"))
            with pytest.raises(PoolerBetween):
                await expect_own_connections(db.engine)
            await db.close()


async def test_b34_a_check_that_nobody_answers_is_not_passed() -> None:
    """Whoever asks next may find the way again, and a pooler on it."""
    db = Database(f"postgresql+asyncpg://postgres@127.0.0.1:{free_port()}/nothing")
    with pytest.raises(OSError, match="refused"):
        await expect_own_connections(db.engine)
    await db.close()


async def test_b34_behind_a_pooler_by_session_everything_works(postgres: Postgres) -> None:
    databases.postgres(postgres, "by_session")
    with pooler(postgres, "session", 60) as between:
        async with running(between.url("by_session")) as service:
            phone = await service.sign_in()
            assert (await phone.call("GET", "/v1/me")).status_code == 200
            bell = service.app.bell
            await eventually(lambda: bell.crosses, what="the bell that hears other processes")
            neighbour = Database(between.url("by_session"))
            with bell.listener(REQUESTS) as listener:
                async with neighbour.write() as tx:
                    ring_after(tx, REQUESTS)
                assert await listener.wait(5) == {REQUESTS}
            async with neighbour.write() as tx:
                told = await tx.scalar(text("SELECT current_setting('idle_in_transaction_session_timeout')"))
            assert told == "10s", "whoever freezes within a transaction keeps its locks for ten seconds"
            await neighbour.close()


async def limited(url: str) -> None:
    """Every connection of this database has the limit from PostgreSQL itself."""
    db = Database(url)
    words = "ALTER DATABASE limited SET idle_in_transaction_session_timeout = '10s'"
    async with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text(words))
    await db.close()


async def two_at_once(url: str) -> None:
    """From now on the pooler has two connections, both at rest."""
    both = [await asyncpg.connect(url.replace("+asyncpg", "")) for _ in range(2)]
    for words in ("BEGIN", "COMMIT"):
        for one in both:
            await one.execute(words)
    for one in both:
        await one.close()
