"""The identity page, access history and consents over HTTP (rules 141, 143, 145; source 001, 3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from backend.account import Account
from backend.accounts.identity.numbers import TAX_CODE, identifier_row
from backend.accounts.models import Access, Consent
from backend.accounts.self import history
from backend.db import new_id
from backend.journal import Entry
from ngomon import tasks
from tests.phone import Phone
from tests.service import Service

CITIZEN = (
    "full_name gender old_id_number national_id birth_date birth_place hometown permanent_address phone email"
)
ENTERPRISE = "organization_name tax_code phone email address"
AGENCY = "organization_name agency_code parent_agency phone email address"


async def attributes(phone: Phone) -> dict[str, dict[str, Any]]:
    answer = await phone.call("GET", "/v1/me/identity")
    assert answer.status_code == 200, answer.text
    return {line["name"]: line for line in answer.json()["attributes"]}


async def account_id(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def put(service: Service, phone: Phone, **values: object) -> UUID:
    """Change the caller's account as some other part of the product would."""
    found = await account_id(phone)
    async with service.db.write() as tx:
        await tx.execute(
            update(Account).where(Account.id == found).values(version=Account.version + 1, **values)
        )
    return found


async def edit(who: Phone, **values: object) -> Any:
    return await who.call("PATCH", "/v1/me/identity", {"attributes": values})


async def test_a_citizen_sees_every_attribute_in_the_order_of_the_source(service: Service) -> None:
    person = service.person("Vũ Thị Danh")
    phone = await service.sign_in(person)
    found = await attributes(phone)
    assert list(found) == CITIZEN.split()
    assert found["full_name"] | {"verified_at": ""} == {
        "name": "full_name",
        "value": "Vũ Thị Danh",
        "state": "verified",
        "source": "vneid",
        "verified_at": "",
    }
    assert found["national_id"]["value"] == f"000******{person.national_id[-3:]}"
    assert (found["birth_date"]["value"], found["birth_date"]["state"]) == ("1990-02-03", "verified")
    assert found["phone"]["value"].startswith("055****") and found["phone"]["state"] == "verified"
    for name in ("old_id_number", "birth_place", "hometown", "permanent_address", "email"):
        assert found[name] == {
            "name": name,
            "value": None,
            "state": "missing",
            "source": None,
            "verified_at": None,
        }


async def test_an_organisation_sees_the_attributes_of_its_kind(service: Service) -> None:
    for kind, wanted in (("enterprise", ENTERPRISE), ("agency", AGENCY)):
        phone = await service.sign_in(service.person("Công ty Thử"))
        await put(service, phone, kind=kind)
        found = await attributes(phone)
        assert list(found) == wanted.split()
        assert found["organization_name"]["value"] == "Công ty Thử"
        refused = await edit(phone, organization_name="Khác")
        assert refused.status_code == 409 and refused.json()["code"] == "attribute_verified"


async def test_a_tax_code_is_shown_by_the_one_mask(service: Service) -> None:
    phone = await service.sign_in()
    found = await put(service, phone, kind="enterprise")
    async with service.db.write() as tx:
        number = f"9{found.int % 10**9:09d}-001"
        row = identifier_row(
            service.kit, found, TAX_CODE, number, source="certificate", now=service.clock.now()
        )
        tx.add(row)
    line = (await attributes(phone))["tax_code"]
    assert line["value"] == f"{number[:3]}********{number[-3:]}" and line["source"] == "certificate"


async def test_what_nobody_vouches_for_is_written_replaced_and_taken_back(service: Service) -> None:
    phone = await service.sign_in()
    made = await edit(
        phone, email="  An.Thu@Vi-Du.Example ", hometown="  Phú   Vang, Huế ", old_id_number="000111222"
    )
    assert made.status_code == 200, made.text
    found = await attributes(phone)
    assert (found["email"]["value"], found["email"]["state"], found["email"]["source"]) == (
        "an.thu@vi-du.example",
        "unverified",
        "self",
    )
    assert found["hometown"]["value"] == "Phú Vang, Huế" and found["hometown"]["verified_at"] is None
    assert found["old_id_number"]["value"] == "000***222"
    assert (
        await edit(phone, email="khac@vi-du.example", hometown=None, old_id_number=" ")
    ).status_code == 200
    found = await attributes(phone)
    assert found["email"]["value"] == "khac@vi-du.example"
    assert found["hometown"]["state"] == found["old_id_number"]["state"] == "missing"


async def test_what_was_vouched_for_cannot_be_edited(service: Service) -> None:
    phone = await service.sign_in()
    for name in ("full_name", "national_id", "birth_date", "gender"):
        refused = await edit(phone, **{name: "Khác", "email": "khong@ghi.example"})
        assert refused.status_code == 409, refused.text
        assert (refused.json()["code"], refused.json()["attribute"]) == ("attribute_verified", name)
    refused = await edit(phone, phone="0550000001")
    assert refused.status_code == 409 and refused.json()["code"] == "use_phone_change"
    assert (await attributes(phone))["email"]["state"] == "missing", "all of an edit, or nothing"


async def test_bad_values_and_unknown_names_are_named(service: Service) -> None:
    phone = await service.sign_in()
    bad = {
        "email": [
            "a",
            "a@b",
            "a@b.c",
            "a b@c.example",
            "a@@c.example",
            f"{'a' * 250}@c.example",
            "a@c.example\u200b",
        ],
        "hometown": ["x" * 201, "a\u202eb", "\u0007"],
        "old_id_number": ["12345678", "1234567890", "٠٠٠١١١٢٢٢"],
    }
    for name, values in bad.items():
        for value in values:
            refused = await edit(phone, **{name: value})
            assert refused.status_code == 422, (name, value)
            assert refused.json()["errors"][0]["field"] == f"attributes.{name}"
    strange = await edit(phone, nickname="Tí", email="tot@vi-du.example")
    assert strange.status_code == 422
    assert strange.json()["errors"] == [
        {"field": "attributes.nickname", "code": "unknown", "message": "Trường này không có, vui lòng bỏ đi"}
    ]
    assert (await attributes(phone))["email"]["state"] == "missing"


async def test_an_enterprise_keeps_an_address_that_is_read(service: Service) -> None:
    phone = await service.sign_in()
    await put(service, phone, kind="enterprise")
    assert (await edit(phone, email="cong-ty@vi-du.example")).status_code == 200
    refused = await edit(phone, email=None)
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "required"


async def test_the_page_says_which_field_disagrees_and_whom_to_call(service: Service) -> None:
    phone = await service.sign_in()
    page = (await phone.call("GET", "/v1/me/identity")).json()
    hotlines = [{"name": "VNeID", "phone": "19000368"}, {"name": "Hue-S", "phone": "19001075"}]
    assert page["standardization"] == {"state": "done", "fields": [], "hotlines": hotlines}
    await put(service, phone, vouched_by="subscriber", differs="full_name")
    page = (await phone.call("GET", "/v1/me/identity")).json()
    assert page["standardization"] == {"state": "failed", "fields": ["full_name"], "hotlines": hotlines}
    lines = {line["name"]: line for line in page["attributes"]}
    assert (lines["full_name"]["state"], lines["full_name"]["verified_at"]) == ("unverified", None)
    assert lines["birth_date"]["state"] == "verified"
    me = (await phone.call("GET", "/v1/me")).json()
    assert (me["kind"], me["assurance_scheme"]) == ("citizen", "ial")


async def test_the_history_shows_tries_newest_first_page_by_page(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    found = await account_id(phone)
    async with service.db.write() as tx:
        for number in range(60):
            history.remember(
                tx,
                found,
                method="password",
                good=number % 2 == 0,
                device=f"Máy {number}",
                place="Huế" if number % 3 else None,
                now=service.clock.now(),
            )
    first = (await phone.call("GET", "/v1/me/access-history")).json()
    assert len(first["items"]) == 50 and first["next_cursor"]
    second = (await phone.call("GET", f"/v1/me/access-history?cursor={first['next_cursor']}")).json()
    rows = first["items"] + second["items"]
    assert second["next_cursor"] is None and len(rows) == 61
    assert set(rows[0]) == {"at", "method", "result", "device", "place", "session_id"}
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert {row["result"] for row in rows} == {"success", "failure"}
    assert {row["place"] for row in rows} == {"Huế", None}
    assert (rows[-1]["method"], rows[-1]["result"]) == ("vneid", "success")
    assert rows[-1]["session_id"] == phone.session["session_id"]


async def test_a_cursor_that_no_list_gave_out_is_refused(service: Service) -> None:
    phone = await service.sign_in()
    for cursor in ("x", "YWJj", "MjAyNi0wMS0wMVQwMDowMDowMHxhYmM", "MjAyNi0wMS0wMQ"):
        answer = await phone.call("GET", f"/v1/me/access-history?cursor={cursor}")
        assert answer.status_code == 400 and answer.json()["code"] == "cursor_invalid", answer.text


async def test_tries_are_forgotten_after_a_year(service: Service) -> None:
    phone = await service.sign_in()
    found, now, limits = await account_id(phone), service.clock.now(), service.kit.limits
    async with service.db.write() as tx:
        for days in (limits.history_days - 1, limits.history_days + 1):
            past = now - timedelta(days=days)
            line = Access(id=_id_at(past), account_id=found, at=past, method="vneid", result="success")
            line.device = f"{days} ngày trước"
            tx.add(line)
    shown = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [row["device"] for row in shown] == ["Điện thoại thử", f"{limits.history_days - 1} ngày trước"]
    await tasks.sweep(service.db, limits, now)
    async with service.db.read() as tx:
        kept = await tx.scalars(select(Access.device).where(Access.account_id == found))
        assert set(kept) == {row["device"] for row in shown}


def _id_at(moment: datetime) -> UUID:
    """The identifier of a row that was written at that time (UUID version 7)."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (new_id().int & ((1 << 80) - 1)))


async def test_nothing_is_allowed_by_default_and_each_word_is_kept(service: Service) -> None:
    phone = await service.sign_in()
    listed = (await phone.call("GET", "/v1/me/consents")).json()["items"]
    assert {row["basis"] for row in listed} == {"consent", "public_duty", "contract"}
    assert all(row["given_at"] is None and row["withdrawn_at"] is None for row in listed)
    purpose = next(row["purpose"] for row in listed if row["basis"] == "consent")
    for given in (True, True, False, False, True):
        answer = await phone.call("PUT", f"/v1/me/consents/{purpose}", {"given": given})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["withdrawn_at"] is None) == given and answer.json()["given_at"]
    found = await account_id(phone)
    async with service.db.read() as tx:
        rows = list(await tx.scalars(select(Consent).where(Consent.account_id == found)))
        facts = await tx.scalars(
            select(Entry.tag)
            .where(Entry.subject == found, Entry.tag.startswith("consent."))
            .order_by(Entry.seq)
        )
        assert list(facts) == ["consent.given", "consent.withdrawn", "consent.given"]
    assert [row.withdrawn_at is None for row in sorted(rows, key=lambda row: row.given_at)] == [False, True]


async def test_what_the_law_demands_does_not_ask_for_consent(service: Service) -> None:
    phone = await service.sign_in()
    refused = await phone.call("PUT", "/v1/me/consents/roles", {"given": False})
    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["basis"]) == ("not_by_consent", "public_duty")
    unknown = await phone.call("PUT", "/v1/me/consents/khac", {"given": True})
    assert unknown.status_code == 404 and unknown.json()["code"] == "purpose_unknown"
    odd = await phone.call("PUT", "/v1/me/consents/notices_by_sms", {"given": "yes"})
    assert odd.status_code == 400
