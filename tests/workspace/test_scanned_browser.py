"""Coming in by a QR code, at a real browser with the demo's phone beside it (rule 313)."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.visitor import a_phone, arrive_by_vneid
from tests.workspace.glass import WAIT
from tests.workspace.office import Office, Somebody

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def signed_in_phone(office: Office, browser: Browser, who: Somebody) -> Page:
    """The phone of somebody who has an account, with VNeID and a number."""
    page = await a_phone(browser, office.service)
    page.set_default_timeout(WAIT)
    await arrive_by_vneid(page, office.service, who.persona)
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_the_page_goes_on_by_itself_when_the_phone_has_picked_its_number(
    office: Office, browser: Browser, scripts: bool
) -> None:
    phone = await signed_in_phone(office, browser, office.chi)
    context = await browser.new_context(base_url=office.service.url, java_script_enabled=scripts)
    context.set_default_timeout(WAIT)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto("/workspace/people")
    await page.get_by_role("link", name="Đăng nhập bằng mã QR").click()
    number = await page.locator("#number").inner_text()
    address = await page.get_by_role("link", name="Mở bằng ứng dụng trên máy này").get_attribute("href")
    await expect(page.get_by_role("img", name="Mã QR")).to_be_visible()
    await phone.get_by_role("button", name="Đăng nhập không gian làm việc").click()
    await phone.get_by_label("Địa chỉ trong mã QR").fill(str(address))
    await phone.get_by_role("button", name="Tiếp tục").click()
    await expect(phone.get_by_text(re.compile(r"^Chrome"))).to_be_visible()
    await expect(phone.get_by_text("127.0.0.0/24")).to_be_visible()
    await phone.get_by_role("button", name=number, exact=True).click()
    await expect(phone.get_by_role("heading", name="Đã cho vào")).to_be_visible()
    await expect(page.get_by_role("heading", name="Nhân sự của đơn vị")).to_be_visible(timeout=WAIT)
    assert complaints == []
    await context.close()
    await phone.context.close()


async def test_a_wrong_number_is_said_on_both_screens_and_a_new_code_is_offered(
    office: Office, browser: Browser
) -> None:
    phone = await signed_in_phone(office, browser, office.dung)
    context = await browser.new_context(base_url=office.service.url)
    page = await context.new_page()
    await page.goto("/workspace/login/qr")
    number = await page.locator("#number").inner_text()
    address = await page.get_by_role("link", name="Mở bằng ứng dụng trên máy này").get_attribute("href")
    await phone.goto(str(address))
    others = phone.get_by_role("group", name="Chọn số").get_by_role("button")
    await expect(others).to_have_count(3)
    await others.filter(has_not_text=number).first.click()
    await expect(phone.get_by_text("Số đã chọn không đúng với số trên màn hình")).to_be_visible()
    await expect(page.get_by_text("Số chọn trên điện thoại không đúng")).to_be_visible(timeout=WAIT)
    await page.get_by_role("link", name="Tạo mã mới").click()
    await expect(page.locator("#number")).to_be_visible()
    await context.close()
    await phone.context.close()
