"""What begins a flow may be sent again when no answer came: one flow, one code, the same answer (rules 110, 801; expectation 5)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import msgspec
import pytest
from sqlalchemy import select

from backend.accounts import begun
from backend.accounts.begun import Begun
from backend.caller import Caller
from backend.engines import sqlite_connection
from backend.trouble import DatabaseAway, StorageTrouble
from mobile_api.schemas import LoginIn
from tests.citizen import ABOUT, Citizen
from tests.parts.processes import within
from tests.phone import Phone
from tests.promises.house import ROOT
from tests.service import Service

ITS_OWN = {"denyNotice", "reportTakeover"}  # a second one is answered as the first, whatever its headers say


def test_whatever_makes_something_takes_a_key_or_is_by_itself_done_once() -> None:
    paths = msgspec.json.decode((ROOT / "docs/openapi.json").read_bytes())["paths"]
    making = [call["post"] for call in paths.values() if "201" in call.get("post", {}).get("responses", {})]
    keyed = {
        one["operationId"]
        for one in making
        if any(name["name"] == "Idempotency-Key" for name in one.get("parameters", []))
    }
    assert {one["operationId"] for one in making} - keyed == ITS_OWN
    assert len(keyed) >= 8


async def begins(phone: Phone, path: str, body: dict[str, Any], key: str) -> httpx2.Response:
    """Whoever has no session proves the device's key alone."""
    if phone.session:
        return await phone.call("POST", path, body, **{"Idempotency-Key": key})
    return await phone.open(path, body, **{"Idempotency-Key": key})


def sms_to(service: Service, number: str) -> int:
    return sum(one.to == f"+84{number[1:]}" for one in service.inbox.sms)


async def test_a_lost_answer_comes_again_and_no_second_code_is_sent(service: Service) -> None:
    citizen, key = Citizen.new(service), str(uuid4())
    body = await citizen.form()
    first = await begins(citizen.phone, "/v1/registrations", body, key)
    await citizen.code()
    again = await begins(citizen.phone, "/v1/registrations", body, key)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert again.content == first.content and sms_to(service, citizen.number) == 1
    other = await begins(citizen.phone, "/v1/registrations", {**body, "full_name": "Người Khác"}, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    stranger = await begins(service.phone(), "/v1/registrations", body, key)
    assert stranger.json().get("id") != first.json()["id"], "a key is the device's own"
    long = await begins(citizen.phone, "/v1/registrations", body, "x" * 81)
    assert long.status_code == 400


async def test_two_at_once_are_one_flow_and_a_refusal_is_asked_anew(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    new, key = service.mobile_number(), str(uuid4())
    citizen.subscribe(new)
    path, body = "/v1/phone-changes", {"phone": new}
    at_once = await asyncio.gather(*(begins(citizen.phone, path, body, key) for _ in range(4)))
    assert {one.status_code for one in at_once} == {201}, [one.text for one in at_once]
    assert len({one.content for one in at_once}) == 1 and sms_to(service, new) == 1
    service.pass_time(seconds=61)
    wrong, again = {"phone": "0550"}, str(uuid4())
    for _ in range(2):
        assert (await begins(citizen.phone, path, wrong, again)).status_code == 422
    assert (await begins(citizen.phone, path, body, again)).status_code == 201, (
        "nothing was kept of a refusal"
    )


async def test_every_other_way_to_begin_takes_a_key(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    knock = {"method": "vneid", "device": ABOUT}
    recovery = {"national_id": citizen.person.national_id}
    fresh = await service.sign_in()  # to add a way in wants a sign-in of some minutes ago
    for phone, path, body in (
        (fresh, "/v1/me/auth-methods", {"type": "phone", "phone": service.mobile_number()}),
        (service.phone(), "/v1/logins", knock),
        (service.phone(), "/v1/recoveries", recovery),
    ):
        key = str(uuid4())
        first, again = [await begins(phone, path, body, key) for _ in range(2)]
        assert first.status_code == 201 and again.content == first.content, first.text
        service.pass_time(seconds=61)  # the pause between two codes
        third = await begins(phone, path, body, str(uuid4()))
        assert third.status_code == 201 and third.json()["id"] != first.json()["id"], third.text


async def test_a_key_is_known_for_an_hour_and_one_that_nobody_answered_is_free_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, key, knock = service.phone(), str(uuid4()), {"method": "vneid", "device": ABOUT}
    first = await begins(phone, "/v1/logins", knock, key)
    service.pass_time(minutes=61)
    later = await begins(phone, "/v1/logins", knock, key)
    assert later.status_code == 201 and later.json()["id"] != first.json()["id"]
    seal, gone = service.kit.keys.seal, service.clock.now() - timedelta(minutes=3)
    body = hashlib.sha256(msgspec.json.encode(msgspec.convert(knock, LoginIn))).hexdigest()
    monkeypatch.setattr(begun, "LOOKS", 2)
    for at in (service.clock.now(), gone):
        async with service.db.write() as tx:  # as a process leaves it that dies before it has answered
            for row in await tx.scalars(select(Begun)):
                said = msgspec.json.encode(begun.Said(body)).decode()
                row.said, row.at = seal("begun_calls.said", row.id, said), at
        if at != gone:
            waits = await begins(phone, "/v1/logins", knock, key)
            assert (waits.status_code, waits.json()["code"]) == (503, "too_busy")
            assert "mật khẩu" not in waits.json()["detail"], "nobody typed one"
    again = await begins(phone, "/v1/logins", knock, key)
    assert again.status_code == 201 and again.json()["id"] != later.json()["id"]


async def kept(service: Service) -> set[UUID]:
    async with service.db.read() as tx:
        return set(await tx.scalars(select(Begun.id)))


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_a_refusal_is_not_kept_either_when_the_database_could_not_be_written_just_then(
    service: Service,
) -> None:
    class Typed(msgspec.Struct):
        """A body."""

    file, caller, made = service.db.file, Caller(service.clock.now(), jkt="thumb"), Typed()
    assert file is not None
    before = await kept(service)
    with contextlib.closing(sqlite_connection(file)) as other:

        async def locked_out() -> Typed:
            other.execute("BEGIN IMMEDIATE")
            raise DatabaseAway(retry_after=1)

        with pytest.raises(StorageTrouble):
            await begun.once(service.app.door, caller, "key", Typed(), locked_out)
        other.execute("ROLLBACK")

    async def makes() -> Typed:
        return made

    async with within(20, "a key that whichever process is asked next finds free"):
        while await kept(service) - before:
            await asyncio.sleep(0.1)
    assert await begun.once(service.app.door, caller, "key", Typed(), makes) is made
