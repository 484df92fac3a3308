"""What somebody came for stays in sight on the phone, whatever there is to read (case W16)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import delete, select

from backend.accounts.models import Phone
from backend.support import notices
from backend.support.models import Notice, NoticeRead
from tests.journeys.visitor import a_phone, arrive_by_vneid
from tests.service import Service

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
LONG = "Đêm nay hệ thống bảo trì từ 22 giờ đến 2 giờ sáng. " * 12


@pytest_asyncio.fixture(loop_scope="session")
async def announced(service: Service) -> AsyncIterator[Service]:
    """Two announcements, each longer than a screen."""
    async with service.db.write() as tx:
        for title in ("Bảo trì đêm nay", "Lịch nghỉ lễ"):
            notices.publish(tx, service.kit, title=title, body=LONG, until=None, now=service.clock.now())
    yield service
    async with service.db.write() as tx:
        await tx.execute(delete(NoticeRead))
        await tx.execute(delete(Notice).where(Notice.account_id.is_(None)))


async def is_in_sight(page: Page, what: Locator) -> bool:
    """Whether it stands whole in the phone's screen before anybody has scrolled."""
    await expect(what).to_be_visible()
    screen, box = await page.locator("#screen").bounding_box(), await what.bounding_box()
    assert screen is not None and box is not None
    return box["y"] + box["height"] <= screen["y"] + screen["height"]


async def account_of(service: Service) -> UUID:
    """Whoever has bound a phone last."""
    async with service.db.read() as tx:
        query = select(Phone.account_id).where(Phone.account_id.is_not(None)).order_by(Phone.id.desc())
        return UUID(str((await tx.scalars(query.limit(1))).one()))


async def test_w16_notices_are_one_line_above_what_somebody_came_for(
    announced: Service, browser: Browser
) -> None:
    page = await a_phone(browser, announced)
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(page.locator(".first > summary")).to_contain_text("Lịch nghỉ lễ")
    assert await is_in_sight(page, page.get_by_role("button", name="Đăng nhập bằng VNeID"))
    await arrive_by_vneid(page, announced, announced.person("Tạ Thị Trong Tầm Mắt"))
    account_id = await account_of(announced)
    async with announced.db.write() as tx:
        for number in range(5):
            notices.tell(
                tx,
                announced.kit,
                account_id,
                "case_answered",
                now=announced.clock.now(),
                code=f"SD{number}",
                desk="Đội hỗ trợ",
            )
    await page.reload()
    line = page.locator(".first > summary")
    await expect(line).to_contain_text("7 thông báo cần đọc: Yêu cầu hỗ trợ có trả lời")
    box = await line.bounding_box()
    assert box is not None and box["height"] < 60, "one line"
    assert await is_in_sight(page, page.get_by_role("button", name="Vai trò"))
    await line.click()
    await page.get_by_role("button", name="Đã đọc").first.click()
    await expect(line).to_contain_text("6 thông báo cần đọc")
    for _ in range(6):
        await page.get_by_role("button", name="Đã đọc").first.click()
        await page.wait_for_timeout(50)
    await expect(line).to_have_count(0)
    await page.context.close()
