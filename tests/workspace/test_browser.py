"""The workspace in a real browser: with scripts and without, by mouse, by keys, live."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import update

from backend.devices.models import Session
from backend.roles import managers
from tests.workspace.glass import WAIT, at
from tests.workspace.office import Office

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def test_tw14_a_manager_walks_in_through_the_e_id_and_out_again(
    office: Office, browser: Browser
) -> None:
    context = await browser.new_context(base_url=office.service.url)
    page = await context.new_page()
    await page.goto("/workspace/people")
    await page.get_by_role("link", name="Đăng nhập bằng VNeID").click()
    await page.locator(f'button[value="{office.chi.persona.key}"]').click()
    await expect(page.get_by_role("heading", name="Nhân sự của đơn vị")).to_be_visible(timeout=WAIT)
    await page.get_by_role("button", name="Đăng xuất").click()
    await expect(page.get_by_role("link", name="Đăng nhập bằng VNeID")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("Lê Thị Chi")).to_have_count(0)
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    await context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_a_request_is_decided_and_taken_back(office: Office, browser: Browser, scripts: bool) -> None:
    request_id = await office.asks("Nguyễn Hữu Cảnh")
    async with at(office, browser, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        await page.get_by_role("link", name="Nguyễn Hữu Cảnh").click()
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_text("Đã được phê duyệt").first).to_be_visible()
        await page.get_by_role("button", name="Hoàn tác").click()
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await page.get_by_role("button", name="Trả lại").click()
        await expect(page.get_by_text("Chờ duyệt", exact=True)).to_be_visible()
        await page.get_by_role("textbox", name="Lý do").fill("Bổ sung số quyết định")
        await page.get_by_role("button", name="Trả lại").click()
        await expect(page.get_by_text("Lý do: Bổ sung số quyết định")).to_be_visible()
        assert page.url.endswith(f"/workspace/requests/{request_id}")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_many_requests_are_decided_at_once(office: Office, browser: Browser, scripts: bool) -> None:
    for name in ("Trần Quý Cáp", "Trần Cao Vân"):
        await office.asks(name)
    async with at(office, browser, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        for box in await page.get_by_role("checkbox", name="Chọn yêu cầu của").all():
            await box.check()
        await page.get_by_role("button", name="Từ chối đã chọn").click()
        await expect(page.get_by_role("heading", name="Yêu cầu chờ duyệt")).to_be_visible()
        await page.get_by_role("textbox", name="Lý do").fill("Sai đơn vị")
        await page.get_by_role("button", name="Từ chối đã chọn").click()
        await expect(page.get_by_role("heading", name="Đã từ chối 2 yêu cầu")).to_be_visible()
        await page.reload()
        await page.get_by_role("button", name="Hoàn tác tất cả").click()
        await expect(page.get_by_role("heading", name="Đã hoàn tác 2 yêu cầu")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_a_role_is_moved_and_ended_from_the_list_of_people(
    office: Office, browser: Browser, scripts: bool
) -> None:
    await office.has_role("Phan Đình Phùng")
    await office.has_role("Tôn Thất Thuyết")
    async with at(office, browser, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto("/workspace/people")
        row = page.get_by_role("listitem").filter(has_text="Phan Đình Phùng")
        await row.get_by_role("button", name="Chuyển công tác").click()
        await page.get_by_label("Đơn vị đến").select_option(office.other)
        await page.get_by_role("button", name="Chuyển công tác").click()
        await expect(page.get_by_text("Đơn vị mới tiếp nhận")).to_be_visible()
        await page.goto("/workspace/people")
        row = page.get_by_role("listitem").filter(has_text="Tôn Thất Thuyết")
        await row.get_by_role("button", name="Kết thúc vai trò").click()
        await page.get_by_role("textbox", name="Lý do").fill("Nghỉ việc")
        await page.get_by_role("button", name="Kết thúc vai trò").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()


async def test_w11_what_others_do_appears_without_reloading(office: Office, browser: Browser) -> None:
    first = await office.asks("Huỳnh Thúc Kháng")
    async with at(office, browser) as context:
        page = await context.new_page()
        async with page.expect_response("**/workspace/events"):
            await page.goto("/workspace")
        await page.get_by_role("checkbox", name="Chọn yêu cầu của Huỳnh Thúc Kháng").check()
        await page.get_by_role("button", name="Từ chối đã chọn (1)").click()
        await page.get_by_role("textbox", name="Lý do").fill("đang viết dở")
        await office.asks("Phan Châu Trinh")
        await expect(page.get_by_role("link", name="Phan Châu Trinh")).to_be_visible()
        await expect(page.get_by_role("textbox", name="Lý do")).to_have_value("đang viết dở")
        await expect(page.get_by_role("checkbox", name="Chọn yêu cầu của Huỳnh Thúc Kháng")).to_be_checked()
        await office.approved_by_another(first)
        await expect(page.get_by_role("link", name="Huỳnh Thúc Kháng")).to_have_count(0)


async def test_an_open_page_is_told_when_somebody_else_was_faster(office: Office, browser: Browser) -> None:
    request_id = await office.asks("Nguyễn Sinh Huy")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.route(re.compile("/workspace/events"), lambda route: route.fulfill(status=204))
        await page.goto(f"/workspace/requests/{request_id}")
        await office.approved_by_another(request_id)
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_text("đã phê duyệt lúc")).to_be_visible()
        await expect(page.get_by_role("alert")).to_be_focused()


async def test_keys_decide_but_not_while_somebody_types(office: Office, browser: Browser) -> None:
    request_id = await office.asks("Nguyễn Lộ Trạch")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        await page.keyboard.press("j")
        await expect(page.get_by_role("link", name="Nguyễn Lộ Trạch")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("Nguyễn Lộ Trạch")
        await page.wait_for_load_state("load")
        box = page.get_by_role("textbox", name="Lý do")
        await page.keyboard.press("2")
        await expect(box).to_be_focused()
        await page.keyboard.type("1 quyết định 2, 3")
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await box.fill("")
        await box.blur()
        await page.goto(f"/workspace/requests/{request_id}?keys=off")
        await page.keyboard.press("1")
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await page.goto(f"/workspace/requests/{request_id}?keys=on")
        await page.keyboard.press("1")
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
        await expect(page.get_by_text("Còn", exact=False).first).to_be_visible()


async def test_an_ended_session_closes_its_open_pages(office: Office, browser: Browser) -> None:
    async with at(office, browser) as context:
        page = await context.new_page()
        async with page.expect_response("**/workspace/events"):
            await page.goto("/workspace")
        service = office.service
        async with service.db.write() as tx:
            await tx.execute(
                update(Session)
                .where(Session.account_id == office.chi.account_id)
                .values(ended_at=service.clock.now(), end_reason="signed_out")
            )
        await office.asks("Người mới")  # rings, so that the heartbeat need not be awaited
        await expect(page.get_by_role("link", name="Đăng nhập bằng VNeID")).to_be_visible()


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<svg/onload=alert(1)>",
        "' hx-get='/workspace/sign-out' hx-trigger='load",
        "<b hx-on:click=alert(1) data-hx-get=/v1/me hx-trigger=load>đậm</b>",
        "{{7*7}} ${7*7} <%= 7*7 %>",
        "javascript:alert(1)",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
)
async def test_tw09_what_people_type_is_shown_as_text(office: Office, browser: Browser, text: str) -> None:
    request_id = await office.asks("Kẻ thử " + text, decision_number=text[:80])
    async with at(office, browser) as context:
        page = await context.new_page()
        for path in ("/workspace", f"/workspace/requests/{request_id}"):
            await page.goto(path)
            await expect(page.get_by_text(text).first).to_be_visible()
        await page.get_by_role("button", name="Từ chối").click()
        await page.get_by_role("textbox", name="Lý do").fill(text)
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_text("Lý do: " + text)).to_be_visible()
        await page.goto("/workspace/audit")
        await expect(page.get_by_role("heading", name="Nhật ký")).to_be_visible()


async def test_tw16_the_unit_chosen_in_another_tab_does_not_decide_here(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Hàn Mặc Tử")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.route("**/workspace/events", lambda route: route.fulfill(status=204))
        await page.goto(f"/workspace/requests/{request_id}")
        service = office.service
        async with service.db.write() as tx:
            await managers.remove(
                tx, service.kit, office.unit, office.chi.persona.national_id, by=None, now=service.clock.now()
            )
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_text("Bạn chưa phụ trách đơn vị nào").first).to_be_visible()
