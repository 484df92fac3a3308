"""An e-ID in trouble: failing, dripping, with strange keys (cases TL12, TL13)."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.attempts import (
    STRANGER,
    all_are_refused,
    attempt,
    is_refused,
    pointing,
    why_not_refused,
)
from tests.attacks.conftest import Hostile, trusting
from tests.attacks.evil import dripping, evil_provider, saying
from tests.attacks.jose import Key, b64
from tests.attacks.problems import refused, rows
from tests.citizen import ABOUT
from tests.parts.processes import eventually
from tests.service import running


async def test_tl13_keys_may_rotate_and_one_fetch_in_five_minutes_finds_them(hostile: Hostile) -> None:
    service, evil = hostile.service, hostile.evil
    assert (await attempt(hostile))[2].status_code == 200
    service.pass_time(seconds=301)
    phone = service.phone()
    started = await phone.begin()
    evil.key = Key("second")
    evil.jwks = {"keys": [evil.key.jwk]}
    answer = await phone.bring(started["id"], evil.grant(started["authorization_url"]))
    assert answer.status_code == 200, answer.text
    before = evil.asked["/jwks"]
    kids = [secrets.token_hex(4) for _ in range(20)]
    await all_are_refused(hostile, {kid: (pointing(kid=kid), {}) for kid in kids})
    assert evil.asked["/jwks"] - before <= 1


async def test_tl13_keys_of_a_moment_when_the_clock_ran_ahead_are_asked_for_again(hostile: Hostile) -> None:
    """A key that was given up meanwhile would be believed, and a new one refused, until the clock is there again."""
    evil, service = hostile.evil, hostile.service
    service.pass_time(days=3)
    assert (await attempt(hostile))[2].status_code == 200
    service.pass_time(days=-3)
    evil.key = Key("fourth")
    evil.jwks = {"keys": [evil.key.jwk]}
    evil.instead["/.well-known/openid-configuration"] = saying(evil._metadata())
    before = evil.asked["/.well-known/openid-configuration"]
    assert (await attempt(hostile))[2].status_code == 200
    assert evil.asked["/.well-known/openid-configuration"] == before + 1, "and where it is, too"


STRANGE_KEYS: dict[str, Any] = {
    "none": {"keys": []}, "null": {"keys": None}, "a number": {"keys": 5}, "a text": {"keys": "x"}, "texts": {"keys": ["x"]}, "absent": {}, "a list": [],
    "broken": {"keys": [{"kty": "EC", "crv": "P-256"}]}, "not base64": {"keys": [{"kty": "EC", "crv": "P-256", "x": "*", "y": "*", "kid": "new"}]},
    "symmetric": {"keys": [{"kty": "oct", "k": b64(b"s" * 32), "kid": "new"}]}, "10,000": {"keys": [STRANGER.jwk | {"kid": str(n)} for n in range(10_000)]},
    "not JSON": b"<html>", "encryption only": {"keys": [STRANGER.jwk | {"use": "enc", "kid": "new"}]},
}  # fmt: skip


async def test_tl13_strange_key_sets_let_nobody_in_and_break_nothing(hostile: Hostile) -> None:
    for name, keys in STRANGE_KEYS.items():
        hostile.service.pass_time(seconds=301)
        hostile.evil.instead["/jwks"] = saying(keys)
        _, _, answer = await attempt(hostile, pointing(kid="new"))
        assert refused(answer)["code"] in ("login_refused", "provider_unavailable"), name
    hostile.evil.reset()
    hostile.service.pass_time(seconds=301)
    assert (await attempt(hostile))[2].status_code == 200


async def test_tl13_a_key_of_a_kind_that_we_do_not_know_spoils_no_other(hostile: Hostile) -> None:
    """RFC 7517 §5: keys that are not understood are ignored."""
    hostile.service.pass_time(seconds=301)
    evil = hostile.evil
    evil.key = Key("third")
    evil.jwks = {
        "keys": [
            {"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"},
            {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
            evil.key.jwk,
        ]
    }
    assert (await attempt(hostile))[2].status_code == 200


LARGE = b'{"access_token":"' + b"x" * 20_000_000 + b'"}'


FAILURES = {
    "500": saying({"error": "server_error"}, status=500), "502 in HTML": saying(b"<html>", status=502, content_type="text/html"), "redirect": saying({}, status=302, location="/token"),
    "20 MB": saying(LARGE), "gzip bomb": saying(gzip.compress(LARGE), content_encoding="gzip"), "unknown coding": saying(b"x", content_encoding="br"),
    "come again": saying({}, status=429),
}  # fmt: skip
BROKEN = {  # A29: a proxy's page, half a file: nobody answered
    "HTML": saying(b"<html>", content_type="text/html"), "no JSON": saying(b"<html>"), "half": saying(b'{"id_token":"x'), "not UTF-8": saying(b'{"a":"\xff"}'),
    "deep": saying(b"[" * 60_000), "empty": saying(b""), "204": saying(b"", status=204), "404 in HTML": saying(b"<html>", status=404), "403 in words": saying(b"no", status=403),
    "200 of a form": saying(b"access_token=x"), "a number that is none": saying(b"NaN"),
}  # fmt: skip


async def test_tl12_a_token_endpoint_in_trouble_is_told_and_the_answer_may_be_brought_again(
    hostile: Hostile,
) -> None:
    before = await rows(hostile.service)
    for name, failure in (FAILURES | BROKEN).items():
        hostile.evil.instead["/token"] = failure
        phone = hostile.service.phone()
        started = await phone.begin()
        back = hostile.evil.grant(started["authorization_url"])
        answer = await phone.bring(started["id"], back)
        assert refused(answer, 503)["code"] == "provider_unavailable", name
        assert int(answer.headers["retry-after"]) > 0
        hostile.evil.reset()
        assert (await phone.bring(started["id"], back)).status_code == 200, name
    assert await rows(hostile.service) == before | {"flows": before["flows"] + len(FAILURES) + len(BROKEN)}


SENSELESS = {
    "a list": saying([]), "a text": saying("x"), "null": saying(None), "201": saying({}, status=201),
    "401 without a body": saying(b"", status=401, www_authenticate='Bearer error="invalid_token"'),
    "400": saying({"error": "invalid_grant"}, status=400), "401": saying({"error": "invalid_client"}, status=401), "403": saying({}, status=403),
    "404": saying({}, status=404), "418": saying({}, status=418),
}  # fmt: skip


@pytest.mark.parametrize("place", ["/token", "/userinfo"])
async def test_tl12_an_answer_that_does_not_verify_ends_the_sign_in_wherever_it_comes_from(
    hostile: Hostile, place: str
) -> None:
    """rule 406: 403 for whatever the provider answers in JSON; 503 is for one that is out of reach."""
    for name, failure in SENSELESS.items():
        knowing_userinfo(hostile)
        hostile.evil.instead[place] = failure
        assert await why_not_refused(hostile, birth_date=None) is None, name


@pytest.mark.parametrize("place", ["/userinfo", "/jwks", "/.well-known/openid-configuration"])
async def test_a29_what_is_no_json_is_no_answer_at_any_other_place_either(
    hostile: Hostile, place: str
) -> None:
    for name, failure in BROKEN.items():
        knowing_userinfo(hostile)
        phone = hostile.service.phone()
        if place.startswith("/.well-known"):
            hostile.evil.instead[place] = failure
            answer = await phone.open("/v1/logins", {"method": "vneid", "device": ABOUT})
        else:
            hostile.service.pass_time(days=2)  # keys and places are asked for again
            started = await phone.begin()
            hostile.evil.instead[place] = failure
            back = hostile.evil.grant(started["authorization_url"], birth_date=None)
            answer = await phone.bring(started["id"], back)
        assert refused(answer, 503)["code"] == "provider_unavailable", name
        assert int(answer.headers["retry-after"]) > 0, name
        hostile.evil.reset()


def knowing_userinfo(hostile: Hostile) -> None:
    """From now on discovery names a place for userinfo, as soon as it is asked again."""
    hostile.service.pass_time(seconds=3601)
    page = hostile.evil._metadata() | {"userinfo_endpoint": f"{hostile.evil.issuer}/userinfo"}
    hostile.evil.instead["/.well-known/openid-configuration"] = saying(page)


@pytest.mark.parametrize("left_out", ["absent", "", None])
@pytest.mark.parametrize("missing", ["birth_date", "gender", "full_name"])
async def test_what_the_id_token_leaves_out_is_read_from_userinfo(
    hostile: Hostile, missing: str, left_out: str | None
) -> None:
    """rule 1001: claims are read from the ID token first, then from userinfo; what says nothing hides nothing."""
    service, sub = hostile.service, secrets.token_hex(8)
    knowing_userinfo(hostile)
    more = {"sub": sub, "birth_date": "1971-12-13", "gender": "female", "full_name": "Trần Thị Sáu"}
    hostile.evil.instead["/userinfo"] = saying(more)
    said = {} if left_out == "absent" else {missing: left_out}

    def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return hostile.evil.sign(header, claims | said)

    phone, login, _ = await attempt(hostile, forge, sub=sub, **{missing: None})
    number = service.mobile_number()
    await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
    phone.keep((await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(number)})).json())
    told = (await phone.call("GET", "/v1/me/identity")).json()
    values = {one["name"]: one["value"] for one in told["items" if "items" in told else "attributes"]}
    first = {"birth_date": "1990-02-03", "gender": "male", "full_name": "Nguyễn Văn Giả"}
    assert {name: values[name] for name in first} == first | {missing: more[missing]}


async def test_a_whole_id_token_costs_no_second_question_and_another_persons_userinfo_is_refused(
    hostile: Hostile,
) -> None:
    knowing_userinfo(hostile)
    hostile.evil.instead["/userinfo"] = saying({"sub": "somebody else", "gender": "female"})
    before = hostile.evil.asked["/userinfo"]
    assert (await attempt(hostile))[2].status_code == 200
    assert hostile.evil.asked["/userinfo"] == before
    await is_refused(hostile, gender=None)


async def test_tl12_a_drip_without_end_is_cut(hostile: Hostile) -> None:
    over = asyncio.Event()
    hostile.evil.instead["/token"] = dripping(over)
    _, _, answer = await attempt(hostile)
    refused(answer, 503, "provider_unavailable")
    over.set()


async def test_tl12_a_drip_holds_nobody_up(tmp_path: Path) -> None:
    over, url = asyncio.Event(), f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    async with evil_provider() as evil, running(url, **trusting(evil, patience=60)) as service:
        evil.instead["/token"] = dripping(over)
        slow = asyncio.create_task(attempt(Hostile(service, evil)))
        await eventually(lambda: evil.asked["/token"], what="the drip")
        for _ in range(10):
            assert (await service.http.get("/health/live")).status_code == 200
        assert not slow.done()
        over.set()
        refused((await slow)[2], 503, "provider_unavailable")  # a whole answer by then, and an empty one


async def test_an_answer_without_an_id_token_is_refused(hostile: Hostile) -> None:
    for token in ({"error": "invalid_grant"}, {"id_token": 5}, {"id_token": None}, {"access_token": "x"}):
        hostile.evil.instead["/token"] = saying(token)
        await is_refused(hostile)
