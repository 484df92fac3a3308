"""Registering and signing in with a signing SIM or a USB token, over HTTP (source 001, 1.3, 1.4, 2.3, 2.4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.accounts.models import Certificate
from demo.ca import Mood
from tests.authority import subject
from tests.service import Service
from tests.signer import Token, facts, heal, last_reason


@pytest.fixture(autouse=True)
def _well(service: Service) -> None:
    heal(service)


def number(service: Service) -> str:
    """A personal number that nobody has yet."""
    return service.person().national_id


async def citizen(service: Service) -> tuple[Token, str]:
    """A citizen's token, and the number in it."""
    found = number(service)
    return await Token.issued(service, "citizen", found), found


async def test_a_citizen_registers_with_a_token_and_is_in_at_the_highest_level(service: Service) -> None:
    token, found = await citizen(service)
    phone = service.phone()
    shown, done = await token.register(phone, "citizen", email="Ky.Le@dan.example")
    assert shown.json()["step"] == "confirm"
    told = shown.json()["subject"]
    assert (told["full_name"], told["issuer"]) == ("Lê Thị Ký", "NGOMON-DEMO-CA")
    assert datetime.fromisoformat(told["valid_from"]) < datetime.fromisoformat(told["valid_until"])
    assert shown.json()["identifier"] == {"type": "national_id", "value": f"000******{found[-3:]}"}
    assert found not in shown.text and shown.json()["email_required"] is False
    assert done is not None and done.status_code == 200, done
    account = done.json()["account"]
    assert (account["kind"], account["full_name"]) == ("citizen", "Lê Thị Ký")
    assert (account["assurance_level"], account["assurance_scheme"], account["phones"]) == (3, "ial", [])
    page = (await phone.call("GET", "/v1/me/identity")).json()
    rows = {row["name"]: row for row in page.get("items", page.get("attributes", []))}
    assert (rows["email"]["value"], rows["email"]["state"]) == ("ky.le@dan.example", "unverified")
    assert (rows["full_name"]["state"], rows["full_name"]["source"]) == ("verified", "certificate")
    assert (rows["national_id"]["state"], rows["national_id"]["source"]) == ("verified", "certificate")


async def test_a_citizen_need_not_state_a_mail_address(service: Service) -> None:
    token, _ = await citizen(service)
    _, done = await token.register(service.phone(), "citizen")
    assert done is not None and done.status_code == 200


async def test_an_enterprise_must_state_a_mail_address(service: Service) -> None:
    code = "000" + number(service)[-7:]
    token = await Token.issued(service, "enterprise", f"{code}-001", "Công ty TNHH Thử Nghiệm")
    phone = service.phone()
    begun = (await token.begin_registration(phone, "enterprise")).json()
    at = f"/v1/registrations/{begun['id']}"
    shown = await token.brought(phone, at, begun["challenge"])
    assert shown.json()["subject"]["organization_name"] == "Công ty TNHH Thử Nghiệm"
    assert "full_name" not in shown.json()["subject"] and shown.json()["email_required"] is True
    for body, code_of_field in (({}, "missing"), ({"email": "không phải"}, None)):
        refused = await phone.open(f"{at}/confirm", body)
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert error["field"] == "email" and code_of_field in (None, error["code"])
    done = await phone.open(f"{at}/confirm", {"email": "vanthu@congty.example"})
    assert done.status_code == 200, done.text
    assert done.json()["account"]["kind"] == "enterprise"
    assert done.json()["account"]["identifiers"][0]["type"] == "tax_code"
    early = await Token.issued(service, "enterprise", code, "Công ty mẹ")
    begun = (await early.begin_registration(phone, "enterprise", email="me@congty.example")).json()
    at = f"/v1/registrations/{begun['id']}"
    assert (await early.brought(phone, at, begun["challenge"])).json()["email_required"] is False
    assert (await phone.open(f"{at}/confirm", {})).status_code == 200


async def test_an_agency_registers_by_its_code_in_either_notation_once(service: Service) -> None:
    tail = number(service)[-5:]
    phone = service.phone()
    token = await Token.issued(service, "agency", f"000.00.17.G{tail}", "Sở Thử nghiệm")
    shown, done = await token.register(phone, "agency")
    assert shown.json()["subject"]["organization_name"] == "Sở Thử nghiệm"
    assert done is not None and done.json()["account"]["kind"] == "agency"
    for spelling in (f"G{tail}.17", f"00.17.G{tail}", f"000.00.17.G{tail}"):
        again = await Token.issued(service, "agency", spelling, "Sở Thử nghiệm")
        shown, done = await again.register(service.phone(), "agency")
        assert (shown.status_code, shown.json()["code"], done) == (409, "account_exists", None)


@pytest.mark.parametrize("other", ["citizen", "enterprise", "agency"])
async def test_the_kind_must_be_the_certificates(service: Service, other: str) -> None:
    token = await Token.issued(service, "citizen", number(service))
    answer = await token.begin_registration(service.phone(), other)
    if other == "citizen":
        assert answer.status_code == 201
    else:
        assert answer.status_code == 422
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("kind", "another_kind")]


async def test_whoever_signed_is_told_of_the_account_that_there_is(service: Service) -> None:
    person = service.person()
    await service.sign_in(person)
    token = await Token.issued(service, "citizen", person.national_id, person.full_name)
    shown, done = await token.register(service.phone(), "citizen")
    assert (shown.status_code, shown.json()["code"], done) == (409, "account_exists", None)
    assert (await facts(service, "registration.refused"))[-1]["reason"] == "account_exists"


async def test_an_old_card_number_is_a_duplicate_too(service: Service) -> None:
    cmnd = "000" + number(service)[-6:]
    _, done = await (await Token.issued(service, "citizen", cmnd)).register(service.phone(), "citizen")
    assert done is not None and done.json()["account"]["identifiers"][0]["type"] == "old_id_number"
    shown, _ = await (await Token.issued(service, "citizen", cmnd)).register(service.phone(), "citizen")
    assert shown.json()["code"] == "account_exists"


async def test_two_registrations_that_confirm_at_once_open_one_account(service: Service) -> None:
    found, ready = number(service), []
    for _ in range(2):
        token, phone = await Token.issued(service, "citizen", found), service.phone()
        begun = (await token.begin_registration(phone, "citizen")).json()
        at = f"/v1/registrations/{begun['id']}"
        assert (await token.brought(phone, at, begun["challenge"])).status_code == 200
        ready.append((phone, at))
    answers = [await phone.open(f"{at}/confirm", {}) for phone, at in ready]
    assert [one.status_code for one in answers] == [200, 409]
    assert answers[1].json()["code"] == "account_exists"


async def test_a_registration_is_finished_with_the_certificate_that_it_began_with(service: Service) -> None:
    token, _ = await citizen(service)
    other, _ = await citizen(service)
    phone = service.phone()
    begun = (await token.begin_registration(phone, "citizen")).json()
    answer = await other.brought(phone, f"/v1/registrations/{begun['id']}", begun["challenge"])
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
    assert await last_reason(service) == "another_certificate"


async def test_the_holder_signs_in_again_and_sees_it(service: Service) -> None:
    token, found = await citizen(service)
    _, done = await token.register(service.phone(), "citizen")
    assert done is not None
    phone = service.phone("Máy mới")
    answer = await token.sign_in(phone)
    assert answer.status_code == 200 and answer.json()["replaced_device"]["name"] == "Điện thoại thử"
    assert answer.json()["account"]["id"] == done.json()["account"]["id"]
    history = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [(row["method"], row["result"]) for row in history] == [("certificate", "success")] * 2
    used = await facts(service, "certificate.used")
    assert used[-1]["checked_by"] == "ocsp" and found not in str(used)
    methods = (await phone.call("GET", "/v1/me/auth-methods")).json()["items"]
    (row,) = [one for one in methods if one["type"] == "certificate"]
    assert "NGOMON-DEMO-CA" in row["label"] and row["last_used_at"] and row["removable"] is False


async def test_a_good_certificate_of_nobody_is_asked_to_register(service: Service) -> None:
    token, _ = await citizen(service)
    answer = await token.sign_in(service.phone())
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_required")


async def test_an_account_without_certificates_is_not_opened_by_one(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    token = await Token.issued(service, "citizen", person.national_id)
    answer = await token.sign_in(service.phone())
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
    assert await last_reason(service) == "not_enrolled"
    history = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert (history[0]["method"], history[0]["result"]) == ("certificate", "failure")


async def test_a_renewed_certificate_is_taken_on_with_a_notice(service: Service) -> None:
    token, found = await citizen(service)
    await token.register(service.phone(), "citizen")
    renewed = await Token.issued(service, "citizen", found)
    phone = service.phone()
    assert (await renewed.sign_in(phone)).status_code == 200
    notices = (await phone.call("GET", "/v1/notices")).json()["items"]
    assert "method_added" in [one["kind"] for one in notices]
    enrolled = await facts(service, "certificate.enrolled")
    assert enrolled[-1]["how"] == "renewal"
    assert (await token.sign_in(service.phone())).status_code == 200


async def test_a_removed_certificate_stays_out(service: Service) -> None:
    token, found = await citizen(service)
    _, done = await token.register(service.phone(), "citizen")
    assert done is not None
    second = await Token.issued(service, "citizen", found)
    assert (await second.sign_in(service.phone())).status_code == 200
    account = UUID(done.json()["account"]["id"])
    async with service.db.write() as tx:
        query = select(Certificate.id).where(Certificate.account_id == account)
        first = (await tx.scalars(query.order_by(Certificate.added_at))).first()
        now = service.clock.now()
        await tx.execute(update(Certificate).where(Certificate.id == first).values(ended_at=now))
    answer = await token.sign_in(service.phone())
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
    assert await last_reason(service) == "removed"
    assert (await second.sign_in(service.phone())).status_code == 200


async def test_a_second_token_is_added_to_ones_own_account_only(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    token = await Token.issued(service, "citizen", person.national_id)
    stranger, _ = await citizen(service)
    body = {"type": "certificate", "certificate": stranger.certificate}
    refused = await phone.call("POST", "/v1/me/auth-methods", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "certificate_of_another")
    begun = await phone.call("POST", "/v1/me/auth-methods", body | {"certificate": token.certificate})
    assert begun.status_code == 201 and begun.json()["step"] == "sign", begun.text
    assert "\nadd\n" in begun.json()["challenge"]
    at = f"/v1/me/auth-methods/{begun.json()['id']}/sign"
    body = {
        "certificate": token.certificate,
        "signature": await token.signature(begun.json()["challenge"]),
    }
    thief = await service.sign_in()
    assert (await thief.call("POST", at, body)).status_code == 404
    added = await phone.call("POST", at, body)
    assert added.status_code in (200, 201), added.text
    assert (await token.sign_in(service.phone())).status_code == 200


async def test_the_steps_have_their_order_and_their_device(service: Service) -> None:
    token, _ = await citizen(service)
    phone = service.phone()
    begun = (await token.begin_registration(phone, "citizen")).json()
    at = f"/v1/registrations/{begun['id']}"
    early = await phone.open(f"{at}/confirm", {})
    assert (early.status_code, early.json()["code"], early.json()["step"]) == (
        409,
        "flow_step_mismatch",
        "sign",
    )
    other = await token.brought(service.phone(), at, begun["challenge"])
    assert other.json()["code"] == "flow_not_found"
    assert (await token.brought(phone, at, begun["challenge"])).status_code == 200
    late = await token.brought(phone, at, begun["challenge"])
    assert (late.json()["code"], late.json()["step"]) == ("flow_step_mismatch", "confirm")


async def test_the_challenge_says_what_is_signed(service: Service) -> None:
    token, _ = await citizen(service)
    phone = service.phone()
    at, challenge = await token.begin_login(phone)
    lines = challenge.split("\n")
    assert lines[:4] == ["NGOMON SIGN-IN v1", service.url, "login", at.removeprefix("/v1/logins/")]
    assert len(lines) == 6 and len(lines[4]) >= 22
    assert abs((datetime.fromisoformat(lines[5]) - service.clock.now()).total_seconds()) < 5
    begun = (await token.begin_registration(phone, "citizen")).json()
    assert begun["challenge"].split("\n")[2] == "register" and begun["expires_in"] == 120


async def test_when_revocation_cannot_be_asked_the_same_signature_may_come_again(service: Service) -> None:
    token, _ = await citizen(service)
    await token.register(service.phone(), "citizen")
    phone = service.phone()
    at, challenge = await token.begin_login(phone)
    service.stand.ca.mood = Mood.DOWN
    answer = await token.brought(phone, at, challenge)
    assert (answer.status_code, answer.json()["code"]) == (503, "certificate_check_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    heal(service)
    assert (await token.brought(phone, at, challenge)).status_code == 200


async def test_a_long_chain_has_room(service: Service) -> None:
    token = Token.bent(service, subject(f"CCCD:{number(service)}"))
    token.certificate += service.stand.ca.root_pem.decode() * 3
    assert len(token.certificate) > 2500
    answer = await token.sign_in(service.phone())
    assert answer.json()["code"] == "registration_required"
