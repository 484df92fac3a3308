"""One device, its rotating tokens, and "Không phải tôi" (cases TD01 to TD07; rule 303)."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text

from backend.devices import takeover
from tests.attacks.problems import refused
from tests.phone import Phone
from tests.service import Service

ME = "/v1/me"


async def refresh(phone: Phone, token: str | None = None) -> Any:
    return await phone.open("/v1/token", {"refresh_token": token or phone.session["refresh_token"]})


async def facts(service: Service, tag: str) -> int:
    async with service.db.read() as tx:
        return int(await tx.scalar(text("SELECT COUNT(*) FROM journal WHERE tag = :tag"), {"tag": tag}) or 0)


async def test_td01_of_parallel_sign_ins_one_device_stays(service: Service) -> None:
    person = service.person()
    await service.sign_in(person)
    before = await facts(service, "session.replaced")
    phones = await asyncio.gather(*(service.sign_in(person, service.phone(f"Máy {n}")) for n in range(8)))
    answers = await asyncio.gather(*(phone.call("GET", ME) for phone in phones))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert all(
        refused(answer, 401, "session_replaced")["replaced_by"]["name"]
        for answer in answers
        if answer.status_code == 401
    )
    assert await facts(service, "session.replaced") == before + 8


async def test_td03_a_sign_in_that_races_a_sign_out_ends_as_one_of_the_two_orders(service: Service) -> None:
    person = service.person()
    for _ in range(4):
        old, new = await service.sign_in(person), service.phone()
        out, _ = await asyncio.gather(
            old.call("DELETE", "/v1/sessions/current"), service.sign_in(person, new)
        )
        assert out.status_code in (204, 401, 404)
        assert (await new.call("GET", ME)).status_code == 200
        assert (await old.call("GET", ME)).status_code == 401


async def test_td04_after_the_new_device_is_in_no_call_of_the_old_one_succeeds(service: Service) -> None:
    person = service.person()
    old, new, over = await service.sign_in(person), service.phone(), asyncio.Event()
    late: list[int] = []

    async def stream() -> None:
        while len(late) < 10:
            began_after = over.is_set()
            answer = await old.call("GET", ME)
            if began_after:
                late.append(answer.status_code)

    streaming = [asyncio.create_task(stream()) for _ in range(3)]
    await service.sign_in(person, new)
    over.set()
    await asyncio.gather(*streaming)
    assert set(late) == {401}


async def test_td05_a_used_refresh_token_ends_the_session_whoever_brings_it(service: Service) -> None:
    for thief in (None, service.phone()):
        phone = await service.sign_in()
        old = phone.session["refresh_token"]
        phone.session = (await refresh(phone)).json()["session"]
        service.pass_time(seconds=31)
        before = await facts(service, "session.refresh_reused")
        refused(await refresh(thief or phone, old), 401, "session_revoked")
        assert await facts(service, "session.refresh_reused") == before + 1
        refused(await phone.call("GET", ME), 401, "session_revoked")
        refused(await refresh(phone), 401, "session_revoked")


async def test_td05_within_the_grace_another_key_gets_nothing_and_ends_it(service: Service) -> None:
    phone, thief = await service.sign_in(), service.phone()
    old = phone.session["refresh_token"]
    phone.session = (await refresh(phone)).json()["session"]
    refused(await refresh(thief, old), 401, "session_revoked")
    refused(await phone.call("GET", ME), 401, "session_revoked")


async def test_td06_the_same_refresh_32_times_at_once_has_one_successor(service: Service) -> None:
    phone = await service.sign_in()
    answers = await asyncio.gather(*(refresh(phone) for _ in range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["session"]["refresh_token"] for answer in answers}) == 1
    assert len({answer.json()["session"]["access_token"] for answer in answers}) == 1
    old, phone.session = phone.session, answers[0].json()["session"]
    assert (await phone.call("GET", ME)).status_code == 200
    phone.session = old
    refused(await phone.call("GET", ME), 401, "token_invalid")


async def test_td07_an_answer_that_was_lost_comes_again_for_thirty_seconds(service: Service) -> None:
    phone = await service.sign_in()
    old = phone.session["refresh_token"]
    first = (await refresh(phone, old)).json()["session"]
    for seconds in (1, 27):
        service.pass_time(seconds=seconds)
        again = (await refresh(phone, old)).json()["session"]
        assert (again["refresh_token"], again["access_token"]) == (
            first["refresh_token"],
            first["access_token"],
        )
    service.pass_time(seconds=4)
    refused(await refresh(phone, old), 401, "session_revoked")
    phone.session = first
    refused(await phone.call("GET", ME), 401, "session_revoked")


async def test_td07_once_the_successor_was_used_there_is_no_grace(service: Service) -> None:
    phone = await service.sign_in()
    old = phone.session["refresh_token"]
    for _ in range(2):
        phone.session = (await refresh(phone)).json()["session"]
    refused(await refresh(phone, old), 401, "session_revoked")


async def test_s3_a_session_ends_by_idleness_and_at_its_absolute_end(service: Service) -> None:
    phone = await service.sign_in()
    service.pass_time(days=30, seconds=1)
    refused(await refresh(phone), 401, "session_revoked")
    phone = await service.sign_in()
    for _ in range(3):
        service.pass_time(days=29)
        answer = await refresh(phone)
        phone.session = answer.json()["session"]
    assert phone.session["refresh_expires_in"] <= 3 * 86400
    service.pass_time(days=3, seconds=1)
    refused(await refresh(phone), 401, "session_revoked")


async def taken_over(service: Service) -> tuple[Any, Phone, Phone]:
    person = service.person()
    victim = await service.sign_in(person, service.phone("Máy chính chủ"))
    return person, victim, await service.sign_in(person, service.phone("Máy lạ"))


async def test_not_me_freezes_the_account_until_an_operator_thaws_it(service: Service) -> None:
    person, victim, attacker = await taken_over(service)
    answer = await victim.call("POST", "/v1/takeover-reports")
    assert answer.status_code == 201
    assert answer.json()["status"] == "frozen"
    refused(await attacker.call("GET", ME), 401, "session_revoked")
    refused(await refresh(attacker), 401, "session_revoked")
    refused(await victim.call("GET", ME), 401, "session_replaced")
    phone = service.phone()
    started = await phone.begin()
    refused(
        await phone.bring(started["id"], await service.consent(started["authorization_url"], person)),
        403,
        "account_frozen",
    )
    assert (await victim.call("POST", "/v1/takeover-reports")).status_code == 201, (
        "saying it twice changes nothing"
    )
    async with service.db.write() as tx:
        account = await tx.scalar(
            text("SELECT account_id FROM sessions WHERE device_name = 'Máy lạ' ORDER BY id DESC LIMIT 1")
        )
        await takeover.thaw(tx, service.kit, _uuid(account), now=service.clock.now())
    back = await service.sign_in(person)
    assert (await back.call("GET", ME)).status_code == 200


async def test_not_me_wants_the_replaced_devices_own_key_and_token_within_a_day(service: Service) -> None:
    person, victim, attacker = await taken_over(service)
    refused(await attacker.call("POST", "/v1/takeover-reports"), 409, "not_replaced")
    thief = service.phone()
    thief.session = victim.session
    refused(await thief.call("POST", "/v1/takeover-reports"), 401, "invalid_dpop_proof")
    refused(await service.http.post("/v1/takeover-reports"), 401, "unauthenticated")
    for path in ("/v1/sessions", "/v1/roles", "/v1/takeover-reports/"):
        refused(await victim.call("GET", path), 401, "session_replaced")
    service.pass_time(days=1, seconds=1)
    refused(await victim.call("POST", "/v1/takeover-reports"), 409, "not_replaced")
    attacker = await service.sign_in(person)
    assert (await attacker.call("GET", ME)).status_code == 200


async def test_a_session_that_was_signed_out_cannot_report(service: Service) -> None:
    phone = await service.sign_in()
    await phone.call("DELETE", "/v1/sessions/current")
    refused(await phone.call("POST", "/v1/takeover-reports"), 401, "session_revoked")


async def test_the_old_device_is_told_by_push_without_personal_data(service: Service) -> None:
    person, phone = service.person(), service.phone("Máy cũ")
    await service.sign_in(person, phone)
    assert (
        await phone.call("PUT", "/v1/devices/current/push-token", {"token": "push-of-the-old-one"})
    ).status_code == 204
    await service.sign_in(person)
    told: list[Any] = []
    for _ in range(50):
        told = [one for one in service.inbox.push if one.token == "push-of-the-old-one"]
        if told:
            break
        await asyncio.sleep(0.02)
    assert len(told) == 1
    assert told[0].data["kind"] == "device_replaced"
    assert person.full_name not in told[0].body
    assert person.national_id not in str(told[0])


def _uuid(value: Any) -> Any:
    from uuid import UUID

    return value if isinstance(value, UUID) else UUID(str(value))


async def test_td19_nobody_ends_a_session_of_somebody_else(service: Service) -> None:
    victim, attacker = await service.sign_in(), await service.sign_in()
    guessed = victim.session["session_id"]
    refused(await attacker.call("DELETE", f"/v1/sessions/{guessed}"), 404, "session_not_found")
    refused(
        await attacker.call("DELETE", f"/v1/sessions/{'0' * 8}-0000-7000-8000-{'0' * 12}"),
        404,
        "session_not_found",
    )
    assert (await victim.call("GET", ME)).status_code == 200
    listed = (await attacker.call("GET", "/v1/sessions")).json()["items"]
    assert [row["id"] for row in listed] == [attacker.session["session_id"]]


async def test_td20_a_device_name_that_deceives_is_refused_or_cleaned(service: Service) -> None:
    phone = service.phone()

    async def begun(name: str) -> Any:
        return await phone.open(
            "/v1/logins", {"method": "vneid", "device": {"platform": "a", "name": name, "model": "c"}}
        )

    for name in (
        "\u202egnud",
        "a\u0007b",
        "   ",
        "x" * 81,
        "x" * 10_000,
        "",
        "a\u2066b",
    ):
        assert refused(await begun(name))["code"] in ("validation_failed", "payload_too_large"), repr(name)
    phone = await service.sign_in(phone=service.phone("Máy \u2028\u200b\n  tôi"))
    assert (await phone.call("GET", "/v1/sessions")).json()["items"][0]["device"]["name"] == "Máy tôi"


async def test_td20_markup_in_a_device_name_stays_text(service: Service) -> None:
    name = "<img src=x onerror=alert(1)> 😀 Máy của tôi"
    phone = await service.sign_in(phone=service.phone(name))
    answer = await phone.call("GET", "/v1/sessions")
    assert answer.json()["items"][0]["device"]["name"] == name
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
