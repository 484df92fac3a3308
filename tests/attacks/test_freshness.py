"""A fresh proof is fresh: the e-ID's own session answers for nobody, and lifts no freeze (A10, A27)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio

from demo.persona import Persona
from tests.attacks.problems import refused
from tests.checker import check
from tests.citizen import Citizen
from tests.conftest import DATABASES
from tests.parts.client import client
from tests.parts.oidc import OidcProvider
from tests.parts.postgres import Postgres
from tests.phone import Phone
from tests.service import Service, running
from tests.signer import facts

EXPORT = "/v1/me/export"
STEP_UP = {"method": "vneid", "step_up": True}


def asked(url: str) -> dict[str, list[str]]:
    """What the e-ID is asked for."""
    return parse_qs(urlsplit(url).query)


async def stronger(service: Service, phone: Phone, person: Persona, fault: str = "") -> httpx2.Response:
    """A step-up, at an e-ID that may misbehave."""
    begun = (await phone.call("POST", "/v1/logins", STEP_UP)).json()
    service.stand.eid.next_fault = fault or None
    back = await service.consent(begun["authorization_url"], person)
    return await phone.open(f"/v1/logins/{begun['id']}/authorize", back)


async def anew(
    service: Service, person: Persona, *, fault: str = "", phone: Phone | None = None, **body: Any
) -> httpx2.Response:
    """A sign-in for which the person has to show up at the e-ID."""
    phone = phone or service.phone()
    about = {"platform": "android", "name": phone.name, "model": "Mẫu 1"}
    begun = await phone.open("/v1/logins", {"method": "vneid", "device": about, "max_age": 0} | body)
    assert begun.status_code == 201, begun.text
    service.stand.eid.next_fault = fault or None
    back = await service.consent(begun.json()["authorization_url"], person)
    answer = await phone.bring(begun.json()["id"], back)
    if answer.status_code == 200:
        phone.keep(answer.json())
    return answer


async def test_a10_a_step_up_asks_the_person_to_show_up_and_says_what_it_got(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await citizen.by_vneid(citizen.phone)
    begun = (await citizen.phone.call("POST", "/v1/logins", STEP_UP)).json()
    assert asked(begun["authorization_url"])["max_age"] == ["0"]
    assert "prompt" not in asked(begun["authorization_url"])
    answer = await stronger(service, citizen.phone, citizen.person)
    assert answer.status_code == 200, answer.text
    assert (await facts(service, "session.stepped_up"))[-1]["fresh"] == "proved"
    plain = await service.phone().begin()
    assert not asked(plain["authorization_url"]).keys() & {"max_age", "prompt"}


@pytest.mark.parametrize("fault", ["old_session", "no_auth_time"])
async def test_a10_an_old_or_missing_auth_time_steps_nothing_up(service: Service, fault: str) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    refused(await stronger(service, phone, person, fault), 403, "login_refused")
    service.pass_time(seconds=601)
    again = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    phone.session = again.json()["session"]
    refused(await phone.call("GET", EXPORT), 403, "insufficient_assurance")


async def test_a10_a_plain_sign_in_is_as_old_as_the_e_ids_own_session(service: Service) -> None:
    person = service.person()
    await service.sign_in(person)
    service.stand.eid.next_fault = "old_session"
    phone = await service.sign_in(person)
    body = refused(await phone.call("GET", EXPORT), 403, "insufficient_assurance")
    assert body["required"] == {"max_age": 600}
    answer = await stronger(service, phone, person)
    assert answer.status_code == 200, answer.text
    phone.keep(answer.json())
    assert (await phone.call("GET", EXPORT)).status_code == 200
    service.stand.eid.next_fault = "no_auth_time"
    await service.sign_in(person)  # it is not asked for, so nobody is refused


@pytest_asyncio.fixture(params=DATABASES)
async def portal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A kind of e-ID that cannot say when the person showed up."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'portal.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("portal")
    async with running(url, NGOMON_VNEID_FLAVOUR="portal") as service:
        yield service
        await check(service.db, service.kit)


async def called_back(service: Service, url: str, person: Persona) -> dict[str, str]:
    """The whole address that the provider called."""
    answer = await service.http.get(f"{url}&prompt=none&login_hint={person.key}")
    return {"callback_url": str(answer.headers["location"])}


async def test_a10_an_e_id_without_auth_time_is_asked_for_a_login_and_the_journal_says_so(
    portal: Service,
) -> None:
    person, phone = portal.person(), portal.phone()
    started = await phone.begin()
    assert "prompt" not in asked(started["authorization_url"])
    await phone.bring(started["id"], await called_back(portal, started["authorization_url"], person))
    number = portal.mobile_number()
    await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
    done = await phone.open(f"/v1/logins/{started['id']}/otp", {"code": portal.code_for(number)})
    phone.keep(done.json())
    begun = (await phone.call("POST", "/v1/logins", STEP_UP)).json()
    assert asked(begun["authorization_url"])["prompt"] == ["login"]
    back = await called_back(portal, begun["authorization_url"], person)
    answer = await phone.open(f"/v1/logins/{begun['id']}/authorize", back)
    assert answer.status_code == 200, answer.text
    assert (await facts(portal, "session.stepped_up"))[-1]["fresh"] == "asked"


@pytest_asyncio.fixture(params=DATABASES)
async def real(
    request: pytest.FixtureRequest, tmp_path: Path, oidc_provider: OidcProvider
) -> AsyncIterator[Service]:
    """The product with an e-ID that nobody here wrote, which keeps sessions of its own."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'real.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        url = part.new_database("fresh")
    said = {
        "NGOMON_VNEID_ISSUER": oidc_provider.issuer,
        "NGOMON_VNEID_CLIENT_ID": oidc_provider.basic,
        "NGOMON_VNEID_CLIENT_SECRET": oidc_provider.client_secret,
    }
    async with running(url, **said) as service:
        oidc_provider.allow_redirect(service.app.settings.vneid.redirect_uri)
        yield service
        await check(service.db, service.kit)


async def test_a10_a_real_e_id_with_a_session_asks_the_person_again(
    real: Service, oidc_provider: OidcProvider
) -> None:
    person = real.person()
    claims = {"national_id": person.national_id, "full_name": person.full_name, "assurance_level": 2}
    oidc_provider.add_account(person.key, birth_date=person.birth_date, **claims)
    phone = real.phone()
    async with client() as browser:
        started = await phone.begin()
        back = await oidc_provider.sign_in(started["authorization_url"], person.key, browser)
        assert oidc_provider.logins_asked == 1
        step = await phone.bring(started["id"], back)
        assert step.json()["step"] == "phone", step.text
        number = real.mobile_number()
        await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
        done = await phone.open(f"/v1/logins/{started['id']}/otp", {"code": real.code_for(number)})
        phone.keep(done.json())
        again = await phone.begin()
        await oidc_provider.sign_in(again["authorization_url"], person.key, browser)
        assert oidc_provider.logins_asked == 0, "its own session answers a plain sign-in"
        begun = (await phone.call("POST", "/v1/logins", STEP_UP)).json()
        back = await oidc_provider.sign_in(begun["authorization_url"], person.key, browser)
        assert oidc_provider.logins_asked == 1, "but no step-up"
    answer = await phone.open(f"/v1/logins/{begun['id']}/authorize", back)
    assert answer.status_code == 200, answer.text


async def frozen(service: Service, *, level: int = 2) -> tuple[Persona, Phone]:
    """Somebody whose former device has frozen the account; the device that did it."""
    person = service.person(level=level)
    former = await service.sign_in(person)
    await service.sign_in(person)
    service.pass_time(seconds=1)
    assert (await former.call("POST", "/v1/takeover-reports")).status_code == 201
    return person, former


async def test_a27_the_owner_lifts_the_freeze_by_showing_up_at_vneid(service: Service) -> None:
    person, former = await frozen(service)
    phone = service.phone()
    started = await phone.begin()
    plain = await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
    body = refused(plain, 403, "account_frozen")
    assert body["required"] == {"method": "vneid", "level": 2, "max_age": 0}
    answer = await anew(service, person, phone=phone)
    assert answer.status_code == 200 and answer.json()["step"] == "done", answer.text
    assert (await phone.call("GET", "/v1/me")).status_code == 200
    thawed = (await facts(service, "account.thawed"))[-1]
    assert (thawed["how"], thawed["fresh"]) == ("vneid", "proved")
    kinds = [one["kind"] for one in (await phone.call("GET", "/v1/notices")).json()["items"]]
    assert "account_thawed" in kinds
    refused(await former.call("POST", "/v1/takeover-reports"), 409, "not_replaced")
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "the former device freezes nothing again"


async def test_a27_a_device_that_is_replaced_later_may_report_that(service: Service) -> None:
    person, _ = await frozen(service)
    mine = service.phone()
    assert (await anew(service, person, phone=mine)).status_code == 200
    service.pass_time(seconds=1)
    await service.sign_in(person)
    assert (await mine.call("POST", "/v1/takeover-reports")).status_code == 201


@pytest.mark.parametrize("fault", ["old_session", "no_auth_time", "level_1"])
async def test_a27_an_old_session_or_a_weak_level_lifts_nothing(service: Service, fault: str) -> None:
    person, _ = await frozen(service)
    before = len(await facts(service, "account.thawed"))
    refused(await anew(service, person, fault=fault), 403)
    assert len(await facts(service, "account.thawed")) == before
    assert not await _is_open(service, person)


async def _is_open(service: Service, person: Persona) -> bool:
    phone = service.phone()
    started = await phone.begin()
    answer = await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
    return answer.status_code == 200


async def test_a27_a_sign_in_that_began_before_the_report_lifts_nothing(service: Service) -> None:
    person = service.person()
    former = await service.sign_in(person)
    await service.sign_in(person)
    thief = service.phone()
    about = {"platform": "android", "name": "Máy lạ", "model": "Mẫu 1"}
    begun = (await thief.open("/v1/logins", {"method": "vneid", "device": about, "max_age": 0})).json()
    back = await service.consent(begun["authorization_url"], person)
    service.pass_time(seconds=1)
    assert (await former.call("POST", "/v1/takeover-reports")).status_code == 201
    refused(await thief.bring(begun["id"], back), 403, "account_frozen")
    assert not await _is_open(service, person)


@pytest.mark.parametrize("method", ["password", "certificate", "post_office"])
async def test_a27_only_vneid_takes_a_max_age(service: Service, method: str) -> None:
    about = {"platform": "android", "name": "Máy", "model": "Mẫu 1"}
    body = {"method": method, "device": about, "max_age": 0}
    if method == "password":
        body |= {"national_id": "000090000001", "password": "Sai 1234 @x"}
    answer = refused(await service.phone().open("/v1/logins", body), 422, "validation_failed")
    assert "max_age" in [one["field"] for one in answer["errors"]]
