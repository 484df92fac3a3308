"""Every connector of ours keeps the contract, as whoever looks past it sees (rule 715)."""

from __future__ import annotations

from typing import Any

import pytest

from backend.outside.connectors import Desired, GroupRef, Target
from backend.outside.connectors.conformance import CHECKS, prove
from backend.outside.connectors.conformance.people import Check
from backend.outside.connectors.webhook import Secrets, new_secret
from tests.backend.outside.benches import WHOLE, bench, holds, named
from tests.backend.outside.ldap_people import target as in_directory
from tests.parts.directory import Directory
from tests.parts.processes import free_port
from tests.parts.receiver import Receiver, receiver
from tests.parts.scim import ScimServer

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.mark.parametrize("check_", CHECKS, ids=named)
async def test_scim_keeps_the_contract(scim_server: ScimServer, check_: Check) -> None:
    async def seen(external_id: str) -> Desired | None:
        users = [user for user in scim_server.users() if user.get("externalId") == external_id]
        assert len(users) <= 1
        return _as_scim(users[0], scim_server.groups()) if users else None

    away = Target(f"http://127.0.0.1:{free_port()}", ScimServer.token, 1.0)
    await holds(check_, bench("scim", Target(scim_server.url, ScimServer.token), away, seen=seen))


def _as_scim(user: dict[str, Any], groups: list[dict[str, Any]]) -> Desired:
    more = user.get(ENTERPRISE, {})
    within = [
        group for group in groups if user["id"] in [member["value"] for member in group.get("members", [])]
    ]
    return Desired(
        external_id=user["externalId"],
        user_name=user["userName"],
        full_name=user["displayName"],
        title=user.get("title"),
        employee_number=more.get("employeeNumber"),
        organization=more.get("organization"),
        department=more.get("department"),
        groups=[GroupRef(group["externalId"], group["displayName"]) for group in within],
        active=user["active"],
    )


@pytest.mark.parametrize("check_", CHECKS, ids=named)
async def test_ldap_keeps_the_contract(directory: Directory, check_: Check) -> None:
    async def seen(external_id: str) -> Desired | None:
        entries = directory.entries(f"(employeeNumber={external_id})")
        assert len(entries) <= 1
        return _as_entry(entries[0], directory) if entries else None

    away = in_directory(directory, url=f"ldap://127.0.0.1:{free_port()}")
    await holds(check_, bench("ldap", in_directory(directory), away, seen=seen))


def _as_entry(entry: dict[str, list[str]], directory: Directory) -> Desired:
    def one(name: str) -> str | None:
        return entry.get(name, [None])[0]

    groups = directory.entries(f"(&(objectClass=groupOfNames)(member={entry['dn'][0]}))")
    return Desired(
        external_id=entry["employeeNumber"][0],
        user_name=entry["employeeNumber"][0],
        full_name=entry["displayName"][0],
        title=one("title"),
        email=one("mail"),
        department=one("ou"),
        unit_code=one("departmentNumber"),
        groups=[GroupRef(group["cn"][0], group["cn"][0]) for group in groups],
        active=one("title") is not None or bool(groups),
    )


ASKED = {
    "everything_is_compared",
    "twice_is_once", "rights_are_listed", "rights_are_taken", "leavers_have_no_rights", "nobody_is_nobody",
    "away_is_not_nobody",
}  # fmt: skip


@pytest.mark.parametrize("check_", CHECKS, ids=named)
async def test_webhooks_keep_the_contract_as_far_as_anybody_can_see(check_: Check) -> None:
    secret = new_secret()
    async with receiver(secret) as hook:
        aim = Target(hook.url, Secrets(secret).written())
        away = Target(f"http://127.0.0.1:{free_port()}/hook", aim.token, 1.0)

        async def seen(external_id: str) -> Desired | None:
            return _as_told(hook, external_id)

        outcome = await prove(check_, bench("webhook", aim, away, seen=seen, shown=WHOLE))
        assert outcome.state == ("not_proved" if check_.__name__ in ASKED else "held"), outcome.why
        assert hook.refused == 0


def _as_told(hook: Receiver, external_id: str) -> Desired | None:
    """What a receiver holds that replaces what it has by what has the highest version."""
    told = [one["data"] for one in hook.told if one["data"]["externalId"] == external_id]
    if not told:
        return None
    user = max(told, key=lambda one: int(one["version"]))
    groups = [{"externalId": one["value"], "displayName": one["display"]} for one in user["groups"]]
    return _as_scim(
        {"id": "1"} | user,
        [group | {"members": [{"value": "1"}]} for group in groups],
    )
