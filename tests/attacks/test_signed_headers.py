"""What a signed header may demand and a signed time may be: DPoP proofs, ID tokens, client assertions (A28, B31)."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import httpx2
import pytest

from demo.eid_clients import ASSERTION, ClientDesk, EidClient, NotTheClient
from tests.attacks.attempts import is_refused
from tests.attacks.conftest import Hostile
from tests.attacks.jose import Key, compact
from tests.attacks.problems import refused
from tests.phone import Phone
from tests.service import Service

ME = "/v1/me"
DEMANDS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (["exp"], {"exp": 1}),
    (["x"], {"x": 1}),
    (["alg"], {}),
    (["b64"], {"b64": True}),
    ([], {}),
    ("x", {}),
    (None, {}),
    ({}, {}),
)


async def get(phone: Phone, proof: str) -> httpx2.Response:
    sent = {"Authorization": f"DPoP {phone.session['access_token']}", "DPoP": proof}
    return await phone.http.get(ME, headers=sent)


def demanding(phone: Phone, crit: Any, more: dict[str, Any]) -> str:
    """A good proof whose header demands an extension; the library would sign none such."""
    head, body, _ = phone.proof("GET", ME, phone.session["access_token"]).split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | more | {"crit": crit}
    key = Key()
    key.take(phone.key.as_dict(private=True)["d"])
    claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return compact(header, claims, key)


async def test_a28_a_proof_that_demands_an_extension_is_refused(service: Service) -> None:
    phone = await service.sign_in()
    for crit, more in DEMANDS:
        answer = await get(phone, demanding(phone, crit, more))
        refused(answer, 401, "invalid_dpop_proof")
    assert (await phone.call("GET", ME)).status_code == 200


async def test_a28_an_id_token_that_demands_an_extension_is_refused(hostile: Hostile) -> None:
    for crit, more in DEMANDS:

        def forge(header: dict[str, Any], claims: dict[str, Any], told: Any = (crit, more)) -> str:
            return compact(header | told[1] | {"crit": told[0]}, claims, hostile.evil.key)

        await is_refused(hostile, forge)


def test_a28_a_client_assertion_that_demands_an_extension_is_refused() -> None:
    key = Key("app-1")
    client = EidClient(client_id="app", redirect_uris=(), jwks={"keys": [key.jwk]})
    desk = ClientDesk([client], ("https://issuer.example",))

    def form(**header: Any) -> dict[str, str]:
        claims = {"iss": "app", "sub": "app", "aud": "https://issuer.example", "exp": 60, "jti": secrets.token_hex(8)}  # fmt: skip
        signed = compact({"alg": "ES256", "kid": "app-1"} | header, claims, key)
        return {"client_assertion_type": ASSERTION, "client_assertion": signed}

    assert desk.authenticate("", form(), 0) is client
    for crit, more in DEMANDS:
        with pytest.raises(NotTheClient):
            desk.authenticate("", form(**more, crit=crit), 0)


async def test_b31_the_time_of_a_proof_may_have_a_fraction(service: Service) -> None:
    phone = await service.sign_in()
    token, now = phone.session["access_token"], int(service.clock.now().timestamp())

    def proof(iat: float) -> str:
        return phone.proof("GET", ME, token, iat=iat)

    for iat in (now + 0.25, float(now), now - 56.5, now + 8.75):
        assert (await get(phone, proof(iat))).status_code == 200, iat
    for iat in (now - 3600.5, now + 3600.5, now - 61.75, now + 15.5):
        late = refused(await get(phone, proof(iat)), 401, "invalid_dpop_proof")
        assert "iat" in late["detail"], iat
    once = proof(now + 0.5)
    assert (await get(phone, once)).status_code == 200
    refused(await get(phone, once), 401, "invalid_dpop_proof")


async def test_b31_a_time_that_is_none_is_refused(service: Service) -> None:
    phone = await service.sign_in()
    head, body, _ = phone.proof("GET", ME, phone.session["access_token"]).split(".")
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body)
    )
    key = Key()
    key.take(phone.key.as_dict(private=True)["d"])
    for iat in (
        "NaN",
        "Infinity",
        "-1",
        "-0.5",
        "1e400",
        "1e308",
        "true",
        "null",
        '"1795970000"',
        "[1]",
        "9" * 400,
    ):
        del claims["iat"]
        claims |= {"jti": secrets.token_hex(8)}
        text = json.dumps(claims | {"iat": 0}).replace('"iat": 0', f'"iat": {iat}')
        answer = await get(phone, compact(header, text.encode(), key))
        refused(answer, 401, "invalid_dpop_proof")
        claims["iat"] = 0
