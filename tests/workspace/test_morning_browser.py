"""The rest of a manager's morning in a browser: what fits on a screen, what a key does, and where the focus is after it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.visitor import a_phone, arrive_by_vneid
from tests.workspace.glass import at
from tests.workspace.office import Office
from tests.workspace.test_walked import role_of

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
SEEN = "rows => rows.filter(row => row.getBoundingClientRect().bottom <= innerHeight).length"
LEFT = "one => [...one.options].filter(o => o.value && !o.hidden).map(o => o.value)"


async def test_w13_a_screen_shows_ten_rows_and_a_phone_four_below_folded_filters(
    office: Office, browser: Browser
) -> None:
    first = await office.asks("Đặng Văn Vừa Màn 00")
    for number in range(1, 20):
        await office.asks(f"Đặng Văn Vừa Màn {number:02d}")
    async with at(office, browser, viewport={"width": 1280, "height": 800}) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        assert await page.locator("[id^=row-]").evaluate_all(SEEN) >= 10
        await expect(page.locator("#kind")).to_be_visible()
        await page.set_viewport_size({"width": 360, "height": 740})
        assert await page.locator("[id^=row-]").evaluate_all(SEEN) >= 4
        await expect(page.locator("#kind")).to_be_hidden()
        await page.get_by_text("Bộ lọc", exact=True).click()
        await expect(page.locator("#kind")).to_be_visible()
        await page.goto(f"/workspace/requests/{first}")
        for width, two in ((1023, False), (1024, True)):
            await page.set_viewport_size({"width": width, "height": 740})
            await expect(page.locator(".side")).to_be_visible(visible=two)


async def test_w11_w12_keys_pick_search_and_show_themselves_and_buttons_say_how_many(
    office: Office, browser: Browser
) -> None:
    for number in range(2):
        await office.asks(f"Đặng Thị Nhiều Phím {number}")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        approve = page.get_by_role("button", name="Phê duyệt đã chọn")
        for key, said in (("j", ""), ("x", " (1)"), ("j", " (1)"), ("x", " (2)"), ("x", " (1)")):
            await page.keyboard.press(key)
            await expect(approve).to_have_text(f"Phê duyệt đã chọn{said}")
        await page.keyboard.press("x")
        await page.keyboard.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.type("xj1")
        await expect(approve).to_have_text("Phê duyệt đã chọn (2)")
        await page.get_by_role("heading", level=1).click()
        await page.keyboard.press("Shift+Slash")
        await expect(page.locator(".keys")).to_be_focused()
        await page.goto("/workspace")
        await page.get_by_role("button", name="Từ chối đã chọn").click()
        await page.get_by_role("textbox", name="Lý do").fill("Sai đơn vị")
        await page.get_by_role("button", name="Từ chối đã chọn").click()
        await expect(page.get_by_text("Hãy chọn ít nhất một yêu cầu.")).to_be_visible()
        await expect(page.get_by_role("textbox", name="Lý do")).to_have_value("Sai đơn vị")


async def test_w18_after_a_word_and_after_its_undo_the_focus_is_on_what_is_said(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Đặng Thị Tiêu Điểm")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        await page.keyboard.press("1")
        said = page.get_by_role("status").filter(has_text="Đã phê duyệt")
        await expect(said).to_be_focused()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_enabled()
        await page.keyboard.press("z")
        await expect(page.get_by_role("button", name="Phê duyệt")).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_be_focused()


SLOW = "const at = setTimeout; window.setTimeout = (act, ms, ...rest) => at(act, ms || 700, ...rest)"


@pytest.mark.parametrize("pressed", ["key", "mouse"])
async def test_w18_a_word_that_is_faster_than_the_script_of_a_slow_machine_brings_the_focus_too(
    office: Office, browser: Browser, pressed: str
) -> None:
    request_id = await office.asks("Đặng Thị Tiêu Điểm")
    async with at(office, browser) as context:
        await context.add_init_script(SLOW)
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        if pressed == "key":
            await page.keyboard.press("1")
        else:
            await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.locator(".undo [role=status]")).to_be_focused()


async def narrowed(page: Page, words: str) -> list[str]:
    """The units that are left to choose from."""
    await page.get_by_role("searchbox", name="Tìm đơn vị trong danh sách").fill(words)
    left: list[str] = await page.get_by_label("Đơn vị đến").evaluate(LEFT)
    return left


async def test_w17_of_many_units_one_is_found_by_words_without_marks_or_by_its_code(
    office: Office, browser: Browser
) -> None:
    role = await role_of(office, "Đặng Thị Tìm Đơn Vị")
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/people/{role}/transfer")
        every, left = await narrowed(page, ""), [""]
        for words in (f"so tai chinh {office.number}", office.other.lower(), f"Sở TÀI chính {office.number}"):
            left = await narrowed(page, words)
            assert office.other in left and len(left) < len(every) and office.unit not in left
        await expect(page.get_by_label("Đơn vị đến")).to_have_value(left[0])
        assert await narrowed(page, "không có nơi này") == []
        await expect(page.get_by_label("Đơn vị đến")).to_have_value("")
        await page.get_by_label("Đơn vị đến").select_option(office.other)
        await page.get_by_role("button", name="Chuyển công tác").click()
        await expect(page.get_by_text("Đơn vị mới tiếp nhận")).to_be_visible()


async def test_f04_the_phone_of_the_demo_stays_signed_in_when_the_workspace_signs_out(
    office: Office, browser: Browser
) -> None:
    phone = await a_phone(browser, office.service)
    await arrive_by_vneid(phone, office.service, office.service.person("Đặng Văn Ở Lại"))
    desk = await phone.context.new_page()
    token = await office.token_of(office.chi)
    await desk.context.add_cookies([{"name": "ngomon", "value": token, "url": office.service.url}])
    await desk.goto(f"{office.service.url}/workspace")
    await desk.get_by_role("button", name="Đăng xuất").click()
    await expect(desk.get_by_role("link", name="Đăng nhập bằng VNeID")).to_be_visible()
    await phone.reload()
    await expect(phone.get_by_text("Đặng Văn Ở Lại").first).to_be_visible()
    await expect(phone.get_by_role("button", name="Đăng nhập bằng VNeID")).to_have_count(0)
    await phone.context.close()
