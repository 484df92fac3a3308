"""A small world: one database of either kind, a real SCIM server behind a proxy, and people with roles."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.crypto import KeyRing
from backend.db import Database, new_id
from backend.journal import Entry
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import queue, states, systems
from backend.outbox.bell import Bell
from backend.outbox.models import Delivery, Link, System
from backend.outbox.worker import Worker
from backend.outside.clock import Clock
from backend.outside.connectors import Desired, GroupRef
from backend.outside.http import Guarded
from tests import databases
from tests.backend.outbox.proxy import FaultProxy
from tests.parts.postgres import Postgres
from tests.parts.scim import ScimServer

ROOT = Path(__file__).resolve().parents[3]
QUICK = Limits(lease=2, retry_first=1, retry_most=2, delivery_timeout=1.5, delivery_attempts=6)
HUE = GroupRef("H57.01", "Văn phòng Sở Nội vụ")
DOCS = GroupRef("role:docs", "Văn thư")


class World:
    """Database, people and workers; `decide` is what the roles would do."""

    def __init__(self, database: Database, limits: Limits = QUICK) -> None:
        self.db = database
        self.key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.kit = Kit.of(KeyRing.parse(self.key), limits)
        self.clock = Clock()
        self.bell = Bell(database)
        self.http = Guarded(["127.0.0.1"])
        self.states: dict[tuple[UUID, int], Desired] = {}

    def be_patient(self, *, lease: int = QUICK.lease) -> None:
        """From now on no delivery times out, so that a test may wait for what must happen during one."""
        limits = msgspec.structs.replace(QUICK, delivery_timeout=60.0, lease=lease)
        self.kit = Kit.of(KeyRing.parse(self.key), limits)

    async def person(self, name: str = "Nguyễn Thị Ngọc Ánh") -> UUID:
        account_id = new_id()
        async with self.db.write() as tx:
            sealed = self.kit.keys.seal("accounts.full_name", account_id, name)
            tx.add(Account(id=account_id, full_name=sealed, created_at=self.clock.now()))
        return account_id

    async def system(
        self, url: str, name: str = "van-ban", token: str | None = ScimServer.token, kind: str = "scim"
    ) -> System:
        async with self.db.write() as tx:
            system, _ = await systems.add(
                tx, self.kit, name=name, kind=kind, url=url, token=token, unit_codes=[],
                people=self.people, by=None, now=self.clock.now(),
            )  # fmt: skip
            return system

    async def people(self, tx: AsyncSession, _: System) -> list[tuple[UUID, int]]:
        active = {account_id for (account_id, _), state in self.states.items() if state.active}
        found = await tx.execute(select(Account.id, Account.role_version).where(Account.id.in_(active)))
        return [(account_id, version) for account_id, version in found]

    async def desired(
        self, tx: AsyncSession, _kit: Kit, account_ids: Sequence[UUID], _system: System
    ) -> dict[UUID, Desired]:
        query = select(Account.id, Account.role_version).where(Account.id.in_(account_ids))
        return {row[0]: self.states[row[0], row[1]] for row in await tx.execute(query)}

    async def decide(
        self,
        account_id: UUID,
        *wanted: System,
        lane: int = queue.DECISION,
        hold: int = 0,
        request_id: UUID | None = None,
        **state: Any,
    ) -> int:
        """A new version of a person's roles, and its deliveries, in one transaction."""
        async with self.db.write() as tx:
            bumped = (
                update(Account).where(Account.id == account_id).values(role_version=Account.role_version + 1)
            )
            version = (await tx.execute(bumped.returning(Account.role_version))).scalar_one()
            self.states[account_id, version] = a_state(account_id, **state)
            await queue.enqueue(
                tx, account_id=account_id, version=version, systems=[system.id for system in wanted],
                request_id=request_id, lane=lane, now=self.clock.now(), hold=hold,
            )  # fmt: skip
        return version

    async def is_due(self, tx: AsyncSession, **_: Any) -> bool:  # noqa: ARG002 - the calendar's
        """Nothing is, by the calendar, here."""
        return False

    def next_moment(self, now: datetime) -> datetime:
        """Not in this test's time."""
        return now + timedelta(days=1)

    async def roll(self, tx: AsyncSession, kit: Kit, **_: Any) -> None:
        """Nothing to do."""

    def new_worker(self) -> Worker:
        return Worker(self.db, self.kit, self.desired, self, self.clock, self.bell, self.http)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Worker]:
        """A worker beside the test."""
        stop = asyncio.Event()
        worker = self.new_worker()
        running = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await running

    async def word(self, account_id: UUID, name: str = "van-ban") -> str:
        async with self.db.read() as tx:
            found = await states.states_for_account(tx, account_id, self.clock.now())
        return next(one.state for one in found if one.system == name)

    async def until(self, account_id: UUID, *words: str, name: str = "van-ban", patience: float = 20) -> str:
        """Wait until the person's word at a system is one of these."""
        end = asyncio.get_running_loop().time() + patience
        while (word := await self.word(account_id, name)) not in words:
            assert asyncio.get_running_loop().time() < end, f"{word}, not {words}"
            await asyncio.sleep(0.03)
        return word

    async def until_tried(self, account_id: UUID, attempts: int, patience: float = 20) -> None:
        """Wait until the person's first delivery has failed that often."""
        end = asyncio.get_running_loop().time() + patience
        while (await self.deliveries(account_id))[0].attempts < attempts:
            assert asyncio.get_running_loop().time() < end, f"not tried {attempts} times"
            await asyncio.sleep(0.03)

    async def until_version(self, account_id: UUID, version: int, patience: float = 20) -> None:
        """Wait until the system is known to hold that version."""
        end = asyncio.get_running_loop().time() + patience
        while (await self.link(account_id)).delivered_version < version:
            assert asyncio.get_running_loop().time() < end, f"not at version {version}"
            await asyncio.sleep(0.03)

    async def until_paused(self, system: System, patience: float = 20) -> None:
        """Wait until nothing is sent to the system any more."""
        end = asyncio.get_running_loop().time() + patience
        while (await self.system_now(system)).paused_until is None:
            assert asyncio.get_running_loop().time() < end, "not paused"
            await asyncio.sleep(0.03)

    async def deliveries(self, account_id: UUID) -> list[Delivery]:
        async with self.db.read() as tx:
            query = select(Delivery).where(Delivery.account_id == account_id).order_by(Delivery.version)
            return list(await tx.scalars(query))

    async def link(self, account_id: UUID) -> Link:
        async with self.db.read() as tx:
            return (await tx.scalars(select(Link).where(Link.account_id == account_id))).one()

    async def system_now(self, system: System) -> System:
        async with self.db.read() as tx:
            return await tx.get_one(System, system.id)

    async def facts(self) -> list[str]:
        async with self.db.read() as tx:
            return list(await tx.scalars(select(Entry.tag).order_by(Entry.seq)))

    def pass_time(self, **how: float) -> None:
        self.clock.ahead += timedelta(**how)


def a_state(account_id: UUID, **changes: Any) -> Desired:
    """What a person with one role looks like, or without any when `active` is false."""
    if changes.get("active") is False:
        return Desired(
            external_id=str(account_id),
            user_name=str(account_id),
            full_name="Nguyễn Thị Ngọc Ánh",
            active=False,
        )
    whole: dict[str, Any] = {
        "external_id": str(account_id),
        "user_name": f"{account_id.hex[-8:]}@example.gov.vn",
        "full_name": "Nguyễn Thị Ngọc Ánh",
        "title": "Chuyên viên",
        "employee_number": "CB-0001",
        "organization": "Sở Nội vụ",
        "department": "Văn phòng",
        "unit_code": HUE.external_id,
        "groups": [HUE, DOCS],
    }
    return Desired(**(whole | changes))


@pytest_asyncio.fixture
async def on_postgres(postgres: Postgres) -> AsyncIterator[World]:
    """A world on PostgreSQL."""
    database = await databases.emptied(Database(databases.only_one(postgres)))
    yield World(database)
    await database.close()


@pytest_asyncio.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[World]:
    """A world on SQLite."""
    database = Database(databases.sqlite(tmp_path))
    yield World(database)
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    """The same world on both databases."""
    found: World = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest_asyncio.fixture
async def proxy(scim_server: ScimServer) -> AsyncIterator[FaultProxy]:
    """A real system behind a proxy that can misbehave."""
    async with FaultProxy(scim_server.url) as running:
        yield running
