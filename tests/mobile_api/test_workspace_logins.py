"""Coming into the workspace by a QR code: a browser, a phone, and whoever stands between them (rule 313)."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from uuid import uuid4

import httpx2
from sqlalchemy import select

from backend.devices.models import Session
from tests.mobile_api.screens import PAGE, SHOWN, account_of, asked, at, journal_of, picks, wrong
from tests.parts.client import client
from tests.service import Service


async def test_the_phone_lets_the_browser_in_that_shows_the_number(service: Service) -> None:
    phone = await service.sign_in(service.person("Lê Thị Quét"))
    async with at(service, next="/workspace/me") as screen:
        found = await asked(phone, screen)
        assert set(found) == {"numbers", "browser", "place", "expires_at"}
        assert len(set(found["numbers"])) == 3 and screen.number in found["numbers"]
        assert all(re.fullmatch(r"\d\d", number) for number in found["numbers"])
        assert (found["browser"], found["place"]) == ("Firefox, Linux", "127.0.0.0/24")
        left = datetime.fromisoformat(found["expires_at"]) - service.clock.now()
        assert timedelta(seconds=90) < left <= timedelta(seconds=120)
        assert not await screen.is_in() and SHOWN.search((await screen.looks()).text)
        assert (await screen.looks(**{"HX-Request": "true"})).status_code == 204
        assert (await picks(phone, screen, screen.number)).status_code == 204
        entered = await screen.http.get(PAGE, params={"next": "/workspace/me"})
        assert 'content="0;url=/workspace/me"' in entered.text and await screen.is_in()
        assert "ngomon-qr" not in screen.http.cookies
    account_id = await account_of(phone)
    assert {"login.qr_approved", "session.opened"} <= set(await journal_of(service, account_id))
    async with service.db.read() as tx:
        mine = Session.account_id == account_id
        rows = {one.kind: one for one in await tx.scalars(select(Session).where(mine))}
    assert rows["workspace"].authenticated_at == rows["mobile"].authenticated_at, (
        "the e-ID's moment, no newer one"
    )
    assert (rows["workspace"].method, rows["workspace"].assurance_level) == ("qr", 2)
    visits = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert visits[0]["method"] == "qr" and visits[0]["device"] == "Firefox, Linux"


async def test_with_scripts_the_page_is_sent_on_once_and_only_once(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        assert (await picks(phone, screen, screen.number)).status_code == 204
        cookies = dict(screen.http.cookies)
        answers = await asyncio.gather(*(_fetch(service, cookies) for _ in range(8)))
    sent_on = [one for one in answers if one.headers.get("hx-redirect") == "/workspace"]
    assert len(sent_on) == 1 and "ngomon" in sent_on[0].cookies
    assert all("ngomon" not in one.cookies for one in answers if one is not sent_on[0])


async def _fetch(service: Service, cookies: dict[str, str]) -> httpx2.Response:
    async with client(service.url, cookies=cookies) as http:
        return await http.get(PAGE, headers={"HX-Request": "true"})


async def test_a_wrong_number_ends_the_code_for_good_and_both_sides_say_so(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        number = wrong(await asked(phone, screen), screen)
        refused = await picks(phone, screen, number)
        assert (refused.status_code, refused.json()["code"]) == (422, "workspace_number_wrong")
        again = await picks(phone, screen, screen.number)
        assert (again.status_code, again.json()["code"]) == (409, "workspace_code_used")
        assert again.json()["outcome"] == "wrong_number"
        page = (await screen.looks()).text
        assert "Số chọn trên điện thoại không đúng" in page and not SHOWN.search(page)
        assert "Tạo mã mới" in page and not await screen.is_in()
        assert "login.qr_ended" in await journal_of(service, await account_of(phone))
        gone = await phone.call("GET", f"/v1/workspace-logins/{screen.id}")
        assert (gone.status_code, gone.json()["code"]) == (409, "workspace_code_used")
        await screen.asks()
        assert (await picks(phone, screen, screen.number)).status_code == 204


async def test_a_code_is_answered_once_also_by_sixteen_at_once(service: Service) -> None:
    phone, other = await service.sign_in(), await service.sign_in()
    async with at(service) as screen:
        answers = await asyncio.gather(
            *(picks(who, screen, screen.number) for _ in range(8) for who in (phone, other))
        )
        assert sorted(one.status_code for one in answers) == [204] + [409] * 15
        assert (await screen.looks()).cookies.get("ngomon")


async def test_the_same_three_numbers_come_again_and_the_order_tells_nothing(service: Service) -> None:
    phone, places = await service.sign_in(), set[int]()
    for _ in range(12):
        async with at(service) as screen:
            first, second = await asked(phone, screen), await asked(phone, screen)
            assert first["numbers"] == second["numbers"]
            places.add(first["numbers"].index(screen.number))
    assert len(places) > 1


async def test_who_has_photographed_the_code_gets_nothing_by_it(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen, client(service.url) as stranger:
        assert (await picks(phone, screen, screen.number)).status_code == 204
        for secret in ("", "x", "é", "0" * 43):
            answer = await stranger.get(PAGE, headers={b"Cookie": f"ngomon-qr={screen.id}.{secret}".encode()})
            assert "ngomon" not in answer.cookies and "Mã đã hết hạn" in answer.text
        assert (await screen.looks()).cookies.get("ngomon"), "the browser that asked comes in all the same"


async def test_the_cookie_is_strict_and_no_script_reads_it(service: Service) -> None:
    async with client(service.url) as http:
        said = (await http.get(PAGE)).headers["set-cookie"]
    assert said.startswith("ngomon-qr=") and "HttpOnly" in said and "SameSite=strict" in said


async def test_a_code_lives_two_minutes_for_the_phone_and_the_page(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        service.pass_time(seconds=121)
        late = await picks(phone, screen, screen.number)
        assert (late.status_code, late.json()["code"]) == (404, "workspace_code_not_found")
        assert "Mã đã hết hạn" in (await screen.looks()).text
        service.clock.ahead -= timedelta(seconds=121)
        service.kit.lives.ahead = 121
        try:
            put_back = await picks(phone, screen, screen.number)
            assert put_back.status_code == 404, "whoever puts the clock back gains no time"
        finally:
            service.kit.lives.ahead = 0
    unknown = await phone.call("GET", f"/v1/workspace-logins/{uuid4()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "workspace_code_not_found")
