"""Hue-S's Keycloak as the e-ID: the shipped map, userinfo by POST, and what a bad one of it cannot do (rule 407)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import uvicorn

from tests.attacks.evil import EvilProvider, say
from tests.attacks.problems import refused, rows
from tests.checker import check
from tests.parts.processes import free_port
from tests.service import Service, running

CITIZEN = {
    "sub": "kc-an", "name": "Nguyễn Thị An", "given_name": "An", "family_name": "Nguyễn", "preferred_username": "an.nguyen",
    "birthdate": "1997-03-14", "gender": 2, "citizenId": "000197000191", "identityCardId": "1", "phone": "0550123456",
    "email": "an@thu.example", "identityPapers": [{"type": "CMND", "idNumber": "000000191"}], "huecitUsername": "an",
}  # fmt: skip
SPOILT: dict[str, dict[str, Any]] = {
    "another subject": {"sub": "kc-binh"}, "no subject": {"sub": None}, "no number": {"citizenId": None}, "empty number": {"citizenId": ""},
    "number of 9": {"citizenId": "000000192"}, "number a number": {"citizenId": 197000191}, "number a list": {"citizenId": ["000197000191"]},
    "no name": {"name": None}, "blank name": {"name": "  "}, "name a list": {"name": ["An"]},
}  # fmt: skip

UNSAID = dict.fromkeys(("national_id", "full_name", "birth_date", "gender"))  # what its ID token leaves out


class Keycloak(EvilProvider):
    """The ID token names the subject only; everything else is userinfo's, which is asked for by POST."""

    person: dict[str, Any] = CITIZEN

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/userinfo":
            await super().__call__(scope, receive, send)
            return
        asked = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["method"] != "POST" or asked.get("authorization") != "Bearer at":
            await say(send, {"error": "invalid_request"}, status=405)
            return
        told = {name: value for name, value in self.person.items() if value is not None}
        await say(send, json.dumps(told).encode())


@pytest_asyncio.fixture(loop_scope="session")
async def hue(tmp_path: Path) -> AsyncIterator[tuple[Service, Keycloak]]:
    port = free_port()
    keycloak = Keycloak(f"http://127.0.0.1:{port}")
    config = uvicorn.Config(keycloak, host="127.0.0.1", port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.02)
    told = {
        "ISSUER": keycloak.issuer, "CLIENT_ID": "ngomon", "CLIENT_SECRET": "secret", "CLAIMS": "hue_s", "SCOPES": "openid",
        "USERINFO_URL": f"{keycloak.issuer}/userinfo", "USERINFO_METHOD": "POST",
    }  # fmt: skip
    url = f"sqlite+aiosqlite:///{tmp_path / 'hue.db'}"
    try:
        async with running(url, **{f"NGOMON_VNEID_{name}": value for name, value in told.items()}) as service:
            yield service, keycloak
            await check(service.db, service.kit)
    finally:
        server.should_exit = True
        await task


async def answer_of(service: Service, keycloak: Keycloak) -> tuple[Any, str, Any]:
    phone = service.phone()
    started = await phone.begin()
    back = keycloak.grant(started["authorization_url"], sub="kc-an", assurance_level=None, **UNSAID)
    return phone, started["id"], await phone.bring(started["id"], back)


async def test_the_hue_s_map_finds_the_person_and_bad_answers_are_refused(
    hue: tuple[Service, Keycloak],
) -> None:
    service, keycloak = hue
    before = await rows(service)
    for name, changes in SPOILT.items():
        keycloak.person = CITIZEN | changes
        assert refused((await answer_of(service, keycloak))[2])["code"] == "login_refused", name
    assert await rows(service) == before | {"flows": before["flows"] + len(SPOILT)}
    keycloak.person = CITIZEN
    phone, login, answer = await answer_of(service, keycloak)
    number = service.mobile_number()
    assert answer.json()["step"] == "phone", answer.text
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    phone.keep((await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})).json())
    me = (await phone.call("GET", "/v1/me")).json()
    assert (me["full_name"], me["assurance_level"]) == ("Nguyễn Thị An", 1)
    assert {"type": "national_id", "value": "000******191"} in me["identifiers"]
    assert {"type": "old_id_number", "value": "000***191"} in me["identifiers"]


async def test_r34_an_account_of_level_1_is_raised_by_a_step_up_that_asks_for_level_2(
    hue: tuple[Service, Keycloak],
) -> None:
    service, keycloak = hue
    keycloak.person = CITIZEN
    phone, login, _ = await answer_of(service, keycloak)
    number = service.mobile_number()
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    phone.keep((await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})).json())
    assert "acr_values" not in (await service.phone().begin())["authorization_url"]
    for told, level in ((None, 1), ("2", 2)):  # a step-up by itself raises nobody: what comes back does
        begun = (await phone.call("POST", "/v1/logins", {"method": "vneid", "step_up": True})).json()
        assert "acr_values=2" in begun["authorization_url"]
        keycloak.person = CITIZEN | {"assurance_level": told}
        shown = {"auth_time": int(service.clock.now().timestamp()), "assurance_level": told} | UNSAID
        back = keycloak.grant(begun["authorization_url"], sub="kc-an", **shown)
        phone.keep((await phone.bring(begun["id"], back)).json())
        assert (await phone.call("GET", "/v1/me")).json()["assurance_level"] == level
