"""Registering by subscription and by social insurance, step by step (source 001, 1.1 and 1.2; rule 110)."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from demo.registries import Mood
from tests.citizen import Citizen, bare, captcha, fields
from tests.service import Service

_insurance = (f"0000{n:06d}" for n in itertools.count(700001))


async def test_a_citizen_registers_by_subscription_and_is_in(service: Service) -> None:
    citizen = Citizen.new(service, full_name="Lê Thị Sông")
    begun = await citizen.begin(email="song@thu.example")
    assert begun.status_code == 201
    body = begun.json()
    assert body["step"] == "otp" and body["sent_to"] == f"055****{citizen.number[-3:]}"
    assert body["attempts_left"] == 5
    at = f"/v1/registrations/{body['id']}"
    early = await citizen.phone.open(f"{at}/password", {"password": citizen.password})
    assert early.status_code == 409 and early.json()["step"] == "otp"
    coded = await citizen.phone.open(f"{at}/otp", {"code": await citizen.code()})
    assert coded.json()["step"] == "password"
    done = (await citizen.phone.open(f"{at}/password", {"password": citizen.password})).json()
    assert done["account"]["assurance_level"] == 2
    assert done["account"]["assurance_scheme"] == "ial"
    citizen.phone.keep(done)
    me = (await citizen.phone.call("GET", "/v1/me")).json()
    assert me["full_name"] == "Lê Thị Sông" and me["kind"] == "citizen"
    assert me["phones"] == [f"055****{citizen.number[-3:]}"]


async def test_the_identity_of_a_social_insurance_registration_is_the_registrys(service: Service) -> None:
    citizen = Citizen.new(service, full_name="Trần Văn Biển")
    number = next(_insurance)
    citizen.insure(number)
    await citizen.register(
        method="social_insurance", social_insurance_number=number, full_name="  trần  văn BIỂN "
    )
    assert citizen.done["account"]["full_name"] == "Trần Văn Biển"
    assert citizen.done["account"]["assurance_level"] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("full_name", "Nguyen Van Thu"),
        ("full_name", "Thử Nguyễn Văn"),
        ("birth_date", "1990-02-04"),
        ("national_id", "000099999999"),
    ],
)
async def test_tc02_a_registry_that_states_something_else_is_a_mismatch_that_names_no_field(
    service: Service, name: str, value: str
) -> None:
    citizen = Citizen.new(service, full_name="Nguyễn Văn Thử")
    answer = await citizen.begin(**{name: value})
    assert answer.status_code == 422 and answer.json()["code"] == "registry_mismatch"
    assert "errors" not in answer.json()
    assert not any(one.to == citizen.e164 for one in service.inbox.sms)


async def test_a_number_that_is_off_or_unknown_is_a_mismatch_too(service: Service) -> None:
    citizen = Citizen.new(service)
    citizen.subscribe(citizen.number, active=False)
    assert (await citizen.begin()).json()["code"] == "registry_mismatch"
    unknown = await citizen.begin(phone=service.mobile_number())
    assert unknown.json()["code"] == "registry_mismatch"


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.WRONG_SHAPE])
async def test_tc02_a_registry_that_cannot_say_is_a_503_and_nothing_is_left(
    service: Service, mood: Mood
) -> None:
    citizen = Citizen.new(service)
    service.stand.registries.moods["subscribers"] = mood
    try:
        answer = await citizen.begin()
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
    assert answer.status_code == 503 and answer.json()["code"] == "registry_unavailable"
    assert "retry-after" in answer.headers
    await citizen.register()


async def test_to14_somebody_who_has_an_account_gets_the_same_answer_and_no_code_is_right(
    service: Service,
) -> None:
    old = await Citizen.new(service).register()
    number = service.mobile_number()
    old.subscribe(number)
    new = Citizen.new(service)
    known = await old.begin(phone=number)
    unknown = await new.begin()
    shown = [bare(answer) for answer in (known, unknown)]
    for _, body, _ in shown:
        body.pop("sent_to")
    assert shown[0] == shown[1]
    await service.settled()
    told = [one.text for one in service.inbox.sms if one.to == old.e164]
    assert any("da co tai khoan" in text for text in told)
    assert not any(one.to == "+84" + number[1:] for one in service.inbox.sms), "the typed number gets no code"
    at = f"/v1/registrations/{known.json()['id']}/otp"
    wrong = await old.phone.open(at, {"code": "123456"})
    assert wrong.status_code == 422 and wrong.json()["attempts_left"] == 4


async def test_the_owner_is_told_once_a_day_that_somebody_registers_again(service: Service) -> None:
    old = await Citizen.new(service).register()
    before = sum(one.to == old.e164 for one in service.inbox.sms)
    for _ in range(2):
        number = service.mobile_number()
        old.subscribe(number)
        assert (await old.begin(phone=number)).status_code == 201
        service.pass_time(seconds=61)
    await service.settled()
    assert sum(one.to == old.e164 for one in service.inbox.sms) == before + 1


async def test_two_registrations_of_one_person_at_once_make_one_account(service: Service) -> None:
    citizen, twin = Citizen.new(service), Citizen.new(service)
    twin.person = citizen.person
    twin.subscribe(twin.number)
    steps = []
    for one in (citizen, twin):
        at = f"/v1/registrations/{(await one.begin()).json()['id']}"
        assert (await one.phone.open(f"{at}/otp", {"code": await one.code()})).status_code == 200
        steps.append((one, at))
        service.pass_time(seconds=61)
    answers = await asyncio.gather(
        *(one.phone.open(f"{at}/password", {"password": one.password}) for one, at in steps)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert next(a for a in answers if a.status_code == 409).json()["code"] == "account_exists"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"national_id": "12345"}, ("national_id", "invalid")),
        ({"national_id": None}, ("national_id", "missing")),
        ({"birth_date": "03/02/1990"}, ("birth_date", "invalid")),
        ({"birth_date": "1990-02-30"}, ("birth_date", "invalid")),
        ({"phone": "02343823999"}, ("phone", "phone_not_mobile")),
        ({"phone": "+12025550123"}, ("phone", "phone_foreign")),
        ({"full_name": "\u200b"}, ("full_name", "invalid")),
        ({"email": "a@b"}, ("email", "bad_email")),
        ({"kind": "enterprise"}, ("kind", "citizens_only")),
        ({"certificate": "x"}, ("certificate", "unknown")),
        ({"social_insurance_number": "1234567890"}, ("social_insurance_number", "unknown")),
        ({"method": "social_insurance"}, ("social_insurance_number", "missing")),
        ({"method": "social_insurance", "social_insurance_number": "12"}, ("social_insurance_number", "invalid")),
        ({"device": None}, ("device", "missing")),
        ({"captcha": None}, ("captcha", "captcha_invalid")),
    ],
)  # fmt: skip
async def test_a_bad_field_is_named_with_its_remedy(
    service: Service, changes: dict[str, str | None], expected: tuple[str, str]
) -> None:
    answer = await Citizen.new(service).begin(**changes)
    assert expected in fields(answer)
    assert all(one["message"] for one in answer.json()["errors"])


async def test_everything_that_is_wrong_with_the_form_is_said_at_once(service: Service) -> None:
    wrong = {"national_id": "12345", "birth_date": None, "phone": "02343823999", "email": "a@b"}
    nameless = {"platform": "android", "name": "\u200b", "model": "Mẫu 1"}
    answer = await Citizen.new(service).begin(**wrong, captcha=None, kind="enterprise", device=nameless)
    assert answer.status_code == 422
    assert fields(answer) == {
        ("national_id", "invalid"), ("birth_date", "missing"), ("phone", "phone_not_mobile"), ("email", "bad_email"),
        ("captcha", "captcha_invalid"), ("kind", "citizens_only"), ("device.name", "invalid"),
    }  # fmt: skip
    named = [one["field"] for one in answer.json()["errors"]]
    assert len(named) == len(set(named)), "each field once"


async def test_a_captcha_is_good_once_and_for_five_minutes(service: Service) -> None:
    citizen = Citizen.new(service)
    solved = await captcha(service)
    assert (await citizen.begin(captcha=solved)).status_code == 201
    service.pass_time(seconds=61)
    assert fields(await citizen.begin(captcha=solved)) == {("captcha", "captcha_invalid")}
    stale = await captcha(service)
    service.pass_time(seconds=301)
    assert fields(await citizen.begin(captcha=stale)) == {("captcha", "captcha_invalid")}
    for odd in ("", "x", "e30=", "bnVsbA==", "W10=", solved[:-8], "A" * 3999):
        assert fields(await citizen.begin(captcha=odd)) == {("captcha", "captcha_invalid")}


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Ab1@xyz", {"too_short"}),
        ("abcdefg1@", {"needs_upper"}),
        ("ABCDEFG1@", {"needs_lower"}),
        ("Abcdefgh@", {"needs_digit"}),
        ("", {"too_short", "needs_upper", "needs_lower", "needs_digit", "needs_special"}),
        ("Abcdefgh1", {"needs_special"}),
        ("aaaaaaaaa", {"needs_upper", "needs_digit", "needs_special"}),
        ("P@ssw0rd", {"too_common"}),
        ("Matkhau@123", {"too_common"}),
        ("Aa1@" + "ế" * 125, {"too_long"}),
    ],
)
async def test_tp05_a_weak_password_is_told_everything_that_it_misses(
    service: Service, password: str, missing: set[str]
) -> None:
    citizen = Citizen.new(service)
    at = f"/v1/registrations/{(await citizen.begin()).json()['id']}"
    await citizen.phone.open(f"{at}/otp", {"code": await citizen.code()})
    answer = await citizen.phone.open(f"{at}/password", {"password": password})
    assert fields(answer) == {("password", code) for code in missing}
    good = await citizen.phone.open(f"{at}/password", {"password": "Aa1@" + "ế" * 124})
    assert good.status_code == 200, "128 characters are fine, and the step was still due"


async def test_tp05_a_password_typed_in_another_composition_is_the_same(service: Service) -> None:
    citizen = Citizen.new(service)
    citizen.password = "H\u00e0 Giang 2026!"
    await citizen.register()
    citizen.password = "Ha\u0300 Giang 2026!"
    await citizen.sign_in(service.phone())


async def test_tc03_a_wrong_code_costs_a_guess_and_five_are_the_end(service: Service) -> None:
    citizen = Citizen.new(service)
    at = f"/v1/registrations/{(await citizen.begin()).json()['id']}"
    right = await citizen.code()
    wrong = "000000" if right != "000000" else "111111"
    left = [(await citizen.phone.open(f"{at}/otp", {"code": wrong})).json() for _ in range(5)]
    assert [one["attempts_left"] for one in left] == [4, 3, 2, 1, 0]
    over = await citizen.phone.open(f"{at}/otp", {"code": right})
    assert over.status_code == 410 and over.json()["code"] == "otp_exhausted"


async def test_a_flow_belongs_to_the_key_that_began_it(service: Service) -> None:
    citizen = Citizen.new(service)
    at = f"/v1/registrations/{(await citizen.begin()).json()['id']}"
    thief = service.phone()
    answer = await thief.open(f"{at}/otp", {"code": await citizen.code()})
    assert answer.status_code == 404 and answer.json()["code"] == "flow_not_found"


async def test_the_code_can_be_sent_again_after_the_pause(service: Service) -> None:
    citizen = Citizen.new(service)
    at = f"/v1/registrations/{(await citizen.begin()).json()['id']}"
    first = await citizen.code()
    soon = await citizen.phone.open(f"{at}/otp/resend", {})
    assert soon.status_code == 429 and "retry-after" in soon.headers
    service.pass_time(seconds=61)
    assert (await citizen.phone.open(f"{at}/otp/resend", {})).status_code == 200
    await service.settled()
    assert await citizen.code() == first
