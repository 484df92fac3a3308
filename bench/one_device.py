"""One person signs in on many phones in the same instant: never two live devices (rule 303).

Each round prepares the sign-ins up to the e-ID's answer, then writes all `authorize` calls in one
go to connections that are open already, on two server processes on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from typing import Any

import asyncpg

from bench.cpu import cpu_seconds
from bench.eid_server import person
from bench.results import record
from bench.spread import server_processes, spread
from bench.town import Town, town_on_postgres
from bench.wire import Answer, Lost

LIVE = "SELECT COUNT(*) FROM sessions WHERE kind = 'mobile' AND ended_at IS NULL AND account_id = ANY($1::uuid[])"
CROWDED = """SELECT COUNT(*) FROM (SELECT account_id FROM sessions WHERE kind = 'mobile' AND ended_at IS NULL
             GROUP BY account_id HAVING COUNT(*) > 1) crowded"""


class Race:
    """The rounds and what they showed."""

    def __init__(self, town: Town, database: Any, *, width: int, people: int) -> None:
        self.town, self.database, self.people = town, database, people
        self.handsets = [town.handset(f"Máy {number}") for number in range(width)]
        self.accounts: list[str] = []
        self.shares: dict[int, int] = {}
        self.answers: Counter[str] = Counter()
        self.next_calls: Counter[str] = Counter()
        self.rounds = self.looked = self.crowded = self.not_one = self.wrong_next = 0
        self.seconds: list[float] = []

    async def prepare(self) -> None:
        """Everybody has an account with a phone."""
        for number in range(self.people):
            first = self.town.handset()
            await self.town.enrol(first, person(number))
            self.accounts.append(str((await first.call("GET", "/v1/me")).json()["id"]))
            first.wire.close()

    async def round(self, *, look: bool) -> None:
        """All phones of one person at once."""
        self.shares = await spread([handset.wire for handset in self.handsets], self.town.server.pid)
        who = person(self.rounds % self.people)
        begun = await asyncio.gather(*(self.town.begin(handset, who) for handset in self.handsets))
        raw = [
            handset.request("POST", f"/v1/logins/{login}/authorize", back)
            for handset, (login, back) in zip(self.handsets, begun, strict=True)
        ]
        started = time.perf_counter()
        for handset, one in zip(self.handsets, raw, strict=True):
            handset.wire.send(one)
        waiting = (handset.wire.receive() for handset in self.handsets)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        self.seconds.append(time.perf_counter() - started)
        await self._count(answers)
        if look:
            await self._look()
        for handset in self.handsets:
            handset.session = {}
        self.rounds += 1

    async def _count(self, answers: list[Answer | BaseException]) -> None:
        for handset, answer in zip(self.handsets, answers, strict=True):
            self.answers[name_of(answer)] += 1
            if isinstance(answer, Answer) and answer.status == 200:
                handset.session = answer.json()["session"]
        self.crowded += await self.database.fetchval(CROWDED) != 0
        self.not_one += await self.database.fetchval(LIVE, self.accounts) != self.people

    async def _look(self) -> None:
        """The next call of every phone: one is in, the others learn that they were replaced."""
        signed_in = [handset for handset in self.handsets if handset.session]
        answers = await asyncio.gather(*(handset.call("GET", "/v1/me") for handset in signed_in))
        names = [name_of(answer) for answer in answers]
        self.next_calls.update(names)
        self.wrong_next += names.count("200") != 1 or names.count("401 session_replaced") != len(names) - 1
        self.looked += 1

    def figures(self) -> dict[str, Any]:
        """What the rounds showed."""
        return {
            "rounds": self.rounds,
            "width": len(self.handsets),
            "database": "postgresql",
            "connections_by_process": sorted(self.shares.values()),
            "rounds_with_more_than_one_live_device": self.crowded,
            "rounds_without_exactly_one": self.not_one,
            "answers": dict(self.answers),
            "errors": sum(count for name, count in self.answers.items() if name != "200"),
            "rounds_looked_at": self.looked,
            "next_calls": dict(self.next_calls),
            "rounds_with_wrong_next_calls": self.wrong_next,
            **times(self.seconds),
        }


def name_of(answer: Answer | BaseException) -> str:
    """Status, and the code of a refusal."""
    if isinstance(answer, BaseException):
        if not isinstance(answer, Lost):
            raise answer
        return f"lost {answer}"
    if answer.status < 400:
        return str(answer.status)
    return f"{answer.status} {answer.json().get('code')}"


def times(seconds: list[float]) -> dict[str, float]:
    """How long a race took: half of them, and the longest."""
    ordered = sorted(seconds)
    middle, longest = ordered[len(ordered) // 2], ordered[-1]
    return {"race_ms_median": round(middle * 1000, 1), "race_ms_longest": round(longest * 1000, 1)}


async def race(
    town: Town, address: str, *, rounds: int, width: int, people: int, sample: int, most_seconds: float
) -> dict[str, Any]:
    """All rounds in a town that is up; the figures."""
    database = await asyncpg.connect(address)
    contest = Race(town, database, width=width, people=people)
    try:
        await contest.prepare()
        processes = server_processes(town.server.pid)
        before = [cpu_seconds(pid) for pid in processes]
        started = time.perf_counter()
        while contest.rounds < rounds and time.perf_counter() - started < most_seconds:
            await contest.round(look=contest.rounds % sample == 0)
        seconds = time.perf_counter() - started
        used = [cpu_seconds(pid) - was for pid, was in zip(processes, before, strict=True)]
    finally:
        await database.close()
    shares = sorted(round(one, 1) for one in used)
    return contest.figures() | {"server_cpu_seconds": shares, "seconds": round(seconds, 1)}


async def measure(**options: Any) -> dict[str, Any]:
    """The whole measurement on a fresh town."""
    async with town_on_postgres(people=options["people"]) as (town, address):
        return await race(town, address, **options)


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench one_device", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--sample", type=int, default=5, help="look at the next calls in every such round")
    parser.add_argument(
        "--seconds", type=float, default=1800, dest="most_seconds", help="begin no round after this"
    )
    record("one_device", **asyncio.run(measure(**vars(parser.parse_args(words)))))
