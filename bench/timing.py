"""Whether time tells who has an account: known and unknown people in random order, the same call (rule 121; case TO14).

For each call the medians and their gap, and the AUC: 0.5 means that nobody can guess from the time, 1 that
everybody can. Counts are switched off, so that 429 hides nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from backend.accounts.identity import people
from backend.accounts.identity.evidence import Evidence
from backend.accounts.identity.numbers import NATIONAL_ID
from backend.accounts.passwords import passwords
from backend.accounts.passwords.passwords import Passwords
from backend.accounts.phones.binding import bind_phone
from backend.db import Database
from bench.handset import Handset
from bench.registry import BORN, HALF, NAME, number_of, registry
from bench.results import record
from bench.town import Town, right, town_on_postgres, town_on_sqlite
from bench.wire import Answer
from tests.parts.processes import free_port

OFF = (
    "OTP_RESEND_AFTER", "OTP_PER_HOUR", "OTP_PER_DAY", "OTP_ATTEMPTS", "LIMIT_OTP_ATTEMPTS_CAREFUL",
    "LIMIT_PASSWORD_TRIES", "LIMIT_PASSWORD_TRIES_PER_DAY", "LIMIT_CAPTCHA_SECONDS", "LIMIT_WRONG_CODES_PER_DAY",
    "LIMIT_WRONG_RESET_CODES_PER_HOUR", "LIMIT_REGISTRATIONS_PER_ADDRESS_PER_HOUR",
    "LIMIT_RECOVERIES_PER_ADDRESS_PER_HOUR",
)  # fmt: skip
DEVICE = {"platform": "android", "name": "Máy đo", "model": "Mẫu đo"}
Ask = Callable[[bool, int], Awaitable[Answer]]


async def settle_in(town: Town, known: int) -> None:
    """Give the first people accounts with phone and password, as a registration would have."""
    db, kit, now = Database(town.environ["NGOMON_DATABASE_URL"]), town.kit, datetime.now(UTC)
    stored = await Passwords(kit.limits).hashed("Mật khẩu của họ 1!")
    try:
        async with db.write() as tx:
            for one in range(known):
                profile = Evidence(
                    full_name=NAME,
                    level=2,
                    by="subscriber",
                    source="subscriber",
                    identifiers={NATIONAL_ID: number_of(one)},
                    birth_date=BORN,
                )
                account = await people.open_with(tx, kit, profile, now=now)
                await bind_phone(tx, kit, account.id, f"+84550{one:06d}", now=now)
                await passwords.put(tx, account.id, stored, now=now)
    finally:
        await db.close()


class Stranger:
    """Somebody who asks and looks at the clock; everything through one device."""

    def __init__(self, town: Town, known: int) -> None:
        self.town, self.known = town, known
        self.handset: Handset = town.handset()
        self.flows: dict[bool, list[str]] = {True: [], False: []}

    async def post(self, path: str, body: Any) -> Answer:
        """One call."""
        return await self.handset.call("POST", path, body)

    async def register(self, has_account: bool, turn: int) -> Answer:
        """A registration form with a number that is fresh each time."""
        digits = turn * self.known + turn % self.known if has_account else HALF + turn
        person = turn % self.known if has_account else HALF + turn
        body = {
            "method": "subscriber",
            "national_id": number_of(person),
            "full_name": NAME,
            "birth_date": BORN,
            "phone": f"0550{digits % HALF if has_account else digits:06d}",
            "device": DEVICE,
        }
        return await self.post("/v1/registrations", body)

    async def recover(self, has_account: bool, turn: int) -> Answer:
        """A recovery by personal number."""
        person = turn % self.known if has_account else HALF + turn
        answer = await self.post("/v1/recoveries", {"national_id": number_of(person)})
        self.flows[has_account].append(right(answer, 201)["id"])
        return answer

    async def guess(self, has_account: bool, turn: int) -> Answer:
        """A wrong code."""
        flow = self.flows[has_account][turn % len(self.flows[has_account])]
        return await self.post(f"/v1/recoveries/{flow}/otp", {"code": "000000"})

    async def resend(self, has_account: bool, turn: int) -> Answer:
        """The code again."""
        flow = self.flows[has_account][turn % len(self.flows[has_account])]
        return await self.post(f"/v1/recoveries/{flow}/otp/resend", {})

    async def knock(self, has_account: bool, turn: int) -> Answer:
        """A wrong password."""
        person = turn % self.known if has_account else HALF + turn
        body = {
            "method": "password",
            "national_id": number_of(person),
            "password": "Không phải 1!",
            "device": DEVICE,
        }
        return await self.post("/v1/logins", body)


async def compare(ask: Ask, calls: int, chance: random.Random) -> dict[str, Any]:
    """`calls` of each kind in random order; times in milliseconds."""
    order = [True] * calls + [False] * calls
    chance.shuffle(order)
    turns, times, statuses = {True: 0, False: 0}, {True: [], False: []}, {True: set(), False: set()}  # type: ignore[var-annotated]
    for has_account in order:
        started = time.perf_counter()
        answer = await ask(has_account, turns[has_account])
        times[has_account].append((time.perf_counter() - started) * 1000)
        statuses[has_account].add(answer.status)
        turns[has_account] += 1
        await asyncio.sleep(0.002)  # what leaves after the answer is done before the next call
    medians = {kind: statistics.median(times[kind]) for kind in times}
    return {
        "calls_each": calls,
        "median_known_ms": round(medians[True], 3),
        "median_unknown_ms": round(medians[False], 3),
        "gap_ms": round(medians[True] - medians[False], 3),
        "auc": round(auc(times[True], times[False]), 4),
        "statuses": [sorted(statuses[True]), sorted(statuses[False])],
    }


def auc(some: list[float], others: list[float]) -> float:
    """How often one of `some` is longer than one of `others` (Mann-Whitney)."""
    ranked = sorted([(one, 1) for one in some] + [(one, 0) for one in others])
    ranks = sum(place for place, (_, mine) in enumerate(ranked, 1) if mine)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


async def measure(*, calls: int, known: int, database: str, seed: int) -> dict[str, Any]:
    """All five calls on one installation."""
    environ = {f"NGOMON_{name}": "0" for name in OFF}
    async with registry(free_port(), known) as address:
        environ["NGOMON_SUBSCRIBERS_URL"] = address
        if database == "sqlite":
            async with town_on_sqlite(people=1, **environ) as town:
                return await _all(town, calls, known, seed)
        async with town_on_postgres(people=1, workers=1, cluster=None, **environ) as (town, _):
            return await _all(town, calls, known, seed)


async def _all(town: Town, calls: int, known: int, seed: int) -> dict[str, Any]:
    await settle_in(town, known)
    stranger, chance = Stranger(town, known), random.Random(seed)
    asks: dict[str, Ask] = {
        "POST /v1/registrations": stranger.register,
        "POST /v1/recoveries": stranger.recover,
        "POST /v1/recoveries/…/otp": stranger.guess,
        "POST /v1/recoveries/…/otp/resend": stranger.resend,
        "POST /v1/logins (password)": stranger.knock,
    }
    return {name: await compare(ask, calls, chance) for name, ask in asks.items()}


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench timing", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="of each kind")
    parser.add_argument("--known", type=int, default=500, help="people with an account")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=11)
    options = vars(parser.parse_args(words))
    record("timing", database=options["database"], seed=options["seed"], **asyncio.run(measure(**options)))
