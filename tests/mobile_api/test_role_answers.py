"""What a phone is answered about its requests: tags, what is named beside a refusal, and what helps."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import msgspec

from backend.accounts.identity.numbers import holder_of
from backend.roles import review
from tests.mobile_api.test_roles import a_province, approve, body, refused
from tests.service import Service


async def test_d04_d06_what_a_reader_of_the_rfcs_expects(service: Service) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    made = (await phone.call("POST", "/v1/role-requests", body(), **{"Accept-Language": "en"})).json()
    open_ = await refused(phone, "POST", "/v1/role-requests", 409, "request_open", body())
    assert (open_["request_id"], made["role_id"]) == (made["id"], None)
    path = f"/v1/role-requests/{made['id']}"
    lists = ("/v1/role-requests", "/v1/roles", "/v1/subject-types", "/v1/positions", "/v1/units?q=mau", path)
    tags = {}
    for place in lists:
        first = await phone.call("GET", place)
        tags[place] = first.headers["etag"]
        assert first.headers["cache-control"] == "private, no-cache"
        for known in (tags[place], f'"other", {tags[place].removeprefix("W/")}'):
            same = await phone.call("GET", place, **{"If-None-Match": known})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tags[place])
    await approve(service, made["id"], number)
    for place in ("/v1/role-requests", "/v1/roles", path):
        new = await phone.call("GET", place, **{"If-None-Match": tags[place]})
        assert new.status_code == 200 and new.headers["etag"] != tags[place]
    (role,) = (await phone.call("GET", "/v1/roles")).json()["items"]
    assert (await phone.call("GET", path)).json()["role_id"] == role["id"]
    for headers, said in (({}, False), ({"Authorization": "DPoP x"}, True)):
        no = await service.http.get(path, headers=headers)
        assert no.status_code == 401 and ("error=" in no.headers["www-authenticate"]) is said


async def test_d04_what_is_not_at_the_document_is_answered_as_everywhere(service: Service) -> None:
    for path in ("/schema/swagger", "/schema/nothing.json"):
        answer = await service.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found"), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["instance"] == f"urn:request:{answer.headers['x-request-id']}"
        assert answer.json()["type"] == f"{service.url}/problems/route_not_found"
    assert (await service.http.get("/schema/openapi.json")).status_code == 200


async def test_d04_a_type_is_an_address_and_a_bad_field_is_named_by_its_whole_path(service: Service) -> None:
    device = {"platform": "android", "name": "Máy", "model": "x"}
    for sent, named in (
        ({"method": "vneid", "device": {"platform": "android", "name": "Máy"}}, "device.model"),
        ({"method": "vneid", "device": device | {"colour": "red"}}, "device.colour"),
        ({"method": "vneid", "device": device, "colour": "red"}, "colour"),
        (["vneid"], "body"),
    ):
        answer = await service.phone().open("/v1/logins", sent)
        assert answer.status_code == 400 and [one["field"] for one in answer.json()["errors"]] == [named]
    phone = await service.sign_in()
    answer = await phone.call("PATCH", "/v1/me/identity", {"attributes": {"hometown": "x" * 3000}})
    assert [one["field"] for one in answer.json()["errors"]] == ["attributes"]
    home = service.url
    for path in ("/v1/me", "/v1/nothing"):
        problem = (await service.http.get(path)).json()
        assert problem["type"] == f"{home}/problems/{problem['code']}"
        shown = await service.http.get(problem["type"], params={"lang": "en"})
        assert shown.status_code == 200 and problem["code"] in shown.text and "<script" not in shown.text
        assert problem["title"] in shown.text and 'lang="en"' in shown.text and problem["code"] in shown.text
    assert (await service.http.get(f"{home}/problems/nothing")).status_code == 404


async def test_r14_who_has_level_1_is_told_how_to_get_another_and_others_to_sign_in_again(
    service: Service,
) -> None:
    await a_province(service)
    phone = await service.sign_in(service.person(level=1))
    problem = await refused(phone, "POST", "/v1/role-requests", 403, "insufficient_assurance", body())
    assert problem["required"] == {"level": 2}
    assert "mức độ 2" in problem["title"] and "Công an" in problem["title"]


async def test_r08_d06_a_decision_on_ones_request_is_pushed_once_nobody_can_take_it_back(
    service: Service,
) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    token = f"push-{uuid4()}"
    assert (await phone.call("PUT", "/v1/devices/current/push-token", {"token": token})).status_code == 204
    asked = (await phone.call("POST", "/v1/role-requests", body())).json()
    await approve(service, asked["id"], number)
    await service.app.pushes.round()
    assert not [one for one in service.inbox.push if one.token == token]
    service.pass_time(seconds=11)
    async with asyncio.timeout(5):
        while not (found := [one for one in service.inbox.push if one.token == token]):
            await service.app.pushes.round()
    (one,) = found
    assert one.data["kind"] == "role_changed" and "Không phải tôi" not in one.body
    assert "Sở" not in one.title + one.body


async def test_r11_a_phone_is_told_what_ends_with_the_home_role_and_what_it_keeps(service: Service) -> None:
    number = await a_province(service)
    phone = await service.sign_in()
    first = (await phone.call("POST", "/v1/role-requests", body())).json()
    await approve(service, first["id"], number)
    second = body(kind="concurrent", position="van_thu")
    asked = (await phone.call("POST", "/v1/role-requests", second)).json()
    await approve(service, asked["id"], number)
    home, beside = (await phone.call("GET", "/v1/roles")).json()["items"][::-1]
    assert (home["kind"], home["ends_with"], beside["kind"], beside["ends_with"]) == (
        "home",
        None,
        "concurrent",
        home["id"],
    )
    ending = {"kind": "end", "role_id": home["id"], "fields": {"reason": "Nghỉ hưu"}}
    made = (await phone.call("POST", "/v1/role-requests", ending | {"keeps": [beside["id"]]})).json()
    kept = (await phone.call("GET", f"/v1/role-requests/{made['id']}")).json()
    (post,) = kept["beside"]
    assert (kept["keeps"], post["id"], post["position"], post["kept"]) == (
        [beside["id"]],
        beside["id"],
        "van_thu",
        True,
    )


async def test_r27_level_1_is_told_the_same_each_time_and_the_form_is_taken_once_vneid_says_level_2(
    service: Service,
) -> None:
    await a_province(service)
    weak = service.person("Lê Thị Mức Một", level=1)
    phone = await service.sign_in(weak)
    for _ in range(2):
        problem = await refused(phone, "POST", "/v1/role-requests", 403, "insufficient_assurance", body())
        assert problem["required"] == {"level": 2} and "mức độ 2" in problem["title"]
        assert "đăng nhập lại" not in problem["title"].lower()
        await service.sign_in(weak, phone)  # of the same level it changes nothing, and nobody is sent round
    strong = msgspec.structs.replace(weak, level=2)
    service.stand.eid.personas[strong.key] = strong
    await service.sign_in(strong, phone)
    made = await phone.call("POST", "/v1/role-requests", body())
    assert made.status_code == 201, made.text


async def test_a_usual_reason_is_told_in_the_language_of_the_call_and_a_typed_one_as_it_was_typed(
    service: Service,
) -> None:
    """Rule 632: `The decision number is missing` was chosen on an English page; a list and a single answer agree."""
    number, ours = await a_province(service), ("Thiếu số quyết định", "The decision number is missing")
    for given, vietnamese, english in ((ours[1], *ours), ("Thiếu số 12", "Thiếu số 12", "Thiếu số 12")):
        phone = await service.sign_in()
        made = (await phone.call("POST", "/v1/role-requests", body())).json()
        async with service.db.write() as tx:
            by, now = await holder_of(tx, service.kit, number), service.clock.now()
            assert by is not None
            await review.send_back(tx, service.kit, UUID(made["id"]), given, version=None, by=by, now=now)
        for lang, said in (("vi", vietnamese), ("en", english)):
            spoken = {"Accept-Language": lang}
            one = (await phone.call("GET", f"/v1/role-requests/{made['id']}", **spoken)).json()
            (listed,) = (await phone.call("GET", "/v1/role-requests", **spoken)).json()["items"]
            assert [step["reason"] for step in (*one["steps"], *listed["steps"])] == [said, said]
