"""What a sign-in by code costs: the number given, the code given, an account opened; and a refresh.

Processor time of the server's process tree for the two calls together, over HTTP with DPoP, budgets, journal and
sealing on, and the messages handed to an SMS centre outside; on both databases, flows one after another.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from typing import Any

from bench.cpu import cpu_seconds, tree
from bench.eid_server import person
from bench.handset import Handset
from bench.results import record
from bench.town import Town, right, town_on_postgres, town_on_sqlite

WARM = 20


async def to_phone(town: Town, number: int) -> tuple[Handset, str]:
    """A new person who has shown up at the e-ID."""
    handset = town.handset()
    login, back = await town.begin(handset, person(number))
    right(await handset.call("POST", f"/v1/logins/{login}/authorize", back))
    return handset, login


async def sign_in(town: Town, handset: Handset, login: str, number: int) -> None:
    """The two calls that are measured."""
    mobile = f"0550{500_000 + number:06d}"
    right(await handset.call("POST", f"/v1/logins/{login}/phone", {"phone": mobile}))
    code = town.sink.codes["+84" + mobile[1:]]
    done = right(await handset.call("POST", f"/v1/logins/{login}/otp", {"code": code}))
    handset.session = done["session"]


async def refresh(handset: Handset) -> None:
    """One exchange of the refresh token."""
    token, handset.session = handset.session["refresh_token"], {}
    answer = await handset.call("POST", "/v1/token", {"refresh_token": token})
    handset.session = right(answer)["session"]


def used(town: Town) -> float:
    """Processor seconds of everything that the server has started."""
    return sum(cpu_seconds(pid) for pid in tree(town.server.pid))


async def measured(town: Town, database: str, flows: int) -> dict[str, Any]:
    """The figures of one town."""
    ready = [await to_phone(town, number) for number in range(flows + WARM)]
    for number, (handset, login) in enumerate(ready[:WARM]):
        await sign_in(town, handset, login, number)
    before, started = used(town), time.perf_counter()
    for number, (handset, login) in enumerate(ready[WARM:], WARM):
        await sign_in(town, handset, login, number)
    signed, seconds = used(town), time.perf_counter() - started
    for handset, _ in ready[WARM:]:
        await refresh(handset)
    after = used(town)
    for handset, _ in ready:
        handset.wire.close()
    return {
        "database": database,
        "flows": flows,
        "sign_in_cpu_ms": round((signed - before) / flows * 1000, 2),
        "sign_in_ms": round(seconds / flows * 1000, 2),
        "refresh_cpu_ms": round((after - signed) / flows * 1000, 2),
        "load": os.getloadavg()[0],
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
    for figures in asyncio.run(measure(**vars(parser.parse_args(words)))):
        record("sign_in", **figures)
