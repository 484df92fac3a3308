"""SMS pumping: fresh numbers from many addresses until the province's budget says no (case TO12).

Registrations, because anybody may begin one. While the flood goes on, people with accounts sign in by password:
their codes must leave through the share that is kept for them. At the end the operator's alarm is read.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter
from typing import Any

from bench.handset import Handset
from bench.registry import BORN, HALF, NAME, number_of, registry
from bench.results import record
from bench.timing import DEVICE, settle_in
from bench.town import Town, town_on_postgres, town_on_sqlite
from bench.wire import Answer, Wire
from tests.parts.processes import free_port

ALARM = re.compile(r'ngomon_alarms_total\{alarm="(\w+)"\} (\S+)')
SCATTER = 7919  # a prime: consecutive tries fall into different blocks of numbers


async def call(handset: Handset, path: str, body: Any, address: str) -> Answer:
    """One call of a new phone behind the proxy, from `address`; it is switched off afterwards."""
    async with handset.wire as wire:
        headers = {"dpop": handset.proof("POST", path), "x-forwarded-for": address}
        return await wire.ask("POST", path, body, **headers)


class Flood:
    """The stranger's share and the known people's, counted by answer."""

    def __init__(self, town: Town, addresses: int) -> None:
        self.town, self.addresses = town, addresses
        self.strangers: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.first_refusal: float | None = None
        self.alarm_seen: float | None = None

    def address(self, turn: int) -> str:
        """One of the many, spread over /24s of fifty."""
        one = turn % self.addresses
        return f"198.51.{one // 50}.{one % 50 + 1}"

    async def pump(self, turns: range) -> None:
        """Register with one fresh number after the other, each on a new phone: one phone has a budget of its own."""
        for turn in turns:
            digits = HALF + turn * SCATTER % HALF
            body = {
                "method": "subscriber",
                "national_id": number_of(digits),
                "full_name": NAME,
                "birth_date": BORN,
                "phone": f"0550{digits:06d}",
                "device": DEVICE,
            }
            answer = await call(self.town.handset(), "/v1/registrations", body, self.address(turn))
            self.strangers[name_of(answer)] += 1
            if answer.status == 429 and self.first_refusal is None:
                self.first_refusal = time.perf_counter()

    async def visit(self, people: int) -> None:
        """Known people sign in, one after the other, once the flood has filled its share."""
        while self.first_refusal is None:
            await asyncio.sleep(0.1)
        self.alarm_seen = time.perf_counter() if await self.alarms() else None
        for one in range(people):
            body = {
                "method": "password",
                "national_id": number_of(one),
                "password": "Mật khẩu của họ 1!",
                "device": DEVICE,
            }
            answer = await call(self.town.handset(), "/v1/logins", body, f"203.0.113.{one % 250 + 1}")
            self.known[name_of(answer)] += 1

    async def alarms(self) -> dict[str, str]:
        """What `/metrics` says."""
        async with Wire(self.town.port) as wire:
            answer = await wire.ask("GET", "/metrics")
        return dict(ALARM.findall(answer.body.decode()))


def name_of(answer: Answer) -> str:
    """The status, and the code of a refusal."""
    return f"{answer.status} {answer.json()['code']}" if answer.status >= 400 else str(answer.status)


async def measure(*, numbers: int, addresses: int, known: int, wide: int, database: str) -> dict[str, Any]:
    """The whole case on a fresh town."""
    async with registry(free_port(), known) as place:
        environ = {
            "NGOMON_SUBSCRIBERS_URL": place,
            "NGOMON_TRUSTED_PROXIES": "1",
            "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "240",
            "NGOMON_LIMIT_CAPTCHA_SECONDS": "0",
        }
        if database == "sqlite":
            async with town_on_sqlite(people=1, **environ) as town:
                return await _run(Flood(town, addresses), numbers, known, wide)
        async with town_on_postgres(people=1, workers=1, cluster=None, **environ) as (town, _):
            return await _run(Flood(town, addresses), numbers, known, wide)


async def _run(flood: Flood, numbers: int, known: int, wide: int) -> dict[str, Any]:
    await settle_in(flood.town, known)
    started = time.perf_counter()
    pumps = [flood.pump(range(place, numbers, wide)) for place in range(wide)]
    await asyncio.gather(*pumps, flood.visit(known))
    seconds = time.perf_counter() - started
    assert flood.first_refusal is not None
    seen = flood.alarm_seen
    return {
        "fresh_numbers": numbers,
        "addresses": flood.addresses,
        "answers_to_strangers": dict(flood.strangers),
        "answers_to_known_people": dict(flood.known),
        "budget_five_minutes": flood.town.settings.limits.sms_per_five_minutes,
        "alarms": await flood.alarms(),
        "alarm_after_first_refusal_seconds": None if seen is None else round(seen - flood.first_refusal, 2),
        "seconds": round(seconds, 1),
    }


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench pumping", description=__doc__)
    parser.add_argument("--numbers", type=int, default=10_000)
    parser.add_argument("--addresses", type=int, default=500)
    parser.add_argument("--known", type=int, default=100, help="people with an account who sign in meanwhile")
    parser.add_argument("--wide", type=int, default=16)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = vars(parser.parse_args(words))
    record("pumping", database=options["database"], **asyncio.run(measure(**options)))
