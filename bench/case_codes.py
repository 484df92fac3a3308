"""Many support cases opened in the same instants: every code is another one, and none tells of the next.

Each code is made as the product makes it, with a whole case in a transaction of its own; `width` of them
are under way at any moment, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.limits import Limits
from backend.outside.clock import Clock
from backend.support import cases, desks
from backend.support.codes import is_code
from backend.support.models import Case, CaseDay, Desk
from bench.results import record
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch


async def opened(db: Database, kit: Kit, desk: Desk) -> str:
    """One case, and its code."""
    async with db.write() as tx:
        case = await cases.add(
            tx, kit, desk, subject="Đo", text="Đo", origin="app", by=None, now=Clock().now()
        )
    return case.code


async def make(db: Database, kit: Kit, *, count: int, width: int) -> dict[str, Any]:
    """Open `count` cases, `width` at a time, and look at what the database holds."""
    now = Clock().now()
    async with db.write() as tx:
        desk = await desks.add(
            tx, kit, "HUE", name="Đội hỗ trợ", mailbox="hotro@hue.example", phone="19001075", now=now
        )
    left, made = iter(range(count)), []

    async def clerk() -> None:
        for _ in left:
            made.append(await opened(db, kit, desk))  # noqa: PERF401 - one after the other is the point

    started = time.perf_counter()
    await asyncio.gather(*(clerk() for _ in range(width)))
    seconds = time.perf_counter() - started
    async with db.read() as tx:
        kept = await tx.scalar(select(func.count(Case.code.distinct())))
        last = sum(await tx.scalars(select(CaseDay.last)))
    neighbours = sum(abs(int(one[-6:]) - int(other[-6:])) == 1 for one, other in pairwise(made))
    return {
        "database": db.url.get_backend_name(),
        "codes": len(made),
        "width": width,
        "duplicates": len(made) - len(set(made)),
        "malformed": sum(not is_code(code) for code in made),
        "distinct_in_the_database": kept,
        "running_number": last,
        "next_to_the_one_before": neighbours,
        "seconds": round(seconds, 1),
        "per_second": round(len(made) / seconds),
    }


async def measure(url: str, *, count: int, width: int) -> dict[str, Any]:
    """The figures on a fresh database."""
    await migrate(url)
    db, kit = Database(url), Kit.of(KeyRing.parse(new_secret_key()), Limits())
    try:
        return await make(db, kit, count=count, width=width)
    finally:
        await db.close()


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench case_codes", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=16)
    options = vars(parser.parse_args(words))
    file = scratch("bench-codes") / "codes.db"
    record("case_codes", **asyncio.run(measure(f"sqlite+aiosqlite:///{file}", **options)))
    cluster = Postgres()
    cluster.start()
    try:
        record("case_codes", **asyncio.run(measure(cluster.new_database("codes"), **options)))
    finally:
        cluster.stop()
