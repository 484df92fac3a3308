"""A system that holds everybody is compared by `ngomon systems reconcile`: seconds, memory, and what it finds (O08).

Some of what it holds is changed behind our back, in three ways. The first comparison finds just that, the worker heals
it, and a second one finds nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from typing import Any

import httpx2
import uvloop

from bench.delivery import sink
from bench.imports import measured
from bench.known import fill, patch
from bench.outbox_town import OutboxTown, outbox_town
from bench.results import record
from bench.town import ngomon
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, scratch

CHANGED = 30  # people, a third of them in each way
PATIENCE = 120


async def change(town: OutboxTown, names: dict[Any, str], url: str) -> int:
    """Another title, switched off, put into a group that is not theirs; how many people."""
    async with httpx2.AsyncClient(base_url=url) as client:
        groups = (await client.get("/Groups")).json()["Resources"]
        members = {group["id"]: {one["value"] for one in group.get("members", [])} for group in groups}
        for number, one in enumerate(town.people[:CHANGED]):
            if number % 3 == 0:
                await patch(client, f"/Users/{names[one]}", "replace", "title", "tự sửa")
            elif number % 3 == 1:
                await patch(client, f"/Users/{names[one]}", "replace", "active", False)
            else:
                other = next(group for group, there in members.items() if names[one] not in there)
                await patch(client, f"/Groups/{other}", "add", "members", [{"value": names[one]}])
    return CHANGED


async def compared(town: OutboxTown, name: str) -> dict[str, Any]:
    """The command, as an operator gives it."""
    environ = os.environ | town.environ
    found = await asyncio.to_thread(measured, ngomon("systems", "reconcile", name), environ, keep=True)
    lines = (line.removeprefix(f"{name}: ") for line in found.pop("said").splitlines())
    said = dict(line.split(": ", 1) for line in lines if line.count(": ") == 1)
    return found | {
        kind: said.get(kind) for kind in ("compared", "drift", "missing", "different", "stranger")
    }


async def healed(town: OutboxTown, system: Any) -> float:
    """Seconds until the worker has brought what was queued."""
    worker, began = Part("w", ngomon("worker"), environment=town.environ), time.perf_counter()
    worker.start(lambda: True)
    try:
        async with asyncio.timeout(PATIENCE):
            while await town.waiting(system):
                await asyncio.sleep(0.1)
        return round(time.perf_counter() - began, 1)
    finally:
        worker.stop()


async def run(words: argparse.Namespace) -> None:
    """On one fresh database."""
    own = Postgres() if words.database == "postgresql" else None
    if own:
        own.start()
        url = own.new_database("bench")
    else:
        url = f"sqlite+aiosqlite:///{scratch('bench-reconcile') / 'bench.db'}"
    try:
        async with outbox_town(url, words.people) as town, sink() as (there, _):
            system = await town.connect("kho", there)
            names = await fill(town, system, there)
            planted = await change(town, names, there)
            found = await compared(town, "kho")
            seconds = await healed(town, system)
            again = await compared(town, "kho")
    finally:
        if own:
            own.stop()
    record(
        "reconcile", database=words.database, people=words.people, planted=planted,
        found=found, healed_in_s=seconds, again=again, load=round(os.getloadavg()[0], 1),
    )  # fmt: skip


def main(words: list[str]) -> None:
    """`python -m bench reconcile`."""
    parser = argparse.ArgumentParser(prog="python -m bench reconcile", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    uvloop.run(run(parser.parse_args(words)))
