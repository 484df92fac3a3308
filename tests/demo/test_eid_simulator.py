"""The simulators of the special flavours and the post office, as a client and a visitor meet them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.outside.eid.eid_callback import read_callback
from backend.outside.eid.eid_envelope import Envelope, envelope_key
from backend.outside.eid.eid_errors import LoginRefused, ProviderUnavailable
from demo.eid_simulator_variants import DIRECT, PORTAL
from tests.service import Service, running

SAME = {"sec-fetch-site": "same-origin"}
BASE = {"portal": "/demo/portal", "vneid_direct": "/demo/vneid-direct"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["decrypted", "raw"])
async def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("simulator")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    told = {
        "FLAVOUR": "vneid_direct",
        "ENVELOPE_KEY": str(folder / "key.pem"),
        "ENVELOPE_CODE": request.param,
    }
    url = f"sqlite+aiosqlite:///{folder / 'demo.db'}"
    async with running(url, **{f"NGOMON_VNEID_{name}": value for name, value in told.items()}) as service:
        yield service


async def code_at(service: Service, base: str, **more: str) -> httpx2.URL:
    """Where the provider sends the browser when An says yes."""
    at = {"portal": "/oauth2/authorize", "vneid-direct": "/auth"}[base.rpartition("/")[2]]
    query = {"response_type": "code", "client_id": "ngomon-demo", "scope": "openid", "state": "s-1"}
    query |= {
        "redirect_uri": service.app.settings.vneid.redirect_uri,
        "prompt": "none",
        "login_hint": "an",
    } | more
    answer = await service.http.get(base + at, params={name: value for name, value in query.items() if value})
    assert answer.status_code == 303, answer.text
    return httpx2.URL(answer.headers["location"])


def form_for(service: Service, code: str, **more: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code", "code": code, "client_id": "ngomon-demo", "client_secret": "demo",
        "redirect_uri": service.app.settings.vneid.redirect_uri,
    } | more  # fmt: skip


async def test_the_portal_takes_the_secret_in_the_form_and_answers_get_and_post(demo: Service) -> None:
    base = BASE["portal"]
    code = (await code_at(demo, base)).params["code"]
    tokens = (await demo.http.post(f"{base}/oauth2/token", data=form_for(demo, code))).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    for method in ("GET", "POST"):
        claims = (await demo.http.request(method, f"{base}/oauth2/userinfo", headers=bearer)).json()
        assert (claims["SoDinhDanh"], claims["LoaiTaiKhoan"], claims["loAs"]) == ("000197000101", 1, "LoA2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": "x"}, {"client_id": "x"}, {"redirect_uri": "http://evil.example/"}, {"code": "x"}, {"grant_type": "x"},
        {"encrypt_key": "x"},
    ],
)  # fmt: skip
async def test_the_portal_is_careful(demo: Service, wrong: dict[str, str]) -> None:
    code = (await code_at(demo, BASE["portal"])).params["code"]
    answer = await demo.http.post("/demo/portal/oauth2/token", data=form_for(demo, code) | wrong)
    assert answer.status_code in (400, 401)


async def test_vneid_wants_a_form_and_its_code_comes_sealed(demo: Service) -> None:
    url = str(await code_at(demo, BASE["vneid_direct"]))
    found = read_callback(url)
    assert found.code
    assert found.encrypt_key
    settings = demo.app.settings
    envelope = Envelope(envelope_key(settings.vneid.envelope_key), cipher="ecb", raw_code=False)
    plain = envelope.opened(found.encrypt_key, found.code).decode()
    code = found.code if settings.vneid.envelope_code == "raw" else plain
    form = form_for(demo, code)
    assert (await demo.http.post("/demo/vneid-direct/token", json=form)).status_code == 415
    assert (await demo.http.post("/demo/vneid-direct/token", data=form)).status_code == 400, (
        "encrypt_key is missing"
    )
    url = str(await code_at(demo, BASE["vneid_direct"]))
    found = read_callback(url)
    assert found.code
    assert found.encrypt_key
    plain = envelope.opened(found.encrypt_key, found.code).decode()
    code = found.code if settings.vneid.envelope_code == "raw" else plain
    form = form_for(demo, code, encrypt_key=found.encrypt_key)
    sealed = (await demo.http.post("/demo/vneid-direct/token", data=form)).json()
    assert set(sealed) == {"data", "key"}
    assert "access_token" in json.loads(envelope.opened(sealed["key"], sealed["data"]))


@pytest.mark.parametrize("flavour", BASE)
async def test_the_page_offers_people_and_everything_that_can_go_wrong(demo: Service, flavour: str) -> None:
    page = (await demo.http.get(f"{BASE[flavour]}/")).text
    assert "Nguyễn Thị An" in page
    assert ("Công ty TNHH Thử nghiệm Sông Hương" in page) == (flavour == "portal")
    for name in PORTAL if flavour == "portal" else DIRECT:
        assert f'value="{name}"' in page


async def test_the_switch_spoils_the_next_sign_in_and_only_that(demo: Service) -> None:
    url = f"{BASE['vneid_direct']}/switch"
    set_to = await demo.http.post(url, json={"next": "code_lost", "down": "off"}, headers=SAME)
    assert set_to.status_code == 400
    set_to = await demo.http.post(url, json={"next": "code_data_lost_plus"}, headers=SAME)
    assert set_to.json() == {"next": "code_data_lost_plus", "down": False}
    first, second = [await code_at(demo, BASE["vneid_direct"]) for _ in range(2)]
    assert " " in (read_callback(str(first)).code or "")
    assert " " not in (read_callback(str(second)).code or " ")


@pytest.mark.parametrize(
    "wrong", [{"state": ""}, {"scope": "profile"}, {"response_type": "token"}, {"client_id": "x"}, {"variant": "x"}]
)  # fmt: skip
async def test_a_careless_request_is_refused_on_the_page(demo: Service, wrong: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        await code_at(demo, BASE["portal"], **wrong)


async def test_the_post_office_vouches_at_level_two(demo: Service) -> None:
    provider = demo.app.outside.post_office
    assert provider is not None
    person = demo.person(level=1)
    back = await office_answer(demo, provider, person.key)
    found = await provider.finish(back["attempt"], code=back["code"], iss=back["iss"])
    assert (found.issuer, found.subject) == (f"{demo.url}/demo/post-office", person.sub)
    assert (found.national_id, found.level, found.kind) == (person.national_id, 2, "citizen")
    with pytest.raises(LoginRefused):
        await provider.finish(back["attempt"], code=back["code"], iss=back["iss"])


async def test_an_answer_of_the_post_office_is_none_of_vneids(demo: Service) -> None:
    provider = demo.app.outside.post_office
    assert provider is not None
    back = await office_answer(demo, provider, "an")
    with pytest.raises(LoginRefused):
        await provider.finish(back["attempt"], code=back["code"], iss=f"{demo.url}/demo/eid")
    demo.stand.other_eids.post_office.down = True
    try:
        with pytest.raises(ProviderUnavailable):
            await provider.finish(back["attempt"], code=back["code"], iss=back["iss"])
    finally:
        demo.stand.other_eids.post_office.down = False


async def office_answer(service: Service, provider: Any, key: str) -> dict[str, Any]:
    """A question to the post office that this person has answered."""
    url, attempt = await provider.begin(service.app.settings.post_office.redirect_uri)
    answer = await service.http.get(f"{url}&prompt=none&login_hint={key}")
    params = httpx2.URL(answer.headers["location"]).params
    assert params["state"] == attempt.state
    return {"attempt": attempt, "code": params["code"], "iss": params["iss"]}


def test_without_a_key_there_is_no_simulator_of_vneid_itself(tmp_path: Path) -> None:
    """Nobody could open what it seals."""
    from backend.environment import load
    from backend.outside.clock import Clock
    from demo.stand import Stand

    stand = Stand(load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"}), Clock())
    assert stand.other_eids.direct is None
    assert len(stand.other_eids.routes()) == 2
