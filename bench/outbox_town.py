"""A database for the delivery bench: people with a role each, systems, and as many deliveries as were ever made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.models import Identifier
from backend.crypto import KeyRing, new_secret_key
from backend.db import Base, Database, new_id
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import queue, systems
from backend.outbox.models import Delivery, Link, System
from backend.outside.connectors import webhook
from backend.roles.models import Role, StaffRecord, Unit
from ngomon.migrations import migrate

CHUNK = 500


class OutboxTown:
    """The database and who lives in it."""

    def __init__(self, url: str) -> None:
        self.url, self.key = url, new_secret_key()
        self.kit = Kit.of(KeyRing.parse(self.key), Limits())
        self.db = Database(url)
        self.people: list[UUID] = []
        self._now = datetime.now(UTC)

    @property
    def environ(self) -> dict[str, str]:
        """For `ngomon worker`."""
        return {
            "NGOMON_DATABASE_URL": self.url,
            "NGOMON_SECRET_KEYS": self.key,
            "NGOMON_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "NGOMON_LIMIT_UNDO_WINDOW": "0",
        }

    async def settle(self, people: int, units: int = 20) -> None:
        """Units and people with a role in force, as the directory knows them."""
        top = new_id()
        places = [new_id() for _ in range(units)]
        async with self.db.write() as tx:
            await put(tx, Unit, [unit_row(top, top, 0)])
            await put(tx, Unit, [unit_row(place, top, n + 1) for n, place in enumerate(places)])
            self.people = [new_id() for _ in range(people)]
            await put(tx, Account, [self._account(one) for one in self.people])
            await put(tx, Identifier, [self._identifier(one, n) for n, one in enumerate(self.people)])
            listed = [self._listed(places[n % units], n) for n in range(people)]
            await put(tx, StaffRecord, listed)
            posts = [self._role(one, places[n % units], n) for n, one in enumerate(self.people)]
            await put(tx, Role, posts)

    async def connect(self, name: str, url: str, kind: str = "scim") -> System:
        """A system that nobody has been told of yet."""
        token = webhook.Secrets(webhook.new_secret()).written() if kind == "webhook" else "t"
        async with self.db.write() as tx:
            made, _ = await systems.add(
                tx, self.kit, name=name, kind=kind, url=url, token=token, unit_codes=[],
                people=nobody, by=None, now=self._now,
            )  # fmt: skip
        return made

    async def have_delivered(self, system: System, rows: int) -> None:
        """Deliveries of old, as many as asked for, each of a person who is there."""
        made = self._old(system, rows)
        while chunk := list(islice(made, CHUNK * 20)):
            async with self.db.write() as tx:
                await put(tx, Delivery, chunk)
        async with self.db.write() as tx:
            links = [
                {"id": new_id(), "system_id": system.id, "account_id": one, "delivered_version": 0,
                 "state": "unknown"}
                for one in self.people
            ]  # fmt: skip
            await put(tx, Link, links)
        async with self.db.write() as tx:
            await tx.execute(text("ANALYZE"))

    async def promote(self, people: Sequence[UUID], position: str) -> None:
        """Another position for each."""
        async with self.db.write() as tx:
            await tx.execute(update(Role).where(Role.account_id.in_(people)).values(position=position))
            theirs = update(Account).where(Account.id.in_(people))
            await tx.execute(theirs.values(role_version=Account.role_version + 1))

    async def decide(self, system: System, people: Sequence[UUID], position: str) -> None:
        """The same, and what follows is due at once."""
        await self.promote(people, position)
        now = datetime.now(UTC)
        async with self.db.write() as tx:
            query = select(Account.id, Account.role_version).where(Account.id.in_(people))
            versions = [(row[0], row[1]) for row in await tx.execute(query)]
            for start in range(0, len(versions), queue.CHUNK):
                pairs = [(system.id, *one) for one in versions[start : start + queue.CHUNK]]
                await queue.write(tx, pairs, lane=queue.DECISION, due=now, now=now, request_id=None)

    async def waiting(self, system: System) -> int:
        """How many deliveries are not done."""
        query = select(func.count()).where(Delivery.system_id == system.id)
        async with self.db.read() as tx:
            return await tx.scalar(query.where(Delivery.state.in_(("pending", "leased", "dead")))) or 0

    def _account(self, one: UUID) -> dict[str, Any]:
        name = self.kit.keys.seal("accounts.full_name", one, "Nguyễn Thị Ngọc Ánh")
        return {"id": one, "full_name": name, "created_at": self._now, "role_version": 1000}

    def _identifier(self, one: UUID, number: int) -> dict[str, Any]:
        row, said = new_id(), f"000{number:09d}"
        return {
            "id": row, "account_id": one, "kind": "national_id", "source": "bench", "created_at": self._now,
            "value": self.kit.keys.seal("identifiers.value", row, said),
            "blind": self.kit.keys.blind("national_id", said),
        }  # fmt: skip

    def _listed(self, unit: UUID, number: int) -> dict[str, Any]:
        row = new_id()
        return {
            "id": row, "unit_id": unit, "subject_type": "cong_chuc", "position": "chuyen_vien",
            "national_id_blind": self.kit.keys.blind("national_id", f"000{number:09d}"),
            "email_blind": self.kit.keys.blind("official_email", f"n{number}@bench.example"),
            "sealed": self.kit.keys.seal("staff_records.sealed", row, "{}"), "imported_at": self._now,
        }  # fmt: skip

    def _role(self, one: UUID, unit: UUID, number: int) -> dict[str, Any]:
        row = new_id()
        said = {"employee_code": f"CB-{number}", "official_email": f"n{number}@bench.example"}
        form = msgspec.json.encode(said).decode()
        return {
            "id": row, "account_id": one, "unit_id": unit, "subject_type": "cong_chuc",
            "position": "chuyen_vien", "fields": self.kit.keys.seal("roles.fields", row, form),
            "state": "active", "from_on": date(2026, 1, 1), "request_id": new_id(), "began_at": self._now,
        }  # fmt: skip

    def _old(self, system: System, rows: int) -> Iterator[dict[str, Any]]:
        for number in range(rows):
            yield {
                "id": new_id(), "system_id": system.id, "account_id": self.people[number % len(self.people)],
                "version": number // len(self.people) - rows, "lane": 1, "state": "done", "attempts": 0,
                **dict.fromkeys(("not_before", "next_at", "created_at", "changed_at", "done_at"), self._now),
            }  # fmt: skip


def unit_row(one: UUID, top: UUID, number: int) -> dict[str, Any]:
    """A unit below the top, or the top itself."""
    name = f"Đơn vị {number}"
    path = f"/{one}/" if one == top else f"/{top}/{one}/"
    return {
        "id": one, "code": f"B{number}", "name": name, "folded": name, "kind": "so", "path": path,
        "agency_code": "H57" if one == top else f"H57.{number}", "parent_id": None if one == top else top,
    }  # fmt: skip


async def put(tx: AsyncSession, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many."""
    await tx.execute(insert(table), list(rows))


async def nobody(_tx: AsyncSession, _system: System) -> list[tuple[UUID, int]]:
    """Nobody is in scope when the system is connected."""
    return []


@asynccontextmanager
async def outbox_town(url: str, people: int) -> AsyncIterator[OutboxTown]:
    """Migrated, and people settled in it."""
    await migrate(url)
    town = OutboxTown(url)
    try:
        await town.settle(people)
        yield town
    finally:
        await town.db.close()
