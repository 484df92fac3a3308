"""Waking those who wait, in one process and across processes."""

from __future__ import annotations

import asyncio
import contextlib

from backend.db import Database
from backend.outbox.bell import DELIVERIES, REQUESTS, Bell, ring_after
from tests.backend.outbox.conftest import World
from tests.parts.processes import eventually


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
