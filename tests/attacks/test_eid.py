"""An e-ID gone bad, or somebody who pretends to be it (cases TL01 to TL15)."""

from __future__ import annotations

import hmac
import json
import secrets
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from backend.outside.eid.eid_claims import person_of
from tests.attacks.attempts import STRANGER, all_are_refused, attempt, is_refused, pointing
from tests.attacks.conftest import Hostile
from tests.attacks.evil import Forging
from tests.attacks.jose import b64, compact
from tests.attacks.problems import refused

HOUR = 3600


async def test_the_provider_is_believed_while_it_is_honest(hostile: Hostile) -> None:
    _, _, answer = await attempt(hostile)
    assert answer.status_code == 200
    assert answer.json()["step"] == "phone"


LIES: dict[str, dict[str, Any]] = {
    "TL04 nonce wrong": {"nonce": "x" * 43}, "TL04 nonce absent": {"nonce": None}, "TL04 nonce a list": {"nonce": ["x"]}, "TL04 nonce a number": {"nonce": 1},
    "TL06 iss wrong": {"iss": "https://khac.example"}, "TL06 iss absent": {"iss": None}, "TL06 aud of another": {"aud": "other"}, "TL06 aud absent": {"aud": None},
    "TL06 aud in other letters": {"aud": "NGOMON"}, "TL06 several aud without azp": {"aud": ["ngomon", "other"]}, "TL06 azp of another": {"azp": "other"},
    "TL06 several aud, azp of another": {"aud": ["ngomon", "other"], "azp": "other"}, "TL06 aud empty": {"aud": []}, "TL06 aud an object": {"aud": {"ngomon": 1}},
    "TL06 exp absent": {"exp": None}, "TL06 exp 0": {"exp": 0}, "TL06 exp text": {"exp": "9999999999"}, "TL06 exp 1e308": {"exp": 1e308}, "TL06 exp true": {"exp": True},
    "TL06 iat absent": {"iat": None}, "TL06 iat text": {"iat": "1"}, "TL06 nbf text": {"nbf": "x"}, "TL06 nbf list": {"nbf": []}, "TL06 at_hash wrong": {"at_hash": "x"},
    "TL06 at_hash a number": {"at_hash": 1}, "TL08 level 0": {"assurance_level": 0}, "TL08 level 3": {"assurance_level": 3}, "TL08 level true": {"assurance_level": True},
    "TL08 level a list": {"assurance_level": [2]}, "TL08 no level": {"assurance_level": None}, "sub absent": {"sub": None}, "sub empty": {"sub": ""},
    "sub a number": {"sub": 7}, "sub of 256": {"sub": "x" * 256}, "no number": {"national_id": None}, "11 digits": {"national_id": "00009000000"},
    "digits of another script": {"national_id": "١٢٣٤٥٦٧٨٩٠١٢"}, "number a list": {"national_id": ["000090000001"]}, "number an int": {"national_id": 100},
    "no name": {"full_name": None}, "name with NUL": {"full_name": "A\x00B"}, "name turned round": {"full_name": "A\u202eB"}, "name of 201": {"full_name": "x" * 201},
    "name an object": {"full_name": {"a": 1}},
}  # fmt: skip


@pytest.mark.parametrize("part", ["TL04", "TL06", "TL08", "claims"])
async def test_a_claim_that_lies_lets_nobody_in(hostile: Hostile, part: str) -> None:
    chosen = {
        name: (None, claims)
        for name, claims in LIES.items()
        if (name[:4] if name.startswith("TL") else "claims") == part
    }
    assert len(chosen) >= 4
    await all_are_refused(hostile, chosen)


async def test_tl06_times_are_sane_within_ten_seconds(hostile: Hostile) -> None:
    now = int(hostile.service.clock.now().timestamp())
    bad = [
        ("exp", -11),
        ("exp", -HOUR),
        ("exp", 10 * 365 * 86400),
        ("iat", HOUR),
        ("iat", 20),
        ("iat", -301),
        ("nbf", HOUR),
    ]
    await all_are_refused(hostile, {f"{name} {offset}": (None, {name: now + offset}) for name, offset in bad})
    for name, offset in (("iat", 5), ("iat", -280), ("exp", 8), ("nbf", -5)):
        told = {name: int(hostile.service.clock.now().timestamp()) + offset}
        assert (await attempt(hostile, None, **told))[2].status_code == 200, (name, offset)


async def test_tl06_a_trailing_slash_makes_another_issuer(hostile: Hostile) -> None:
    await is_refused(hostile, iss=hostile.evil.issuer + "/")


async def test_tl06_several_audiences_with_our_azp_are_fine(hostile: Hostile) -> None:
    assert (await attempt(hostile, aud=["ngomon", "other"], azp="ngomon"))[2].status_code == 200


async def test_tl04_the_nonce_of_another_sign_in_is_refused(hostile: Hostile) -> None:
    other = await hostile.service.phone().begin()
    nonce = httpx2.URL(other["authorization_url"]).params["nonce"]
    await is_refused(hostile, nonce=nonce)


def _with_secret(secret: bytes) -> Forging:
    def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
        message = compact(header | {"alg": "HS256"}, claims, None).rstrip(".")
        return f"{message}.{b64(hmac.digest(secret, message.encode(), 'sha256'))}"

    return forge


UNSIGNED: dict[str, Forging] = {
    "TL05 alg none": lambda header, claims: compact(header | {"alg": "none"}, claims, None),
    "TL05 alg None": lambda header, claims: compact(header | {"alg": "None"}, claims, None),
    "TL05 no signature": lambda header, claims: compact(header, claims, None),
    "TL05 r and s are zero": lambda header, claims: compact(header, claims, None, signature=bytes(64)),
    "TL05 another key, our kid": lambda header, claims: compact(header, claims, STRANGER),
    "TL05 unknown kid": lambda header, claims: compact(header | {"kid": "stranger"}, claims, STRANGER),
    "TL05 no kid, another key": lambda _header, claims: compact({"alg": "ES256"}, claims, STRANGER),
    "TL05 jwk in the header": pointing(jwk=STRANGER.public),
    "kid a list": lambda header, claims: compact(header | {"kid": ["first"]}, claims, STRANGER),
    "alg a list": lambda header, claims: compact(header | {"alg": ["ES256"]}, claims, STRANGER),
    "alg ES384": lambda header, claims: compact(header | {"alg": "ES384"}, claims, STRANGER),
    "crit unknown": lambda header, claims: compact(header | {"crit": ["x"], "x": 1}, claims, STRANGER),
    "not a token": lambda _header, _claims: "x",
    "two dots": lambda _header, _claims: "..",
    "five parts": lambda header, claims: compact(header, claims, STRANGER) + ".a.b",
    "header a list": lambda _header, claims: compact([], claims, STRANGER),
    "header not JSON": lambda _header, claims: compact(b"\xff", claims, STRANGER),
    "not ASCII": lambda _header, _claims: "đ.đ.đ",
}


async def test_tl05_what_the_provider_did_not_sign_is_refused(hostile: Hostile) -> None:
    await all_are_refused(hostile, {name: (forge, {}) for name, forge in UNSIGNED.items()})


async def test_tl05_no_address_in_a_header_is_ever_asked(hostile: Hostile) -> None:
    for name in ("jku", "x5u"):
        await is_refused(hostile, pointing(**{name: f"{hostile.evil.issuer}/attacker"}))
    assert hostile.evil.asked["/attacker"] == 0


async def test_tl05_the_public_key_is_no_shared_secret(hostile: Hostile) -> None:
    for secret in (hostile.evil.key.pem, json.dumps(hostile.evil.key.jwk).encode(), b"secret"):
        await is_refused(hostile, _with_secret(secret))


PAYLOADS = {
    "a list": [],
    "a text": "x",
    "not JSON": b"{",
    "not UTF-8": b'{"iss":"\xff"}',
    "deep": b"[" * 20_000,
    "a huge number": b'{"exp":' + b"9" * 5000 + b"}",
}


async def test_a_payload_that_is_signed_and_senseless_is_refused(hostile: Hostile) -> None:
    def saying_only(payload: Any) -> Forging:
        return lambda header, _claims: compact(header, payload, hostile.evil.key)

    await all_are_refused(hostile, {name: (saying_only(payload), {}) for name, payload in PAYLOADS.items()})


async def test_tl07_an_answer_of_another_provider_is_refused(hostile: Hostile) -> None:
    for iss in ("https://khac.example", None, "", hostile.evil.issuer + "/"):
        phone = hostile.service.phone()
        started = await phone.begin()
        back = hostile.evil.grant(started["authorization_url"])
        del back["iss"]
        answer = await phone.bring(started["id"], back if iss is None else back | {"iss": iss})
        refused(answer, 403, "login_refused")
    assert hostile.evil._codes, "no code was exchanged"


async def test_tl08_a_downgraded_level_is_the_sessions_level(hostile: Hostile) -> None:
    service, sub = hostile.service, secrets.token_hex(8)
    for level in (2, 1):
        phone, login, answer = await attempt(
            hostile, sub=sub, national_id="000055999001", assurance_level=level
        )
        if answer.json()["step"] == "phone":
            number = service.mobile_number()
            await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
            answer = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})
        phone.keep(answer.json())
        assert (await phone.call("GET", "/v1/me")).json()["assurance_level"] == level


async def test_tl11_another_personal_number_for_the_same_subject_is_the_same_account(
    hostile: Hostile,
) -> None:
    service, sub, old, new = hostile.service, secrets.token_hex(8), "000055999101", "000055999202"
    phone, login, _ = await attempt(hostile, sub=sub, national_id=old)
    number = service.mobile_number()
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    first = phone.keep(
        (await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})).json()
    )
    phone, _, answer = await attempt(hostile, sub=sub, national_id=new)
    second = phone.keep(answer.json())
    assert second["account"]["id"] == first["account"]["id"]
    assert second["account"]["identifiers"] == [{"type": "national_id", "value": "000******202"}]
    phone, _, answer = await attempt(hostile, national_id=old)
    assert answer.json()["step"] == "phone", "the old number names nobody any more"


async def test_the_words_of_a_date_parser_do_not_reach_the_log() -> None:
    claims = {
        "sub": "s",
        "national_id": "000055000001",
        "full_name": "Nguyễn Văn Thử",
        "birth_date": "1990-13-45",
        "assurance_level": 2,
    }
    with pytest.raises(ValueError, match=r"^birth_date$") as refused:
        person_of(claims, {"subject": "sub", "required": ["birth_date"]}, issuer="https://dinh-danh.example")
    assert refused.value.__suppress_context__
    with capture_logs() as told:
        assert person_of(claims, {"subject": "sub"}, issuer="https://dinh-danh.example").birth_date is None
    assert told == [{"event": "claim_dropped", "claim": "birth_date", "log_level": "info"}]
