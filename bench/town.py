"""An installation to measure: a database, our servers, and e-ID and SMS centre outside of them."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from backend.crypto import KeyRing, new_secret_key
from backend.environment import load
from backend.kit import Kit
from backend.settings import Settings
from bench import eid_server
from bench.handset import Handset
from bench.sms_sink import SmsSink, sms_sink
from bench.wire import Answer, Lost, Wire
from demo.persona import Persona
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens, scratch


def ngomon(*words: str) -> list[str | Path]:
    """The console command, by the Python that runs us."""
    program = Path(sys.executable).parent / "ngomon"
    start: list[str | Path] = (
        [program] if program.exists() else [sys.executable, "-c", "from ngomon.cli import main; main()"]
    )
    return [*start, *words]


class Town:
    """The running parts; `server` and `worker` may be stopped and started at will."""

    def __init__(
        self,
        database_url: str,
        sink: SmsSink,
        *,
        people: int,
        workers: int,
        core: str | None = None,
        **environ: str,
    ) -> None:
        self.port, self.eid_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sink = sink
        self.environ = {
            "NGOMON_DATABASE_URL": database_url,
            "NGOMON_PUBLIC_URL": self.url,
            "NGOMON_SECRET_KEYS": new_secret_key(),
            "NGOMON_VNEID_ISSUER": eid_server.issuer(self.eid_port),
            "NGOMON_VNEID_CLIENT_ID": eid_server.CLIENT,
            "NGOMON_VNEID_CLIENT_SECRET": eid_server.SECRET,
            "NGOMON_SMS_URL": sink.url,
            "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "0",  # all of the town shares one address
            **environ,
        }
        pinned: list[str | Path] = ["taskset", "-c", core] if core else []
        serve = pinned + ngomon("serve", "--port", str(self.port), "--workers", str(workers))
        eid = [sys.executable, "-m", "bench.eid_server", str(self.eid_port), self.url, str(people)]
        self.eid = Part("bench-eid", eid)
        self.server = Part("bench-server", serve, environment=self.environ)
        self.worker = Part("bench-worker", ngomon("worker"), environment=self.environ)
        self._mobile = itertools.count(100_000)

    @property
    def settings(self) -> Settings:
        """As the processes read them."""
        return load(self.environ)

    @property
    def kit(self) -> Kit:
        """Keys and limits of the town, to look into its database."""
        settings = self.settings
        return Kit.of(KeyRing.parse(settings.secret_keys), settings.limits)

    def handset(self, name: str = "Điện thoại đo", *, bound: bool = True) -> Handset:
        """A new device."""
        return Handset(self.url, self.port, name, bound=bound)

    async def start(self) -> None:
        """Everything but the worker."""
        await migrate(self.environ["NGOMON_DATABASE_URL"])
        self.eid.start(lambda: listens(self.eid_port), patience=120)
        self.server.start(lambda: listens(self.port), patience=120)
        await until_ready(self.port)

    async def begin(self, handset: Handset, person: Persona) -> tuple[str, dict[str, str]]:
        """Start a sign-in and have the person agree at the e-ID: its id, and the body for `authorize`."""
        device = {"platform": "android", "name": handset.name, "model": "Mẫu đo"}
        started = right(await handset.call("POST", "/v1/logins", {"method": "vneid", "device": device}), 201)
        return str(started["id"]), await self.agree(started["authorization_url"], person)

    async def agree(self, url: str, person: Persona) -> dict[str, str]:
        """What the e-ID sends back when the person agrees."""
        address = urlsplit(url)
        path = f"{address.path}?{address.query}&prompt=none&login_hint={person.key}"
        async with Wire(self.eid_port) as eid:
            agreed = await eid.ask("GET", path)
        assert agreed.status == 303, agreed
        query = parse_qs(urlsplit(agreed.headers["location"]).query)
        return {name: query[name][0] for name in ("state", "code", "iss")}

    async def to_code(self, handset: Handset, person: Persona) -> tuple[str, str]:
        """Bring a new person to the question for the code: the sign-in's id and the right code."""
        login, back = await self.begin(handset, person)
        step = right(await handset.call("POST", f"/v1/logins/{login}/authorize", back))
        assert step["step"] == "phone", step
        mobile = f"0550{next(self._mobile):06d}"
        right(await handset.call("POST", f"/v1/logins/{login}/phone", {"phone": mobile}))
        return login, self.sink.codes["+84" + mobile[1:]]

    async def enrol(self, handset: Handset, person: Persona) -> Handset:
        """A new person's account, phone and session."""
        login, code = await self.to_code(handset, person)
        done = right(await handset.call("POST", f"/v1/logins/{login}/otp", {"code": code}))
        handset.session = done["session"]
        return handset

    def close(self) -> None:
        """End every process."""
        for part in (self.worker, self.server, self.eid):
            part.stop()


def right(answer: Answer, status: int = 200) -> Any:
    """The body of an answer that has to be of this status."""
    assert answer.status == status, (answer.status, answer.body[:500])
    return answer.json()


async def until_ready(port: int, patience: float = 60) -> None:
    """Wait until the server says that it can serve."""
    wire = Wire(port)
    async with asyncio.timeout(patience):
        while True:
            try:
                if (await wire.ask("GET", "/health/ready")).status == 200:
                    return wire.close()
            except (OSError, Lost):
                wire.close()
            await asyncio.sleep(0.05)


@asynccontextmanager
async def town_on_postgres(
    *, people: int, workers: int = 2, cluster: Postgres | None = None, **environ: str
) -> AsyncIterator[tuple[Town, str]]:
    """A town on a running cluster, or one of its own, and the plain address for looking into its database."""
    own = cluster or Postgres()
    own.start()
    try:
        async with town_on(own.new_database("bench"), people=people, workers=workers, **environ) as town:
            yield town, f"postgresql://postgres@127.0.0.1:{own.port}/bench"
    finally:
        if cluster is None:
            own.stop()


@asynccontextmanager
async def town_on_sqlite(*, people: int, core: str | None = None, **environ: str) -> AsyncIterator[Town]:
    """A town of one process on a file, kept to one core where named."""
    url = f"sqlite+aiosqlite:///{scratch('bench-sqlite') / 'bench.db'}"
    async with town_on(url, people=people, workers=1, core=core, **environ) as town:
        yield town


@asynccontextmanager
async def town_on(
    database_url: str, *, people: int, workers: int, core: str | None = None, **environ: str
) -> AsyncIterator[Town]:
    """A town on this database; its processes end with the block."""
    async with sms_sink() as sink:
        town = Town(database_url, sink, people=people, workers=workers, core=core, **environ)
        try:
            await town.start()
            yield town
        finally:
            town.close()
