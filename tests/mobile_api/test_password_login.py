"""Signing in by number, password and captcha, then a code (source 001, 2.1; rules 154, 155)."""

from __future__ import annotations

import asyncio

from tests.citizen import ABOUT, Citizen, bare, captcha, fields
from tests.service import Service


async def test_number_password_and_code_let_a_citizen_in(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    other = service.phone("Máy mới")
    begun = await citizen.knock(other)
    body = begun.json()
    assert begun.status_code == 201 and body["step"] == "otp"
    mask = f"055****{citizen.number[-3:]}"
    assert body["sent_to"] == mask and [one["sent_to"] for one in body["methods"]] == [mask]
    answer = await other.open(f"/v1/logins/{body['id']}/otp", {"code": await citizen.code()})
    done = answer.json()
    assert done["step"] == "done" and done["replaced_device"]["name"] == "Điện thoại thử"
    other.keep(done)
    old = await citizen.phone.call("GET", "/v1/me")
    assert old.status_code == 401 and old.json()["code"] == "session_replaced"
    sessions = (await other.call("GET", "/v1/sessions")).json()["items"]
    assert [one["method"] for one in sessions] == ["password"]


async def test_to14_an_unknown_person_and_a_wrong_password_are_one_answer(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    wrong = await citizen.knock(service.phone(), password="Sông Hương 2027!")
    unknown = await citizen.knock(service.phone(), national_id="000098765432")
    assert wrong.status_code == 401 and wrong.json()["code"] == "credentials_wrong"
    assert bare(wrong) == bare(unknown)


async def test_five_wrong_passwords_are_enough_for_five_minutes_and_vneid_stays_open(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    for name in (citizen.person.national_id, "000098765433"):
        answers = [
            await citizen.knock(service.phone(), national_id=name, password="Sai 1234 @x") for _ in range(6)
        ]
        assert [one.status_code for one in answers] == [401] * 5 + [429]
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 900
    right = await citizen.knock(service.phone())
    assert right.status_code == 429, "also for the right password"
    await citizen.by_vneid(service.phone())
    service.pass_time(seconds=301)
    await citizen.sign_in(service.phone())


async def test_tp08_a_good_sign_in_between_does_not_clear_the_count(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    for _ in range(4):
        assert (await citizen.knock(service.phone(), password="Sai 1234 @x")).status_code == 401
    assert (await citizen.knock(service.phone())).status_code == 201
    assert (await citizen.knock(service.phone(), password="Sai 1234 @x")).status_code == 401
    assert (await citizen.knock(service.phone(), password="Sai 1234 @x")).status_code == 429


async def test_the_captcha_comes_before_the_password(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    solved = await captcha(service)
    assert (await citizen.knock(service.phone(), captcha=solved, password="Sai 1234 @x")).status_code == 401
    again = await citizen.knock(service.phone(), captcha=solved)
    assert fields(again) == {("captcha", "captcha_invalid")}


async def test_another_registered_number_gets_the_code_instead(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    second = await citizen.second_number()
    phone = service.phone()
    begun = (await citizen.knock(phone)).json()
    assert len(begun["methods"]) == 2
    at = f"/v1/logins/{begun['id']}/otp"
    main = await citizen.code()
    other = next(one["id"] for one in begun["methods"] if one["sent_to"].endswith(second[-3:]))
    moved = await phone.open(f"{at}/resend", {"method_id": other})
    assert moved.status_code == 200 and moved.json()["sent_to"] == f"055****{second[-3:]}", moved.text
    right = await citizen.code(second)
    if main != right:
        stale = await phone.open(at, {"code": main})
        assert stale.status_code == 422, "a code belongs to its number"
    assert (await phone.open(at, {"code": right})).json()["step"] == "done"


async def test_changing_the_number_gives_no_fresh_guesses(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await citizen.second_number()
    phone = service.phone()
    begun = (await citizen.knock(phone)).json()
    at = f"/v1/logins/{begun['id']}/otp"
    right = await citizen.code()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(3):
        await phone.open(at, {"code": wrong})
    moved = (await phone.open(f"{at}/resend", {"method_id": begun["methods"][1]["id"]})).json()
    assert moved["attempts_left"] == 2


async def test_a_number_of_somebody_else_cannot_be_chosen(service: Service) -> None:
    citizen, stranger = await Citizen.new(service).register(), await Citizen.new(service).register()
    phone = service.phone()
    theirs = (await stranger.knock(service.phone())).json()["methods"][0]["id"]
    begun = (await citizen.knock(phone)).json()
    answer = await phone.open(f"/v1/logins/{begun['id']}/otp/resend", {"method_id": theirs})
    assert fields(answer) == {("method_id", "unknown")}


async def test_the_pause_between_two_codes_counts_over_all_sign_ins_of_a_number(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    assert (await citizen.knock(service.phone())).status_code == 201
    soon = await citizen.knock(service.phone())
    assert soon.status_code == 429 and soon.json()["code"] == "otp_limit"


async def test_ten_wrong_codes_in_a_day_let_codes_rest_and_other_ways_stay_open(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    codes: list[int] = []
    for _ in range(2):
        begun = (await citizen.knock(phone)).json()
        right = await citizen.code()
        wrong = "000000" if right != "000000" else "111111"
        at = f"/v1/logins/{begun['id']}/otp"
        codes += [(await phone.open(at, {"code": wrong})).status_code for _ in range(5)]
        service.pass_time(seconds=61)
    assert codes == [422] * 10
    begun = (await citizen.knock(phone)).json()
    locked = await phone.open(f"/v1/logins/{begun['id']}/otp", {"code": await citizen.code()})
    assert locked.status_code == 429 and locked.json()["code"] == "otp_limit"
    await citizen.by_vneid(service.phone())
    service.pass_time(hours=2, seconds=61)
    await citizen.sign_in(phone)


async def test_to02_one_code_typed_many_times_at_once_lets_in_once(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    begun = (await citizen.knock(phone)).json()
    right = await citizen.code()
    answers = await asyncio.gather(
        *(phone.open(f"/v1/logins/{begun['id']}/otp", {"code": right}) for _ in range(32))
    )
    assert sum(one.status_code == 200 for one in answers) == 1


async def test_fields_of_another_method_are_named(service: Service) -> None:
    phone = service.phone()
    odd = await phone.open("/v1/logins", {"method": "vneid", "device": ABOUT, "national_id": "000098765432"})
    assert fields(odd) == {("national_id", "unknown")}
    bare_login = await phone.open("/v1/logins", {"method": "password", "device": ABOUT})
    assert fields(bare_login) == {("national_id", "missing"), ("password", "missing")}


async def test_every_try_stands_in_the_persons_own_history(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await citizen.knock(service.phone(), password="Sai 1234 @x")
    await citizen.sign_in()
    lines = (await citizen.phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [(one["method"], one["result"]) for one in lines] == [
        ("password", "success"),
        ("password", "failure"),
        ("password", "success"),
    ]
    assert lines[0]["device"] == "Điện thoại thử" and lines[0]["place"] is None
