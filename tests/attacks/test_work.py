"""Work instead of a closed door: no flood closes recovery or registration, it only makes strangers compute (A14)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update

from backend.accounts.models import OneTimeCode
from backend.tallies import SLOT, Tally
from tests.attacks.problems import refused
from tests.attacks.ways import next_code, sent
from tests.checker import check
from tests.citizen import Citizen, bare, captcha, fields, solve
from tests.conftest import DATABASES
from tests.mobile_api.test_recoveries import NEW
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import Service, running

TOTAL, NETWORK, WRONG = 100, 40, 7  # of which newcomers may use 80, and recoveries 40 before the hardest work
AWAY = "192.0.2.9"


@pytest_asyncio.fixture(params=DATABASES)
async def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A service behind a proxy, with small budgets and challenges."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'work.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("work")
    said = {
        "NGOMON_TRUSTED_PROXIES": "1",
        "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "240",
        "NGOMON_LIMIT_SMS_PER_FIVE_MINUTES": str(TOTAL),
        "NGOMON_LIMIT_OTP_PER_NETWORK_PER_HOUR": str(NETWORK),
        "NGOMON_LIMIT_WRONG_RESET_CODES_PER_HOUR": str(WRONG),
        "NGOMON_LIMIT_CAPTCHA_COST": "1",
    }
    async with running(url, **said) as service:
        yield service
        await check(service.db, service.kit)


async def filled(service: Service, name: str, count: int) -> None:
    """So many messages of the province have left in this minute."""
    slot = int(service.clock.now().timestamp()) // SLOT
    async with service.db.write() as tx:
        await tx.execute(insert(Tally).values(key=service.kit.throttle.key(name, ""), slot=slot, count=count))


async def asks(
    service: Service, number: str, address: str = AWAY, phone: Phone | None = None, **more: Any
) -> httpx2.Response:
    """A recovery from this network."""
    body = {"national_id": number} | more
    return await (phone or service.phone()).open("/v1/recoveries", body, **{"X-Forwarded-For": address})


def hardness(body: dict[str, Any]) -> int:
    """How many rounds a challenge takes on average."""
    parameters = body["challenge"]["parameters"]
    return int(16 ** len(parameters["keyPrefix"]) * parameters["cost"])


async def test_a14_one_network_makes_itself_work_and_nobody_else(guarded: Service) -> None:
    told = [
        await asks(guarded, guarded.person().national_id, f"2001:db8:7:{turn}::1") for turn in range(NETWORK)
    ]
    assert Counter(answer.status_code for answer in told) == {201: NETWORK // 10, 429: NETWORK * 9 // 10}
    refused(told[-1], 429, "captcha_required")
    owner = await Citizen.new(guarded).register()
    assert (await asks(guarded, owner.person.national_id, AWAY)).status_code == 201
    guarded.pass_time(seconds=61)
    answer = await asks(guarded, owner.person.national_id, "2001:db8:7:1::2", owner.phone)
    assert answer.status_code == 201, "on a device that the account knows nobody is asked for anything"


async def test_a14_work_rises_with_the_load_and_opens_the_door(guarded: Service) -> None:
    owner = await Citizen.new(guarded).register()
    guarded.pass_time(seconds=3700)
    number, hard = owner.person.national_id, []
    await filled(guarded, "sms_budget_hidden", 19)
    assert (await asks(guarded, number)).status_code == 201, "below half nothing is asked for"
    guarded.pass_time(seconds=61)
    await filled(guarded, "sms_budget_hidden", 0)
    for more in (0, 4, 4, 4, 4, 20):  # half of its share, each tenth beyond, and more than all of it
        slot = int(guarded.clock.now().timestamp()) // SLOT
        async with guarded.db.write() as tx:
            key = guarded.kit.throttle.key("sms_budget_hidden", "")
            row = update(Tally).where(Tally.key == key, Tally.slot == slot)
            await tx.execute(row.values(count=Tally.count + more))
        hard.append(hardness(refused(await asks(guarded, number), 429, "captcha_required")))
    assert hard == [256 * 4**level for level in (1, 2, 3, 4, 5, 5)]
    before = len(sent(guarded, owner.number))
    body = refused(await asks(guarded, number), 429, "captcha_required")
    refused(await asks(guarded, number, captcha=await captcha(guarded)), 429, "captcha_required")
    begun = await asks(guarded, number, captcha=solve(body["challenge"]))
    assert begun.status_code == 201, begun.text
    await next_code(guarded, owner.number, before)


async def test_a14_a_solution_works_once_and_a_wrong_one_is_named(guarded: Service) -> None:
    await filled(guarded, "sms_budget_hidden", 20)
    one, two = (guarded.person().national_id for _ in range(2))
    solved = solve(refused(await asks(guarded, one), 429, "captcha_required")["challenge"])
    assert (await asks(guarded, one, captcha=solved)).status_code == 201
    assert fields(await asks(guarded, two, captcha=solved)) == {("captcha", "captcha_invalid")}
    spoiled = solve(
        {"parameters": refused(await asks(guarded, two))["challenge"]["parameters"], "signature": "00"}
    )
    assert fields(await asks(guarded, two, captcha=spoiled)) == {("captcha", "captcha_invalid")}
    assert fields(await asks(guarded, two, captcha="x")) == {("captcha", "captcha_invalid")}


async def test_a14_known_and_unknown_people_are_asked_for_the_same_work(guarded: Service) -> None:
    owner = await Citizen.new(guarded).register()
    await filled(guarded, "sms_budget_hidden", 30)
    told = []
    for number in (owner.person.national_id, guarded.person().national_id):
        answer = await asks(guarded, number)
        status, body, headers = bare(answer)
        body["challenge"]["parameters"] |= {"nonce": "", "salt": "", "expiresAt": 0}
        body["challenge"]["signature"] = ""
        told.append((status, body, headers))
    assert told[0] == told[1]


async def test_a14_seven_networks_of_wrong_reset_codes_close_recovery_for_nobody(guarded: Service) -> None:
    owner = await Citizen.new(guarded).register()
    for turn in range(WRONG):
        phone, address = guarded.phone(), f"198.51.{turn}.1"
        begun = await asks(guarded, guarded.person().national_id, address, phone)
        path = f"/v1/recoveries/{begun.json()['id']}/otp"
        refused(await phone.open(path, {"code": "000000"}), 422, "otp_wrong")
    new, before = guarded.phone(), len(sent(guarded, owner.number))
    begun = await asks(guarded, owner.person.national_id, AWAY, new)
    path = f"/v1/recoveries/{begun.json()['id']}/otp"
    code = await next_code(guarded, owner.number, before)
    body = refused(await new.open(path, {"code": code}), 429, "captcha_required")
    assert int(await attempts_of(guarded, begun.json()["id"])) == 0, "nothing was guessed"
    answer = await new.open(path, {"code": code, "captcha": solve(body["challenge"])})
    assert answer.status_code == 200, answer.text
    done = await new.open(f"/v1/recoveries/{begun.json()['id']}/password", {"password": NEW})
    assert done.status_code == 200, done.text


async def attempts_of(service: Service, flow: str) -> int:
    """How many guesses a flow's code has stood."""
    async with service.db.read() as tx:
        query = select(OneTimeCode.attempts).where(OneTimeCode.flow_id == UUID(flow))
        return int(await tx.scalar(query) or 0)


async def test_a14_registrations_work_harder_as_the_province_share_fills(guarded: Service) -> None:
    citizen = Citizen.new(guarded)
    await filled(guarded, "sms_budget_all", 50)  # six tenths of what newcomers may
    body = refused(await citizen.begin(), 429, "captcha_required")
    answer = await citizen.begin(captcha=solve(body["challenge"]))
    assert answer.status_code == 201, answer.text
