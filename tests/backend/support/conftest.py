"""A desk and a person in an empty database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from backend.account import Account
from backend.db import Database, new_id
from backend.kit import Kit
from backend.support import desks
from backend.support.cases import Clerk
from backend.support.models import Desk

CLERK, PERSON = "000090000001", "000090000002"


class World(msgspec.Struct):
    """What a test of the desk begins with."""

    db: Database
    kit: Kit
    desk: Desk
    person: UUID
    clerk: Clerk
    now: datetime


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


@pytest_asyncio.fixture
async def world(database: Database, kit: Kit, now: datetime) -> World:
    """One desk with one clerk, and somebody who may ask."""
    async with database.write() as tx:
        desk = await desks.add(
            tx, kit, "HUE", name="Đội hỗ trợ", mailbox="hotro@hue.example", phone="0234 3000 000", now=now
        )
        await desks.hire(tx, kit, "HUE", CLERK, now=now)
        people = [_account(kit, name, now) for name in ("Trần Thị Người", "Lê Văn Bàn")]
        tx.add_all(people)
    clerk = Clerk(people[1].id, kit.keys.blinds("national_id", CLERK))
    return World(database, kit, desk, people[0].id, clerk, now)


def _account(kit: Kit, name: str, now: datetime) -> Account:
    account = Account(id=new_id(), assurance_level=2, created_at=now)
    account.full_name = kit.keys.seal("accounts.full_name", account.id, name)
    return account
