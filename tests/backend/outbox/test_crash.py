"""Workers in processes of their own that are killed or frozen in the middle of a delivery (TF08, TF09)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.backend.outbox.conftest import ROOT, World
from tests.backend.outbox.proxy import Call, FaultProxy, Relay
from tests.parts.scim import ScimServer


@asynccontextmanager
async def another_process(world: World, title: str) -> AsyncIterator[asyncio.subprocess.Process]:
    url = world.db.url.render_as_string(hide_password=False)
    words = ("-m", "tests.backend.outbox.lone_worker", url, world.key, title)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_worker_killed_before_it_could_acknowledge_leaves_one_effect(
    world: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    system, account = await world.system(proxy.url), await world.person()
    accepted = asyncio.Event()

    async def accept_and_say_nothing(relay: Relay) -> bytes:
        await relay()
        accepted.set()
        await asyncio.sleep(30)
        return b""

    proxy.faults = [accept_and_say_nothing]
    await world.decide(account, system, title="Trưởng phòng")
    async with another_process(world, "Trưởng phòng") as process, asyncio.timeout(40):
        await accepted.wait()
        process.kill()
        await process.wait()
    assert await world.word(account) in {"delivering", "pending"}
    async with world.working():
        await world.until(account, "synced")
    (user,) = scim_server.users()
    assert user["title"] == "Trưởng phòng"
    assert {len(group["members"]) for group in scim_server.groups()} == {1}
    assert (await world.facts()).count("sync.delivered") == 1


async def test_a_frozen_process_cannot_undo_what_another_did_since(
    on_postgres: World, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    world = on_postgres  # on SQLite there is no second worker process
    system, account = await world.system(proxy.url), await world.person()
    async with world.working():
        await world.decide(account, system, title="Chuyên viên")
        await world.until(account, "synced")
    asked, answer = asyncio.Event(), asyncio.Event()

    async def hold(_call: Call) -> None:
        if not asked.is_set():
            asked.set()
            await answer.wait()

    proxy.before = hold
    await world.decide(account, system, title="Cũ")
    async with another_process(world, "Cũ") as process, asyncio.timeout(60):
        await asked.wait()
        process.send_signal(signal.SIGSTOP)
        answer.set()
        async with world.working():
            await world.decide(account, system, title="Mới")
            await world.until(account, "synced")
            before = len(proxy.writes)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(1.5)
            assert len(proxy.writes) == before
    assert scim_server.users()[0]["title"] == "Mới"
    assert [row.state for row in await world.deliveries(account)] == ["done"] * 3
    assert (await world.link(account)).delivered_version == 3
