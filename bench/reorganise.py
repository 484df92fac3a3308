"""Huế's merger of 2025 with invented people: seconds, most memory, plan against result, reversal against before.

A neighbour writes beside it and keeps the longest time that it had to wait. SQLite; each command is its own process.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from pysqlite3 import dbapi2 as sqlite3

from backend.crypto import new_secret_key
from bench.imports import measured
from bench.results import record
from bench.town import ngomon
from demo import merger
from ngomon.migrations import migrate
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
            f"000{n:09}",
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


def stored(file: Path) -> dict[str, set[tuple[object, ...]]]:
    """The rows that a reorganisation touches."""
    with sqlite3.connect(file) as db:
        return {name: set(db.execute(f"SELECT {columns} FROM {name}")) for name, columns in COLUMNS.items()}


class Neighbour(threading.Thread):
    """Another process' writer: takes the write lock, gives it back, and remembers the longest wait."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self._file, self.longest, self.over = file, 0.0, False

    def run(self) -> None:
        """Until it is over."""
        db = sqlite3.connect(self._file, timeout=120, isolation_level=None)
        while not self.over:
            begun = time.monotonic()
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")
            self.longest = max(self.longest, time.monotonic() - begun)
            time.sleep(0.02)


def step(name: str, count: int, file: Path, words: Sequence[object], environ: dict[str, str]) -> str:
    """One command, measured beside the neighbour; its last line."""
    neighbour = Neighbour(file)
    neighbour.start()
    found = measured(ngomon(*map(str, words)), environ)
    neighbour.over = True
    neighbour.join()
    record("reorganise", people=count, step=name, longest_wait=round(neighbour.longest, 2), **found)
    return str(found["said"])


def main(words: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench reorganise", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    count, folder = parser.parse_args(words).people, scratch("reorganise")
    file = folder / "ngomon.db"
    url = f"sqlite+aiosqlite:///{file}"
    asyncio.run(migrate(url))
    environ = os.environ | {"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": new_secret_key()}
    units = write(folder / "units.csv", merger.units("H57"))
    staff, acts = write(folder / "staff.csv", people(count)), write(folder / "acts.csv", merger.acts())
    measured(ngomon("units", "import", str(units)), environ)
    filled = ("staff", "import", str(staff), "--as-roles", "--decision", "1/QĐ", "--by", "An")
    measured(ngomon(*filled), environ)
    with sqlite3.connect(file) as db:
        db.execute(
            "INSERT INTO systems (id, name, kind, url, unit_codes, failures, created_at) "
            "VALUES (?, 'hrm', 'scim', 'http://127.0.0.1:9', '[]', 0, '2026-01-01 00:00:00')",
            (uuid4().hex,),
        )
    before, plan = stored(file), folder / "plan.json"
    step("plan", count, file, ["reorganise", "plan", acts, "--out", plan], environ)
    step("run", count, file, ["reorganise", "run", plan, "--decision", "12/QĐ", *WORDS], environ)
    after = stored(file)
    places = {row[0]: row[1] for row in after["units"]}
    wanted = merger.former()
    was = {row[1]: {row[0]: row[1] for row in before["units"]}[row[2]] for row in before["roles"]}
    held = {row[1]: places[row[2]] for row in after["roles"] if row[3] == "active"}
    matches = held == {who: wanted[str(code)] for who, code in was.items()}
    with sqlite3.connect(file) as db:
        (run_id,) = db.execute("SELECT id FROM reorganisations").fetchone()
    step("reverse", count, file, ["reorganise", "reverse", run_id, *WORDS], environ)
    back = stored(file)
    same = {name: before[name] <= back[name] for name in COLUMNS}
    same["no other role is held"] = {r for r in back["roles"] if r[3] != "ended"} == before["roles"]
    record("reorganise", people=count, step="compared", plan_is_result=matches, reversal_is_before=same)
