"""What a manager's inbox costs with few and with many waiting requests: CPU of this process, and who waits meanwhile.

Requests are written straight into the database. One half waits for the manager of the root, the other for one unit's.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from sqlalchemy import insert, select

from backend.account import Account
from backend.accounts.models import Identifier
from backend.db import new_id
from backend.roles import deciding
from backend.roles.models import RequestStep, RoleRequest, Unit
from bench.results import record
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch
from tests.service import Service, running
from tests.workspace.office import Desk, Office

AT_ONCE = 2000
ROUNDS = 7
GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh", "Lan", "Minh", "Nam", "Oanh", "Phúc", "Quân")


async def fill(office: Office, many: int) -> None:
    """So many people who ask for a post, in turn in the unit and in the root."""
    service = office.service
    async with service.db.read() as tx:
        codes = (office.unit, office.root)
        by_code = {unit.code: unit.id for unit in await tx.scalars(select(Unit).where(Unit.code.in_(codes)))}
    units = [by_code[code] for code in codes]
    for start in range(0, many, AT_ONCE):
        rows: list[list[dict[str, Any]]] = [[], [], [], []]
        for number in range(start, min(start + AT_ONCE, many)):
            for kind, row in zip(rows, _asked(service, number, units[number % 2]), strict=True):
                kind.append(row)
        async with service.db.write() as tx:
            for model, part in zip((Account, Identifier, RoleRequest, RequestStep), rows, strict=True):
                await tx.execute(insert(model), part)
    await deciding.fill(service.db, service.kit)


def _asked(service: Service, number: int, unit: Any) -> list[dict[str, Any]]:
    """The rows of one person and their request."""
    keys, now = service.kit.keys, service.clock.now()
    account, identifier, request, digits = new_id(), new_id(), new_id(), f"000{number + 10**8:09d}"
    name = f"Nguyễn Văn {GIVEN[number % len(GIVEN)]} {GIVEN[number // len(GIVEN) % len(GIVEN)]}"
    asked = {"unit_id": unit, "kind": "register", "subject_type": "cong_chuc", "position": "chuyen_vien"}
    return [
        {
            "id": account, "full_name": keys.seal("accounts.full_name", account, name), "assurance_level": 2,
            "created_at": now, "vneid_at": now,
        },
        {
            "id": identifier, "account_id": account, "kind": "national_id", "source": "bench", "created_at": now,
            "value": keys.seal("identifiers.value", identifier, digits), "blind": keys.blind("national_id", digits),
        },
        {
            **asked, "id": request, "account_id": account, "created_by": account, "created_at": now,
            "fields": keys.seal("role_requests.fields", request, "{}"),
        },
        {"id": new_id(), "request_id": request, "position": 1, "unit_id": unit, "duty": "approve"},
    ]  # fmt: skip


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
    return {"cpu_ms": round(statistics.median(spent), 1), "live_ms": round(late, 1)}


async def measure(url: str, many: int) -> dict[str, Any]:
    """The pages of the root's manager and of one unit's."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(url))
        office = Office(service)
        await office.open()
        await fill(office, many)
        found = {}
        for name, who in (("root", office.ha), ("unit", office.chi)):
            desk = await office.desk(who)
            for what, path in (("inbox", "/workspace"), ("found", "/workspace?q=khanh")):
                found[f"{what}_{name}"] = await cost(service, desk, path)
            await desk.http.aclose()
    return found


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench growth", description=__doc__)
    parser.add_argument("--open", type=int, nargs="+", default=[100, 50_000], metavar="N")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args(words)
    for many in chosen.open:
        if chosen.database == "sqlite":
            url = f"sqlite+aiosqlite:///{scratch('bench-growth') / 'bench.db'}"
            record("growth", database="sqlite", waiting=many, **asyncio.run(measure(url, many)))
            continue
        cluster = Postgres()
        cluster.start()
        try:
            figures = asyncio.run(measure(cluster.new_database("growth"), many))
        finally:
            cluster.stop()
        record("growth", database="postgresql", waiting=many, **figures)
