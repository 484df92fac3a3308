"""Strangers who want to keep an owner out: nothing that they do uses up what the owner needs (A05, A13, TO14)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from tests.attacks.problems import refused
from tests.attacks.ways import bring, next_code, sent, with_limits
from tests.citizen import PASSWORD, Citizen, bare
from tests.conftest import DATABASES
from tests.mobile_api.test_recoveries import NEW
from tests.phone import Phone
from tests.service import Service

WRONG = "Sai 1234 @x"
PER_DAY = 6


@pytest_asyncio.fixture(params=DATABASES)
async def strict(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A service that compares few passwords a day."""
    limits = {"password_tries": "0", "password_tries_per_day": str(PER_DAY)}
    async with with_limits(request, request.param, **limits) as service:
        yield service


async def recover(citizen: Citizen, phone: Phone, password: str = NEW) -> None:
    """The whole way to a new password."""
    way = await bring("recovery", citizen, phone=phone)
    assert (await way.guess(way.code)).status_code == 200
    answer = await way.post("password", {"password": password})
    assert answer.status_code == 200, answer.text
    citizen.password = password
    citizen.service.pass_time(seconds=61)


async def ask_for_recovery(service: Service, citizen: Citizen, times: int) -> list[httpx2.Response]:
    """Strangers who have forgotten somebody else's password, each on a phone of his own."""
    answers = []
    for _ in range(times):
        body = {"national_id": citizen.person.national_id}
        answers.append(await service.phone().open("/v1/recoveries", body))
        service.pass_time(seconds=61)
    return answers


async def register_on(service: Service, number: str, times: int) -> list[httpx2.Response]:
    """Strangers who register by their own insurance and somebody else's phone."""
    answers = []
    for _ in range(times):
        stranger = Citizen.new(service)
        insurance = f"0000{stranger.number[-6:]}"
        stranger.insure(insurance)
        form = {"method": "social_insurance", "social_insurance_number": insurance, "phone": number}
        answers.append(await stranger.begin(**form))
        service.pass_time(seconds=61)
    return answers


async def test_a05_recoveries_that_strangers_ask_for_leave_the_owner_every_code(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    told = await ask_for_recovery(service, citizen, 12)
    assert {answer.status_code for answer in told} == {201, 429}, "the number's own budget for strangers"
    await citizen.sign_in()
    await citizen.sign_in(service.phone())  # nor is a right password elsewhere turned away for that
    await recover(citizen, citizen.phone)


async def test_a05_registrations_on_the_owners_number_leave_the_owner_every_code(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    told = await register_on(service, citizen.number, 7)
    assert {answer.status_code for answer in told} == {201, 429}
    await citizen.sign_in()
    await citizen.sign_in(service.phone())
    await recover(citizen, citizen.phone)


async def test_a05_whoever_has_the_password_uses_up_no_code_of_a_known_device(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    told = []
    for _ in range(7):
        told.append(await citizen.knock(service.phone()))
        service.pass_time(seconds=61)
    assert {answer.status_code for answer in told} == {201, 429}
    refused(told[-1], 429, "otp_limit")
    await citizen.sign_in()
    await recover(citizen, citizen.phone)


@pytest.mark.parametrize("kind", ["login", "recovery"])
async def test_a05_wrong_codes_elsewhere_let_no_code_of_a_known_device_rest(
    service: Service, kind: str
) -> None:
    citizen = await Citizen.new(service).register()
    count = 0
    for _ in range(4):
        way = await bring(kind, citizen, phone=service.phone())
        for code in way.wrong(3):
            count += (await way.guess(code)).status_code in (422, 429)
        service.pass_time(seconds=61)
    assert count == 12
    rests = await bring(kind, citizen, phone=service.phone())
    refused(await rests.guess(rests.code), 429, "otp_limit")
    service.pass_time(seconds=61)
    await citizen.sign_in()
    await recover(citizen, citizen.phone)
    await citizen.sign_in()


async def test_a05_the_owners_device_has_a_budget_too(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    for _ in range(4):  # and the code of the registration
        await citizen.sign_in()
    refused(await citizen.knock(), 429, "otp_limit")
    way = await bring("login", citizen, phone=service.phone())
    assert len(way.code) == 6, "and uses up none of others'"


async def test_a13_wrong_passwords_of_strangers_close_nothing_on_a_known_device(strict: Service) -> None:
    citizen = await Citizen.new(strict).register()
    for _ in range(PER_DAY):
        refused(await citizen.knock(strict.phone(), password=WRONG), 401, "credentials_wrong")
    refused(await citizen.knock(strict.phone()), 429, "too_many_attempts")
    await citizen.sign_in()
    await citizen.refresh()
    body = {"current": PASSWORD, "new": NEW}
    assert (await citizen.phone.call("POST", "/v1/me/password", body)).status_code == 204


async def test_a13_a_recovery_clears_the_count_and_its_device_stays_open_while_the_flood_goes_on(
    strict: Service,
) -> None:
    citizen = await Citizen.new(strict).register()
    for _ in range(PER_DAY):
        refused(await citizen.knock(strict.phone(), password=WRONG), 401, "credentials_wrong")
    new = strict.phone()
    refused(await citizen.knock(new), 429, "too_many_attempts")
    await recover(citizen, new)
    await citizen.sign_in(strict.phone())  # the count is cleared: any device
    for _ in range(PER_DAY):
        await citizen.knock(strict.phone(), password=WRONG)
    refused(await citizen.knock(strict.phone()), 429, "too_many_attempts")
    await recover(citizen, new)
    for _ in range(PER_DAY):
        await citizen.knock(strict.phone(), password=WRONG)
    await citizen.sign_in(new)  # full again, and no matter of the device that got the password back


async def test_a13_a_known_device_has_a_count_too_and_it_is_told(strict: Service) -> None:
    citizen = await Citizen.new(strict).register()
    for _ in range(PER_DAY):
        refused(await citizen.knock(password=WRONG), 401, "credentials_wrong")
    refused(await citizen.knock(), 429, "too_many_attempts")
    await recover(citizen, citizen.phone)
    await citizen.sign_in()  # a recovery clears that one as well


async def test_a13_strangers_who_wait_for_hashing_keep_no_known_device_waiting(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    passwords = service.app.door.passwords
    async with passwords.place(), passwords.place():
        await citizen.sign_in()


async def test_to14_a_device_that_some_account_knows_learns_nothing_of_others(service: Service) -> None:
    stranger = await Citizen.new(service).register()
    citizen = await Citizen.new(service).register()
    told = []
    for number in (citizen.person.national_id, service.person().national_id):
        body = {"national_id": number}
        told += [
            bare(await stranger.phone.open("/v1/recoveries", body)) for _ in range(2)
        ]  # one within the pause
        told.append(bare(await stranger.knock(national_id=number, password=WRONG)))
    assert told[:3] == told[3:]


async def test_a05_a_known_devices_recovery_says_no_more_than_others(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    body = {"national_id": citizen.person.national_id}
    before = len(sent(service, citizen.number))
    known = await citizen.phone.open("/v1/recoveries", body)
    await next_code(service, citizen.number, before)
    assert bare(known) == bare(await service.phone().open("/v1/recoveries", body))
