"""Of several hosts of PostgreSQL the one that answers is asked first, and while none does one call asks (rule 913)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.engine import make_url

from backend import hosts
from backend.hosts import Hosts, NobodyAnswers
from backend.trouble import DatabaseAway, trouble_in
from tests import databases
from tests.parts.postgres import Postgres


class Door:
    """A host that is no database: it counts who knocks, and says nothing or hangs up."""

    def __init__(self, *, hangs_up: bool) -> None:
        self.knocks, self.port, self._hangs_up = 0, 0, hangs_up

    async def heard(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody knocks."""
        self.knocks += 1
        if self._hangs_up:
            writer.close()


@asynccontextmanager
async def door(*, hangs_up: bool) -> AsyncIterator[Door]:
    made = Door(hangs_up=hangs_up)
    server = await asyncio.start_server(made.heard, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@pytest.fixture
def cluster(_postgres: Postgres) -> Postgres:
    """With a database for us."""
    _postgres.start()
    databases.postgres(_postgres, "hosts")
    return _postgres


async def test_a_host_that_says_nothing_is_waited_for_once(
    cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(hangs_up=False) as silent:
        both = f"host=127.0.0.1:{silent.port}&host=127.0.0.1:{cluster.port}"
        address = f"postgresql+asyncpg://postgres@/hosts?{both}&target_session_attrs=read-write"
        monkeypatch.setattr(hosts, "CONNECT_SECONDS", 5.0)
        known = Hosts(make_url(address))
        monkeypatch.undo()
        for _ in range(3):
            connection = await known.connect()
            assert await connection.fetchval("SELECT current_setting('application_name')") == "ngomon"
            await connection.close()
        assert silent.knocks == 1


async def test_while_nobody_answers_one_call_asks_and_the_others_are_told_at_once() -> None:
    async with door(hangs_up=True) as away:
        known = Hosts(make_url(f"postgresql+asyncpg://postgres@127.0.0.1:{away.port}/nothing?ssl=disable"))
        with pytest.raises(Exception) as first:  # noqa: PT011 - which of asyncpg's errors it is depends on the moment
            await known.connect()
        assert isinstance(trouble_in(first.value), DatabaseAway)
        knocks = away.knocks
        for _ in range(20):
            with pytest.raises(NobodyAnswers) as told:
                await known.connect()
            assert isinstance(trouble_in(told.value), DatabaseAway)
        assert away.knocks == knocks == 1
        await asyncio.sleep(1.2 * hosts.REST)
        with pytest.raises(Exception) as again:  # noqa: PT011 - as above
            await known.connect()
        assert not isinstance(again.value, NobodyAnswers) and away.knocks == 2


async def test_of_many_that_come_at_once_after_the_rest_one_asks_and_the_first_answer_frees_all(
    cluster: Postgres,
) -> None:
    async with door(hangs_up=True) as away:
        known = Hosts(make_url(f"postgresql+asyncpg://postgres@127.0.0.1:{away.port}/hosts?ssl=disable"))
        for asked in (10, 11, 12):  # nobody has been refused when the first ten come
            told = await asyncio.gather(*(known.connect() for _ in range(10)), return_exceptions=True)
            assert all(isinstance(one, Exception) for one in told)
            assert away.knocks == asked, "one of ten asks, and nine are told"
            await asyncio.sleep(1.2 * hosts.REST)
    known._places = Hosts(make_url(f"postgresql+asyncpg://postgres@127.0.0.1:{cluster.port}/hosts"))._places
    for one in [await known.connect(), *await asyncio.gather(*(known.connect() for _ in range(3)))]:
        await one.close()
