"""A newcomer's first five minutes in a real browser: phone, code, role, approval, undo, in force downstream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from demo.seed import seed
from tests.checker import check
from tests.parts.postgres import Postgres
from tests.service import Service, running

BINH, CHI, DUNG = "Trần Văn Bình", "Lê Thị Chi", "Hoàng Văn Dũng"


@pytest_asyncio.fixture(params=["sqlite", "postgres"], scope="module", loop_scope="session")
async def _province(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The demo as `ngomon demo` starts it, with its seeded province."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("_postgres")
        url = await part.a_new_database("demo")
    async with running(url) as service:
        issuer = service.app.settings.vneid.issuer
        await seed(service.db, service.kit, service.stand, issuer=issuer, now=service.clock.now())
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def province(_province: Service) -> AsyncIterator[Service]:
    """The seeded province; its invariants are checked after each journey."""
    yield _province
    await check(_province.db, _province.kit)


async def signed_in_phone(browser: Browser, province: Service, name: str, number: str) -> Page:
    """The phone page, signed in as one of the cast."""
    context = await browser.new_context(viewport={"width": 420, "height": 900}, locale="vi-VN")
    page = await context.new_page()
    await page.goto(f"{province.url}/demo/phone")
    await page.get_by_role("button", name="Đăng nhập bằng VNeID").click()
    await page.get_by_role("button", name=name).click()
    note = page.get_by_text("Cần cung cấp số điện thoại chính chủ")  # source 003, nghiệp vụ 3, bước 4
    await expect(note).to_contain_text("mỗi thời điểm chỉ được đăng nhập trên 01 thiết bị di động")
    await page.get_by_label("Số điện thoại").fill(number)
    await page.get_by_role("button", name="Cập nhật").click()
    await expect(page.get_by_label("Mã OTP")).to_be_visible()
    await page.get_by_label("Mã OTP").fill(province.code_for(number))
    await page.get_by_role("button", name="Gửi", exact=True).click()
    await expect(page.get_by_text(name).first).to_be_visible()
    return page


async def signed_in_desk(browser: Browser, province: Service, name: str) -> Page:
    """The workspace, signed in as a manager."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900}, locale="vi-VN")
    page = await context.new_page()
    await page.goto(f"{province.url}/workspace/login")
    await page.get_by_role("link", name="Đăng nhập bằng VNeID").click()
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_role("heading", name="Yêu cầu chờ duyệt")).to_be_visible()
    return page


async def register(phone: Page) -> None:
    """Register the role that the staff directory knows of."""
    await phone.get_by_role("button", name="Vai trò").first.click()
    await phone.get_by_role("button", name="Đăng ký").first.click()
    await phone.get_by_label("Đối tượng").select_option(label="Công chức")
    await expect(phone.get_by_label("Mã cán bộ")).not_to_have_value("")
    await phone.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(phone.get_by_text("Chờ duyệt").first).to_be_visible()
    await expect(phone.locator("#waiting-for")).to_contain_text(re.compile(r"Đang chờ .+ từ \d"))


async def holds(province: Service, system: str, name: str) -> bool:
    """Whether a stand-in system holds somebody as active."""
    found = (await province.http.get("/demo/systems.json")).json()["items"]
    people = next(one["people"] for one in found if one["name"] == system)
    return any(person["name"] == name and person["active"] for person in people)


async def eventually_holds(province: Service, name: str) -> None:
    for _ in range(150):
        if all([await holds(province, system, name) for system in ("van-ban", "thu-dien-tu", "mot-cua")]):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{name} did not reach every system")


async def test_from_the_first_sign_in_to_a_role_in_force(province: Service, browser: Browser) -> None:
    phone = await signed_in_phone(browser, province, BINH, "0550123456")
    await register(phone)
    roles = await phone.context.new_page()  # the list of roles, which nobody touches from here on
    await roles.goto(f"{province.url}/demo/phone")
    await roles.get_by_role("button", name="Vai trò").first.click()
    await expect(roles.get_by_text("Bạn đang có một yêu cầu chưa được giải quyết")).to_be_visible()
    desk = await signed_in_desk(browser, province, DUNG)
    link = desk.get_by_role("link", name=re.compile(BINH)).first
    asked = await link.get_attribute("href")
    await link.click()
    await desk.get_by_role("button", name="Phê duyệt").click()
    await expect(desk.get_by_role("button", name="Hoàn tác")).to_be_visible()
    assert not await holds(province, "van-ban", BINH), "nothing leaves while the decision can be taken back"
    await desk.get_by_role("button", name="Hoàn tác").click()
    await expect(desk.get_by_role("button", name="Phê duyệt")).to_be_visible()
    await desk.get_by_role("button", name="Phê duyệt").click()
    await expect(desk.get_by_role("button", name="Hoàn tác")).to_be_visible()
    province.pass_time(seconds=11)
    await eventually_holds(province, BINH)
    await expect(phone.locator("#in-force")).to_have_text(
        re.compile(r"Có hiệu lực ở (\d+)/\1 hệ thống"), timeout=20_000
    )
    await expect(roles.get_by_text("Đang có hiệu lực")).to_be_visible(timeout=20_000)
    await roles.close()
    async with asyncio.timeout(20):  # the system holds it a moment before the worker has noted so
        while not await desk.get_by_text("Đã đồng bộ").first.is_visible():
            await asyncio.sleep(0.3)  # a page asked for again and again takes the time that the worker needs
            await desk.goto(f"{province.url}{asked}")


async def test_a_second_phone_signs_the_first_one_out(province: Service, browser: Browser) -> None:
    phone = await signed_in_phone(browser, province, CHI, "0550123457")
    other = await phone.context.new_page()
    await other.goto(f"{province.url}/demo/phone?device=2")
    await other.get_by_role("button", name="Đăng nhập bằng VNeID").click()
    await other.get_by_role("button", name=CHI).click()
    await expect(other.get_by_text(CHI).first).to_be_visible()
    await phone.reload()
    await expect(phone.get_by_role("button", name="Không phải tôi")).to_be_visible()
    async with phone.expect_response("**/v1/takeover-reports"):
        await phone.get_by_role("button", name="Không phải tôi").click()
    await other.reload()
    await expect(other.get_by_role("button", name="Đăng nhập bằng VNeID")).to_be_visible()
