"""Headers that never end, and everybody else meanwhile (case A09): memory, and how long others wait.

With `--unguarded` the limits of a header are as good as none, which is how 0.2.0 read them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

from bench.cpu import tree
from bench.eid_server import person
from bench.results import record
from bench.town import Town, right, town_on_sqlite
from bench.wire import Lost, Wire

PIECE = b"y" * 65_536
HEAD = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: "
PATIENCE = 10  # seconds after which a call counts as not answered
NONE = {"NGOMON_LIMIT_HEADER_BYTES": str(2**40), "NGOMON_LIMIT_HEADER_SECONDS": str(10**6)}
OPEN = {"NGOMON_LIMIT_LOGINS_PER_NETWORK_PER_HOUR": "100000"}  # all sign-ins come from one place


class Pouring:
    """Callers who send a header and never end it; hung up on, they call again."""

    def __init__(self, port: int, callers: int) -> None:
        self.sent, self.lines = Counter[int](), Counter[int]()
        self._port, self._over = port, threading.Event()
        self._threads = [threading.Thread(target=self._pour, args=(number,)) for number in range(callers)]

    def _pour(self, number: int) -> None:
        while not self._over.is_set():
            self.lines[number] += 1
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 5) as line:
                line.sendall(HEAD)
                while not self._over.is_set():
                    self.sent[number] += line.send(PIECE)

    async def __aenter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            await asyncio.to_thread(one.join)


def memory(pid: int) -> int:
    """MiB that the process and its children hold."""
    statuses = (Path(f"/proc/{one}/status").read_text(encoding="utf-8") for one in tree(pid))
    lines = (line for status in statuses for line in status.splitlines() if line.startswith("VmRSS:"))
    return sum(int(line.split()[1]) for line in lines) // 1024


class Others:
    """What is asked beside the attack, and how long each took in ms."""

    def __init__(self, town: Town) -> None:
        self.town, self.most = town, 0
        self.took: dict[str, list[float]] = {"/health/live": [], "sign-in": []}
        self.unanswered = Counter[str]()

    async def go_on(self, seconds: float) -> dict[str, Any]:
        """Ask for so long; the figures."""
        end = time.perf_counter() + seconds
        await asyncio.gather(self._live(end), self._sign_in(end), self._weigh(end))
        return {
            **{name: self._spread(name) for name in self.took},
            "most_mib": self.most,
        }

    async def _live(self, end: float) -> None:
        wire = Wire(self.town.port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    right(await wire.ask("GET", "/health/live"))
                self.took["/health/live"].append((time.perf_counter() - began) * 1000)
            except (OSError, Lost):  # a TimeoutError is an OSError
                self.unanswered["/health/live"] += 1
                wire.close()
            await asyncio.sleep(0.02)
        wire.close()

    async def _sign_in(self, end: float) -> None:
        handset = self.town.handset()
        while time.perf_counter() < end:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    login, back = await self.town.begin(handset, person(0))
                    step = right(await handset.call("POST", f"/v1/logins/{login}/authorize", back))
                assert step["step"] == "done", step
                self.took["sign-in"].append((time.perf_counter() - began) * 1000)
            except (OSError, Lost):
                self.unanswered["sign-in"] += 1
                handset.wire.close()
            await asyncio.sleep(0.02)
        handset.wire.close()

    async def _weigh(self, end: float) -> None:
        while time.perf_counter() < end:
            self.most = max(self.most, memory(self.town.server.pid))
            await asyncio.sleep(0.1)

    def _spread(self, name: str) -> dict[str, Any]:
        took = sorted(self.took[name])
        places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        spread = (
            {key: round(took[int((len(took) - 1) * at)], 1) for key, at in places.items()} if took else {}
        )
        return {"answered": len(took), "unanswered": self.unanswered[name], **spread}


async def measure(*, seconds: float, callers: int, unguarded: bool) -> dict[str, Any]:
    """The same time without the attack and with it."""
    async with town_on_sqlite(people=1, **OPEN, **(NONE if unguarded else {})) as town:
        (await town.enrol(town.handset(), person(0))).wire.close()
        quiet = await Others(town).go_on(seconds)
        async with Pouring(town.port, callers) as pouring:
            during = await Others(town).go_on(seconds)
            poured = round(sum(pouring.sent.values()) / 2**20, 1)
        return {"quiet": quiet, "during": during, "poured_mib": poured, "lines": sum(pouring.lines.values())}


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench headers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--unguarded", action="store_true", help="without the limits, as 0.2.0 was")
    options = vars(parser.parse_args(words))
    record("headers", **options, **asyncio.run(measure(**options)))
