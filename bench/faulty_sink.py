"""The system of `system_sink` with bad hours, and a memory of the order in which it was told of each person.

In the first seconds of every round it answers 500, 429 with a wait, cuts connections before and after it has applied,
and applies without ever answering. `python -m bench.faulty_sink PORT SEED`; GET /order says what came in which order.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from bench.system_sink import ENTERPRISE, Connection, Holdings, Resource

ROUND, STORM = 15.0, 5.0  # seconds; the storm comes first
SHARES = {"500": 0.06, "429": 0.05, "cut before": 0.04, "cut after": 0.04, "silence after": 0.02}
NUMBER = f"{ENTERPRISE}:employeeNumber"


class Ordered(Holdings):
    """Remembers the newest change of each person that it was told of, and whoever was told an older one later."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[str, int] = {}
        self.reordered = 0
        self.faults: Counter[str] = Counter()

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """The report, and everything else as before."""
        if target == "/order":
            users = Counter(user.get("externalId") for user in self._all["Users"].values())
            return 200, {
                "newest": self.newest, "reordered": self.reordered, "faults": dict(self.faults),
                "doubled": sum(many > 1 for many in users.values()), "calls": sum(self.calls.values()),
            }  # fmt: skip
        return super().answer(method, target, body)

    def told(self, message: Resource) -> None:
        """By a webhook."""
        self._note(message["data"]["externalId"], message["data"][ENTERPRISE]["employeeNumber"])

    def _made(self, place: str, body: Resource) -> Resource:
        if place == "Users":
            self._note(body["externalId"], body[ENTERPRISE]["employeeNumber"])
        return super()._made(place, body)

    def _change(self, held: Resource, operation: Resource) -> None:
        if operation.get("path") == NUMBER:
            self._note(held["externalId"], operation["value"])
        super()._change(held, operation)

    def _note(self, person: str, code: str) -> None:
        change = int(code.rpartition("-")[2])
        self.reordered += change < self.newest.get(person, change)
        self.newest[person] = max(change, self.newest.get(person, change))


class Faulty(Connection):
    """One connection to a system that has bad hours."""

    def __init__(self, holdings: Ordered, chance: random.Random) -> None:
        super().__init__(holdings)
        self._ordered, self._chance = holdings, chance

    def _answer(self, method: str, target: str, body: bytes) -> None:
        fault = self._fault() if target != "/order" else None
        if fault is None:
            super()._answer(method, target, body)
            return
        self._ordered.faults[fault] += 1
        if fault.endswith("after"):
            self._ordered.answer(method, target, body)
        if fault == "500":
            self._write(500, {"detail": "bad hour"})
        elif fault == "429":
            self._write(429, None, b"retry-after: 1\r\n")
        elif fault.startswith("cut"):
            self._transport.abort()

    def _fault(self) -> str | None:
        if time.monotonic() % ROUND > STORM:
            return None
        drawn = self._chance.random()
        for name, share in SHARES.items():
            drawn -= share
            if drawn < 0:
                return name
        return None


async def run(port: int, seed: int) -> None:
    """Serve until the process ends."""
    holdings, chance = Ordered(), random.Random(seed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Faulty(holdings, chance), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), int(sys.argv[2])))
