"""The SCIM connector against scim2-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from backend.outside.connectors import (
    DeliveryError,
    GroupRef,
    LostTurn,
    Target,
    connect,
)
from backend.outside.connectors.kinds import ConnectorMissing
from backend.outside.connectors.scim import ScimConnector
from backend.outside.connectors.scim.wire import Wire
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import DOCS, HUE, a_state
from tests.backend.outbox.proxy import Call, Fault, FaultProxy, cut_after_applying, slow, status
from tests.backend.outside.errands import mine, not_mine
from tests.parts.scim import ScimServer

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest_asyncio.fixture
async def scim(proxy: FaultProxy) -> AsyncIterator[ScimConnector]:
    connector = ScimConnector(Wire(Target(proxy.url, ScimServer.token, 1.0), Guarded(["127.0.0.1"])))
    yield connector
    await connector.close()


async def test_a_new_person_arrives_exactly_as_the_contract_says(
    scim: ScimConnector, scim_server: ScimServer
) -> None:
    wanted = a_state(uuid4())
    receipt = await scim.apply(wanted, None, mine)
    (user,) = scim_server.users()
    assert receipt.remote_id == user["id"]
    assert user["externalId"] == wanted.external_id
    assert user["userName"] == wanted.user_name
    assert user["displayName"] == user["name"]["formatted"] == "Nguyễn Thị Ngọc Ánh"
    assert user["title"] == "Chuyên viên"
    assert user["active"] is True
    assert user[ENTERPRISE] == {
        "employeeNumber": "CB-0001",
        "organization": "Sở Nội vụ",
        "department": "Văn phòng",
    }
    groups = {group["externalId"]: group for group in scim_server.groups()}
    assert set(groups) == {HUE.external_id, DOCS.external_id}
    assert [member["value"] for member in groups[HUE.external_id]["members"]] == [user["id"]]


async def test_sending_the_same_twice_changes_nothing(scim: ScimConnector, proxy: FaultProxy) -> None:
    wanted = a_state(uuid4())
    first = await scim.apply(wanted, None, mine)
    before = len(proxy.writes)
    again = await scim.apply(wanted, first.remote_id, mine)
    assert (again.remote_id, again.changed) == (first.remote_id, False)
    assert len(proxy.writes) == before


async def test_what_is_not_ours_is_left_alone(scim: ScimConnector, scim_server: ScimServer) -> None:
    wanted = a_state(uuid4(), address_proved=True)
    own = {
        "schemas": [USER],
        "userName": wanted.user_name,
        "nickName": "Ánh",
        "emails": [{"value": "a@example.vn"}],
    }
    scim_server.request("POST", "/Users", json=own).raise_for_status()
    theirs = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Câu lạc bộ"}
    club = scim_server.request(
        "POST", "/Groups", json=theirs | {"members": [{"value": scim_server.users()[0]["id"]}]}
    )
    await scim.apply(wanted, None, mine)
    await scim.apply(a_state(uuid4(), external_id=wanted.external_id, active=False), None, mine)
    (user,) = scim_server.users()
    assert (user["nickName"], user["emails"][0]["value"]) == ("Ánh", "a@example.vn")
    kept = next(group for group in scim_server.groups() if group["id"] == club.json()["id"])
    assert [member["value"] for member in kept["members"]] == [user["id"]]


async def test_somebody_who_is_there_under_a_name_that_is_proved_is_adopted(
    scim: ScimConnector, scim_server: ScimServer
) -> None:
    wanted = a_state(uuid4(), address_proved=True)
    scim_server.request(
        "POST", "/Users", json={"schemas": [USER], "userName": wanted.user_name}
    ).raise_for_status()
    await scim.apply(wanted, None, mine)
    (user,) = scim_server.users()
    assert user["externalId"] == wanted.external_id


async def test_a08_somebody_who_is_there_under_a_typed_address_stays_who_they_are(
    scim: ScimConnector, scim_server: ScimServer
) -> None:
    newcomer = a_state(uuid4(), user_name="admin@example.gov.vn")
    theirs = {"schemas": [USER], "userName": "admin@example.gov.vn", "displayName": "Quản trị"}
    scim_server.request("POST", "/Users", json=theirs).raise_for_status()
    with pytest.raises(DeliveryError) as refused:
        await scim.apply(newcomer, None, mine)
    assert (refused.value.code, refused.value.permanent) == ("belongs_to_somebody", True)
    known = await scim.apply(a_state(uuid4()), None, mine)
    (ours,) = [user["externalId"] for user in scim_server.users() if "externalId" in user]
    renamed = a_state(UUID(ours), user_name="admin@example.gov.vn")
    with pytest.raises(DeliveryError, match="belongs_to_somebody"):
        await scim.apply(renamed, known.remote_id, mine)
    user = scim_server.user("admin@example.gov.vn")
    assert user is not None
    assert (user["displayName"], user.get("externalId"), user.get("title")) == ("Quản trị", None, None)


async def test_a_name_that_belongs_to_another_person_is_parked(scim: ScimConnector) -> None:
    other, wanted = uuid4(), uuid4()
    await scim.apply(a_state(other, user_name="an@example.gov.vn"), None, mine)
    with pytest.raises(DeliveryError) as refused:
        await scim.apply(a_state(wanted, user_name="an@example.gov.vn"), None, mine)
    assert (refused.value.code, refused.value.permanent) == ("user_name_taken", True)


async def test_only_what_changed_is_sent(
    scim: ScimConnector, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    account = uuid4()
    first = await scim.apply(a_state(account), None, mine)
    proxy.calls.clear()
    await scim.apply(a_state(account, title="Trưởng phòng"), first.remote_id, mine)
    (write,) = proxy.writes
    assert write.method == "PATCH"
    assert b'"title"' in write.body
    assert b"displayName" not in write.body
    assert scim_server.users()[0]["title"] == "Trưởng phòng"


async def test_moving_leaves_the_old_group_and_joins_the_new(
    scim: ScimConnector, scim_server: ScimServer
) -> None:
    account, new = uuid4(), GroupRef("H57.02", "Phòng Cải cách hành chính")
    first = await scim.apply(a_state(account), None, mine)
    await scim.apply(a_state(account, groups=[new]), first.remote_id, mine)
    sizes = {group["externalId"]: len(group.get("members", [])) for group in scim_server.groups()}
    assert sizes == {HUE.external_id: 0, DOCS.external_id: 0, new.external_id: 1}


async def test_a_leaver_is_switched_off_and_leaves_our_groups_but_is_never_deleted(
    scim: ScimConnector, scim_server: ScimServer, proxy: FaultProxy
) -> None:
    account = uuid4()
    first = await scim.apply(a_state(account), None, mine)
    await scim.apply(a_state(account, active=False), first.remote_id, mine)
    (user,) = scim_server.users()
    assert user["active"] is False
    assert user["title"] == "Chuyên viên"
    assert all(not group.get("members") for group in scim_server.groups())
    assert all(call.method != "DELETE" for call in proxy.calls)


async def test_a_leaver_whom_the_system_never_knew_is_not_made(
    scim: ScimConnector, scim_server: ScimServer
) -> None:
    receipt = await scim.apply(a_state(uuid4(), active=False), None, mine)
    assert (receipt.remote_id, scim_server.users()) == (None, [])


async def test_who_vanished_there_is_made_again(scim: ScimConnector, scim_server: ScimServer) -> None:
    wanted = a_state(uuid4())
    first = await scim.apply(wanted, None, mine)
    scim_server.clear()
    again = await scim.apply(wanted, first.remote_id, mine)
    assert again.remote_id != first.remote_id
    assert [user["externalId"] for user in scim_server.users()] == [wanted.external_id]
    assert len(scim_server.groups()) == 2


async def test_who_was_renamed_there_gets_the_name_back(scim: ScimConnector, scim_server: ScimServer) -> None:
    wanted = a_state(uuid4())
    first = await scim.apply(wanted, None, mine)
    rename = {"op": "replace", "path": "userName", "value": "x@example.vn"}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [rename]}
    scim_server.request("PATCH", f"/Users/{first.remote_id}", json=body).raise_for_status()
    await scim.apply(wanted, first.remote_id, mine)
    assert [user["userName"] for user in scim_server.users()] == [wanted.user_name]


async def test_a_write_in_between_is_noticed_and_everything_is_read_again(
    scim: ScimConnector, scim_server: ScimServer, proxy: FaultProxy
) -> None:
    account = uuid4()
    first = await scim.apply(a_state(account), None, mine)
    proxy.calls.clear()

    async def meddle(call: Call) -> None:
        if call.method == "PATCH":
            proxy.before = None
            change = {"op": "replace", "path": "nickName", "value": "Ánh"}
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
            scim_server.request("PATCH", f"/Users/{first.remote_id}", json=body).raise_for_status()

    proxy.before = meddle
    await scim.apply(a_state(account, title="Trưởng phòng"), first.remote_id, mine)
    (user,) = scim_server.users()
    assert (user["title"], user["nickName"]) == ("Trưởng phòng", "Ánh")
    assert [call.method for call in proxy.writes] == ["PATCH", "PATCH"]


async def test_a_lost_answer_leaves_no_twin(
    scim: ScimConnector, proxy: FaultProxy, scim_server: ScimServer
) -> None:
    wanted = a_state(uuid4())
    proxy.faults = [cut_after_applying]
    with pytest.raises(DeliveryError) as lost:
        await scim.apply(wanted, None, mine)
    assert (lost.value.code, lost.value.permanent, lost.value.of_system) == ("unreachable", False, True)
    await scim.apply(wanted, None, mine)
    assert len(scim_server.users()) == 1
    assert len(scim_server.groups()) == 2


async def test_nothing_is_written_when_the_turn_is_lost(scim: ScimConnector, scim_server: ScimServer) -> None:
    with pytest.raises(LostTurn):
        await scim.apply(a_state(uuid4()), None, not_mine)
    assert scim_server.users() == []


SAID = [
    (status(503, Retry_After="7"), "status_503", False, 7, True),
    (status(429, Retry_After="3600"), "status_429", False, 3600, True),
    (
        status(503, Retry_After="Sun, 01 Mar 2026 10:00:30 GMT", Date="Sun, 01 Mar 2026 10:00:00 GMT"),
        "status_503", False, 30, True,
    ),
    (status(500), "status_500", False, None, False),
    (status(301, Location="http://127.0.0.1:1/"), "redirected", False, None, True),
    (status(401), "credentials_refused", False, None, True),
    (status(403), "credentials_refused", False, None, True),
    (
        status(400, b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400",'
               b'"scimType":"invalidValue","detail":"<script>"}', Content_Type="application/scim+json"),
        "rejected_invalidValue", True, None, False,
    ),
    (status(400, b"<html>no</html>", Content_Type="text/html"), "rejected", True, None, False),
    (status(200, b"<html>ok</html>", Content_Type="text/html"), "unreadable_reply", False, None, True),
    (status(201, b"a" * 70000, Content_Type="application/scim+json"), "reply_too_large", False, None, False),
    (slow(3), "unreachable", False, None, True),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "code", "permanent", "retry_after", "of_system"), SAID)
async def test_every_failure_has_its_word(
    scim: ScimConnector,
    proxy: FaultProxy,
    fault: Fault,
    code: str,
    permanent: bool,
    retry_after: int | None,
    of_system: bool,
) -> None:
    proxy.faults = [fault]
    with pytest.raises(DeliveryError) as refused:
        await scim.apply(a_state(uuid4()), None, mine)
    said = refused.value
    assert (said.code, said.permanent, said.retry_after, said.of_system) == (
        code,
        permanent,
        retry_after,
        of_system,
    )


async def test_reading_back_gives_the_same_terms(scim: ScimConnector) -> None:
    wanted = a_state(uuid4())
    assert await scim.read(wanted.external_id, None) is None
    receipt = await scim.apply(wanted, None, mine)
    held = await scim.read(wanted.external_id, receipt.remote_id)
    assert held is not None
    assert all(getattr(held, field) == getattr(wanted, field) for field in scim.holds if field != "groups")
    assert {group.external_id for group in held.groups} == {HUE.external_id, DOCS.external_id}


async def test_an_unknown_kind_says_what_there_is() -> None:
    with pytest.raises(ConnectorMissing, match="there is: scim, ldap, webhook"):
        await connect("csv", Target("https://8.8.8.8"), Guarded())
