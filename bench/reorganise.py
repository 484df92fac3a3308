"""Huế's merger of 2025 with invented people: seconds, most memory, plan against result, reversal against before.

A server with its worker runs beside it, and somebody else's phone reads and writes all the while: the longest time
that a call of theirs had to wait. Each command is its own process.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from backend.db import Database, new_id
from backend.outbox.models import System
from backend.roles.reorganising.models import Reorganisation
from bench.eid_server import person
from bench.imports import measured
from bench.results import record
from bench.sign_in import Someone
from bench.town import Town, ngomon, right, town_on_postgres, town_on_sqlite
from demo import merger
from tests.parts.processes import scratch

COLUMNS = {
    "roles": "id, account_id, unit_id, state, is_home, from_on, until_on, request_id, stands_on, ended_at, end_reason",
    "units": "id, code, name, folded, parent_id, path, ended_on, successor_id",
    "staff_records": "id, unit_id, sealed",
    "appointments": "id, unit_id, ended_at",
}
WORDS = ["--yes", "--brake-off", "--by", "An"]


def write(file: Path, rows: Sequence[Sequence[str]]) -> Path:
    """A CSV."""
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return file


def people(count: int) -> list[tuple[str, ...]]:
    """Everybody in one of the earlier communes."""
    former, head = (
        list(merger.former()),
        ("national_id", "full_name", "birth_date", "unit_code", "subject_type", "position", "official_email"),
    )
    rows = (
        (
            f"0009{n:08}",
            "Trần Thị B",
            "1990",
            former[n % len(former)],
            "cong_chuc",
            "chuyen_vien",
            f"n{n}@hue.example",
        )
        for n in range(count)
    )
    return [head, *rows]


class Neighbour:
    """Somebody else at their phone reads their roles and exchanges their token; the longest wait of each."""

    def __init__(self, who: Someone) -> None:
        self._who, self.calls, self.over = who, 0, False
        self.longest = {"read": 0.0, "write": 0.0}

    async def run(self) -> None:
        """Until it is over, and the last call has its answer."""
        loop = asyncio.get_running_loop()
        while not self.over:
            for kind, call in (("read", self._read), ("write", self._who.refresh)):
                began = loop.time()
                await call()
                self.longest[kind] = max(self.longest[kind], loop.time() - began)
                self.calls += 1
            await asyncio.sleep(0.02)

    async def _read(self) -> None:
        right(await self._who.phone.call("GET", "/v1/roles"))


async def stored(db: Database) -> dict[str, set[tuple[Any, ...]]]:
    """The rows that a reorganisation touches."""
    async with db.read() as tx:
        return {
            name: {tuple(row) for row in await tx.execute(text(f"SELECT {columns} FROM {name}"))}
            for name, columns in COLUMNS.items()
        }


class Merger:
    """The commands on one town, each measured beside the neighbour."""

    def __init__(self, town: Town, database: str, count: int) -> None:
        self.town, self.database, self.count = town, database, count
        self.environ = os.environ | town.environ
        self.folder = scratch("reorganise")

    async def fill(self) -> None:
        """Units, staff and their roles by file, and a system that cannot be reached."""
        units = write(self.folder / "units.csv", merger.units("H57"))
        staff = write(self.folder / "staff.csv", people(self.count))
        filled = ("staff", "import", staff, "--as-roles", "--decision", "1/QĐ", "--by", "An")
        for words in (("units", "import", units), filled):
            await asyncio.to_thread(measured, ngomon(*map(str, words)), self.environ)
        row = {"name": "hrm", "kind": "scim", "url": "http://127.0.0.1:9", "created_at": datetime.now(UTC)}
        db = Database(self.town.environ["NGOMON_DATABASE_URL"])
        async with db.write() as tx:
            await tx.execute(insert(System), [row | {"id": new_id(), "failures": 0}])
        await db.close()

    async def step(self, name: str, who: Someone, *words: object) -> None:
        """One command."""
        neighbour = Neighbour(who)
        calling = asyncio.create_task(neighbour.run())
        command = ngomon("reorganise", *map(str, words))
        found = await asyncio.to_thread(measured, command, self.environ)
        neighbour.over = True
        await calling
        waits = {f"longest_{kind}_s": round(value, 2) for kind, value in neighbour.longest.items()}
        load = round(os.getloadavg()[0], 1)
        of = {"database": self.database, "people": self.count, "step": name}
        record("reorganise", **of, **found, **waits, calls=neighbour.calls, load=load)

    async def run(self, who: Someone) -> None:
        """Plan, run, reverse; what the rows say of each."""
        db = Database(self.town.environ["NGOMON_DATABASE_URL"])
        acts, plan = write(self.folder / "acts.csv", merger.acts()), self.folder / "plan.json"
        before = await stored(db)
        await self.step("plan", who, "plan", acts, "--out", plan)
        await self.step("run", who, "run", plan, "--decision", "12/QĐ", *WORDS)
        after = await stored(db)
        async with db.read() as tx:
            run_id = (await tx.scalars(select(Reorganisation.id))).one()
        await self.step("reverse", who, "reverse", run_id, *WORDS)
        back = await stored(db)
        await db.close()
        same: dict[str, bool] = {name: before[name] <= back[name] for name in COLUMNS}
        same["no other role is held"] = {r for r in back["roles"] if r[3] != "ended"} == before["roles"]
        matches = is_as_planned(before, after)
        of = {"database": self.database, "people": self.count, "step": "compared"}
        record("reorganise", **of, plan_is_result=matches, reversal_is_before=same)


def is_as_planned(before: dict[str, set[tuple[Any, ...]]], after: dict[str, set[tuple[Any, ...]]]) -> bool:
    """Whether everybody stands in the unit that theirs went into."""
    wanted, now = merger.former(), {row[0]: row[1] for row in after["units"]}
    then = {row[0]: row[1] for row in before["units"]}
    was = {row[1]: then[row[2]] for row in before["roles"]}
    held = {row[1]: now[row[2]] for row in after["roles"] if row[3] == "active"}
    return held == {who: wanted[str(code)] for who, code in was.items()}


@asynccontextmanager
async def town_of(database: str) -> AsyncIterator[Town]:
    """One server; on SQLite its own worker, on PostgreSQL one beside it."""
    if database == "sqlite":
        async with town_on_sqlite(people=1) as town:
            yield town
        return
    async with town_on_postgres(people=1, workers=1) as (town, _):
        town.worker.start(lambda: True)
        yield town


async def measure(database: str, count: int) -> None:
    """The whole of it on a fresh town."""
    async with town_of(database) as town:
        merging, who = Merger(town, database, count), Someone(town, 0)
        await merging.fill()
        await town.enrol(who.phone, person(0))
        await merging.run(who)


def main(words: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench reorganise", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    databases = ("sqlite", "postgresql")
    parser.add_argument("--database", nargs="+", choices=databases, default=["sqlite"])
    given = parser.parse_args(words)
    for database in given.database:
        asyncio.run(measure(database, given.people))
