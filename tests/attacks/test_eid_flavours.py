"""The two special flavours of VNeID over HTTP: who gets in, and that every malformed answer is one refusal.

The corpus is the simulators' own table (`demo/eid_simulator_variants.py`); rules 402, 404, 405, 406.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text

from demo.eid_simulator_sealing import Spoil
from demo.eid_simulator_variants import DIRECT, PORTAL
from demo.persona import ENTERPRISES, Persona
from tests.attacks.problems import refused, rows
from tests.checker import check
from tests.conftest import DATABASES
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import Service, running

FLAVOURS: dict[str, dict[str, str]] = {
    "portal": {"FLAVOUR": "portal"},
    "vneid_direct, ecb, decrypted": {"FLAVOUR": "vneid_direct"},
    "vneid_direct, cbc, raw": {"FLAVOUR": "vneid_direct", "ENVELOPE_CIPHER": "cbc", "ENVELOPE_CODE": "raw"},
}
SEALED = {name: one for name, one in DIRECT.items() if one.spoil != Spoil() or one.place == "callback"}
CORPUS = dict(zip(FLAVOURS, (PORTAL, DIRECT, SEALED), strict=True))  # the last: whatever the cipher touches
STEP = text("SELECT step, COUNT(*) FROM flows GROUP BY step")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _flavoured(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[AsyncExitStack, dict[Any, Any], Path]]:
    folder = tmp_path_factory.mktemp("flavours")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    async with AsyncExitStack() as stack:
        known: dict[Any, Any] = {}
        yield stack, known, folder


@pytest_asyncio.fixture(params=DATABASES, loop_scope="session")
async def database_of(request: pytest.FixtureRequest, _flavoured: Any) -> AsyncIterator[Any]:
    """The service of a flavour on this database; each starts when first asked for, and is checked after every test."""
    stack, known, folder = _flavoured
    kind = request.param
    used: list[Service] = []
    postgres: Postgres | None = request.getfixturevalue("postgres") if kind == "postgres" else None

    async def service(flavour: str) -> Service:
        if (kind, flavour) not in known:
            file = folder / f"{len(known)}.db"
            url = postgres.new_database(f"flavour{len(known)}") if postgres else f"sqlite+aiosqlite:///{file}"
            told = {f"NGOMON_VNEID_{name}": value for name, value in FLAVOURS[flavour].items()}
            told["NGOMON_VNEID_ENVELOPE_KEY"] = str(folder / "key.pem")
            known[kind, flavour] = await stack.enter_async_context(running(url, **told))
        used.append(known[kind, flavour])
        return used[-1]

    yield service
    for one in used:
        await check(one.db, one.kit)


async def called_back(service: Service, url: str, person: Persona, variant: str = "") -> str:
    """The whole address that the provider calls when this person says yes."""
    answer = await service.http.get(f"{url}&prompt=none&login_hint={person.key}&variant={variant}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def attempt(service: Service, person: Persona, variant: str = "") -> tuple[Phone, str, httpx2.Response]:
    phone = service.phone()
    started = await phone.begin()
    address = await called_back(service, started["authorization_url"], person, variant)
    return phone, started["id"], await phone.bring(started["id"], {"callback_url": address})


async def sign_in(service: Service, person: Persona) -> Phone:
    phone, login, answer = await attempt(service, person)
    assert answer.status_code == 200, answer.text
    if answer.json()["step"] == "phone":
        number = service.mobile_number()
        await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
        answer = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})
    phone.keep(answer.json())
    return phone


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_citizen_gets_in_and_comes_back(database_of: Any, flavour: str) -> None:
    service = await database_of(flavour)
    for level in (2, 1):
        person = service.person(level=level)
        first, again = await sign_in(service, person), await sign_in(service, person)
        assert first.session["session_id"] != again.session["session_id"]
        me = (await again.call("GET", "/v1/me")).json()
        assert (me["kind"], me["assurance_level"]) == ("citizen", level)
        assert me["identifiers"] == [{"type": "national_id", "value": f"000******{person.national_id[-3:]}"}]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_every_malformed_answer_is_one_and_the_same_refusal(
    database_of: Any, flavour: str, record_property: Any
) -> None:
    """Same status, headers and bytes but for `instance`; each sign-in is over and nothing else was made."""
    service = await database_of(flavour)
    corpus = {name: one for name, one in CORPUS[flavour].items() if not one.broken}
    person, outward = service.person(), {}
    before = await rows(service)
    over = (await steps(service)).get("ended", 0)

    async def try_out(name: str) -> None:
        _, _, answer = await attempt(service, person, name)
        problem = refused(answer)
        problem.pop("instance")
        headers = {key: value for key, value in answer.headers.items() if key not in ("x-request-id", "date")}
        outward[name] = (answer.status_code, problem, headers)

    for some in batches(list(corpus), 8):
        await asyncio.gather(*(try_out(name) for name in some))
    expected = outward["state_foreign"]
    assert expected[1]["code"] == "login_refused"
    assert {name: said for name, said in outward.items() if said != expected} == {}
    assert await rows(service) == before | {"flows": before["flows"] + len(corpus)}
    assert (await steps(service))["ended"] == over + len(corpus)
    assert (await attempt(service, person))[2].json()["step"] == "phone", "honest answers are believed again"
    record_property("malformed variants refused alike", len(corpus))


@pytest.mark.parametrize("flavour", ["portal", "vneid_direct, ecb, decrypted"])
async def test_a29_what_is_no_json_is_no_answer_and_may_be_asked_for_again(
    database_of: Any, flavour: str
) -> None:
    service = await database_of(flavour)
    names = [name for name, one in CORPUS[flavour].items() if one.broken]
    assert {name.partition("_")[0] for name in names} == {"token", "userinfo"} and len(names) >= 16
    before = await rows(service)
    for name in names:
        phone, login, answer = await attempt(service, service.person(), name)
        refused(answer, 503, "provider_unavailable")
        assert int(answer.headers["retry-after"]) > 0, name
        step = (await phone.open(f"/v1/logins/{login}/phone", {"phone": "0550123456"})).json()
        assert step["step"] == "authorize", "the sign-in lives on"
    assert await rows(service) == before | {"flows": before["flows"] + len(names)}


def batches(names: list[str], size: int) -> list[list[str]]:
    return [names[at : at + size] for at in range(0, len(names), size)]


async def steps(service: Service) -> dict[str, int]:
    async with service.db.read() as tx:
        return {row[0]: int(row[1]) for row in (await tx.execute(STEP)).all()}


def test_the_corpus_is_large_and_spoils_every_place() -> None:
    assert len(PORTAL) >= 60
    assert len(DIRECT) >= 60
    for table in (PORTAL, DIRECT):
        assert {variant.place for variant in table.values()} == {"callback", "token", "userinfo"}


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_code_that_was_used_is_worth_nothing_even_to_its_owner(
    database_of: Any, flavour: str
) -> None:
    service = await database_of(flavour)
    person, phone = service.person(), service.phone()
    started = await phone.begin()
    address = await called_back(service, started["authorization_url"], person)
    assert (await phone.bring(started["id"], {"callback_url": address})).status_code == 200
    second = await phone.begin()
    state = httpx2.URL(second["authorization_url"]).params["state"]
    old = httpx2.URL(started["authorization_url"]).params["state"]
    answer = await phone.bring(second["id"], {"callback_url": address.replace(old, state)})
    refused(answer, 403, "login_refused")


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_provider_that_is_down_may_be_asked_again(database_of: Any, flavour: str) -> None:
    service = await database_of(flavour)
    others = service.stand.other_eids
    provider = others.portal if flavour == "portal" else others.direct
    phone, person = service.phone(), service.person()
    started = await phone.begin()
    address = await called_back(service, started["authorization_url"], person)
    provider.down = True
    try:
        refused(await phone.bring(started["id"], {"callback_url": address}), 503, "provider_unavailable")
    finally:
        provider.down = False
    assert (await phone.bring(started["id"], {"callback_url": address})).json()["step"] == "phone"


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_the_request_is_what_the_provider_documents(database_of: Any, flavour: str) -> None:
    """No nonce and no PKCE, which neither documents; the state is always there."""
    service = await database_of(flavour)
    url = httpx2.URL((await service.phone().begin())["authorization_url"])
    wanted = {"response_type", "client_id", "redirect_uri", "scope", "state"}
    assert set(url.params) == (wanted | {"acr_values"} if flavour == "portal" else wanted)
    assert url.path == ("/demo/portal/oauth2/authorize" if flavour == "portal" else "/demo/vneid-direct/auth")
    assert url.params["scope"] == "openid"


async def test_an_enterprise_of_the_portal_has_an_account_of_its_kind(database_of: Any) -> None:
    service = await database_of("portal")
    phone = await sign_in(service, ENTERPRISES[0])
    me = (await phone.call("GET", "/v1/me")).json()
    assert (me["kind"], me["full_name"]) == ("enterprise", ENTERPRISES[0].full_name)
    assert me["identifiers"] == [{"type": "tax_code", "value": "000****017"}]


async def test_somebody_known_to_the_portal_by_the_old_number_only_gets_in(database_of: Any) -> None:
    service = await database_of("portal")
    person = service.person(national_id="", old_id_number="000000191")
    me = (await (await sign_in(service, person)).call("GET", "/v1/me")).json()
    assert me["identifiers"] == [{"type": "old_id_number", "value": "000***191"}]


async def test_the_app_may_bring_the_portals_answer_in_parts(database_of: Any) -> None:
    service = await database_of("portal")
    await service.sign_in(service.person())
