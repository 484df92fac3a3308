"""A call that the door has let in changes nothing once its session has ended while it waited (A01, rule 303)."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from backend.accounts.self import mine
from backend.caller import Who
from backend.devices import sessions
from backend.devices.models import Session
from tests.citizen import Citizen
from tests.service import Service


async def let_in(service: Service) -> tuple[Citizen, Who]:
    """Somebody signed in, and how the door knows them."""
    citizen = await Citizen.new(service).register()
    account = UUID(citizen.done["account"]["id"])
    async with service.db.read() as tx:
        row = (await tx.scalars(select(Session).where(Session.account_id == account))).one()
    return citizen, Who(account, row.id, "citizen", 1, service.clock.now(), 1, None, "password")


async def test_a01_an_account_is_held_for_a_session_that_lives(service: Service) -> None:
    _, who = await let_in(service)
    async with service.db.write() as tx:
        assert (await mine.held(tx, who)).id == who.account_id


async def test_a01_it_is_not_held_for_a_session_that_was_taken_back_meanwhile(service: Service) -> None:
    _, who = await let_in(service)
    async with service.db.write() as tx:
        row = await tx.get_one(Session, who.session_id)
        now = service.clock.now()
        await sessions.end(tx, service.kit, row, reason="owner_came", by=who.account_id, now=now)
    with pytest.raises(sessions.SessionRevoked):
        async with service.db.write() as tx:
            await mine.held(tx, who)


async def test_a01_nor_for_one_that_another_phone_has_replaced(service: Service) -> None:
    citizen, who = await let_in(service)
    await citizen.sign_in(service.phone())
    with pytest.raises(sessions.SessionReplacedByDevice):
        async with service.db.write() as tx:
            await mine.held(tx, who)
