"""Every page of the demo: strict headers, no inline code, both languages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from litestar import Litestar
from litestar.datastructures import State

import demo
from backend.branding.brand import shipped
from backend.outside.clock import Clock
from demo.eid import StandInEid
from demo.eid_clients import EidClient
from demo.inbox import Inbox
from demo.persona import PERSONAS
from demo.scim import stand_in_systems
from workspace import static_files

HOST = "http://demo.test"
PAGES = [
    "/",
    "/demo/phone",
    "/demo/phone?device=2",
    "/app/vneid",
    "/demo/inbox",
    "/demo/systems",
    "/demo/eid",
]
FILES = sorted(Path(demo.__file__).parent.glob("*/*.js"))


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    clock = Clock()
    eid = StandInEid(
        f"{HOST}/demo/eid", [EidClient("c", (f"{HOST}/app/vneid",), secret="s")], PERSONAS, clock
    )
    routes = demo.router(HOST, Inbox(clock), eid, stand_in_systems(clock))
    routes.append(static_files.router("/workspace/static"))
    branded = State({"brand": shipped()})
    app = Litestar(routes, state=branded, openapi_config=None, logging_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_allows_only_our_own_files_and_holds_no_inline_code(
    http: httpx2.AsyncClient, path: str
) -> None:
    shown = await http.get(path)
    assert shown.status_code == 200
    policy = shown.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'self'"):
        assert rule in policy
    assert shown.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", shown.text)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_names_its_language_and_keeps_the_choice(http: httpx2.AsyncClient, path: str) -> None:
    assert '<html lang="vi">' in (await http.get(path)).text
    joined = "&" if "?" in path else "?"
    assert '<html lang="en">' in (await http.get(f"{path}{joined}lang=en")).text
    assert '<html lang="en">' in (await http.get(path)).text
    http.cookies.clear()


@pytest.mark.parametrize("path", PAGES)
async def test_every_file_that_a_page_names_is_there(http: httpx2.AsyncClient, path: str) -> None:
    text = (await http.get(path)).text
    named = set(re.findall(r'(?:href|src)="(/demo/(?:static|app)/[^"]+)"', text))
    assert named
    for file in named:
        assert (await http.get(file)).status_code == 200, file


async def test_modules_come_as_javascript_and_import_what_exists(http: httpx2.AsyncClient) -> None:
    assert FILES
    for file in FILES:
        folder = "app" if file.parent.name == "phone" else "static"
        answer = await http.get(f"/demo/{folder}/{file.name}")
        assert answer.headers["content-type"].partition(";")[0] in {
            "text/javascript",
            "application/javascript",
        }
        for target in re.findall(r'from "(\./|\.\./static/)([^"]+)"', answer.text):
            beside = f"/demo/{folder}/" if target[0] == "./" else "/demo/static/"
            assert (await http.get(beside + target[1])).status_code == 200, target


def test_no_module_turns_text_into_markup_or_code() -> None:
    for file in FILES:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", file.read_text()
        )


@pytest.mark.parametrize(
    "path", ["/demo/static/../pages.py", "/demo/app/%2e%2e/pages.py", "/demo/static/nothing.js"]
)
async def test_nothing_but_the_files_meant_is_served(http: httpx2.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_text_in_a_page_is_escaped(http: httpx2.AsyncClient) -> None:
    challenge = "a" * 43
    asked = (
        f"/demo/eid/authorize?response_type=code&client_id=c&redirect_uri={HOST}/app/vneid&scope=openid"
        f"&state=s&nonce=n&code_challenge={challenge}&code_challenge_method=S256"
    )
    ticket = (await http.get(asked)).text.split('name="ticket" value="')[1].split('"')[0]
    own = {
        "ticket": ticket,
        "full_name": '"><script>alert(1)</script>',
        "national_id": "046",
        "birth_date": "",
    }
    shown = await http.post("/demo/eid/approve", data=own)
    assert shown.status_code == 422
    assert "<script>alert" not in shown.text
