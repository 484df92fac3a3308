"""What a phone is answered about its requests: tags, what is named beside a refusal, and what helps."""

from __future__ import annotations

import asyncio
from uuid import uuid4

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
    assert (await service.http.get("/schema/openapi.json")).status_code == 200


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
