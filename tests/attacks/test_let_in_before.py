"""A call that the door has let in changes nothing once its session has ended while it waited (A01, rule 303)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.account import Account
from backend.accounts.models import Attribute
from backend.accounts.self import consents, identity_page, mine
from backend.caller import Caller, Who
from backend.devices import sessions
from backend.devices.models import Session
from backend.flows import Flow
from backend.roles import joins, leaving
from tests.citizen import Citizen, captcha
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


async def erases(service: Service, who: Who) -> None:
    async with service.db.write() as tx:
        await leaving.leave(tx, service.kit, who, now=service.clock.now())


async def copies(service: Service, who: Who) -> None:
    await leaving.export(service.db, service.kit, who, post_office="", now=service.clock.now())


async def edits(service: Service, who: Who) -> None:
    async with service.db.write() as tx:
        wanted = {"email": "nguoi.la@vidu.vn"}
        await identity_page.edit(tx, service.kit, who, wanted, now=service.clock.now())


async def consents_to(service: Service, who: Who) -> None:
    async with service.db.write() as tx:
        purpose, now = consents.NOTICES_BY_SMS, service.clock.now()
        await consents.say(tx, service.kit, who, purpose, given=True, now=now)


async def joins_another(service: Service, who: Who) -> None:
    caller = Caller(service.clock.now(), who.jkt, "127.0.0.1", who._replace(method="vneid", level=2))
    typed = {"number": "000090000001", "password": "Sai 1234 @x", "captcha": await captcha(service)}
    await joins.begin(service.app.door, caller, **typed)


@pytest.mark.parametrize("act", [erases, copies, edits, consents_to, joins_another])
async def test_a01_whoever_was_replaced_meanwhile_erases_copies_and_writes_nothing(
    service: Service, act: Callable[[Service, Who], Awaitable[None]]
) -> None:
    """A stranger's call that waits for the account while its owner comes, or another phone does."""
    citizen, who = await let_in(service)
    await citizen.sign_in(service.phone())
    with pytest.raises(sessions.SessionReplacedByDevice):
        await act(service, who)
    async with service.db.read() as tx:
        assert (await tx.get_one(Account, who.account_id)).status == "active"
        written = select(Attribute.id).where(Attribute.account_id == who.account_id)
        assert await tx.scalar(written) is None
        assert not await consents.allows(tx, who.account_id, consents.NOTICES_BY_SMS)
        assert (
            await tx.scalar(select(Flow.id).where(Flow.account_id == who.account_id, Flow.kind == "join"))
            is None
        )
