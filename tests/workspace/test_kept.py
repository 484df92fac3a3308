"""Nothing typed is lost: the session ends, the network goes, a correction comes back; and one stream a browser."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import func, select, update

from backend.accounts.ways_in import forms_left
from backend.devices.models import Session
from backend.flows import Flow
from backend.roles import corrections
from backend.roles.models import RoleRequest
from backend.roles.wish import Draft
from tests.parts.client import client
from tests.workspace.glass import at
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office, Somebody
from tests.workspace.test_deciding import state, word
from tests.workspace.test_fresh import signed_in_again
from workspace import qr

# what a page keeps does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def session_over(office: Office, who: Somebody | None = None) -> None:
    """Chi's sessions end, as by a sign-out elsewhere."""
    service = office.service
    async with service.db.write() as tx:
        mine = update(Session).where(Session.account_id == (who or office.chi).account_id)
        await tx.execute(mine.values(ended_at=service.clock.now(), end_reason="signed_out"))


async def test_w05_a_form_sent_after_the_session_is_kept_for_the_same_person_alone(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Lê Thị Đang Viết")
    path = f"/workspace/requests/{request_id}"
    token = TOKEN.search(await desk.page(path))
    assert token is not None
    await session_over(office)
    form = word("rejected", reason="Viết dở khi phiên kết thúc")
    away = await desk.send(f"{path}/decision", form, token=token.group(1))
    assert away.status_code == 303 and "why=ended" in away.headers["location"]
    assert "Những gì bạn đã viết được giữ lại" in (await desk.http.get(away.headers["location"])).text
    assert await state(office, request_id) == "pending"
    forged = await desk.send(f"{path}/decision", form, token="x" * 40)
    assert "why=ended" not in forged.headers["location"], "nothing is kept for a form that is not ours"
    foreign = await desk.http.post(
        f"{path}/decision", data={"_csrf": token.group(1), **form}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert "why=ended" not in foreign.headers["location"]
    page = await signed_in_again(desk, office, away.headers["location"])
    assert "Viết dở khi phiên kết thúc" in page and "vẫn còn đây" in page
    assert (await desk.send(f"{path}/decision", form)).status_code == 303
    assert await state(office, request_id) == "rejected"


async def test_an_ended_session_keeps_no_more_than_the_newest_forms(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Lê Thị Gửi Mãi")
    path = f"/workspace/requests/{request_id}"
    token = TOKEN.search(await desk.page(path))
    assert token is not None
    await session_over(office)
    forms = [word("rejected", reason=f"Lần thứ {number}") for number in range(forms_left.MOST + 5)]
    sent = [await desk.send(f"{path}/decision", form, token=token.group(1)) for form in forms]
    async with office.service.db.read() as tx:
        kept = select(func.count()).where(Flow.kind == "kept_form", Flow.account_id == office.chi.account_id)
        assert await tx.scalar(kept) == forms_left.MOST
    page = await signed_in_again(desk, office, sent[-1].headers["location"])
    assert f"Lần thứ {forms_left.MOST + 4}" in page


async def test_w09_every_round_is_kept_with_its_reason_and_marked(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Trần Văn Nhiều Vòng", decision_number="1/QĐ")
    service, path = office.service, f"/workspace/requests/{request_id}"
    async with service.db.read() as tx:
        who = (await tx.get_one(RoleRequest, request_id)).account_id
    for number, why in ((2, "Số quyết định chưa đúng"), (3, "Chức vụ chưa đúng")):
        version = await version_of(office, request_id)
        assert (await desk.send(f"{path}/decision", word("returned", version, why))).status_code == 303
        draft = Draft(
            kind="register",
            subject_type="cong_chuc",
            unit=office.unit,
            position="chuyen_vien",
            fields={"decision_number": f"{number}/QĐ"},
        )
        by = corrections.By(who, 2, service.clock.now())
        async with service.db.write() as tx:
            await corrections.resubmit(tx, service.kit, request_id, draft, by=by, now=service.clock.now())
    page = await desk.page(path)
    assert page.index("Lý do trả lại: Số quyết định chưa đúng") < page.index(
        "Lý do trả lại: Chức vụ chưa đúng"
    )
    assert "1/QĐ" in page and "2/QĐ" in page and "3/QĐ" in page and 'data-decision="approved"' in page


async def version_of(office: Office, request_id: UUID) -> int:
    async with office.service.db.read() as tx:
        return (await tx.get_one(RoleRequest, request_id)).version


async def test_f02_forms_send_an_origin_and_plain_colours_stand_first(office: Office, desk: Desk) -> None:
    answer = await desk.http.get("/workspace")
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    style = answer.text.split('rel="stylesheet" href="')[1].split('"')[0]
    text = (await desk.http.get(style)).text
    for name in ("--paper", "--ink", "--accent", "--top"):
        assert text.index(f"{name}: #") < text.index(f"{name}: light-dark("), name
    request_id = await office.asks("Nguyễn Thị Safari Cũ")
    token = TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    form = {"_csrf": token.group(1), **word("approved")}
    sent = await desk.http.post(
        f"/workspace/requests/{request_id}/decision", data=form, headers={"Origin": office.service.url}
    )
    assert sent.status_code == 303 and SAME_SITE, "an origin alone will do, where the browser says no more"


async def test_w02_f01_f09_seven_windows_share_one_stream_and_all_leave_with_the_session(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Phạm Thị Nhiều Tab")
    async with at(office, browser) as context:
        asked: list[str] = []
        context.on("request", lambda one: asked.append(one.url) if "/workspace/events" in one.url else None)
        pages = [await context.new_page() for _ in range(7)]
        for page in pages[:-1]:
            await page.goto("/workspace")
        await pages[-1].goto(f"/workspace/requests/{request_id}")
        await pages[-1].get_by_role("button", name="Từ chối").click()
        await pages[-1].get_by_role("textbox", name="Lý do").fill("Chưa kịp gửi")
        assert len(asked) <= 2, asked
        await office.asks("Phạm Văn Báo Khắp Nơi")
        for page in pages[:-1]:
            await expect(page.get_by_role("link", name="Phạm Văn Báo Khắp Nơi")).to_be_visible()
        await session_over(office)
        await office.asks("Phạm Văn Rung Chuông")  # rings, so that the heartbeat need not be awaited
        for page in pages:
            await expect(page.get_by_role("link", name="Đăng nhập bằng VNeID")).to_be_visible()
        last = pages[-1]
        await expect(
            last.get_by_text("Những gì bạn đã viết được giữ lại")
        ).to_be_visible()  # W05, with scripts
        await last.get_by_role("link", name="Đăng nhập bằng VNeID").click()
        await last.locator(f'button[value="{office.chi.persona.key}"]').click()
        await expect(last.get_by_role("textbox", name="Lý do")).to_have_value("Chưa kịp gửi")
        assert last.url.endswith(str(request_id))


async def test_w07_without_a_network_it_is_said_at_once_and_sent_later(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Đỗ Thị Mất Mạng")
    context = await browser.new_context(base_url=office.service.url)
    token = await office.token_of(office.chi)
    await context.add_cookies([{"name": "ngomon", "value": token, "url": office.service.url}])
    page = await context.new_page()
    await page.goto(f"/workspace/requests/{request_id}")
    await page.get_by_role("button", name="Phê duyệt").click()
    undo = page.get_by_role("button", name="Hoàn tác")
    await expect(undo).to_be_visible()
    await context.set_offline(True)
    await undo.click()
    await expect(page.get_by_role("alert").filter(has_text="Không có kết nối mạng")).to_be_visible()
    await context.set_offline(False)
    await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
    await expect(page.locator("#offline")).to_be_hidden()
    assert await state(office, request_id) == "pending"
    await context.close()


async def test_one_chooses_looks_and_ends_ones_other_sessions_but_nobody_elses(
    office: Office, desk: Desk
) -> None:
    elsewhere, stranger = await office.desk(office.chi), await office.desk(office.dung)
    page = await desk.page("/workspace/settings")
    assert all("<h2 id=" in page and word in page for word in ("Ngôn ngữ", "Giao diện", "Phím tắt", "Phiên"))
    ways = re.findall(r'action="(/workspace/settings/sessions/[^"]+/end)"', page)
    assert len(ways) == 1 and page.count("Phiên này") == 1
    assert (await stranger.send(ways[0], {})).status_code == 404
    assert (await elsewhere.http.get("/workspace")).status_code == 200
    assert (await desk.send(ways[0], {})).status_code == 303
    assert (await elsewhere.http.get("/workspace")).status_code == 303, "ended at its very next click"
    await elsewhere.http.aclose()
    await stranger.http.aclose()


async def test_a_slip_is_genuine_for_anybody_and_tells_first_letters_alone(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Quách Thị Phiếu")
    path = f"/workspace/requests/{request_id}"
    assert (await desk.http.get(f"{path}/slip")).status_code == 409, "nothing is decided"
    await desk.send(f"{path}/decision", word("approved"))
    assert (await desk.http.get(f"{path}/slip")).status_code == 409, "it can still be taken back"
    office.service.pass_time(seconds=11)
    slip = await desk.page(f"{path}/slip")
    assert 'class="qr"' in slip and "Quách Thị Phiếu" in slip
    found = re.search(r"<code>[^<]*(/verify/[A-Z2-7]{26})</code>", slip)
    assert found is not None
    async with client(office.service.url) as anybody:
        answer = await anybody.get(found.group(1))
        assert "Phiếu này đúng" in answer.text and "Q*** T*** P***" in answer.text
        assert "Quách" not in answer.text and "000" not in answer.text.split("<main")[1].split("</main")[0]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        for wrong in (found.group(1)[:-2] + "AA", "/verify/x", "/verify/" + "A" * 200):
            answer = await anybody.get(wrong)
            assert answer.status_code == 404 and "Phiếu này không đúng" in answer.text
    stranger = await office.desk(office.dung)
    assert (await stranger.http.get(f"{path}/slip")).status_code == 404
    await stranger.http.aclose()


def test_a_qr_code_is_what_the_standard_says(service: object) -> None:
    assert service is not None
    data = [
        65,
        118,
        135,
        71,
        71,
        7,
        51,
        162,
        242,
        247,
        130,
        231,
        102,
        226,
        247,
        102,
        87,
        38,
        150,
        103,
        146,
        244,
        20,
        36,
        48,
        0,
        236,
        17,
    ]
    check = [124, 87, 197, 214, 140, 32, 63, 158, 52, 87, 135, 6, 70, 120, 60, 157]  # as segno 1.6 has it
    assert qr._check(data, 16) == check
    grid = qr.modules("https://hue.example/verify/" + "A" * 26)
    assert len(grid) == 33 and grid[0][:7] == [1] * 7 and grid[25][8] == 1
    with pytest.raises(qr.TooLong):
        qr.modules("x" * 107)
