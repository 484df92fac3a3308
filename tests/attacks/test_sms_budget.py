"""Strangers with many numbers and many addresses meet the province's budget of messages; known people do not (TO12)."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import delete, insert

from backend.accounts.codes import sms_budget
from backend.tallies import SLOT, Tally
from backend.throttle import Budget
from tests.attacks.problems import refused
from tests.checker import check
from tests.citizen import ABOUT, Citizen, bare
from tests.conftest import DATABASES
from tests.parts.postgres import Postgres
from tests.service import Service, running

TOTAL, NEWCOMERS, NETWORK, BLOCK = 40, 32, 24, 28
BUDGET = {
    "NGOMON_TRUSTED_PROXIES": "1",
    "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "240",
    "NGOMON_LIMIT_SMS_PER_FIVE_MINUTES": str(TOTAL),
    "NGOMON_LIMIT_OTP_PER_NETWORK_PER_HOUR": str(NETWORK),
    "NGOMON_LIMIT_OTP_PER_BLOCK_PER_HOUR": str(BLOCK),
    "NGOMON_LIMIT_REGISTRATIONS_PER_ADDRESS_PER_HOUR": "0",
    "NGOMON_LIMIT_CAPTCHA_SECONDS": "0",
}
AT_ONCE = asyncio.Semaphore(8)


@pytest_asyncio.fixture(params=DATABASES, scope="module", loop_scope="session")
async def _counted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """A service whose small budgets are counted, behind a proxy that says who calls."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('budget') / 'ngomon.db'}"
    else:
        part: Postgres = request.getfixturevalue("_postgres")
        part.start()
        url = part.new_database("budget")
    async with running(url, **BUDGET) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(_counted: Service) -> AsyncIterator[Service]:
    """The same with nothing counted yet."""
    async with _counted.db.write() as tx:
        await tx.execute(delete(Tally))
        await tx.execute(delete(Budget))
    yield _counted
    await check(_counted.db, _counted.kit)


async def asks(service: Service, number: str, address: str) -> httpx2.Response:
    """A person who has never been here registers with this number from this address; the registry agrees."""
    citizen = Citizen.new(service)
    citizen.number = number
    citizen.subscribe(number)
    form = {
        "method": "subscriber",
        "kind": "citizen",
        "national_id": citizen.person.national_id,
        "full_name": citizen.person.full_name,
        "birth_date": citizen.person.birth_date,
        "phone": number,
        "device": ABOUT,
    }
    async with AT_ONCE:
        return await citizen.phone.open("/v1/registrations", form, **{"X-Forwarded-For": address})


def numbers(count: int, *, block: int = 0) -> list[str]:
    """Fresh numbers; each in a block of its own, or all in that one. Other people of the tests have those from 0550 4."""
    return [f"0550{block:02d}{n:04d}" if block else f"0550{50 + n:02d}1234" for n in range(count)]


async def flood(service: Service, wanted: list[str], network: str = "198.51.{}.7") -> Counter[int]:
    """All of these numbers at once, each from another address."""
    answers = await asyncio.gather(
        *(asks(service, number, network.format(n)) for n, number in enumerate(wanted))
    )
    for answer in answers:
        if answer.status_code != 201:
            refused(answer, 429, "otp_limit")
            assert int(answer.headers["retry-after"]) > 0
    return Counter(answer.status_code for answer in answers)


async def known(service: Service) -> Citizen:
    """Somebody with an account, a password and a confirmed number, long before the flood."""
    citizen = await Citizen.new(service).register()
    service.pass_time(seconds=3700)
    return citizen


async def alarms(service: Service, name: str) -> float:
    """How often an operator was called."""
    found = re.search(
        rf'ngomon_alarms_total{{alarm="{name}"}} (\S+)', (await service.http.get("/metrics")).text
    )
    return float(found.group(1)) if found else 0.0


async def test_to12_fresh_numbers_from_many_networks_stop_at_the_budget_and_known_people_get_their_codes(
    guarded: Service,
) -> None:
    citizens = [await known(guarded) for _ in range(2)]
    before = await alarms(guarded, "sms_budget_all")
    assert await flood(guarded, numbers(50)) == {201: NEWCOMERS, 429: 50 - NEWCOMERS}
    assert await alarms(guarded, "sms_budget_all") == before + 50 - NEWCOMERS
    for citizen in citizens:
        assert (await citizen.knock()).status_code == 201, "their share is kept"
        assert len(await citizen.code()) == 6
    guarded.pass_time(seconds=361)
    assert (await flood(guarded, numbers(50)[-2:]))[201] == 2, "after five minutes others get through again"


async def test_to12_a_known_person_is_refused_only_when_the_whole_budget_is_used(guarded: Service) -> None:
    citizens = [await known(guarded) for _ in range(3)]
    now = guarded.clock.now()
    async with guarded.db.write() as tx:
        for _ in range(TOTAL - 2):
            await sms_budget.spend(tx, guarded.kit, phone="", confirmed=True, address="192.0.2.1", now=now)
    answers = await asyncio.gather(*(citizen.knock() for citizen in citizens))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 429: 1}


async def test_to12_the_day_is_counted_as_well(guarded: Service) -> None:
    limits, now = guarded.kit.limits, guarded.clock.now()
    most = limits.sms_per_day * (100 - limits.sms_reserved_percent) // 100
    key = guarded.kit.throttle.key("sms_budget_all", "")
    async with guarded.db.write() as tx:
        slot = int((now - timedelta(hours=20)).timestamp()) // SLOT
        await tx.execute(insert(Tally).values(key=key, slot=slot, count=most - 1))
    assert await flood(guarded, numbers(2)) == {201: 1, 429: 1}
    citizen = Citizen.new(guarded)
    answer = await asks(guarded, citizen.number, "192.0.2.9")
    assert int(answer.headers["retry-after"]) in range(4 * 3600 - 60, 4 * 3600 + 61)
    guarded.pass_time(hours=4, seconds=60)
    assert (await asks(guarded, citizen.number, "192.0.2.9")).status_code == 201


@pytest.mark.parametrize("addresses", ["203.0.113.{}", "2001:db8:7:{}::1"], ids=["ipv4", "ipv6"])
async def test_to12_one_network_has_a_budget_of_its_own(guarded: Service, addresses: str) -> None:
    assert await flood(guarded, numbers(30), addresses) == {201: NETWORK, 429: 30 - NETWORK}
    assert (await asks(guarded, "0550991234", "192.0.2.200")).status_code == 201, "and no other pays for it"


async def test_to12_one_block_of_numbers_has_a_budget_of_its_own(guarded: Service) -> None:
    assert await flood(guarded, numbers(31, block=77)) == {201: BLOCK, 429: 31 - BLOCK}
    assert (await asks(guarded, "0550781234", "192.0.2.200")).status_code == 201


async def recovers(service: Service, number: str, n: int) -> httpx2.Response:
    async with AT_ONCE:
        asked = {"national_id": number}
        return await service.phone().open("/v1/recoveries", asked, **{"X-Forwarded-For": f"198.51.{n}.7"})


async def test_a14_recoveries_of_nobody_use_up_nothing_of_what_the_province_may(guarded: Service) -> None:
    answers = await asyncio.gather(*(recovers(guarded, f"0000987{n:05d}", n) for n in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 40}
    assert (await flood(guarded, numbers(40)))[201] == NEWCOMERS


async def test_to12_recoveries_use_up_no_more_than_half_of_what_newcomers_may(guarded: Service) -> None:
    citizens, now = [await known(guarded) for _ in range(2)], guarded.clock.now()
    key = guarded.kit.throttle.key("sms_budget_hidden", "")
    async with guarded.db.write() as tx:
        row = {"key": key, "slot": int(now.timestamp()) // SLOT, "count": NEWCOMERS // 2 - 1}
        await tx.execute(insert(Tally).values(**row))
    told = [await recovers(guarded, one.person.national_id, n) for n, one in enumerate(citizens)]
    assert [answer.status_code for answer in told] == [201, 429]
    nobody = await recovers(guarded, "000098760009", 9)
    assert bare(told[1]) == bare(nobody), "where there is nobody the same is said"
    assert (
        await citizens[1].phone.open("/v1/recoveries", {"national_id": citizens[1].person.national_id})
    ).status_code == 201


async def test_to12_to14_a_used_budget_says_the_same_of_known_and_unknown_people(guarded: Service) -> None:
    citizen = await known(guarded)
    assert (await flood(guarded, numbers(NEWCOMERS)))[201] == NEWCOMERS
    told = []
    for number in (citizen.person.national_id, "000098760001"):
        answer = await guarded.phone().open(
            "/v1/recoveries", {"national_id": number}, **{"X-Forwarded-For": "192.0.2.77"}
        )
        refused(answer, 429, "otp_limit")
        told.append(bare(answer))
    assert told[0] == told[1]
