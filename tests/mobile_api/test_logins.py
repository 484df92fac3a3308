"""Signing in over HTTP, as an app sees it (rules 110, 201)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.service import Service


async def test_a_new_person_gets_in_by_vneid_a_number_and_a_code(service: Service) -> None:
    person, phone = service.person("Nguyễn Thị An"), service.phone()
    started = await phone.begin()
    assert started["step"] == "authorize" and "code_challenge_method=S256" in started["authorization_url"]
    answer = await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
    assert answer.json() == {"id": started["id"], "step": "phone"}
    number = service.mobile_number()
    asked = await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": f"{number[:4]} {number[4:]}"})
    step = asked.json()
    assert step["step"] == "otp" and step["sent_to"] == f"{number[:3]}****{number[-3:]}"
    assert step["resend_in"] == 60 and step["expires_in"] == 300 and step["attempts_left"] == 5
    done = await phone.open(f"/v1/logins/{started['id']}/otp", {"code": service.code_for(number)})
    body = phone.keep(done.json())
    assert body["session"]["token_type"] == "DPoP" and body["replaced_device"] is None
    me = (await phone.call("GET", "/v1/me")).json()
    assert me["full_name"] == "Nguyễn Thị An" and me["phones"] == [f"{number[:3]}****{number[-3:]}"]
    assert me["identifiers"] == [{"type": "national_id", "value": f"000******{person.national_id[-3:]}"}]
    assert me["assurance_level"] == 2 and me["roles"] == []


async def test_a_known_person_signs_straight_in_and_the_old_phone_is_told(service: Service) -> None:
    person = service.person()
    old = await service.sign_in(person, service.phone("Máy cũ"))
    new = await service.sign_in(person, service.phone("Máy mới"))
    assert (await new.call("GET", "/v1/me")).status_code == 200
    refused = await old.call("GET", "/v1/me")
    assert refused.status_code == 401 and refused.json()["code"] == "session_replaced"
    assert refused.json()["replaced_by"]["name"] == "Máy mới"
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_code_works_once_however_often_it_is_typed_at_once(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    path = f"/v1/logins/{login}/otp"
    answers = await asyncio.gather(*(phone.open(path, {"code": code}) for _ in range(64)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 409, 410}


async def test_at_most_five_guesses_are_compared(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    wrong = [f"{(int(code) + step) % 1_000_000:06d}" for step in range(1, 33)]
    answers = await asyncio.gather(
        *(phone.open(f"/v1/logins/{login}/otp", {"code": guess}) for guess in wrong)
    )
    codes = [answer.json()["code"] for answer in answers]
    assert codes.count("otp_wrong") == 5 and codes.count("otp_exhausted") == 27
    assert sorted(a.json()["attempts_left"] for a in answers if a.status_code == 422) == [0, 1, 2, 3, 4]
    late = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
    assert late.status_code == 410 and late.json()["code"] == "otp_exhausted"


async def test_a_code_of_one_sign_in_is_wrong_in_another_with_the_same_number(service: Service) -> None:
    number = service.mobile_number()
    first, second = service.phone(), service.phone()
    _, code = await service.to_code_step(first, service.person(), number)
    service.pass_time(seconds=61)
    login, other = await service.to_code_step(second, service.person(), number)
    if code != other:
        answer = await second.open(f"/v1/logins/{login}/otp", {"code": code})
        assert answer.status_code == 422 and answer.json()["code"] == "otp_wrong"
    assert (await second.open(f"/v1/logins/{login}/otp", {"code": other})).status_code == 200


async def test_sending_again_sends_the_same_code_with_the_same_guesses(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login, code = await service.to_code_step(phone, service.person(), number)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await phone.open(f"/v1/logins/{login}/otp", {"code": wrong})).json()["attempts_left"] == 4
    soon = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert soon.status_code == 429 and int(soon.headers["retry-after"]) in range(1, 61)
    service.pass_time(seconds=61)
    again = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert again.status_code == 200 and again.json()["attempts_left"] == 4
    assert service.code_for(number) == code
    assert (await phone.open(f"/v1/logins/{login}/otp", {"code": code})).status_code == 200


async def test_a_code_dies_after_five_minutes(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    service.pass_time(seconds=301)
    late = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
    assert late.status_code == 410 and late.json()["code"] == "otp_expired"


async def test_steps_out_of_order_name_the_step_that_is_due(service: Service) -> None:
    phone = service.phone()
    started = await phone.begin()
    path = f"/v1/logins/{started['id']}"
    for step, body in {"phone": {"phone": "0912345678"}, "otp": {"code": "123456"}, "otp/resend": {}}.items():
        answer = await phone.open(f"{path}/{step}", body)
        assert answer.status_code == 409 and answer.json()["code"] == "flow_step_mismatch"
        assert answer.json()["step"] == "authorize"


async def test_another_device_key_does_not_find_the_sign_in(service: Service) -> None:
    started = await service.phone().begin()
    stranger = await service.phone().open(f"/v1/logins/{started['id']}/otp", {"code": "123456"})
    assert stranger.status_code == 404 and stranger.json()["code"] == "flow_not_found"


async def test_a_wrong_state_ends_the_sign_in_and_asks_nobody(service: Service) -> None:
    phone, person = service.phone(), service.person()
    started = await phone.begin()
    back = await service.consent(started["authorization_url"], person)
    refused = await phone.bring(started["id"], back | {"state": "x" * 43})
    assert refused.status_code == 403 and refused.json()["code"] == "login_refused"
    again = await phone.bring(started["id"], back)
    assert again.status_code == 409


async def test_an_answer_brought_32_times_is_taken_once(service: Service) -> None:
    phone, person = service.phone(), service.person()
    started = await phone.begin()
    back = await service.consent(started["authorization_url"], person)
    answers = await asyncio.gather(*(phone.bring(started["id"], back) for _ in range(32)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} == {200, 409}


async def test_cancelling_at_the_eid_is_told(service: Service) -> None:
    phone = service.phone()
    started = await phone.begin()
    back = await service.consent(started["authorization_url"], service.person())
    answer = await phone.bring(started["id"], {"state": back["state"], "error": "access_denied"})
    assert answer.status_code == 403 and answer.json()["code"] == "login_cancelled"


@pytest.mark.parametrize(
    "number",
    [
        "+15550100123",
        "19001075",
        "02437347222",
        "01234567890",
        "١٢٣٤٥٦٧٨٩٠",
        "tel:0912345678",
        "091234567",
        "abc",
        "+8821612345678",
        "09123 45678 9",
    ],
)
async def test_only_vietnamese_mobile_numbers_get_a_code(service: Service, number: str) -> None:
    phone = service.phone()
    login = await service.to_phone_step(phone, service.person())
    before = len(service.inbox.sms)
    answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "phone"
    assert len(service.inbox.sms) == before


async def test_every_spelling_of_a_number_reaches_the_same_phone(service: Service) -> None:
    number = service.mobile_number()
    for spelling in (
        number,
        "+84" + number[1:],
        "84" + number[1:],
        "0084" + number[1:],
        f"{number[:4]}-{number[4:7]}.{number[7:]}",
    ):
        service.pass_time(seconds=61)
        phone = service.phone()
        login = await service.to_phone_step(phone, service.person())
        answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": spelling})
        assert answer.status_code == 200, (spelling, answer.text)
    assert sum(one.to == "+84" + number[1:] for one in service.inbox.sms) == 5


async def test_a_number_gets_five_codes_an_hour_across_people(service: Service) -> None:
    number = service.mobile_number()
    for _ in range(5):
        service.pass_time(seconds=61)
        await service.to_code_step(service.phone(), service.person(), number)
    service.pass_time(seconds=61)
    phone = service.phone()
    login = await service.to_phone_step(phone, service.person())
    answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    assert answer.status_code == 429 and answer.json()["code"] == "otp_limit"
    assert 3200 < int(answer.headers["retry-after"]) <= 3600


async def test_an_sms_centre_that_is_down_costs_nothing(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login = await service.to_phone_step(phone, service.person())
    service.inbox.sms_down = True
    try:
        for _ in range(7):
            answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
            assert answer.status_code == 503 and answer.json()["code"] == "sms_unavailable"
            assert answer.headers["retry-after"]
    finally:
        service.inbox.sms_down = False
    answer = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    assert answer.status_code == 200


async def test_the_eid_out_of_reach_is_told_and_the_same_answer_may_come_again(service: Service) -> None:
    phone, person = service.phone(), service.person()
    started = await phone.begin()
    back = await service.consent(started["authorization_url"], person)
    service.stand.eid.down = True
    try:
        answer = await phone.bring(started["id"], back)
        assert answer.status_code == 503 and answer.json()["code"] == "provider_unavailable"
        assert answer.headers["retry-after"]
    finally:
        service.stand.eid.down = False
    again = await phone.bring(started["id"], back)
    assert again.status_code == 200 and again.json()["step"] == "phone"


BAD_CODES: list[Any] = [
    123456,
    " 123456",
    "123456\n",
    "१२३४५६",
    ["123456"],
    {"$ne": ""},
    None,
    "12345",
    "1234567",
]


@pytest.mark.parametrize("code", BAD_CODES)
async def test_only_six_ascii_digits_are_a_code(service: Service, code: Any) -> None:
    phone = service.phone()
    login, _ = await service.to_code_step(phone, service.person())
    answer = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
    assert answer.status_code == 400 and answer.json()["code"] == "validation_failed"
    assert answer.json()["errors"][0]["field"] == "code"
