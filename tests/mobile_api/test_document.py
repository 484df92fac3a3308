"""What is answered is what the OpenAPI document says: whole journeys, every answer compared with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2
import pytest

from backend.imports.rows import records
from backend.roles import staff
from backend.support import desks, notices
from tests.citizen import Citizen
from tests.mobile_api.described import Document
from tests.mobile_api.test_recoveries import NEW, recover
from tests.mobile_api.test_self_data import a_case, account_id, in_office
from tests.mobile_api.test_support import DESK, QUESTION
from tests.service import Service
from tests.signer import Token, heal


async def document_of(service: Service) -> Document:
    return Document((await service.http.get("/schema/openapi.json")).json())


@asynccontextmanager
async def compared(service: Service) -> AsyncIterator[set[str]]:
    """Whatever is answered meanwhile is as the document says; yields the operations that answered well."""
    document, seen, faults = await document_of(service), set[str](), list[str]()

    async def compare(answer: httpx2.Response) -> None:
        await answer.aread()
        told = document.operation_of(answer)
        if told is not None:
            faults.extend(f"{told['operationId']}: {one}" for one in document.faults_of(answer))
            seen.update([told["operationId"]] if answer.is_success else [])

    hooks = service.http.event_hooks["response"]
    hooks.append(compare)
    try:
        yield seen
    finally:
        hooks.remove(compare)
    assert faults == []


async def in_the_directory(service: Service, number: str, birth_date: str) -> None:
    row = {"national_id": number, "full_name": "Trần Văn Chức", "birth_date": birth_date}
    row |= {"unit_code": "R-SNV", "subject_type": "cong_chuc", "position": "chuyen_vien"}
    async with service.db.write() as tx:
        given = records([row])
        await staff.bring_in(tx, service.kit, given, by=None, now=service.clock.now())


async def test_an_official_is_answered_as_described(service: Service) -> None:
    async with compared(service) as seen:
        phone, person, _ = await in_office(service)
        await in_the_directory(service, person.national_id, person.birth_date)
        await phone.call("PATCH", "/v1/me/identity", {"attributes": {"email": "chuc@vi-du.example"}})
        await phone.call("PUT", "/v1/me/consents/notices_by_sms", {"given": True})
        await a_case(service, await account_id(phone), "Tôi không đăng nhập được")
        (request,) = (await phone.call("GET", "/v1/role-requests")).json()["items"]
        own = ["/", "identity", "auth-methods", "access-history", "consents"]
        lists = [
            "roles",
            "sessions",
            "notices",
            "support-cases",
            "units",
            "subject-types",
            "positions",
            "role-prefill",
        ]
        for path in [*(f"me/{one}" for one in own), *lists, f"role-requests/{request['id']}"]:
            answer = await phone.call("GET", f"/v1/{path}".replace("//", "/"))
            assert answer.status_code == 200, (path, answer.text)
        copied = (await phone.call("GET", "/v1/me/export")).json()
        empty = [name for name, part in copied.items() if not part]
        assert empty == ["join_proposals"], "the rest is compared; a desk's proposal: test_support_joins_over"
    assert {"getMe", "exportMyData", "prefillRole", "getRoleRequest", "createRoleRequest"} <= seen
    plain, handled = [(await phone.call("GET", f"/v1/me{tail}")).content for tail in ("", "/")]
    assert plain == handled, "the door's own answer and the documented one"


async def test_a_citizen_is_answered_as_described(service: Service) -> None:
    async with compared(service) as seen:
        citizen = await Citizen.new(service).register()
        await citizen.step_up()
        await citizen.second_number()
        await citizen.phone.call("POST", "/v1/me/auth-methods", {"type": "vneid"})
        begun = (await citizen.knock(phone := service.phone())).json()
        at = f"/v1/logins/{begun['id']}"
        for body in (
            {},
            {"method_id": begun["methods"][1]["id"]},
            {"method_id": 7},
            {"method_id": str(uuid4())},
        ):
            await phone.open(f"{at}/otp/resend", body)
        new = service.mobile_number()
        citizen.subscribe(new, full_name="Người Khác", national_id="000066666666")
        change = (await phone.open("/v1/phone-changes", {"phone": new, "login": begun["id"]})).json()["id"]
        wrong = await phone.open(f"/v1/phone-changes/{change}/otp", {"code": await citizen.code(new)})
        await service.http.get(f"/v1/phone-change-slips/{wrong.json()['slip']['code']}")
        service.pass_time(seconds=61)
        at = await recover(citizen, phone)
        await phone.open(f"{at}/otp", {"code": await citizen.code()})
        assert (await phone.open(f"{at}/password", {"password": NEW})).status_code == 200
    assert {"getCaptcha", "beginRegistration", "resendLoginCode", "checkSlip", "giveRecoveryPassword"} <= seen


async def test_a_sign_in_and_a_take_over_are_answered_as_described(service: Service) -> None:
    async with service.db.write() as tx:
        if not any(desk.code == "HUE" for desk in await desks.listed(tx)):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    async with compared(service) as seen:
        person = service.person()
        older = await service.sign_in(person, service.phone("Máy cũ"))
        made = (await older.call("POST", "/v1/support-cases", QUESTION)).json()
        await older.call("GET", f"/v1/support-codes/{made['code']}")
        newer = await service.sign_in(person, service.phone("Máy mới"))
        async with service.db.write() as tx:
            now, mine = service.clock.now(), await account_id(newer)
            told = notices.tell(tx, service.kit, mine, "password_changed", now=now).id
        await newer.call("POST", f"/v1/notices/{told}/deny")
        await newer.call("POST", "/v1/token", {"refresh_token": newer.session["refresh_token"]})
        assert (await older.call("GET", "/v1/me")).json()["code"] == "session_replaced"
        await older.call("POST", "/v1/takeover-reports")
    assert {"authorizeLogin", "giveLoginCode", "denyNotice", "checkCode", "reportTakeover"} <= seen


async def test_a_holder_of_a_certificate_is_answered_as_described(service: Service) -> None:
    heal(service)
    async with compared(service) as seen:
        token = await Token.issued(service, "citizen", service.person().national_id)
        await token.register(phone := service.phone(), "citizen")
        assert (await token.sign_in(phone)).status_code == 200
    assert {"beginRegistration", "signRegistration", "confirmRegistration", "beginLogin", "signLogin"} <= seen


async def test_a_method_that_an_address_lacks_is_told_which_it_has(service: Service) -> None:
    phone, document = await service.sign_in(), await document_of(service)
    paths: dict[str, set[str]] = {}
    for method, path in document.operations:
        paths.setdefault(path, set()).add(method)
    for path, methods in paths.items():
        if "{" not in path:
            wrong = next(one for one in ("PATCH", "DELETE", "POST") if one not in methods)
            answer = await phone.call(wrong, path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
            assert set(answer.headers["allow"].split(", ")) - {"OPTIONS", "HEAD"} == methods, path


@pytest.mark.parametrize("body", [b"", b"{}", b'{"method_id":null}'])
async def test_sending_a_code_again_needs_no_body(service: Service, body: bytes) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    at = f"/v1/logins/{(await citizen.knock(phone)).json()['id']}/otp/resend"
    service.pass_time(seconds=61)
    sent = {"DPoP": phone.proof("POST", at)} | ({"Content-Type": "application/json"} if body else {})
    answer = await service.http.post(at, content=body, headers=sent)
    assert (answer.status_code, answer.json()["step"]) == (200, "otp"), answer.text


async def test_a_wrong_body_of_sending_again_is_named(service: Service) -> None:
    phone = service.phone()
    at = f"/v1/logins/{uuid4()}/otp/resend"
    for body, field in (({"method_id": 7}, "method_id"), ({"method": "x"}, "method")):
        answer = await phone.open(at, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed"), answer.text
        assert [one["field"] for one in answer.json()["errors"]] == [field]
