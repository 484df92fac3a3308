"""The desk in a real browser: with scripts and without, in both lights, and nothing that axe complains of."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.parts.browser import axe
from tests.workspace.counter import HOME, Counter, asks
from tests.workspace.glass import at
from tests.workspace.office import Office, Somebody

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_a_caller_is_helped_from_the_code_to_the_end(
    office: Office, clerk: Somebody, browser: Browser, scripts: bool
) -> None:
    _, made = await asks(office)
    async with at(office, browser, clerk, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        await expect(page.get_by_role("heading", name="Yêu cầu hỗ trợ")).to_be_visible()
        await page.get_by_role("textbox", name="Mã yêu cầu").fill(made["code"])
        await page.get_by_role("textbox", name="Mã yêu cầu").press("Enter")
        await expect(page.get_by_role("heading", name="Không ký số được")).to_be_visible()
        await page.get_by_role("textbox", name="Nội dung").fill("Cho tôi xin mật khẩu")
        await page.get_by_role("button", name="Trả lời").click()
        await expect(page.get_by_role("alert")).to_contain_text("không được hỏi")
        await page.get_by_role("textbox", name="Nội dung").fill("Mời thử lại.")
        await page.get_by_role("button", name="Trả lời").click()
        await expect(page.get_by_text("Mời thử lại.")).to_be_visible()
        await page.get_by_role("button", name="Đóng yêu cầu").click()
        await expect(page.get_by_text("Đã đóng", exact=True)).to_be_visible()
        await page.goto(HOME)
        await page.get_by_role("button", name="Tạo yêu cầu").click()
        await page.get_by_role("textbox", name="Số định danh").fill("ke.toan@truong.example")
        await page.get_by_role("textbox", name="Tiêu đề").fill("Gọi điện")
        await page.get_by_role("textbox", name="Nội dung").fill("Đã ghi nhận.")
        await page.get_by_role("button", name="Tạo yêu cầu").click()
        await expect(page.get_by_role("heading", name="Gọi điện")).to_be_visible()
        await page.get_by_role("button", name="Đăng xuất").click()
        await expect(page.get_by_role("link", name="Đăng nhập bằng VNeID")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_desks_pages_are_for_everybody(
    office: Office, clerk: Somebody, counter: Counter, browser: Browser, theme: str
) -> None:
    _, made = await asks(office)
    async with at(office, browser, clerk, viewport={"width": 360, "height": 740}) as context:
        page = await context.new_page()
        for path in (HOME, f"{HOME}/new", f"{HOME}/{made['id']}", f"{HOME}/names", f"{HOME}/person"):
            await page.goto(f"{path}?theme={theme}")
            assert await axe(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
