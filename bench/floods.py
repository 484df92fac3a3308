"""Floods that want to keep an owner out, and the owner on a known device meanwhile (cases A05, A13, A14, A15).

For every flood there are owners of its own. Strangers first use up all that they can of one owner, go on while that
owner signs in by password and code and gets the password back, and sign-ins and recoveries that worked are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from bench.handset import Handset
from bench.pumping import call, name_of
from bench.registry import BORN, HALF, NAME, number_of, registry
from bench.results import record
from bench.timing import DEVICE, settle_in
from bench.town import Town, right, town_on_postgres, town_on_sqlite
from bench.wire import Answer
from tests.parts.processes import free_port

PASSWORD, NEW = "Mật khẩu của họ 1!", "Mật khẩu mới của họ 2!"
PAUSE = 1.1  # between two codes, a little more than LIMITS want
HOME = "203.0.113.{}"  # where the owners live, and a stranger too
LIMITS = {
    "NGOMON_TRUSTED_PROXIES": "1",
    "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "240",
    "NGOMON_OTP_RESEND_AFTER": "1",
    "NGOMON_LIMIT_PASSWORD_TRIES_PER_DAY": "10",
    "NGOMON_LIMIT_WRONG_RESET_CODES_PER_HOUR": "20",
    "NGOMON_LIMIT_LOGINS_PER_NETWORK_PER_HOUR": "50",
    "NGOMON_LIMIT_SMS_PER_FIVE_MINUTES": "20000",  # seven hundred owners in minutes; what fills it `pumping` shows
    "NGOMON_LIMIT_SMS_PER_DAY": "200000",
    "NGOMON_LIMIT_CAPTCHA_SECONDS": "0",  # the strangers' work is not what is measured
}
Act = Callable[[int, int], Awaitable[Answer]]


class Siege:
    """A town, its owners, and the strangers' acts: each takes the owner that it is against and a running number."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.acts: dict[str, Act] = {
            "recoveries on the number": self.recovery,
            "wrong passwords on the number": self.wrong_password,
            "wrong reset codes from seven networks": self.wrong_reset_code,
            "one IPv6 /48": self.one_network,
            "sign-ins that begin in the owner's network": self.start,
            "registrations on the owner's phone": self.registration,
            "wrong codes by the right password": self.wrong_code,
        }

    async def ask(self, path: str, body: Any, address: str, handset: Handset | None = None) -> Answer:
        """One call of a stranger on a phone of his own."""
        return await call(handset or self.town.handset(), path, body, address)

    async def recovery(self, owner: int, turn: int) -> Answer:
        """Somebody has forgotten the owner's password."""
        return await self.ask("/v1/recoveries", {"national_id": number_of(owner)}, f"198.51.{turn % 250}.1")

    async def wrong_password(self, owner: int, turn: int) -> Answer:
        """Somebody guesses."""
        body = {
            "method": "password",
            "national_id": number_of(owner),
            "password": "Sai 1234 @x",
            "device": DEVICE,
        }
        return await self.ask("/v1/logins", body, f"198.51.{turn % 250}.1")

    async def wrong_reset_code(self, owner: int, turn: int) -> Answer:
        """A recovery of the owner's, with a code that is not right."""
        return await self.guessed("/v1/recoveries", {"national_id": number_of(owner)}, f"198.51.{turn % 7}.1")

    async def one_network(self, owner: int, turn: int) -> Answer:
        """Recoveries of many people from one line."""
        return await self.ask(
            "/v1/recoveries",
            {"national_id": number_of(HALF + owner * 1000 + turn)},
            f"2001:db8:7:{turn % 9999}::1",
        )

    async def start(self, owner: int, turn: int) -> Answer:
        """A sign-in begins next door."""
        return await self.ask(
            "/v1/logins", {"method": "vneid", "device": DEVICE}, HOME.format((owner + turn) % 250 + 1)
        )

    async def registration(self, owner: int, turn: int) -> Answer:
        """Somebody registers with the owner's number and phone."""
        body = {
            "method": "subscriber", "national_id": number_of(owner), "full_name": NAME, "birth_date": BORN,
            "phone": f"0550{owner:06d}", "device": DEVICE,
        }  # fmt: skip
        return await self.ask("/v1/registrations", body, f"198.51.{turn % 250}.1")

    async def wrong_code(self, owner: int, turn: int) -> Answer:
        """Somebody has the password, and not the phone."""
        body = {"method": "password", "national_id": number_of(owner), "password": PASSWORD, "device": DEVICE}
        return await self.guessed("/v1/logins", body, f"198.51.{turn % 250}.1")

    async def guessed(self, path: str, body: Any, address: str) -> Answer:
        """A flow that is begun, and three wrong codes for it."""
        handset = self.town.handset()
        answer = await self.ask(path, body, address, handset)
        if answer.status == 201:
            at = f"{path}/{answer.json()['id']}/otp"
            for _ in range(3):
                answer = await self.ask(at, {"code": "000000"}, address, handset)
        return answer

    async def coded(self, handset: Handset, owner: int, path: str, body: Any, address: str = "") -> Answer:
        """What the owner begins, brought to the end of its code."""
        phone, address = f"+84550{owner:06d}", address or HOME.format(owner % 250 + 1)
        before = len(self.town.sink.all.get(phone, []))
        begun = right(await self.ask(path, body, address, handset), 201)
        at = f"{path}/{begun['id']}"
        answer = await self.typed(handset, phone, before, f"{at}/otp", address)
        if path == "/v1/recoveries":
            right(await self.ask(f"{at}/password", {"password": NEW}, address, handset))
        return answer

    async def typed(self, handset: Handset, phone: str, before: int, at: str, address: str) -> Answer:
        """The owner types the codes that come: strangers have some sent to the same phone."""
        tried = before
        async with asyncio.timeout(10):
            while True:
                came = self.town.sink.all.get(phone, [])
                if len(came) == tried:
                    await asyncio.sleep(0.01)
                    continue
                answer = await self.ask(at, {"code": came[tried]}, address, handset)
                tried += 1
                if answer.status != 422:
                    right(answer)
                    return answer

    async def sign_in(self, handset: Handset, owner: int, password: str = PASSWORD) -> Answer:
        """Number, password, code."""
        body = {"method": "password", "national_id": number_of(owner), "password": password, "device": DEVICE}
        return await self.coded(handset, owner, "/v1/logins", body)

    async def come_in(self, owners: int) -> list[Handset]:
        """Before anything happens everybody signs in once, each elsewhere: the accounts know these devices."""
        handsets = [self.town.handset() for _ in range(owners)]
        for owner, handset in enumerate(handsets):
            body = {
                "method": "password",
                "national_id": number_of(owner),
                "password": PASSWORD,
                "device": DEVICE,
            }
            await self.coded(handset, owner, "/v1/logins", body, f"100.{owner // 250}.{owner % 250}.1")
        return handsets

    async def besieged(
        self, name: str, owner: int, handset: Handset, before: int, told: Counter[str]
    ) -> Counter[str]:
        """One owner while the flood goes on: what worked."""
        good = Counter[str]()

        async def attack(turns: range) -> None:
            for turn in turns:
                told[name_of(await self.acts[name](owner, turn))] += 1

        await attack(range(before))
        going_on = asyncio.create_task(attack(range(before, 10**6)))
        try:
            await asyncio.sleep(PAUSE)
            await self.sign_in(handset, owner)
            good["signed in"] += 1
            await asyncio.sleep(PAUSE)
            await self.coded(handset, owner, "/v1/recoveries", {"national_id": number_of(owner)})
            good["got the password back"] += 1
            await asyncio.sleep(PAUSE)
            await self.sign_in(handset, owner, NEW)
            good["signed in with the new one"] += 1
        except (AssertionError, TimeoutError) as failure:
            good[f"failed: {failure!r}"[:160]] += 1
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        return good

    async def flood(
        self, name: str, owners: range, handsets: list[Handset], before: int, wide: int
    ) -> dict[str, Any]:
        """One flood against all of its owners, some at once."""
        told, good, places = Counter[str](), Counter[str](), asyncio.Semaphore(wide)

        async def one(owner: int) -> None:
            async with places:
                good.update(await self.besieged(name, owner, handsets[owner], before, told))

        await asyncio.gather(*(one(owner) for owner in owners))
        return {"owners": len(owners), **good, "answers to strangers": dict(told)}


async def measure(*, owners: int, before: int, wide: int, only: str, database: str) -> dict[str, Any]:
    """Every flood, in a fresh town."""
    async with registry(free_port(), 7 * owners) as place:
        environ = LIMITS | {"NGOMON_SUBSCRIBERS_URL": place}
        if database == "sqlite":
            async with town_on_sqlite(people=1, **environ) as town:
                return await _all(town, owners, before, wide, only)
        async with town_on_postgres(people=1, workers=1, cluster=None, **environ) as (town, _):
            return await _all(town, owners, before, wide, only)


async def _all(town: Town, owners: int, before: int, wide: int, only: str) -> dict[str, Any]:
    siege, started = Siege(town), time.perf_counter()
    await settle_in(town, len(siege.acts) * owners)
    handsets, found = await siege.come_in(len(siege.acts) * owners), {}
    for place, name in enumerate(siege.acts):
        if only not in name:
            continue
        found[name] = await siege.flood(
            name, range(place * owners, (place + 1) * owners), handsets, before, wide
        )
    return {"floods": found, "seconds": round(time.perf_counter() - started, 1)}


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench floods", description=__doc__)
    parser.add_argument("--owners", type=int, default=100, help="of each of the seven floods")
    parser.add_argument("--before", type=int, default=12, help="acts of strangers before the owner comes")
    parser.add_argument("--wide", type=int, default=8, help="owners who are besieged at once")
    parser.add_argument("--only", default="", help="the floods with this in their name")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = vars(parser.parse_args(words))
    record("floods", **options, **asyncio.run(measure(**options)))
