"""What a visitor of the demo's phone page does in a journey, and who they are."""

from __future__ import annotations

import asyncio
import itertools
import re

import pytest
from playwright.async_api import Browser, Page, expect

from backend.outside.registries import Subscriber
from demo.persona import Persona
from tests.service import CODE, Service

PASSWORD = "Song-Hương-2026"
BORN = "1990-05-17"
_numbers = itertools.count(100)
_read: set[str] = set()


def next_number() -> int:
    """One that no visitor had before."""
    return next(_numbers)


class Somebody:
    """An invented person whom the carriers know under two numbers."""

    def __init__(self, service: Service, name: str) -> None:
        number = next_number()
        self.name, self.national_id = name, f"000190{number:06}"
        self.phone, self.other = service.mobile_number(), service.mobile_number()
        for phone in (self.phone, self.other):
            row = Subscriber(phone, self.national_id, name, BORN, active=True)
            service.stand.registries.add_subscriber(row)


async def a_phone(browser: Browser, service: Service, screen: str = "/", language: str = "vi") -> Page:
    """The phone page at one of its screens."""
    context = await browser.new_context(viewport={"width": 420, "height": 900}, locale="vi-VN")
    await context.clock.install(time=service.clock.now())  # a journey may have let time go by
    page = await context.new_page()
    await page.goto(f"{service.url}/demo/phone?lang={language}#{screen}")
    return page


async def a_new_code(service: Service, number: str) -> str:
    """The code of the newest message that was not used yet; some messages leave after the answer."""
    for _ in range(200):
        for message in service.inbox.sms:
            found = CODE.search(message.text)
            if message.to == f"+84{number[1:]}" and found and message.id not in _read:
                _read.add(message.id)
                return found.group()
        await asyncio.sleep(0.05)
    pytest.fail(f"no code came to {number}")


async def type_code(page: Page, service: Service, number: str) -> None:
    await expect(page.get_by_label("Mã OTP")).to_be_visible()
    await page.get_by_label("Mã OTP").fill(await a_new_code(service, number))
    await page.get_by_role("button", name="Xác nhận").click()


async def register(page: Page, service: Service, who: Somebody) -> None:
    """From the welcome screen to the account, by subscriber."""
    await page.get_by_role("button", name="Đăng ký").click()
    await page.get_by_role("button", name=re.compile("Thuê bao di động")).click()
    await page.get_by_label("Tên đăng nhập").fill(who.national_id)
    await page.get_by_label("Họ tên").fill(who.name)
    await page.get_by_label("Ngày sinh").fill(BORN)
    await page.get_by_label("Số điện thoại").fill(who.phone)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await type_code(page, service, who.phone)
    await page.get_by_label("Nhập mật khẩu").fill(PASSWORD)
    await page.get_by_label("Xác nhận mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.get_by_text(who.name).first).to_be_visible()


async def arrive_by_vneid(page: Page, service: Service, who: Persona) -> None:
    """From the welcome screen to the account of somebody who has shown no number yet."""
    number = service.mobile_number()
    await page.get_by_role("button", name="Đăng nhập bằng VNeID").click()
    await page.locator(f'button[value="{who.key}"]').click()
    await page.get_by_label("Số điện thoại").fill(number)
    await page.get_by_role("button", name="Cập nhật").click()
    await expect(page.get_by_label("Mã OTP")).to_be_visible()
    await page.get_by_label("Mã OTP").fill(await a_new_code(service, number))
    await page.get_by_role("button", name="Gửi", exact=True).click()
    await expect(page.get_by_text(who.full_name).first).to_be_visible()


async def sign_out(page: Page) -> None:
    await page.get_by_role("button", name="Thiết bị").click()
    await page.get_by_role("button", name="Đăng xuất").click()
    await expect(page.get_by_role("button", name="Đăng nhập bằng VNeID")).to_be_visible()


async def to_the_code(page: Page, who: Somebody) -> None:
    """Number, password and captcha; the code is asked for next."""
    await page.get_by_role("button", name="Đăng nhập cách khác").click()
    await page.get_by_label("Tên đăng nhập").fill(who.national_id)
    await page.get_by_label("Mật khẩu", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập", exact=True).click()
    await expect(page.get_by_label("Mã OTP")).to_be_visible()


async def signed_in_by_vneid(page: Page, service: Service, name: str) -> None:
    """From the welcome screen, in either language, to the account of somebody new."""
    await page.get_by_role("button", name=re.compile("VNeID")).first.click()
    await page.get_by_role("button", name=name).first.click()
    number = service.mobile_number()
    await page.locator("[name=phone]").fill(number)
    await page.locator("form button").first.click()
    await page.locator("[name=code]").fill(await a_new_code(service, number))
    await page.locator("form button").first.click()
    await expect(page.locator(".me")).to_be_visible()
