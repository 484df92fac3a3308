"""What a manager's pages cost in a small and in a large province: CPU of this process, and who waits meanwhile.

Everything is written straight into the database; one half is the root's, the other one unit's.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics as figures_of
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
import msgspec
from sqlalchemy import insert, select

from backend import statistics
from backend.db import new_id
from backend.facts import Delivered, Fact, ManagerAppointed, SessionOpened
from backend.journal import Entry
from backend.outbox.models import Delivery, Link, System
from backend.roles.models import Role, Unit
from bench.results import record
from demo.larger import enlarge
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch
from tests.service import Service, running
from tests.workspace.office import Desk, Office

AT_ONCE, ROUNDS = 2000, 7
NOBODY = "http://127.0.0.1:9/scim/v2"  # the discard port: nothing listens
FOUND = "/workspace/people"  # what is typed stands in no address: it is posted first
PAGES = {
    "inbox": "/workspace",
    "inbox_found": "/workspace?q=khanh",
    "people": "/workspace/people",
    "people_found": FOUND,
    "journal": "/workspace/audit",
    "journal_kind": "/workspace/audit?kind=manager",
    "systems": "/workspace/systems",
}


class Size(msgspec.Struct, frozen=True):
    """How large a province is; `others` have an account and nothing else."""

    open: int
    others: int
    people: int
    journal: int


async def fill(office: Office, size: Size) -> None:
    """People at work and people who ask, in turn in the unit and in the root; what was delivered, and a journal."""
    service = office.service
    async with service.db.read() as tx:
        codes = (office.unit, office.root)
        by_code = {unit.code: unit.id for unit in await tx.scalars(select(Unit).where(Unit.code.in_(codes)))}
    units, now = [by_code[code] for code in codes], service.clock.now()
    many = {"people": size.people, "waiting": size.open, "others": size.others}
    await enlarge(service.db, service.kit, units=units, now=now, **many)
    system = System(id=new_id(), name="Đo", kind="scim", url=NOBODY, created_at=now, disabled_at=now)
    async with service.db.write() as tx:
        tx.add(system)
        await tx.flush()
        roles = (await tx.execute(select(Role.id, Role.account_id, Role.request_id))).all()
    for start in range(0, len(roles), AT_ONCE):
        part = [(row.account_id, row.request_id) for row in roles[start : start + AT_ONCE]]
        async with service.db.write() as tx:
            for model, rows in _told(system.id, part, now).items():
                await tx.execute(insert(model), rows)
    for start in range(0, size.journal, AT_ONCE):  # below the first real entry, which the chain begins with
        seqs = range(-size.journal + start, -size.journal + min(start + AT_ONCE, size.journal))
        async with service.db.write() as tx:
            await tx.execute(insert(Entry), [_entry(seq, roles, system.id, units, now) for seq in seqs])
    await statistics.refresh(service.db, imported=True)


def _told(system: UUID, people: list[tuple[UUID, UUID]], now: datetime) -> dict[Any, list[dict[str, Any]]]:
    """What one system was told of some people."""
    pair = [{"system_id": system, "account_id": account} for account, _ in people]
    times = dict.fromkeys(("not_before", "next_at", "created_at", "changed_at", "done_at"), now)
    made = times | {"version": 1, "lane": 1, "attempts": 0, "state": "done"}
    return {
        Link: [one | {"id": new_id(), "state": "synced", "checked_at": now} for one in pair],
        Delivery: [one | made | {"id": new_id()} for one in pair],
    }


def _entry(seq: int, roles: Sequence[Any], system: UUID, units: list[UUID], now: datetime) -> dict[str, Any]:
    """Nine of ten are of no manager's page, as in life; it hangs on nothing, and nobody verifies this journal."""
    row = roles[seq % len(roles)] if roles else None
    about = row.account_id if row else new_id()
    fact: Fact = SessionOpened(subject=about, session=new_id(), kind="mobile", method="vneid", epoch=1)
    if seq % 10 == 0:
        fact = Delivered(subject=about, system=system, version=1)
    elif seq % 1000 == 1:
        fact = ManagerAppointed(subject=about, unit=units[seq % 2])
    return {
        "seq": seq, "at": now, "tag": str(fact.__struct_config__.tag), "subject": about, "key_id": b"", "hash": b"",
        "fact": msgspec.json.encode(fact).decode(),
    }  # fmt: skip


async def cost(service: Service, desk: Desk, path: str) -> dict[str, float]:
    """Milliseconds of CPU of the page, and the longest that `/health/live` took beside it."""
    await desk.page(path)
    spent, late = [], 0.0
    async with httpx2.AsyncClient(base_url=service.url) as other:
        for _ in range(ROUNDS):
            began = time.process_time()
            page = asyncio.create_task(desk.page(path))
            await page
            spent.append((time.process_time() - began) * 1000)
            page = asyncio.create_task(desk.page(path))
            while not page.done():
                asked = time.perf_counter()
                await other.get("/health/live")
                late = max(late, (time.perf_counter() - asked) * 1000)
            await page
    return {"cpu_ms": round(figures_of.median(spent), 1), "live_ms": round(late, 1)}


async def measure(url: str, size: Size) -> dict[str, Any]:
    """The pages of the root's manager and of one unit's."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(url))
        office = Office(service)
        await office.open()
        await fill(office, size)
        found = {}
        for name, who in (("root", office.ha), ("unit", office.chi)):
            desk = await office.desk(who)
            for what, path in PAGES.items():
                if what == "people_found":
                    path = (await desk.send(FOUND, {"q": "anh"})).headers["location"]  # noqa: PLW2901
                found[f"{what}_{name}"] = await cost(service, desk, path)
            await desk.http.aclose()
    return found


def _sizes(chosen: argparse.Namespace) -> Iterator[Size]:
    for number, waiting in enumerate(chosen.open):
        rest = (chosen.others, chosen.people, chosen.journal)
        yield Size(waiting, *(given[min(number, len(given) - 1)] for given in rest))


def main(words: list[str]) -> None:
    """Command line: of each number one for every province; last, what the last one costs by what the first one does."""
    parser = argparse.ArgumentParser(prog="python -m bench growth", description=__doc__)
    parser.add_argument("--open", type=int, nargs="+", default=[100, 50_000], metavar="N")
    parser.add_argument("--others", type=int, nargs="+", default=[800, 200_000], metavar="N")
    parser.add_argument("--people", type=int, nargs="+", default=[100, 10_000], metavar="N")
    parser.add_argument("--journal", type=int, nargs="+", default=[5_000, 500_000], metavar="N")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args(words)
    seen = []
    for size in _sizes(chosen):
        if chosen.database == "sqlite":
            url = f"sqlite+aiosqlite:///{scratch('bench-growth') / 'bench.db'}"
            figures = asyncio.run(measure(url, size))
        else:
            cluster = Postgres()
            cluster.start()
            try:
                figures = asyncio.run(measure(cluster.new_database("growth"), size))
            finally:
                cluster.stop()
        record("growth", database=chosen.database, **msgspec.structs.asdict(size), **figures)
        seen.append(figures)
    for page in seen[0]:
        few, many = seen[0][page]["cpu_ms"], seen[-1][page]["cpu_ms"]
        print(f"{page:<16} {few:>8.1f} ms {many:>8.1f} ms  × {many / few:.2f}")
