"""A machine's clock that jumps does not lengthen a code's life and does not give one back (TO10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.attacks.problems import refused
from tests.attacks.ways import with_limits
from tests.conftest import DATABASES
from tests.mobile_api.test_recoveries import officer, recover
from tests.parts.processes import free_port
from tests.phone import Phone
from tests.service import Service, served


def pass_time(seconds: int, *services: Service) -> None:
    """Time goes by as it does where no clock jumps: also for what the processes remember."""
    for service in services:
        service.pass_time(seconds=seconds)
        service.kit.lives.ahead += seconds


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "000001"


@pytest.fixture(params=DATABASES)
async def hasty(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A service whose codes live for two seconds."""
    async with with_limits(request, request.param, otp_lifetime="2") as service:
        yield service


async def test_to10_a_code_dies_in_time_although_the_clock_went_back_two_hours(hasty: Service) -> None:
    phone = hasty.phone()
    login, code = await hasty.to_code_step(phone, hasty.person())
    hasty.pass_time(hours=-2)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": wrong(code)}), 422, "otp_wrong")
    refused(await phone.open(f"/v1/logins/{login}/otp/resend", {}), 429, "otp_too_soon")
    await asyncio.sleep(2.1)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")


async def test_to10_a_code_that_died_when_the_clock_ran_ahead_stays_dead(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    service.pass_time(minutes=10)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    service.pass_time(minutes=-10)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    service.pass_time(seconds=61)
    refused(await phone.open(f"/v1/logins/{login}/otp/resend", {}), 410, "otp_expired")


async def test_a_code_that_is_sent_again_after_its_five_minutes_is_right_again(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login, code = await service.to_code_step(phone, service.person(), number)
    pass_time(310, service)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    answer = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert answer.status_code == 200 and 280 < answer.json()["expires_in"] <= 290, answer.text
    assert service.code_for(number) == code
    assert (await phone.open(f"/v1/logins/{login}/otp", {"code": code})).status_code == 200


async def test_the_second_code_of_a_mail_recovery_is_right_although_its_pause_is_as_long_as_a_life(
    service: Service,
) -> None:
    citizen, mail = await officer(service)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    code = await citizen.code()
    pass_time(301, service)
    assert (await phone.open(f"{at}/otp/resend", {})).status_code == 200
    answer = await phone.open(f"{at}/otp", {"code": code})
    assert answer.status_code == 200 and answer.json()["step"] == "password", answer.text


async def test_a_code_that_another_process_has_sent_again_is_right_in_the_first(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    port = free_port()
    there = msgspec.structs.replace(service.app.settings, public_url=f"http://127.0.0.1:{port}")
    async with served(there, port) as other:
        other.clock.ahead = service.clock.ahead
        same = Phone(other.http, other.url, clock=service.clock)
        same.key = phone.key
        login, code = await service.to_code_step(phone, service.person(), number)
        pass_time(200, service, other)
        assert (await same.open(f"/v1/logins/{login}/otp/resend", {})).status_code == 200
        pass_time(200, service, other)
        refused(await phone.open(f"/v1/logins/{login}/otp", {"code": wrong(code)}), 422, "otp_wrong")
        assert (await phone.open(f"/v1/logins/{login}/otp", {"code": code})).status_code == 200


async def test_to10_no_sending_and_no_clock_that_goes_back_makes_a_code_older_than_ten_minutes(
    service: Service,
) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    pass_time(280, service)
    assert (await phone.open(f"/v1/logins/{login}/otp/resend", {})).status_code == 200
    service.kit.lives.ahead += 301  # and the machine's clock stands still
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    service.pass_time(seconds=61)
    assert (await phone.open(f"/v1/logins/{login}/otp/resend", {})).status_code == 200
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": wrong(code)}), 422, "otp_wrong")
    service.kit.lives.ahead += 20
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    service.pass_time(seconds=61)
    refused(await phone.open(f"/v1/logins/{login}/otp/resend", {}), 410, "otp_expired")


async def test_a_sending_that_did_not_leave_lengthens_no_life(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    service.pass_time(seconds=200)
    service.inbox.sms_down = True
    refused(await phone.open(f"/v1/logins/{login}/otp/resend", {}), 503, "sms_unavailable")
    service.inbox.sms_down = False
    service.pass_time(seconds=110)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")
    assert (await phone.open(f"/v1/logins/{login}/otp/resend", {})).status_code == 200
    assert (await phone.open(f"/v1/logins/{login}/otp", {"code": code})).status_code == 200
