"""Two acts of one moment that want the same thing: neither waits for the other for ever (rule 303).

Of rows on PostgreSQL the test stands in for the second act, so that the moment is certain and nothing hangs on chance.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend import throttle
from backend.account import Account
from backend.outside.messages.sms import SmsUnavailable
from tests.checker import check
from tests.citizen import Citizen
from tests.parts.gateway import gateway
from tests.parts.postgres import Postgres
from tests.service import Service, running

ADDRESS = "127.0.0.1"


@pytest_asyncio.fixture(loop_scope="session")
async def town(_postgres: Postgres) -> AsyncIterator[Service]:
    """One wrong password is the last of the day here."""
    _postgres.start()
    url = await _postgres.a_new_database("contention")
    async with running(url, NGOMON_LIMIT_PASSWORD_TRIES_PER_DAY="1") as service:
        yield service
        await check(service.db, service.kit)


async def somebody_waits(service: Service) -> None:
    """Until a transaction of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20):
        while True:
            async with service.db.read() as tx:
                if await tx.scalar(waiting):
                    return
            await asyncio.sleep(0.02)


async def budget_held(service: Service, tx: AsyncSession, what: str, who: str) -> None:
    """Until the commit nobody else spends of it."""
    await throttle._held(tx, [service.kit.throttle.key(what, who)], service.clock.now())


async def test_to17_a_code_for_a_recovery_and_one_for_a_sign_in_take_their_budgets_in_one_order(
    town: Service,
) -> None:
    address = ("sms address", ADDRESS)
    citizen = await Citizen.new(town).register()
    while town.kit.throttle.key("sms phone asked", citizen.e164) > town.kit.throttle.key(*address):
        citizen = await Citizen.new(town).register()
    form = {"national_id": citizen.person.national_id}
    async with town.db.write() as tx:  # a sign-in of the same person, from the same house
        await budget_held(town, tx, "sms phone asked", citizen.e164)
        recovery = asyncio.create_task(town.phone().open("/v1/recoveries", form))
        await somebody_waits(town)
        await budget_held(town, tx, *address)
    assert (await recovery).status_code == 201


async def test_to17_two_wrong_passwords_at_once_that_are_the_last_of_the_day_both_are_remembered(
    town: Service,
) -> None:
    citizen = await Citizen.new(town).register()
    account = (await citizen.phone.call("GET", "/v1/me")).json()["id"]
    citizen.password = "Sai mật khẩu 2026!"
    async with town.db.write() as tx:  # the other one has seen first that no try is left
        await budget_held(town, tx, "password day told", account)
        assert (await citizen.knock(town.phone())).status_code == 401
        await somebody_waits(town)
        await tx.execute(select(Account).with_for_update())
    await town.settled()
    notices = (await citizen.phone.call("GET", "/v1/notices")).json()["items"]
    assert [one["kind"] for one in notices] == ["codes_locked"]
    history = (await citizen.phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [one["result"] for one in history] == ["failure", "success"]


async def test_to13_a_silent_sms_centre_holds_up_no_call_to_another_system(tmp_path: Path) -> None:
    """Each has a number of connections of its own; a registry in the same data centre is asked without TLS too."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    patience = {"NGOMON_LIMIT_SMS_TIMEOUT": "60", "NGOMON_LIMIT_REGISTRY_TIMEOUT": "4"}
    async with gateway() as centre, running(url, NGOMON_SMS_URL=centre.url, **patience) as service:
        centre.behave("silent")
        citizen, sms = Citizen.new(service), service.app.outside.sms

        async def send(n: int) -> None:
            with contextlib.suppress(SmsUnavailable):
                await sms.send(citizen.e164, "thử", message_id=str(n))

        sendings = [asyncio.create_task(send(n)) for n in range(64)]
        async with asyncio.timeout(20):
            while centre.asked < 32:
                await asyncio.sleep(0.02)
        found = await service.app.outside.registries.subscriber(citizen.e164)
        assert found is not None and found.national_id == citizen.person.national_id
        for one in sendings:
            one.cancel()
        await asyncio.gather(*sendings, return_exceptions=True)
