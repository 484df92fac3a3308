"""Proof of possession against the running product (cases TD08 to TD15, TD19, TD20)."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ngomon.app import App, create_app
from tests.attacks.jose import b64, compact
from tests.attacks.problems import refused
from tests.parts.processes import free_port
from tests.phone import Phone
from tests.service import Service, served

ME = "/v1/me"


async def get(phone: Phone, *, scheme: str = "DPoP", **changes: Any) -> Any:
    token = phone.session["access_token"]
    sent = {"Authorization": f"{scheme} {token}", "DPoP": phone.proof("GET", ME, token, **changes)}
    return await phone.http.get(ME, headers=sent)


async def test_td08_a_proof_opens_one_call_only(service: Service) -> None:
    phone = await service.sign_in()
    sent = phone.headers("GET", ME)
    answers = await asyncio.gather(*(service.http.get(ME, headers=sent) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15
    for answer in answers:
        if answer.status_code == 401:
            refused(answer, 401, "invalid_dpop_proof")


async def test_td08_a_proof_of_a_sign_in_opens_one_call_only(service: Service) -> None:
    phone = service.phone()
    sent, body = (
        phone.headers("POST", "/v1/logins"),
        {"method": "vneid", "device": {"platform": "a", "name": "b", "model": "c"}},
    )
    assert (await service.http.post("/v1/logins", json=body, headers=sent)).status_code == 201
    refused(await service.http.post("/v1/logins", json=body, headers=sent), 401, "invalid_dpop_proof")


async def test_td08_a_proof_is_remembered_by_another_process_and_after_a_restart(service: Service) -> None:
    """A second application on the same database stands for both; it has the public address of the first."""
    phone = await service.sign_in()
    sent = phone.headers("GET", ME)
    assert (await service.http.get(ME, headers=sent)).status_code == 200
    entry = _entry_of(create_app(service.app.settings, clock=service.clock, carry_worker=False))
    told = {"method": "GET", "path": ME, "now": service.clock.now()}
    with pytest.raises(Exception, match="invalid_dpop_proof"):
        await entry.admit([sent["Authorization"]], [sent["DPoP"]], **told)
    fresh = phone.headers("GET", ME)
    assert (await entry.admit([fresh["Authorization"]], [fresh["DPoP"]], **told)).kind == "mobile"
    refused(await service.http.get(ME, headers=fresh), 401, "invalid_dpop_proof")


def _entry_of(app: App) -> Any:
    return app.entry


WRONG: dict[str, dict[str, Any]] = {
    "TD09 htm": {"htm": "POST"}, "TD09 htm absent": {"htm": None}, "TD09 htu absent": {"htu": None}, "TD09 other path": {"htu": "{url}/v1/sessions"},
    "TD09 https": {"htu": "https://127.0.0.1/v1/me"}, "TD09 other host": {"htu": "http://localhost/v1/me"}, "TD09 dots": {"htu": "{url}/v1/x/../me"},
    "TD09 no ath": {"ath": None}, "TD09 ath of another": {"ath": b64(b"x" * 32)}, "TD09 ath empty": {"ath": ""}, "TD09 ath a number": {"ath": 5}, "TD09 no jti": {"jti": None},
    "TD10 typ": {"header_typ": "JWT"}, "TD11 -62": {"iat": -62}, "TD11 +13": {"iat": 13}, "TD11 absent": {"iat": None}, "TD11 text": {"iat": "x"}, "TD11 1e308": {"iat": 1e308},
}  # fmt: skip


@pytest.mark.parametrize("part", ["TD09", "TD10", "TD11"])
async def test_a_wrong_claim_is_refused_and_the_session_lives_on(service: Service, part: str) -> None:
    phone = await service.sign_in()
    for name, changes in WRONG.items():
        if name.startswith(part):
            told = dict(changes)
            if isinstance(told.get("htu"), str):
                told["htu"] = told["htu"].format(url=service.url)
            if type(told.get("iat")) is int:
                told["iat"] += int(service.clock.now().timestamp())
            answer = await get(phone, **told)
            assert refused(answer, 401)["code"] == "invalid_dpop_proof", name
    assert (await get(phone)).status_code == 200


async def test_td11_the_window_is_59_s_back_and_9_s_ahead(service: Service) -> None:
    phone = await service.sign_in()
    for seconds in (-57, 0, 9):
        now = int(service.clock.now().timestamp())
        assert (await get(phone, iat=now + seconds)).status_code == 200


async def test_td09_host_case_default_and_query_are_normalised(service: Service) -> None:
    phone = await service.sign_in()
    for htu in (f"{service.url}{ME}?x=1", f"HTTP{service.url[4:]}{ME}", f"{service.url}{ME}#x"):
        assert (await get(phone, htu=htu)).status_code == 200
    token = phone.session["access_token"]
    sent = {"Authorization": f"DPoP {token}", "DPoP": phone.proof("GET", ME, token)}
    assert (await service.http.get(f"{ME}?a=1&b=2", headers=sent)).status_code == 200


async def test_td09_a_path_with_escapes_is_compared_as_it_was_sent(service: Service) -> None:
    phone = await service.sign_in()
    code = "/v1/support-codes/SD261122%20123456%c3%a9"
    sent = {"Authorization": f"DPoP {phone.session['access_token']}"}
    sent["DPoP"] = phone.proof("GET", code, phone.session["access_token"])
    answer = await service.http.get(code, headers=sent)
    assert (answer.status_code, answer.content) == (200, b'{"genuine":false}'), answer.text
    for path, named in (
        (code, code.replace("SD", "%53D")),
        ("/v1/support-codes/a%2Fb", "/v1/support-codes/a/b"),
        ("/v1/x/%2541", "/v1/x/%41"),
    ):
        sent = {"Authorization": f"DPoP {phone.session['access_token']}"}
        sent["DPoP"] = phone.proof("GET", named, phone.session["access_token"])
        refused(await service.http.get(path, headers=sent), 401, "invalid_dpop_proof")


async def test_td10_forged_and_monstrous_proofs_are_refused(service: Service) -> None:
    phone = await service.sign_in()
    token = phone.session["access_token"]
    good = phone.proof("GET", ME, token)
    head, body, signature = good.split(".")
    public = phone.key.as_dict(private=False)
    forged = [
        "", "x", "..", f"{head}.{body}.", f"{head}.{body}.{b64(bytes(64))}", good + "." + signature, good[:-4], "x" * 12_000,
        *(compact({"typ": "dpop+jwt", "alg": alg, "jwk": public}, b"{}", None, signature=b"x" * 64) for alg in ("none", "HS256", "RS256", "PS256")),
        compact({"typ": "dpop+jwt", "alg": "ES256", "jwk": phone.key.as_dict(private=True)}, b"{}", None, signature=bytes(64)),
        compact({"typ": "dpop+jwt", "alg": "ES256"}, b"{}", None), compact(b"[" * 2000, b"{}", None),
    ]  # fmt: skip
    for proof in forged:
        answer = await service.http.get(ME, headers={"Authorization": f"DPoP {token}", "DPoP": proof})
        refused(answer, 401, "invalid_dpop_proof")


async def test_td10_ed25519_keys_sign_in_too(service: Service) -> None:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    header = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}}

    class EdPhone(Phone):
        def proof(self, method: str, path: str, token: str | None = None, **_: Any) -> str:
            body = super().proof(method, path, token).split(".")[1]
            message = f"{compact(header, b'', None).split('.')[0]}.{body}"
            return f"{message}.{b64(key.sign(message.encode()))}"

    phone = await service.sign_in(phone=EdPhone(service.http, service.url, clock=service.clock))
    assert (await phone.call("GET", ME)).status_code == 200


async def test_td12_two_headers_and_other_schemes(service: Service) -> None:
    phone = await service.sign_in()
    token = phone.session["access_token"]
    authorization = ("Authorization", f"DPoP {token}")

    async def call(*headers: tuple[str, str]) -> Any:
        return await service.http.get(ME, headers=list(headers))

    def proof() -> tuple[str, str]:
        return "DPoP", phone.proof("GET", ME, token)

    refused(await call(authorization, proof(), proof()), 401, "invalid_dpop_proof")
    refused(await call(authorization), 401, "invalid_dpop_proof")
    refused(await call(authorization, authorization, proof()), 401, "unauthenticated")
    refused(await call(proof()), 401, "unauthenticated")
    for scheme in ("Bearer", "bearer", "BEARER"):
        refused(await call(("Authorization", f"{scheme} {token}"), proof()), 401, "token_invalid")
        refused(await call(("Authorization", f"{scheme} {token}")), 401, "token_invalid")
    for value in (
        "Basic " + token,
        token,
        "DPoP",
        "DPoP " + "x" * 300,
        f"DPoP {token} {token}",
        f"DPoP,{token}",
    ):
        assert refused(await call(("Authorization", value), proof()), 401)["code"] in (
            "unauthenticated",
            "token_invalid",
        )
    for scheme in ("dpop", "DPOP", "dPoP"):
        assert (await call(("Authorization", f"{scheme} {token}"), proof())).status_code == 200


async def test_ti05_no_other_spelling_of_the_address_goes_round_the_proof(service: Service) -> None:
    """A path that the router reads as /v1/logins must not pass the door unseen: it would sign in without a key."""
    body = {"method": "vneid", "device": {"platform": "a", "name": "b", "model": "c"}}
    for path in (
        "//v1/logins",
        "///v1/logins",
        "/%2fv1/logins",
        "/%2Fv1%2Flogins",
        "/v1//logins",
        "/v1/%2flogins",
    ):
        refused(await service.http.post(service.url + path, json=body), 404, "route_not_found")
    for path in ("//v1/sessions", "//v1/me", "/%2fv1/roles"):
        refused(await service.http.get(service.url + path), 404, "route_not_found")
    refused(await service.http.post("/v1/logins", json=body), 401, "invalid_dpop_proof")
    refused(await service.http.post("/v1/logins/", json=body), 401, "invalid_dpop_proof")


async def test_td14_a_stolen_token_is_worth_nothing_without_its_key(service: Service) -> None:
    owner, thief = await service.sign_in(), service.phone()
    thief.session = dict(owner.session)
    refused(await thief.call("GET", ME), 401, "invalid_dpop_proof")
    answer = await thief.open("/v1/token", {"refresh_token": owner.session["refresh_token"]})
    refused(answer, 401, "token_invalid")
    assert (await owner.call("GET", ME)).status_code == 200, "and its owner stays in"
    assert (
        await owner.open("/v1/token", {"refresh_token": owner.session["refresh_token"]})
    ).status_code == 200


async def test_td15_td16_dead_and_other_tokens_open_nothing(service: Service) -> None:
    phone = await service.sign_in()
    for token in (
        phone.session["refresh_token"],
        secrets.token_urlsafe(32),
        str(phone.session["session_id"]),
        "\u00ff" * 30,
    ):
        sent: Any = {
            "Authorization": f"DPoP {token}".encode("latin-1"),
            "DPoP": phone.proof("GET", ME, token).encode(),
        }
        assert refused(await service.http.get(ME, headers=sent), 401)["code"] in (
            "token_invalid",
            "unauthenticated",
        )
    service.pass_time(seconds=301)
    refused(await phone.call("GET", ME), 401, "token_expired")
    phone.session = (await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})).json()[
        "session"
    ]
    assert (await phone.call("DELETE", "/v1/sessions/current")).status_code == 204
    refused(await phone.call("GET", ME), 401, "session_revoked")
    refused(
        await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]}),
        401,
        "session_revoked",
    )


async def test_td13_a22_where_a_nonce_is_demanded_one_retry_is_enough_and_none_goes_without(
    service: Service,
) -> None:
    import msgspec

    port = free_port()
    settings = msgspec.structs.replace(
        service.app.settings, dpop_nonce=True, public_url=f"http://127.0.0.1:{port}"
    )
    owner = await service.sign_in()
    async with served(settings, port) as other:
        other.clock.ahead = service.clock.ahead
        phone = Phone(other.http, other.url, clock=other.clock)
        phone.key = owner.key
        body = {"refresh_token": owner.session["refresh_token"]}

        async def refresh(nonce: str | None) -> Any:
            return await other.http.post(
                "/v1/token", json=body, headers={"DPoP": phone.proof("POST", "/v1/token", nonce=nonce)}
            )

        for nonce in ("", "forged", "x" * 200):
            refused(await refresh(nonce), 401, "use_dpop_nonce")
        token = owner.session["access_token"]
        for path in ("/v1/token", "/v1/token/", "/v1/tok%65n"):  # A22: a header beside it asks for no less
            sent = {"Authorization": f"DPoP {token}", "DPoP": phone.proof("POST", path, token)}
            refused(await other.http.post(path, json=body, headers=sent), 401, "use_dpop_nonce")
        answer = await refresh(None)
        refused(answer, 401, "use_dpop_nonce")
        assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
        fresh = answer.headers["dpop-nonce"]
        other.pass_time(seconds=601)
        refused(await refresh(fresh), 401, "use_dpop_nonce")
        other.clock.ahead = service.clock.ahead
        assert (await refresh(fresh)).status_code == 200
