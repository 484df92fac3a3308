"""How many accounts one number serves holds for whoever comes at the same instant, and by whichever way (case A23)."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.identity import people
from backend.accounts.models import Phone
from backend.accounts.phones.binding import bind_phone
from backend.errors import FieldsInvalid
from backend.outside.eid.eid_claims import Person
from tests.attacks.ways import Way, bring, with_limits
from tests.citizen import Citizen, fields
from tests.conftest import DATABASES
from tests.service import Service

CAP = 5
FREE = {
    "otp_resend_after": "0",
    "otp_per_hour": "0",
    "otp_per_day": "0",
    "accounts_per_phone": str(CAP),
}


def e164(number: str) -> str:
    return "+84" + number.removeprefix("0")


async def served(service: Service, number: str) -> int:
    """How many accounts a number serves."""
    query = select(func.count(Phone.account_id.distinct())).where(
        Phone.blind.in_(service.kit.keys.blinds("phone", e164(number))), Phone.ended_at.is_(None)
    )
    async with service.db.read() as tx:
        return int(await tx.scalar(query) or 0)


async def account(service: Service) -> UUID:
    """Somebody's account, without a phone."""
    who = service.person()
    proved = Person(
        issuer=service.app.settings.vneid.issuer,
        subject=who.sub,
        national_id=who.national_id,
        full_name=who.full_name,
        birth_date=who.birth_date,
        gender=who.gender,
        level=who.level,
    )
    async with service.db.write() as tx:
        return (await people.account_or_new(tx, service.kit, proved, now=service.clock.now()))[0].id


async def bound(service: Service, account_id: UUID, number: str) -> bool:
    """Bind the number in a transaction of its own; whether there was room."""
    try:
        async with service.db.write() as tx:
            await tx.get_one(Account, account_id, with_for_update=True)
            await bind_phone(tx, service.kit, account_id, e164(number), now=service.clock.now())
    except FieldsInvalid:
        return False
    return True


async def crowd(service: Service, number: str, count: int = CAP) -> None:
    """Give the number to so many."""
    for _ in range(count):
        assert await bound(service, await account(service), number)


def refused_for_the_crowd(answer: httpx2.Response) -> None:
    assert answer.status_code == 422, answer.text
    assert fields(answer) == {("phone", "phone_taken_often")}


@pytest.mark.parametrize("kind", DATABASES)
async def test_a23_twelve_who_name_one_number_and_type_their_codes_at_once_are_five(
    request: pytest.FixtureRequest, kind: str
) -> None:
    async with with_limits(request, kind, **FREE) as service:
        number, waiting = service.mobile_number(), []
        for _ in range(12):
            phone = service.phone()
            waiting.append((phone, *await service.to_code_step(phone, service.person(), number)))
        answers = await asyncio.gather(
            *(phone.open(f"/v1/logins/{login}/otp", {"code": code}) for phone, login, code in waiting)
        )
        assert Counter(one.status_code for one in answers) == {200: CAP, 422: 12 - CAP}
        for answer in answers:
            if answer.status_code == 422:
                refused_for_the_crowd(answer)
        assert await served(service, number) == CAP


async def test_a23_sixty_four_accounts_that_bind_one_number_at_once_are_five(service: Service) -> None:
    number, ids = service.mobile_number(), [await account(service) for _ in range(64)]
    rooms = await asyncio.gather(*(bound(service, one, number) for one in ids))
    assert Counter(rooms) == {True: CAP, False: 64 - CAP}
    assert await served(service, number) == CAP


async def test_a23_whoever_has_the_number_does_not_count_against_itself(service: Service) -> None:
    number, own = service.mobile_number(), await account(service)
    assert await bound(service, own, number)
    await crowd(service, number, CAP - 1)
    assert await bound(service, own, number), "its own number again"
    assert not await bound(service, await account(service), number)


@pytest.mark.parametrize("kind", ["method", "phone_change"])
async def test_a23_a_number_that_filled_up_while_the_code_was_under_way_is_refused(
    service: Service, kind: str
) -> None:
    citizen = await Citizen.new(service).register()
    way = await bring(kind, citizen)
    await crowd(service, way.number)
    refused_for_the_crowd(await way.guess(way.code))
    assert await served(service, way.number) == CAP
    listed = (await citizen.phone.call("GET", "/v1/me")).json()["phones"]
    assert listed == [f"055****{citizen.number[-3:]}"], "nothing changed"


async def test_a23_a_registration_whose_number_filled_up_meanwhile_opens_no_account(
    service: Service,
) -> None:
    citizen = Citizen.new(service)
    way: Way = await bring("registration", citizen, phone=citizen.phone)
    assert (await way.guess(way.code)).status_code == 200
    await crowd(service, way.number)
    async with service.db.read() as tx:
        before = await tx.scalar(select(func.count(Account.id)))
    refused_for_the_crowd(await way.post("password", {"password": citizen.password}))
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count(Account.id))) == before
    assert await served(service, way.number) == CAP
