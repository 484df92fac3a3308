"""A call that the door has let in changes nothing once its session has ended while it waited (A01, rule 303)."""

from __future__ import annotations

import asyncio
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
from backend.support import desks
from backend.support.models import Case
from tests.attacks.problems import refused
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


async def is_reached(service: Service, who: Who) -> None:
    async with service.db.write() as tx:
        await sessions.set_push_token(tx, service.kit, who.session_id, "dia-chi-cua-may")


@pytest.mark.parametrize("act", [erases, copies, edits, consents_to, joins_another, is_reached])
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


async def test_a19_nothing_is_asked_of_a_desk_for_somebody_who_was_erased_meanwhile(service: Service) -> None:
    """The call is in, waits for the account, and its text would be the only thing that is left of the person."""
    citizen, who = await let_in(service)
    async with service.db.write() as tx:
        await desks.add(
            tx, service.kit, f"E{who.account_id.hex[-8:]}", name="Bộ phận hỗ trợ", mailbox="hotro@vidu.vn",
            phone="02343828282", now=service.clock.now(),
        )  # fmt: skip
    draft = {"subject": "Xin giúp", "text": "Tôi là Nguyễn Văn Thử"}
    async with service.db.write() as tx:
        await tx.execute(select(Account.id).where(Account.id == who.account_id).with_for_update())
        asked = asyncio.create_task(citizen.phone.call("POST", "/v1/support-cases", draft))
        await asyncio.sleep(0.3)
        await leaving.leave(tx, service.kit, who, now=service.clock.now())
    refused(await asked, 401, "session_revoked")
    async with service.db.read() as tx:
        assert await tx.scalar(select(Case.id).where(Case.account_id == who.account_id)) is None
