"""Who comes in, and whose forms are taken (rules 821, 822)."""

from __future__ import annotations

import pytest

from tests.parts.client import client
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office, Somebody, signed_in
from tests.workspace.test_deciding import state, word

# a form is refused before any row is asked, and a row does not know where it is kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://ke-gian.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://ke-gian.example"},
    ],
)
async def test_tw08_another_sites_form_is_refused(
    office: Office, desk: Desk, headers: dict[str, str]
) -> None:
    request_id = await office.asks("Cao Bá Quát")
    token = TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    form = {"_csrf": token.group(1), **word("approved")}
    answer = await desk.http.post(f"/workspace/requests/{request_id}/decision", data=form, headers=headers)
    assert answer.status_code == 403
    assert await state(office, request_id) == "pending"


async def test_tw08_a_form_without_the_sessions_own_token_is_refused(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Đào Duy Từ")
    other = await office.desk(office.ha)
    foreign = TOKEN.search(await other.page("/workspace"))
    assert foreign is not None
    await other.http.aclose()
    path = f"/workspace/requests/{request_id}/decision"
    for token in (foreign.group(1), "", "x", "đ"):
        assert (await desk.send(path, word("approved"), token=token)).status_code == 403
    plain = await desk.http.post(path, data=word("approved"), headers=SAME_SITE)
    as_text = await desk.http.post(
        path, content='{"decision":"approved"}', headers=SAME_SITE | {"Content-Type": "text/plain"}
    )
    overridden = await desk.http.get(path, headers={"X-HTTP-Method-Override": "POST"})
    assert (plain.status_code, as_text.status_code) == (403, 403)
    assert overridden.status_code in {404, 405}
    assert await state(office, request_id) == "pending"


async def test_the_token_counts_in_htmxs_header_too(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Bùi Thị Xuân")
    token = TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    headers = SAME_SITE | {"X-CSRF-Token": token.group(1), "HX-Request": "true"}
    answer = await desk.http.post(
        f"/workspace/requests/{request_id}/decision", data=word("approved"), headers=headers
    )
    assert answer.status_code == 303


async def test_only_the_browser_that_began_a_sign_in_can_finish_it(office: Office) -> None:
    async with (
        client(office.service.url) as victim,
        client(office.service.url) as attacker,
    ):
        start = await attacker.get("/workspace/login/start")
        back = await attacker.get(
            f"{start.headers['location']}&prompt=none&login_hint={office.chi.persona.key}"
        )
        answer = await victim.get(back.headers["location"])
        assert answer.status_code == 403 and "ngomon" not in victim.cookies
        assert "Đăng nhập bằng VNeID" in answer.text
        await attacker.get(back.headers["location"])
        assert (await attacker.get(back.headers["location"])).status_code in {403, 404, 409}


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/workspace/people", "/workspace/people"),
        ("https://ke-gian.example/", "/workspace"),
        ("//ke-gian.example", "/workspace"),
        ("/workspace/../v1/me", "/workspace"),
        ("/workspace\\@ke-gian.example", "/workspace"),
        ("javascript:alert(1)", "/workspace"),
    ],
)
async def test_after_signing_in_one_lands_inside_the_workspace(
    office: Office, wanted: str, lands: str
) -> None:
    async with client(office.service.url) as http:
        start = await http.get("/workspace/login/start", params={"next": wanted})
        back = await http.get(f"{start.headers['location']}&prompt=none&login_hint={office.chi.persona.key}")
        page = await http.get(back.headers["location"])
    assert f'content="0;url={lands}"' in page.text


@pytest.mark.parametrize("second", ["chi", "dung"])
async def test_a26_a_second_sign_in_of_a_browser_ends_its_first_session_and_no_other(
    office: Office, second: str
) -> None:
    elsewhere = await office.token_of(office.chi)
    async with client(office.service.url) as http, client(office.service.url) as thief:
        await signed_in(http, office.chi.persona)
        first = http.cookies["ngomon"]
        await signed_in(http, getattr(office, second).persona)
        assert http.cookies["ngomon"] != first
        assert (await http.get("/workspace")).status_code == 200
        assert (await thief.get("/workspace", headers={"Cookie": f"ngomon={first}"})).status_code == 303
        assert (await thief.get("/workspace", headers={"Cookie": f"ngomon={elsewhere}"})).status_code == 200


async def test_a26_a_sign_in_that_comes_to_nothing_ends_nothing(office: Office) -> None:
    async with client(office.service.url) as http:
        await signed_in(http, office.chi.persona)
        start = await http.get("/workspace/login/start")
        await http.get("/workspace/login/callback", params={"state": "another", "code": "x"})
        assert start.status_code == 303
        assert (await http.get("/workspace")).status_code == 200


async def test_an_e_id_that_is_away_is_said_so_with_a_time(office: Office) -> None:
    async with client(office.service.url) as http:
        start = await http.get("/workspace/login/start")
        cancelled = await http.get(
            "/workspace/login/callback",
            params={
                "error": "access_denied",
                "state": start.headers["location"].split("state=")[1].split("&")[0],
            },
        )
    assert cancelled.status_code == 403 and "Bạn đã hủy đăng nhập" in cancelled.text


async def test_the_chosen_language_survives_the_way_to_the_sign_in_page(office: Office) -> None:
    async with client(office.service.url, follow_redirects=True) as http:
        for path in ("/workspace?lang=en", "/workspace/people?lang=en", "/workspace/people?q=a&lang=en", "/workspace/support?lang=en&theme=dark"):  # fmt: skip
            http.cookies.clear()
            page = await http.get(path)
            assert page.url.path == "/workspace/login" and '<html lang="en"' in page.text, path
        http.cookies.clear()
        by_htmx = await http.get("/workspace/people?lang=en", headers={"HX-Request": "true"})
        assert by_htmx.headers["hx-redirect"].endswith("lang=en")
        http.cookies.clear()
        assert '<html lang="vi"' in (await http.get("/workspace/people?lang=de")).text


async def test_the_chosen_language_survives_the_way_to_the_desk(office: Office, clerk: Somebody) -> None:
    desk = await office.desk(clerk)
    answer = await desk.http.get("/workspace?lang=en")
    assert answer.headers["location"] == "/workspace/support?lang=en"
    await desk.http.aclose()
