"""Wrong recovery codes over many accounts: which devices an account knows, and whose line pays for it (TO18)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from backend import tallies
from backend.accounts.codes import locks
from backend.accounts.codes.codes import HOUR
from backend.devices import takeover
from backend.devices.known import knows_key
from tests.attacks.problems import refused
from tests.attacks.test_sms_budget import alarms
from tests.attacks.ways import Way, bring, next_code, sent
from tests.checker import check
from tests.citizen import Citizen
from tests.conftest import DATABASES
from tests.mobile_api.test_recoveries import NEW
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import Service, running

ONE, ALL = 4, 6
HOME, NEXT, AWAY = (
    "2001:db8:7:1::1",
    "2001:db8:7:2::1",
    "192.0.2.9",
)  # two lines of one /48, and another network


async def known(citizen: Citizen, phone: Phone) -> bool:
    account = UUID(citizen.done["account"]["id"])
    async with citizen.service.db.read() as tx:
        return await knows_key(tx, account, phone.key.thumbprint())


async def leave(phone: Phone) -> None:
    assert (await phone.call("DELETE", "/v1/sessions/current")).status_code == 204


async def a_guest(citizen: Citizen) -> Phone:
    """Somebody who was in once by the person's password and code, and has signed out."""
    guest = await citizen.sign_in(citizen.service.phone("Máy lạ"))
    await leave(guest)
    assert await known(citizen, guest)
    return guest


async def test_to18_after_a_recovery_only_devices_of_the_new_password_are_known(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    guest, first = await a_guest(citizen), citizen.phone
    way = await bring("recovery", citizen)
    assert (await way.guess(way.code)).status_code == 200
    assert (
        await way.post("password", {"password": NEW})
    ).status_code == 200  # no session was there to be ended
    assert not await known(citizen, guest)
    citizen.password = NEW
    service.pass_time(seconds=61)
    newer = await citizen.sign_in(service.phone())
    assert await known(citizen, newer) and not await known(citizen, first)
    await leave(newer)
    assert await known(citizen, newer), "the owner signed out, and nothing was changed since"
    assert not await known(citizen, service.phone())


async def test_to18_after_another_password_or_number_the_device_that_set_it_stays_known(
    service: Service,
) -> None:
    for how in ("password", "number"):
        citizen = await Citizen.new(service).register()
        guest = await a_guest(citizen)
        await citizen.sign_in()
        if how == "password":
            body = {"current": citizen.password, "new": NEW}
            answer = await citizen.phone.call("POST", "/v1/me/password", body)
            assert answer.status_code == 204, answer.text
        else:
            way = await bring("phone_change", citizen)
            assert (await way.guess(way.code)).status_code == 200
        assert not await known(citizen, guest)
        assert await known(citizen, citizen.phone)
        await leave(citizen.phone)
        assert await known(citizen, citizen.phone) and not await known(citizen, guest)


async def test_to18_a_reported_take_over_is_forgotten_by_nobody(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    thief = await a_guest(citizen)
    assert (await citizen.phone.call("POST", "/v1/takeover-reports")).status_code == 201
    assert not await known(citizen, thief), "also when the thief had left before"
    async with service.db.write() as tx:
        account = UUID(citizen.done["account"]["id"])
        await takeover.thaw(tx, service.kit, account, now=service.clock.now())
    assert not await known(citizen, thief)


@pytest_asyncio.fixture(params=DATABASES)
async def guarded(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A service behind a proxy that says who calls, with few wrong reset codes for a network and for all."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{request.getfixturevalue('tmp_path') / 'spray.db'}"
    else:
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("spray")
    named = {
        "NGOMON_TRUSTED_PROXIES": "1",
        "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "240",
        "NGOMON_LIMIT_WRONG_RESET_CODES_PER_HOUR": str(ALL),
        "NGOMON_LIMIT_WRONG_RESET_CODES_PER_NETWORK_PER_HOUR": str(ONE),
    }
    async with running(url, **named) as service:
        yield service
        await check(service.db, service.kit)


async def begun(service: Service, number: str, address: str, phone: Phone) -> str:
    """A recovery from this network address; where it is."""
    said = {"X-Forwarded-For": address}
    answer = await phone.open("/v1/recoveries", {"national_id": number}, **said)
    assert answer.status_code == 201, answer.text
    return f"/v1/recoveries/{answer.json()['id']}"


async def spray(service: Service, address: str, count: int) -> list[str]:
    """So many wrong codes, each for a number that nobody has; what is answered."""
    told = []
    for _ in range(count):
        phone = service.phone()
        at = await begun(service, service.person().national_id, address, phone)
        told.append((await phone.open(f"{at}/otp", {"code": "000000"})).json()["code"])
    return told


async def recovery(citizen: Citizen, address: str, phone: Phone) -> Way:
    """The same for somebody whom there is, with the right code."""
    service, before = citizen.service, len(sent(citizen.service, citizen.number))
    service.pass_time(seconds=61)
    at = await begun(service, citizen.person.national_id, address, phone)
    code = await next_code(service, citizen.number, before)
    return Way("recovery", at, phone, citizen.number, code, session=False)


async def test_to18_one_line_that_sprays_is_refused_and_closes_recovery_for_nobody_else(
    guarded: Service,
) -> None:
    citizen = await Citizen.new(guarded).register()
    calls = await alarms(guarded, "wrong_reset_codes_network")
    assert (
        await spray(guarded, HOME, 3) + await spray(guarded, NEXT, 4) == ["otp_wrong"] * 4 + ["otp_limit"] * 3
    )
    assert await alarms(guarded, "wrong_reset_codes_network") == calls + 3
    way = await recovery(citizen, "2001:db8:7:3::1", guarded.phone())
    refused(await way.guess(way.code), 429, "otp_limit")
    way = await recovery(citizen, NEXT, citizen.phone)
    assert (await way.guess(way.code)).status_code == 200, "a device that the account knows"
    way = await recovery(citizen, AWAY, guarded.phone())
    assert (await way.guess(way.code)).status_code == 200, "any device, from another network"
    assert await spray(guarded, AWAY, 4) == ["otp_wrong"] * 2 + ["captcha_required"] * 2, (
        "six in all, and each more costs work"
    )
    guarded.pass_time(hours=1)
    assert await spray(guarded, HOME, 1) == ["otp_wrong"]


async def test_to18_guesses_of_one_network_at_once_count_to_all_no_more_than_its_share(
    guarded: Service,
) -> None:
    now, all_of_them = guarded.clock.now(), guarded.kit.throttle.key("wrong_reset_codes", "all")

    async def after_one_of(address: str) -> int:
        async with guarded.db.write() as tx:  # one that was compared before its network had had enough
            await locks.count_wrong_code(tx, guarded.kit, "recovery", "recovery|nobody", address, now)
        async with guarded.db.read() as tx:
            return await tallies.counted(tx, all_of_them, HOUR, now=now)

    assert [await after_one_of(HOME) for _ in range(ONE + 3)] == [1, 2, 3, 4, 4, 4, 4]
    assert await after_one_of(AWAY) == 5
