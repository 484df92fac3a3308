"""What a browser shows of the addresses that were meant for the app, and whose app is named (rule 807)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx2
import pytest
import structlog

from backend.crypto import new_secret_key
from backend.environment import SettingsError, load
from ngomon.app import create_app
from tests import databases

HOST = "https://cong.example"
PRINT = ":".join(["AB"] * 32)
ANDROID = {
    "NGOMON_ANDROID_PACKAGE": "vn.example.app",
    "NGOMON_ANDROID_FINGERPRINTS": f"{PRINT},{PRINT.lower()}",
}
APPLE = {"NGOMON_APPLE_TEAM_ID": "A1B2C3D4E5", "NGOMON_APPLE_BUNDLE_ID": "vn.example.app"}
CODE = "ma-bi-mat-cua-vneid"
LINKS = ["/app/vneid", "/app/post-office", "/app/workspace-login/9f1c", "/app/a/b/c", "/app/x", "/"]
Http = Callable[..., httpx2.AsyncClient]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Http:
    """A browser at an installation for real people, with these settings beside what it needs."""

    @cache
    def installed(more: frozenset[tuple[str, str]]) -> Any:
        needed = {
            "NGOMON_PROFILE": "production",
            "NGOMON_DATABASE_URL": databases.sqlite(tmp_path_factory.mktemp("front")),
            "NGOMON_SECRET_KEYS": new_secret_key(),
            "NGOMON_PUBLIC_URL": HOST,
            "NGOMON_VNEID_ISSUER": "https://dinh-danh.example",
            "NGOMON_VNEID_CLIENT_ID": "cong",
            "NGOMON_VNEID_CLIENT_SECRET": "secret",
            "NGOMON_SMS_URL": "kannel://user:pass@sms:13013/?from=HUE-S",
            "NGOMON_METRICS_TOKEN": secrets.token_hex(16),
        }
        return create_app(load(needed | dict(more))).asgi

    def opened(**more: str) -> httpx2.AsyncClient:
        there = httpx2.ASGITransport(app=installed(frozenset(more.items())))
        return httpx2.AsyncClient(transport=there, base_url=HOST)

    return opened


@pytest.mark.parametrize("path", LINKS)
async def test_d05_a_link_that_no_app_caught_is_a_page_that_gives_nothing_away(http: Http, path: str) -> None:
    given = {"code": CODE, "state": f"{CODE}-2", "error_description": f"<b>{CODE}</b>", "lang": "vi"}
    async with http() as browser:
        with structlog.testing.capture_logs() as told:
            shown = await browser.get(path, params=given)
    assert (shown.status_code, shown.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert CODE not in shown.text and CODE not in str(shown.headers) and CODE not in str(told)
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    if path != "/":
        assert "script" not in policy and "<script" not in shown.text and "Hue-S" in shown.text
        assert [name for name in re.findall(r"https?://[^\"< ]+", shown.text) if HOST not in name] == []


@pytest.mark.parametrize("path", ["/", "/workspace/login", "/workspace/nothing", "/verify/abc"])
async def test_tw15_nobody_frames_a_page_of_a_production_not_even_its_own_pages(
    http: Http, path: str
) -> None:
    async with http() as browser:
        shown = await browser.get(path)
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_d05_a_citizen_reads_how_to_go_on_in_both_languages(http: Http, lang: str) -> None:
    titles = {"vi": "Hãy mở ứng dụng để tiếp tục", "en": "Open the app to go on"}
    again = {"vi": "làm lại từ đó", "en": "begin again there"}[lang]
    async with http() as browser:
        shown = (await browser.get("/app/vneid", params={"lang": lang})).text
        scanned = (await browser.get("/app/workspace-login/9f1c")).text
        front = (await browser.get("/")).text
    assert f'<html lang="{lang}"' in shown and f"<h1>{titles.pop(lang)}</h1>" in shown
    assert f"<h2>{titles.popitem()[1]}</h2>" in shown and shown.count("19001075") == 2
    assert "Chỉ đồng ý lần đăng nhập mà chính bạn vừa bắt đầu" in scanned and "Chỉ đồng ý" not in shown
    assert "quét mã trong ứng dụng" in scanned and "quét mã" not in shown
    assert again in front


async def test_d05_the_app_is_told_from_the_settings_as_each_shop_asks(http: Http) -> None:
    async with http(**ANDROID, **APPLE) as phone:
        android = await phone.get("/.well-known/assetlinks.json")
        apple = await phone.get("/.well-known/apple-app-site-association")
    assert {one.headers["content-type"] for one in (android, apple)} == {"application/json"}
    assert android.json() == [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": "vn.example.app",
                "sha256_cert_fingerprints": [PRINT, PRINT],
            },
        }
    ]
    named = {"appIDs": ["A1B2C3D4E5.vn.example.app"], "components": [{"/": "/app/*"}]}
    assert apple.json() == {"applinks": {"details": [named]}}


async def test_d05_an_app_that_nobody_named_is_not_there(http: Http) -> None:
    async with http(**ANDROID) as phone:
        assert (await phone.get("/.well-known/assetlinks.json")).status_code == 200
        apple = await phone.get("/.well-known/apple-app-site-association")
    assert (apple.status_code, apple.json()["code"]) == (404, "route_not_found")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**ANDROID, "NGOMON_ANDROID_PACKAGE": "app"}, "NGOMON_ANDROID_PACKAGE: must be a package name"),
        ({**ANDROID, "NGOMON_ANDROID_FINGERPRINTS": PRINT[:-3]}, "is no SHA-256 of 32 pairs"),
        ({**ANDROID, "NGOMON_ANDROID_FINGERPRINTS": ""}, "NGOMON_ANDROID_FINGERPRINTS: is required beside"),
        ({**ANDROID, "NGOMON_ANDROID_PACKAGE": ""}, "NGOMON_ANDROID_PACKAGE: is required beside"),
        ({**APPLE, "NGOMON_APPLE_TEAM_ID": "A1B2"}, "NGOMON_APPLE_TEAM_ID: must be the ten characters"),
        ({**APPLE, "NGOMON_APPLE_BUNDLE_ID": "vn/app"}, "NGOMON_APPLE_BUNDLE_ID: must be a bundle"),
        ({**APPLE, "NGOMON_APPLE_BUNDLE_ID": ""}, "NGOMON_APPLE_BUNDLE_ID: is required beside"),
        ({**APPLE, "NGOMON_APPLE_TEAM_ID": ""}, "NGOMON_APPLE_TEAM_ID: is required beside"),
    ],
)
def test_d05_half_an_app_or_a_wrong_name_is_told_at_the_start(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as found:
        load(given)
    assert [one for one in found.value.problems if named in one] and len(found.value.problems) == 1
