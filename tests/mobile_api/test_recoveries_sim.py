"""A SIM that was changed lately brings no password back: whoever holds it need not be the number's owner (case TO20)."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx2
import msgspec
import pytest
from sqlalchemy import select

from backend.journal import Entry
from demo.registries import Mood
from tests.citizen import Citizen
from tests.mobile_api.test_recoveries import NEW, officer, recover
from tests.phone import Phone
from tests.service import Service

REST = 259_200  # seconds: 72 hours


def swap_sim(citizen: Citizen, *, seconds_ago: float) -> None:
    """The carrier gave somebody a new SIM for the citizen's number."""
    when = citizen.service.clock.now() - timedelta(seconds=seconds_ago)
    citizen.subscribe(citizen.number, sim_changed_at=when)


async def with_code(citizen: Citizen, phone: Phone, **body: str) -> tuple[str, httpx2.Response]:
    """The flow's address, and what follows its right code."""
    at = await recover(citizen, phone, **body)
    return at, await phone.open(f"{at}/otp", {"code": await citizen.code()})


async def reasons(service: Service, at: str) -> list[str]:
    """Why the journal says that this flow was refused."""
    async with service.db.read() as tx:
        found = await tx.scalars(select(Entry.fact).where(Entry.tag == "recovery.refused"))
        facts = [json.loads(one) for one in found]
    return [one.get("reason", "named_another") for one in facts if one["flow"] == at.rsplit("/", 1)[1]]


async def test_to20_a_recovery_by_a_number_whose_sim_is_new_is_refused_and_other_ways_are_named(
    service: Service,
) -> None:
    citizen, phone = await Citizen.new(service).register(), service.phone()
    swap_sim(citizen, seconds_ago=60)
    at, refused = await with_code(citizen, phone)
    assert refused.status_code == 403 and refused.json()["code"] == "recovery_refused", refused.text
    assert refused.json()["ways"] == ["vneid", "certificate", "counter"]
    assert "SIM" in refused.json()["detail"] and "VNeID" in refused.json()["detail"]
    over = await phone.open(f"{at}/password", {"password": NEW})
    assert over.status_code == 409 and over.json()["step"] == "ended"
    assert await reasons(service, at) == ["sim_changed"]
    told = (await citizen.phone.call("GET", "/v1/notices")).json()["items"][0]
    assert told["kind"] == "codes_locked" and "SIM mới được thay" in told["title"], (
        "the owner is in still, and told"
    )
    service.pass_time(seconds=61)
    await citizen.sign_in(service.phone())
    await citizen.by_vneid(service.phone())


async def test_to20_the_words_are_in_the_readers_language(service: Service) -> None:
    citizen, phone = await Citizen.new(service).register(), service.phone()
    swap_sim(citizen, seconds_ago=60)
    at = await recover(citizen, phone)
    said = await phone.open(f"{at}/otp", {"code": await citizen.code()}, **{"Accept-Language": "en"})
    assert "sign in with VNeID or a signing certificate, or go to a counter" in said.json()["detail"]


@pytest.mark.parametrize(
    ("seconds_ago", "step"), [(-3600, None), (0, None), (REST - 60, None), (REST, "password")]
)
async def test_to20_after_72_hours_the_number_is_trusted_again(
    service: Service, seconds_ago: float, step: str | None
) -> None:
    citizen = await Citizen.new(service).register()
    swap_sim(citizen, seconds_ago=seconds_ago)
    _, answer = await with_code(citizen, service.phone())
    assert answer.json().get("step") == step and answer.status_code == (200 if step else 403)


async def test_to20_nobody_has_to_look_before_the_next_one(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    swap_sim(citizen, seconds_ago=0)
    _, refused = await with_code(citizen, service.phone())
    assert refused.status_code == 403
    service.pass_time(seconds=REST + 60)
    _, answer = await with_code(citizen, service.phone())
    assert answer.json()["step"] == "password", answer.text


async def test_to20_tc06_a_number_of_somebody_else_is_frozen_whatever_its_sim(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    citizen.subscribe(
        citizen.number,
        national_id="000077777777",
        full_name="Chủ Mới",
        sim_changed_at=service.clock.now(),
    )
    at, refused = await with_code(citizen, service.phone())
    assert "không còn đứng tên bạn" in refused.json()["detail"]
    assert await reasons(service, at) == ["named_another"]


@pytest.mark.parametrize("value", [1_700_000_000, "hôm qua", "2026-01-02T03:04:05", "2026-01-02", True])
async def test_to20_a_time_that_cannot_be_read_is_an_answer_of_the_wrong_shape(
    service: Service, value: object
) -> None:
    citizen, phone = await Citizen.new(service).register(), service.phone()
    at = await recover(citizen, phone)
    code = await citizen.code()
    rows = service.stand.registries.subscribers
    good = rows[citizen.e164]
    rows[citizen.e164] = msgspec.to_builtins(good) | {"sim_changed_at": value}
    try:
        answer = await phone.open(f"{at}/otp", {"code": code})
    finally:
        rows[citizen.e164] = good
    assert answer.status_code == 503 and answer.json()["code"] == "registry_unavailable"
    assert (await phone.open(f"{at}/otp", {"code": code})).json()["step"] == "password"


async def test_to20_a_registry_that_names_no_time_hinders_nobody(service: Service) -> None:
    citizen, phone = await Citizen.new(service).register(), service.phone()
    rows = service.stand.registries.subscribers
    rows[citizen.e164] = msgspec.to_builtins(rows[citizen.e164]) | {"sim_changed_at": None}
    _, answer = await with_code(citizen, phone)
    assert answer.json()["step"] == "password"


async def test_to20_a_new_sim_may_still_become_the_number_for_codes(service: Service) -> None:
    """Whoever lost a phone gets a new SIM: a change wants a password or a session beside the number."""
    citizen = await Citizen.new(service).register()
    new = service.mobile_number()
    citizen.subscribe(new, sim_changed_at=service.clock.now())
    begun = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": new})
    at = f"/v1/phone-changes/{begun.json()['id']}/otp"
    assert (await citizen.phone.call("POST", at, {"code": await citizen.code(new)})).json()["step"] == "done"


async def test_to20_the_official_mails_password_is_refused_alike(service: Service) -> None:
    citizen, mail = await officer(service)
    swap_sim(citizen, seconds_ago=60)
    at, refused = await with_code(citizen, service.phone(), official_email=mail)
    assert refused.status_code == 403 and refused.json()["code"] == "recovery_refused", refused.text
    assert refused.json()["ways"] == ["counter"] and "thư công vụ" in refused.json()["detail"]
    assert await reasons(service, at) == ["sim_changed"]


@pytest.mark.parametrize("mood", [Mood.WELL, Mood.DOWN, Mood.WRONG_SHAPE])
async def test_the_mails_password_needs_no_word_of_the_registry(service: Service, mood: Mood) -> None:
    """The staff directory vouches for the number (rule 172): unknown there, or nobody answers."""
    citizen, mail = await officer(service)
    service.stand.registries.moods["subscribers"] = mood
    try:
        _, answer = await with_code(citizen, service.phone(), official_email=mail)
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
    assert answer.json()["step"] == "password", answer.text


async def test_nor_does_a_number_in_another_name_hinder_the_mails(service: Service) -> None:
    citizen, mail = await officer(service)
    citizen.subscribe(citizen.number, national_id="000077777777", full_name="Cơ quan trả tiền")
    _, answer = await with_code(citizen, service.phone(), official_email=mail)
    assert answer.json()["step"] == "password", answer.text
