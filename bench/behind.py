"""A single revocation behind very many waiting rows, alone and while the worker compares the system (rule 707; O08).

Everybody has a row that waits in the slowest lane; the worker works on them all the while. Now and then one person
loses their role: from that commit until the system is known to hold it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics as figures_of
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from sqlalchemy import select, update

from backend.account import Account
from backend.outbox import queue
from backend.outbox.models import System
from backend.roles.models import Role
from bench.delivery import sink
from bench.known import fill
from bench.outbox_town import OutboxTown, outbox_town
from bench.results import record
from bench.town import ngomon
from tests.parts.postgres import Postgres
from tests.parts.processes import Part

DONE = "SELECT 1 FROM deliveries WHERE system_id = $1 AND account_id = $2 AND lane = 0 AND state = 'done'"
LEFT = "SELECT count(*) FROM deliveries WHERE system_id = $1 AND state IN ('pending', 'leased')"
COMPARING = "SELECT comparing_until IS NOT NULL FROM systems WHERE id = $1"
LOST = 60.0  # seconds after which a revocation is given up


class Backlog:
    """The system, its rows, and the stopwatch."""

    def __init__(self, town: OutboxTown, system: System, database: Any) -> None:
        self.town, self.system, self.database = town, system, database
        self.people = list(reversed(town.people))  # whom the worker comes to last

    async def pile_up(self, settled: int, changes: int) -> None:
        """Everybody's post changes so often, in the slowest lane; but not that of the first few, who are compared."""
        waiting = self.town.people[settled:]
        for number in range(changes):
            await self.town.promote(waiting, ("van_thu", "ke_toan")[number % 2])
            now = datetime.now(UTC)
            async with self.town.db.write() as tx:
                query = select(Account.id, Account.role_version).where(Account.id.in_(waiting))
                versions = [(row[0], row[1]) for row in await tx.execute(query)]
                await queue.backfill(tx, self.system.id, versions, now=now)

    async def revoke(self, one: UUID) -> float:
        """Seconds from the commit until the system has acknowledged."""
        now = datetime.now(UTC)
        async with self.town.db.write() as tx:
            theirs = update(Role).where(Role.account_id == one)
            await tx.execute(theirs.values(state="ended", ended_at=now, end_reason="bench"))
            ahead = update(Account).where(Account.id == one).values(role_version=Account.role_version + 1)
            await tx.execute(ahead)
            version = await queue.version_of(tx, one)
            await queue.enqueue(
                tx, account_id=one, version=version, systems=[self.system.id], lane=queue.REVOCATION, now=now
            )
        began = time.perf_counter()
        while time.perf_counter() - began < LOST:
            if await self.database.fetchval(DONE, self.system.id, one):
                break
            await asyncio.sleep(0.005)
        return time.perf_counter() - began

    async def compare_again(self) -> None:
        """As the button does."""
        async with self.town.db.write() as tx:
            none = {"reconciled_at": None, "comparing_until": None}
            await tx.execute(update(System).where(System.id == self.system.id).values(**none))

    async def series(self, count: int, pause: float, *, while_comparing: bool = False) -> dict[str, Any]:
        """So many revocations; while the system is compared only those that fell into a comparison count."""
        seconds, comparisons = list[float](), 0
        began = time.perf_counter()
        while len(seconds) < count and time.perf_counter() - began < 3 * count * (pause + 1):
            if while_comparing and not await self.database.fetchval(COMPARING, self.system.id):
                await self.compare_again()
                comparisons += 1
                while not await self.database.fetchval(COMPARING, self.system.id):
                    await asyncio.sleep(0.02)
            seconds.append(await self.revoke(self.people.pop(0)))
            await asyncio.sleep(pause)
        left = await self.database.fetchval(LEFT, self.system.id)
        return spread_of(seconds) | {"waiting_at_the_end": left, "comparisons_begun": comparisons}


def spread_of(seconds: list[float]) -> dict[str, Any]:
    """Count, median, p99 and the longest, in milliseconds."""
    marks = figures_of.quantiles(seconds, n=100, method="inclusive")
    found = {"p50_ms": marks[49], "p99_ms": marks[98], "max_ms": max(seconds)}
    return {"revocations": len(seconds)} | {name: round(value * 1000) for name, value in found.items()}


async def run(words: argparse.Namespace) -> None:
    """On one fresh database on PostgreSQL."""
    own = Postgres()
    own.start()
    url = own.new_database("bench")
    worker: Part | None = None
    try:
        async with (
            outbox_town(url, words.settled + words.waiting // words.changes) as town,
            sink() as (there, _),
        ):
            system = await town.connect("kho", there)
            await fill(town, system, there)
            database = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{own.port}/bench")
            backlog = Backlog(town, system, database)
            await backlog.pile_up(words.settled, words.changes)
            await database.execute("ANALYZE")
            worker = Part(
                "w", ngomon("worker"), environment=town.environ | {"NGOMON_LIMIT_RECONCILE_EVERY": "86400"}
            )
            worker.start(lambda: True)
            await asyncio.sleep(words.warm)
            alone = await backlog.series(words.count, words.pause)
            beside = await backlog.series(words.count, words.pause, while_comparing=True)
            await database.close()
            record(
                "behind", waiting=words.waiting, changes_of_each=words.changes,
                settled=words.settled, alone=alone, while_compared=beside,
                compared=[line[-200:] for line in worker.output().splitlines() if "reconciled" in line][-3:],
                load=round(os.getloadavg()[0], 1),
            )  # fmt: skip
    finally:
        if worker is not None:
            worker.stop()
        own.stop()


def main(words: list[str]) -> None:
    """`python -m bench behind`."""
    parser = argparse.ArgumentParser(prog="python -m bench behind", description=__doc__)
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=5, help="waiting rows of one person")
    parser.add_argument("--settled", type=int, default=10_000, help="people of whom nothing waits")
    parser.add_argument("--count", type=int, default=200, help="revocations in each of the two series")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two of them")
    parser.add_argument(
        "--warm", type=float, default=5, help="seconds that the worker works before the first"
    )
    uvloop.run(run(parser.parse_args(words)))
