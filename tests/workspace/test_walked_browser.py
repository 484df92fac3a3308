"""The same in a browser: keys, narrow screens, what others do meanwhile."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from backend.roles import review
from tests.workspace.glass import at
from tests.workspace.office import Office

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_w12_w13_w10_a_queue_is_emptied_with_one_key_a_request(
    office: Office, browser: Browser
) -> None:
    ids = [await office.asks(f"Bùi Văn Phím {number}") for number in range(4)]
    async with at(office, browser, viewport={"width": 1280, "height": 800}) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        row = await page.locator(f"#row-{ids[0]}").bounding_box()
        assert row is not None and row["height"] <= 50, row
        await page.mouse.click(
            row["x"] + row["width"] * 0.6, row["y"] + row["height"] / 2
        )  # anywhere in the row
        for number in range(3):
            await expect(page.locator("h1")).to_contain_text(f"Bùi Văn Phím {number}")
            assert page.url.split("?")[0].endswith(str(ids[number]))
            await page.keyboard.press("1")
        await expect(page.locator("h1")).to_contain_text("Bùi Văn Phím 3")
        await expect(page.locator(".side")).to_be_visible()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_in_viewport()
        await page.keyboard.press("z")
        await expect(page.locator("h1")).to_contain_text("Bùi Văn Phím 2")
        await page.keyboard.press("h")
        await expect(page.locator("h1")).to_contain_text("Bùi Văn Phím 3")
        box = page.get_by_role("textbox", name="Lý do")
        await expect(box).to_be_hidden()
        await page.keyboard.press("3")
        await expect(box).to_be_focused()
        await page.get_by_text("Thiếu số quyết định").click()
        await page.get_by_role("button", name="Trả lại").click()
        await expect(page.locator("h1")).to_contain_text("Bùi Văn Phím 2")
        await page.set_viewport_size({"width": 320, "height": 200})  # 1280×800 at 400 %
        covered = await page.locator(".decide").evaluate("bar => getComputedStyle(bar).position")
        assert covered == "static"


async def test_w06_w04_what_was_typed_stays_when_somebody_else_decides(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Cao Thị Giữ Chữ")
    other = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    long = "https://hue.example/" + "duong-dan" * 30
    async with at(office, browser, viewport={"width": 1280, "height": 800}) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        await page.get_by_role("button", name="Từ chối").click()
        await page.get_by_role("textbox", name="Lý do").fill(long)
        async with office.service.db.write() as tx:
            now = office.service.clock.now()
            await review.approve(tx, office.service.kit, request_id, version=1, by=other.account_id, now=now)
        await expect(page.get_by_text("Nguyễn Quang Hiếu đã phê duyệt lúc")).to_be_visible()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_have_count(0)
        await expect(page.locator("#decided")).to_be_focused()
        await expect(page.get_by_role("textbox", name="Bạn đang viết dở")).to_have_value(long)
        await page.goto(f"/workspace/requests/{await office.asks('Cao Văn Dài Dòng')}")
        await page.get_by_role("button", name="Từ chối").click()
        await page.get_by_role("textbox", name="Lý do").fill(long)
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_text("duong-dan").first).to_be_visible()
        for width in (1280, 360, 320):
            await page.set_viewport_size({"width": width, "height": 700})
            assert await page.evaluate(SIDEWAYS) == 0, width


@pytest.mark.parametrize("size", [(1280, 800), (1280, 500), (360, 740)], ids=["wide", "low", "phone"])
async def test_r21_what_has_to_be_read_comes_out_from_under_the_bar(
    office: Office, browser: Browser, size: tuple[int, int]
) -> None:
    request_id = await office.asks("Cao Thị Che Khuất")
    async with at(office, browser, viewport={"width": size[0], "height": size[1]}) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        bar, last = page.locator(".decide.stays"), page.locator("#sync > :last-child")
        for opened in (False, True):
            if opened:
                await page.get_by_role("button", name="Trả lại").click()
                await expect(page.get_by_role("textbox", name="Lý do")).to_be_visible()
            await page.evaluate("scrollTo(0, document.body.scrollHeight)")
            part, over = await last.bounding_box(), await bar.bounding_box()
            assert part is not None and over is not None
            assert part["y"] + part["height"] <= over["y"] + 1, (opened, part, over)
