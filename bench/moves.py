"""`kill -9` of server and worker in the middle of movements of all kinds: nobody without a home, nothing lost or twice.

Each person has a movement of their own kind in turn. Managers say it over HTTP in the workspace, a real scim2-server
receives, and a connection of its own asks all the while who has not exactly one home role, or more than one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from bench import verdict
from bench.crash import HOMES, HUE, TODAY, TODAY_ROLES, Drill, figures_of
from bench.desk import TOKEN, Desk
from bench.office import FIRST, NEW, OLD, Office
from bench.results import record
from bench.town import town_on_postgres
from bench.wire import Lost
from tests.parts.postgres import Postgres
from tests.parts.scim import ScimServer

POST = {"subject_type": "cong_chuc", "position": "chuyen_vien", "fields": {}}
LEADS = "giam_doc"
KINDS = (
    "transfer", "later", "rotation", "secondment", "appointment", "dismissal", "concurrent", "amend",
    "end", "suspension", "separation",
)  # fmt: skip
HELD_ALL_THE_TIME = set(KINDS) - {"end", "suspension", "separation"}
TWO = HOMES.replace("<> 1", "> 1")
HOLDS = """SELECT r.account_id::text AS whose, u.code, r.state, r.is_home, r.position
           FROM roles r JOIN units u ON u.id = r.unit_id
           WHERE r.account_id = ANY($1::uuid[]) AND r.state = ANY('{active,suspended}')"""
WISHES = """SELECT id::text, status FROM role_requests WHERE id = ANY($1::uuid[])"""
HERE, THERE = (OLD, "active", True, "chuyen_vien"), (NEW, "active", True, "chuyen_vien")
ENDS: dict[str, set[tuple[str, str, bool, str]]] = {
    "transfer": {THERE},
    "later": {THERE},
    "rotation": {THERE},
    "secondment": {(OLD, "suspended", True, "chuyen_vien"), THERE},
    "appointment": {(OLD, "active", True, "van_thu")},
    "dismissal": {(OLD, "active", True, "van_thu")},
    "concurrent": {HERE, (NEW, "active", False, "chuyen_vien")},
    "amend": {(OLD, "active", True, "van_thu")},
    "end": set(),
    "suspension": {HERE},  # and let back
    "separation": set(),
}


def wish_of(kind: str, role: str) -> dict[str, Any] | None:
    """What the person asks for; nothing where only a manager can begin it."""
    today = datetime.now(HUE).date()
    until, tomorrow = str(today + timedelta(days=300)), str(today + timedelta(days=1))
    move = {"kind": "transfer", "unit": NEW}
    here = {"kind": "transfer", "unit": OLD, "position": "van_thu", "subject_type": "cong_chuc", "fields": {}}
    found: dict[str, dict[str, Any]] = {
        "transfer": move,
        "later": move | {"effective_on": tomorrow},
        "rotation": move | {"movement": "rotation", "until": until},
        "secondment": move | {"movement": "secondment", "until": until},
        "appointment": here | {"movement": "appointment"},
        "dismissal": here | {"movement": "dismissal"},
        "concurrent": {"kind": "concurrent", "unit": NEW} | POST,
        "amend": {"kind": "amend", "position": "van_thu"},
        "end": {"kind": "end", "role_id": role},
    }
    return found.get(kind)


class Moves(Drill):
    """The drill, with what only managers do to a role."""

    async def act(self, role: str, act: str, form: str) -> None:
        """Say it until it has been heard, however often the server goes away."""
        desk = self.office.desks[OLD].another()
        while True:
            try:
                outcome = await _said(desk, f"/workspace/people/{role}/{act}", form)
            except (Lost, OSError) as error:
                self.outcomes["cut off"] += isinstance(error, Lost)
                desk.wire.close()
                await self._up()
                continue
            self.outcomes[outcome] += 1
            self.said += 1
            return

    async def watch(self, address: str, steady: list[str], others: list[str]) -> None:
        """Ask without pause: of some who has not exactly one home role, of the others who has two."""
        connection = await asyncpg.connect(address)
        try:
            one, two = await connection.prepare(HOMES), await connection.prepare(TWO)
            while True:
                bad = await one.fetchval(steady) + await two.fetchval(others)
                self.bad_instants += bad != 0
                self.samples += 1
                await asyncio.sleep(0.002)
        finally:
            await connection.close()


async def _said(desk: Desk, path: str, form: str) -> str:
    shown = await desk.open("/workspace")
    token = TOKEN.search(shown.body)
    assert token is not None, shown.status
    body = f"_csrf={token[1].decode()}&{form}".rstrip("&")
    said = await desk.wire.ask("POST", path, body, sec_fetch_site="same-origin", cookie=desk.cookie)
    assert said.status in {303, 404, 409}, (said.status, said.body[-600:])
    return "acknowledged" if said.status == 303 else "refused"


async def settle_in(office: Office, database: Any, drill: Drill) -> list[str]:
    """Everybody has a home in the old unit, dismissed ones a leading post; their roles in the order of people."""
    asked = []
    for number, phone in enumerate(office.phones):
        post = POST | ({"position": LEADS} if KINDS[number % len(KINDS)] == "dismissal" else {})
        asked.append(await office.ask(phone, {"kind": "register", "unit": OLD} | post))
    await drill.approve(OLD, asked)
    await asyncio.sleep(3)  # nothing of it can be taken back any more
    rows = await database.fetch("SELECT account_id::text AS whose, id::text FROM roles")
    roles = {row["whose"]: row["id"] for row in rows}
    return [roles[one] for one in office.accounts]


async def drilled(drill: Moves, address: str, kinds: dict[str, str], roles: list[str]) -> dict[str, Any]:
    """All movements under fire; what is left."""
    office, people, asked = drill.office, drill.office.accounts, dict[str, str]()
    for phone, who, role in zip(office.phones, people, roles, strict=True):
        if wish := wish_of(kinds[who], role):
            asked[who] = await office.ask(phone, wish)
    steady = [one for one in people if kinds[one] in HELD_ALL_THE_TIME]
    watching = asyncio.create_task(drill.watch(address, steady, [one for one in people if one not in steady]))
    by_managers = [
        (role, kinds[who])
        for who, role in zip(people, roles, strict=True)
        if kinds[who] in {"suspension", "separation"}
    ]
    wishes = list(asked.values())
    two = [one for who, one in asked.items() if any(role[0] == NEW for role in ENDS[kinds[who]])]
    async with drill.under_fire():
        await asyncio.gather(drill.approve(OLD, wishes), _acts(drill, by_managers))
        await drill.approve(NEW, two)
        later = [one for who, one in asked.items() if kinds[who] == "later"]
        today = datetime.now(HUE).date()
        await drill.database.execute(TODAY_ROLES, today, later)
        await drill.database.execute(TODAY, today, later)
        began = time.perf_counter()
        while await verdict.waiting(drill.database) and time.perf_counter() - began < 20:
            await asyncio.sleep(0.1)
    drained = await drill.drain()
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return figures_of(drill, len(people), drained) | await left(drill, kinds, wishes)


async def _acts(drill: Moves, by_managers: list[tuple[str, str]]) -> None:
    for role, kind in by_managers:
        await drill.act(role, kind, "reason=Theo+quy%E1%BA%BFt+%C4%91%E1%BB%8Bnh")
        if kind == "suspension":
            await drill.act(role, "return", "")


async def left(drill: Moves, kinds: dict[str, str], wishes: list[str]) -> dict[str, Any]:
    """Who holds what is not theirs, what was said and is not there, deliveries that are not one and done."""
    held: dict[str, set[tuple[str, str, bool, str]]] = {one: set() for one in kinds}
    for row in await drill.database.fetch(HOLDS, list(kinds)):
        held[row["whose"]].add((row["code"], row["state"], row["is_home"], row["position"]))
    wrong = Counter(kinds[one] for one, roles in held.items() if roles != ENDS[kinds[one]])
    status = {row["id"]: row["status"] for row in await drill.database.fetch(WISHES, wishes)}
    done, total = Counter[str](), Counter[str]()
    for row in await drill.database.fetch(verdict.DELIVERIES, wishes):
        total[row["request_id"]] += row["times"]
        done[row["request_id"]] += row["times"] if row["state"] == "done" else 0
    return {
        "movements": dict(Counter(kinds.values())),
        "samples": drill.samples,
        "instants_with_none_or_two_home_roles": drill.bad_instants,
        "people_with_other_roles_than_decided": dict(wrong),
        "decisions_lost": sum(status.get(one) != "approved" for one in drill.acknowledged),
        "not_decided": sum(status.get(one) != "approved" for one in wishes),
        "deliveries_lost": sum(done[one] == 0 for one in wishes),
        "deliveries_doubled": sum(many > 1 for many in total.values())
        + await drill.database.fetchval(verdict.ACKNOWLEDGED_TWICE),
    }


async def measure(*, people: int, every: int, seed: int, cluster: Postgres | None = None) -> dict[str, Any]:
    """On one fresh town."""
    chance, scim = random.Random(seed), ScimServer()
    scim.start()
    environ = {
        "NGOMON_LIMIT_UNDO_WINDOW": "2",
        "NGOMON_LIMIT_LEASE": "3",
        "NGOMON_LIMIT_RETRY_FIRST": "1",
        "NGOMON_LIMIT_ACCESS_LIFETIME": "36000",
        "NGOMON_LIMIT_WORKSPACE_IDLE": "28800",  # the other unit's manager waits for the first one to be ready
    }
    try:
        async with (
            town_on_postgres(people=people + FIRST, workers=1, cluster=cluster, **environ) as (town, address),
            asyncpg.create_pool(address, min_size=1, max_size=4) as database,
        ):
            office = Office(town, scim)
            await office.open(people)
            town.worker.start(lambda: True)
            drill = Moves(town, office, database, chance, every)
            roles = await settle_in(office, database, drill)
            drill = Moves(town, office, database, chance, every)
            kinds = {who: KINDS[number % len(KINDS)] for number, who in enumerate(office.accounts)}
            found = await drilled(drill, address, kinds, roles)
            return found | {"broken_invariants": await verdict.invariants(town)}
    finally:
        scim.stop()


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench moves", description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--every", type=int, default=8, help="steps of work between two kills, on average")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    record("moves", **asyncio.run(measure(**vars(parser.parse_args(words)))))
