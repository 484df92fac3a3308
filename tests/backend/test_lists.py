"""What is asked about 40,000 people or units is asked in statements that both engines take (rule 912)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.db import Database, new_id
from backend.kit import Kit
from backend.outbox import renewal, states
from backend.outbox.models import Delivery, Link, System
from backend.roles import desired
from tests.backend.roles.world import START, World

MANY = 40_000
Asked = Callable[[AsyncSession, Kit, list[UUID]], Awaitable[Any]]
SYSTEM = System(id=UUID(int=1), name="Một", kind="scim", url="http://127.0.0.1:9", unit_codes="[]")
QUESTIONS: dict[str, Asked] = {
    "names": full_names,
    "personal numbers": numbers.personal,
    "deliveries of requests": lambda tx, _, ids: states.states_for_requests(tx, ids, START),
    "deliveries of people": lambda tx, _, ids: states.states_for_accounts(tx, ids, START),
    "desired states": lambda tx, kit, ids: desired.desired(tx, kit, ids, SYSTEM),
    "those who leave": desired.leaving,
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_forty_thousand_are_asked_about(database: Database, kit: Kit, name: str) -> None:
    world = World(database, kit)
    await world.populate()
    ids = [new_id() for _ in range(MANY)] + list(world.people.values())
    async with database.read() as tx:
        found = await QUESTIONS[name](tx, kit, ids)
    assert found is not None


async def test_a_list_finds_what_is_in_it_and_what_is_not(database: Database, kit: Kit) -> None:
    world = World(database, kit)
    await world.populate()
    here, strangers = list(world.people.values()), [new_id() for _ in range(MANY)]
    count = select(func.count()).select_from(Account)
    async with database.read() as tx:
        assert await tx.scalar(count.where(Account.id.in_([*strangers, *here[:2]]))) == 2
        assert await tx.scalar(count.where(Account.id.not_in([*strangers, *here[:2]]))) == len(here) - 2
        assert await tx.scalar(count.where(Account.id.in_([]))) == 0
        assert await tx.scalar(count.where(Account.id.not_in([]))) == len(here)
        assert await tx.scalar(count.where(Account.status.in_(["active", "active" * 9]))) == len(here)
        assert await tx.scalar(count.where(Account.status.in_(["active" * 9]))) == 0
        again = count.where(Account.id.in_(here[:3]))
        assert await tx.scalar(again) == 3  # compiled once, run with other values
        assert await tx.scalar(count.where(Account.id.in_(here[3:4]))) == 1


async def test_many_systems_are_told_of_many_people(database: Database, kit: Kit) -> None:
    """Two hundred people in twenty systems: 4,000 rows of twelve values."""
    world = World(database, kit)
    systems = [await world.system(f"Hệ thống {at}") for at in range(20)]
    people = [await world.person(f"Người {at}") for at in range(200)]
    async with database.write() as tx:
        rows = [{"id": new_id(), "system_id": s, "account_id": p} for s in systems for p in people]
        await tx.execute(insert(Link), rows)
        assert await renewal.renew(tx, people, now=START) == 4000
    async with database.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Delivery)) == 4000
