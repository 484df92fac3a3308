"""The whole product on a real socket, with invented people, and a clock that tests may move."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import uvicorn

from backend import figures
from backend.crypto import KeyRing, new_secret_key
from backend.environment import load
from backend.limits import Limits
from backend.outside.clock import Clock
from backend.settings import Settings
from demo.persona import Persona
from demo.stand import Stand
from ngomon.app import App, create_app
from ngomon.server import options as server_options
from tests.databases import ready
from tests.parts.client import client
from tests.parts.processes import free_port
from tests.phone import Phone, returned

_numbers = itertools.count(400_000)  # the demo's own residents have the numbers from 100_000 on
figures.KEEP_SECONDS = 3600  # tests' applications share a process: one would keep what another has counted
CODE = re.compile(r"\b\d{6}\b")


class Service:
    """A running installation and the hands to use it."""

    def __init__(self, app: App, http: httpx2.AsyncClient) -> None:
        self.app, self.http = app, http
        self.db, self.kit, self.clock = app.db, app.kit, app.clock
        self.url = app.settings.public_url
        assert isinstance(app.outside.stand, Stand)
        self.stand: Stand = app.outside.stand
        self.inbox = self.stand.inbox
        self.under_way: set[asyncio.Task[None]] = set()

    async def settled(self) -> None:
        """Wait for what the answers so far have left behind: messages go out after them. A stream is not waited for."""
        if self.under_way:
            await asyncio.wait(set(self.under_way), timeout=10)
        await self.app.texts.round()

    def person(self, name: str = "Nguyễn Văn Thử", *, level: int = 2, **changes: str) -> Persona:
        """Somebody new who has never been here."""
        number = next(_numbers)
        values: dict[str, Any] = {
            "national_id": f"000090{number:06d}",
            "birth_date": "1990-02-03",
            "gender": "male",
        }
        made = Persona(
            key=f"p{number}", full_name=name, level=level, about_vi="", about_en="", **(values | changes)
        )
        self.stand.eid.personas[made.key] = made
        return made

    def mobile_number(self) -> str:
        """A number that nobody has used yet."""
        return f"0550{next(_numbers):06d}"

    def phone(self, name: str = "Điện thoại thử") -> Phone:
        """A phone with a key of its own."""
        return Phone(self.http, self.url, name=name, clock=self.clock)

    def pass_time(self, **amount: float) -> None:
        """Let time go by for the service."""
        self.clock.ahead += timedelta(**amount)

    async def consent(self, authorization_url: str, person: Persona) -> dict[str, str]:
        """Say yes at the e-ID; what it sends back to the app."""
        answer = await self.http.get(f"{authorization_url}&prompt=none&login_hint={person.key}")
        assert answer.status_code == 303, answer.text
        return returned(answer.headers["location"])

    async def to_phone_step(self, phone: Phone, person: Persona) -> str:
        """Bring a new person to the question for the number; the sign-in's id."""
        started = await phone.begin()
        answer = await phone.bring(started["id"], await self.consent(started["authorization_url"], person))
        assert answer.status_code == 200 and answer.json()["step"] == "phone", answer.text
        return str(started["id"])

    async def to_code_step(self, phone: Phone, person: Persona, number: str | None = None) -> tuple[str, str]:
        """Bring a new person to the question for the code; the sign-in's id and the right code."""
        login = await self.to_phone_step(phone, person)
        number = number or self.mobile_number()
        answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
        assert answer.status_code == 200, answer.text
        return login, self.code_for(number)

    def code_for(self, number: str) -> str:
        """The code in the newest message to a number."""
        e164 = "+84" + number.removeprefix("0")
        message = next(one for one in self.inbox.sms if one.to == e164)
        found = CODE.search(message.text)
        assert found is not None
        return found.group()

    async def sign_in(self, person: Persona | None = None, phone: Phone | None = None) -> Phone:
        """A phone with a session; the first time through number and code."""
        person, phone = person or self.person(), phone or self.phone()
        phone.session = {}
        started = await phone.begin()
        answer = await phone.bring(started["id"], await self.consent(started["authorization_url"], person))
        assert answer.status_code == 200, answer.text
        if answer.json()["step"] == "phone":
            number = self.mobile_number()
            asked = await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
            assert asked.status_code == 200, asked.text
            answer = await phone.open(f"/v1/logins/{started['id']}/otp", {"code": self.code_for(number)})
            assert answer.status_code == 200, answer.text
        phone.keep(answer.json())
        return phone


@contextlib.asynccontextmanager
async def running(database_url: str, **environ: str) -> AsyncIterator[Service]:
    """Start an installation on a free port and stop it at the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = load(
        {
            "NGOMON_DATABASE_URL": database_url,
            "NGOMON_PUBLIC_URL": url,
            "NGOMON_SECRET_KEYS": new_secret_key(),
            "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "0",
            "NGOMON_LIMIT_CAPTCHA_COST": "20",  # what a stranger's phone shall work is not what tests shall
        }
        | environ
    )
    await ready(settings.database_url, KeyRing.parse(settings.secret_keys))
    async with served(settings, port) as service:
        yield service


@contextlib.asynccontextmanager
async def served(settings: Settings, port: int) -> AsyncIterator[Service]:
    """Serve an application of these settings until the block ends."""
    app = create_app(settings, clock=Clock(), carry_worker=True)
    chosen = server_options(settings) | {"loop": "none", "timeout_graceful_shutdown": 3}
    if settings.limits.idle_seconds == Limits().idle_seconds:
        chosen["timeout_keep_alive"] = 120  # the client hangs up first: never while it sends the next request
    config = uvicorn.Config(app.asgi, host="127.0.0.1", port=port, **chosen)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.02)
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=64)
    try:
        async with client(settings.public_url, limits=limits) as http:
            service = Service(app, http)
            service.under_way = server.server_state.tasks
            yield service
    finally:  # also when a test fails inside the block, or the session would wait for ever
        server.should_exit = True
        await task
