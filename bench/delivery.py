"""What a delivery costs: the worker's CPU beside the connector's own calls, two workers, and a million rows of old.

The system answers at once, from a process of its own. "Engine" is the worker's CPU a delivery less what the same
connector needs alone for the same people, eight at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
import uvloop

from backend.outbox.delivery import target_of
from backend.outbox.models import System
from backend.outside.connectors import Errand, connect
from backend.outside.http import Guarded
from backend.roles import desired
from bench.cpu import cpu_seconds, tree
from bench.outbox_town import OutboxTown, outbox_town
from bench.results import record
from bench.town import ngomon
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens, scratch

POSITIONS = ("van_thu", "ke_toan")
IDLE = 2.0
AT_ONCE = 8
WARM = 32  # deliveries before the clock starts: connections, imports, first statements


@asynccontextmanager
async def sink() -> AsyncIterator[tuple[str, Part]]:
    """A system that answers at once; its address."""
    port = free_port()
    part = Part("bench-system", [sys.executable, "-m", "bench.system_sink", str(port)])
    part.start(lambda: listens(port), patience=60)
    try:
        yield f"http://127.0.0.1:{port}", part
    finally:
        part.stop()


async def alone(town: OutboxTown, url: str, kind: str, people: int) -> list[float]:
    """CPU ms a person of the connector without us, new and known."""
    system = await town.connect(f"alone-{kind}", url, kind)
    connector = await connect(kind, target_of(town.kit, system), Guarded(["127.0.0.1"]))
    remote: dict[str, str | None] = {}
    found = []
    for round_ in range(2):
        await town.promote(town.people[:people], POSITIONS[round_])
        async with town.db.read() as tx:
            wanted = (await desired.desired(tx, town.kit, town.people[:people], system)).values()
        places = asyncio.Semaphore(AT_ONCE)

        async def bring(one: Any) -> None:
            async with places:  # noqa: B023 - run before the next round
                errand = Errand(UUID(one.external_id), 1, always)
                receipt = await connector.apply(one, remote.get(one.external_id), errand)
                remote[one.external_id] = receipt.remote_id

        before = time.process_time()
        await asyncio.gather(*map(bring, wanted))
        found.append((time.process_time() - before) * 1000 / people)
    await connector.close()
    return found


async def always() -> bool:
    """The turn is ours."""
    return True


async def work_off(town: OutboxTown, system: System, workers: list[Part], position: str) -> dict[str, float]:
    """Decide about everybody, and wait until all is done: seconds and CPU."""
    pids = [pid for part in workers for pid in tree(part.pid)]
    await town.decide(system, town.people, position)
    used, began = sum(map(cpu_seconds, pids)), time.perf_counter()
    while left := await town.waiting(system):
        await asyncio.sleep(min(0.5, 0.02 + left / 2000))
    seconds = time.perf_counter() - began
    used = sum(map(cpu_seconds, pids)) - used
    count = len(town.people)
    return {"a_second": round(count / seconds, 1), "cpu_ms": round(used * 1000 / count, 2)}


async def measure(town: OutboxTown, words: argparse.Namespace, workers: int, rows: int) -> dict[str, Any]:
    """New and known people, brought by so many workers beside so many rows."""
    async with sink() as (url, _):
        place = f"{url}/hook" if words.kind == "webhook" else url
        system = await town.connect(f"s{workers}-{rows}", place, words.kind)
        await town.have_delivered(system, rows)
        parts = [Part(f"w{n}", ngomon("worker"), environment=town.environ) for n in range(workers)]
        try:
            for part in parts:
                part.start(lambda: True)
            people, town.people = town.people, town.people[:WARM]
            await work_off(town, system, parts, POSITIONS[1])
            town.people = people[WARM:]
            found = {
                name: await work_off(town, system, parts, POSITIONS[n])
                for n, name in enumerate(("new", "known"))
            }
            town.people = people
            idle = sum(map(cpu_seconds, (part.pid for part in parts)))
            await asyncio.sleep(IDLE)
            idle = sum(map(cpu_seconds, (part.pid for part in parts))) - idle
        finally:
            for part in parts:
                part.stop()
        async with httpx2.AsyncClient() as client:
            calls = sum((await client.get(f"{url}/calls")).json().values())
        return {"workers": workers, "rows": rows, **found, "idle_ms_a_second": round(idle * 1000 / IDLE, 1),
                "calls_a_delivery": round(calls / (2 * len(people) - WARM), 1)}  # fmt: skip


async def run(words: argparse.Namespace) -> None:
    """Everything asked for, one line each."""
    own = Postgres() if words.database == "postgresql" else None
    if own:
        own.start()
        url = own.new_database("bench")
    else:
        url = f"sqlite+aiosqlite:///{scratch('bench-delivery') / 'bench.db'}"
    async with outbox_town(url, words.people + WARM) as town, sink() as (there, _):
        place = f"{there}/hook" if words.kind == "webhook" else there
        calls = await alone(town, place, words.kind, min(words.people, 200))
        for rows in words.rows:
            for workers in words.workers:
                found = await measure(town, words, workers, rows)
                engine = {
                    f"engine_ms_{name}": round(found[name]["cpu_ms"] - calls[n], 2)
                    for n, name in enumerate(("new", "known"))
                }
                record(
                    "delivery", kind=words.kind, database=words.database, people=words.people, **found,
                    connector_ms=[round(one, 2) for one in calls], **engine,
                    load=round(os.getloadavg()[0], 1),
                )  # fmt: skip
    if own:
        own.stop()


def main(words: list[str]) -> None:
    """`python -m bench delivery`."""
    parser = argparse.ArgumentParser(prog="python -m bench delivery", description=__doc__)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kind", choices=("scim", "webhook"), default="scim")
    uvloop.run(run(parser.parse_args(words)))
