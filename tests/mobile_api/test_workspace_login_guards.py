"""What coming in by a QR code wants of the phone, what ends it, and what nobody else learns (rule 313)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from backend.account import Account
from backend.accounts.ways_in import agents
from backend.devices.models import Session
from backend.flows import Flow
from backend.support import desks
from backend.throttle import Budget
from tests.mobile_api.screens import SHOWN, Screen, account_of, asked, at, picks, wrong
from tests.mobile_api.test_support import DESK
from tests.parts.client import client
from tests.service import Service


async def test_level_1_an_older_day_and_another_way_in_are_asked_for_more(service: Service) -> None:
    weak = await service.sign_in(service.person(level=1))
    phone = await service.sign_in()
    account_id = await account_of(phone)
    async with at(service) as screen:
        for way in ("GET", "POST"):
            path = f"/v1/workspace-logins/{screen.id}" + ("/approve" if way == "POST" else "")
            body = {"number": screen.number} if way == "POST" else None
            refused = await weak.call(way, path, body)
            assert (refused.status_code, refused.json()["code"]) == (403, "workspace_level")
            for values, required in (
                ({"method": "password"}, "method"),
                ({"authenticated_at": service.clock.now() - timedelta(days=1)}, "max_age"),
            ):
                before = await _set(service, account_id, **values)
                refused = await phone.call(way, path, body)
                assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_assurance")
                assert required in refused.json()["required"]
                await _set(service, account_id, **before)
        assert (await phone.http.get(f"/v1/workspace-logins/{screen.id}")).status_code == 401
        assert (await picks(phone, screen, screen.number)).status_code == 204


async def _set(service: Service, account_id: UUID, **values: Any) -> dict[str, Any]:
    async with service.db.write() as tx:
        mine = (Session.account_id == account_id) & (Session.kind == "mobile")
        row = (await tx.scalars(select(Session).where(mine))).one()
        before = {name: getattr(row, name) for name in values}
        await tx.execute(update(Session).where(mine).values(**values))
    return before


async def test_after_a_new_number_or_a_recovery_the_e_id_has_to_have_come_again(service: Service) -> None:
    phone = await service.sign_in()
    account_id = await account_of(phone)
    async with service.db.write() as tx:
        await tx.execute(
            update(Account).where(Account.id == account_id).values(recovered_at=service.clock.now())
        )
    async with at(service) as screen:
        refused = await picks(phone, screen, screen.number)
        assert (refused.status_code, refused.json()["required"]["method"]) == (403, "vneid")


async def test_who_signs_out_or_is_frozen_meanwhile_lets_nobody_in(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        assert (await picks(phone, screen, screen.number)).status_code == 204
        assert (await phone.call("DELETE", "/v1/sessions/current")).status_code == 204
        page = await screen.looks()
        assert "Điện thoại vừa đăng xuất" in page.text and not await screen.is_in()
    other = await service.sign_in()
    account_id = await account_of(other)
    async with at(service) as screen:
        assert (await picks(other, screen, screen.number)).status_code == 204
        async with service.db.write() as tx:
            frozen = update(Account).where(Account.id == account_id)
            await tx.execute(frozen.values(frozen_at=service.clock.now()))
        assert "ngomon" not in (await screen.looks()).cookies
        async with service.db.write() as tx:
            await tx.execute(frozen.values(frozen_at=None))


async def test_the_person_is_told_and_not_me_ends_what_was_let_in(service: Service) -> None:
    async with service.db.write() as tx:
        if not any(desk.code == "HUE" for desk in await desks.listed(tx)):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    phone = await service.sign_in()
    for comes_in in (True, False):
        async with at(service) as screen:
            assert (await picks(phone, screen, screen.number)).status_code == 204
            if comes_in:
                assert (await screen.looks()).cookies.get("ngomon") and await screen.is_in()
            found = (await phone.call("GET", "/v1/notices")).json()["items"]
            notice = next(one for one in found if one["kind"] == "workspace_entered" and one["first"])
            assert (
                "Firefox, Linux" in notice["body"] and "127.0.0.0/24" in notice["body"] and notice["can_deny"]
            )
            denied = await phone.call("POST", f"/v1/notices/{notice['id']}/deny", {})
            assert denied.status_code == 201, denied.text
            assert "ngomon" not in (await screen.looks()).cookies and not await screen.is_in()
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "the phone stays"


async def test_who_had_a_session_in_this_browser_has_it_no_more(service: Service) -> None:
    first, second = await service.sign_in(), await service.sign_in()
    async with at(service) as screen:
        assert (await picks(first, screen, screen.number)).status_code == 204
        earlier = (await screen.looks()).cookies["ngomon"]
        await screen.asks()
        assert (await picks(second, screen, screen.number)).status_code == 204
        assert (await screen.looks()).cookies["ngomon"] != earlier
    async with client(service.url, cookies={"ngomon": earlier}) as http:
        assert (await http.get("/workspace/me")).status_code == 303


async def test_one_person_answers_twenty_codes_an_hour(service: Service) -> None:
    phone = await service.sign_in()
    try:
        for _ in range(service.kit.limits.workspace_codes_per_hour):
            async with at(service) as screen:
                await picks(phone, screen, wrong(await asked(phone, screen), screen))
        async with at(service) as screen:
            refused = await picks(phone, screen, screen.number)
            assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
            assert SHOWN.search((await screen.looks()).text), "the code itself still waits"
    finally:
        async with service.db.write() as tx:
            await tx.execute(delete(Budget))


async def test_what_a_browser_says_of_itself_reaches_nobodys_screen(service: Service) -> None:
    phone = await service.sign_in()
    said = "Máy của Sở Nội vụ, hãy chọn số 42 Firefox/1 Windows"
    async with client(service.url, headers={b"User-Agent": said.encode()}) as http:
        screen = Screen(http)
        await screen.asks()
        assert (await asked(phone, screen))["browser"] == "Firefox, Windows"
    async with client(service.url, headers={"User-Agent": "x"}) as http:
        screen = Screen(http)
        await screen.asks()
        assert (await asked(phone, screen))["browser"] == "không rõ"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605 Version/17.5 Safari/605",
            "Safari, macOS",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) CriOS/126.0 Safari/604.1", "Chrome, iOS"),
        ("Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/126.0 Chrome/120 Safari/537", "Cốc Cốc, Windows"),
        ("curl/8.1", ""),
    ],
)
def test_a_browser_is_named_in_words_of_ours(said: str, name: str) -> None:
    assert agents.name_of(said) == name


async def test_a_number_is_two_digits_or_the_call_is_wrong(service: Service) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        for number in ("7", "007", "٠٧", "ab", ""):
            assert (await picks(phone, screen, number)).status_code == 400
        assert (await picks(phone, screen, screen.number)).status_code == 204


async def test_no_log_holds_the_code(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    phone = await service.sign_in()
    async with at(service) as screen:
        await asked(phone, screen)
        await screen.http.get(f"/app/workspace-login/{screen.id}")
        await picks(phone, screen, screen.number)
        await screen.looks()
    out, err = capfd.readouterr()
    assert screen.id not in out + err
    async with service.db.read() as tx:
        row = await tx.get_one(Flow, UUID(screen.id))
    said = f'"{screen.number}"'  # with its marks: two digits alone stand in any ciphertext now and then
    assert said in service.kit.keys.open("flows.data", row.id, row.data)
    assert said.encode() not in row.data and row.created_at <= datetime.now(UTC) + service.clock.ahead
