"""The stand-in e-ID refuses what a careful provider refuses."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from demo.eid_clients import ASSERTION
from tests.demo.eid_client import APP_KEY, BACK, BASIC, ISSUER, Client, client, said

__all__ = ["client"]


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


@pytest.mark.parametrize(
    "verifier", ["", "short", pytest.param(secrets.token_urlsafe(48), id="another"), "ä" * 50]
)
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
