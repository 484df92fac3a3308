"""A browser at the sign-in page of the workspace that shows a QR code, and what a phone does with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select

from backend.journal import Entry
from tests.parts.client import client
from tests.phone import Phone
from tests.service import Service

PAGE = "/workspace/login/qr"
SHOWN = re.compile(r'<p id="number">(\d\d)</p>')
ADDRESS = re.compile(r'href="([^"]+/app/workspace-login/([0-9a-f-]{36}))"')
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Screen:
    """A browser at the sign-in page."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http, self.number, self.id, self.first = http, "", "", ""

    async def asks(self, **query: str) -> None:
        """A new code."""
        answer = await self.http.get(PAGE, params={"new": "1", **query})
        assert answer.status_code == 200, answer.text
        number, address = SHOWN.search(answer.text), ADDRESS.search(answer.text)
        assert number is not None and address is not None, answer.text
        assert "<path" in answer.text, "the code is drawn"
        self.number, self.id, self.first = number.group(1), address.group(2), answer.text

    async def looks(self, **headers: str) -> httpx2.Response:
        return await self.http.get(PAGE, headers=headers)

    async def is_in(self) -> bool:
        """Whether this browser has a session of the workspace."""
        return (await self.http.get("/workspace/me")).status_code == 200


@asynccontextmanager
async def at(service: Service, **query: str) -> AsyncIterator[Screen]:
    """A browser that has asked for a code."""
    async with client(service.url, headers={"User-Agent": FIREFOX}) as http:
        screen = Screen(http)
        await screen.asks(**query)
        yield screen


async def asked(phone: Phone, screen: Screen) -> dict[str, Any]:
    answer = await phone.call("GET", f"/v1/workspace-logins/{screen.id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def picks(phone: Phone, screen: Screen, number: str) -> httpx2.Response:
    return await phone.call("POST", f"/v1/workspace-logins/{screen.id}/approve", {"number": number})


def wrong(found: dict[str, Any], screen: Screen) -> str:
    return next(str(number) for number in found["numbers"] if number != screen.number)


async def account_of(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def journal_of(service: Service, account_id: UUID) -> list[str]:
    async with service.db.read() as tx:
        return list(
            await tx.scalars(select(Entry.tag).where(Entry.subject == account_id).order_by(Entry.seq))
        )
