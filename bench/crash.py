"""`kill -9` of server and worker while managers decide: nothing lost, nothing twice, nothing half (rules 612, 702).

Managers approve over HTTP in the workspace; a real scim2-server receives. After the last word everything is started
once more and drained. For transfers a connection of its own asks all the while who has how many home roles.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import asyncpg

from bench import verdict
from bench.desk import Desk
from bench.killer import Killer
from bench.office import FIRST, NEW, OLD, Office
from bench.results import record
from bench.town import Town, town_on_postgres, until_ready
from bench.wire import Lost
from tests.parts.postgres import Postgres
from tests.parts.scim import ScimServer

WINDOWS = 4  # browser windows of one manager at work
DRAIN_SECONDS = 240
HUE = timezone(timedelta(hours=7))
DONE = "SELECT COUNT(*) FROM deliveries WHERE state = 'done'"
HOMES = """SELECT COUNT(*) FROM (SELECT p.id FROM unnest($1::uuid[]) AS p(id) LEFT JOIN roles r
           ON r.account_id = p.id AND r.state = 'active' AND r.is_home GROUP BY p.id HAVING COUNT(r.id) <> 1) wrong"""
# the calendar cannot be hurried from outside, so the day is moved under what has been decided
TODAY = "UPDATE role_requests SET effective_on = $1 WHERE id = ANY($2::uuid[]) AND effective_on > $1"
TODAY_ROLES = "UPDATE roles SET from_on = $1 WHERE request_id = ANY($2::uuid[]) AND from_on > $1"


class Drill:
    """One town under fire."""

    def __init__(self, town: Town, office: Office, database: Any, chance: random.Random, every: int) -> None:
        self.town, self.office, self.database = town, office, database
        self.acknowledged: set[str] = set()
        self.said = 0
        self.outcomes: Counter[str] = Counter()
        self.samples = self.bad_instants = 0
        self.server = Killer(town.server, self._said, ready=self._up, every=every, chance=chance)
        self.worker = Killer(
            town.worker, self._delivered, ready=None, every=max(1, every // 3), chance=chance
        )

    async def _said(self) -> int:
        return self.said

    async def _delivered(self) -> int:
        return int(await self.database.fetchval(DONE))

    async def _up(self) -> None:
        await until_ready(self.town.port, patience=120)

    @asynccontextmanager
    async def under_fire(self) -> AsyncIterator[None]:
        """Both killers are about until the block ends."""
        stop = asyncio.Event()
        killers = [asyncio.create_task(killer.run(stop)) for killer in (self.server, self.worker)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*killers)

    async def approve(self, unit: str, requests: list[str]) -> None:
        """The unit's manager says yes to all, in several windows, however often the server goes away."""
        todo = list(reversed(requests))

        async def window(desk: Desk) -> None:
            while todo:
                await self._insist(desk, todo.pop())

        await asyncio.gather(*(window(self.office.desks[unit].another()) for _ in range(WINDOWS)))

    async def _insist(self, desk: Desk, request_id: str) -> None:
        while True:
            try:
                outcome = await desk.approve(request_id)
            except (Lost, OSError) as error:
                self.outcomes["cut off"] += isinstance(error, Lost)
                desk.wire.close()
                await self._up()
                continue
            self.outcomes[outcome] += 1
            self.said += 1
            if outcome == "acknowledged":
                self.acknowledged.add(request_id)
            return

    async def drain(self) -> float:
        """Everything is up and nobody is killed: the seconds until nothing waits."""
        started = time.perf_counter()
        while await verdict.waiting(self.database):
            if time.perf_counter() - started > DRAIN_SECONDS:
                raise TimeoutError("deliveries still wait:\n" + self.town.worker.output()[-3000:])
            await asyncio.sleep(0.2)
        return round(time.perf_counter() - started, 1)

    async def watch_homes(self, address: str, accounts: list[str]) -> None:
        """Ask without pause, on a connection of its own, who has not exactly one home role."""
        connection = await asyncpg.connect(address)
        try:
            asked = await connection.prepare(HOMES)
            while True:
                self.bad_instants += await asked.fetchval(accounts) != 0
                self.samples += 1
                await asyncio.sleep(0.002)
        finally:
            await connection.close()


async def approvals(drill: Drill, every: int) -> dict[str, Any]:
    """Everybody registers a role and is approved."""
    requests = await drill.office.register()
    async with drill.under_fire():
        await drill.approve(OLD, requests)
        while int(await drill.database.fetchval(DONE)) < len(requests) - 2 * every:
            await asyncio.sleep(0.1)  # the worker is killed during the deliveries too
    drained = await drill.drain()
    figures = await verdict.decisions(drill.database, requests, drill.acknowledged)
    held = await verdict.downstream(drill.office, dict.fromkeys(drill.office.accounts, OLD))
    return {"drill": "approvals"} | figures_of(drill, len(requests), drained) | figures | held


async def transfers(drill: Drill, address: str, count: int) -> dict[str, Any]:
    """Half of them take effect with the second word, half on their day, by the worker."""
    moved = drill.office.accounts[:count]
    today = datetime.now(HUE).date()
    at_once = await drill.office.move(0, count // 2)
    later = await drill.office.move(count // 2, count, effective_on=str(today + timedelta(days=1)))
    requests = at_once + later
    watching = asyncio.create_task(drill.watch_homes(address, moved))
    async with drill.under_fire():
        await drill.approve(OLD, requests)
        await drill.approve(NEW, requests)
        await drill.database.execute(TODAY_ROLES, today, later)
        await drill.database.execute(TODAY, today, later)
        begun = time.perf_counter()
        while await verdict.waiting(drill.database) and time.perf_counter() - begun < 20:
            await asyncio.sleep(0.1)  # the calendar turns while the worker is killed
    drained = await drill.drain()
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    figures = await verdict.decisions(drill.database, requests, drill.acknowledged)
    where = dict.fromkeys(drill.office.accounts, OLD) | dict.fromkeys(moved, NEW)
    instants = {"samples": drill.samples, "instants_with_none_or_two_home_roles": drill.bad_instants}
    return (
        {"drill": "transfers"}
        | figures_of(drill, len(requests), drained)
        | instants
        | figures
        | await verdict.downstream(drill.office, where)
    )


def figures_of(drill: Drill, requests: int, drained: float) -> dict[str, Any]:
    """How it went: the kills, what managers were answered, and how long the rest took."""
    return {
        "requests": requests,
        "server_kills": drill.server.kills,
        "worker_kills": drill.worker.kills,
        "words": dict(drill.outcomes),
        "drained_in_s": drained,
    }


async def measure(
    *, approvals_: int, transfers_: int, every: int, seed: int, cluster: Postgres | None = None
) -> list[dict[str, Any]]:
    """Both drills on one fresh town; the figures of each."""
    chance = random.Random(seed)
    scim = ScimServer()
    scim.start()
    environ = {
        "NGOMON_LIMIT_UNDO_WINDOW": "2",
        "NGOMON_LIMIT_LEASE": "3",
        "NGOMON_LIMIT_RETRY_FIRST": "1",
        "NGOMON_LIMIT_ACCESS_LIFETIME": "36000",
        "NGOMON_LIMIT_WORKSPACE_IDLE": "28800",  # the other unit's manager waits for the first one to be ready
    }
    try:
        async with town_on_postgres(people=approvals_ + FIRST, workers=1, cluster=cluster, **environ) as (
            town,
            address,
        ):
            async with asyncpg.create_pool(address, min_size=1, max_size=4) as database:
                office = Office(town, scim)
                await office.open(approvals_)
                town.worker.start(lambda: True)
                found = [await approvals(Drill(town, office, database, chance, every), every)]
                if transfers_:
                    drill = Drill(town, office, database, chance, every)
                    found.append(await transfers(drill, address, transfers_))
            found[-1]["broken_invariants"] = await verdict.invariants(town)
            return found
    finally:
        scim.stop()


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench crash", description=__doc__)
    parser.add_argument("--approvals", type=int, default=200)
    parser.add_argument("--transfers", type=int, default=100)
    parser.add_argument("--every", type=int, default=8, help="steps of work between two kills, on average")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    given = parser.parse_args(words)
    found = measure(
        approvals_=given.approvals, transfers_=given.transfers, every=given.every, seed=given.seed
    )
    for figures in asyncio.run(found):
        record("crash", **figures)
