"""What docs/api.md and docs/versions.md tell app developers is what the code does (D06, D07, D08)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from backend.accounts import begun
from backend.accounts.codes.captcha import ALGORITHM, Captcha
from backend.accounts.self import history
from backend.crypto import KeyRing, new_secret_key
from backend.kit import Kit
from backend.limits import Limits
from backend.roles import own, units
from backend.support import notices
from demo.persona import PERSONAS
from mobile_api import support
from mobile_api.answers import WORTH_IT, takes_gzip
from ngomon.telling import words
from tests.promises.house import ROOT
from tests.promises.test_docs import page, section, table
from tests.service import Service

API = "docs/api.md"


def test_d08_the_limits_that_apps_are_told_are_those_of_the_code() -> None:
    told = dict(table(section(API, "Limits")))
    assert len(told) > 15
    limits = msgspec.structs.asdict(Limits())
    assert told == {name: str(limits[name.lower()]) for name in told}
    sizes = re.search(r"up to (\d+) KiB, (\d+) KiB .* (\d+) levels and (\d+) fields", section(API, "Limits"))
    assert sizes is not None
    wanted = (
        limits["body_bytes"] // 1024,
        limits["body_bytes_sign_in"] // 1024,
        limits["json_depth"],
        limits["json_keys"],
    )
    assert tuple(map(int, sizes.groups())) == wanted


def test_d08_the_people_of_the_demo_are_told() -> None:
    told = dict(table(page(API).partition("### Who can be signed in")[2].partition("\n## ")[0]))
    assert set(told) - {"login_hint"} == {one.key for one in PERSONAS}


def test_d08_pages_hold_what_is_told_and_no_other_list_has_any() -> None:
    assert {history.MOST, own.MOST, support.PAGE, (units.search.__kwdefaults__ or {})["most"]} == {50}
    assert notices.SHOWN == 100
    told = page(API).partition("Only `GET /v1/units`")[2].partition("have pages")[0]
    paged = {
        path
        for path, item in json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))[
            "paths"
        ].items()
        for one in item.values()
        if "cursor" in {given["name"] for given in one.get("parameters", [])}
    }
    assert {"/v1/units", *re.findall(r"`(/v1/[^`]+)`", told)} == paged


def test_d08_a_challenge_is_solved_as_it_is_described() -> None:
    kit, now = Kit.of(KeyRing.parse(new_secret_key()), Limits(captcha_cost=20)), datetime.now(UTC)
    captcha = Captcha(kit)
    challenge = captcha.challenge(now)
    asked = challenge["parameters"]
    assert asked["algorithm"] == ALGORITHM
    nonce, salt = bytes.fromhex(asked["nonce"]), bytes.fromhex(asked["salt"])
    counter, key = 0, ""
    for counter in range(100_000):
        password = nonce + counter.to_bytes(4, "big")
        key = hashlib.pbkdf2_hmac("sha256", password, salt, asked["cost"], asked["keyLength"]).hex()
        if key.startswith(asked["keyPrefix"]):
            break
    solution = {"counter": counter, "derivedKey": key, "time": 12}
    typed = base64.b64encode(json.dumps({"challenge": challenge, "solution": solution}).encode()).decode()
    assert captcha.check(typed, now) == challenge["signature"]


def test_d08_a_key_lives_as_long_as_what_it_made() -> None:
    assert f"{Limits().case_days} days after it was closed" in " ".join(page(API).split())
    kept = (ROOT / "mobile_api/keyed.py").read_text(encoding="utf-8")
    assert 'name="Idempotency-Key", min_length=1, max_length=80' in kept
    assert timedelta(hours=1) == begun.KNOWN and "known for an hour" in " ".join(page(API).split())


def test_d07_nothing_is_deprecated_and_the_page_says_so() -> None:
    told = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    marked = [
        one["operationId"] for item in told["paths"].values() for one in item.values() if one["deprecated"]
    ]
    assert marked == [] and "Today nothing is deprecated" in page("docs/versions.md")
    assert not {"Deprecation", "Sunset"} & set(words("calls")["headers"])


async def test_d07_no_page_of_another_origin_is_let_in(service: Service) -> None:
    phone = await service.sign_in()
    asked = {"Origin": "https://trang-la.example", "Access-Control-Request-Method": "GET"}
    for path in ("/v1/me", "/v1/captcha", "/v1/role-requests"):
        for answer in (
            await service.http.request("OPTIONS", path, headers=asked),
            await service.http.get(path, headers=asked),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")], path
        assert (await service.http.request("OPTIONS", path, headers=asked)).status_code == 401
    named = await phone.call("OPTIONS", "/v1/me")
    assert named.status_code == 204
    assert set(named.headers["allow"].split(", ")) >= {"GET", "DELETE", "OPTIONS"}, (
        "of every handler of the address"
    )


async def test_d06_catalogues_come_compressed_to_who_takes_that_and_nothing_else_does(
    service: Service,
) -> None:
    phone = await service.sign_in()
    for path in ("/v1/subject-types", "/v1/positions"):
        plain = await phone.call("GET", path, **{"Accept-Encoding": "identity"})
        packed = await phone.call("GET", path, **{"Accept-Encoding": "br, gzip;q=0.8"})
        assert "content-encoding" not in plain.headers and len(plain.content) >= WORTH_IT, path
        assert packed.headers["content-encoding"] == "gzip" and packed.json() == plain.json()
        assert int(packed.headers["content-length"]) < len(plain.content) / 2
        assert packed.headers["etag"] == plain.headers["etag"] and "Accept-Encoding" in packed.headers["vary"]
        known = {"If-None-Match": packed.headers["etag"], "Accept-Encoding": "gzip"}
        same = await phone.call("GET", path, **known)
        assert (same.status_code, same.content) == (304, b"") and "content-encoding" not in same.headers
    for path in (
        "/v1/me",
        "/v1/sessions",
        "/v1/notices",
        "/v1/me/access-history",
        "/v1/me/identity",
        "/v1/role-requests",
    ):
        answer = await phone.call("GET", path, **{"Accept-Encoding": "gzip"})
        assert answer.status_code == 200 and "content-encoding" not in answer.headers, path
    page_ = await service.http.get("/workspace/login", headers={"Accept-Encoding": "gzip"})
    assert page_.status_code == 200 and "content-encoding" not in page_.headers


@pytest.mark.parametrize(
    ("header", "takes"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("X-GZIP", True), ("gzip; q=0", False), ("gzip;q=0.000", False), ("", False), ("*", False), ("gzipped", False)],
)  # fmt: skip
def test_d06_who_takes_gzip(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes
