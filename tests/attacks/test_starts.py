"""Sign-ins that only begin: so many by network, and nothing of them for ever (A15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from backend.journal import Entry
from tests.attacks.problems import refused
from tests.attacks.test_sms_budget import alarms
from tests.checker import check
from tests.citizen import ABOUT, Citizen
from tests.conftest import DATABASES
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import Service, running
from tests.signer import facts

MOST = 5


@pytest_asyncio.fixture(params=DATABASES)
async def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A service behind a proxy, where few sign-ins may begin in a network."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'starts.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("starts")
    said = {"NGOMON_TRUSTED_PROXIES": "1", "NGOMON_LIMIT_LOGINS_PER_NETWORK_PER_HOUR": str(MOST)}
    async with running(url, **said) as service:
        yield service
        await check(service.db, service.kit)


async def begins(phone: Phone, address: str, method: str = "vneid") -> httpx2.Response:
    """A sign-in begins from this address."""
    return await phone.open("/v1/logins", {"method": method, "device": ABOUT}, **{"X-Forwarded-For": address})


@pytest.mark.parametrize(
    ("addresses", "elsewhere"),
    [("203.0.113.{}", "198.51.100.1"), ("2001:db8:7:{}::1", "2001:db8:8:1::1")],
    ids=["ipv4", "ipv6"],
)
async def test_a15_sign_ins_that_begin_are_counted_by_network(
    guarded: Service, addresses: str, elsewhere: str
) -> None:
    before = await alarms(guarded, "sign_ins_network")
    told = [await begins(guarded.phone(), addresses.format(n + 1)) for n in range(MOST + 3)]
    assert Counter(answer.status_code for answer in told) == {201: MOST, 429: 3}
    refused(told[-1], 429, "too_many")
    assert 0 < int(told[-1].headers["retry-after"]) <= 3660
    assert await alarms(guarded, "sign_ins_network") == before + 3
    assert (await begins(guarded.phone(), elsewhere)).status_code == 201
    guarded.pass_time(seconds=3661)
    assert (await begins(guarded.phone(), addresses.format(1))).status_code == 201


async def test_a15_every_way_in_counts_and_so_does_the_workspace(guarded: Service) -> None:
    for method in ("vneid", "certificate", "vneid", "certificate"):
        assert (await begins(guarded.phone(), "203.0.113.1", method)).status_code == 201
    headers = {"X-Forwarded-For": "203.0.113.2"}
    first = await guarded.http.get("/workspace/login/start", headers=headers)
    assert first.status_code == 303
    again = await guarded.http.get("/workspace/login/start", headers=headers)
    assert again.status_code == 429
    for method in ("vneid", "certificate"):
        refused(await begins(guarded.phone(), "203.0.113.1", method), 429, "too_many")
    stranger = Citizen.new(guarded)
    refused(await stranger.knock_from("203.0.113.3"), 429, "too_many")


async def test_a15_neighbours_use_up_nothing_of_a_known_device(guarded: Service) -> None:
    person = guarded.person()
    mine = await guarded.sign_in(person)
    told = [await begins(guarded.phone(), "203.0.113.9") for _ in range(MOST + 1)]
    refused(told[-1], 429, "too_many")
    started = await begins(mine, "203.0.113.9")
    assert started.status_code == 201
    back = await guarded.consent(started.json()["authorization_url"], person)
    answer = await mine.bring(started.json()["id"], back)
    assert answer.status_code == 200, answer.text
    mine.keep(answer.json())
    step = await mine.call(
        "POST", "/v1/logins", {"method": "vneid", "step_up": True}, **{"X-Forwarded-For": "203.0.113.9"}
    )
    assert step.status_code == 201, step.text


async def test_a15_whoever_makes_many_devices_known_has_one_budget(guarded: Service) -> None:
    person = guarded.person()
    devices = [await guarded.sign_in(person) for _ in range(3)]
    told: Counter[int] = Counter()
    for turn in range(MOST + 3):
        told[(await begins(devices[turn % 3], f"198.51.{turn}.1")).status_code] += 1
    assert told == {201: MOST, 429: 3}


async def test_a15_what_only_begins_is_not_in_the_journal(service: Service) -> None:
    citizen = Citizen.new(service)

    async def entries() -> int:
        async with service.db.read() as tx:
            return int(await tx.scalar(select(func.count()).select_from(Entry)) or 0)

    before = await entries()
    for method in ("vneid", "certificate"):
        assert (await begins(service.phone(), "", method)).status_code == 201
    assert (await citizen.begin()).status_code == 201
    for number in (citizen.person.national_id, service.person().national_id):
        begun = await service.phone().open("/v1/recoveries", {"national_id": number})
        assert begun.status_code == 201
    assert (await service.http.get("/workspace/login/start")).status_code == 303
    assert await entries() == before
    shown = (await service.http.get("/metrics")).text
    assert 'ngomon_flows_total{kind="recovery"}' in shown and 'ngomon_flows_total{kind="login"}' in shown


async def test_a15_wrong_guesses_in_a_strangers_flow_leave_nothing_for_ever(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    before = len(await facts(service, "code.wrong"))
    stranger = service.phone()
    begun = await stranger.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    answer = await stranger.open(f"/v1/recoveries/{begun.json()['id']}/otp", {"code": "000000"})
    refused(answer, 422, "otp_wrong")
    assert len(await facts(service, "code.wrong")) == before
    mine = (await citizen.knock(service.phone())).json()
    assert (await facts(service, "code.sent"))[-1]["flow"] == mine["id"], (
        "whoever has the password has shown something"
    )
