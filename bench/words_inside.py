"""One of two processes that say a manager's word many times at once, by the very transaction behind the button.

`python -m bench.words_inside`: reads a line of JSON for each round, says the word at the named moment, and answers how
it went. Pages of those who came too late are not drawn: that is what makes a thousand rounds of each word affordable.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import uvloop

import ngomon.tables  # noqa: F401 - the tables of every floor
from backend.crypto import KeyRing
from backend.db import Database
from backend.environment import load
from backend.errors import Refusal, settle
from backend.kit import Kit
from backend.roles import acts, review
from backend.roles.carried import How
from backend.roles.movements import MOVEMENTS
from backend.trouble import StorageTrouble

REASON = "Theo quyết định"
AT_ONCE = 32  # connections of this process: everybody who speaks has one, and none is opened within a round


class Round(msgspec.Struct, frozen=True):
    """What is to be said of whom, how often, and when (time.monotonic, which all processes of a machine share)."""

    number: int
    word: str
    decisions: list[str]
    request: UUID
    role: UUID | None
    version: int
    by: UUID
    times: int
    at: float


class Said(msgspec.Struct, frozen=True):
    """How often each answer came, and the seconds from the first word to the last answer."""

    number: int
    answers: dict[str, int]
    seconds: float


async def once(db: Database, kit: Kit, one: Round, decision: str) -> str:
    """The word, as its handler says it."""
    now = datetime.now(UTC)
    try:
        async with db.write() as tx:
            outcome: Any
            if decision:
                outcome = await review.decide(
                    tx, kit, one.request, decision, REASON, version=one.version, by=one.by, now=now, how=How()
                )  # fmt: skip
            elif one.word == "undo":
                outcome = await review.undo(tx, kit, one.request, by=one.by, now=now)
            elif one.word == "let back":
                assert one.role is not None
                outcome = await acts.lift(tx, kit, one.role, by=one.by, now=now)
            else:
                assert one.role is not None
                move = MOVEMENTS[one.word]
                outcome = await acts.act(tx, kit, one.role, move, reason=REASON, by=one.by, now=now)
        settle(outcome)
    except StorageTrouble as error:
        return f"error {type(error).__name__}"
    except Refusal as refusal:
        return type(refusal).__name__
    except Exception as error:  # noqa: BLE001 - whatever it is, the figures show it
        return f"error {type(error).__name__}"
    return "done"


async def say(db: Database, kit: Kit, one: Round) -> Said:
    """Everybody waits for the moment, then says it."""
    moment = asyncio.Event()
    decisions = [one.decisions[n % len(one.decisions)] if one.decisions else "" for n in range(one.times)]

    async def waiting(decision: str) -> str:
        await moment.wait()
        return await once(db, kit, one, decision)

    tasks = [asyncio.create_task(waiting(decision)) for decision in decisions]
    await asyncio.sleep(max(0.0, one.at - time.monotonic()))
    began = time.monotonic()
    moment.set()
    answers = Counter(await asyncio.gather(*tasks))
    return Said(one.number, dict(answers), time.monotonic() - began)


async def serve() -> None:
    """Until the lines end."""
    settings = load(dict(os.environ))
    kit = Kit.of(KeyRing.parse(settings.secret_keys), settings.limits)
    db, reader = Database(settings.database_url, ready=AT_ONCE), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    rounds = set[asyncio.Task[None]]()

    async def answer(one: Round) -> None:
        line = msgspec.json.encode(await say(db, kit, one)) + b"\n"
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    while line := await reader.readline():
        task = asyncio.create_task(answer(msgspec.json.decode(line, type=Round)))
        rounds.add(task)
        task.add_done_callback(rounds.discard)
    await db.close()


if __name__ == "__main__":
    uvloop.run(serve())
