"""The whole way on real counterparts: npm oidc-provider, Kannel with an SMPP centre, scim2-server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from backend.accounts.identity import numbers, people
from backend.imports.rows import records
from backend.outbox import systems
from backend.outside.eid.eid_claims import Person
from backend.roles import desired, managers, review, units
from tests.checker import check
from tests.parts.kannel import Kannel
from tests.parts.oidc import OidcProvider
from tests.parts.processes import eventually
from tests.parts.scim import ScimServer
from tests.phone import Phone
from tests.service import Service, running

AN = {
    "national_id": "000190700001",
    "full_name": "Nguyễn Thị Thật",
    "birth_date": "1990-02-28",
    "assurance_level": 2,
}
MANAGER = Person("", "", "000170700002", "Lê Văn Trưởng", "1970-01-01", "male", 2)


@pytest_asyncio.fixture(params=["sqlite", "postgres"], loop_scope="session")
async def real(
    request: pytest.FixtureRequest, tmp_path: Path, oidc_provider: OidcProvider, kannel: Kannel
) -> AsyncIterator[Service]:
    """The product with a real e-ID (client secret on SQLite, private key on PostgreSQL) and a real SMS gateway."""
    with_key = request.param == "postgres"
    key = tmp_path / "client.jwk"
    key.write_text(json.dumps(oidc_provider.private_jwk))
    environ = {
        "NGOMON_VNEID_ISSUER": oidc_provider.issuer,
        "NGOMON_VNEID_CLIENT_ID": oidc_provider.pkj if with_key else oidc_provider.basic,
        "NGOMON_VNEID_CLIENT_KEY" if with_key else "NGOMON_VNEID_CLIENT_SECRET": (
            str(key) if with_key else oidc_provider.client_secret
        ),
        "NGOMON_SMS_URL": kannel.url,
    }
    url = f"sqlite+aiosqlite:///{tmp_path / 'real.db'}"
    if with_key:
        url = await request.getfixturevalue("postgres").a_new_database("real")
    async with running(url, **environ) as service:
        oidc_provider.allow_redirect(service.app.settings.vneid.redirect_uri)
        oidc_provider.add_account("an", **AN)
        yield service
        await check(service.db, service.kit)


async def arrive(real: Service, eid: OidcProvider, phone: Phone) -> tuple[str, dict[str, Any]]:
    """Sign in at the real e-ID; the sign-in's id and the product's answer."""
    started = await phone.begin()
    back = await eid.sign_in(started["authorization_url"], "an")
    answer = await phone.bring(started["id"], {name: back[name] for name in ("state", "code", "iss")})
    assert answer.status_code == 200, answer.text
    return started["id"], answer.json()


async def code_sent(kannel: Kannel, number: str) -> str:
    """The code in the message that really arrived at the centre."""
    message = await eventually(
        lambda: next((one for one in kannel.messages() if one.to.endswith(number[1:])), None),
        what="the message",
    )
    assert message.parts == 1 and message.data_coding == 0, "one GSM-7 segment"
    assert message.sender == "HUE-S"
    found = re.search(r"\b\d{6}\b", message.text)
    assert found is not None
    return found.group()


async def prepare_office(real: Service, scim_server: ScimServer) -> None:
    """One unit, its manager, one downstream system."""
    now = real.clock.now()
    rows = [
        {"code": "SYT", "name": "Sở Y tế", "parent_code": "", "agency_code": "H57.11", "kind": "department"}
    ]
    async with real.db.write() as tx:
        await units.bring_in(tx, real.kit, records(rows), by=None, now=now)
        await people.account_or_new(tx, real.kit, MANAGER, now=now)
        await managers.add(tx, real.kit, "SYT", MANAGER.national_id, by=None, now=now)
        await systems.add(
            tx,
            real.kit,
            name="Thật",
            kind="scim",
            url=scim_server.url,
            token=scim_server.token,
            unit_codes=[],
            people=desired.people_in_scope,
            by=None,
            now=now,
        )


async def test_a_citizen_becomes_an_officer_on_real_parts(
    real: Service, oidc_provider: OidcProvider, kannel: Kannel, scim_server: ScimServer
) -> None:
    await prepare_office(real, scim_server)
    phone, number = Phone(real.http, real.url, clock=real.clock), real.mobile_number()
    login, step = await arrive(real, oidc_provider, phone)
    assert step["step"] == "phone"
    assert (await phone.open(f"/v1/logins/{login}/phone", {"phone": number})).status_code == 200
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": await code_sent(kannel, number)})
    phone.keep(done.json())
    assert (await phone.call("GET", "/v1/me")).json()["full_name"] == AN["full_name"]
    wish = {
        "kind": "register",
        "subject_type": "cong_chuc",
        "unit": "SYT",
        "position": "chuyen_vien",
        "fields": {"official_email": "that.nt@syt.hue.example", "employee_code": "SYT-001"},
    }
    asked = await phone.call("POST", "/v1/role-requests", wish, **{"Idempotency-Key": "k-1"})
    assert asked.status_code == 201, asked.text
    async with real.db.write() as tx:
        manager = await numbers.holder_of(tx, real.kit, MANAGER.national_id)
        assert manager is not None
        await review.approve(
            tx, real.kit, UUID(asked.json()["id"]), version=None, by=manager, now=real.clock.now()
        )
    assert scim_server.users() == []
    real.pass_time(seconds=11)
    held = await eventually(
        lambda: scim_server.user("that.nt@syt.hue.example"), what="the user downstream", patience=20
    )
    assert held["active"] and held["displayName"] == AN["full_name"] and held["title"] == "Chuyên viên"
    shown = await eventually_synced(phone, asked.json()["id"])
    assert [one["state"] for one in shown["sync"]] == ["synced"]
    groups = {group["externalId"]: group for group in scim_server.groups()}
    assert "SYT" in groups and groups["SYT"]["members"][0]["value"] == held["id"]


async def eventually_synced(phone: Phone, request_id: str) -> dict[str, Any]:
    for _ in range(100):
        shown: dict[str, Any] = (await phone.call("GET", f"/v1/role-requests/{request_id}")).json()
        if shown["sync"] and all(one["state"] == "synced" for one in shown["sync"]):
            return shown
        await asyncio.sleep(0.05)
    pytest.fail("the request was never shown as in force")


async def test_a_known_person_signs_straight_in_at_the_real_eid_and_can_turn_back(
    real: Service, oidc_provider: OidcProvider, kannel: Kannel
) -> None:
    phone, number = Phone(real.http, real.url, clock=real.clock), real.mobile_number()
    login, _ = await arrive(real, oidc_provider, phone)
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    await phone.open(f"/v1/logins/{login}/otp", {"code": await code_sent(kannel, number)})
    _, done = await arrive(real, oidc_provider, phone)
    assert done["step"] == "done" and done["replaced_device"]["name"] == phone.name
    started = await phone.begin()
    back = await oidc_provider.cancel(started["authorization_url"])
    answer = await phone.bring(
        started["id"], {name: back[name] for name in ("state", "error", "iss") if name in back}
    )
    assert answer.status_code == 403 and answer.json()["code"] == "login_cancelled"


async def test_counterparts_out_of_reach_are_named(
    real: Service, oidc_provider: OidcProvider, kannel: Kannel
) -> None:
    phone, number = Phone(real.http, real.url, clock=real.clock), real.mobile_number()
    login, _ = await arrive(real, oidc_provider, phone)
    kannel.shut_door()
    try:
        down = await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
        assert (
            down.status_code == 503
            and down.json()["code"] == "sms_unavailable"
            and down.headers["retry-after"]
        )
    finally:
        kannel.open_door()
    assert (await phone.open(f"/v1/logins/{login}/phone", {"phone": number})).status_code == 200
    oidc_provider.answer_with({"/token": 500})
    try:
        started = await phone.begin()
        back = await oidc_provider.sign_in(started["authorization_url"], "an")
        answer = await phone.bring(started["id"], {name: back[name] for name in ("state", "code", "iss")})
        assert answer.status_code == 503 and answer.json()["code"] == "provider_unavailable"
    finally:
        oidc_provider.answer_with({})
