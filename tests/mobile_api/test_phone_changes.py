"""Another number for codes: three answers of the subscriber registry, a slip, notices, a day of caution (source 004, 2)."""

from __future__ import annotations

import asyncio

import pytest

from demo.registries import Mood
from tests.citizen import Citizen, fields
from tests.phone import Phone
from tests.service import Service


async def ask(phone: Phone, number: str, login: str | None = None) -> str:
    """Begin a change; the flow's address."""
    body = {"phone": number} | ({"login": login} if login else {})
    answer = await (
        phone.open("/v1/phone-changes", body) if login else phone.call("POST", "/v1/phone-changes", body)
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["attempts_left"] == 3
    return f"/v1/phone-changes/{answer.json()['id']}"


async def test_a_lost_phone_is_replaced_inside_the_sign_in(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    old, new, phone = citizen.number, service.mobile_number(), service.phone()
    citizen.subscribe(new)
    login = (await citizen.knock(phone)).json()["id"]
    at = await ask(phone, new, login)
    done = await phone.open(f"{at}/otp", {"code": await citizen.code(new)})
    assert done.json() == {"id": at.rsplit("/", 1)[1], "step": "done", "phone": f"055****{new[-3:]}"}
    told = [one.text for one in service.inbox.sms if one.to == "+84" + old[1:]]
    assert any("vua doi sang" in text and new not in text for text in told), "the old number is told"
    revoked = await citizen.phone.call("GET", "/v1/me")
    assert revoked.json()["code"] == "session_revoked"
    again = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert again.status_code == 200 and again.json()["sent_to"].endswith(new[-3:]), again.text
    entered = await phone.open(f"/v1/logins/{login}/otp", {"code": await citizen.code(new)})
    phone.keep(entered.json())
    assert entered.json()["account"]["phones"] == [f"055****{new[-3:]}"]
    notices = (await phone.call("GET", "/v1/notices")).json()["items"]
    assert notices[0]["kind"] == "phone_changed" and notices[0]["can_deny"]


async def test_after_a_change_the_waiting_sign_in_turns_to_the_new_number_whatever_was_chosen_before(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    second, new, phone = await citizen.second_number(), service.mobile_number(), service.phone()
    citizen.subscribe(new)
    begun = (await citizen.knock(phone)).json()
    login, chosen = f"/v1/logins/{begun['id']}", begun["methods"][1]
    assert chosen["sent_to"].endswith(second[-3:])
    turned = await phone.open(f"{login}/otp/resend", {"method_id": chosen["id"]})
    assert turned.json()["sent_to"] == chosen["sent_to"], turned.text
    at = await ask(phone, new, begun["id"])
    assert (await phone.open(f"{at}/otp", {"code": await citizen.code(new)})).status_code == 200
    again = await phone.open(f"{login}/otp/resend", {})
    assert again.status_code == 200 and again.json()["sent_to"] == f"055****{new[-3:]}", again.text
    early = await phone.open(f"{login}/otp/resend", {})
    assert (early.status_code, early.json()["code"]) == (429, "otp_too_soon")
    service.pass_time(seconds=61)
    back = await phone.open(f"{login}/otp/resend", {"method_id": chosen["id"]})
    assert back.json()["sent_to"] == chosen["sent_to"], "a choice made after the change counts"
    entered = await phone.open(f"{login}/otp", {"code": await citizen.code(second)})
    assert entered.json()["step"] == "done", entered.text


async def test_a_registry_that_names_somebody_else_gives_a_slip_for_the_counter(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    new = service.mobile_number()
    citizen.subscribe(new, full_name="Người Khác", national_id="000066666666")
    phone = service.phone()
    login = (await citizen.knock(phone)).json()["id"]
    at = await ask(phone, new, login)
    answer = await phone.open(f"{at}/otp", {"code": await citizen.code(new)})
    assert answer.status_code == 422 and answer.json()["code"] == "subscriber_mismatch"
    slip = answer.json()["slip"]
    checked = (await service.http.get(f"/v1/phone-change-slips/{slip['code']}")).json()
    assert checked["genuine"] and set(checked) == {"genuine", "made_at", "valid_until"}
    for typed in (slip["code"].lower(), slip["code"].replace("-", ""), slip["code"].replace("-", "%20")):
        assert (await service.http.get(f"/v1/phone-change-slips/{typed}")).json() == checked
    assert (await service.http.get("/v1/phone-change-slips/DT-AAAAA-AAAAA")).json() == {"genuine": False}
    service.pass_time(days=8)
    assert (await service.http.get(f"/v1/phone-change-slips/{slip['code']}")).json() == {"genuine": False}
    service.pass_time(seconds=61)
    await citizen.sign_in(service.phone())


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.WRONG_SHAPE])
async def test_tc02_a_registry_that_cannot_say_leaves_the_code_right(service: Service, mood: Mood) -> None:
    citizen = await Citizen.new(service).register()
    new = service.mobile_number()
    citizen.subscribe(new)
    at = await ask(citizen.phone, new)
    code = await citizen.code(new)
    service.stand.registries.moods["subscribers"] = mood
    try:
        answers = [await citizen.phone.call("POST", f"{at}/otp", {"code": code}) for _ in range(4)]
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(503, "registry_unavailable")}
    assert (await citizen.phone.call("POST", f"{at}/otp", {"code": code})).json()["step"] == "done"


async def test_tc01_a_sign_in_older_than_five_minutes_is_not_enough_and_step_up_is(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    service.pass_time(seconds=301 - 61)
    await citizen.refresh()
    new = service.mobile_number()
    citizen.subscribe(new)
    refused = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": new})
    assert refused.status_code == 403 and refused.json()["code"] == "insufficient_assurance"
    assert refused.json()["required"] == {"max_age": 300}
    before = dict(citizen.phone.session)
    await citizen.step_up()
    assert citizen.phone.session["session_id"] == before["session_id"]
    stale = Phone(service.http, service.url, clock=service.clock)
    stale.key, stale.session = citizen.phone.key, before
    assert (await stale.call("GET", "/v1/me")).status_code == 401, "the old token is dead"
    at = await ask(citizen.phone, new)
    assert (
        await citizen.phone.call("POST", f"{at}/otp", {"code": await citizen.code(new)})
    ).status_code == 200


async def test_tc05_for_a_day_after_it_only_a_fresh_vneid_sign_in_does_what_matters(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    new = service.mobile_number()
    citizen.subscribe(new)
    at = await ask(citizen.phone, new)
    await citizen.phone.call("POST", f"{at}/otp", {"code": await citizen.code(new)})
    citizen.number = new
    service.pass_time(seconds=61)
    await citizen.sign_in()
    calls = [
        ("POST", "/v1/me/auth-methods", {"type": "phone", "phone": service.mobile_number()}),
        ("POST", "/v1/me/password", {"current": citizen.password, "new": "Khác hẳn 2026!"}),
        ("GET", "/v1/me/export", None),
        ("DELETE", "/v1/me", None),
        ("POST", "/v1/phone-changes", {"phone": service.mobile_number()}),
    ]
    for method, path, body in calls:
        refused = await citizen.phone.call(method, path, body)
        assert refused.status_code == 403 and refused.json()["required"]["method"] == "vneid", path
    await citizen.step_up()
    assert (await citizen.phone.call("GET", "/v1/me/export")).status_code == 200
    service.pass_time(days=1)
    await citizen.sign_in()
    assert (await citizen.phone.call("GET", "/v1/me/export")).status_code == 200, "the day is over"


async def test_tc03_of_two_changes_at_once_one_wins(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    numbers = [service.mobile_number() for _ in range(2)]
    flows = []
    for number in numbers:
        citizen.subscribe(number)
        flows.append(await ask(citizen.phone, number))
        service.pass_time(seconds=61)
    codes = [await citizen.code(number) for number in numbers]
    answers = await asyncio.gather(
        *(
            citizen.phone.call("POST", f"{at}/otp", {"code": code})
            for at, code in zip(flows, codes, strict=True)
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 404]
    won = next(one.json()["phone"] for one in answers if one.status_code == 200)
    assert (await citizen.phone.call("GET", "/v1/me")).json()["phones"] == [won]


async def test_tc04_while_the_old_number_cannot_be_told_nothing_changes(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    new = service.mobile_number()
    citizen.subscribe(new)
    at = await ask(citizen.phone, new)
    code = await citizen.code(new)
    service.inbox.sms_down = True
    try:
        down = await citizen.phone.call("POST", f"{at}/otp", {"code": code})
    finally:
        service.inbox.sms_down = False
    assert down.status_code == 503 and down.json()["code"] == "sms_unavailable"
    phones = (await citizen.phone.call("GET", "/v1/me")).json()["phones"]
    assert phones == [f"055****{citizen.number[-3:]}"]
    assert (await citizen.phone.call("POST", f"{at}/otp", {"code": code})).status_code == 200


async def test_the_present_number_and_a_foreign_flow_are_refused(service: Service) -> None:
    citizen, stranger = await Citizen.new(service).register(), await Citizen.new(service).register()
    same = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": citizen.number})
    assert fields(same) == {("phone", "phone_same")}
    login = (await stranger.knock(stranger.phone)).json()["id"]
    foreign = await service.phone().open(
        "/v1/phone-changes", {"phone": service.mobile_number(), "login": login}
    )
    assert foreign.status_code == 404
    nobody = await service.phone().open("/v1/phone-changes", {"phone": service.mobile_number()})
    assert nobody.status_code == 401
