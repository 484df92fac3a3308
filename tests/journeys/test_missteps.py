"""What goes wrong on the demo's phone page is said at its place and in words that help (sources 001, 000, 004)."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect

from backend.support import desks
from tests.journeys.visitor import PASSWORD, Somebody, a_phone, next_number, register, sign_out, to_the_code
from tests.mobile_api.test_recoveries import NEW, officer
from tests.mobile_api.test_support import DESK
from tests.parts.browser import axe
from tests.service import Service


async def went(page: Page, screen: str) -> None:
    await page.evaluate("to => { location.hash = to; }", f"#{screen}")
    await expect(page.locator("#screen")).to_have_attribute("data-shown", f"#{screen}")


async def test_nothing_typed_and_a_wrong_password_are_said_at_their_fields(
    service: Service, browser: Browser
) -> None:
    who, page = Somebody(service, "Lê Thị Nhầm"), await a_phone(browser, service)
    await register(page, service, who)
    await went(page, "/identity/edit")
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.locator(".attributes")).to_be_visible()
    await expect(page.locator(".alert[role=alert]")).to_have_count(0)
    await expect(page.locator(".attribute").filter(has_text="Ngày sinh")).to_contain_text("17/05/1990")
    await went(page, "/password")
    await page.get_by_label("Mật khẩu hiện tại").fill("Không-phải-1")
    await page.get_by_label("Mật khẩu mới").fill(f"{PASSWORD}x")
    await page.get_by_label("Xác nhận mật khẩu").fill(f"{PASSWORD}x")
    await page.get_by_role("button", name="Đổi mật khẩu").click()
    await expect(page.locator("#f-current-error")).to_have_text("Mật khẩu hiện tại chưa đúng")
    await went(page, "/check")
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.locator("#f-code-error")).to_have_text("Vui lòng nhập trường này")
    await page.context.close()


async def test_a_code_of_too_few_digits_names_the_remedy_and_going_back_forgets_nothing(
    service: Service, browser: Browser
) -> None:
    who, page = Somebody(service, "Phan Văn Vội"), await a_phone(browser, service)
    await register(page, service, who)
    await sign_out(page)
    service.pass_time(seconds=61)
    await page.clock.fast_forward("01:01")
    await to_the_code(page, who)
    await page.get_by_label("Mã OTP").fill("12")
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(page.locator("#f-code-error")).to_have_text("Mã xác thực gồm 6 chữ số")
    await page.get_by_label("Mã OTP").fill("000000")
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(page.locator("#left")).to_have_text("Còn 4 lần nhập.")
    await page.get_by_role("button", name="Mất số điện thoại nhận OTP").click()
    await page.get_by_role("button", name="Quay lại").click()
    await expect(page.locator("#left")).to_have_text("Còn 4 lần nhập.")
    await expect(page.get_by_role("button", name=re.compile("Gửi lại OTP sau"))).to_be_disabled()
    await page.context.close()


async def test_an_organisation_is_offered_no_role_and_its_words_are_its_own(
    service: Service, browser: Browser
) -> None:
    page = await a_phone(browser, service, "/register/enterprise/usb")
    await page.get_by_text("Bản thử: lấy USB ký số").click()
    await page.get_by_label("Chủ thể", exact=True).select_option("MST")
    await page.get_by_label("Số của chủ thể").fill(f"000{next_number():07}")
    await page.get_by_label("Tên trên chứng thư").fill("Công ty TNHH Lầm Lẫn")
    await page.get_by_role("button", name="Lấy chứng thư thử").click()
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await page.get_by_role("textbox", name="Mã PIN").fill("246810")
    await page.get_by_role("dialog").get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_text("Tên doanh nghiệp")).to_be_visible()
    await page.get_by_label("Email").fill("lam@lan.example")
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.locator(".me")).to_be_visible()
    await expect(page.get_by_role("button", name="Vai trò")).to_have_count(0)
    await went(page, "/identity/edit")
    await expect(page.locator("label[for=f-email]")).to_have_text("Email")
    await page.context.close()


async def test_an_officer_sets_the_mail_password_and_tries_it(service: Service, browser: Browser) -> None:
    citizen, mail = await officer(service)
    page = await a_phone(browser, service, "/mail-password")
    await page.get_by_label("Địa chỉ thư điện tử công vụ").fill(mail)
    await page.get_by_role("button", name="Tiếp tục").click()
    await expect(page.get_by_label("Mã OTP")).to_be_visible()
    await page.get_by_label("Mã OTP").fill(await citizen.code())
    await page.get_by_role("button", name="Xác thực").click()
    await page.get_by_label("Nhập mật khẩu").fill(NEW)
    await page.get_by_label("Nhập lại mật khẩu").fill(NEW)
    await page.get_by_role("button", name="Đổi mật khẩu").click()
    await expect(page.get_by_text("Đã đổi mật khẩu thư công vụ")).to_be_visible()
    await page.goto(f"{service.url}/demo/mail")
    assert await axe(page) == []
    await page.get_by_label("Tên đăng nhập").fill(mail)
    await page.get_by_label("Mật khẩu").fill(NEW)
    await page.get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_text("Mật khẩu mới đã có hiệu lực")).to_be_visible()
    await page.context.close()


async def test_whoever_writes_a_password_to_the_desk_is_told_that_it_was_covered(
    service: Service, browser: Browser
) -> None:
    who, page = Somebody(service, "Trần Thị Lỡ Lời"), await a_phone(browser, service)
    await register(page, service, who)
    async with service.db.write() as tx:
        if not await desks.listed(tx):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    for text, told in (("Tôi quên mật khẩu, xin giúp.", 0), ("Mật khẩu là Abc@12345, xin giúp.", 1)):
        await went(page, "/support")
        await went(page, "/support/new")
        await page.get_by_label("Tiêu đề").fill("Không đăng nhập được")
        await page.get_by_label("Nội dung").fill(text)
        await page.get_by_role("button", name="Gửi yêu cầu").click()
        await expect(page.get_by_role("heading", name="Đã tạo yêu cầu")).to_be_visible()
        await expect(page.get_by_text("đã được che bằng ••••••")).to_have_count(told)
    assert await axe(page) == []
    await page.context.close()
