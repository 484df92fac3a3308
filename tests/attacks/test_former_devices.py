"""What a device that was replaced may still say: nothing once the owner has come, nor of somebody who is gone (A27)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from backend.account import Account
from backend.journal import Entry
from tests.attacks.problems import refused
from tests.attacks.test_owner_comes import strangers_account
from tests.mobile_api.test_ways_in import by_post_office
from tests.service import Service

REPORT = "/v1/takeover-reports"


async def test_a01_a_device_that_was_replaced_before_the_owner_came_freezes_nothing(service: Service) -> None:
    """A stranger's first phone, replaced by the stranger's second, tells of what has ended with the stranger."""
    owner, stranger = await strangers_account(service)
    first, second = stranger.phone, service.phone()
    _, back = await by_post_office(stranger, second)
    second.keep(back.json())
    mine = await service.sign_in(owner.person)
    assert (await mine.call("GET", "/v1/me")).status_code == 200
    service.pass_time(seconds=1)
    refused(await first.call("POST", REPORT), 409, "not_replaced")
    assert (await mine.call("GET", "/v1/me")).status_code == 200, "the owner stays in"
    await service.sign_in(owner.person)
    service.pass_time(seconds=1)
    assert (await mine.call("POST", REPORT)).status_code == 201, "the owner's own device may"


async def test_a19_a_device_that_an_erased_account_had_left_writes_nothing_of_it(service: Service) -> None:
    person, former = service.person(), service.phone()
    await service.sign_in(person, former)
    phone = await service.sign_in(person)
    found = UUID((await phone.call("GET", "/v1/me")).json()["id"])
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204
    service.pass_time(seconds=1)
    refused(await former.call("POST", REPORT), 409, "not_replaced")
    async with service.db.read() as tx:
        assert (await tx.get_one(Account, found)).frozen_at is None
        last = select(Entry.tag).where(Entry.subject == found).order_by(Entry.seq.desc()).limit(1)
        assert await tx.scalar(last) == "account.erased"
