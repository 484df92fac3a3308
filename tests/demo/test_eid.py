"""The stand-in e-ID refuses what a careful provider refuses, and misbehaves only when told to."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from litestar import Litestar

from backend.outside.clock import Clock
from ngomon.demo.eid import StandInEid
from ngomon.demo.eid_claims import Fault
from ngomon.demo.eid_clients import ASSERTION, EidClient
from ngomon.demo.eid_http import eid_router
from ngomon.demo.persona import PERSONAS

ISSUER = "http://eid.test/demo/eid"
BACK = "http://app.test/app/vneid"
BASIC = ("hue-s", "mot:bi mat/+")
APP_KEY = ECKey.generate_key("P-256", {"kid": "app-1"})


class Client:
    """A careful relying party over real HTTP messages."""

    def __init__(self, eid: StandInEid, clock: Clock, http: httpx2.AsyncClient) -> None:
        self.eid, self.clock, self.http = eid, clock, http
        self.verifier = secrets.token_urlsafe(48)
        self.nonce = secrets.token_urlsafe(16)

    def query(self, **changed: str | None) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "hue-s",
            "redirect_uri": BACK,
            "scope": "openid profile phone eid",
            "state": "s-1",
            "nonce": self.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    async def authorize(self, **changed: str | None) -> httpx2.Response:
        return await self.http.get(f"{ISSUER}/authorize", params=self.query(**changed))

    async def code(self, persona: str = "an", **changed: str | None) -> str:
        answer = await self.authorize(prompt="none", login_hint=persona, **changed)
        assert answer.status_code == 303, answer.text
        return said(answer)["code"]

    async def token(
        self, code: str, *, auth: tuple[str, str] | None = None, **changed: str
    ) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
        } | changed
        if "client_assertion" in changed:
            return await self.http.post(f"{ISSUER}/token", data=form)
        return await self.http.post(f"{ISSUER}/token", data=form, auth=quoted(auth or BASIC))

    async def id_token(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set((await self.http.get(f"{ISSUER}/jwks")).json())
        return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


def quoted(pair: tuple[str, str]) -> tuple[str, str]:
    """Basic credentials are form-encoded first (RFC 6749 §2.3.1)."""
    return quote_plus(pair[0]), quote_plus(pair[1])


def said(answer: httpx2.Response) -> dict[str, str]:
    """The authorization response inside a redirect."""
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    eid = StandInEid(
        ISSUER,
        [
            EidClient("hue-s", (BACK,), secret=BASIC[1]),
            EidClient("khoa", (BACK,), jwks={"keys": [APP_KEY.as_dict(private=False)]}),
        ],
        PERSONAS,
        clock,
    )
    app = Litestar([eid_router(eid)], openapi_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx2 wants wider message types
    async with httpx2.AsyncClient(transport=transport, base_url="http://eid.test") as http:
        yield Client(eid, clock, http)


async def test_a_code_buys_an_id_token_about_the_person_who_was_picked(client: Client) -> None:
    answer = await client.token(await client.code("binh"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    claims = await client.id_token(answer.json()["id_token"])
    assert claims["full_name"] == "Trần Văn Bình"
    assert claims["national_id"] == "000092000202"
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "hue-s", client.nonce)
    half = hashlib.sha256(answer.json()["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    info = (await client.http.get(f"{ISSUER}/userinfo", headers=bearer)).json()
    assert info["sub"] == claims["sub"]
    assert info["assurance_level"] == 2


async def test_the_discovery_document_names_its_own_issuer_and_keys(client: Client) -> None:
    found = (await client.http.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    assert found["code_challenge_methods_supported"] == ["S256"]
    keys = (await client.http.get(found["jwks_uri"])).json()["keys"]
    assert [("d" in key, key["alg"]) for key in keys] == [(False, "ES256")]


async def test_the_answer_names_the_issuer_and_gives_the_state_back(client: Client) -> None:
    response = said(await client.authorize(prompt="none", login_hint="an"))
    assert response["iss"] == ISSUER
    assert response["state"] == "s-1"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
    ],
)
async def test_a_careless_authorization_request_is_sent_back(
    client: Client, changed: dict[str, str | None], error: str
) -> None:
    answer = await client.authorize(prompt="none", login_hint="an", **changed)
    assert answer.status_code == 303
    assert said(answer)["error"] == error
    assert "code" not in said(answer)


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://evil.test/app/vneid"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": None},
        {"client_id": "somebody"},
        {"client_id": None},
    ],
)
async def test_nothing_is_ever_sent_to_a_foreign_address(
    client: Client, changed: dict[str, str | None]
) -> None:
    answer = await client.authorize(prompt="none", login_hint="an", **changed)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_parameter_given_twice_is_refused(client: Client) -> None:
    twice = f"{urlencode(client.query())}&state=s-2"
    answer = await client.http.get(f"{ISSUER}/authorize?{twice}")
    assert answer.status_code == 400


@pytest.mark.parametrize("verifier", ["", "short", secrets.token_urlsafe(48), "ä" * 50])
async def test_a_wrong_verifier_buys_nothing_and_burns_the_code(client: Client, verifier: str) -> None:
    code = await client.code()
    answer = await client.token(code, code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await client.token(code)).status_code == 400


async def test_a_code_works_once_and_its_second_use_ends_the_token(client: Client) -> None:
    code = await client.code()
    first = await client.token(code)
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert (await client.http.get(f"{ISSUER}/userinfo", headers=bearer)).status_code == 200
    assert (await client.token(code)).json()["error"] == "invalid_grant"
    assert (await client.http.get(f"{ISSUER}/userinfo", headers=bearer)).status_code == 401


async def test_a_code_lives_a_minute(client: Client) -> None:
    code = await client.code()
    client.clock.ahead += timedelta(seconds=60)
    assert (await client.token(code)).json()["error"] == "invalid_grant"


async def test_a_code_of_one_client_is_worth_nothing_to_another(client: Client) -> None:
    code = await client.code()
    other = assertion(client)
    answer = await client.token(code, client_assertion_type=ASSERTION, client_assertion=other)
    assert answer.json()["error"] == "invalid_grant"
    assert (await client.token(code)).status_code == 200


async def test_a_code_is_bound_to_the_address_it_was_sent_to(client: Client) -> None:
    answer = await client.token(await client.code(), redirect_uri="http://app.test/other")
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("pair", [("hue-s", "wrong"), ("nobody", BASIC[1]), ("khoa", "")])
async def test_a_client_without_its_secret_is_refused(client: Client, pair: tuple[str, str]) -> None:
    answer = await client.token(await client.code(), auth=pair)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def assertion(client: Client, *, key: ECKey = APP_KEY, **changed: object) -> str:
    """A client assertion (RFC 7523 §3) that is right, but for what is changed."""
    now = int(client.clock.now().timestamp())
    claims = {
        "iss": "khoa",
        "sub": "khoa",
        "aud": ISSUER,
        "exp": now + 60,
        "jti": secrets.token_hex(8),
    } | changed
    return jwt.encode({"alg": "ES256", "kid": "app-1"}, claims, key)


async def test_a_client_may_prove_itself_by_a_key_instead(client: Client) -> None:
    code = await client.code(client_id="khoa")
    answer = await client.token(code, client_assertion_type=ASSERTION, client_assertion=assertion(client))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"sub": "hue-s"},
        {"exp": 1},
        {"exp": 4102444800},
        {"jti": None},
        {"key": ECKey.generate_key("P-256", {"kid": "app-1"})},
    ],
)
async def test_a_bad_client_assertion_is_refused(client: Client, changed: dict[str, Any]) -> None:
    code = await client.code(client_id="khoa")
    bad = assertion(client, **changed)
    answer = await client.token(code, client_assertion_type=ASSERTION, client_assertion=bad)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_client_assertion_works_once(client: Client) -> None:
    proof = assertion(client)
    statuses = []
    for _ in range(2):
        code = await client.code(client_id="khoa")
        answer = await client.token(code, client_assertion_type=ASSERTION, client_assertion=proof)
        statuses.append(answer.status_code)
    assert statuses == [200, 401]


async def test_only_the_code_grant_is_offered(client: Client) -> None:
    answer = await client.token(await client.code(), grant_type="password")
    assert answer.json()["error"] == "unsupported_grant_type"


async def test_a_person_picks_themselves_on_the_page_once(client: Client) -> None:
    shown = await client.authorize()
    assert shown.status_code == 200
    assert "Trần Văn Bình" in shown.text
    ticket = shown.text.split('name="ticket" value="')[1].split('"')[0]
    form = {"ticket": ticket, "persona": "binh"}
    assert "code" in said(await client.http.post(f"{ISSUER}/approve", data=form))
    assert (await client.http.post(f"{ISSUER}/approve", data=form)).status_code == 400


async def test_a_person_may_cancel(client: Client) -> None:
    ticket = client.eid.ask(list(client.query().items()))
    answer = await client.http.post(f"{ISSUER}/approve", data={"ticket": ticket, "cancel": "1"})
    assert said(answer)["error"] == "access_denied"


@pytest.mark.parametrize("number", ["097092000202", "00019700010", "000 abc", ""])
async def test_an_own_person_never_has_a_number_that_could_be_somebodys(client: Client, number: str) -> None:
    ticket = client.eid.ask(list(client.query().items()))
    own = {"ticket": ticket, "full_name": "Lý Thử", "birth_date": "1990-01-01", "national_id": number}
    answer = await client.http.post(f"{ISSUER}/approve", data=own)
    assert answer.status_code == 422
    assert "000" in answer.text
    own["national_id"] = "000 090 012345"
    assert "code" in said(await client.http.post(f"{ISSUER}/approve", data=own))


async def test_another_sites_page_cannot_press_the_switches(client: Client) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": "cancelled"}, headers=foreign)
    assert answer.status_code == 403
    assert client.eid.next_fault is None


async def set_next(client: Client, fault: Fault) -> None:
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": fault.value})
    assert answer.json()["next"] == fault.value


async def test_a_cancelled_sign_in_is_cancelled_once(client: Client) -> None:
    await set_next(client, Fault.CANCELLED)
    assert said(await client.authorize(prompt="none", login_hint="an"))["error"] == "access_denied"
    assert "code" in said(await client.authorize(prompt="none", login_hint="an"))


async def test_each_fault_of_the_id_token_shows_in_the_next_sign_in_only(client: Client) -> None:
    await set_next(client, Fault.WRONG_NONCE)
    wrong = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert wrong["nonce"] != client.nonce
    await set_next(client, Fault.FOREIGN_ISSUER)
    foreign = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert foreign["iss"] != ISSUER
    await set_next(client, Fault.EXPIRED_TOKEN)
    late = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert late["exp"] < client.clock.now().timestamp()
    await set_next(client, Fault.LEVEL_1)
    low = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert (low["assurance_level"], low["acr"]) == (1, "LoA1")
    right = await client.id_token((await client.token(await client.code())).json()["id_token"])
    assert (right["nonce"], right["iss"], right["assurance_level"]) == (client.nonce, ISSUER, 2)


async def test_userinfo_can_speak_of_somebody_else(client: Client) -> None:
    await set_next(client, Fault.OTHER_SUBJECT)
    answer = (await client.token(await client.code())).json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    info = (await client.http.get(f"{ISSUER}/userinfo", headers=bearer)).json()
    assert info["sub"] != (await client.id_token(answer["id_token"]))["sub"]


async def test_a_provider_that_is_down_says_when_to_come_back(client: Client) -> None:
    await set_next(client, Fault.PROVIDER_503)
    answer = await client.token(await client.code())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    await client.http.post(f"{ISSUER}/switch", json={"down": "on"})
    assert (await client.http.get(f"{ISSUER}/.well-known/openid-configuration")).status_code == 503
    assert (await client.authorize()).status_code == 503


async def test_an_unknown_switch_is_named_as_such(client: Client) -> None:
    answer = await client.http.post(f"{ISSUER}/switch", json={"next": "explode"})
    assert answer.status_code == 400
    assert "wrong_nonce" in answer.json()["known"]


async def test_a_tampered_id_token_does_not_verify(client: Client) -> None:
    token = (await client.token(await client.code())).json()["id_token"]
    head, body, signature = token.split(".")
    with pytest.raises(JoseError):
        await client.id_token(f"{head}.{body[:-4]}AAAA.{signature}")


async def test_the_page_speaks_english_when_asked(client: Client) -> None:
    shown = await client.authorize(lang="en")
    assert "Identity app (stand-in)" in shown.text
    assert parse_qs(urlsplit(str(shown.url)).query)["lang"] == ["en"]
