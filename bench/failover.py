"""PostgreSQL's primary dies under load, its standby is promoted: every acknowledged decision, and no restart of ours.

A real streaming standby (synchronous replication), two server processes, a worker, phones that call all the time and a
manager who approves in several windows. The primary is killed; after some seconds the standby is promoted. Our
processes find it by an address of two hosts, or behind a forwarder whose other end is moved (a virtual address).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from bench import verdict
from bench.cpu import cpu_seconds, tree
from bench.desk import TOKEN, VERSION, Desk
from bench.handset import Handset
from bench.office import FIRST, OLD, Office
from bench.results import record
from bench.town import Town, town_on
from bench.wire import Answer
from tests.parts.postgres import Postgres
from tests.parts.processes import free_port
from tests.parts.scim import ScimServer

WINDOWS = 4
PATIENCE = 240  # seconds until everything is said and delivered
UNAVAILABLE = 503


class Forwarder:
    """What stands at one address and leads to one of two: a virtual address, or a proxy. On a thread of its own."""

    def __init__(self, to: int) -> None:
        self.port, self.to = free_port(), to

    def start(self) -> None:
        """Until this process ends."""
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        await server.serve_forever()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.to)
            ways = (_pass_on(reader, there), _pass_on(there_reader, writer))
            await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
            there.close()
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()


class Load:
    """Everybody at work; what they were answered, and what no caller may be."""

    def __init__(self, office: Office, requests: list[str]) -> None:
        self.office, self.todo = office, list(reversed(requests))
        self.acknowledged: set[str] = set()
        self.answers: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.said_at: list[float] = []
        self.longest: dict[str, float] = {}  # seconds that one answer took, by what was asked and what came
        self.stop = asyncio.Event()

    async def went(self, what: str, asked: Awaitable[Answer], *right: int) -> tuple[Answer, bool]:
        """Count it and how long it took; whether it was done."""
        began = time.perf_counter()
        answer = await asked
        name = f"{what} {answer.status}"
        self.answers[name] += 1
        self.longest[name] = max(self.longest.get(name, 0), time.perf_counter() - began)
        if answer.status in right:
            return answer, True
        if answer.status != UNAVAILABLE or "retry-after" not in answer.headers:
            self.failed[name] += 1
        return answer, False

    async def phone(self, phone: Handset) -> None:
        """Looks again and again."""
        while not self.stop.is_set():
            for path in ("/v1/me", "/v1/roles", "/v1/role-requests"):
                await self.went("phone", phone.call("GET", path), 200)
                await asyncio.sleep(0.05)

    async def window(self, desk: Desk) -> None:
        """Says yes to one after the other, and again to what was not taken."""
        while self.todo:
            one = self.todo.pop()
            while not await self._approve(desk, one):
                await asyncio.sleep(0.2)

    async def _approve(self, desk: Desk, one: str) -> bool:
        path = f"/workspace/requests/{one}"
        shown, was_shown = await self.went("page", desk.open(path), 200)
        if not was_shown:
            return False
        token, version = TOKEN.search(shown.body), VERSION.search(shown.body)
        if token is None or version is None:
            return True  # decided: it was, though the answer did not say so
        form = f"_csrf={token[1].decode()}&version={version[1].decode()}&decision=approved&reason="
        asked = desk.wire.ask(
            "POST", f"{path}/decision", form, sec_fetch_site="same-origin", cookie=desk.cookie
        )
        said, was_said = await self.went("decision", asked, 303, 409)
        if was_said and said.status == 303:
            self.acknowledged.add(one)
            self.said_at.append(time.perf_counter())
        return said.status in {303, 409}


class Pair:
    """Primary and standby, and the address by which our processes find who writes."""

    def __init__(self, way: str) -> None:
        self.primary = Postgres()
        self.primary.start()
        self.primary.new_database("bench")
        self.standby = Postgres(standby_of=self.primary)
        self.standby.start()
        self.primary.wait_for_standby()
        self.forwarder = Forwarder(self.primary.port) if way == "forwarder" else None
        if self.forwarder:
            self.forwarder.start()

    @property
    def address(self) -> str:
        """For NGOMON_DATABASE_URL."""
        if self.forwarder:
            return f"postgresql+asyncpg://postgres@127.0.0.1:{self.forwarder.port}/bench"
        hosts = f"host=127.0.0.1:{self.primary.port}&host=127.0.0.1:{self.standby.port}"
        return f"postgresql+asyncpg://postgres@/bench?{hosts}&target_session_attrs=read-write"

    async def switch(self, gap: float) -> tuple[float, float]:
        """The primary dies, and after some seconds the other one writes: both moments."""
        await asyncio.to_thread(self.primary.kill)
        killed = time.perf_counter()
        await asyncio.sleep(gap)
        await asyncio.to_thread(self.standby.promote)
        if self.forwarder:
            self.forwarder.to = self.standby.port
        return killed, time.perf_counter()

    def stop(self) -> None:
        """Both gone."""
        self.standby.stop()
        self.primary.stop()


async def fail_over(load: Load, pair: Pair, gap: float, serving: Callable[[], float]) -> dict[str, Any]:
    """Half way through the decisions; how long nobody could decide, and the processor time that went into it."""
    half = len(load.todo) // 2
    while len(load.todo) > half:
        await asyncio.sleep(0.01)
    before = len(load.acknowledged)
    killed, promoted = await pair.switch(gap)
    used = serving()
    while not (later := [at for at in load.said_at if at > promoted]):
        await asyncio.sleep(0.01)
    return {
        "acknowledged_before_the_kill": before,
        "promoted_after_s": round(promoted - killed, 1),
        "decided_again_after_s": round(min(later) - promoted, 2),
        "cpu_of_servers_until_then_s": round(serving() - used, 2),
    }


async def drilled(town: Town, pair: Pair, words: argparse.Namespace, scim: ScimServer) -> dict[str, Any]:
    """The whole of it on one town."""
    office = Office(town, scim)
    await office.open(words.people)
    town.worker.start(lambda: True)
    requests = await office.register()
    load = Load(office, requests)
    pids = (town.server.pid, town.worker.pid)
    calling = [asyncio.create_task(load.phone(phone)) for phone in office.phones[: words.phones]]
    deciding = [asyncio.create_task(load.window(office.desks[OLD].another())) for _ in range(WINDOWS)]
    async with asyncio.timeout(PATIENCE):
        gone = await fail_over(load, pair, words.gap, lambda: sum(map(cpu_seconds, tree(town.server.pid))))
        await asyncio.gather(*deciding)
    database = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{pair.standby.port}/bench")
    begun = time.perf_counter()
    while await verdict.waiting(database) and time.perf_counter() - begun < PATIENCE:
        await asyncio.sleep(0.2)
    drained = round(time.perf_counter() - begun, 1)
    load.stop.set()
    await asyncio.gather(*calling)
    found = await verdict.decisions(database, requests, load.acknowledged)
    await database.close()
    held = await verdict.downstream(office, dict.fromkeys(office.accounts, OLD))
    return gone | {
        "decisions": len(requests), "acknowledged": len(load.acknowledged),
        "answers": dict(sorted(load.answers.items())), "failed": dict(load.failed),
        "longest_s": {name: round(value, 2) for name, value in sorted(load.longest.items())},
        "restarted_by_somebody": pids != (town.server.pid, town.worker.pid), "drained_in_s": drained,
    } | found | held | {"broken_invariants": await verdict.invariants(town)}  # fmt: skip


async def measure(words: argparse.Namespace, way: str) -> dict[str, Any]:
    """One failover; `way` is how our processes find who writes."""
    scim, pair = ScimServer(), Pair(way)
    scim.start()
    environ = {"NGOMON_LIMIT_UNDO_WINDOW": "2", "NGOMON_LIMIT_RETRY_FIRST": "1"}
    try:
        async with town_on(pair.address, people=words.people + FIRST, workers=2, **environ) as town:
            return await drilled(town, pair, words, scim)
    finally:
        scim.stop()
        pair.stop()


def main(words: list[str]) -> None:
    """`python -m bench failover`."""
    parser = argparse.ArgumentParser(prog="python -m bench failover", description=__doc__)
    parser.add_argument("--people", type=int, default=60, help="who is decided about")
    parser.add_argument("--phones", type=int, default=20, help="that call all the time")
    parser.add_argument("--gap", type=float, default=3, help="seconds from the death to the promotion")
    parser.add_argument("--ways", nargs="+", choices=("hosts", "forwarder"), default=["hosts", "forwarder"])
    given = parser.parse_args(words)
    for way in given.ways:
        found = asyncio.run(measure(given, way))
        record("failover", way=way, phones=given.phones, **found, load=round(os.getloadavg()[0], 1))
