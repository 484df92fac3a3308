"""Whoever burns the tries of somebody else locks one channel, and the owner is told of it once (TO17, TO14)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select

from backend.support import desks
from backend.support.models import Notice
from tests.attacks.problems import refused
from tests.attacks.ways import bring, with_limits
from tests.citizen import Citizen, bare
from tests.conftest import DATABASES
from tests.mobile_api.test_support import DESK
from tests.phone import Phone
from tests.service import Service
from tests.signer import Token, facts

WRONG = "Sai 1234 @x"
PER_DAY = 6


async def pushed_to(citizen: Citizen, token: str) -> Citizen:
    """The owner's phone can be reached by push."""
    await citizen.refresh()
    path = "/v1/devices/current/push-token"
    assert (await citizen.phone.call("PUT", path, {"token": token})).status_code == 204
    return citizen


def pushes(service: Service, token: str) -> list[str]:
    """The kinds that a phone was pushed."""
    return [one.data["kind"] for one in service.inbox.push if one.token == token]


async def locked(phone: Phone) -> list[dict[str, Any]]:
    """The notices of a lock, as their reader sees them."""
    answer = await phone.call("GET", "/v1/notices")
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json()["items"] if one["kind"] == "codes_locked"]


async def soon(service: Service, citizen: Citizen, count: int) -> None:
    """What is written after the answer has been written."""
    found = UUID(citizen.done["account"]["id"])
    query = select(func.count()).where(Notice.account_id == found, Notice.kind == "codes_locked")
    async with asyncio.timeout(5):
        while True:
            async with service.db.read() as tx:
                if await tx.scalar(query) == count:
                    return
            await asyncio.sleep(0.02)


async def burn(service: Service, national_id: str, count: int) -> list[httpx2.Response]:
    """So many wrong codes at recoveries of one number, three each; codes of no flow are guessed right by chance."""
    answers: list[httpx2.Response] = []
    while len(answers) < count:
        phone = service.phone()
        begun = await phone.open("/v1/recoveries", {"national_id": national_id})
        assert begun.status_code == 201, begun.text
        for _ in range(min(3, count - len(answers))):
            path = f"/v1/recoveries/{begun.json()['id']}/otp"
            answers.append(await phone.open(path, {"code": "000000"}))
        service.pass_time(seconds=61)
    return answers


async def test_to17_burnt_codes_lock_one_channel_and_the_owner_is_told_once(service: Service) -> None:
    citizen = await pushed_to(await Citizen.new(service).register(), "push-of-the-burnt")
    number = citizen.person.national_id
    token = await Token.issued(service, "citizen", number, citizen.person.full_name)
    added = {"type": "certificate", "certificate": token.certificate}
    begun = await citizen.phone.call("POST", "/v1/me/auth-methods", added)
    body = {"certificate": token.certificate, "signature": await token.signature(begun.json()["challenge"])}
    path = f"/v1/me/auth-methods/{begun.json()['id']}/sign"
    assert (await citizen.phone.call("POST", path, body)).status_code == 200
    told = Counter(one.json()["code"] for one in await burn(service, number, 10))
    assert told == {"otp_wrong": 10}
    await soon(service, citizen, 1)
    again = await burn(service, number, 3)
    assert {one.json()["code"] for one in again} == {"otp_limit"}
    assert (await token.sign_in(service.phone())).status_code == 200, "a certificate is another channel"
    phone = await citizen.by_vneid(service.phone())
    (notice,) = await locked(phone)
    assert notice["can_deny"] and notice["first"] and "lấy lại mật khẩu" in notice["body"]
    assert pushes(service, "push-of-the-burnt").count("codes_locked") == 1
    texts = [one.title + one.body for one in service.inbox.push if one.token == "push-of-the-burnt"]
    assert not any(number in text or citizen.person.full_name in text for text in texts)
    async with service.db.write() as tx:
        if not any(desk.code == "HUE" for desk in await desks.listed(tx)):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    denied = await phone.call("POST", f"/v1/notices/{notice['id']}/deny")
    assert denied.status_code == 201 and denied.json()["code"].startswith("SD"), denied.text


async def test_to17_the_next_rest_is_told_again_and_guesses_at_once_tell_one(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await burn(service, citizen.person.national_id, 9)
    for rests in (1, 2):
        way = await bring("recovery", citizen)
        answers = await asyncio.gather(*(way.guess(code) for code in way.wrong(3)))
        assert {one.json()["code"] for one in answers} <= {"otp_wrong", "otp_limit"}
        await soon(service, citizen, rests)
        service.pass_time(hours=2, seconds=1)
    await asyncio.sleep(0.1)
    await soon(service, citizen, 2)


async def test_to17_another_purpose_is_another_channel(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await burn(service, citizen.person.national_id, 10)
    await citizen.sign_in(service.phone())


async def test_to14_burnt_codes_of_nobody_are_answered_alike_and_tell_nobody(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    known = await burn(service, citizen.person.national_id, 12)
    before = await facts(service, "account.tries_spent")
    async with service.db.read() as tx:
        notices = await tx.scalar(select(func.count()).select_from(Notice))
    nobody = await burn(service, service.person().national_id, 12)
    assert [bare(one) for one in nobody] == [bare(one) for one in known]
    async with asyncio.timeout(5):
        while len(after := await facts(service, "account.tries_spent")) == len(before):
            await asyncio.sleep(0.02)
    assert after[-1].get("subject") is None and after[-1]["purpose"] == "recovery"
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Notice)) == notices


@pytest.fixture(params=DATABASES)
async def strict(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """A service that compares few passwords a day."""
    limits = {"password_tries": "0", "password_tries_per_day": str(PER_DAY)}
    async with with_limits(request, request.param, **limits) as service:
        yield service


async def test_to17_burnt_passwords_of_a_day_tell_the_owner_once_and_vneid_stays_open(
    strict: Service,
) -> None:
    citizen = await pushed_to(await Citizen.new(strict).register(), "push-of-the-owner")
    for _ in range(PER_DAY - 1):
        refused(await citizen.knock(strict.phone(), password=WRONG), 401, "credentials_wrong")
    await asyncio.sleep(0.1)
    await soon(strict, citizen, 0)
    strict.pass_time(hours=1)
    last = [citizen.knock(strict.phone(), password=WRONG) for _ in range(3)]
    codes = Counter(one.json()["code"] for one in await asyncio.gather(*last))
    assert codes == {"credentials_wrong": 1, "too_many_attempts": 2}
    refused(await citizen.knock(strict.phone()), 429, "too_many_attempts")
    await soon(strict, citizen, 1)
    strict.pass_time(hours=23, minutes=30)  # the first tries are forgotten, and the lock is the same one
    tries = [await citizen.knock(strict.phone(), password=WRONG) for _ in range(PER_DAY)]
    codes = Counter(one.json()["code"] for one in tries)
    assert codes == {"credentials_wrong": PER_DAY - 1, "too_many_attempts": 1}
    await asyncio.sleep(0.1)
    await soon(strict, citizen, 1)
    await citizen.by_vneid()
    (notice,) = await locked(citizen.phone)
    assert "mật khẩu" in notice["title"] and notice["can_deny"]
    assert pushes(strict, "push-of-the-owner").count("codes_locked") == 1


async def test_to17_burnt_passwords_of_nobody_are_answered_alike_and_tell_nobody(strict: Service) -> None:
    citizen, nobody = await Citizen.new(strict).register(), Citizen.new(strict)
    answers = []
    for one in (citizen, nobody):
        tries = [await one.knock(strict.phone(), password=WRONG) for _ in range(PER_DAY + 1)]
        answers.append([bare(answer) for answer in tries])
    assert answers[0] == answers[1]
    await soon(strict, citizen, 1)
    async with asyncio.timeout(5):
        while len(found := await facts(strict, "account.tries_spent")) < 2:
            await asyncio.sleep(0.02)
    assert [one.get("subject") for one in found] == [citizen.done["account"]["id"], None]


async def test_to17_wrong_passwords_at_a_change_count_with_those_at_the_door(strict: Service) -> None:
    citizen = await Citizen.new(strict).register()
    await citizen.refresh()
    for _ in range(PER_DAY):
        body = {"current": WRONG, "new": "Một câu khác 2026!"}
        refused(await citizen.phone.call("POST", "/v1/me/password", body), 401, "credentials_wrong")
    await soon(strict, citizen, 1)
    refused(await citizen.knock(strict.phone()), 429, "too_many_attempts")
