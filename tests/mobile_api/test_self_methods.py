"""The ways into one's own account over HTTP: listed, added, removed, the password changed (rule 142)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from backend.account import Account
from backend.accounts.models import Access, Certificate
from backend.accounts.passwords import passwords
from backend.db import new_id
from backend.journal import Entry
from backend.support.models import Notice
from tests.phone import Phone
from tests.service import Service

METHODS = "/v1/me/auth-methods"
FIRST, SECOND = "Bí-mật-của-Tí-1", "Bí-mật-của-Tí-2"


async def account_id(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def give_password(service: Service, phone: Phone, text: str = FIRST) -> UUID:
    """A password, as a registration or a recovery leaves it."""
    found = await account_id(phone)
    stored = await service.app.door.passwords.hashed(text)
    async with service.db.write() as tx:
        await passwords.put(tx, found, stored, now=service.clock.now())
    return found


async def rows(phone: Phone) -> dict[str, dict[str, Any]]:
    """The last method of each type."""
    answer = await phone.call("GET", METHODS)
    assert answer.status_code == 200, answer.text
    return {row["type"]: row for row in answer.json()["items"]}


async def add_phone(service: Service, phone: Phone, number: str | None = None) -> dict[str, Any]:
    """Another number, by its code."""
    number = number or service.mobile_number()
    asked = await phone.call("POST", METHODS, {"type": "phone", "phone": number})
    assert asked.status_code == 201, asked.text
    assert asked.json()["step"] == "otp" and asked.json()["sent_to"].startswith("055****")
    path = f"{METHODS}/{asked.json()['id']}/otp"
    done = await phone.call("POST", path, {"code": service.code_for(number)})
    assert done.status_code == 200, done.text
    assert done.json()["step"] == "done"
    made: dict[str, Any] = done.json()["method"]
    return made


async def link_vneid(service: Service, phone: Phone, person: Any) -> Any:
    """VNeID's own sign-in, brought to the account."""
    asked = await phone.call("POST", METHODS, {"type": "vneid"})
    assert asked.status_code == 201 and asked.json()["step"] == "authorize", asked.text
    back = await service.consent(asked.json()["authorization_url"], person)
    return await phone.call("POST", f"{METHODS}/{asked.json()['id']}/authorize", back)


async def tags(service: Service, found: UUID) -> list[str]:
    async with service.db.read() as tx:
        query = select(Entry.tag).where(Entry.subject == found).order_by(Entry.seq)
        return [tag for tag in await tx.scalars(query) if tag.startswith(("account.method", "password."))]


async def told(service: Service, found: UUID) -> list[str]:
    async with service.db.read() as tx:
        query = select(Notice.kind).where(Notice.account_id == found).order_by(Notice.at, Notice.id)
        return list(await tx.scalars(query))


async def test_every_way_in_is_listed_and_the_last_one_is_not_removable(service: Service) -> None:
    phone = await service.sign_in()
    found = await rows(phone)
    assert set(found) == {"vneid", "phone"}
    assert set(found["vneid"]) == {"id", "type", "label", "added_at", "last_used_at", "removable", "state"}
    assert (found["vneid"]["removable"], found["phone"]["removable"]) == (False, True)
    refused = await phone.call("DELETE", f"{METHODS}/{found['vneid']['id']}")
    assert refused.status_code == 409 and refused.json()["code"] == "last_method"
    await give_password(service, phone)
    found = await rows(phone)
    assert {kind: row["removable"] for kind, row in found.items()} == {
        "vneid": True,
        "password": True,
        "phone": False,
    }


async def test_a_phone_alone_is_no_way_in(service: Service) -> None:
    phone = await service.sign_in()
    found = await give_password(service, phone)
    await add_phone(service, phone)
    listed = await rows(phone)
    assert (await phone.call("DELETE", f"{METHODS}/{listed['vneid']['id']}")).status_code == 204
    refused = await phone.call("DELETE", f"{METHODS}/{found}")
    assert refused.status_code == 409 and refused.json()["code"] == "last_method", "two phones are left"


async def test_a_phone_is_added_by_its_code(service: Service) -> None:
    phone = await service.sign_in()
    found = await account_id(phone)
    made = await add_phone(service, phone)
    assert made["type"] == "phone" and made["label"].startswith("055****")
    assert len((await phone.call("GET", "/v1/me")).json()["phones"]) == 2
    assert await tags(service, found) == ["account.method_added"]
    assert await told(service, found) == ["method_added"]


async def test_a_number_that_the_account_has_is_not_added_twice(service: Service) -> None:
    phone = await service.sign_in()
    number = service.mobile_number()
    await add_phone(service, phone, number)
    again = await phone.call("POST", METHODS, {"type": "phone", "phone": number})
    assert again.status_code == 409 and again.json()["code"] == "method_exists"


async def test_five_wrong_codes_end_an_addition(service: Service) -> None:
    phone = await service.sign_in()
    number = service.mobile_number()
    asked = await phone.call("POST", METHODS, {"type": "phone", "phone": number})
    path = f"{METHODS}/{asked.json()['id']}/otp"
    right = service.code_for(number)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    answers = [await phone.call("POST", path, {"code": wrong}) for _ in range(5)]
    assert [answer.json()["attempts_left"] for answer in answers] == [4, 3, 2, 1, 0]
    spent = await phone.call("POST", path, {"code": right})
    assert spent.status_code == 410 and spent.json()["code"] == "otp_exhausted"
    soon = await phone.call("POST", f"{path}/resend")
    assert soon.status_code == 429 and soon.json()["code"] == "otp_too_soon"


async def test_removing_the_main_phone_makes_another_the_main_one(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    await give_password(service, phone)
    first = (await rows(phone))["phone"]
    second = await add_phone(service, phone)
    assert (await phone.call("DELETE", f"{METHODS}/{first['id']}")).status_code == 204
    page = (await phone.call("GET", "/v1/me/identity")).json()["attributes"]
    assert next(line["value"] for line in page if line["name"] == "phone") == second["label"]
    service.pass_time(seconds=1)
    await service.sign_in(person, phone)  # the number for codes is another one: the day is a careful one
    refused = await phone.call("DELETE", f"{METHODS}/{second['id']}")
    assert refused.status_code == 409 and refused.json()["code"] == "last_method", (
        "the password needs a phone"
    )


async def test_vneid_is_removed_and_linked_again(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    found = await give_password(service, phone)
    linked = (await rows(phone))["vneid"]
    assert (await phone.call("DELETE", f"{METHODS}/{linked['id']}")).status_code == 204
    assert "vneid" not in await rows(phone)
    done = await link_vneid(service, phone, person)
    assert done.status_code == 200, done.text
    assert done.json()["step"] == "done" and done.json()["method"]["type"] == "vneid"
    again = await link_vneid(service, phone, person)
    assert again.status_code == 409 and again.json()["code"] == "method_exists"
    assert await tags(service, found) == ["account.method_removed", "account.method_added"]
    assert await told(service, found) == ["method_removed", "method_added"]


async def test_a_certificate_that_ran_out_is_no_way_in(service: Service) -> None:
    phone = await service.sign_in()
    found, now = await account_id(phone), service.clock.now()
    async with service.db.write() as tx:
        held = Certificate(id=new_id(), account_id=found, thumbprint=found.bytes, added_at=now)
        held.label = service.kit.keys.seal("certificates.label", held.id, "Người Thử · CA Thử")
        held.valid_until = now - timedelta(days=1)
        tx.add(held)
    listed = await rows(phone)
    assert listed["certificate"]["label"] == "Người Thử · CA Thử" and listed["certificate"]["removable"]
    assert not listed["vneid"]["removable"]
    async with service.db.write() as tx:
        (await tx.get_one(Certificate, held.id)).valid_until = now + timedelta(days=1)
    assert (await rows(phone))["vneid"]["removable"]
    assert (await phone.call("DELETE", f"{METHODS}/{held.id}")).status_code == 204
    assert "certificate" not in await rows(phone)


async def test_adding_and_removing_want_a_fresh_sign_in(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    row = (await rows(phone))["phone"]
    service.pass_time(seconds=301)
    fresh = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    phone.session = fresh.json()["session"]
    for call in (
        phone.call("POST", METHODS, {"type": "phone", "phone": service.mobile_number()}),
        phone.call("POST", METHODS, {"type": "vneid"}),
        phone.call("DELETE", f"{METHODS}/{row['id']}"),
    ):
        refused = await call
        assert refused.status_code == 403 and refused.json()["code"] == "insufficient_assurance"
        assert refused.json()["required"] == {"max_age": 300}
    await service.sign_in(person, phone)
    assert (await phone.call("DELETE", f"{METHODS}/{row['id']}")).status_code == 204


async def test_for_a_day_after_a_phone_change_only_a_newer_vneid_sign_in_will_do(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    found = await give_password(service, phone)
    async with service.db.write() as tx:
        changed = update(Account).where(Account.id == found)
        await tx.execute(changed.values(phone_changed_at=service.clock.now()))
    for path, body in (
        (METHODS, {"type": "vneid"}),
        ("/v1/me/password", {"current": FIRST, "new": SECOND}),
    ):
        refused = await phone.call("POST", path, body)
        assert refused.status_code == 403 and refused.json()["required"]["method"] == "vneid", refused.text
    service.pass_time(seconds=1)
    await service.sign_in(person, phone)
    changed_now = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": SECOND})
    assert changed_now.status_code == 204


async def test_a_changed_password_is_told_and_the_old_one_is_wrong(service: Service) -> None:
    phone = await service.sign_in()
    found = await give_password(service, phone)
    done = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": SECOND})
    assert done.status_code == 204, done.text
    wrong = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": "Bí-mật-của-Tí-3"})
    assert wrong.status_code == 401 and wrong.json()["code"] == "credentials_wrong"
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "the session itself goes on"
    assert await tags(service, found) == ["password.set"] and await told(service, found) == [
        "password_changed"
    ]
    async with service.db.read() as tx:
        tries = select(Access.result).where(Access.account_id == found, Access.method == "password")
        assert list(await tx.scalars(tries)) == ["failure"]


async def test_a_new_password_must_be_good(service: Service) -> None:
    phone = await service.sign_in()
    await give_password(service, phone)
    for new, code in (
        ("Ngắn-1", "too_short"),
        ("bí-mật-của-tí-1", "needs_upper"),
        ("Matkhau@123", "too_common"),
    ):
        refused = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": new})
        assert refused.status_code == 422, refused.text
        assert code in {error["code"] for error in refused.json()["errors"]}
        assert {error["field"] for error in refused.json()["errors"]} == {"new"}


async def test_whoever_has_no_password_cannot_change_one(service: Service) -> None:
    phone = await service.sign_in()
    refused = await phone.call("POST", "/v1/me/password", {"current": FIRST, "new": SECOND})
    assert refused.status_code == 409 and refused.json()["code"] == "no_password"
    assert "chưa có mật khẩu" in refused.json()["title"] and "VNeID" in refused.json()["title"]
    assert "password" not in await rows(phone)
