"""The codes of registering, password sign-in, recovery, phone change and new methods under attack (TO01 to TO22)."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.accounts.codes.texts import (
    PURPOSES,
    SEGMENT,
    code_text,
    exists_text,
    phone_changed_text,
    phone_removed_text,
    recovered_text,
)
from backend.accounts.models import OneTimeCode
from backend.branding.brand import shipped
from backend.environment import load
from backend.limits import Limits
from tests.attacks.document import operations
from tests.attacks.problems import refused
from tests.attacks.ways import GUESSES, bring, next_code, ready, sent, with_limits
from tests.citizen import Citizen, solve
from tests.conftest import DATABASES
from tests.service import Service

KINDS = sorted(GUESSES)
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)  # GSM 03.38, without the characters that take two places


@pytest.mark.parametrize("kind", KINDS)
async def test_to03_to04_of_sixteen_guesses_at_once_no_more_than_the_budget_are_compared(
    service: Service, kind: str
) -> None:
    way = await bring(kind, await ready(service, kind))
    answers = await asyncio.gather(*(way.guess(code) for code in way.wrong(16)))
    told = Counter(answer.json()["code"] for answer in answers)
    assert told == {"otp_wrong": GUESSES[kind], "otp_exhausted": 16 - GUESSES[kind]}
    refused(await way.guess(way.code), 410, "otp_exhausted")
    flow = UUID(way.at.rpartition("/")[2])
    async with service.db.read() as tx:
        row = (await tx.scalars(select(OneTimeCode).where(OneTimeCode.flow_id == flow))).one()
    assert (row.attempts, row.used_at) == (GUESSES[kind], None)


async def test_to01_all_guesses_at_one_recovery_stay_under_the_day_and_vneid_stays_open(
    service: Service,
) -> None:
    citizen = await ready(service, "recovery")
    told: Counter[str] = Counter()
    for _ in range(5):
        begun = await bring("recovery", citizen)
        answers = await asyncio.gather(*(begun.guess(code) for code in begun.wrong(6)))
        told.update(answer.json()["code"] for answer in answers)
        service.pass_time(seconds=61)
    assert 9 <= told["otp_wrong"] <= 12, told  # ten; the three of one code may be under way together
    asked = {"national_id": citizen.person.national_id}
    refused(await service.phone().open("/v1/recoveries", asked), 429, "otp_limit")
    await citizen.by_vneid(service.phone())  # TO17: the owner is not locked out


async def test_to06_a_code_of_one_flow_is_worth_nothing_in_another_and_costs_a_guess_there(
    service: Service,
) -> None:
    """One person, one device key, one number where the rules allow it; every code in every other flow."""
    citizen = await Citizen.new(service).register()
    ways = [await bring("login", citizen, phone=citizen.phone)]
    service.pass_time(seconds=61)
    ways.append(await bring("recovery", citizen, phone=citizen.phone))
    ways.append(await bring("phone_change", citizen))
    service.pass_time(seconds=61)
    ways.append(await bring("method", citizen, number=ways[-1].number))
    other = Citizen.new(service)
    service.pass_time(seconds=61)
    other.number = ways[-1].number
    other.subscribe(other.number)
    ways.append(await bring("registration", other))
    assert len({way.code for way in ways}) == 5, "five codes that are equal by chance: run it again"
    for way in ways:
        foreign = [one for one in ways if one is not way]
        crossed = foreign[: GUESSES[way.kind] - 1]
        left = [(await way.guess(one.code)).json() for one in crossed]
        assert [one["code"] for one in left] == ["otp_wrong"] * len(crossed), (way.kind, left)
        assert [one["attempts_left"] for one in left] == [
            GUESSES[way.kind] - n for n in range(1, len(crossed) + 1)
        ]
        for one in foreign:  # its identifier at another route
            path = f"{way.at.rpartition('/')[0]}/{one.at.rpartition('/')[2]}"
            refused(await way.guess(one.code, path), 404, "flow_not_found")
    entered = await ways[0].guess(ways[0].code)
    assert entered.status_code == 200, "its own code is right all the time"


@pytest.mark.parametrize("kind", KINDS)
async def test_to06_the_flow_of_one_device_is_nothing_to_another(service: Service, kind: str) -> None:
    way, thief = await bring(kind, await ready(service, kind)), service.phone()
    for step, body in (
        ("otp", {"code": way.code}),
        ("otp/resend", {}),
        ("password", {"password": "Trộm 2026!"}),
    ):
        if kind == "method":
            thief.session = way.phone.session
            refused(await thief.call("POST", f"{way.at}/{step}", body))
        elif step != "password" or kind in ("recovery", "registration"):
            refused(await thief.open(f"{way.at}/{step}", body), 404, "flow_not_found")
            bare = await service.http.post(f"{way.at}/{step}", json=body)
            assert bare.status_code in (401, 404), bare.text
    assert (await way.guess(way.code)).status_code == 200, "and its owner goes on"


@pytest.mark.parametrize("kind", KINDS)
async def test_to07_sixteen_calls_to_send_again_at_once_send_once(service: Service, kind: str) -> None:
    way = await bring(kind, await ready(service, kind))
    service.pass_time(seconds=61)
    before = len(sent(service, way.number))
    answers = await asyncio.gather(*(way.post("otp/resend", {}) for _ in range(16)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 429: 15}
    assert {refused(one)["code"] for one in answers if one.status_code == 429} <= {
        "otp_too_soon",
        "otp_limit",
    }
    assert await next_code(service, way.number, before) == way.code, "the same code once more"
    await service.settled()
    assert len(sent(service, way.number)) == before + 1


@pytest.mark.parametrize("kind", ["login", "recovery", "registration"])
async def test_to07_of_many_beginnings_at_once_one_message_leaves(service: Service, kind: str) -> None:
    citizen = await ready(service, kind)
    before = len(sent(service, citizen.number))
    phones = [service.phone() for _ in range(6)]
    if kind == "recovery":
        asked = {"national_id": citizen.person.national_id}
        calls = [phone.open("/v1/recoveries", asked) for phone in phones]
    elif kind == "login":
        calls = [citizen.knock(phone) for phone in phones]
    else:
        forms = [await citizen.form() for _ in phones]
        calls = [phone.open("/v1/registrations", form) for phone, form in zip(phones, forms, strict=True)]
    statuses = Counter(answer.status_code for answer in await asyncio.gather(*calls))
    assert statuses[201] <= 1 and set(statuses) <= {201, 429}, statuses
    await service.settled()
    assert len(sent(service, citizen.number)) == before + statuses[201]


async def test_to05_to10_a_code_dies_after_five_minutes_and_no_clock_revives_it(
    service: Service,
) -> None:
    for kind in KINDS:
        citizen = await ready(service, kind)
        way = await bring(kind, citizen)
        for seconds, expected in ((301, (410, "otp_expired")), (7200, (404, "flow_not_found"))):
            service.pass_time(seconds=seconds)
            if kind in ("method", "phone_change"):
                await citizen.refresh()
            refused(await way.guess(way.code), *expected)


async def test_to16_what_is_not_six_digits_costs_no_guess(service: Service) -> None:
    for kind in KINDS:
        way = await bring(kind, await ready(service, kind))
        odd = [
            123456,
            " 123456",
            "123456\n",
            "१२३४५६",
            "１２３４５６",
            ["123456"],
            {"$ne": ""},
            None,
            True,
            "12345",
            "",
        ]
        for code in odd:
            refused(await way.guess(code), 400, "validation_failed")
        huge = await way.guess("1" * 70_000)
        refused(huge, 413, "payload_too_large")
        left = refused(await way.guess(way.wrong(1)[0]), 422, "otp_wrong")["attempts_left"]
        assert left == GUESSES[kind] - 1


async def test_the_generic_attacks_reach_every_call_of_the_new_ways(service: Service) -> None:
    found = {(one.method, one.path) for one in await operations(service) if one.schema}
    wanted = {
        ("POST", f"/v1/{place}{{{name}}}/otp")
        for place, name in (
            ("logins/", "login_id"),
            ("registrations/", "registration_id"),
            ("recoveries/", "recovery_id"),
            ("phone-changes/", "change_id"),
            ("me/auth-methods/", "method_id"),
        )
    } | {("POST", f"/v1/{name}") for name in ("logins", "registrations", "recoveries", "phone-changes")}
    wanted |= {("POST", "/v1/me/password"), ("POST", "/v1/me/auth-methods"), ("PATCH", "/v1/me/identity")}
    assert wanted <= found, wanted - found


FOREIGN = ("+1 202 555 0123", "+88216 12345678", "1900 1075", "024 3825 1234", "0123 456 7890", "113", "tel:0912345678",
           "\uff10\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "\u0660\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", "+84 1900 1075", "0912345678;ext=5")  # fmt: skip


async def test_to11_only_mobile_numbers_of_the_country_get_codes_whatever_the_way(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    before = len(service.inbox.sms)
    for number in FOREIGN:
        change = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": number})
        method = await citizen.phone.call("POST", "/v1/me/auth-methods", {"type": "phone", "phone": number})
        form = await Citizen.new(service).form(phone=number)
        fresh = await service.phone().open("/v1/registrations", form)
        for answer in (change, method, fresh):
            problem = refused(answer, 422, "validation_failed")
            assert problem["errors"][0]["field"] == "phone", (number, problem)
    await service.settled()
    assert len(service.inbox.sms) == before


async def test_to11_every_spelling_of_the_present_number_is_the_present_number(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    for spelling in ("84{}", "0084{}", "+84 {}", "0{}", "0{} "):
        typed = spelling.format(citizen.number[1:])
        same = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": typed})
        assert refused(same, 422)["errors"][0]["code"] == "phone_same"
        known = await citizen.phone.call("POST", "/v1/me/auth-methods", {"type": "phone", "phone": typed})
        refused(known, 409, "method_exists")


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_to19_the_text_of_every_purpose_is_one_plain_segment_with_a_warning(
    purpose: str,
) -> None:
    text = code_text("012345", load({"NGOMON_SMS_APP_HASH": "FA+9qCX9VSu"}), Limits(), purpose)
    assert "012345" in text and PURPOSES[purpose] in text and "5 phut" in text
    assert "Can bo khong bao gio hoi ma nay" in text
    _is_plain(text)


NOTICES = [one(shipped()) for one in (exists_text, recovered_text, phone_removed_text)]


@pytest.mark.parametrize("text", [*NOTICES, phone_changed_text(shipped(), "082****088")])
def test_to19_notices_by_sms_are_one_plain_segment_without_a_link(text: str) -> None:
    _is_plain(text)
    assert "19001075" in text


def _is_plain(text: str) -> None:
    assert len(text) <= SEGMENT and set(text) <= GSM, text
    assert not any(part in text.lower() for part in ("http", "://", "www.", ".vn", ".com"))


@pytest.mark.parametrize("kind", ["login", "phone_change", "recovery"])
async def test_to22_a_code_that_is_given_while_it_is_sent_again_wins_as_a_whole(
    service: Service, kind: str
) -> None:
    way = await bring(kind, await ready(service, kind))
    service.pass_time(seconds=61)
    calls = [way.guess(way.code), way.post("otp/resend", {}), way.guess(way.code), way.post("otp/resend", {})]
    answers = await asyncio.gather(*calls)
    assert [answers[place].status_code for place in (0, 2)].count(200) == 1, [one.text for one in answers]
    assert {one.status_code for one in answers} <= {200, 401, 404, 409, 410, 429}


@pytest.mark.parametrize("kind", DATABASES)
async def test_a14_to18_after_a_spray_of_wrong_reset_codes_unknown_devices_work_for_each_guess_and_nobody_else(
    request: pytest.FixtureRequest, kind: str
) -> None:
    async with with_limits(request, kind, wrong_reset_codes_per_hour="4") as service:
        victims = [await ready(service, "recovery") for _ in range(3)]
        last, lost = victims[2], victims[2].phone
        for way in [await bring("recovery", one) for one in victims[:2]]:
            for code in way.wrong(2):
                refused(await way.guess(code), 422, "otp_wrong")
        service.pass_time(seconds=61)
        new = await last.by_vneid(service.phone())
        for device in (service.phone(), victims[0].phone, lost):
            service.pass_time(seconds=61)
            way = await bring("recovery", last, phone=device)
            body = refused(await way.guess(way.code), 429, "captcha_required")
            solved = {"code": way.wrong(1)[0], "captcha": solve(body["challenge"])}
            refused(await way.post("otp", solved), 422, "otp_wrong")
            assert (await way.guess(way.code)).json()["code"] == "captcha_required", "each guess"
        service.pass_time(seconds=61)
        way = await bring("recovery", last, phone=new)
        assert (await way.guess(way.code)).status_code == 200, "the device on which the person is signed in"
        service.pass_time(seconds=61)
        await victims[1].sign_in(service.phone())
        service.pass_time(hours=1)
        again = await bring("recovery", last)
        assert (await again.guess(again.code)).status_code == 200, "the hour is over"
