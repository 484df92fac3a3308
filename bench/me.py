"""What `GET /v1/me` costs with a session that is bound to a device: CPU time per request of the server process.

Beside it in the same run: a bare Litestar handler under the same server settings (the yardstick), the same call
with a bearer token, and fastapi-users with tokens in its database. All servers are up together on one core, the
load comes from the other, and they are measured in turn; the figure is the median over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.cpu import cpu_seconds, tree
from bench.eid_server import person
from bench.environments import python_with
from bench.handset import Handset
from bench.results import record
from bench.town import Town, town_on_sqlite
from bench.wire import request
from tests.parts.processes import Part, free_port, listens, scratch

CONNECTIONS = 32
SERVER_CORE, LOAD_CORE = "0", "1"
PEER = Path(__file__).parent / "peers/fastapi_users_app.py"
PEER_PACKAGES = (
    "fastapi-users[sqlalchemy]>=15,<16",
    "greenlet",
    "aiosqlite",
    "uvicorn",
    "uvloop",
    "httptools",
)


class Target(NamedTuple):
    """One server and how a batch of requests for it is made."""

    name: str
    pid: int
    port: int
    batch: Callable[[int], list[bytes]]
    share: float = 1.0  # of the requests, where one takes long


def measure_once(target: Target, count: int, file: Path) -> dict[str, float]:
    """Send one batch; CPU microseconds per request of the server's process tree."""
    file.write_bytes(msgspec.msgpack.encode(target.batch(max(CONNECTIONS, int(count * target.share)))))
    before = sum(map(cpu_seconds, tree(target.pid)))
    loader = [
        "taskset",
        "-c",
        LOAD_CORE,
        sys.executable,
        "-m",
        "bench.loader",
        str(target.port),
        str(file),
        str(CONNECTIONS),
    ]
    done = subprocess.run(loader, capture_output=True, text=True, check=True, timeout=300)
    used = sum(map(cpu_seconds, tree(target.pid))) - before
    figures: dict[str, float] = json.loads(done.stdout)
    figures["cpu_us"] = used / figures["n"] * 1e6
    return figures


def same(raw: list[bytes]) -> Callable[[int], list[bytes]]:
    """Requests that may repeat."""
    return lambda count: [raw[number % len(raw)] for number in range(count)]


def signed(phones: list[Handset]) -> Callable[[int], list[bytes]]:
    """Requests with a fresh proof each."""
    return lambda count: [phones[number % len(phones)].request("GET", "/v1/me") for number in range(count)]


async def ours(town: Town, people: int) -> list[Target]:
    """Half of the people hold bearer tokens, half bound ones; all on one server that keeps both."""
    bearer: list[Handset] = []
    bound: list[Handset] = []
    for number in range(people):
        is_bound = number % 2 == 0
        phone = town.handset(bound=is_bound)
        await town.enrol(phone, person(number))
        assert phone.session["token_type"] == ("DPoP" if is_bound else "Bearer"), phone.session
        phone.wire.close()
        (bound if is_bound else bearer).append(phone)
    plain = [phone.request("GET", "/v1/me") for phone in bearer]
    return [
        Target("bearer", town.server.pid, town.port, same(plain)),
        Target("dpop", town.server.pid, town.port, signed(bound)),
    ]


def bare() -> tuple[Part, Target]:
    """The yardstick."""
    port = free_port()
    part = Part(
        "bench-bare", ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "bench.peers.bare", str(port)]
    )
    part.start(lambda: listens(port), patience=120)
    return part, Target("bare litestar", part.pid, port, same([request("GET", "/v1/me", host="127.0.0.1")]))


def peer(people: int) -> tuple[Part, Target]:
    """fastapi-users in an environment of its own, made at the first run."""
    python = python_with("fastapi-users", PEER_PACKAGES)
    folder, port = scratch("bench-peer"), free_port()
    subprocess.run([python, PEER, "seed", folder, str(people)], check=True)
    part = Part("bench-peer", ["taskset", "-c", SERVER_CORE, python, PEER, "serve", folder, str(port)])
    part.start(lambda: listens(port), patience=120)
    tokens = (folder / "tokens.txt").read_text().split()
    raw = [request("GET", "/users/me", host="127.0.0.1", authorization=f"Bearer {token}") for token in tokens]
    return part, Target("fastapi-users", part.pid, port, same(raw), share=0.1)


async def measure(*, rounds: int, requests: int, people: int, with_peer: bool) -> dict[str, Any]:
    """All rounds; medians and ratios."""
    parts: list[Part] = []
    environ = {"NGOMON_REQUIRE_DPOP": "false", "NGOMON_LIMIT_ACCESS_LIFETIME": "36000"}
    async with town_on_sqlite(people=people, core=SERVER_CORE, **environ) as town:
        try:
            others = [bare()] + ([peer(people)] if with_peer else [])
            parts = [part for part, _ in others]
            targets = [target for _, target in others] + await ours(town, people)
            return _summary(_rounds(targets, rounds, requests), rounds, requests)
        finally:
            for part in parts:
                part.stop()


def _rounds(targets: list[Target], rounds: int, requests: int) -> dict[str, list[dict[str, float]]]:
    file = scratch("bench-load") / "requests"
    found: dict[str, list[dict[str, float]]] = {target.name: [] for target in targets}
    for number in range(-1, rounds):  # the first one only warms up
        for target in targets:
            figures = measure_once(target, requests if number >= 0 else requests // 4, file)
            if number >= 0:
                found[target.name].append(figures)
    return found


def _summary(found: dict[str, list[dict[str, float]]], rounds: int, requests: int) -> dict[str, Any]:
    def middle(name: str, key: str) -> float:
        return statistics.median(one[key] for one in found[name])

    yardstick = middle("bare litestar", "cpu_us")
    by_name = {
        name: {
            "cpu_us": round(middle(name, "cpu_us"), 1),
            "cpu_us_by_round": [round(one["cpu_us"], 1) for one in runs],
            "of_bare": round(middle(name, "cpu_us") / yardstick, 2),
            "requests_per_second": round(statistics.median(one["n"] / one["seconds"] for one in runs)),
            "p50_ms": round(middle(name, "p50_ms"), 2),
            "p99_ms": round(middle(name, "p99_ms"), 2),
            "errors": int(sum(one["errors"] for one in runs)),
        }
        for name, runs in found.items()
    }
    return {
        "rounds": rounds,
        "requests": requests,
        "connections": CONNECTIONS,
        "database": "sqlite",
        "targets": by_name,
    }


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench me", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=12_000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument(
        "--no-peer", action="store_true", help="without fastapi-users, which is installed at first use"
    )
    given = parser.parse_args(words)
    figures = asyncio.run(
        measure(
            rounds=given.rounds, requests=given.requests, people=given.people, with_peer=not given.no_peer
        )
    )
    record("me", **figures)
