"""Attacks on the pages of one's own account: races, borrowed flows, stolen tokens (rule 311; cases TC01, TC03, TP06)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.accounts.models import Consent, Identity, Phone
from backend.crypto import token_hash
from backend.db import new_id
from backend.devices.models import Session
from backend.facts import SessionOpened
from tests.mobile_api.test_self_methods import (
    FIRST,
    METHODS,
    SECOND,
    account_id,
    add_phone,
    give_password,
    link_vneid,
    rows,
)
from tests.phone import Phone as Device
from tests.service import Service

WIDE = 16


def statuses(answers: list[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def begin_phone(service: Service, phone: Device) -> tuple[str, str]:
    """An addition that waits for its code; its path, and the right code."""
    number = service.mobile_number()
    asked = await phone.call("POST", METHODS, {"type": "phone", "phone": number})
    assert asked.status_code == 201, asked.text
    return f"{METHODS}/{asked.json()['id']}", service.code_for(number)


async def test_of_many_removals_at_once_a_way_in_is_left(service: Service) -> None:
    for _ in range(5):
        phone = await service.sign_in()
        await give_password(service, phone)
        listed = await rows(phone)
        chosen = [listed["vneid"]["id"], listed["password"]["id"], listed["phone"]["id"]]
        answers = await asyncio.gather(
            *(phone.call("DELETE", f"{METHODS}/{chosen[number % 3]}") for number in range(WIDE))
        )
        assert set(statuses(list(answers))) <= {204, 404, 409}, [answer.text for answer in answers]
        left = await rows(phone)
        assert "vneid" in left or {"password", "phone"} <= set(left), left
        assert not any(
            row["removable"] for kind, row in left.items() if kind != "phone" or "password" in left
        )


async def test_of_many_right_codes_at_once_one_adds_the_number(service: Service) -> None:
    for _ in range(5):
        phone = await service.sign_in()
        found = await account_id(phone)
        path, code = await begin_phone(service, phone)
        answers = await asyncio.gather(
            *(phone.call("POST", f"{path}/otp", {"code": code}) for _ in range(WIDE))
        )
        assert statuses(list(answers))[200] == 1, [answer.text for answer in answers]
        async with service.db.read() as tx:
            held = select(func.count()).select_from(Phone).where(Phone.account_id == found)
            assert await tx.scalar(held) == 2


async def test_a_flow_of_another_account_on_the_same_device_key_is_not_found(service: Service) -> None:
    phone = await service.sign_in()
    path, code = await begin_phone(service, phone)
    other = await service.sign_in(service.person(), phone)
    for step, body in (
        ("otp", {"code": code}),
        ("otp/resend", None),
        ("authorize", {"state": "x", "code": "y"}),
    ):
        refused = await other.call("POST", f"{path}/{step}", body)
        assert refused.status_code == 404 and refused.json()["code"] == "flow_not_found", refused.text


async def test_a_way_in_of_somebody_else_is_not_found(service: Service) -> None:
    mine, other = await service.sign_in(), await service.sign_in()
    for row in (await rows(other)).values():
        refused = await mine.call("DELETE", f"{METHODS}/{row['id']}")
        assert refused.status_code == 404 and refused.json()["code"] == "method_not_found"
    refused = await mine.call("DELETE", f"{METHODS}/{await account_id(other)}")
    assert refused.status_code == 404


async def test_steps_out_of_order_name_the_one_that_is_due(service: Service) -> None:
    phone = await service.sign_in()
    path, _ = await begin_phone(service, phone)
    wrong = await phone.call("POST", f"{path}/authorize", {"state": "x", "code": "y"})
    assert wrong.status_code == 409 and wrong.json()["step"] == "otp"
    asked = (await phone.call("POST", METHODS, {"type": "vneid"})).json()
    wrong = await phone.call("POST", f"{METHODS}/{asked['id']}/otp", {"code": "000000"})
    assert wrong.status_code == 409 and wrong.json()["step"] == "authorize"


async def test_the_vneid_of_somebody_else_is_not_linked(service: Service) -> None:
    person, stranger, known = service.person(), service.person(), service.person()
    await service.sign_in(known)
    phone = await service.sign_in(person)
    found = await give_password(service, phone)
    for somebody in (stranger, known):
        refused = await link_vneid(service, phone, somebody)
        assert refused.status_code == 409 and refused.json()["code"] == "identity_of_another"
    async with service.db.read() as tx:
        linked = await tx.scalars(select(Identity.subject).where(Identity.account_id == found))
        assert list(linked) == [person.sub]


async def test_an_answer_of_vneid_is_taken_once_and_only_with_its_state(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    await give_password(service, phone)
    await phone.call("DELETE", f"{METHODS}/{(await rows(phone))['vneid']['id']}")
    asked = (await phone.call("POST", METHODS, {"type": "vneid"})).json()
    back = await service.consent(asked["authorization_url"], person)
    path = f"{METHODS}/{asked['id']}/authorize"
    answers = await asyncio.gather(*(phone.call("POST", path, back) for _ in range(WIDE)))
    assert statuses(list(answers)) == {200: 1, 409: WIDE - 1}, [answer.text for answer in answers]
    asked = (await phone.call("POST", METHODS, {"type": "vneid"})).json()
    other = await service.consent(asked["authorization_url"], person)
    path = f"{METHODS}/{asked['id']}/authorize"
    refused = await phone.call("POST", path, other | {"state": back["state"]})
    assert refused.status_code == 403 and refused.json()["code"] == "login_refused"
    over = await phone.call("POST", path, other)
    assert over.status_code == 409 and over.json()["step"] == "ended"


async def test_an_addition_that_began_before_a_phone_change_is_looked_at_again(service: Service) -> None:
    phone = await service.sign_in()
    path, code = await begin_phone(service, phone)
    async with service.db.write() as tx:
        changed = update(Account).where(Account.id == await account_id(phone))
        await tx.execute(changed.values(phone_changed_at=service.clock.now()))
    refused = await phone.call("POST", f"{path}/otp", {"code": code})
    assert refused.status_code == 403 and refused.json()["required"]["method"] == "vneid"


async def test_tp06_wrong_passwords_are_counted_as_at_the_door(service: Service) -> None:
    phone = await service.sign_in()
    await give_password(service, phone)
    wrong = {"current": "Sai-mật-khẩu-1", "new": SECOND}
    answers = [await phone.call("POST", "/v1/me/password", wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_attempts"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 900
    right = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": SECOND})
    assert right.status_code == 429, "also the right one has to wait"
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "everything else stays open"


async def test_of_many_changes_with_one_current_password_one_is_made(service: Service) -> None:
    phone = await service.sign_in()
    await give_password(service, phone)
    bodies = [{"current": FIRST, "new": f"Bí-mật-thứ-{number}-Ả"} for number in range(4)]
    answers = await asyncio.gather(*(phone.call("POST", "/v1/me/password", body) for body in bodies))
    assert statuses(list(answers))[204] == 1, [answer.text for answer in answers]


async def test_a_changed_password_ends_every_other_session_and_what_waits(service: Service) -> None:
    phone = await service.sign_in()
    found = await give_password(service, phone)
    path, code = await begin_phone(service, phone)
    elsewhere = await a_workspace_session(service, found)
    done = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": SECOND})
    assert done.status_code == 204, done.text
    async with service.db.read() as tx:
        ended = await tx.get_one(Session, elsewhere)
        assert ended.ended_at is not None and ended.end_reason == "password_changed"
    gone = await phone.call("POST", f"{path}/otp", {"code": code})
    assert gone.status_code == 404 and gone.json()["code"] == "flow_not_found"
    assert (await phone.call("GET", "/v1/me")).status_code == 200


async def a_workspace_session(service: Service, found: UUID) -> UUID:
    """The same person in a browser."""
    now = service.clock.now()
    session = Session(
        id=new_id(), account_id=found, kind="workspace", epoch=0, method="vneid", created_at=now
    )
    session.access_hash, session.assurance_level = token_hash(str(session.id)), 2
    session.access_expires_at = session.absolute_expires_at = now.replace(year=now.year + 1)
    session.authenticated_at = session.last_seen_at = now
    session.device_platform = session.device_name = session.device_model = "trình duyệt"
    async with service.db.write() as tx:
        tx.add(session)
        fact = SessionOpened(subject=found, session=session.id, kind="workspace", method="vneid", epoch=0)
        service.kit.journal.record(tx, fact, by=found, now=now)
    return session.id


async def test_of_many_erasures_at_once_one_is_made(service: Service) -> None:
    for _ in range(3):
        phone = await service.sign_in()
        answers = await asyncio.gather(*(phone.call("DELETE", "/v1/me") for _ in range(WIDE)))
        assert statuses(list(answers)) == {204: 1, 401: WIDE - 1}, [answer.text for answer in answers]
        codes = {answer.json()["code"] for answer in answers if answer.status_code == 401}
        assert codes == {"session_revoked"}


async def test_an_erasure_and_everything_else_at_once_leave_nothing_personal(service: Service) -> None:
    for _ in range(3):
        phone = await service.sign_in()
        found = await account_id(phone)
        path, code = await begin_phone(service, phone)
        calls: list[Any] = [
            phone.call("PATCH", "/v1/me/identity", {"attributes": {"email": "sot@vi-du.example"}}),
            phone.call("PUT", "/v1/me/consents/notices_by_sms", {"given": True}),
            phone.call("POST", f"{path}/otp", {"code": code}),
            phone.call("POST", METHODS, {"type": "vneid"}),
            phone.call("DELETE", "/v1/me"),
            phone.call("GET", "/v1/me/export"),
            phone.call("PATCH", "/v1/me/identity", {"attributes": {"hometown": "Phú Vang"}}),
        ]
        answers = await asyncio.gather(*calls)
        assert answers[4].status_code == 204, answers[4].text
        assert all(answer.status_code < 500 for answer in answers), [answer.text for answer in answers]
        async with service.db.read() as tx:
            held = select(func.count()).select_from(Phone).where(Phone.account_id == found)
            assert await tx.scalar(held) == 0
            given = select(Consent).where(Consent.account_id == found, Consent.withdrawn_at.is_(None))
            assert list(await tx.scalars(given)) == []


async def test_tc01_a_stolen_token_alone_changes_nothing(service: Service) -> None:
    phone = await service.sign_in()
    await give_password(service, phone)
    await add_phone(service, phone)
    thief = service.phone()
    thief.session = phone.session
    row = (await rows(phone))["phone"]
    for method, path, body in (
        ("GET", "/v1/me/identity", None),
        ("PATCH", "/v1/me/identity", {"attributes": {"email": "trom@vi-du.example"}}),
        ("POST", METHODS, {"type": "phone", "phone": service.mobile_number()}),
        ("DELETE", f"{METHODS}/{row['id']}", None),
        ("POST", "/v1/me/password", {"current": FIRST, "new": SECOND}),
        ("GET", "/v1/me/export", None),
        ("DELETE", "/v1/me", None),
    ):
        refused = await thief.call(method, path, body)
        assert refused.status_code == 401 and refused.json()["code"] == "invalid_dpop_proof", (
            path,
            refused.text,
        )
        bare = await service.http.request(method, path, json=body)
        assert bare.status_code == 401, path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/me/identity", {}),
        ("PATCH", "/v1/me/identity", {"attributes": {}}),
        ("PATCH", "/v1/me/identity", {"attributes": {"email": 5}}),
        ("PATCH", "/v1/me/identity", {"attributes": {"email": "a@b.example"}, "kind": "agency"}),
        ("PATCH", "/v1/me/identity", {"attributes": {"x" * 41: "a"}}),
        ("PATCH", "/v1/me/identity", {"attributes": [["email", "a@b.example"]]}),
        ("POST", METHODS, {"type": "password"}),
        ("POST", METHODS, {"type": "phone"}),
        ("POST", METHODS, {"type": "vneid", "phone": "0550000001"}),
        ("POST", METHODS, {"type": "phone", "phone": "0550000001", "certificate": "x"}),
        ("POST", "/v1/me/password", {"current": "", "new": SECOND}),
        ("POST", "/v1/me/password", {"current": FIRST, "new": "x" * 1025}),
        ("POST", "/v1/me/password", {"new": SECOND}),
        ("PUT", "/v1/me/consents/notices_by_sms", {"given": None}),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    service: Service, method: str, path: str, body: Any
) -> None:
    phone = await service.sign_in()
    refused = await phone.call(method, path, body)
    assert refused.status_code in (400, 422), refused.text
    assert refused.json()["code"] == "validation_failed" and refused.json()["errors"]
