"""The copy of everything and the erasure, over HTTP (rules 145, 903)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from backend.account import Account
from backend.accounts.identity.numbers import holder_of
from backend.accounts.models import Consent
from backend.accounts.self import personal_data
from backend.db import Base, new_id
from backend.owed.models import Message
from backend.roles import acts, managers
from backend.roles.models import RoleRequest
from backend.roles.movements import END
from backend.support import notices
from backend.support.models import Case, CaseMessage, Desk, Notice
from demo.persona import Persona
from tests.mobile_api.test_roles import a_province, approve, body
from tests.phone import Phone
from tests.service import Service

ERASED = "Tài khoản đã xóa"
KEYS = (
    "account identity auth_methods sessions access_history roles role_requests consents support_cases notices"
)


async def account_id(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def a_case(service: Service, found: UUID, words: str, *, status: str = "open") -> UUID:
    """A request for help, as the desk keeps it."""
    now, kit = service.clock.now(), service.kit
    desk = Desk(id=new_id(), name="Bàn thử", mailbox="ban@vi-du.example", phone="19001075", added_at=now)
    desk.code, desk.removed_at = desk.id.hex[-12:], now  # whatever names no desk goes to those of other tests
    case = Case(
        id=new_id(), desk_id=desk.id, account_id=found, origin="app", opened_at=now, desk_wrote_at=now
    )
    case.code, case.status, case.version = f"SD260101-{case.id.int % 10**6:06d}", status, 1
    case.subject = kit.keys.seal("support_cases.subject", case.id, words)
    case.mail_address = kit.keys.seal("support_cases.mail_address", case.id, "nguoi-hoi@vi-du.example")
    message = CaseMessage(id=new_id(), case_id=case.id, author="person", by=found, at=now)
    message.text = kit.keys.seal("support_messages.text", message.id, words)
    async with service.db.write() as tx:
        tx.add(desk)
        await tx.flush()
        tx.add(case)
        await tx.flush()
        tx.add(message)
        notices.tell(tx, kit, found, "case_opened", now=now, code=case.code)
    return case.id


async def in_office(service: Service) -> tuple[Phone, Persona, str]:
    """Somebody with a role in force; the phone, the person, the manager's number."""
    boss = await a_province(service)
    person = service.person("Trần Văn Chức")
    phone = await service.sign_in(person)
    asked = await phone.call(
        "POST", "/v1/role-requests", body(fields={"official_email": f"{person.key}@hue.example"})
    )
    assert asked.status_code == 201, asked.text
    await approve(service, asked.json()["id"], boss)
    return phone, person, boss


async def end_role(service: Service, phone: Phone, boss: str) -> None:
    """The manager ends the role, and the time to take that back goes by."""
    (role,) = (await phone.call("GET", "/v1/roles")).json()["items"]
    async with service.db.write() as tx:
        by = await holder_of(tx, service.kit, boss)
        assert by is not None
        done = await acts.act(
            tx, service.kit, UUID(role["id"]), END, reason="Nghỉ hưu", by=by, now=service.clock.now()
        )
        assert isinstance(done, RoleRequest)


async def naming(service: Service, found: UUID) -> str:
    """Every row of every table that mentions the account, as the database holds it."""
    lines = []
    async with service.db.read() as tx:
        for table in Base.metadata.sorted_tables:
            lines += [str(row) for row in await tx.execute(select(table))]
    return "\n".join(line for line in lines if str(found) in line)


async def about(service: Service, found: UUID) -> dict[str, int]:
    """How many rows of each table name the account."""
    counted = {}
    async with service.db.read() as tx:
        for table in Base.metadata.sorted_tables:
            if "account_id" in table.columns:
                rows = await tx.execute(
                    select(table.columns["account_id"]).where(table.columns["account_id"] == found)
                )
                counted[table.name] = len(rows.all())
    return {name: count for name, count in counted.items() if count}


async def test_the_copy_holds_everything_unmasked_under_the_names_of_the_contract(service: Service) -> None:
    phone, person, _ = await in_office(service)
    found = await account_id(phone)
    await phone.call("PATCH", "/v1/me/identity", {"attributes": {"email": "chuc@vi-du.example"}})
    await phone.call("PUT", "/v1/me/consents/notices_by_sms", {"given": True})
    await a_case(service, found, "Tôi không đăng nhập được")
    answer = await phone.call("GET", "/v1/me/export")
    assert answer.status_code == 200, answer.text
    assert (
        answer.headers["content-type"] == "application/json" and answer.headers["cache-control"] == "no-store"
    )
    copied = answer.json()
    assert set(KEYS.split()) <= set(copied)
    assert [row["value"] for row in copied["account"]["identifiers"]] == [person.national_id]
    assert copied["account"]["full_name"] == "Trần Văn Chức"
    identity = {line["name"]: line["value"] for line in copied["identity"]}
    assert identity["email"] == "chuc@vi-du.example" and identity["phone"].startswith("+84550")
    assert {row["type"] for row in copied["auth_methods"]} == {"vneid", "phone"}
    assert [row["id"] for row in copied["sessions"]] == [phone.session["session_id"]]
    assert [row["result"] for row in copied["access_history"]] == ["success"]
    (role,) = copied["roles"]
    assert (role["unit_code"], role["fields"]["official_email"]) == ("R-SNV", f"{person.key}@hue.example")
    assert len(copied["role_requests"]) == 1 and copied["role_requests"][0]["status"] == "approved"
    given = {row["purpose"]: row["given_at"] for row in copied["consents"]}
    assert given["notices_by_sms"] and not given["roles"]
    assert copied["support_cases"][0]["messages"][0]["text"] == "Tôi không đăng nhập được"
    assert {notice["kind"] for notice in copied["notices"]} >= {"case_opened"}
    assert {"account.opened", "account.exported"} <= {line["fact"] for line in copied["journal"]}


async def test_what_was_allowed_for_a_purpose_that_is_no_more_is_in_the_copy(service: Service) -> None:
    phone = await service.sign_in()
    async with service.db.write() as tx:
        now = service.clock.now()
        tx.add(Consent(account_id=await account_id(phone), purpose="statistics", given_at=now))
    listed = (await phone.call("GET", "/v1/me/consents")).json()["items"]
    assert "statistics" not in {row["purpose"] for row in listed}
    refused = await phone.call("PUT", "/v1/me/consents/statistics", {"given": False})
    assert (refused.status_code, refused.json()["code"]) == (404, "purpose_unknown")
    copied = (await phone.call("GET", "/v1/me/export")).json()["consents"]
    (former,) = [row for row in copied if row["purpose"] == "statistics"]
    assert former["basis"] == "consent" and len(former["proofs"]) == 1


async def test_the_copy_and_the_erasure_want_a_sign_in_of_ten_minutes_at_most(service: Service) -> None:
    phone = await service.sign_in()
    for seconds in (300, 301):
        service.pass_time(seconds=seconds)
        fresh = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
        phone.session = fresh.json()["session"]
    for method, path in (("GET", "/v1/me/export"), ("DELETE", "/v1/me")):
        refused = await phone.call(method, path)
        assert refused.status_code == 403 and refused.json()["code"] == "insufficient_assurance"
        assert refused.json()["required"] == {"max_age": 600}
    assert (await phone.call("GET", "/v1/me")).status_code == 200


async def test_after_the_erasure_the_token_is_dead_and_nothing_names_the_person(service: Service) -> None:
    person = service.person("Nguyễn Văn Quên")
    phone = await service.sign_in(person)
    found = await account_id(phone)
    await phone.call("PATCH", "/v1/me/identity", {"attributes": {"email": "quen@vi-du.example"}})
    await phone.call("PUT", "/v1/me/consents/notices_by_sms", {"given": True})
    case = await a_case(service, found, "Xin xóa tôi")
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204
    dead = await phone.call("GET", "/v1/me")
    assert dead.status_code == 401
    assert (dead.json()["code"], dead.json()["reason"]) == ("session_revoked", "account_erased")
    refresh = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    assert refresh.status_code == 401
    left = await about(service, found)
    assert set(left) == {"sessions", "consents", "support_cases"}, left
    assert "Điện thoại thử" not in await naming(service, found)
    async with service.db.read() as tx:
        account = await tx.get_one(Account, found)
        assert (account.status, account.birth_date, account.gender) == ("closed", None, None)
        assert service.kit.keys.open("accounts.full_name", found, account.full_name) == ERASED
        kept = await tx.get_one(Case, case)
        assert kept.status == "closed"
        assert "Xin" not in service.kit.keys.open("support_cases.subject", case, kept.subject)
        (message,) = await tx.scalars(select(CaseMessage).where(CaseMessage.case_id == case))
        assert "Xin" not in service.kit.keys.open("support_messages.text", message.id, message.text)
        count, trouble = await service.kit.journal.verify(tx)
        assert trouble is None and count > 0
        assert await holder_of(tx, service.kit, person.national_id) is None


async def test_a_later_sign_in_makes_a_new_account(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    before = await account_id(phone)
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204
    service.pass_time(seconds=60)  # the pause between two codes to one person
    again = await service.sign_in(person)
    assert await account_id(again) != before
    history = (await again.call("GET", "/v1/me/access-history")).json()["items"]
    assert len(history) == 1, "nothing of the old account comes back"


async def test_whoever_holds_a_role_is_told_why_not_and_may_go_afterwards(service: Service) -> None:
    phone, person, boss = await in_office(service)
    refused = await phone.call("DELETE", "/v1/me")
    assert refused.status_code == 409 and refused.json()["code"] == "erasure_refused"
    assert {"what": "role", "basis": "public_duty", "until": None} in refused.json()["reasons"]
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "and nothing has happened"
    await end_role(service, phone, boss)
    await service.sign_in(person, phone)
    soon = await phone.call("DELETE", "/v1/me")
    assert soon.status_code == 409, "the manager can still take it back"
    assert {reason["what"] for reason in soon.json()["reasons"]} == {"role_request"}
    service.pass_time(seconds=service.kit.limits.undo_window + 1)
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204
    async with service.db.read() as tx:
        by = await holder_of(tx, service.kit, boss)
        assert by is not None
    manager = await service.sign_in(
        service.stand.eid.personas[
            next(key for key, one in service.stand.eid.personas.items() if one.national_id == boss)
        ]
    )
    told = await manager.call("DELETE", "/v1/me")
    assert told.status_code == 409 and [one["what"] for one in told.json()["reasons"]] == ["manager"]


async def test_an_open_request_stands_in_the_way_until_it_is_withdrawn(service: Service) -> None:
    await a_province(service)
    phone = await service.sign_in()
    asked = (await phone.call("POST", "/v1/role-requests", body())).json()
    refused = await phone.call("DELETE", "/v1/me")
    assert refused.status_code == 409
    assert refused.json()["reasons"] == [{"what": "role_request", "basis": "public_duty", "until": None}]
    assert (await phone.call("POST", f"/v1/role-requests/{asked['id']}/withdraw")).status_code == 200
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204


async def test_a_dismissed_manager_may_go(service: Service) -> None:
    await a_province(service)
    person = service.person("Phó phòng")
    now = service.clock.now()
    async with service.db.write() as tx:
        await managers.add(tx, service.kit, "R-STC", person.national_id, by=None, now=now)
    phone = await service.sign_in(person)
    assert (await phone.call("DELETE", "/v1/me")).status_code == 409
    async with service.db.write() as tx:
        await managers.remove(tx, service.kit, "R-STC", person.national_id, by=None, now=now)
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204


async def test_of_erasures_and_requests_at_once_no_request_is_left_open(service: Service) -> None:
    await a_province(service)
    for _ in range(5):
        phone = await service.sign_in()
        found = await account_id(phone)
        answers = await asyncio.gather(
            phone.call("DELETE", "/v1/me"),
            phone.call("POST", "/v1/role-requests", body()),
            phone.call("DELETE", "/v1/me"),
        )
        assert all(answer.status_code < 500 for answer in answers), [answer.text for answer in answers]
        async with service.db.read() as tx:
            account = await tx.get_one(Account, found)
            asked = list(await tx.scalars(select(RoleRequest.status).where(RoleRequest.account_id == found)))
        assert account.status == "active" or "pending" not in asked


async def test_what_the_same_transaction_has_told_somebody_goes_with_an_erased_account(
    service: Service,
) -> None:
    phone = await service.sign_in()
    me = await account_id(phone)
    now = service.clock.now()
    async with service.db.write() as tx:
        account = await tx.get_one(Account, me)
        notices.tell(
            tx,
            service.kit,
            me,
            "role_changed",
            now=now,
            due=now + timedelta(seconds=10),
            unit="x",
            change="begun",
        )
        await personal_data.erase(tx, service.kit, account, now=now)
    async with service.db.read() as tx:
        assert list(await tx.scalars(select(Notice.id).where(Notice.account_id == me))) == []
        assert list(await tx.scalars(select(Message.id).where(Message.account_id == me))) == []
