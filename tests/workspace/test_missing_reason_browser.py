"""A no without a reason, pressed where scripts run: what is missing is said at once, and only while it is missing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.parts.browser import axe
from tests.workspace.glass import at
from tests.workspace.office import Office
from tests.workspace.test_presses import DRAWN, LOOK, silent

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
SAID = {"vi": "Vui lòng nêu lý do", "en": "Please give a reason"}
BOX = {"vi": "Lý do", "en": "Reason"}


async def complains(page: Page, lang: str) -> None:
    """The sentence is an alert, and belongs to the box that has the focus."""
    await expect(page.get_by_role("alert")).to_have_text(SAID[lang])
    box = page.get_by_role("textbox", name=BOX[lang])
    await expect(box).to_be_focused()
    await expect(box).to_have_attribute("aria-invalid", "true")
    assert "reason-error" in str(await box.get_attribute("aria-describedby"))
    await expect(page.locator("#reason-error")).to_have_text(SAID[lang])


async def is_content(page: Page) -> None:
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("#reason")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("lang", "button"), [("vi", "Từ chối"), ("vi", "Trả lại"), ("en", "Reject"), ("en", "Return")]
)
async def test_a_no_without_a_reason_says_what_is_missing_until_something_is_written(
    office: Office, browser: Browser, lang: str, button: str
) -> None:
    request_id = await office.asks("Nguyễn Thị Minh Khai")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(f"/workspace/requests/{request_id}?lang={lang}")
        press = page.get_by_role("button", name=button)
        await press.click()
        await complains(page, lang)
        assert not await axe(page)
        await press.click()
        await complains(page, lang)
        async with page.expect_response(f"**/workspace/requests/{request_id}"):
            await page.evaluate(LOOK)  # the page looks again by itself
        await page.evaluate(DRAWN)
        await complains(page, lang)
        await page.keyboard.type(" ")
        await complains(page, lang)
        await page.keyboard.type("12")
        await is_content(page)
        await press.click()
        await expect(page.get_by_text(f"{BOX[lang]}: 12")).to_be_visible()


async def test_a_usual_reason_is_one_too_and_many_at_once_want_one(office: Office, browser: Browser) -> None:
    await office.asks("Võ Thị Thắng")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto("/workspace")
        await page.get_by_role("checkbox", name="Chọn yêu cầu của Võ Thị Thắng").check()
        press = page.get_by_role("button", name="Từ chối đã chọn (1)")
        await press.click()
        await complains(page, "vi")
        await page.get_by_text("Thiếu số quyết định").click()
        await is_content(page)
        await press.click()
        await expect(page.get_by_role("heading", name="Đã từ chối 1 yêu cầu")).to_be_visible()
