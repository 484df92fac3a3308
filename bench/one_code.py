"""The right code, typed many times in the same instant: it works exactly once (rules 201, 204).

Each round has a new person with a new code; all requests carry proofs of the one device key that the
code is bound to, and leave in one go on connections that are open already, to two server processes.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from typing import Any

import asyncpg

from bench.eid_server import person
from bench.one_device import name_of, times
from bench.results import record
from bench.spread import spread
from bench.town import Town, town_on_postgres
from bench.wire import Wire

ROWS = "SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM accounts)"


class Typing:
    """The rounds and what they showed."""

    def __init__(self, town: Town, database: Any, *, width: int, first: int) -> None:
        self.town, self.database, self.first = town, database, first
        self.wires = [Wire(town.port) for _ in range(width)]
        self.shares: dict[int, int] = {}
        self.answers: Counter[str] = Counter()
        self.successes: Counter[int] = Counter()
        self.rounds = self.wrong_rows = 0
        self.seconds: list[float] = []

    async def round(self) -> None:
        """A new person, one code, every wire; one account and one session more than before."""
        handset = self.town.handset()
        login, code = await self.town.to_code(handset, person(self.first + self.rounds))
        raw = [handset.request("POST", f"/v1/logins/{login}/otp", {"code": code}) for _ in self.wires]
        self.shares = await spread(self.wires, self.town.server.pid)
        before = await self.database.fetchrow(ROWS)
        started = time.perf_counter()
        for wire, one in zip(self.wires, raw, strict=True):
            wire.send(one)
        answers = await asyncio.gather(*(wire.receive() for wire in self.wires), return_exceptions=True)
        self.seconds.append(time.perf_counter() - started)
        names = [name_of(answer) for answer in answers]
        self.answers.update(names)
        self.successes[names.count("200")] += 1
        after = await self.database.fetchrow(ROWS)
        self.wrong_rows += [now - was for now, was in zip(after, before, strict=True)] != [1, 1]
        self.rounds += 1
        handset.wire.close()

    def figures(self) -> dict[str, Any]:
        """What the rounds showed."""
        return {
            "rounds": self.rounds,
            "width": len(self.wires),
            "database": "postgresql",
            "guesses_allowed": self.town.settings.limits.otp_attempts,
            "connections_by_process": sorted(self.shares.values()),
            "rounds_by_successes": {str(count): many for count, many in sorted(self.successes.items())},
            "rounds_with_wrong_rows": self.wrong_rows,
            "answers": dict(self.answers),
            "errors": sum(count for name, count in self.answers.items() if name[0] not in "24"),
            **times(self.seconds),
        }


async def race(
    town: Town, address: str, *, rounds: int, width: int, most_seconds: float, first: int = 0
) -> dict[str, Any]:
    """All rounds in a town that is up, with people from number `first` on; the figures."""
    database = await asyncpg.connect(address)
    contest = Typing(town, database, width=width, first=first)
    started = time.perf_counter()
    try:
        while contest.rounds < rounds and time.perf_counter() - started < most_seconds:
            await contest.round()
    finally:
        await database.close()
    return contest.figures() | {"seconds": round(time.perf_counter() - started, 1)}


async def measure(*, attempts: int | None, **options: Any) -> dict[str, Any]:
    """The whole measurement on a fresh town; with many `attempts` no budget of guesses helps."""
    budget: dict[str, Any] = {} if attempts is None else {"NGOMON_OTP_ATTEMPTS": str(attempts)}
    async with town_on_postgres(people=options["rounds"], **budget) as (town, address):
        return await race(town, address, **options)


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench one_code", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--attempts", type=int, help="guesses allowed, where not the shipped number")
    parser.add_argument(
        "--seconds", type=float, default=1800, dest="most_seconds", help="begin no round after this"
    )
    record("one_code", **asyncio.run(measure(**vars(parser.parse_args(words)))))
