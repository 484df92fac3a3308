"""What a sign-in costs: with VNeID as a new and as a known person, by code, a refresh; and asking for a role.

Processor time of the server's process tree over HTTP with DPoP, budgets, journal and sealing on, and the messages
handed to an SMS centre outside; on both databases, flows one after another. What our own client of the e-ID needs for
one sign-in is measured beside it and taken off where a figure says so.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import uvloop

from backend.db import Database
from backend.imports.rows import records
from backend.outside.clock import Clock
from backend.outside.eid import eid_provider
from backend.outside.eid.eid import EId
from backend.roles import units
from bench.cpu import cpu_seconds, tree
from bench.eid_server import person
from bench.results import record
from bench.town import Town, right, town_on_postgres, town_on_sqlite
from ngomon import tasks

WARM = 20


UNIT = "SO.NV"
WISH = {
    "kind": "register",
    "subject_type": "cong_chuc",
    "unit": UNIT,
    "position": "chuyen_vien",
    "fields": {},
}


class Someone:
    """A person with a phone in their hand."""

    def __init__(self, town: Town, number: int) -> None:
        self.town, self.number, self.phone, self.login = town, number, town.handset(), ""

    async def show_up(self) -> None:
        """At the e-ID, which sends them back: two calls of ours."""
        self.phone.session = {}
        self.login, back = await self.town.begin(self.phone, person(self.number))
        done = right(await self.phone.call("POST", f"/v1/logins/{self.login}/authorize", back))
        self.phone.session = done.get("session", {})

    async def prove_phone(self) -> None:
        """The number, then the code: two calls, after which there is an account."""
        mobile = f"0550{500_000 + self.number:06d}"
        right(await self.phone.call("POST", f"/v1/logins/{self.login}/phone", {"phone": mobile}))
        code = self.town.sink.codes["+84" + mobile[1:]]
        done = right(await self.phone.call("POST", f"/v1/logins/{self.login}/otp", {"code": code}))
        self.phone.session = done["session"]

    async def refresh(self) -> None:
        """One exchange of the refresh token."""
        token, self.phone.session = self.phone.session["refresh_token"], {}
        answer = await self.phone.call("POST", "/v1/token", {"refresh_token": token})
        self.phone.session = right(answer)["session"]

    async def ask(self) -> None:
        """For a role."""
        right(await self.phone.call("POST", "/v1/role-requests", WISH), 201)


def used(town: Town) -> float:
    """Processor seconds of everything that the server has started."""
    return sum(cpu_seconds(pid) for pid in tree(town.server.pid))


async def each(town: Town, people: Sequence[Someone], step: Callable[[Someone], Awaitable[None]]) -> float:
    """Milliseconds of the server's CPU for one of them, after some that nobody counts."""
    for one in people[:WARM]:
        await step(one)
    before = used(town)
    for one in people[WARM:]:
        await step(one)
    return (used(town) - before) / (len(people) - WARM) * 1000


async def of_the_provider(town: Town, times: int) -> float:
    """The same for our client of the e-ID alone, in this process."""
    eid = EId(eid_provider.vneid(town.settings), tasks.outgoing(town.settings), Clock())
    spent = 0.0
    for at in range(times + WARM):
        begun = time.process_time()
        url, attempt = await eid.begin(town.settings.vneid.redirect_uri)
        spent = 0.0 if at == WARM else spent + time.process_time() - begun
        back = await town.agree(url, person(0))
        begun = time.process_time()
        await eid.finish(attempt, code=back["code"], iss=back["iss"], encrypt_key=None)
        spent += time.process_time() - begun
    return spent / times * 1000


async def one_unit(town: Town) -> None:
    """Where everybody asks for a post; nobody decides there."""
    database = Database(town.environ["NGOMON_DATABASE_URL"])
    row = {"code": UNIT, "name": "Sở Nội vụ", "parent_code": "", "agency_code": "", "kind": "office"}
    async with database.write() as tx:
        await units.bring_in(tx, town.kit, records(iter([row])), by=None, now=datetime.now(UTC))
    await database.close()


async def measured(town: Town, database: str, flows: int) -> dict[str, Any]:
    """The figures of one town."""
    await one_unit(town)
    people = [Someone(town, number) for number in range(flows + WARM)]
    shown = await each(town, people, Someone.show_up)
    signed = await each(town, people, Someone.prove_phone)
    refreshed = await each(town, people, Someone.refresh)
    asked = await each(town, people, Someone.ask)
    known = await each(town, people, Someone.show_up)
    provider = await of_the_provider(town, flows)
    for one in people:
        one.phone.wire.close()
    figures = {
        "code_sign_in": signed,
        "vneid_new": shown + signed - provider,
        "vneid_known": known - provider,
        "refresh": refreshed,
        "role_request": asked,
        "client_of_the_provider": provider,
    }
    return {
        "database": database,
        "flows": flows,
        **{f"{name}_cpu_ms": round(value, 2) for name, value in figures.items()},
        "load": round(os.getloadavg()[0], 1),
    }


async def measure(*, flows: int) -> list[dict[str, Any]]:
    """Both databases."""
    people = flows + WARM
    async with town_on_sqlite(people=people) as town:
        figures = [await measured(town, "sqlite", flows)]
    async with town_on_postgres(people=people, workers=1) as (town, _):
        figures.append(await measured(town, "postgresql", flows))
    return figures


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench sign_in", description=__doc__)
    parser.add_argument("--flows", type=int, default=200)
    for figures in uvloop.run(measure(**vars(parser.parse_args(words)))):
        record("sign_in", **figures)
