"""The five flows that wait for a code, each brought to that step for one citizen: what attacks on codes have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tests.checker import check
from tests.citizen import Citizen
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import CODE, Service, running

GUESSES = {"login": 5, "registration": 5, "recovery": 3, "phone_change": 3, "method": 5}


class Way:
    """A flow at `otp`: where it is, which device began it, and where its code went."""

    def __init__(self, kind: str, at: str, phone: Phone, number: str, code: str, *, session: bool) -> None:
        self.kind, self.at, self.phone, self.number, self.code = kind, at, phone, number, code
        self._session = session

    async def post(self, step: str, body: Any, at: str | None = None) -> httpx2.Response:
        """One step of it; `at` is another flow's address."""
        path = f"{at or self.at}/{step}"
        if self._session:
            return await self.phone.call("POST", path, body)
        return await self.phone.open(path, body)

    async def guess(self, code: Any, at: str | None = None) -> httpx2.Response:
        """Try a code."""
        return await self.post("otp", {"code": code}, at)

    def wrong(self, count: int) -> list[str]:
        """So many different codes that are not right."""
        return [f"{(int(self.code) + step) % 10**6:06d}" for step in range(1, count + 1)]


def sent(service: Service, number: str) -> list[str]:
    """The texts that a number has got, the newest first."""
    e164 = "+84" + number.removeprefix("0")
    return [one.text for one in service.inbox.sms if one.to == e164]


async def next_code(service: Service, number: str, before: int) -> str:
    """The code of the message after the first `before`; some leave after the answer."""
    async with asyncio.timeout(5):
        while len(sent(service, number)) <= before:
            await asyncio.sleep(0.02)
    found = CODE.search(sent(service, number)[0])
    assert found is not None
    return found.group()


async def bring(kind: str, citizen: Citizen, *, number: str | None = None, phone: Phone | None = None) -> Way:
    """A flow of this kind at its code; `number` is where a change, a method or a registration sends it."""
    service = citizen.service
    phone = phone or (citizen.phone if kind in ("phone_change", "method") else service.phone())
    to = citizen.number
    if kind in ("phone_change", "method"):
        to = number or service.mobile_number()
        citizen.subscribe(to)
    before = len(sent(service, to))
    session = kind in ("phone_change", "method")
    if kind == "login":
        answer, path = await citizen.knock(phone), "/v1/logins"
    elif kind == "registration":
        answer = await phone.open("/v1/registrations", await citizen.form())
        path = "/v1/registrations"
    elif kind == "recovery":
        path = "/v1/recoveries"
        answer = await phone.open(path, {"national_id": citizen.person.national_id})
    else:
        path = "/v1/phone-changes" if kind == "phone_change" else "/v1/me/auth-methods"
        body = {"phone": to} | ({"type": "phone"} if kind == "method" else {})
        answer = await phone.call("POST", path, body)
    assert answer.status_code == 201, answer.text
    code = await next_code(service, to, before)
    return Way(kind, f"{path}/{answer.json()['id']}", phone, to, code, session=session)


async def ready(service: Service, kind: str) -> Citizen:
    """Somebody who can begin a flow of this kind."""
    citizen = Citizen.new(service)
    return citizen if kind == "registration" else await citizen.register()


@asynccontextmanager
async def with_limits(request: pytest.FixtureRequest, kind: str, **limits: str) -> AsyncIterator[Service]:
    """A service of its own on one of the databases, with these limits."""
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{request.getfixturevalue('tmp_path') / 'limits.db'}"
    else:
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("limits")
    named = {f"NGOMON_LIMIT_{name.upper()}": value for name, value in limits.items()}
    async with running(url, **named) as service:
        yield service
        await check(service.db, service.kit)
