"""Who stands at the doors without a session: guessing, enumerating, flooding, forging (TP02 to TP08, TO14)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from typing import Any

import pytest

from ngomon.edge import _line
from tests.attacks.problems import refused
from tests.attacks.test_transport import status_of, wire
from tests.attacks.ways import bring, sent, with_limits
from tests.citizen import PASSWORD, Citizen, bare, captcha, fields
from tests.conftest import DATABASES
from tests.phone import Phone
from tests.service import Service

WRONG = "Sai 1234 @x"
NOBODY = "000098765431"


async def tries(citizen: Citizen, count: int, **changes: str) -> Counter[int]:
    """So many sign-ins at once, each with a solved challenge of its own."""
    solved = [await captcha(citizen.service) for _ in range(count)]
    answers = await asyncio.gather(
        *(citizen.knock(citizen.service.phone(), captcha=one, **changes) for one in solved)
    )
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("national_id", ["", NOBODY])
async def test_tp07_of_many_wrong_passwords_at_once_no_more_than_the_budget_are_compared(
    service: Service, national_id: str
) -> None:
    citizen = await Citizen.new(service).register()
    name = national_id or citizen.person.national_id
    service.pass_time(seconds=301)
    assert await tries(citizen, 9, national_id=name, password=WRONG) == {401: 5, 429: 4}
    if not national_id:
        lines = (await (await citizen.by_vneid()).call("GET", "/v1/me/access-history")).json()["items"]
        assert sum(one["result"] == "failure" for one in lines) == 5, "the owner sees the five"


async def test_tp08_right_passwords_between_wrong_ones_neither_cost_nor_clear_anything(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    for number in range(2):
        answer = await citizen.knock(service.phone())
        assert answer.status_code == 201 if number == 0 else refused(answer, 429, "otp_limit")
    assert await tries(citizen, 4, password=WRONG) == {401: 4}
    refused(await citizen.knock(service.phone()), 429, "otp_limit")
    assert (await citizen.knock(service.phone(), password=WRONG)).status_code == 401
    refused(await citizen.knock(service.phone(), password=WRONG), 429, "too_many_attempts")


async def test_tp07_a_spoofed_address_or_another_device_key_gives_no_more_tries(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    told: list[int] = []
    for number in range(7):
        phone, spoofed = service.phone(f"Máy {number}"), f"203.0.113.{number}"
        body = {
            "method": "password",
            "national_id": citizen.person.national_id,
            "password": WRONG,
            "captcha": await captcha(service),
            "device": {"platform": "android", "name": phone.name, "model": "x"},
        }
        headers = {"X-Forwarded-For": spoofed, "Forwarded": f"for={spoofed}", "X-Real-IP": spoofed}
        told.append((await phone.open("/v1/logins", body, **headers)).status_code)
    assert told == [401] * 5 + [429] * 2


def test_tp07_one_ipv6_line_is_one_address() -> None:
    assert {_line(f"2001:db8:1:2::{n:x}") for n in range(1, 50)} == {"2001:db8:1:2::"}
    assert _line("2001:db8:1:3::1") != _line("2001:db8:1:2::1")
    assert _line("::ffff:192.0.2.1") == _line("192.0.2.1") == "192.0.2.1"
    assert _line("fe80::1%eth0") == "fe80::" and _line("not:an:address") == "not:an:address"


@pytest.mark.parametrize("kind", DATABASES)
async def test_tp06_a_flood_of_passwords_waits_in_line_and_nothing_else_does(
    request: pytest.FixtureRequest, kind: str
) -> None:
    limits = {"hashes_at_once": "1", "hash_wait": "0.1", "password_tries": "20", "captcha_cost": "20"}
    async with with_limits(request, kind, **limits) as service:
        citizen = await Citizen.new(service).register()
        async with service.app.door.passwords.place():  # the one that is hashed keeps all others waiting
            told = await tries(citizen, 6, password=WRONG)
            assert (await service.http.get("/v1/phone-change-slips/DT-AAAAA-AAAAA")).status_code == 200
        assert told == {503: 6}
        wrong = [(await citizen.knock(service.phone(), password=WRONG)).status_code for _ in range(21)]
        assert Counter(wrong) == {401: 20, 429: 1}, "who found no room was not counted"
        service.pass_time(seconds=301)
        assert (await citizen.knock(service.phone())).status_code == 201


async def test_tp05_a_megabyte_never_reaches_the_hash(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    way = await bring("recovery", citizen)
    assert (await way.guess(way.code)).status_code == 200
    huge = "Aa1@" + "x" * 10**6
    for answer in (
        await way.post("password", {"password": huge}),
        await citizen.knock(service.phone(), password=huge),
        await citizen.phone.call("POST", "/v1/me/password", {"current": huge, "new": huge}),
    ):
        refused(answer, 413, "payload_too_large")
    refused(await way.post("password", {"password": "Aa1@" + "x" * 1021}), 400, "validation_failed")
    assert (await way.post("password", {"password": "Aa1@ " + "ế" * 123})).status_code == 200


async def test_h9_sign_in_recovery_and_phone_change_take_four_kibibytes(service: Service) -> None:
    padded = {"x": "y" * 4096}
    for path in ("/v1/logins", "/v1/recoveries", "/v1/phone-changes", "/v1/token"):
        refused(await service.phone().open(path, padded), 413, "payload_too_large")
    for path in ("/v1/registrations", "/v1/logins/00000000-0000-0000-0000-000000000000/authorize"):
        refused(await service.phone().open(path, padded), 400, "validation_failed")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}])
async def test_tp02_no_host_header_reaches_an_answer_or_a_message(
    service: Service, headers: dict[str, str]
) -> None:
    citizen = await Citizen.new(service).register()
    phone, before = service.phone(), len(sent(service, citizen.number))
    asked = {"national_id": citizen.person.national_id}
    answer = await phone.open("/v1/recoveries", asked, **headers)
    form = await Citizen.new(service).form()
    answers = [answer, await service.phone().open("/v1/registrations", form, **headers)]
    challenge = await service.http.get("/v1/captcha", headers=headers)
    started = await service.phone().open(
        "/v1/logins", {"method": "certificate", "device": form["device"]}, **headers
    )
    assert service.url in started.json()["challenge"], "the configured address is what is signed"
    for one in (*answers, challenge, started):
        assert "evil" not in one.text and not any("evil" in value for value in one.headers.values())
        assert "location" not in one.headers
    async with asyncio.timeout(5):
        while len(sent(service, citizen.number)) == before:
            await asyncio.sleep(0.02)
    assert not any("evil" in one.text for one in service.inbox.sms)


async def test_tp02_a_request_without_host_is_refused(service: Service) -> None:
    answer = await wire(
        service,
        b"POST /v1/recoveries HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
    assert status_of(answer) == 400 and b"location" not in answer.lower()
    assert answer.count(b"http://") == answer.count(service.url.encode() + b"/problems/")


async def test_tp04_no_step_is_skipped_repeated_or_taken_back(service: Service) -> None:
    citizen = Citizen.new(service)
    form = await bring("registration", citizen)
    refused(await form.post("password", {"password": PASSWORD}), 409, "flow_step_mismatch")
    refused(await form.post("confirm", {}), 409, "flow_step_mismatch")
    assert (await form.guess(form.code)).status_code == 200
    refused(await form.guess(form.code), 409, "flow_step_mismatch")
    refused(await form.post("otp/resend", {}), 409, "flow_step_mismatch")
    done = await form.post("password", {"password": PASSWORD})
    citizen.phone = form.phone
    citizen.phone.keep(done.json())
    refused(await form.post("password", {"password": PASSWORD}), 409, "flow_step_mismatch")
    service.pass_time(seconds=61)
    for kind in ("recovery", "login", "phone_change"):
        way = await bring(kind, citizen, phone=citizen.phone)
        for step, body in (
            ("password", {"password": PASSWORD}),
            ("sign", {"certificate": "x", "signature": "x"}),
        ):
            answer = await way.post(step, body)
            assert answer.status_code in (404, 409, 405), (kind, step, answer.text)
        service.pass_time(seconds=61)


async def test_to14_the_states_of_a_recovery_are_the_same_for_nobody_closed_and_frozen(
    service: Service,
) -> None:
    """Every answer on the whole way down, in bytes; also what follows when the message cannot leave."""
    closed, frozen = await Citizen.new(service).register(), await Citizen.new(service).register()
    assert (await closed.phone.call("DELETE", "/v1/me")).status_code == 204
    await frozen.step_up()
    await frozen.by_vneid(service.phone())
    assert (await frozen.phone.call("POST", "/v1/takeover-reports")).status_code in (200, 201)
    known = await Citizen.new(service).register()
    names = [known.person.national_id, NOBODY, closed.person.national_id, frozen.person.national_id]
    service.pass_time(seconds=61)
    seen = [await _down_the_road(service, name) for name in names]
    assert seen[0] == seen[1] == seen[2] == seen[3]
    service.pass_time(hours=2)
    service.inbox.sms_down = True
    try:
        out = [await _down_the_road(service, name) for name in names[:2]]
    finally:
        service.inbox.sms_down = False
    assert out[0] == out[1] == seen[0]


async def _down_the_road(service: Service, name: str) -> list[tuple[int, Any, list[str]]]:
    phone = service.phone()
    begun = await phone.open("/v1/recoveries", {"national_id": name})
    if not service.inbox.sms_down:  # else it is tried for twenty seconds: a stranger waits for nothing
        await service.settled()
    at = f"/v1/recoveries/{begun.json()['id']}"
    steps: list[tuple[str, Any]] = [("/otp/resend", {}), ("/password", {"password": PASSWORD})]
    steps += [("/otp", {"code": "000000"})] * 4
    seen = [_outside(begun)] + [_outside(await phone.open(f"{at}{step}", body)) for step, body in steps]
    seen.append(_outside(await phone.open("/v1/recoveries", {"national_id": name})))
    seen.append(_outside(await service.phone().open(f"{at}/otp", {"code": "000000"})))
    return seen


def _outside(answer: Any) -> tuple[int, Any, list[str]]:
    status, body, names = bare(answer)
    waiting = abs(int(answer.headers.get("retry-after", "0")) - 60) <= 2
    return status, body, [*names, str(waiting)]


async def test_to14_a_registration_of_somebody_known_is_the_same_on_the_whole_way(service: Service) -> None:
    seen = []
    for known in (True, False):
        citizen = Citizen.new(service)
        if known:
            await citizen.register()
            citizen.number = service.mobile_number()
            citizen.subscribe(citizen.number)
        phone = service.phone()
        begun = await phone.open("/v1/registrations", await citizen.form())
        at = f"/v1/registrations/{begun.json()['id']}"
        answers = [begun, await phone.open(f"{at}/otp/resend", {})]
        answers += [await phone.open(f"{at}/otp", {"code": "000000"}) for _ in range(6)]
        answers.append(await phone.open("/v1/registrations", await citizen.form()))
        service.pass_time(seconds=61)
        answers.append(await phone.open(f"{at}/otp/resend", {}))
        shown = [_outside(one) for one in answers]
        for _, body, _ in shown:
            body.pop("sent_to", None)  # the number that was typed
        seen.append(shown)
    assert seen[0] == seen[1]


async def test_a_captcha_is_worth_what_we_asked_for_and_once(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    good = json.loads(base64.b64decode(await captcha(service)))
    parameters, solution = good["challenge"]["parameters"], good["solution"]
    bent: list[dict[str, Any]] = [
        {**good, "challenge": {**good["challenge"], "parameters": {**parameters, "cost": 1}}},
        {**good, "challenge": {**good["challenge"], "parameters": {**parameters, "keyPrefix": ""}}},
        {**good, "challenge": {**good["challenge"], "parameters": {**parameters, "algorithm": "SHA-1"}}},
        {**good, "challenge": {**good["challenge"], "parameters": {**parameters, "expiresAt": 2**40}}},
        {**good, "challenge": {**good["challenge"], "parameters": {**parameters, "cost": 2**31 - 1}}},
        {**good, "challenge": {**good["challenge"], "signature": good["challenge"]["signature"].upper()}},
        {**good, "challenge": {**good["challenge"], "signature": "0" * 64}},
        {**good, "solution": {**solution, "counter": -1}},
        {**good, "solution": {**solution, "derivedKey": "00" * 32}},
        {**good, "solution": []},
    ]
    for one in bent:
        text = base64.b64encode(json.dumps(one).encode()).decode()
        answer = await citizen.knock(service.phone(), captcha=text)
        assert fields(answer) == {("captcha", "captcha_invalid")}, one
    plain = json.dumps(good).encode()
    spellings = [base64.b64encode(plain), base64.b64encode(plain + b" "), base64.b64encode(b" " + plain)]
    spellings.append(base64.b64encode(json.dumps(good, indent=1).encode()))
    answers = await asyncio.gather(
        *(citizen.knock(service.phone(), captcha=one.decode(), password=WRONG) for one in spellings)
    )
    assert Counter(answer.status_code for answer in answers) == {401: 1, 422: 3}


async def test_odd_digits_and_blanks_in_a_number_find_nobody(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    number = citizen.person.national_id
    wide = "".join(chr(0xFF10 + int(one)) for one in number)
    arabic = "".join(chr(0x0660 + int(one)) for one in number)
    for name in (wide, arabic, number[:6] + "\u200b" + number[6:], number + "\u0301", "-" + number):
        refused(await citizen.knock(service.phone(), national_id=name), 401, "credentials_wrong")
        phone: Phone = service.phone()
        refused(await phone.open("/v1/recoveries", {"national_id": name}), 422, "validation_failed")
        form = await Citizen.new(service).form(national_id=name)
        refused(await phone.open("/v1/registrations", form), 422, "validation_failed")
