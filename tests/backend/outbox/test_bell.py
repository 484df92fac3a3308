"""Waking those who wait, in one process and across processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from backend.db import Database
from backend.outbox import bell as bell_module
from backend.outbox import line
from backend.outbox.bell import DELIVERIES, REQUESTS, STATES, Bell, ring_after
from tests.backend.outbox.conftest import World
from tests.backend.outbox.proxy import FaultProxy
from tests.parts.processes import eventually, within


async def test_it_rings_after_the_commit_and_not_before(world: World) -> None:
    with world.bell.listener() as listener:
        async with world.db.write() as tx:
            ring_after(tx, REQUESTS)
            assert await listener.wait(0.05) == set()
        assert await listener.wait(1) == {REQUESTS}


async def test_it_does_not_ring_for_what_was_taken_back(world: World) -> None:
    with world.bell.listener() as listener:
        with contextlib.suppress(ZeroDivisionError):
            async with world.db.write() as tx:
                ring_after(tx, REQUESTS)
                raise ZeroDivisionError
        assert await listener.wait(0.05) == set()


async def test_whoever_is_busy_hears_each_topic_once_later(world: World) -> None:
    with world.bell.listener() as listener:
        for topic in (DELIVERIES, REQUESTS, DELIVERIES):
            world.bell.wake(topic)
        assert await listener.wait(1) == {DELIVERIES, REQUESTS}
        assert await listener.wait(0.01) == set()


async def ring(db: Database, topic: str) -> None:
    async with db.write() as tx:
        ring_after(tx, topic)


@asynccontextmanager
async def hearing(db: Database) -> AsyncIterator[tuple[Bell, list[str]]]:
    """Another process that listens, and what it has heard since it was ready."""
    heard: list[str] = []

    async def listen(bell: Bell) -> None:
        async for topic in bell.listen():
            heard[:] = [*heard, topic]

    async with Bell(db) as bell:
        listening = asyncio.create_task(listen(bell))
        await eventually(lambda: bell.crosses, what="a connection that listens")
        await eventually(
            lambda: set(heard) == {DELIVERIES, REQUESTS, STATES}, what="looking once at the start"
        )
        heard.clear()
        yield bell, heard
        listening.cancel()


async def cut(db: Database) -> None:
    """Every connection that listens is gone, as when the database's own machine is."""
    async with db.engine.begin() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
        )


async def test_it_leaves_with_the_commit_and_is_heard_in_another_process(on_postgres: World) -> None:
    async with another(on_postgres) as other, hearing(other) as (_, heard):
        with contextlib.suppress(ZeroDivisionError):
            async with on_postgres.db.write() as tx:
                ring_after(tx, DELIVERIES)
                raise ZeroDivisionError
        async with on_postgres.db.write() as tx:
            for topic in (STATES, f"{REQUESTS}:/a/b/", STATES):
                ring_after(tx, topic)
            await asyncio.sleep(0.2)
            assert heard == []
        await eventually(lambda: len(heard) >= 2, what="the other bell")
        assert sorted(heard) == [f"{REQUESTS}:/a/b/", STATES]  # each once, and nothing that was taken back


async def test_whoever_listens_hears_its_own_bell_once(on_postgres: World) -> None:
    heard: list[str] = []
    async with on_postgres.bell as bell:
        await eventually(lambda: bell.crosses, what="a connection that listens")
        with bell.listener() as listener:
            await ring(on_postgres.db, REQUESTS)
            async with another(on_postgres) as other:
                await ring(other, STATES)
            async with within(20, "the other's bell"):
                while STATES not in heard:
                    heard += await listener.wait(1)
    assert sorted(heard) == [REQUESTS, STATES]


async def test_a_lost_connection_comes_back_by_itself_and_what_was_missed_is_looked_for(
    on_postgres: World,
) -> None:
    async with another(on_postgres) as other, hearing(other) as (bell, heard):
        await cut(on_postgres.db)
        await eventually(lambda: REQUESTS in heard, what="looking again after the connection was lost")
        await eventually(lambda: bell.crosses, what="a connection that listens again")
        await asyncio.sleep(0.2)
        heard.clear()
        await ring(on_postgres.db, DELIVERIES)
        await eventually(lambda: heard == [DELIVERIES], what="the other bell again")


async def test_a_worker_is_woken_by_what_a_command_commits_and_polls_only_when_it_hears_nothing(
    on_postgres: World, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command has no bell, and the worker would look by itself after an hour."""
    world = on_postgres
    monkeypatch.setattr(line, "POLL", 3600.0)
    system, account = await world.system(proxy.url), await world.person()
    async with another(world) as other:
        beside = World(other)
        beside.states = world.states
        async with world.bell, world.working() as worker:
            await eventually(lambda: world.bell.crosses, what="a connection that listens")
            await world.decide(account, system)
            await world.until(account, "synced")
            del beside.bell  # as a command
            version = await beside.decide(account, system, title="Trưởng phòng")
            await world.until_version(account, version)
            await eventually(lambda: not worker._lines[system.id][0].turns, what="a line that is at rest")
            monkeypatch.setattr(bell_module, "RECONNECT_MOST", 0.5)
            await cut(other)
            version = await beside.decide(account, system, title="Phó Trưởng phòng")
            await world.until_version(account, version)


async def test_what_leaves_in_a_bell_names_nobody(on_postgres: World, proxy: FaultProxy) -> None:
    world, told = on_postgres, list[str]()
    system, account = await world.system(proxy.url), await world.person()
    address = world.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    await connection.add_listener("ngomon", lambda *said: told.append(str(said[3])))
    await world.decide(account, system)
    await eventually(lambda: told != [], what="the bell")
    assert told == [f"{world.bell.name}:{DELIVERIES}"]
    await connection.close()


@asynccontextmanager
async def another(world: World) -> AsyncIterator[Database]:
    """The same database as another process has it."""
    other = Database(world.db.url.render_as_string(hide_password=False))
    yield other
    await other.close()


async def test_what_another_process_commits_is_noticed_though_it_cannot_ring(
    on_sqlite: World, proxy: FaultProxy
) -> None:
    """A command beside the server: the worker asks its file whether anybody has written, and not the tables."""
    world = on_sqlite
    system, account = await world.system(proxy.url), await world.person()
    beside = World(Database(world.db.url.render_as_string(hide_password=False)))
    beside.states = world.states
    async with world.working() as worker:
        await world.decide(account, system)
        await world.until(account, "synced")
        at_rest = worker._lines[system.id][0]
        async with within(20, "a line that is at rest"):
            while not at_rest._is_quiet():
                await asyncio.sleep(0.05)
        version = await beside.decide(account, system, title="Trưởng phòng")
        await world.until_version(account, version)
    await beside.db.close()
