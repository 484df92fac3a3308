"""A machine's clock that jumps does not lengthen a code's life and does not give one back (TO10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.attacks.problems import refused
from tests.attacks.ways import with_limits
from tests.conftest import DATABASES
from tests.service import Service


@pytest.fixture(params=DATABASES)
async def hasty(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A service whose codes live for two seconds."""
    async with with_limits(request, request.param, otp_lifetime="2") as service:
        yield service


async def test_to10_a_code_dies_in_time_although_the_clock_went_back_two_hours(hasty: Service) -> None:
    phone = hasty.phone()
    login, code = await hasty.to_code_step(phone, hasty.person())
    hasty.pass_time(hours=-2)
    wrong = "000000" if code != "000000" else "000001"
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": wrong}), 422, "otp_wrong")
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
