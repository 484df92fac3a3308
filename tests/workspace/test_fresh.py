"""Who decides about others is known at level 2, and has shown up lately; nothing typed is lost (case A11)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx2
import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select, update

from backend.devices.models import Session
from backend.outside.clock import local_day
from backend.roles.models import Role
from tests.parts.client import client
from tests.workspace.glass import WAIT, at
from tests.workspace.office import Desk, Office, Somebody, signed_in
from tests.workspace.test_corrections import returned_transfer
from tests.workspace.test_deciding import state, word

pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
WAY = re.compile(r'href="(/workspace/login/start\?fresh=1&amp;next=[^"]+)"')


async def signed_in_before(office: Office, who: Somebody | None = None, **span: float) -> None:
    """The sign-in of Chi, or of whoever, was so long ago."""
    async with office.service.db.write() as tx:
        at_ = office.service.clock.now() - timedelta(**span)
        mine = Session.account_id == (who or office.chi).account_id
        await tx.execute(update(Session).where(mine).values(authenticated_at=at_))


async def back(desk: Desk, office: Office, asked: httpx2.Response, who: Somebody | None = None) -> str:
    """Sign in again where the page leads; the page after it."""
    assert asked.status_code == 403, asked.text
    way = WAY.search(asked.text)
    assert way is not None, asked.text
    return await through(desk, who or office.chi, way.group(1).replace("&amp;", "&"), "max_age=0")


async def signed_in_again(desk: Desk, office: Office, login: str, who: Somebody | None = None) -> str:
    """Sign in from the page that says that the session is over; the page after it."""
    return await through(desk, who or office.chi, login.replace("/login?", "/login/start?"), "")


async def through(desk: Desk, who: Somebody, way: str, wanted: str) -> str:
    start = await desk.http.get(way)
    assert start.status_code == 303 and wanted in start.headers["location"]
    answer = await desk.http.get(f"{start.headers['location']}&prompt=none&login_hint={who.persona.key}")
    entered = await desk.http.get(answer.headers["location"])
    place = re.search(r'content="0;url=([^"]+)"', entered.text)
    assert place is not None, entered.text
    return await desk.page(place.group(1))


async def test_a11_level_1_does_not_come_in_and_is_told_what_would_do(office: Office) -> None:
    weak = office.service.person("Lê Thị Yếu", level=1)
    async with client(office.service.url) as http:
        page = await signed_in(http, weak)
        assert page.status_code == 403 and "ngomon" not in http.cookies
        assert "mức độ 2" in page.text and "công an xã, phường" in page.text
        english = await http.get("/workspace/login?lang=en")
        assert "An electronic identity of level 2 is needed." in english.text


async def test_a11_a_session_of_level_1_that_is_there_already_opens_nothing(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Ngô Thì Nhậm")
    async with office.service.db.write() as tx:
        mine = Session.account_id == office.chi.account_id
        await tx.execute(update(Session).where(mine).values(assurance_level=1))
    answer = await desk.http.get("/workspace")
    assert (answer.status_code, answer.headers["location"]) == (303, "/workspace/login")
    assert await state(office, request_id) == "pending"


async def test_a11_a_decision_wants_a_sign_in_of_today_and_keeps_the_reason(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Ngô Thì Sĩ")
    path = f"/workspace/requests/{request_id}"
    await signed_in_before(office, days=1)
    asked = await desk.send(f"{path}/decision", word("rejected", reason="Thiếu quyết định bổ nhiệm"))
    assert "trong ngày hôm nay" in asked.text
    assert await state(office, request_id) == "pending"
    page = await back(desk, office, asked)
    assert "Thiếu quyết định bổ nhiệm" in page and "hãy xem lại rồi bấm lần nữa" in page
    done = await desk.send(f"{path}/decision", word("rejected", reason="Thiếu quyết định bổ nhiệm"))
    assert done.status_code == 303 and await state(office, request_id) == "rejected"


async def test_a11_many_at_once_want_one_of_fifteen_minutes_and_keep_the_ticks(
    office: Office, desk: Desk
) -> None:
    picked, other = await office.asks("Ngô Thì Chí"), await office.asks("Ngô Thì Hương")
    await signed_in_before(office, minutes=16)
    single = await desk.send(f"/workspace/requests/{other}/decision", word("approved"))
    if local_day(office.service.clock.now() - timedelta(minutes=16)) == local_day(office.service.clock.now()):
        assert single.status_code == 303
    form = {"decision": "rejected", "pick": [f"{picked}:1"], "reason": "Sai đơn vị"}
    asked = await desk.send("/workspace/bulk", form)
    assert "không được quá 15 phút" in asked.text
    assert await state(office, picked) == "pending"
    page = await back(desk, office, asked)
    assert f'value="{picked}:1" checked' in page and str(other) not in page and "Sai đơn vị" in page
    assert (await desk.send("/workspace/bulk", form)).status_code == 303
    assert await state(office, picked) == "rejected"


async def test_a11_a_tick_does_not_move_to_what_a_request_became_meanwhile(
    office: Office, desk: Desk
) -> None:
    picked = await office.asks("Ngô Thời Nhiệm")
    await signed_in_before(office, minutes=16)
    asked = await desk.send("/workspace/bulk", {"decision": "approved", "pick": [f"{picked}:0"]})
    page = await back(desk, office, asked)
    assert f'value="{picked}:1">' in page and "checked" not in page


async def test_a11_what_was_kept_is_shown_to_nobody_else(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Ngô Thì Đạo")
    path = f"/workspace/requests/{request_id}"
    await signed_in_before(office, days=1)
    asked = await desk.send(f"{path}/decision", word("rejected", reason="Chỉ Chi được đọc"))
    way = WAY.search(asked.text)
    assert way is not None
    kept = unquote(way.group(1).split("next=")[1])
    assert "Chỉ Chi được đọc" in await desk.page(kept)
    other = await office.desk(await office.person("Ngô Thì Vị", manages=office.unit))
    page = await other.page(kept)
    assert "Chỉ Chi được đọc" not in page and "Trả lại" in page
    await other.http.aclose()
    elsewhere = await desk.http.get("/workspace/bulk", params={"kept": kept.split("kept=")[1]})
    assert elsewhere.status_code == 303, "a form belongs to its page"


async def every_act(office: Office) -> dict[str, dict[str, Any]]:
    """One address of every act about others, with a form that would do it."""
    begun, moved = await office.has_role("Ngô Vương Quyền"), await returned_transfer(office, "Ngô Nhật Khánh")
    asked = await office.asks("Ngô Xương Văn")
    async with office.service.db.read() as tx:
        role: UUID | None = await tx.scalar(select(Role.id).where(Role.request_id == begun))
    return {
        f"/workspace/requests/{asked}/decision": word("approved"),
        "/workspace/bulk": {"decision": "approved", "pick": [f"{asked}:1"]},
        f"/workspace/people/{role}/end": {"reason": "Nghỉ hưu"},
        f"/workspace/people/{role}/transfer": {"unit": office.other, "position": "chuyen_vien"},
        f"/workspace/people/{role}/concurrent": {"unit": office.other, "position": "van_thu"},
        f"/workspace/people/{role}/suspension": {"reason": "Xem xét kỷ luật"},
        f"/workspace/people/{role}/return": {},
        f"/workspace/people/{role}/separation": {"reason": "Nghỉ hưu"},
        f"/workspace/requests/{moved}/correct": {"unit": office.other, "position": "chuyen_vien"},
        f"/workspace/requests/{moved}/withdraw": {},
        "/workspace/delegations": {"to": "Ngô Xương Văn", "units": office.other, "until": "31/12/2030"},
        f"/workspace/delegations/{asked}/end": {},
        "/workspace/reviews": {"pick": [str(asked)]},
        f"/workspace/systems/{asked}/{asked}": {},
        f"/workspace/systems/{asked}/deliveries/{asked}/skip": {"reason": "Đã xử lý bằng tay"},
    }


def operators_acts() -> dict[str, dict[str, Any]]:
    """The same of whoever manages a root; to others these addresses are not there."""
    some = uuid4()
    return {
        f"/workspace/reorganisations/plans/{some}/run": {"decision_number": "12/QĐ-UBND"},
        f"/workspace/reorganisations/{some}/reverse": {},
        "/workspace/operator/appointments": {"person": "Ngô Xương Văn", "unit": "NV"},
        f"/workspace/operator/appointments/{some}/end": {},
        f"/workspace/operator/imports/units/{some}/confirm": {"seen": "x"},
    }


NOT_ABOUT_OTHERS = {
    "me",
    "undo",
    "opened",
    "sign-out",
    "support",
    "replay",
    "filters",
    "decisions",
    "settings",
    "plan",
}  # one's own word within ten seconds, that a page lies open, the desk, systems, a plan that changes nothing
SEARCHES = {"/workspace/people", "/workspace/audit"}  # what is looked for is posted, to stand in no address


async def test_a11_every_act_about_others_asks_and_changes_nothing(office: Office, desk: Desk) -> None:
    acts, operators, root = await every_act(office), operators_acts(), await office.desk(office.ha)
    await signed_in_before(office, days=1)
    await signed_in_before(office, office.ha, days=1)
    for path, form in (acts | operators).items():
        answer = await (root if path in operators else desk).send(path, form)
        assert answer.status_code == 403 and WAY.search(answer.text), path
    await root.http.aclose()
    known = {re.sub(r"[0-9a-f-]{36}", "*", path) for path in acts | operators}
    known = {path.replace("/imports/units/", "/imports/*/") for path in known}
    routes = {
        re.sub(r"\{[^}]*\}", "*", route.path)
        for route in office.service.app.litestar.routes
        if route.path.startswith("/workspace") and "POST" in getattr(route, "methods", ())
    }
    others = {path for path in routes if not NOT_ABOUT_OTHERS & set(path.split("/"))}
    assert others - SEARCHES == known, "a new act about others wants a fresh sign-in, and its line here"


async def test_a11_what_a_manager_began_is_not_taken_back_from_the_own_page_either(
    office: Office, desk: Desk
) -> None:
    request_id = await returned_transfer(office, "Ngô Chân Lưu")
    path = f"/workspace/me/requests/{request_id}"
    await signed_in_before(office, days=1)
    asked = await desk.send(f"{path}/withdraw", {})
    assert await state(office, request_id) == "returned"
    assert "Rút yêu cầu" in await back(desk, office, asked)
    assert (await desk.send(f"{path}/withdraw", {})).status_code == 303
    assert await state(office, request_id) == "withdrawn"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_a11_in_a_browser_the_typed_reason_survives_the_way_to_vneid(
    office: Office, browser: Browser, scripts: bool
) -> None:
    request_id = await office.asks("Ngô Gia Văn Phái")
    async with at(office, browser, java_script_enabled=scripts) as context:
        await signed_in_before(office, days=1)
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        if scripts:
            await page.get_by_role("button", name="Trả lại").click()
        await page.get_by_role("textbox", name="Lý do").fill("Bổ sung quyết định số 15")
        await page.get_by_role("button", name="Trả lại").click()
        await page.get_by_role("link", name="Đăng nhập lại bằng VNeID").click()
        await page.locator(f'button[value="{office.chi.persona.key}"]').click()
        await expect(page.get_by_role("textbox", name="Lý do")).to_have_value(
            "Bổ sung quyết định số 15", timeout=WAIT
        )
        await page.get_by_role("button", name="Trả lại").click()
        await expect(page.get_by_text("Lý do: Bổ sung quyết định số 15")).to_be_visible()
