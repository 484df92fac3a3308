"""From 0.1 and from 0.2 with data and under load: phones go on, and no call fails but by 503 with `Retry-After`."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx2
import pytest

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.limits import Limits
from tests.checker import check
from tests.parts.client import client
from tests.parts.postgres import Postgres
from tests.parts.processes import eventually, free_port
from tests.parts.releases import RELEASES, Serving, tree_of
from tests.phone import Phone, returned

PEOPLE = ("an", "binh", "chi", "dung", "giang", "hai", "huong", "khanh", "nam")
CALLS = ("/v1/me", "/v1/roles", "/v1/role-requests", "/v1/sessions", "/v1/subject-types")
CODE = re.compile(r"\b\d{6}\b")
BREATH = (
    0.25  # seconds between two calls of a phone: nine of them ask all the time, and the upgrade gets its turn
)


class Load:
    """Phones that call all the time; where the calls go is changed while they do, as a proxy would."""

    def __init__(self, public_url: str, port: int) -> None:
        self._public, self.port = public_url, port
        self.phones: list[Phone] = []
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []
        self.under_way: Counter[int] = Counter()
        self.clients: list[dict[int, httpx2.AsyncClient]] = []

    def client(self, port: int) -> httpx2.AsyncClient:
        return client(f"http://127.0.0.1:{port}")

    async def sign_in(self, key: str, number: str) -> None:
        """One who has never been here, by the demo's e-ID and the code in its inbox."""
        http = self.client(self.port)
        phone = Phone(http, self._public)
        started = await phone.begin()
        asked = started["authorization_url"].replace(self._public, f"http://127.0.0.1:{self.port}")
        answer = await http.get(f"{asked}&prompt=none&login_hint={key}")
        assert answer.status_code == 303, answer.text
        brought = await phone.bring(started["id"], returned(answer.headers["location"]))
        assert brought.status_code == 200 and brought.json()["step"] == "phone", brought.text
        login = f"/v1/logins/{started['id']}"
        texted = await phone.open(f"{login}/phone", {"phone": number})
        assert texted.status_code == 200, texted.text
        done = await phone.open(f"{login}/otp", {"code": await self._code(http, number)})
        assert done.status_code == 200, done.text
        phone.keep(done.json())
        self.phones.append(phone)

    async def _code(self, http: httpx2.AsyncClient, number: str) -> str:
        listed = (await http.get("/demo/inbox.json", params={"to": f"84{number[1:]}"})).json()
        found = CODE.search(listed["sms"][0]["text"])
        assert found is not None
        return found.group()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._calls(phone, stop)) for phone in self.phones]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def _calls(self, phone: Phone, stop: asyncio.Event) -> None:
        """Reads, and now and then new tokens, which write."""
        clients = {self.port: phone.http}
        self.clients.append(clients)
        for number in count():
            if stop.is_set():
                break
            port = self.port
            phone.http = clients.setdefault(port, self.client(port))
            self.under_way[port] += 1
            try:
                await self._call(phone, number)
            except httpx2.HTTPError as error:
                self.failed.append(f"{type(error).__name__} at call {number}")
            finally:
                self.under_way[port] -= 1
            await asyncio.sleep(BREATH)

    async def _call(self, phone: Phone, number: int) -> None:
        if number % 7 == 0:
            path = "/v1/token"
            said = await phone.open(path, {"refresh_token": phone.session["refresh_token"]})
            if said.status_code == 200:
                phone.session = said.json()["session"]
        else:
            path = CALLS[number % len(CALLS)]
            said = await phone.call("GET", path)
        self.answers[f"{path} {said.status_code}"] += 1
        patient = said.status_code == 503 and "retry-after" in said.headers
        if said.status_code != 200 and not patient:
            self.failed.append(f"{path} {said.status_code} {said.text[:200]}")

    async def close(self) -> None:
        """Give every connection back."""
        for http in [one for clients in self.clients for one in clients.values()]:
            await http.aclose()

    async def some_more(self, at_least: int) -> None:
        """Until so many calls more have been answered."""
        until = self.answers.total() + at_least
        await eventually(lambda: self.answers.total() >= until, what="more calls", patience=120)


@pytest.mark.parametrize("release", RELEASES)
async def test_phones_go_on_through_an_upgrade_under_load(release: str, postgres: Postgres) -> None:
    tree = await asyncio.to_thread(tree_of, release)
    if tree is None:
        pytest.skip(
            "the history is not here; test_old_accounts.py and its neighbours migrate old data without it"
        )
    old_port, new_port = free_port(), free_port()
    public = f"http://127.0.0.1:{old_port}"
    settings = settings_of(postgres.new_database(f"from_{release.replace('.', '_')}"), public)
    old = Serving(f"ngomon-{release}", tree, settings, "demo", "--port", str(old_port))
    new = Serving("ngomon-now", None, settings, "serve", "--port", str(new_port))
    worker = Serving("ngomon-worker", None, settings, "worker", "--health-port", str(health := free_port()))
    load = Load(public, old_port)
    old.start(old_port)
    try:
        for number, person in enumerate(PEOPLE):
            await load.sign_in(person, f"055010{number:04}")
        before = [await who(phone) for phone in load.phones]
        async with load.going_on():
            await load.some_more(10)
            migrated = await asyncio.to_thread(new.command, "migrate")
            assert migrated.returncode == 0, migrated.stderr
            await load.some_more(30)  # the earlier release over the new schema
            new.start(new_port)
            worker.start(health)
            load.port = new_port
            await eventually(lambda: load.under_way[old_port] == 0, what="the last calls there", patience=60)
            await asyncio.to_thread(old.stop)
            await load.some_more(30)
        assert load.failed == []
        assert [await who(phone) for phone in load.phones] == before
        await whole(settings)
    finally:
        await load.close()
        for one in (old, new, worker):
            await asyncio.to_thread(one.stop)


def settings_of(database: str, public_url: str) -> dict[str, str]:
    return {
        "NGOMON_DATABASE_URL": database,
        "NGOMON_SECRET_KEYS": new_secret_key(),
        "NGOMON_PUBLIC_URL": public_url,
        "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "0",
    }


async def whole(settings: dict[str, str]) -> None:
    """Every invariant of this release holds of what the earlier one wrote."""
    db = Database(settings["NGOMON_DATABASE_URL"])
    try:
        await check(db, Kit.of(KeyRing.parse(settings["NGOMON_SECRET_KEYS"]), Limits()))
    finally:
        await db.close()


async def who(phone: Phone) -> Any:
    said = await phone.call("GET", "/v1/me")
    assert said.status_code == 200, said.text
    return said.json().get("full_name") or said.json()
