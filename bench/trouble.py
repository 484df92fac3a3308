"""Role changes to three systems that have bad hours, while the workers are killed: nothing lost, doubled, reordered.

Two SCIM systems and a webhook answer 500 and 429, cut connections before and after they have applied, and apply without
an answer. Every change gives the person a staff code with the change's number, so that each system can tell the order.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import msgspec
import uvloop
from sqlalchemy import select, update

from backend.account import Account
from backend.outbox import queue
from backend.outbox.bell import DELIVERIES, ring_after
from backend.outbox.models import System
from backend.roles.models import Role
from bench.killer import Killer
from bench.outbox_town import OutboxTown, outbox_town
from bench.results import record
from bench.town import ngomon
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens

LIMITS = {
    "NGOMON_LIMIT_LEASE": "3",
    "NGOMON_LIMIT_RETRY_FIRST": "1",
    "NGOMON_LIMIT_RETRY_MOST": "8",
    "NGOMON_LIMIT_DELIVERY_TIMEOUT": "2",
    "NGOMON_LIMIT_DELIVERY_ATTEMPTS": "40",
}
KINDS = ("scim", "scim", "webhook")
AT_ONCE = 20  # people whose roles change in one transaction
DONE = "SELECT count(*) FROM deliveries WHERE state = 'done'"
STATES = "SELECT state, count(*) AS many FROM deliveries GROUP BY state"
AHEAD = "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'leased')"
TWICE = """SELECT count(*) FROM (SELECT 1 FROM journal WHERE tag = 'sync.delivered'
           GROUP BY subject, fact::json->>'system', fact::json->>'version' HAVING count(*) > 1) twice"""
LEFT_OUT = """SELECT count(*) FROM accounts a CROSS JOIN systems s LEFT JOIN links l
              ON l.account_id = a.id AND l.system_id = s.id
              WHERE l.delivered_version IS DISTINCT FROM a.role_version"""


class Hours:
    """The town, its systems, and the changes."""

    def __init__(self, town: OutboxTown, systems: list[System], database: Any) -> None:
        self.town, self.systems, self.database = town, systems, database
        self.newest: dict[UUID, int] = {}

    async def change(self, people: list[UUID], number: int) -> None:
        """Another staff code for each, told to every system."""
        keys, now = self.town.kit.keys, datetime.now(UTC)
        async with self.town.db.write() as tx:
            roles = (
                await tx.execute(select(Role.id, Role.account_id).where(Role.account_id.in_(people)))
            ).all()
            for row in roles:
                form = msgspec.json.encode({"employee_code": f"CB-{number}"}).decode()
                sealed = keys.seal("roles.fields", row.id, form)
                await tx.execute(update(Role).where(Role.id == row.id).values(fields=sealed))
            ahead = update(Account).where(Account.id.in_(people))
            moved = ahead.values(role_version=Account.role_version + 1)
            rows = (await tx.execute(moved.returning(Account.id, Account.role_version))).all()
            wanted = [(system.id, row[0], row[1]) for system in self.systems for row in rows]
            await queue.write(tx, wanted, lane=queue.DECISION, due=now, now=now, request_id=None)
            ring_after(tx, DELIVERIES)
        self.newest |= dict.fromkeys(people, number)

    async def rain(self, changes: int, chance: random.Random, most_waiting: int) -> None:
        """So many changes of random people; not so fast that all of a person's become one."""
        for number in range(0, changes, AT_ONCE):
            await self.change(chance.sample(self.town.people, AT_ONCE), number)
            while await self.database.fetchval(AHEAD) > most_waiting:
                await asyncio.sleep(0.05)

    async def drain(self, patience: float) -> float:
        """Nobody is killed any more: seconds until nothing waits."""
        began = time.perf_counter()
        while await self.database.fetchval(AHEAD) and time.perf_counter() - began < patience:
            await asyncio.sleep(0.2)
        return round(time.perf_counter() - began, 1)

    async def done(self) -> int:
        """For the killers."""
        return int(await self.database.fetchval(DONE))


async def orders(urls: list[str], newest: dict[UUID, int]) -> list[dict[str, Any]]:
    """What each system says: who has not the newest, who came twice, what came after something newer."""
    found = []
    async with httpx2.AsyncClient() as client:
        for url in urls:
            said = (await client.get(f"{url}/order")).json()
            held = said.pop("newest")
            lost = sum(held.get(str(one)) != number for one, number in newest.items())
            found.append({"lost": lost, **said})
    return found


async def drilled(hours: Hours, workers: list[Part], words: argparse.Namespace) -> dict[str, Any]:
    """Changes while the workers are killed; then everything is brought."""
    chance, stop = random.Random(words.seed), asyncio.Event()
    killers = [Killer(one, hours.done, ready=None, every=words.every, chance=chance) for one in workers]
    killing = [asyncio.create_task(killer.run(stop)) for killer in killers]
    began = time.perf_counter()
    await hours.rain(words.changes, chance, words.most_waiting)
    rained = round(time.perf_counter() - began, 1)
    stop.set()
    await asyncio.gather(*killing)
    drained = await hours.drain(words.patience)
    states = {row["state"]: row["many"] for row in await hours.database.fetch(STATES)}
    return {
        "changes": words.changes, "people": len(hours.town.people), "seconds": rained, "drained_in_s": drained,
        "worker_kills": sum(killer.kills for killer in killers), "deliveries": dict(Counter(states)),
        "acknowledged_twice": await hours.database.fetchval(TWICE),
        "pairs_behind": await hours.database.fetchval(LEFT_OUT),
    }  # fmt: skip


async def run(words: argparse.Namespace) -> None:
    """On one fresh database on PostgreSQL."""
    own = Postgres()
    with ExitStack() as over:
        over.callback(own.stop)
        own.start()
        ports = [free_port() for _ in KINDS]
        for number, port in enumerate(ports):
            words_ = [sys.executable, "-m", "bench.faulty_sink", str(port), str(words.seed + number)]
            part = Part(f"bench-system-{number}", words_)
            part.start(partial(listens, port), patience=60)
            over.callback(part.stop)
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        async with (
            outbox_town(own.new_database("bench"), words.people) as town,
            asyncpg.create_pool(
                f"postgresql://postgres@127.0.0.1:{own.port}/bench", min_size=1, max_size=4
            ) as database,
        ):
            places = [
                url + ("/hook" if kind == "webhook" else "") for kind, url in zip(KINDS, urls, strict=True)
            ]
            systems = [
                await town.connect(f"s{number}", place, kind)
                for number, (kind, place) in enumerate(zip(KINDS, places, strict=True))
            ]
            hours = Hours(town, systems, database)
            workers = [
                Part(f"w{n}", ngomon("worker"), environment=town.environ | LIMITS)
                for n in range(words.workers)
            ]
            for worker in workers:
                worker.start(lambda: True)
                over.callback(worker.stop)
            found = await drilled(hours, workers, words)
            found["systems"] = await orders(urls, hours.newest)
    record("trouble", **found, load=round(os.getloadavg()[0], 1))


def main(words: list[str]) -> None:
    """`python -m bench trouble`."""
    parser = argparse.ArgumentParser(prog="python -m bench trouble", description=__doc__)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--every", type=int, default=200, help="deliveries between two kills of a worker, on average"
    )
    parser.add_argument("--most-waiting", type=int, default=1000, help="deliveries; then the changes wait")
    parser.add_argument("--patience", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    uvloop.run(run(parser.parse_args(words)))
