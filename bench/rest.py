"""What is used when nobody asks: CPU until the server can serve, CPU a second at rest, memory; SQLite, one system."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

import uvloop

from bench.cpu import cpu_seconds, tree
from bench.outbox_town import outbox_town
from bench.results import record
from bench.town import ngomon, until_ready
from tests.parts.processes import Part, free_port, listens, scratch

SETTLE = 5.0


def resident(pid: int) -> int:
    """MiB that the process holds."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) // 1024


async def run(seconds: float) -> None:
    """Start, wait, look."""
    url = f"sqlite+aiosqlite:///{scratch('bench-rest') / 'bench.db'}"
    port = free_port()
    async with outbox_town(url, 100) as town:
        await town.connect("rest", "http://127.0.0.1:9")
        environ = town.environ | {"NGOMON_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    part = Part("bench-rest", ngomon("serve", "--port", str(port)), environment=environ)
    part.start(lambda: listens(port), patience=120)
    try:
        await until_ready(port)
        started = sum(map(cpu_seconds, tree(part.pid)))
        await asyncio.sleep(SETTLE)
        before = sum(map(cpu_seconds, tree(part.pid)))
        await asyncio.sleep(seconds)
        used = sum(map(cpu_seconds, tree(part.pid))) - before
        memory = resident(part.pid)
    finally:
        part.stop()
    record(
        "rest", start_cpu_s=round(started, 2), idle_ms_a_second=round(used * 1000 / seconds, 2),
        memory_mb=memory, seconds=seconds, load=round(os.getloadavg()[0], 1),
    )  # fmt: skip


def main(words: list[str]) -> None:
    """`python -m bench rest`."""
    parser = argparse.ArgumentParser(prog="python -m bench rest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    uvloop.run(run(parser.parse_args(words).seconds))
