"""One decision, said many times in the same instant: every kind of word counts once (rules 610, 612; case R41).

Each round has a person of its own; every wire carries the same manager's cookie, so that nothing but the row itself
decides, and all words leave in one go on connections that are open already, to two server processes on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import select

from backend.account import Account
from backend.accounts.identity.following import seal_names
from backend.accounts.identity.numbers import identifier_row
from backend.db import Database, new_id
from backend.errors import settle
from backend.imports.rows import records
from backend.outbox.models import System
from backend.roles import acts, managers, requests, review, units
from backend.roles.models import Role
from backend.roles.movements import SUSPENSION
from backend.roles.wish import Draft
from bench.desk import TOKEN, Desk
from bench.eid_server import person
from bench.one_device import times
from bench.results import record
from bench.spread import spread
from bench.town import Town, town_on_postgres
from bench.wire import Wire, request

UNIT, ASKED, HELD = "CR.NV", "requests", "people"
LONG_AGO = timedelta(hours=1)
STATE = """SELECT (SELECT status FROM role_requests WHERE id = $1) AS status,
  (SELECT string_agg(state, ' ' ORDER BY id) FROM roles WHERE account_id = $2) AS roles,
  (SELECT count(*) FROM journal WHERE subject = $2 AND tag = $3) AS facts,
  (SELECT count(*) FROM deliveries WHERE account_id = $2 AND state <> 'cancelled') AS deliveries"""


class Stage(NamedTuple):
    """One person and what a round is about."""

    account: UUID
    request: UUID
    role: UUID | None


class Word(NamedTuple):
    """A kind of word: how far the stage is set, where each wire posts what, and what must be there afterwards."""

    set_to: str  # asked, approved, held, suspended
    where: str
    forms: Sequence[str]
    fact: str
    ends: Callable[[Any], bool]


def _word(decision: str) -> str:
    return f"version=1&decision={decision}&reason=Thi%E1%BA%BFu+quy%E1%BA%BFt+%C4%91%E1%BB%8Bnh"


def ends_so(status: str, roles: str | None, deliveries: int | None = None) -> Callable[[Any], bool]:
    """Whether a round has ended so; without `deliveries` they are not looked at."""
    return lambda row: (
        (row["status"], row["roles"]) == (status, roles) and deliveries in {None, row["deliveries"]}
    )


def _agrees(row: Any) -> bool:
    """Of three different words one counts, and the role is what that one says."""
    return row["status"] in {"approved", "rejected", "returned"} and (
        (row["roles"] == "active") == (row["status"] == "approved")
    )


DECIDED = "role.request_decided"
YES, NO, BACK = (_word(one) for one in ("approved", "rejected", "returned"))
WORDS = {
    "approved": Word("asked", "decision", [YES], DECIDED, ends_so("approved", "active", 1)),
    "rejected": Word("asked", "decision", [NO], DECIDED, ends_so("rejected", None, 0)),
    "returned": Word("asked", "decision", [BACK], DECIDED, ends_so("returned", None, 0)),
    "all three": Word("asked", "decision", [YES, NO, BACK], DECIDED, _agrees),
    "undo": Word("approved", "undo", [""], "role.decision_undone", ends_so("pending", "undone", 0)),
    "suspension": Word(
        "held", "suspension", ["reason=Thanh+tra"], "role.suspended", ends_so("approved", "suspended", 2)
    ),
    "let back": Word("suspended", "return", [""], "role.resumed", ends_so("approved", "active", 3)),
    "end": Word(
        "held", "end", ["reason=Th%C3%B4i+vi%E1%BB%87c"], "role.ended", ends_so("approved", "ended", 2)
    ),
    "separation": Word(
        "held", "separation", ["reason=Ngh%E1%BB%89+h%C6%B0u"], "role.ended", ends_so("approved", "ended", 2)
    ),
}


class Ground:
    """One unit with its manager, in the town's database; people are written straight into it."""

    def __init__(self, town: Town) -> None:
        self.kit, self.db = town.kit, Database(town.environ["NGOMON_DATABASE_URL"])
        self.manager = UUID(int=0)
        self._people = 0

    async def open(self) -> None:
        """The manager is the first person that the e-ID knows."""
        now, known = datetime.now(UTC), person(0)
        rows = [
            {"code": code, "name": code, "parent_code": above, "agency_code": "", "kind": "office"}
            for code, above in (("CR", ""), (UNIT, "CR"))
        ]
        async with self.db.write() as tx:
            await units.bring_in(tx, self.kit, records(iter(rows)), by=None, now=now)
            await managers.add(tx, self.kit, UNIT, known.national_id, by=None, now=now)
            system = System(id=new_id(), name="kho", kind="scim", url="http://127.0.0.1:9/v2", created_at=now)
            tx.add(system)

    async def set_to(self, how: str) -> Stage:
        """A new person, as far as the word needs it."""
        now = datetime.now(UTC)
        before = now - LONG_AGO if how in {"held", "suspended"} else now
        self._people += 1
        number = self._people
        async with self.db.write() as tx:
            account = Account(id=new_id(), assurance_level=2, created_at=before, vneid_at=before)
            seal_names(self.kit, account, f"Trần Thị {number}", "1990-01-02")
            tx.add(account)
            await tx.flush()
            said = f"0001{number:08d}"
            tx.add(identifier_row(self.kit, account.id, "national_id", said, source="bench", now=before))
            await tx.flush()
            wish = Draft(
                kind="register", unit=UNIT, subject_type="cong_chuc", position="chuyen_vien", fields={}
            )
            asked = await requests.create(tx, self.kit, wish, by=account.id, now=before, level=2)
        if how == "asked":
            return Stage(account.id, asked.id, None)
        async with self.db.write() as tx:
            by = self.manager
            settle(await review.approve(tx, self.kit, asked.id, version=1, by=by, now=before))
            role = (await tx.scalars(select(Role.id).where(Role.account_id == account.id))).one()
        if how == "suspended":
            async with self.db.write() as tx:
                halt = await acts.act(tx, self.kit, role, SUSPENSION, reason="Thanh tra", by=by, now=now)
                settle(halt)
        return Stage(account.id, asked.id, role)


class Saying:
    """The rounds of one kind of word, and what they showed."""

    def __init__(self, town: Town, ground: Ground, desk: Desk, database: Any, name: str, width: int) -> None:
        self.town, self.ground, self.desk, self.database = town, ground, desk, database
        self.name, self.word = name, WORDS[name]
        self.wires = [Wire(town.port) for _ in range(width)]
        self.answers: Counter[str] = Counter()
        self.shares: dict[int, int] = {}
        self.rounds = self.wrong = self.doubled = 0
        self.seconds: list[float] = []

    async def round(self, token: str) -> None:
        """Everybody says it at once; then the database is asked what became of it."""
        stage = await self.ground.set_to(self.word.set_to)
        place = ASKED if self.word.where in {"decision", "undo"} else HELD
        about = stage.request if place == ASKED else stage.role
        path = f"/workspace/{place}/{about}/{self.word.where}"
        said = {"sec_fetch_site": "same-origin", "cookie": self.desk.cookie}
        raw = [
            request("POST", path, host=wire.host, body=f"_csrf={token}&{form}".rstrip("&"), **said)
            for wire, form in zip(self.wires, cycle(self.word.forms), strict=False)
        ]
        self.shares = await spread(self.wires, self.town.server.pid)
        began = time.perf_counter()
        for wire, one in zip(self.wires, raw, strict=True):
            wire.send(one)
        answers = await asyncio.gather(*(wire.receive() for wire in self.wires), return_exceptions=True)
        self.seconds.append(time.perf_counter() - began)
        self.answers.update(
            str(one) if isinstance(one, BaseException) else str(one.status) for one in answers
        )
        found = await self.database.fetchrow(STATE, stage.request, stage.account, self.word.fact)
        self.doubled += found["facts"] != 1
        self.wrong += not self.word.ends(found)
        self.rounds += 1

    def figures(self) -> dict[str, Any]:
        """What the rounds showed."""
        return {
            "word": self.name,
            "rounds": self.rounds,
            "width": len(self.wires),
            "connections_by_process": sorted(self.shares.values()),
            "rounds_without_exactly_one_fact": self.doubled,
            "rounds_in_another_final_state": self.wrong,
            "answers": dict(self.answers),
            "errors": sum(many for name, many in self.answers.items() if name[0] not in "234"),
            **times(self.seconds),
        }


async def race(
    town: Town,
    address: str,
    *,
    rounds: int,
    width: int,
    most_seconds: float,
    words: Sequence[str] = tuple(WORDS),
) -> list[dict[str, Any]]:
    """Every kind of word in a town that is up; of each as many rounds as its share of the time allows."""
    ground, desk = Ground(town), Desk(town.port, town.eid_port)
    await ground.open()
    await desk.sign_in(person(0))
    async with ground.db.read() as tx:
        ground.manager = (await tx.scalars(select(Account.id))).one()
    token = TOKEN.search((await desk.open("/workspace")).body)
    assert token is not None, "a page of the manager's has a form"
    database, found = await asyncpg.connect(address), []
    try:
        for name in words:
            saying, began = Saying(town, ground, desk, database, name, width), time.perf_counter()
            while saying.rounds < rounds and time.perf_counter() - began < most_seconds / len(words):
                await saying.round(token[1].decode())
            found.append(saying.figures())
            for wire in saying.wires:
                wire.close()
    finally:
        await database.close()
        await ground.db.close()
    return found


async def measure(**options: Any) -> list[dict[str, Any]]:
    """The whole measurement on a fresh town."""
    async with town_on_postgres(people=1, NGOMON_LIMIT_UNDO_WINDOW="60") as (town, address):
        return await race(town, address, **options)


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench one_word", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--words", nargs="+", choices=WORDS, default=list(WORDS))
    parser.add_argument(
        "--seconds", type=float, default=7200, dest="most_seconds", help="all kinds together; shared evenly"
    )
    for figures in asyncio.run(measure(**vars(parser.parse_args(words)))):
        record("one_word", **figures)
