"""What is granted for a day to come reads so wherever it is shown, and never as if it were in force (rule 630)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect

from backend.errors import settle
from backend.outside.clock import local_day
from backend.roles import requests, review
from backend.roles.models import Role
from backend.roles.wish import Draft
from tests.journeys.visitor import a_phone, arrive_by_vneid
from tests.workspace.office import Desk, Office, Somebody
from tests.workspace.test_beside import two_posts
from tests.workspace.test_walked import told

# what a page says does not depend on where the rows are kept
LONG = "https://hue.example/" + "duong-dan" * 30
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def granted_for(office: Office, who: Somebody, days: int) -> tuple[str, str]:
    """A first role that begins in so many days; the request's address and the day as it is shown."""
    now, kit = office.service.clock.now(), office.service.kit
    day = local_day(now) + timedelta(days=days)
    draft = Draft(
        kind="register", effective_on=day, subject_type="cong_chuc", unit=office.unit, position="chuyen_vien"
    )
    async with office.service.db.write() as tx:
        made = await requests.create(tx, kit, draft, by=who.account_id, now=now, level=2)
        settle(await review.approve(tx, kit, made.id, version=1, by=office.chi.account_id, now=now))
    office.service.pass_time(seconds=11)
    return f"/workspace/requests/{made.id}", f"{day:%d/%m/%Y}"


async def test_a_role_of_a_day_to_come_reads_so_on_every_page(office: Office, desk: Desk) -> None:
    who = await office.person("Lưu Thị Sắp Tới")
    path, day = await granted_for(office, who, 9)
    own, said = await office.desk(who), f"Đã được phê duyệt, có hiệu lực từ ngày {day}"
    mine = path.replace("/workspace/", "/workspace/me/")
    person = f"/workspace/people/{who.account_id}"
    for reader, place in ((desk, path), (desk, person), (own, "/workspace/me"), (own, mine)):
        page = told((await reader.page(place)).split("<main")[1])
        assert said in page and "Đang có hiệu lực" not in page, place
    for reader, place in ((desk, "/workspace/people"), (desk, person), (own, "/workspace/me")):
        assert f"Chờ đến ngày hiệu lực từ ngày {day}" in told(await reader.page(place)), place
    slip = await desk.page(f"{path}/slip")
    assert f"Ngày hiệu lực {day}" in told(slip.replace("<dd>", " <dd>"))
    code = re.search(r"/verify/[A-Z2-7]{26}", slip)
    assert code is not None
    assert f"Ngày hiệu lực {day}" in told((await own.page(code.group())).replace("<dd>", " <dd>"))
    await own.http.aclose()
    office.service.pass_time(days=9)
    later = await office.desk(who)
    assert said not in told(await later.page("/workspace/me")), "the day has come"
    await later.http.aclose()


async def word_of(office: Office, page: Page, request_id: UUID, reason: str = "") -> None:
    """What Chi says, after the seconds in which she could take it back; the phone is opened again."""
    service, by = office.service, office.chi.account_id
    kit, now = service.kit, service.clock.now()
    async with service.db.write() as tx:
        if reason:
            said = await review.send_back(tx, kit, request_id, reason, version=None, by=by, now=now)
        else:
            said = await review.approve(tx, kit, request_id, version=None, by=by, now=now)
    settle(said)
    service.pass_time(seconds=11)
    await page.clock.set_system_time(service.clock.now())
    await page.reload()
    await expect(page.get_by_role("button", name="Vai trò").first).to_be_visible()
    await page.evaluate(f"location.hash = '#/requests/{request_id}'")


async def ends_a_role(office: Office, page: Page, who: Somebody) -> None:
    """On the phone, in nine days, keeping the post beside it, for a reason with a long address."""
    await arrive_by_vneid(page, office.service, who.persona)
    await page.get_by_role("button", name="Vai trò").first.click()
    home = page.get_by_role("listitem").filter(has_text="Chuyên viên")
    await home.get_by_role("button", name="Kết thúc", exact=True).click()
    kept = page.get_by_role("checkbox", name="Giữ lại: Văn thư")
    await expect(kept).not_to_be_checked()
    await kept.check()
    day = local_day(office.service.clock.now()) + timedelta(days=9)
    await page.get_by_label("Ngày hiệu lực").fill(f"{day:%Y-%m-%d}")
    await page.get_by_label("Lý do").fill(LONG[:200])
    await page.get_by_role("button", name="Gửi yêu cầu").click()
    await expect(page.get_by_text("Kiêm nhiệm giữ lại: Văn thư")).to_be_visible()


async def test_w04_the_phone_says_so_too_and_keeps_by_name_what_would_end_with_a_role(
    office: Office, browser: Browser
) -> None:
    who = await office.person("Lưu Văn Kiêm")
    _, beside = await two_posts(office, who)
    page = await a_phone(browser, office.service)
    await page.set_viewport_size({"width": 360, "height": 740})
    await ends_a_role(office, page, who)
    async with office.service.db.read() as tx:
        found = await requests.open_of(tx, who.account_id)
    assert found is not None
    await word_of(office, page, found, LONG)
    await expect(page.get_by_text("Lý do trả lại: https://hue.example")).to_be_visible()
    assert await page.evaluate(SIDEWAYS) == 0, "W04: a long address is broken on the phone as well"
    await page.get_by_role("button", name="Sửa và gửi lại").click()
    kept = page.get_by_role("checkbox", name="Giữ lại: Văn thư")
    await expect(kept).to_be_checked()
    await kept.uncheck()
    await page.get_by_role("button", name="Gửi lại").click()
    await expect(page.get_by_text("Kiêm nhiệm kết thúc theo: Văn thư")).to_be_visible()
    await word_of(office, page, found)
    planned = page.get_by_text("Đã được phê duyệt, chờ đến ngày hiệu lực")
    await expect(planned).to_be_visible()
    await page.evaluate("location.hash = '#/requests'")
    await expect(planned).to_be_visible()
    async with office.service.db.read() as tx:
        assert (await tx.get_one(Role, beside)).state == "active", "nothing has ended yet"
    await page.context.close()
