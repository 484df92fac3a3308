"""Many rounds of `one_word` without pages: two processes say each word by the transaction behind its button.

One person's life goes on from word to word where that is possible (yes, undone, sent back; suspended, let back, ended),
so that five stages are set for nine rounds. A round's facts are those that it has added.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import select

from backend.account import Account
from bench.desk import Desk
from bench.eid_server import person
from bench.one_device import times
from bench.one_word import WORDS, Ground, Stage, ends_so
from bench.results import record
from bench.town import Town, town_on_postgres
from bench.words_inside import Round, Said

PROCESSES = 2
PATIENCE = 120  # seconds for one round
SOON = 0.03  # seconds in which both processes have read what they are to say
LIVES = (
    ("asked", ("approved", "undo", "returned")),
    ("asked", ("rejected",)),
    ("asked", ("all three",)),
    ("held", ("suspension", "let back", "end")),
    ("held", ("separation",)),
)
DECISIONS = {
    "approved": ["approved"],
    "rejected": ["rejected"],
    "returned": ["returned"],
    "all three": ["approved", "rejected", "returned"],
}
GOES_ON = {"returned": ends_so("returned", "undone", 0), "end": ends_so("approved", "ended", 4)}
STATE = """SELECT (SELECT status FROM role_requests WHERE id = $1) AS status,
  (SELECT version FROM role_requests WHERE id = $1) AS version,
  (SELECT string_agg(state, ' ' ORDER BY id) FROM roles WHERE account_id = $2) AS roles,
  (SELECT count(*) FROM journal WHERE subject = $2 AND tag = $3) AS facts,
  (SELECT count(*) FROM deliveries WHERE account_id = $2 AND state <> 'cancelled') AS deliveries"""


class Speaker:
    """One of the processes, and who waits for its answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[Said]] = {}
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(cls, environ: dict[str, str]) -> Speaker:
        """With what the town's servers have."""
        pipe = asyncio.subprocess.PIPE
        words = (sys.executable, "-m", "bench.words_inside")
        return cls(
            await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, env=os.environ | environ)
        )

    async def say(self, one: Round) -> Said:
        """What came of it."""
        assert self._process.stdin is not None
        waiting: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting[one.number] = waiting
        self._process.stdin.write(msgspec.json.encode(one) + b"\n")
        async with asyncio.timeout(PATIENCE):
            return await waiting

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if not line.startswith(b"{"):
                continue  # what it logs
            said = msgspec.json.decode(line, type=Said)
            self._waiting.pop(said.number).set_result(said)
        for one in self._waiting.values():
            one.set_exception(RuntimeError("a process that speaks has ended"))

    async def end(self) -> None:
        """Nothing more is said."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._hearing


class Tally:
    """What the rounds of one word have shown."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.rounds = self.wrong = self.not_one = self.not_one_done = 0
        self.seconds: list[float] = []


class Lives:
    """The rounds on one town."""

    def __init__(self, ground: Ground, database: Any, speakers: list[Speaker], width: int) -> None:
        self.ground, self.database, self.speakers, self.width = ground, database, speakers, width
        self.tallies = {name: Tally() for name in WORDS}
        self._number = 0

    async def live(self, stage: Stage, words: tuple[str, ...]) -> None:
        """One person, word after word."""
        for name in words:
            ends = GOES_ON.get(name, WORDS[name].ends) if len(words) > 1 else WORDS[name].ends
            await self.round(stage, name, ends)

    async def round(self, stage: Stage, name: str, ends: Callable[[Any], bool]) -> None:
        """Everybody says it at once; then the database is asked what became of it."""
        self._number += 1
        fact = WORDS[name].fact
        before = await self._state(stage, fact)
        one = Round(
            self._number, name, DECISIONS.get(name, []), stage.request, stage.role, before["version"],
            self.ground.manager, self.width // len(self.speakers), time.monotonic() + SOON,
        )  # fmt: skip
        said = await asyncio.gather(*(speaker.say(one) for speaker in self.speakers))
        after, tally = await self._state(stage, fact), self.tallies[name]
        for each in said:
            tally.answers.update(each.answers)
        tally.seconds.append(max(each.seconds for each in said))
        tally.rounds += 1
        tally.not_one += after["facts"] - before["facts"] != 1
        tally.not_one_done += sum(each.answers.get("done", 0) for each in said) != 1
        tally.wrong += not ends(after)

    async def _state(self, stage: Stage, fact: str) -> Any:
        return await self.database.fetchrow(STATE, stage.request, stage.account, fact)

    async def lane(self, rounds: int, until: float) -> None:
        """All lives in turn, until there are enough rounds or the time is over; each is set while the last is lived."""
        ahead: asyncio.Task[Stage] | None = None
        words: tuple[str, ...] = ()
        for set_to, to_come in chain(self._due(rounds, until), (("", ()),)):
            stage = await ahead if ahead is not None else None
            ahead = asyncio.create_task(self.ground.set_to(set_to)) if set_to else None
            if stage is not None:
                await self.live(stage, words)
            words = to_come

    def _due(self, rounds: int, until: float) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What is still to be lived."""
        while min(tally.rounds for tally in self.tallies.values()) < rounds:
            for life in LIVES:
                if time.monotonic() > until:
                    return
                if self.tallies[life[1][0]].rounds < rounds:
                    yield life

    def figures(self) -> list[dict[str, Any]]:
        """One line for each word."""
        return [
            {
                "word": name, "way": "transaction", "rounds": one.rounds, "width": self.width,
                "processes": len(self.speakers), "rounds_without_exactly_one_fact": one.not_one,
                "rounds_without_exactly_one_done": one.not_one_done, "rounds_in_another_final_state": one.wrong,
                "answers": dict(one.answers),
                "errors": sum(many for answer, many in one.answers.items() if answer.startswith("error")),
                **(times(one.seconds) if one.seconds else {}),
            }
            for name, one in self.tallies.items()
        ]  # fmt: skip


async def race(
    town: Town, address: str, *, rounds: int, width: int, most_seconds: float, lanes: int
) -> list[dict[str, Any]]:
    """Every kind of word in a town that is up."""
    ground, desk = Ground(town), Desk(town.port, town.eid_port)
    await ground.open()
    await desk.sign_in(person(0))
    async with ground.db.read() as tx:
        ground.manager = (await tx.scalars(select(Account.id))).one()
    town.server.stop()  # who has signed in is all that is wanted of it
    speakers = [await Speaker.start(town.environ) for _ in range(PROCESSES)]
    try:
        async with asyncpg.create_pool(address, min_size=1, max_size=lanes) as database:
            lives, until = Lives(ground, database, speakers, width), time.monotonic() + most_seconds
            await asyncio.gather(*(lives.lane(rounds, until) for _ in range(lanes)))
            return lives.figures()
    finally:
        for speaker in speakers:
            await speaker.end()
        await ground.db.close()


async def measure(**options: Any) -> list[dict[str, Any]]:
    """The whole measurement on a fresh town."""
    async with town_on_postgres(people=1, workers=1, NGOMON_LIMIT_UNDO_WINDOW="60") as (town, address):
        return await race(town, address, **options)


def main(words: list[str]) -> None:
    """`python -m bench words_long`."""
    parser = argparse.ArgumentParser(prog="python -m bench words_long", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--lanes", type=int, default=1, help="people whose rounds run beside each other")
    parser.add_argument("--seconds", type=float, default=7200, dest="most_seconds")
    for figures in asyncio.run(measure(**vars(parser.parse_args(words)))):
        record("words_long", **figures, load=round(os.getloadavg()[0], 1))
