"""Every other way in, and the ways back, on the demo's phone page in a real browser (issue 3; sources 001, 000, 004)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.support import desks
from tests.checker import check
from tests.journeys.visitor import (
    BORN,
    Somebody,
    a_phone,
    next_number,
    register,
    sign_out,
    signed_in_by_vneid,
    to_the_code,
    type_code,
)
from tests.parts.browser import axe
from tests.parts.postgres import Postgres
from tests.service import Service, running

OPEN_SCREENS = (
    "/",
    "/signin",
    "/signin/usb",
    "/signin/sim",
    "/signin/vneid",
    "/signin/post_office",
    "/register",
    "/register/enterprise",
    "/register/citizen/subscriber",
    "/register/citizen/social_insurance",
    "/register/citizen/post_office",
    "/register/agency/usb",
    "/forgot",
    "/mail-password",
    "/check",
)
OWN_SCREENS = (
    "/home",
    "/identity",
    "/identity/edit",
    "/methods",
    "/methods/add",
    "/methods/add/phone",
    "/methods/add/sim",
    "/phone",
    "/password",
    "/history",
    "/notices",
    "/support",
    "/support/new",
    "/privacy",
    "/check",
)


@pytest_asyncio.fixture(params=["sqlite", "postgres"], scope="module", loop_scope="session")
async def _city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """A service of its own, because browsers live by the real clock; and nobody waits a minute for a code."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('ways') / 'ways.db'}"
    if request.param == "postgres":
        part: Postgres = request.getfixturevalue("_postgres")
        url = await part.a_new_database("ways")
    async with running(url, NGOMON_OTP_RESEND_AFTER="0") as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def city(_city: Service) -> AsyncIterator[Service]:
    """The service; its invariants are checked after each journey."""
    yield _city
    await check(_city.db, _city.kit)


async def desk_is_open(service: Service) -> None:
    """A case needs somebody who answers it."""
    async with service.db.write() as tx:
        if not await desks.listed(tx):
            await desks.add(
                tx,
                service.kit,
                "CNTT",
                name="Đội hỗ trợ",
                mailbox="hotro@hue.example",
                phone="0550 246 300",
                now=service.clock.now(),
            )


async def test_a_citizen_registers_by_subscriber_and_signs_in_with_number_password_and_code(
    city: Service, browser: Browser
) -> None:
    who, page = Somebody(city, "Trần Thị Sông"), await a_phone(browser, city)
    await register(page, city, who)
    await sign_out(page)
    await to_the_code(page, who)
    await type_code(page, city, who.phone)
    await expect(page.get_by_text(who.name).first).to_be_visible()
    await page.get_by_role("button", name="Lịch sử truy cập").click()
    await expect(page.get_by_text("Mật khẩu và mã OTP").first).to_be_visible()


async def test_what_is_wrong_stands_at_its_field(city: Service, browser: Browser) -> None:
    who = Somebody(city, "Lê Văn Núi")
    page = await a_phone(browser, city, "/register/citizen/subscriber")
    await page.get_by_label("Tên đăng nhập").fill("123")
    await page.get_by_label("Họ tên").fill(who.name)
    await page.get_by_label("Ngày sinh").fill(BORN)
    await page.get_by_label("Số điện thoại").fill(who.phone)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.get_by_label("Tên đăng nhập")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Tên đăng nhập").fill(who.national_id)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await type_code(page, city, who.phone)
    await page.get_by_label("Nhập mật khẩu").fill("matkhau")
    await page.get_by_label("Xác nhận mật khẩu").fill("matkhau")
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.get_by_label("Nhập mật khẩu")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("Cần có chữ in hoa")).to_be_visible()


async def test_a_lost_number_is_changed_where_the_carrier_agrees_and_gets_a_slip_where_not(
    city: Service, browser: Browser
) -> None:
    await desk_is_open(city)
    who, page = Somebody(city, "Phạm Thị Biển"), await a_phone(browser, city)
    stranger = Somebody(city, "Hồ Văn Khác")
    await register(page, city, who)
    await sign_out(page)
    await to_the_code(page, who)
    await page.get_by_role("button", name="Mất số điện thoại nhận OTP").click()
    await page.get_by_label("Số điện thoại").fill(stranger.phone)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await type_code(page, city, stranger.phone)
    slip = page.locator(".slip .code")
    await expect(slip).to_be_visible()
    await slip_is_genuine(browser, city, await slip.inner_text())
    await page.get_by_role("button", name="Dùng số khác").click()
    await page.get_by_label("Số điện thoại").fill(who.other)
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await type_code(page, city, who.other)
    await expect(page.get_by_text("Số điện thoại nhận OTP bây giờ là")).to_be_visible()
    await type_code(page, city, who.other)
    await expect(page.get_by_text(who.name).first).to_be_visible()
    await page.evaluate("location.hash = '#/history'")
    await page.reload()
    await denied(page, "phone_changed")


async def test_a_silent_sms_centre_is_told_honestly_and_its_code_is_right(
    city: Service, browser: Browser
) -> None:
    who, page = Somebody(city, "Tô Thị Chờ"), await a_phone(browser, city)
    await register(page, city, who)
    await sign_out(page)
    inbox = await page.context.new_page()
    await inbox.goto(f"{city.url}/demo/inbox")
    try:
        await inbox.get_by_role("button", name="Nhận tin mà không trả lời").click()
        await expect(inbox.get_by_role("button", name="Cho tổng đài trả lời lại")).to_be_visible()
        await to_the_code(page, who)
        await expect(
            page.get_by_text(f"Chưa chắc tin nhắn đã được gửi đến 055****{who.phone[-3:]}")
        ).to_be_visible()
    finally:
        city.inbox.sms_silent = False
    await type_code(page, city, who.phone)
    await expect(page.get_by_text(who.name).first).to_be_visible()


async def test_a_new_sim_brings_no_password_back(city: Service, browser: Browser) -> None:
    who, page = Somebody(city, "Lương Văn Sim"), await a_phone(browser, city)
    await register(page, city, who)
    carrier = await page.context.new_page()
    await carrier.goto(f"{city.url}/demo/registries")
    await carrier.locator("details[data-open=subscribers]").evaluate("others => { others.open = true }")
    spelled = f"{who.phone[:4]} {who.phone[4:7]} {who.phone[7:]}"
    await carrier.get_by_role("button", name=f"Thay SIM {spelled}").click()
    await expect(carrier.get_by_role("button", name=f"SIM cũ {spelled}")).to_be_visible()
    await sign_out(page)
    await page.evaluate("location.hash = '#/forgot'")
    await page.get_by_label("Số CMND/CCCD").fill(who.national_id)
    await page.get_by_role("button", name="Tiếp tục").click()
    await type_code(page, city, who.phone)
    await expect(page.locator("[data-code=recovery_refused]")).to_contain_text(
        "SIM của số điện thoại này mới được thay"
    )


async def slip_is_genuine(browser: Browser, service: Service, code: str) -> None:
    """The counter's view: anybody may check a slip."""
    counter = await a_phone(browser, service, "/check")
    await counter.get_by_label("Mã yêu cầu").fill(code)
    await counter.get_by_role("button", name="Kiểm tra").click()
    await expect(counter.get_by_text("Mã này đúng là của chúng tôi")).to_be_visible()
    await counter.context.close()


async def denied(page: Page, kind: str) -> None:
    """The notice stands before everything else; “this was not me” opens a case whose code can be checked."""
    await page.locator(".first > summary").click()
    notice = page.locator(f"[data-kind={kind}]").first
    await expect(notice).to_be_visible()
    await notice.get_by_role("button", name="Không phải tôi").click()
    code = page.locator(".first .code").first
    await expect(code).to_have_text(re.compile(r"^SD\d{6}-\d{6}$"))
    quoted = await code.inner_text()
    await page.get_by_role("button", name="Hỗ trợ").click()
    await page.get_by_role("button", name="Kiểm tra mã hỗ trợ").click()
    await page.get_by_label("Mã yêu cầu").fill(quoted)
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.get_by_text("Đây là yêu cầu của bạn.")).to_be_visible()
    await page.get_by_label("Mã yêu cầu").fill("SD211208-123456")
    await page.get_by_role("button", name="Kiểm tra").click()
    await expect(page.get_by_text("Mã này không đúng")).to_be_visible()


async def test_the_identity_page_marks_every_attribute_and_takes_what_may_be_edited(
    city: Service, browser: Browser
) -> None:
    who, page = Somebody(city, "Đỗ Văn Đồng"), await a_phone(browser, city)
    await register(page, city, who)
    await page.get_by_role("button", name="Thông tin định danh").click()
    row = page.locator(".attribute")
    await expect(row.filter(has_text="Họ tên").get_by_role("img")).to_have_accessible_name("đã xác minh")
    await expect(row.filter(has_text="Email").get_by_role("img")).to_have_accessible_name("chưa có")
    await page.get_by_role("button", name="Sửa").click()
    await page.get_by_label("Email").fill("dong@dong.example")
    await page.get_by_role("button", name="Lưu").click()
    await expect(row.filter(has_text="Email").get_by_role("img")).to_have_accessible_name("chưa xác minh")
    await expect(row.filter(has_text="Email")).to_contain_text("dong@dong.example")


async def test_an_enterprise_registers_with_a_usb_token_and_has_to_give_an_address(
    city: Service, browser: Browser
) -> None:
    page = await a_phone(browser, city, "/register/enterprise/usb")
    await page.get_by_text("Bản thử: lấy USB ký số").click()
    await page.get_by_label("Chủ thể", exact=True).select_option("MST")
    await page.get_by_label("Số của chủ thể").fill(f"000{next_number():07}")
    await page.get_by_label("Tên trên chứng thư").fill("Công ty TNHH Cầu Ngói")
    await page.get_by_role("button", name="Lấy chứng thư thử").click()
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await page.get_by_role("textbox", name="Mã PIN").fill("246810")
    await page.get_by_role("dialog").get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_text("NGOMON-DEMO-CA")).to_be_visible()
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Email").fill("cau@ngoi.example")
    await page.get_by_role("button", name="Đăng ký", exact=True).click()
    await expect(page.get_by_text("Công ty TNHH Cầu Ngói").first).to_be_visible()
    await expect(page.get_by_text("Mức xác minh 3", exact=True)).to_be_visible()


async def test_what_wants_a_fresh_sign_in_offers_it_and_can_be_done_afterwards(
    city: Service, browser: Browser
) -> None:
    person, page = city.person("Bùi Thị Sương"), await a_phone(browser, city)
    await signed_in_by_vneid(page, city, person.full_name)
    city.pass_time(minutes=11)
    await page.clock.fast_forward("11:00")
    await page.get_by_role("button", name="Dữ liệu cá nhân").click()
    await page.get_by_role("button", name="Tải bản sao").click()
    await page.get_by_role("button", name="Xác thực lại bằng VNeID").click()
    await page.get_by_role("button", name=person.full_name).click()
    await expect(page.get_by_text("Đã xác thực lại bằng VNeID")).to_be_visible()
    async with page.expect_download() as copy:
        await page.get_by_role("button", name="Tải bản sao").click()
    assert (await copy.value).suggested_filename == "du-lieu-cua-toi.json"


@pytest.mark.parametrize("_city", ["sqlite"], indirect=True)  # the screens are the same on either database
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_new_screen_is_accessible(city: Service, browser: Browser, language: str) -> None:
    page = await a_phone(browser, city, language=language)
    await screens_are_sound(page, OPEN_SCREENS)
    person = city.person({"vi": "Ngô Thị Mây", "en": "Ngô Thị Gió"}[language])
    await page.evaluate("location.hash = '#/'")
    await signed_in_by_vneid(page, city, person.full_name)
    await screens_are_sound(page, OWN_SCREENS)


async def screens_are_sound(page: Page, screens: tuple[str, ...]) -> None:
    """axe finds nothing on any of them, and each of them has a heading of its own."""
    for screen in screens:
        await page.evaluate("to => { location.hash = to; }", f"#{screen}")
        await expect(page.locator("#screen")).to_have_attribute("data-shown", f"#{screen}")
        assert await page.locator("#screen h2").count() == 1, screen
        assert await page.locator(".alert[role=alert]").count() == 0, screen
        assert await axe(page) == [], screen
