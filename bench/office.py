"""Two units with a manager each, people who ask for a role, and a downstream system that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from backend.db import Database
from backend.imports.rows import records
from backend.outbox import systems
from backend.roles import desired, managers, units
from bench.desk import Desk
from bench.eid_server import person
from bench.handset import Handset
from bench.town import Town, right
from tests.parts.scim import ScimServer

ROOT, OLD, NEW = "CR", "CR.NV", "CR.TC"
NAMES = {ROOT: "UBND thành phố", OLD: "Sở Nội vụ", NEW: "Sở Tài chính"}
SYSTEM = "kho"
MANAGERS = {OLD: 0, NEW: 1}
FIRST = len(MANAGERS)  # people from this number on are applicants
AT_ONCE = 6


class Office:
    """Everything that the decisions are about."""

    def __init__(self, town: Town, scim: ScimServer) -> None:
        self.town, self.scim = town, scim
        self.desks: dict[str, Desk] = {}
        self.phones: list[Handset] = []
        self.accounts: list[str] = []

    async def open(self, applicants: int) -> None:
        """Units, managers, system; then everybody signs in once."""
        database, kit, now = (
            Database(self.town.environ["NGOMON_DATABASE_URL"]),
            self.town.kit,
            datetime.now(UTC),
        )
        rows = [
            {
                "code": code,
                "name": name,
                "parent_code": "" if code == ROOT else ROOT,
                "agency_code": "",
                "kind": "office",
            }
            for code, name in NAMES.items()
        ]
        async with database.write() as tx:
            await units.bring_in(tx, kit, records(iter(rows)), by=None, now=now)
            for code, number in MANAGERS.items():
                await managers.add(tx, kit, code, person(number).national_id, by=None, now=now)
            await systems.add(
                tx, kit, name=SYSTEM, kind="scim", url=self.scim.url, token=self.scim.token, unit_codes=[],
                people=desired.people_in_scope, by=None, now=now,
            )  # fmt: skip
        await database.close()
        for code, number in MANAGERS.items():
            self.desks[code] = Desk(self.town.port, self.town.eid_port)
            await self.desks[code].sign_in(person(number))
        self.phones = [self.town.handset() for _ in range(applicants)]
        self.accounts = [""] * applicants
        await in_parallel(self._enrol(number) for number in range(applicants))

    async def _enrol(self, number: int) -> None:
        phone = await self.town.enrol(self.phones[number], person(FIRST + number))
        self.accounts[number] = str(right(await phone.call("GET", "/v1/me"))["id"])
        phone.wire.close()

    async def ask(self, phone: Handset, draft: dict[str, Any]) -> str:
        """A role request over the app's interface; its id. No idle connection is kept over the kills."""
        made = right(await phone.call("POST", "/v1/role-requests", draft), 201)
        phone.wire.close()
        return str(made["id"])

    async def register(self) -> list[str]:
        """Everybody asks for the same post in the old unit."""
        draft = {
            "kind": "register",
            "subject_type": "cong_chuc",
            "unit": OLD,
            "position": "chuyen_vien",
            "fields": {},
        }
        return [await self.ask(phone, draft) for phone in self.phones]

    async def move(self, first: int, end: int, **more: Any) -> list[str]:
        """Those from `first` to before `end` ask to be moved to the new unit."""
        draft = {"kind": "transfer", "unit": NEW, **more}
        return [await self.ask(phone, draft) for phone in self.phones[first:end]]


async def in_parallel(jobs: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """A few at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(job: Coroutine[Any, Any, Any]) -> None:
        async with places:
            await job

    await asyncio.gather(*map(one, jobs))
