"""Calls that another page makes in this browser's name, in every spelling: nothing is pressed (case TW08, rules 821, 822)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from backend.environment import load
from ngomon.app import create_app
from tests.parts.client import client
from tests.workspace.aftermath import Hand, after
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office
from tests.workspace.test_deciding import word

# a form is refused before any row is asked, and a row does not know where it is kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
FORM = "application/x-www-form-urlencoded"
EVIL, HOST = "https://ke-gian.example", "https://cong.example"
ELSEWHERE = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
SPELLINGS: dict[str, dict[str, str]] = {
    "a form in a frame": ELSEWHERE | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "fetch without cors": ELSEWHERE | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
    "a beacon": ELSEWHERE | {"Sec-Fetch-Mode": "no-cors", "Content-Type": "text/plain;charset=UTF-8"},
    "an old browser that says no origin": {"Referer": f"{EVIL}/"},
    "a sandboxed frame": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a subdomain": {"Origin": "http://evil.127.0.0.1", "Sec-Fetch-Site": "same-site"},
    "another port of the host": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "ours as a prefix": {"Origin": "{url}.ke-gian.example"},
    "ours in front of an at": {"Origin": "{url}@ke-gian.example"},
    "ours over https": {"Origin": "{https}"},
    "two origins": {"Origin": "{url} https://ke-gian.example"},
    "in capitals": {"Sec-Fetch-Site": "SAME-ORIGIN"},
    "two words": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "typed into the address": {"Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1"},
    "nothing at all": {},
}


@pytest.mark.parametrize("name", SPELLINGS)
async def test_tw08_a_form_of_another_page_is_refused_even_with_the_right_token(
    office: Office, desk: Desk, name: str
) -> None:
    request_id = await office.asks("Cao Thị Lừa")
    path, url = f"/workspace/requests/{request_id}/decision", office.service.url
    hand, before = await Hand.of(desk, "/workspace"), await after(office, request_id)
    said = {
        field: value.format(url=url, https=url.replace("http:", "https:"))
        for field, value in SPELLINGS[name].items()
    }
    headers = {"Content-Type": FORM} | said
    body = urlencode({"_csrf": hand.token, **word("approved")})
    for sent in (headers, headers | {"X-CSRF-Token": hand.token, "HX-Request": "true"}):
        answer = await desk.http.post(path, content=body, headers=sent)
        assert answer.status_code == 403, (sent, answer.text)
    assert await after(office, request_id) == before
    own = await desk.http.post(path, content=body, headers={"Content-Type": FORM, "Origin": url})
    assert own.status_code == 303, "the page's own form counts"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/json", "application/csp-report", "text/xml", "multipart/form-data", ""],
)
async def test_tw08_a_body_that_is_no_form_is_refused_with_and_without_the_right_token(
    office: Office, desk: Desk, kind: str
) -> None:
    request_id = await office.asks("Cao Thị Chữ")
    path, before = f"/workspace/requests/{request_id}/decision", await after(office, request_id)
    hand = await Hand.of(desk, "/workspace")
    form = {"_csrf": hand.token, **word("approved")}
    for body in (json.dumps(form), urlencode(form), "\r\n".join(f"{name}={form[name]}" for name in form)):
        for headers in (SAME_SITE, SAME_SITE | {"X-CSRF-Token": hand.token}, ELSEWHERE):
            sent = headers | ({"Content-Type": kind} if kind else {})
            answer = await desk.http.post(path, content=body.encode(), headers=sent)
            assert answer.status_code in {400, 403, 415}, (body, sent, answer.text)
    assert await after(office, request_id) == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "FROB"])
async def test_tw08_no_other_method_decides_whatever_it_says_that_it_is(
    office: Office, desk: Desk, method: str
) -> None:
    request_id = await office.asks("Cao Thị Ảnh")
    path, before = f"/workspace/requests/{request_id}/decision", await after(office, request_id)
    hand = await Hand.of(desk, "/workspace")
    form = {"_csrf": hand.token, **word("approved")}
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method")
    picture = ELSEWHERE | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Accept": "image/*"}
    for headers in (picture, SAME_SITE, *(SAME_SITE | {name: "POST"} for name in names)):
        sent = headers | {"Content-Type": FORM, "X-CSRF-Token": hand.token}
        asked: dict[str, Any] = {"params": form | {"_method": "POST"}, "headers": sent}
        if method not in {"GET", "HEAD", "OPTIONS", "TRACE"}:
            asked["content"] = urlencode(form)
        answer = await desk.http.request(method, path, **asked)
        assert answer.status_code in {204, 400, 403, 404, 405, 501}, (method, headers, answer.text)
        assert "access-control-allow-origin" not in answer.headers
    assert await after(office, request_id) == before
    for (
        name
    ) in names:  # and a form that says that it is something else is a form with a field too many, or a form
        answer = await desk.http.post(
            path, data=form | {"_method": "DELETE"}, headers=SAME_SITE | {name: "DELETE"}
        )
        assert answer.status_code == 400
    assert await after(office, request_id) == before


async def test_tw08_a_cookie_that_another_page_has_tossed_in_lends_nobody_rights(
    office: Office, desk: Desk
) -> None:
    """Whichever of two cookies counts, its session's token belongs to it, and nobody has a pair that is not theirs."""
    request_id = await office.asks("Cao Thị Bánh")
    path, before = f"/workspace/requests/{request_id}/decision", await after(office, request_id)
    thief = await office.desk(office.dung)
    theirs, ours = [await Hand.of(one, "/workspace") for one in (thief, desk)]
    tossed, own = (one.http.cookies["ngomon"] for one in (thief, desk))
    await thief.http.aclose()
    async with client(office.service.url) as victim:
        for cookie in (
            f"ngomon={tossed}; ngomon={own}",
            f"ngomon={own}; ngomon={tossed}",
            f"ngomon={tossed}",
        ):
            for token in (theirs.token, ours.token) if cookie.count("=") == 1 else (theirs.token,):
                answer = await victim.post(
                    path,
                    data={"_csrf": token, **word("approved")},
                    headers=SAME_SITE | {"Cookie": cookie},
                )
                assert answer.status_code in {403, 404}, (cookie, answer.text)
    assert await after(office, request_id) == before


def over_https(office: Office) -> Any:
    """The same installation as browsers see it in production."""
    settings = office.service.app.settings
    environ = {"NGOMON_DATABASE_URL": settings.database_url, "NGOMON_PUBLIC_URL": HOST}
    known = load(environ | {"NGOMON_SECRET_KEYS": settings.secret_keys})
    return create_app(known, clock=office.service.clock)


async def test_tw08_where_it_counts_the_cookies_name_keeps_every_other_host_out(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Cao Thị Tên")
    path, before = f"/workspace/requests/{request_id}/decision", await after(office, request_id)
    secure = over_https(office)
    thief = await office.desk(office.dung)
    own, tossed = desk.http.cookies["ngomon"], thief.http.cookies["ngomon"]
    theirs = await Hand.of(thief, "/workspace")
    await thief.http.aclose()
    headers = SAME_SITE | {"Origin": HOST}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=secure.asgi), base_url=HOST) as browser:
        for cookie in (
            f"ngomon={own}",
            f"__Secure-ngomon={own}",
            f"__host-ngomon={own}",
            f"ngomon-login={own}",
        ):
            page = await browser.get("/workspace", headers={"Cookie": cookie})
            assert page.status_code == 303, (cookie, "a name that another host may set is not listened to")
        page = await browser.get("/workspace", headers={"Cookie": f"ngomon={tossed}; __Host-ngomon={own}"})
        token = TOKEN.search(page.text)
        assert page.status_code == 200 and "Lê Thị Chi" in page.text and token is not None
        for cookie, sent in (
            (f"ngomon={tossed}; __Host-ngomon={own}", theirs.token),
            (f"ngomon={own}", token.group(1)),
        ):
            form = {"_csrf": sent, **word("approved")}
            answer = await browser.post(path, data=form, headers=headers | {"Cookie": cookie})
            assert answer.status_code in {303, 403} and "/requests/" not in answer.headers.get("location", "")
        assert await after(office, request_id) == before
        out = await browser.post(
            "/workspace/sign-out",
            data={"_csrf": token.group(1)},
            headers=headers | {"Cookie": f"__Host-ngomon={own}"},
        )
    said = [one.lower() for one in out.headers.get_list("set-cookie")]
    assert said and all(one.startswith("__host-ngomon") for one in said)
    assert all("secure" in one and "path=/" in one and "domain=" not in one for one in said)
