"""A delivery of one post by durable queues of others: procrastinate and SAQ, both on PostgreSQL.

CPU of the worker's processes and jobs a second; ours beside them is `delivery --kind webhook --database postgresql`,
whose engine also signs, reads the person's state, journals and keeps every system in step.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from bench.cpu import cpu_seconds, tree
from bench.environments import NotThere, python_with
from bench.results import record
from bench.wire import Wire
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens

PEERS = Path(__file__).parent / "peers"
AT_ONCE = 8


class Queue(NamedTuple):
    """One of them."""

    name: str
    program: str
    packages: tuple[str, ...]


QUEUES = (
    Queue("procrastinate", "procrastinate_jobs.py", ("procrastinate", "psycopg[binary,pool]", "aiohttp")),
    Queue("saq", "saq_jobs.py", ("saq[postgres]", "psycopg[binary,pool]", "aiohttp")),
)


async def arrived(port: int, most: int, patience: float = 120) -> None:
    """Until the system was called so often."""
    async with Wire(port) as wire, asyncio.timeout(patience):
        while sum((await wire.ask("GET", "/calls")).json().values()) < most:
            await asyncio.sleep(0.1)


async def measured(queue: Queue, postgres: Postgres, jobs: int) -> dict[str, Any]:
    """One queue's figures; raises NotThere."""
    python, port = python_with(queue.name, queue.packages), free_port()
    address = postgres.new_database(f"bench_{queue.name}").replace("+asyncpg", "")
    environ = {"DATABASE": address, "SINK": f"http://127.0.0.1:{port}/hook"}
    sink = Part("bench-system", [sys.executable, "-m", "bench.system_sink", str(port)])
    sink.start(lambda: listens(port), patience=60)
    try:
        enqueued = 0.0
        for words in (["setup", "0"], ["enqueue", str(jobs)]):
            begun = time.perf_counter()
            said: list[str | Path] = [python, PEERS / queue.program, *words]
            subprocess.run(said, check=True, env=os.environ | environ, capture_output=True)  # noqa: ASYNC221 - nobody waits
            enqueued = time.perf_counter() - begun
        worker = Part(
            f"bench-{queue.name}", [python, PEERS / queue.program, "work", str(AT_ONCE)], environment=environ
        )
        begun = time.perf_counter()
        worker.start(lambda: worker.is_running, patience=60)
        try:
            await arrived(port, jobs // 5)  # until then it imports and connects
            first, before = time.perf_counter(), sum(map(cpu_seconds, tree(worker.pid)))
            await arrived(port, jobs)
            used = sum(map(cpu_seconds, tree(worker.pid))) - before
            seconds = time.perf_counter() - first
        finally:
            worker.stop()
    finally:
        sink.stop()
    return {
        "peer": queue.name,
        "jobs": jobs,
        "cpu_ms": round(used / (jobs * 4 / 5) * 1000, 2),
        "a_second": round(jobs * 4 / 5 / seconds),
        "enqueued_a_second": round(jobs / enqueued),
        "load": round(os.getloadavg()[0], 1),
    }


def main(words: list[str]) -> None:
    """`python -m bench queue_peers`."""
    parser = argparse.ArgumentParser(prog="python -m bench queue_peers", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    jobs = parser.parse_args(words).jobs
    postgres = Postgres()
    postgres.start()
    try:
        for queue in QUEUES:
            try:
                record("queue_peers", **uvloop.run(measured(queue, postgres, jobs)))
            except (NotThere, subprocess.CalledProcessError, TimeoutError) as error:
                said = getattr(error, "stderr", b"") or str(error) or type(error).__name__
                last = (said.decode() if isinstance(said, bytes) else said).strip().splitlines()[-1]
                record("queue_peers", peer=queue.name, not_done=last)
    finally:
        postgres.stop()
