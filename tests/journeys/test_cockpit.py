"""The demo's first page is a cockpit: everything on one screen, and steps that tick themselves (case W20)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, expect

from demo.scim import Mood
from demo.seed import seed
from tests.checker import check
from tests.databases import sqlite
from tests.parts.browser import axe
from tests.service import Service, running

BINH, DUNG = "Trần Văn Bình", "Hoàng Văn Dũng"
UNDO = (
    60  # seconds: three pages that a cold machine draws at once may take longer than the ten that are shipped
)
STEPS = ["sign-in", "phone", "role", "approve", "in-force", "heal"]


@asynccontextmanager
async def a_demo(folder: Path) -> AsyncIterator[Service]:
    """The demo as `ngomon demo` starts it; time passes for the service alone, and the phone signs by its own."""
    limits = {"NGOMON_LIMIT_UNDO_WINDOW": str(UNDO), "NGOMON_LIMIT_PROOF_PAST": "300"}
    async with running(sqlite(folder), **limits) as service:
        issuer = service.app.settings.vneid.issuer
        await seed(service.db, service.kit, service.stand, issuer=issuer, now=service.clock.now())
        yield service
        await check(service.db, service.kit)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def province(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """Filling it costs as much as all that is looked at: who only looks does so before anything happens in it."""
    async with a_demo(tmp_path_factory.mktemp("cockpit")) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """One of its own for who breaks a system, with fewer people in it whom three systems have to hear of first."""
    monkeypatch.setattr("demo.seed.IN_FORCE", 3)
    async with a_demo(tmp_path) as service:
        yield service


async def a_cockpit(browser: Browser, province: Service, width: int, height: int) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
    page = await context.new_page()
    await page.goto(province.url)
    await expect(page.locator("[data-step=sign-in]")).to_have_attribute("aria-current", "step")
    return page


async def ticked(page: Page, *names: str) -> None:
    """These steps say that they are done, and no other."""
    for name in STEPS:
        has = expect(page.locator(f"[data-step={name}]"))
        await (has.to_have_class("done") if name in names else has.not_to_have_class("done"))


async def at_the_phone(page: Page) -> FrameLocator:
    """Bình signs in, proves a number and asks for his role; each ticks when it is so."""
    phone = page.frame_locator("iframe[name=phone]")
    await phone.get_by_role("button", name="Đăng nhập bằng VNeID").click()
    await phone.get_by_role("button", name=BINH).click()
    await expect(phone.get_by_label("Số điện thoại")).to_be_visible()
    await ticked(page, "sign-in")
    await expect(page.locator("[data-step=sign-in] .said")).to_contain_text(BINH)
    await phone.get_by_label("Số điện thoại").fill("0550123456")
    await phone.get_by_role("button", name="Cập nhật").click()
    await phone.get_by_label("Mã OTP").fill(await page.locator("#sms .code").first.inner_text())
    await phone.get_by_role("button", name="Gửi", exact=True).click()
    await ticked(page, "sign-in", "phone")
    await phone.get_by_role("button", name="Vai trò").first.click()
    await phone.get_by_role("button", name="Đăng ký").first.click()
    await phone.get_by_label("Đối tượng").select_option(label="Công chức")
    await expect(phone.get_by_label("Mã cán bộ")).not_to_have_value("")
    await phone.get_by_role("button", name="Đăng ký", exact=True).click()
    await ticked(page, "sign-in", "phone", "role")
    return phone


async def decides(page: Page, who: str | re.Pattern[str]) -> FrameLocator:
    """Dũng approves in the frame of the workspace."""
    desk = page.frame_locator("iframe[name=workspace]")
    await desk.get_by_role("link", name=who).first.click()
    await desk.get_by_role("button", name="Phê duyệt", exact=True).click()
    await expect(desk.get_by_role("button", name="Hoàn tác")).to_be_visible()
    return desk


async def test_w20_a_narrow_screen_shows_one_of_them_and_the_phone_fills_it(
    province: Service, browser: Browser
) -> None:
    page = await a_cockpit(browser, province, 360, 740)
    switcher = page.get_by_role("navigation", name="Đang xem")
    await expect(page.locator("[data-step=heal]")).to_be_visible()
    assert not await axe(page)
    for name, pane in (
        ("Hộp tin", "inbox"),
        ("Hệ thống", "systems"),
        ("Phê duyệt", "workspace"),
        ("Điện thoại", "phone"),
    ):
        await switcher.get_by_role("link", name=name).click()
        shown = page.locator(".pane:visible")
        await expect(shown).to_have_count(1)
        await expect(shown).to_have_id(f"pane-{pane}")
        assert not await axe(page)
    frame, bar = await page.locator("#pane-phone iframe").bounding_box(), await switcher.bounding_box()
    assert frame is not None and bar is not None
    assert (frame["x"], frame["y"], frame["width"]) == (0, 0, 360) and frame["height"] >= 740 - bar[
        "height"
    ] - 4
    await page.go_back()
    await expect(page.locator("#pane-workspace")).to_be_visible()
    await page.goto(f"{province.url}/demo/phone")
    screen = await page.locator(".handset").bounding_box()
    assert screen is not None and screen["width"] == 360 and screen["y"] + screen["height"] <= 741
    assert screen["height"] > 740 - 60, "all of the screen but one line"
    await page.context.close()


async def test_w20_all_is_on_one_screen_and_steps_tick_from_what_has_happened(
    province: Service, browser: Browser
) -> None:
    page = await a_cockpit(browser, province, 1280, 800)
    for pane in ("phone", "workspace", "inbox", "systems"):
        box = await page.locator(f"#pane-{pane}").bounding_box()
        assert box is not None and box["y"] + box["height"] <= 800 and box["x"] + box["width"] <= 1280, pane
    for link in await page.locator(".steps a").all():
        await link.click()  # no press of a step's own links says that something has happened
    await ticked(page)
    phone = await at_the_phone(page)
    desk = page.frame_locator("iframe[name=workspace]")
    await desk.get_by_role("link", name="Đăng nhập bằng VNeID").click()
    await desk.get_by_role("button", name=DUNG).click()
    desk = await decides(page, re.compile(BINH))
    await ticked(page, "sign-in", "phone", "role", "approve")
    await expect(page.locator("[data-step=approve] .said")).to_contain_text(DUNG)
    await desk.get_by_role("button", name="Hoàn tác").click()
    await ticked(page, "sign-in", "phone", "role")
    await desk.get_by_role("button", name="Phê duyệt", exact=True).click()
    await ticked(page, "sign-in", "phone", "role", "approve")
    province.pass_time(seconds=UNDO + 1)
    await ticked(page, *STEPS[:5])
    await expect(page.locator("[data-step=in-force] .said")).to_have_text("3/3 hệ thống đang giữ vai trò")
    await expect(phone.locator("#in-force")).to_be_visible()
    await expect(page.locator("#systems")).to_contain_text(BINH)
    await page.context.close()


async def test_w20_a_system_is_broken_and_heals_and_the_step_says_what_waits(
    another: Service, browser: Browser
) -> None:
    page = await a_cockpit(browser, another, 1440, 900)
    await at_the_phone(page)
    desk = page.frame_locator("iframe[name=workspace]")
    await desk.get_by_role("link", name="Đăng nhập bằng VNeID").click()
    await desk.get_by_role("button", name=DUNG).click()
    await page.locator("#systems").get_by_role("button", name="Làm hỏng").nth(1).click()
    said = page.locator("[data-step=heal] .said")
    await expect(said).to_contain_text("Thư điện tử công vụ đang gặp sự cố")
    await decides(page, re.compile(BINH))
    another.pass_time(seconds=UNDO + 1)
    await expect(said).to_contain_text("1 thay đổi đang chờ")
    await expect(page.locator("[data-step=in-force] .said")).to_contain_text("2/3")
    await ticked(page, *STEPS[:4])
    await page.locator("#systems").get_by_role("button", name="Sửa lại").click()
    for _ in range(100):
        another.pass_time(seconds=20)
        if await page.locator("[data-step=heal].done").count():
            break
        await asyncio.sleep(0.2)
    await ticked(page, *STEPS)
    await expect(said).to_have_text("1 thay đổi đã tự đến nơi")
    assert another.stand.systems["thu-dien-tu"].mood is Mood.WELL
    assert not await axe(page)
    await page.context.close()
