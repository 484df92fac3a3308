"""What was true when it was read and is not when it is used: old passwords, numbers that were changed (case TC03; rule 310)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.identity import people
from backend.accounts.models import Access, Password
from backend.accounts.phones.binding import bind_phone
from backend.flows import Flow
from backend.throttle import Window
from tests.attacks.problems import refused
from tests.attacks.test_contention import budget_held, somebody_waits
from tests.attacks.ways import Way, bring, next_code, sent
from tests.citizen import Citizen, bare
from tests.mobile_api.test_recoveries import NEW, connect, officer, recover
from tests.parts.directory import Directory
from tests.service import Service

CHEAP = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
WRONG = "Sai hẳn rồi 1!"
A_DAY = 100


def _id(citizen: Citizen) -> UUID:
    return UUID(citizen.done["account"]["id"])


async def tries_left(citizen: Citizen) -> int:
    """How many wrong passwords the day has left for the account."""
    service, window = citizen.service, [Window(A_DAY, 86400)]
    async with service.db.read() as tx:
        return await service.kit.throttle.left(
            tx, "password day", str(_id(citizen)), window, now=service.clock.now()
        )


@asynccontextmanager
async def held(service: Service) -> AsyncIterator[None]:
    """No password is compared while the block runs: whoever comes waits with the hash that was read before."""
    async with AsyncExitStack() as places:
        for _ in range(service.kit.limits.hashes_at_once):
            await places.enter_async_context(service.app.door.passwords.place())
        yield


async def knock_during(citizen: Citizen, change: str | None) -> httpx2.Response:
    """A sign-in with the right password, which is another one (or none) when the comparison is over."""
    service, before = citizen.service, await tries_left(citizen)
    async with held(service):
        knock = asyncio.create_task(citizen.knock(service.phone()))
        async with asyncio.timeout(4):
            while await tries_left(citizen) == before:
                await asyncio.sleep(0.01)
        async with service.db.write() as tx:
            row = await tx.get_one(Password, _id(citizen), with_for_update=True)
            if change is None:
                await tx.delete(row)
            else:
                row.hash = change
    return await knock


async def stored(citizen: Citizen) -> Password | None:
    async with citizen.service.db.read() as tx:
        return await tx.get(Password, _id(citizen))


async def failures(citizen: Citizen) -> int:
    """The lines of refused tries in the person's own history."""
    query = select(func.count()).where(Access.account_id == _id(citizen), Access.result == "failure")
    async with citizen.service.db.read() as tx:
        return await tx.scalar(query) or 0


@pytest.mark.parametrize("how", ["changed", "outdated", "removed"])
async def test_s5_a_sign_in_that_compared_the_old_password_gets_no_further(
    service: Service, how: str
) -> None:
    citizen = await Citizen.new(service).register()
    if how == "outdated":  # its cost is an old one, so that a right password is stored anew
        async with service.db.write() as tx:
            (await tx.get_one(Password, _id(citizen))).hash = CHEAP.hash(citizen.password)
    wrong = bare(await citizen.knock(service.phone(), password=WRONG))
    await service.settled()
    left, lines, texts = await tries_left(citizen), await failures(citizen), sent(service, citizen.number)
    made = None if how == "removed" else CHEAP.hash(NEW)
    answer = await knock_during(citizen, made)
    refused(answer, 401, "credentials_wrong")
    assert bare(answer) == wrong, "the answer is that of any wrong password"
    await service.settled()
    assert await tries_left(citizen) == left - 1, "and it counts like one"
    assert await failures(citizen) == lines + 1
    assert sent(service, citizen.number) == texts, "no code has left"
    now = await stored(citizen)
    assert (now.hash if now else None) == made, "what was set meanwhile is still there"
    async with service.db.read() as tx:
        waiting = select(func.count()).where(Flow.account_id == _id(citizen), Flow.kind == "login")
        assert await tx.scalar(waiting) == 0


async def test_a_hash_of_an_older_cost_is_made_anew_and_is_no_other_password(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    old = CHEAP.hash(citizen.password)
    async with service.db.write() as tx:
        row = await tx.get_one(Password, _id(citizen))
        row.hash, since = old, row.changed_at
    await citizen.sign_in(service.phone())
    now = await stored(citizen)
    assert now is not None and now.hash != old and now.changed_at == since
    await citizen.sign_in(service.phone())


async def another_number(citizen: Citizen) -> None:
    """What a phone change leaves that committed after the recovery had read the number, and before it was stored."""
    service, now = citizen.service, citizen.service.clock.now()
    async with service.db.write() as tx:
        account = await tx.get_one(Account, _id(citizen), with_for_update=True)
        for row in await people.phones_of(tx, account.id):
            row.ended_at = now
        number = "+84" + service.mobile_number().removeprefix("0")
        await bind_phone(tx, service.kit, account.id, number, now=now, source="subscriber")
        account.phone_changed_at = now


@pytest.mark.parametrize("step", ["otp", "password"])
async def test_tc03_a_recovery_by_a_number_that_is_the_accounts_no_more_is_over(
    service: Service, step: str
) -> None:
    citizen = await Citizen.new(service).register()
    way, before = await bring("recovery", citizen), await stored(citizen)
    assert before is not None
    if step == "password":
        assert (await way.guess(way.code)).status_code == 200
    await another_number(citizen)
    body = {"code": way.code} if step == "otp" else {"password": NEW}
    refused(await way.post(step, body), 404, "flow_not_found")
    after = await stored(citizen)
    assert after is not None and after.hash == before.hash
    assert (await citizen.phone.call("GET", "/v1/me")).status_code == 200, "nobody was put out"


async def test_tc06_what_the_registry_says_of_a_former_number_freezes_nothing(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    way = await bring("recovery", citizen)
    citizen.subscribe(citizen.number, national_id=service.person().national_id)
    await another_number(citizen)
    refused(await way.guess(way.code), 404, "flow_not_found")
    async with service.db.read() as tx:
        assert (await tx.get_one(Account, _id(citizen))).recovery_frozen_at is None


async def test_tc03_a_second_number_does_not_disturb_a_recovery(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    way = await bring("recovery", citizen)
    async with service.db.write() as tx:
        number = "+84" + service.mobile_number().removeprefix("0")
        await bind_phone(tx, service.kit, _id(citizen), number, now=service.clock.now(), is_main=False)
    assert (await way.guess(way.code)).status_code == 200
    assert (await way.post("password", {"password": NEW})).status_code == 200


async def test_an_official_mails_recovery_keeps_the_number_that_it_was_sent_to(
    service: Service, directory: Directory
) -> None:
    citizen, mail = await officer(service)
    citizen.done = {"account": (await citizen.phone.call("GET", "/v1/me")).json()}
    directory.add_mail_user(mail, "Mật khẩu cũ 1!", name=citizen.person.full_name)
    await connect(service, directory)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    code = await citizen.code()
    await another_number(citizen)
    assert (await phone.open(f"{at}/otp", {"code": code})).status_code == 200
    assert (await phone.open(f"{at}/password", {"password": NEW})).status_code == 200


@pytest.mark.parametrize("service", ["postgres"], indirect=True)  # SQLite has one writer at a time
async def test_tc03_a_recovery_that_begins_while_the_number_is_changed_is_over(service: Service) -> None:
    """The recovery has read the old number and waits for a budget."""
    citizen = await Citizen.new(service).register()
    change, phone = await bring("phone_change", citizen), service.phone()
    number = citizen.person.national_id
    service.pass_time(seconds=61)
    before = len(sent(service, citizen.number))
    async with service.db.write() as tx:
        await budget_held(service, tx, "sms person", f"recovery|{number}")
        begins = asyncio.create_task(phone.open("/v1/recoveries", {"national_id": number}))
        await somebody_waits(service)
        assert (await change.guess(change.code)).status_code == 200
    begun = await begins
    assert begun.status_code == 201, begun.text
    code = await next_code(service, citizen.number, before + 1)  # after the word that the number was changed
    way = Way("recovery", f"/v1/recoveries/{begun.json()['id']}", phone, citizen.number, code, session=False)
    refused(await way.guess(code), 404, "flow_not_found")
