"""Sessions as their owner sees them: list, end, refresh, push, "Không phải tôi" (rules 301, 303)."""

from __future__ import annotations

import asyncio

import pytest

from backend.accounts.identity import numbers
from backend.devices import takeover
from tests.service import Service


async def test_of_sixteen_sign_ins_at_once_one_device_stays(service: Service) -> None:
    person = service.person()
    await service.sign_in(person)
    phones = [service.phone(f"Máy {number}") for number in range(16)]
    started = [await phone.begin() for phone in phones]
    backs = [await service.consent(login["authorization_url"], person) for login in started]
    answers = await asyncio.gather(
        *(phone.bring(login["id"], back) for phone, login, back in zip(phones, started, backs, strict=True))
    )
    assert [answer.status_code for answer in answers] == [200] * 16
    for phone, answer in zip(phones, answers, strict=True):
        phone.keep(answer.json())
    calls = [await phone.call("GET", "/v1/me") for phone in phones]
    assert [call.status_code for call in calls].count(200) == 1
    assert {call.json()["code"] for call in calls if call.status_code != 200} == {"session_replaced"}


async def test_one_sees_and_ends_ones_own_sessions_only(service: Service) -> None:
    mine, other = await service.sign_in(), await service.sign_in()
    listed = (await mine.call("GET", "/v1/sessions")).json()
    assert [row["current"] for row in listed["items"]] == [True]
    foreign = other.session["session_id"]
    refused = await mine.call("DELETE", f"/v1/sessions/{foreign}")
    assert refused.status_code == 404 and refused.json()["code"] == "session_not_found"
    assert (await other.call("GET", "/v1/me")).status_code == 200
    assert (await mine.call("DELETE", "/v1/sessions/current")).status_code == 204
    ended = await mine.call("GET", "/v1/me")
    assert ended.status_code == 401 and ended.json()["code"] == "session_revoked"


async def test_a_refresh_gives_new_tokens_and_the_old_access_token_dies(service: Service) -> None:
    phone = await service.sign_in()
    old = dict(phone.session)
    for nobodys in ("x", "x" * 43):
        answer = await phone.open("/v1/token", {"refresh_token": nobodys})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    answer = await phone.open("/v1/token", {"refresh_token": old["refresh_token"]})
    phone.session = answer.json()["session"]
    assert phone.session["session_id"] == old["session_id"]
    assert (await phone.call("GET", "/v1/me")).status_code == 200
    phone.session = old
    dead = await phone.call("GET", "/v1/me")
    assert dead.status_code == 401 and dead.json()["code"] == "token_invalid"


async def test_a_replaced_phone_is_told_the_same_by_every_door(service: Service) -> None:
    person = service.person()
    old = await service.sign_in(person)
    await service.sign_in(person, service.phone("Máy mới"))
    call = await old.call("GET", "/v1/me")
    refresh = await old.open("/v1/token", {"refresh_token": old.session["refresh_token"]})
    told = call.json()["replaced_by"]
    assert told == refresh.json()["replaced_by"]
    assert told["name"] == "Máy mới" and told["at"].endswith("Z")


async def test_an_access_token_lives_five_minutes(service: Service) -> None:
    phone = await service.sign_in()
    assert phone.session["expires_in"] == 300
    service.pass_time(seconds=301)
    late = await phone.call("GET", "/v1/me")
    assert late.status_code == 401 and late.json()["code"] == "token_expired"
    fresh = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    assert fresh.status_code == 200


async def test_the_old_phone_gets_a_push_without_personal_data(service: Service) -> None:
    person = service.person("Trần Thị Đẩy")
    old = await service.sign_in(person)
    answer = await old.call("PUT", "/v1/devices/current/push-token", {"token": "push-address-1"})
    assert answer.status_code == 204
    await service.sign_in(person)
    for _ in range(50):
        if any(push.token == "push-address-1" for push in service.inbox.push):
            break
        await asyncio.sleep(0.02)
    push = next(push for push in service.inbox.push if push.token == "push-address-1")
    assert push.data["kind"] == "device_replaced"
    assert "Trần" not in push.title + push.body and person.national_id not in push.body


async def test_not_me_ends_the_newer_session_and_freezes_phone_sign_in(service: Service) -> None:
    person = service.person()
    old = await service.sign_in(person)
    thief = await service.sign_in(person)
    report = await old.call("POST", "/v1/takeover-reports")
    assert report.status_code == 201 and report.json()["hotline"] == "19001075"
    gone = await thief.call("GET", "/v1/me")
    assert gone.status_code == 401 and gone.json()["code"] == "session_revoked"
    phone = service.phone()
    started = await phone.begin()
    again = await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
    assert again.status_code == 403 and again.json()["code"] == "account_frozen"
    assert (await old.call("POST", "/v1/takeover-reports")).status_code == 201, (
        "saying it twice changes nothing"
    )
    async with service.db.write() as tx:
        account = (await old.call("GET", "/v1/me")).json()
        assert account["code"] == "session_replaced"
        account_id = await numbers.holder_of(tx, service.kit, person.national_id)
        assert account_id is not None
        await takeover.thaw(tx, service.kit, account_id, now=service.clock.now())
    await service.sign_in(person)


async def test_only_a_replaced_phone_may_say_not_me(service: Service) -> None:
    phone = await service.sign_in()
    answer = await phone.call("POST", "/v1/takeover-reports")
    assert answer.status_code == 409 and answer.json()["code"] == "not_replaced"


async def test_every_refusal_speaks_the_language_that_was_asked_for(service: Service) -> None:
    vi = await service.http.get("/v1/me")
    en = await service.http.get("/v1/me", headers={"Accept-Language": "en"})
    assert vi.json()["title"] == "Bạn cần đăng nhập" and en.json()["title"] == "Please sign in"
    assert vi.json()["code"] == en.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("[" * 40 + "]" * 40, "The JSON is nested deeper than 32 levels"),
        ('{"device": NaN}', "NaN is not JSON"),
        ('{"device": "\\u0000"}', "The content has a NUL character"),
    ],
)
async def test_what_is_wrong_with_a_body_is_told_with_its_values(
    service: Service, body: str, told: str
) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "en"}
    answer = await service.http.post("/v1/logins", content=body, headers=headers)
    assert answer.status_code == 400 and answer.json()["code"] == "body_malformed"
    assert answer.json()["detail"] == told


async def test_a_wrong_proof_and_a_wrong_type_are_told_in_english_too(service: Service) -> None:
    phone = service.phone()
    headers = {"Accept-Language": "en", "DPoP": phone.proof("GET", "/v1/logins")}
    wrong_proof = await service.http.post("/v1/logins", json={}, headers=headers)
    assert wrong_proof.json()["detail"] == "htm does not match"
    wrong_type = await phone.open("/v1/logins", {"device": 7}, **{"Accept-Language": "en"})
    assert [error["message"] for error in wrong_type.json()["errors"]] == ["The value has the wrong type"]
