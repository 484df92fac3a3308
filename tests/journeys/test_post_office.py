"""What a post-office account is told on the demo's phone page (rule 603; source 001, I)."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.journeys.visitor import a_new_code, a_phone
from tests.service import Service


async def test_a_post_office_account_is_told_before_the_form_that_it_gets_no_staff_role(
    service: Service, browser: Browser
) -> None:
    who, number = service.person("Đặng Thị Thư"), service.mobile_number()
    page = await a_phone(browser, service, "/signin/post_office")
    await page.get_by_role("button", name="Đăng nhập bằng tài khoản Bưu điện").click()
    await page.get_by_role("button", name=who.full_name).first.click()
    await page.locator("[name=phone]").fill(number)
    await page.locator("form button").first.click()
    await page.locator("[name=code]").fill(await a_new_code(service, number))
    await page.locator("form button").first.click()
    await page.get_by_role("button", name="Vai trò").click()
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    told = page.locator("[data-code=post_office_not_for_staff]")
    await expect(told).to_contain_text("Hãy đăng nhập bằng VNeID")
    await expect(page.locator("form")).to_have_count(0)
    await page.context.close()
