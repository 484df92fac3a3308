"""The stand-in systems speak SCIM well enough for a stock client, and break when they are told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from scim2_client.engines.httpx2 import AsyncSCIMClient
from scim2_models import EnterpriseUser, Group, SCIMException, User
from scim2_models.exceptions import PreconditionFailedException, UniquenessException
from scim2_server.requests import ScimRequest

from backend.outside.clock import Clock
from demo.scim import Mood, StandInSystem, stand_in_systems
from demo.scim_http import systems_router

USER = b"urn:ietf:params:scim:schemas:core:2.0:User"
HOST = "http://systems.test"


@pytest.fixture
async def systems() -> dict[str, StandInSystem]:
    return stand_in_systems(Clock())


@pytest.fixture
async def http(systems: dict[str, StandInSystem]) -> AsyncIterator[httpx2.AsyncClient]:
    app = Litestar([systems_router(systems)], openapi_config=None, logging_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx2 wants wider message types
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as plain:
        yield plain


@pytest.fixture
async def mail(systems: dict[str, StandInSystem], http: httpx2.AsyncClient) -> AsyncIterator[Any]:
    system = systems["thu-dien-tu"]
    async with httpx2.AsyncClient(
        transport=http._transport,
        base_url=f"{HOST}/demo/systems/{system.name}/scim/v2",
        headers={"Authorization": f"Bearer {system.token}"},
    ) as client:
        scim = AsyncSCIMClient(client)
        await scim.discover()
        yield scim


def patch(op: str, path: str, value: object = None) -> dict[str, Any]:
    """One change, as RFC 7644 §3.5.2 writes it."""
    change = {"op": op, "path": path} | ({} if value is None else {"value": value})
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}


def binh() -> dict[str, Any]:
    return {
        "schemas": [str(User.__schema__), str(EnterpriseUser.__schema__)],
        "userName": "binh.tv@kimlong.example",
        "externalId": "0192f0aa-0000-7000-8000-000000000001",
        "displayName": "Trần Văn Bình",
        "title": "Chuyên viên",
        "active": True,
        str(EnterpriseUser.__schema__): {"department": "Phòng Văn hóa - Xã hội"},
    }


async def test_a_person_is_created_found_changed_and_deactivated(mail: Any) -> None:
    model = mail.provider.model_for("User")
    made = await mail.create(model.model_validate(binh()))
    assert made.meta.version.startswith('W/"')
    for wanted in (
        'userName eq "binh.tv@kimlong.example"',
        'externalId eq "0192f0aa-0000-7000-8000-000000000001"',
        'displayName eq "Trần Văn Bình"',
    ):
        found = await mail.query(model, query_parameters={"filter": wanted})
        assert [one.id for one in found.resources] == [made.id], wanted
    await mail.modify(model, made.id, patch("replace", "active", False), check_request_payload=False)
    again = await mail.query(model, made.id)
    assert again.active is False
    assert again.meta.version != made.meta.version
    await mail.delete(model, made.id)
    with pytest.raises(SCIMException):
        await mail.query(model, made.id)


async def test_a_second_person_with_the_same_name_is_a_409(mail: Any) -> None:
    model = mail.provider.model_for("User")
    await mail.create(model.model_validate(binh()))
    with pytest.raises(UniquenessException):
        await mail.create(model.model_validate(binh()))


async def test_a_stale_version_is_a_412(systems: dict[str, StandInSystem], http: httpx2.AsyncClient) -> None:
    system = systems["mot-cua"]
    root = f"/demo/systems/{system.name}/scim/v2"
    bearer = {"Authorization": f"Bearer {system.token}", "Content-Type": "application/scim+json"}
    person = b'{"schemas":["%s"],"userName":"a"}' % USER
    made = await http.post(f"{root}/Users", headers=bearer, content=person)
    assert made.status_code == 201
    url, version = f"{root}/Users/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    change = patch("replace", "title", "Trưởng phòng")
    assert (await http.patch(url, headers=bearer | version, json=change)).status_code in {200, 204}
    assert (await http.patch(url, headers=bearer | version, json=change)).status_code == 412


async def test_the_client_sends_the_version_by_itself(mail: Any) -> None:
    model = mail.provider.model_for("User")
    made = await mail.create(model.model_validate(binh()))
    await mail.modify(model, made.id, patch("replace", "title", "Phó phòng"), check_request_payload=False)
    with pytest.raises(PreconditionFailedException):
        await mail.delete(made)


async def test_groups_take_and_lose_members(mail: Any, systems: dict[str, StandInSystem]) -> None:
    people, groups = mail.provider.model_for("User"), mail.provider.model_for("Group")
    made = await mail.create(people.model_validate(binh()))
    unit = await mail.create(groups(display_name="Phòng Văn hóa - Xã hội", external_id="19774-VHXH"))
    join = patch("add", "members", [{"value": made.id}])
    await mail.modify(groups, unit.id, join, check_request_payload=False)
    assert systems["thu-dien-tu"].holdings()["people"][0]["groups"] == ["Phòng Văn hóa - Xã hội"]
    leave = patch("remove", f'members[value eq "{made.id}"]')
    await mail.modify(groups, unit.id, leave, check_request_payload=False)
    assert systems["thu-dien-tu"].holdings()["people"][0]["groups"] == []
    assert isinstance(systems["thu-dien-tu"].held.storage.resources[1], Group)


async def test_what_a_system_holds_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "demo.db"
    user = {"schemas": [USER.decode()], "userName": "a", "displayName": "Trần Văn Bình"}
    first = stand_in_systems(Clock(), file)["van-ban"]
    status, headers, _ = await first.answer(scim_call(first, "POST", "/Users", user))
    assert status == 201
    again = stand_in_systems(Clock(), file)["van-ban"]
    assert [one["name"] for one in again.holdings()["people"]] == ["Trần Văn Bình"]
    status, second, _ = await again.answer(scim_call(again, "POST", "/Users", user | {"userName": "b"}))
    assert status == 201
    assert second["ETag"] != headers["ETag"]
    status, _, _ = await again.answer(scim_call(again, "POST", "/Users", user))
    assert status == 409


def scim_call(system: StandInSystem, method: str, path: str, body: dict[str, Any]) -> ScimRequest:
    headers = {"Authorization": f"Bearer {system.token}", "Content-Type": "application/scim+json"}
    return ScimRequest(method, HOST, path, headers=headers, body=json.dumps(body).encode())


async def test_no_token_and_a_wrong_token_are_a_401(http: httpx2.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer nope"}, {"Authorization": "Basic nope"}):
        answer = await http.get("/demo/systems/van-ban/scim/v2/Users", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("mood", "status"), [(Mood.BROKEN, 503), (Mood.REFUSING, 400)])
async def test_a_system_breaks_and_heals(
    systems: dict[str, StandInSystem], http: httpx2.AsyncClient, mood: Mood, status: int
) -> None:
    system = systems["van-ban"]
    users = f"/demo/systems/{system.name}/scim/v2/Users"
    bearer = {"Authorization": f"Bearer {system.token}", "Content-Type": "application/scim+json"}
    body = b'{"schemas":["%s"],"userName":"a"}' % USER
    await http.post(f"/demo/systems/{system.name}/switch", json={"mood": mood.value})
    assert (await http.post(users, headers=bearer, content=body)).status_code == status
    await http.post(f"/demo/systems/{system.name}/switch", json={"mood": "well"})
    assert (await http.post(users, headers=bearer, content=body)).status_code == 201
    shown = (await http.get("/demo/systems.json")).json()["items"]
    assert [call["status"] for call in shown[0]["seen"]] == [201, status]


async def test_the_switch_knows_its_moods_and_its_page(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/demo/systems/van-ban/switch", json={"mood": "sad"})).status_code == 400
    assert (await http.post("/demo/systems/nowhere/switch", json={"mood": "well"})).status_code == 404
    cross = await http.post(
        "/demo/systems/van-ban/switch", json={"mood": "broken"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert cross.status_code == 403


async def test_what_is_not_scim_is_a_clear_error(
    systems: dict[str, StandInSystem], http: httpx2.AsyncClient
) -> None:
    system = systems["van-ban"]
    bearer = {"Authorization": f"Bearer {system.token}", "Content-Type": "application/scim+json"}
    root = f"/demo/systems/{system.name}/scim/v2"
    assert (await http.post(f"{root}/Users", headers=bearer, content=b"{")).status_code == 400
    assert (await http.get(f"{root}/Nothing", headers=bearer)).status_code == 404
    assert (await http.post(f"{root}/Users", headers=bearer, content=b'{"userName":1}')).status_code == 400
