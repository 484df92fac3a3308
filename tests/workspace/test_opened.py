"""Two who may decide the same request see that the other has it open, for a while, and nobody else does (rule 631)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import func, select

from backend.outside.clock import local_day
from backend.roles import delegations
from backend.roles.delegations import Wish
from backend.roles.opened import Opened
from tests.workspace.glass import at
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import word

# what a page says does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
FORM = 'hx-trigger="load"'


async def looks(office: Office, request_id: UUID) -> int:
    """How many are noted to have it open."""
    async with office.service.db.read() as tx:
        query = select(func.count()).where(Opened.request_id == request_id)
        return int(await tx.scalar(query) or 0)


async def test_the_other_decider_reads_who_has_it_open_for_a_quarter_of_an_hour(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Phùng Thị Hai Người")
    path = f"/workspace/requests/{request_id}"
    other = await office.desk(await office.person("Nguyễn Quang Hiếu", manages=office.unit))
    assert FORM in await desk.page(path) and await looks(office, request_id) == 0, "a GET changes nothing"
    assert (await desk.send(f"{path}/opened", {})).status_code == 204
    assert FORM not in await desk.page(path) and "chưa quyết định" not in await desk.page(path)
    assert "Lê Thị Chi mở yêu cầu này lúc" in await other.page(path)
    above = await office.desk(office.ha)
    assert (await above.send(f"{path}/opened", {})).status_code == 404
    assert await looks(office, request_id) == 1
    office.service.pass_time(minutes=16)
    assert "Lê Thị Chi" not in (await other.page(path)).split("<main")[1]
    assert FORM in await desk.page(path)
    await desk.send(f"{path}/opened", {})
    assert "Lê Thị Chi mở yêu cầu này lúc" in await other.page(path), "the later opening counts"
    await desk.send(f"{path}/decision", word("approved"))
    assert "chưa quyết định" not in await other.page(path)
    for one in (other, above):
        await one.http.aclose()


async def test_where_nobody_else_could_decide_nobody_is_noted_and_a_delegate_is_somebody(
    office: Office, desk: Desk
) -> None:
    path = f"/workspace/requests/{await office.asks('Phùng Thị Một Người')}"
    assert FORM not in await desk.page(path)
    deputy = await office.person("Phùng Văn Phó")
    await office.employ(deputy)
    now = office.service.clock.now()
    today = local_day(now)
    wish = Wish(str(deputy.account_id), ["register"], [office.unit], today, today + timedelta(days=3))
    async with office.service.db.write() as tx:
        await delegations.give(tx, office.service.kit, wish, by=office.chi.account_id, now=now)
    assert FORM in await desk.page(path)
    lent = await office.desk(deputy)
    assert (await lent.send(f"{path}/opened", {})).status_code == 204
    assert "Phùng Văn Phó mở yêu cầu này lúc" in await desk.page(path)
    await lent.http.aclose()


async def test_two_open_pages_tell_each_other_by_themselves(office: Office, browser: Browser) -> None:
    path = f"/workspace/requests/{await office.asks('Phùng Thị Cùng Lúc')}"
    hieu = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    async with at(office, browser) as mine, at(office, browser, hieu) as theirs:
        page, other = await mine.new_page(), await theirs.new_page()
        async with page.expect_response("**/opened"):
            await page.goto(path)
        await other.goto(path)
        await expect(other.get_by_text("Lê Thị Chi mở yêu cầu này lúc")).to_be_visible()
        await expect(page.get_by_text("Nguyễn Quang Hiếu mở yêu cầu này lúc")).to_be_visible()
        await page.keyboard.press("1")
        await expect(other.get_by_text("Lê Thị Chi đã phê duyệt lúc")).to_be_visible()
        await expect(other.get_by_text("chưa quyết định")).to_have_count(0)
