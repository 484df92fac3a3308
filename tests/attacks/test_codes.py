"""One-time codes under attack (cases TO01 to TO22)."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from tests.attacks.problems import refused, rows
from tests.service import Service


async def test_to01_all_guesses_of_one_person_over_many_sign_ins_stay_under_the_caps(
    service: Service,
) -> None:
    """Five codes an hour with five guesses each is the most that anybody gets; then nothing is sent any more."""
    person, compared, sent = service.person(), 0, 0
    for _ in range(7):
        service.pass_time(seconds=61)
        phone = service.phone()
        started = await phone.begin()
        await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
        number = service.mobile_number()
        asked = await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
        if asked.status_code != 200:
            assert refused(asked, 429, "otp_limit")
            continue
        sent += 1
        code = int(service.code_for(number))
        guesses = [{"code": f"{(code + step) % 10**6:06d}"} for step in range(1, 13)]
        answers = await asyncio.gather(
            *(phone.open(f"/v1/logins/{started['id']}/otp", guess) for guess in guesses)
        )
        compared += sum(answer.json()["code"] == "otp_wrong" for answer in answers)
    assert (sent, compared) == (5, 25)


async def test_to02_to04_of_right_and_wrong_guesses_at_once_at_most_five_count(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    wrong = [f"{(int(code) + step) % 10**6:06d}" for step in range(1, 41)]
    mixed = [guess for pair in zip(wrong, [code] * 4 + wrong, strict=False) for guess in pair][:64]
    answers = await asyncio.gather(
        *(phone.open(f"/v1/logins/{login}/otp", {"code": guess}) for guess in mixed)
    )
    told = Counter(answer.json().get("code", "done") for answer in answers)
    assert told["done"] <= 1
    assert told["otp_wrong"] + told["done"] <= 5
    async with service.db.read() as tx:
        assert await tx.scalar(text("SELECT MAX(attempts) FROM one_time_codes")) == 5


@pytest.mark.parametrize(("seconds", "good"), [(299.0, True), (300.2, False)])
async def test_to05_a_code_lives_five_minutes_to_the_second(
    service: Service, seconds: float, good: bool
) -> None:
    phone, person = service.phone(), service.person()
    login = await service.to_phone_step(phone, person)
    number, sent_at = service.mobile_number(), service.clock.now()
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    service.pass_time(seconds=seconds - (service.clock.now() - sent_at).total_seconds())
    answer = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})
    if good:
        assert answer.status_code in (200, 410), "a slow machine may let the last second pass"
    else:
        refused(answer, 410, "otp_expired")


async def test_to05_a_used_code_is_used(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    assert (await phone.open(f"/v1/logins/{login}/otp", {"code": code})).status_code == 200
    problem = refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 409, "flow_step_mismatch")
    assert problem["step"] == "done"


async def test_to05_sending_again_never_makes_a_code_older_than_ten_minutes(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login, code = await service.to_code_step(phone, service.person(), number)
    lives = []
    for _ in range(2):
        service.pass_time(seconds=280)
        answer = await phone.open(f"/v1/logins/{login}/otp/resend", {})
        assert answer.status_code == 200, answer.text
        lives.append(answer.json()["expires_in"])
    assert lives[0] > 290
    assert lives[1] <= 40
    service.pass_time(seconds=41)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")


async def test_to06_a_code_is_worth_nothing_elsewhere_and_costs_a_guess_there(service: Service) -> None:
    number = service.mobile_number()
    one, two = service.phone(), service.phone()
    first, code = await service.to_code_step(one, service.person(), number)
    service.pass_time(seconds=61)
    second, other = await service.to_code_step(two, service.person(), number)
    if code != other:
        assert (
            refused(await two.open(f"/v1/logins/{second}/otp", {"code": code}), 422, "otp_wrong")[
                "attempts_left"
            ]
            == 4
        )
    refused(await two.open(f"/v1/logins/{first}/otp", {"code": code}), 404, "flow_not_found")
    refused(await service.phone().open(f"/v1/logins/{second}/otp", {"code": other}), 404, "flow_not_found")
    assert (await two.open(f"/v1/logins/{second}/otp", {"code": other})).status_code == 200


async def test_to07_many_calls_to_send_again_at_once_send_once(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login, _ = await service.to_code_step(phone, service.person(), number)
    service.pass_time(seconds=61)
    answers = await asyncio.gather(*(phone.open(f"/v1/logins/{login}/otp/resend", {}) for _ in range(40)))
    assert [answer.status_code for answer in answers].count(200) == 1
    for answer in answers:
        if answer.status_code != 200:
            assert refused(answer, 429)["code"] in ("otp_too_soon", "otp_limit")
    assert sum(one.to == "+84" + number[1:] for one in service.inbox.sms) == 2


async def test_to07_many_calls_to_give_the_number_at_once_send_once(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login = await service.to_phone_step(phone, service.person())
    answers = await asyncio.gather(
        *(phone.open(f"/v1/logins/{login}/phone", {"phone": number}) for _ in range(20))
    )
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 409, 429}
    assert sum(one.to == "+84" + number[1:] for one in service.inbox.sms) == 1


async def test_to10_a_clock_that_jumps_ahead_ends_a_code(service: Service) -> None:
    phone = service.phone()
    login, code = await service.to_code_step(phone, service.person())
    service.pass_time(minutes=10, seconds=1)
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 410, "otp_expired")


async def test_to15_every_answer_shows_one_mask_and_never_a_number(service: Service) -> None:
    person, number = service.person(), service.mobile_number()
    phone = service.phone()
    login = await service.to_phone_step(phone, person)
    shown = [(await phone.open(f"/v1/logins/{login}/phone", {"phone": number})).text]
    shown.append((await phone.open(f"/v1/logins/{login}/otp/resend", {})).text)
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})
    phone.keep(done.json())
    shown += [
        done.text,
        *[
            (await phone.call("GET", path)).text
            for path in ("/v1/me", "/v1/sessions", "/v1/roles", "/v1/role-requests")
        ],
    ]
    for body in shown:
        for part in (number, number[1:], number[3:7], person.national_id, person.national_id[3:9]):
            assert part not in body
    masks = [part for body in shown for part in body.split('"') if "****" in part and "******" not in part]
    assert set(masks) == {f"{number[:3]}****{number[-3:]}"}


async def test_to16_what_is_not_six_digits_costs_no_guess(service: Service) -> None:
    phone = service.phone()
    login, right = await service.to_code_step(phone, service.person())
    for code in (
        "x" * 3000,
        {"$ne": ""},
        [["1"]],
        True,
        1e3,
        "12345６",
        "-12345",
        "+12345",
        "0x1234",
        "12 345",
        "12345\u0660",
        None,
    ):
        refused(await phone.open(f"/v1/logins/{login}/otp", {"code": code}), 400, "validation_failed")
    refused(await phone.open(f"/v1/logins/{login}/otp", {"code": "1" * 5000}), 413, "payload_too_large")
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    assert (
        refused(await phone.open(f"/v1/logins/{login}/otp", {"code": wrong}), 422, "otp_wrong")[
            "attempts_left"
        ]
        == 4
    )


async def test_to22_a_code_that_is_verified_while_it_is_sent_again_wins_as_a_whole(service: Service) -> None:
    for _ in range(4):
        phone, number = service.phone(), service.mobile_number()
        login, code = await service.to_code_step(phone, service.person(), number)
        service.pass_time(seconds=61)
        answers = await asyncio.gather(
            *(phone.open(f"/v1/logins/{login}/otp", {"code": code}) for _ in range(2)),
            *(phone.open(f"/v1/logins/{login}/otp/resend", {}) for _ in range(2)),
        )
        assert [answer.status_code for answer in answers[:2]].count(200) == 1, [
            answer.text for answer in answers
        ]
        assert all(answer.status_code in (200, 409, 410, 429) for answer in answers)


async def test_two_sign_ins_of_a_new_person_that_finish_at_once_make_one_account(service: Service) -> None:
    person = service.person()
    before = await rows(service)
    phones = [service.phone() for _ in range(4)]
    ready = [await service.to_code_step(phone, person, service.mobile_number()) for phone in phones[:1]]
    for phone in phones[1:]:
        service.pass_time(seconds=61)
        ready.append(await service.to_code_step(phone, person, service.mobile_number()))
    answers = await asyncio.gather(
        *(
            phone.open(f"/v1/logins/{login}/otp", {"code": code})
            for phone, (login, code) in zip(phones, ready, strict=True)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409, 410}
    assert len({answer.json()["account"]["id"] for answer in answers if answer.status_code == 200}) == 1
    after = await rows(service)
    assert (after["accounts"], after["identities"]) == (before["accounts"] + 1, before["identities"] + 1)
