"""Roles over the wire: the calls of rule 601, as an app developer would make them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from backend.accounts.identity.numbers import holder_of
from backend.imports.rows import records
from backend.roles import managers, review, staff, starting, units
from backend.roles.models import RoleRequest
from backend.roles.wish import Draft
from tests.phone import Phone
from tests.service import Service

UNITS = [
    {"code": "R-HUE", "name": "Thành phố mẫu", "parent_code": "", "agency_code": "H57", "kind": "tinh"},
    {"code": "R-SNV", "name": "Sở Nội vụ mẫu", "parent_code": "R-HUE", "agency_code": "", "kind": "so"},
    {"code": "R-STC", "name": "Sở Tài chính mẫu", "parent_code": "R-HUE", "agency_code": "", "kind": "so"},
]


async def a_province(service: Service) -> str:
    """The units, and somebody who manages the first department; the manager's number."""
    boss = service.person("Lê Thị Chi")
    now = service.clock.now()
    async with service.db.write() as tx:
        await units.bring_in(tx, service.kit, records(UNITS), by=None, now=now)
        await managers.add(tx, service.kit, "R-SNV", boss.national_id, by=None, now=now)
    await service.sign_in(boss)
    return boss.national_id


async def approve(service: Service, request_id: str, number: str) -> None:
    async with service.db.write() as tx:
        by = await holder_of(tx, service.kit, number)
        assert by is not None
        found = await tx.scalar(select(RoleRequest.id).where(RoleRequest.id == UUID(request_id)))
        assert found is not None
        done = await review.approve(tx, service.kit, found, version=None, by=by, now=service.clock.now())
        assert isinstance(done, RoleRequest)


def body(**changes: Any) -> dict[str, Any]:
    asked = {
        "kind": "register",
        "subject_type": "cong_chuc",
        "position": "chuyen_vien",
        "unit": "R-SNV",
        "fields": {},
    }
    return asked | changes


async def refused(
    phone: Phone, method: str, path: str, status: int, code: str, sent: Any = None, **headers: str
) -> Any:
    answer = await phone.call(method, path, sent, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


async def test_a_role_is_asked_for_approved_and_shown(service: Service) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    kinds = (await phone.call("GET", "/v1/subject-types")).json()["items"]
    assert [kind["code"] for kind in kinds] == ["can_bo", "cong_chuc", "vien_chuc", "nguoi_lao_dong"]
    posts = (await phone.call("GET", "/v1/positions?subject_type=cong_chuc")).json()["items"]
    assert "chuyen_vien" in {post["code"] for post in posts}
    (unit,) = (await phone.call("GET", "/v1/units?q=so%20noi%20vu%20mau&parent=R-HUE")).json()["items"]
    answer = await phone.call("POST", "/v1/role-requests", body(unit=unit["id"]))
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    assert answer.headers["location"] == f"/v1/role-requests/{asked['id']}"
    assert (asked["status"], asked["version"], asked["sync"]) == ("pending", 1, [])
    (step,) = asked["steps"]
    assert (step["duty"], step["unit"], step["decision"], step["at"]) == ("approve", unit["id"], None, None)
    await approve(service, asked["id"], number)
    shown = (await phone.call("GET", f"/v1/role-requests/{asked['id']}")).json()
    assert (shown["status"], shown["steps"][0]["decision"], shown["steps"][0]["by"]) == (
        "approved",
        "approved",
        "Lê Thị Chi",
    )
    (role,) = (await phone.call("GET", "/v1/roles")).json()["items"]
    assert (role["unit"], role["unit_code"], role["state"], role["until"]) == (
        unit["id"],
        "R-SNV",
        "active",
        None,
    )
    assert role["from"]
    assert (await phone.call("GET", "/v1/me")).json()["roles"] == [role]
    assert (await phone.call("GET", "/v1/role-requests")).json()["items"][0]["id"] == asked["id"]
    await refused(phone, "POST", "/v1/role-requests", 409, "home_role_exists", body())


async def test_a_key_gives_the_same_answer_again(service: Service) -> None:
    await a_province(service)
    phone, key = await service.sign_in(), {"Idempotency-Key": "once"}
    first = await phone.call("POST", "/v1/role-requests", body(), **key)
    again = await phone.call("POST", "/v1/role-requests", body(), **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    await refused(
        phone, "POST", "/v1/role-requests", 422, "idempotency_key_reused", body(unit="R-STC"), **key
    )
    await refused(phone, "POST", "/v1/role-requests", 409, "request_open", body())
    await refused(
        phone, "POST", "/v1/role-requests", 400, "validation_failed", body(), **{"Idempotency-Key": "x" * 81}
    )


async def test_nobody_elses_request_exists(service: Service) -> None:
    await a_province(service)
    owner, stranger = await service.sign_in(), await service.sign_in()
    asked = (await owner.call("POST", "/v1/role-requests", body())).json()
    path = f"/v1/role-requests/{asked['id']}"
    await refused(stranger, "GET", path, 404, "request_not_found")
    await refused(stranger, "PUT", path, 404, "request_not_found", body())
    await refused(stranger, "POST", f"{path}/withdraw", 404, "request_not_found")
    await refused(owner, "PUT", path, 409, "not_returned", body())
    withdrawn = await owner.call("POST", f"{path}/withdraw")
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")
    await refused(owner, "POST", f"{path}/withdraw", 409, "already_decided")
    await refused(owner, "GET", f"/v1/role-requests/{uuid4()}", 404, "request_not_found")
    await refused(owner, "GET", "/v1/role-requests/not-a-uuid", 404, "route_not_found")


BAD: list[tuple[Any, int, str, str | None]] = [
    ([], 400, "validation_failed", None),
    ({}, 400, "validation_failed", "kind"),
    ({"kind": 1}, 400, "validation_failed", "kind"),
    (body(state="active"), 400, "validation_failed", "state"),
    (body(unit_id="x"), 400, "validation_failed", "unit_id"),
    (body(unit=["R-SNV"]), 400, "validation_failed", "unit"),
    (body(unit="x" * 61), 422, "validation_failed", "unit"),  # names are longer than codes
    (body(fields="x"), 400, "validation_failed", "fields"),
    (body(effective_on="today"), 400, "validation_failed", "effective_on"),
    (body(role_id="x"), 400, "validation_failed", "role_id"),
    (body(unit="NOWHERE"), 422, "validation_failed", "unit"),
    (body(unit="R-SNV\0"), 400, "body_malformed", None),
    (body(fields={"employee_code": {"a": 1}}), 422, "validation_failed", "fields.employee_code"),
    (body(fields={"employee_code": "a\u202eb"}), 422, "validation_failed", "fields.employee_code"),
    (body(kind="amend"), 404, "role_not_found", None),
    (body(kind="end"), 404, "role_not_found", None),
    (body(kind="transfer", role_id=str(uuid4())), 404, "role_not_found", None),
]


async def test_bad_input_is_named_and_makes_nothing(service: Service) -> None:
    await a_province(service)
    phone = await service.sign_in()
    for sent, status, code, field in BAD:
        problem = await refused(phone, "POST", "/v1/role-requests", status, code, sent)
        if field is not None:
            assert [error["field"] for error in problem["errors"]] == [field], sent
    assert (await phone.call("GET", "/v1/role-requests")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/units?parent=NOWHERE", 404, "unit_not_found"),
        ("/v1/units?cursor=!!", 400, "cursor_invalid"),
        ("/v1/role-requests?cursor=AAAA", 400, "cursor_invalid"),
        ("/v1/positions?subject_type=vua", 422, "validation_failed"),
        ("/v1/role-prefill?subject_type=vua", 422, "validation_failed"),
        ("/v1/role-prefill", 404, "not_in_directory"),
        ("/v1/units?q=" + "x" * 101, 400, "validation_failed"),
    ],
)
async def test_bad_questions_are_answered_with_a_problem(
    service: Service, path: str, status: int, code: str
) -> None:
    phone = await service.sign_in()
    await refused(phone, "GET", path, status, code)


async def test_prefill_says_what_does_not_match(service: Service) -> None:
    await a_province(service)
    person = service.person("Trần Văn Đúng")
    row = {"national_id": person.national_id, "full_name": "Trần Văn Sai", "birth_date": person.birth_date}
    row |= {
        "unit_code": "R-SNV",
        "subject_type": "cong_chuc",
        "position": "van_thu",
        "official_email": "d@hue.example",
    }
    async with service.db.write() as tx:
        await staff.bring_in(tx, service.kit, records([row]), by=None, now=service.clock.now())
    phone = await service.sign_in(person)
    filled = (await phone.call("GET", "/v1/role-prefill?subject_type=cong_chuc")).json()
    assert (filled["unit_code"], filled["position"]) == ("R-SNV", "van_thu")
    assert filled["mismatches"] == ["full_name"]
    assert filled["hotlines"] == {"vneid": "19000368", "hue_s": "19001075"}


async def test_words_come_in_english_when_asked(service: Service) -> None:
    phone = await service.sign_in()
    kinds = (await phone.call("GET", "/v1/subject-types", **{"Accept-Language": "en"})).json()["items"]
    assert kinds[1]["label"] != "Công chức"
    problem = (await phone.call("GET", "/v1/role-prefill", **{"Accept-Language": "en"})).json()
    assert problem["title"] != staff.NotInDirectory.title


@pytest.mark.parametrize(
    "path",
    ["/v1/subject-types", "/v1/positions", "/v1/units", "/v1/roles", "/v1/role-requests", "/v1/role-prefill"],
)
async def test_nothing_is_told_without_a_session(service: Service, path: str) -> None:
    answer = await service.http.get(path)
    assert answer.status_code == 401


async def test_r01_over_the_wire_a_correction_says_old_and_new(service: Service) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    asked = (await phone.call("POST", "/v1/role-requests", body())).json()
    assert (asked["can_correct"], asked["can_withdraw"], asked["changes"]) == (False, True, [])
    assert (asked["denied"], asked["on_hold"], asked["settled_at"]) == (False, None, None)
    async with service.db.write() as tx:
        by = await holder_of(tx, service.kit, number)
        assert by is not None
        now = service.clock.now()
        await review.send_back(
            tx, service.kit, UUID(asked["id"]), "Sai chức vụ", version=None, by=by, now=now
        )
    path = f"/v1/role-requests/{asked['id']}"
    back = (await phone.call("GET", path)).json()
    assert (back["status"], back["can_correct"]) == ("returned", True) and back["settled_at"]
    sent = await phone.call("PUT", path, body(position="truong_phong"))
    (change,) = sent.json()["changes"]
    assert change["differences"] == [{"field": "position", "old": "chuyen_vien", "new": "truong_phong"}]
    assert set(change) == {"by", "at", "differences"}


async def test_r01_over_the_wire_what_a_manager_began_is_not_the_persons_to_correct(service: Service) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    asked = (await phone.call("POST", "/v1/role-requests", body())).json()
    await approve(service, asked["id"], number)
    (role,) = (await phone.call("GET", "/v1/roles")).json()["items"]
    other = service.person("Phan Văn Nhận")
    await service.sign_in(other)
    async with service.db.write() as tx:
        by = await holder_of(tx, service.kit, number)
        there = await holder_of(tx, service.kit, other.national_id)
        assert by is not None and there is not None
        now, draft = service.clock.now(), Draft(kind="transfer", unit="R-STC")
        await managers.add(tx, service.kit, "R-STC", other.national_id, by=None, now=now)
        moved = await starting.start(tx, service.kit, UUID(role["id"]), draft, by=by, now=now)
        assert isinstance(moved, RoleRequest)
        await review.send_back(tx, service.kit, moved.id, "Chưa đủ hồ sơ", version=None, by=there, now=now)
    path = f"/v1/role-requests/{moved.id}"
    shown = (await phone.call("GET", path)).json()
    assert (shown["status"], shown["can_correct"], shown["can_withdraw"]) == ("returned", False, False)
    wish = body(kind="transfer", unit="R-HUE", position="truong_phong")
    await refused(phone, "PUT", path, 403, "not_your_request", wish)
    await refused(phone, "POST", f"{path}/withdraw", 403, "not_your_request")
