"""Waking those who wait, in one process and across processes."""

from __future__ import annotations

import asyncio
import contextlib

from backend.db import Database
from backend.outbox.bell import DELIVERIES, REQUESTS, Bell, ring_after
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
            world.bell.ring(topic)
        assert await listener.wait(1) == {DELIVERIES, REQUESTS}
        assert await listener.wait(0.01) == set()


async def test_it_is_heard_in_another_process_on_postgresql(on_postgres: World) -> None:
    other = Database(on_postgres.db.url.render_as_string(hide_password=False))
    heard: list[str] = []

    async def listen(bell: Bell) -> None:
        async for topic in bell.listen():
            heard[:] = [*heard, topic]

    async with on_postgres.bell, Bell(other) as bell:
        listening = asyncio.create_task(listen(bell))
        await eventually(lambda: on_postgres.bell.crosses and bell.crosses, what="both connections")
        on_postgres.bell.ring(REQUESTS)
        await eventually(lambda: heard == [REQUESTS], what="the other bell")
        async with on_postgres.db.engine.begin() as connection:
            await connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND (query LIKE 'LISTEN%' OR query LIKE 'SELECT pg_notify%')"
            )
        heard.clear()
        await eventually(lambda: REQUESTS in heard, what="looking again after the connection was lost")
        await eventually(lambda: on_postgres.bell.crosses and bell.crosses, what="both connections again")
        heard.clear()
        on_postgres.bell.ring(DELIVERIES)
        await eventually(lambda: DELIVERIES in heard, what="the other bell again")
        listening.cancel()
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
        line = worker._lines[system.id][0]
        async with within(20, "a line that is at rest"):
            while not line._is_quiet():
                await asyncio.sleep(0.05)
        version = await beside.decide(account, system, title="Trưởng phòng")
        await world.until_version(account, version)
    await beside.db.close()
