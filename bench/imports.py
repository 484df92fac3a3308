"""Long files through the real commands: seconds and most memory, on both databases, on a busy machine (case O18).

Each step is a process of its own, measured by the kernel: the most memory that it ever had resident.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.crypto import new_secret_key
from bench.results import record
from bench.town import ngomon
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch

PER_UNIT = 20
BUSY = "while True: sum(range(10000))"
SURNAMES = ("Nguyễn Thị", "Trần Văn", "Lê Hoàng", "Phạm Đức", "Huỳnh Ngọc")
YES = ("--yes", "--brake-off")


def write_units(file: Path, count: int) -> None:
    """A province of three levels."""
    with file.open("w", encoding="utf-8") as out:
        out.write("code,name,parent_code,agency_code,kind\nT,Ủy ban nhân dân tỉnh,,H57,committee\n")
        for number in range(count):
            parent = f"U{number // 10}" if number >= 10 else "T"
            out.write(f"U{number},Phòng số {number},{parent},,division\n")


def write_staff(file: Path, count: int, *, position: str) -> None:
    """Everybody with address, code and phone."""
    with file.open("w", encoding="utf-8") as out:
        out.write(
            "national_id,full_name,birth_date,unit_code,subject_type,position,employee_code,official_email,phone\n"
        )
        for number in range(count):
            name = f"{SURNAMES[number % 5]} {number}"
            out.write(
                f"000{number:09},{name},14/03/1990,U{number // PER_UNIT},cong_chuc,{position},"
                f"CC{number},n{number}@hue.example,0550{number % 1_000_000:06}\n"
            )


def write_accounts(file: Path, count: int) -> None:
    """People of whom the directory knows nothing."""
    with file.open("w", encoding="utf-8") as out:
        out.write("national_id,full_name,birth_date,phone,level,opened_on\n")
        for number in range(count):
            name = f"{SURNAMES[number % 5]} {number}"
            out.write(
                f"000{500_000_000 + number},{name},1990-03-14,0550{number % 1_000_000:06},2,2021-05-06\n"
            )


def measured(words: list[str | Path], environ: dict[str, str], *, keep: bool = False) -> dict[str, Any]:
    """Run one command; seconds, the most memory in MB, its last line, or all of them where they are to be kept."""
    started = time.monotonic()
    process = subprocess.Popen(
        words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words}: {said[-2000:]}")
    figures = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
    }
    last = said.strip().splitlines()[-1]
    return {**figures, "peak_mb": round(used.ru_maxrss / 1024), "said": said if keep else last}


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Others who want the machine at the same time."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def run(kind: str, url: str, rows: int, folder: Path) -> None:
    """Every step on one database."""
    asyncio.run(migrate(url))
    environ = os.environ | {"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": new_secret_key()}
    units, staff, changed, accounts = (
        folder / f"{name}.csv" for name in ("units", "staff", "changed", "accounts")
    )
    write_units(units, rows // PER_UNIT)
    write_staff(staff, rows, position="chuyen_vien")
    write_staff(changed, rows, position="truong_phong")
    write_accounts(accounts, rows)
    steps: list[tuple[str, list[str | Path]]] = [
        ("units", ["units", "import", units]),
        ("staff, new", ["staff", "import", staff]),
        ("staff, the same again", ["staff", "import", staff]),
        ("staff, all changed", ["staff", "import", *YES, changed]),
        ("accounts, new", ["accounts", "import", accounts]),
        ("accounts, again", ["accounts", "import", accounts]),
    ]
    for name, words in steps:
        program = ngomon(*(str(word) for word in words))
        record("imports", database=kind, rows=rows, step=name, **measured(program, environ))


def main(words: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--busy", type=int, default=4, help="processes that do nothing but use a core")
    parser.add_argument("--database", choices=("sqlite", "postgres"), action="append")
    chosen = parser.parse_args(words)
    folder = scratch("imports")
    with busy(chosen.busy):
        for kind in chosen.database or ("sqlite", "postgres"):
            if kind == "sqlite":
                run(kind, f"sqlite+aiosqlite:///{folder / 'ngomon.db'}", chosen.rows, folder)
                continue
            postgres = Postgres()
            postgres.start()
            try:
                run(kind, postgres.new_database("imports"), chosen.rows, folder)
            finally:
                postgres.stop()
