"""Pages without the right to them, too old, or raced for, in a real browser (cases TW01 to TW05, TW07)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import func, select

from backend.outside.clock import local_day
from backend.roles import corrections, managers, requests, review
from backend.roles.models import Role, RoleRequest
from backend.roles.wish import Draft
from tests.workspace.glass import at
from tests.workspace.office import Office
from tests.workspace.tampering import Together, looks, posted, still, written
from tests.workspace.test_presses import silent, status_of
from tests.workspace.test_reorganisations import DECISION, HEAD, carried, planned
from tests.workspace.test_walked import role_of

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
NO_REQUEST, NO_PAGE = "Không tìm thấy yêu cầu", "Không tìm thấy"
NOTHING_MANAGED = "Bạn chưa phụ trách đơn vị nào"
UNCHANGED = "Chưa có gì thay đổi"
Happens = Callable[[Office], Awaitable[None]]


async def refusing(page: Page, request_id: UUID, reason: str) -> None:
    """The page of a request with a reason for a no, typed and not yet sent."""
    await still(page)
    await page.goto(f"/workspace/requests/{request_id}")
    await page.get_by_role("button", name="Từ chối").click()
    await page.get_by_role("textbox", name="Lý do").fill(reason)


async def test_tw01_a_page_without_the_right_to_it_is_ours_and_says_nothing_of_the_others(
    office: Office, browser: Browser
) -> None:
    mine = await office.asks("Phan Thị Của Mình")
    theirs = [await office.asks(f"Phan Văn {code}", unit=code) for code in (office.other, office.root)]
    worker = await office.person("Phan Văn Bên Kia")
    await office.employ(worker, unit=office.other)
    pages = [f"/workspace/requests/{one}" for one in theirs] + [f"/workspace/people/{worker.account_id}"]
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        for path in (*pages, "/workspace/operator", "/workspace/reorganisations", "/workspace/nowhere"):
            answer = await page.goto(path)
            assert answer is not None and answer.status == 404, path
            await expect(page.get_by_role("heading", level=1)).to_contain_text(NO_PAGE)
            await expect(page.get_by_role("link", name="Về trang yêu cầu")).to_be_visible()
            said = await page.content()
            for word in (
                "Phan Văn",
                office.other,
                f"Sở Tài chính {office.number}",
                worker.persona.national_id,
            ):
                assert word not in said, (path, word)
        for one in theirs:
            await page.goto(f"/workspace/requests/{mine}")
            await posted(page, f"/workspace/requests/{one}/decision", decision="approved", version="1")
            await expect(page.get_by_role("heading", level=1)).to_have_text(NO_REQUEST)
            assert await status_of(office, one) == "pending"
            assert await written(office, "access.refused", one) == 1
        await page.goto("/workspace")
        await dismissed(office)
        await page.get_by_role("link", name="Phan Thị Của Mình").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(NOTHING_MANAGED)
        await expect(page.get_by_text("Phan Thị Của Mình")).to_have_count(0)
    assert await status_of(office, mine) == "pending"


async def test_tw02_ones_own_request_has_no_buttons_and_a_form_put_there_is_refused(
    office: Office, browser: Browser
) -> None:
    service = office.service
    draft = Draft(kind="register", subject_type="cong_chuc", unit=office.unit, position="giam_doc", fields={})
    async with service.db.write() as tx:
        by, now = office.chi.account_id, service.clock.now()
        own = (await requests.create(tx, service.kit, draft, by=by, now=now, level=2)).id
    path = f"/workspace/requests/{own}"
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        for word in ("approved", "rejected", "returned"):
            await page.goto(path)
            await expect(page.get_by_text("Bạn không thể quyết định yêu cầu của chính mình")).to_be_visible()
            await expect(page.locator("[data-decision], form.decide")).to_have_count(0)
            await page.keyboard.press("1")
            await posted(page, f"{path}/decision", decision=word, version="1", reason="Tự mình quyết định")
            heading = page.get_by_role("heading", level=1)
            await expect(heading).to_have_text("Bạn không thể quyết định yêu cầu của chính mình")
        await page.goto("/workspace")
        await expect(page.locator("input[name=pick]")).to_have_count(0)
    assert await status_of(office, own) == "pending"
    assert await written(office, "role.step_decided", own) == 0
    assert await written(office, "access.refused", own) == 3


async def test_tw03_of_two_windows_that_press_at_once_one_counts_and_the_other_is_told_who(
    office: Office, browser: Browser
) -> None:
    hieu = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    async with at(office, browser) as first, at(office, browser, hieu) as second:
        yes, no = await first.new_page(), await second.new_page()
        for number in range(3):
            request_id, gate = await office.asks(f"Phan Văn Cùng Lúc {number}"), Together(2)
            await still(yes)
            await yes.goto(f"/workspace/requests/{request_id}")
            await refusing(no, request_id, "Chưa có quyết định bổ nhiệm")
            for page in (yes, no):
                await gate.hold(page)
            await asyncio.gather(
                yes.get_by_role("button", name="Phê duyệt").click(),
                no.get_by_role("button", name="Từ chối").click(),
            )
            for page in (yes, no):
                await expect(page.locator("[data-undo], #main [role=alert]").first).to_be_visible()
            became = await status_of(office, request_id)
            won, lost = (yes, no) if became == "approved" else (no, yes)
            said = {"approved": "Lê Thị Chi đã phê duyệt lúc", "rejected": "Nguyễn Quang Hiếu đã từ chối lúc"}
            await expect(lost.get_by_role("alert")).to_contain_text(said[became])
            await expect(lost.get_by_role("alert")).to_contain_text(UNCHANGED)
            await expect(lost.locator("[data-undo], [data-decision]")).to_have_count(0)
            await expect(won.locator("[data-undo]").first).to_be_visible()
            await looks(lost, request_id)
            await expect(lost.get_by_text(said[became])).to_be_visible()
            if lost is no:
                await expect(no.get_by_label("Bạn đang viết dở")).to_have_value("Chưa có quyết định bổ nhiệm")
            for tag in ("role.step_decided", "role.request_decided"):
                assert await written(office, tag, request_id) == 1, tag
            for page in (yes, no):
                await page.unroute_all(behavior="wait")


async def withdrawn(office: Office, request_id: UUID) -> None:
    """Whoever asked takes it back."""
    service = office.service
    async with service.db.write() as tx:
        by, now = (await tx.get_one(RoleRequest, request_id)).account_id, service.clock.now()
        await requests.withdraw(tx, service.kit, request_id, by=by, level=2, authenticated_at=now, now=now)


async def corrected(office: Office, request_id: UUID) -> None:
    """Another manager returns it, and whoever asked corrects it."""
    other = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    service = office.service
    draft = Draft(kind="register", subject_type="cong_chuc", unit=office.unit, position="giam_doc", fields={})
    async with service.db.write() as tx:
        who, now = (await tx.get_one(RoleRequest, request_id)).account_id, service.clock.now()
        by = other.account_id
        await review.send_back(tx, service.kit, request_id, "Sai chức vụ", version=1, by=by, now=now)
        again = corrections.By(who, 2, now)
        await corrections.resubmit(tx, service.kit, request_id, draft, by=again, now=now)


async def merged(office: Office, unit: str, into: str) -> None:
    """A unit goes up in another one, today."""
    desk, today = await office.desk(office.ha), local_day(office.service.clock.now())
    plan = await planned(desk, f"{HEAD}merge,{unit},{into},,{today:%d/%m/%Y}\n")
    run = (await desk.send(f"{plan}/run", DECISION)).headers["location"]
    await carried(desk, run, "Đã hoàn tất")
    await desk.http.aclose()


async def test_tw04_a_page_that_has_grown_old_is_told_and_keeps_the_reason(
    office: Office, browser: Browser
) -> None:
    async with at(office, browser) as context:
        page = await context.new_page()
        for happens, told, box, becomes in (
            (withdrawn, "đã rút yêu cầu lúc", "Bạn đang viết dở", "withdrawn"),
            (corrected, "Yêu cầu đã thay đổi", "Lý do", "pending"),
        ):
            request_id = await office.asks("Phan Thị Đã Cũ")
            await refusing(page, request_id, "Viết trên trang cũ")
            await happens(office, request_id)
            await page.get_by_role("button", name="Từ chối").click()
            await expect(page.get_by_role("alert")).to_contain_text(told)
            await expect(page.get_by_role("alert")).to_contain_text(UNCHANGED)
            await expect(page.get_by_role("textbox", name=box)).to_have_value("Viết trên trang cũ")
            await looks(page, request_id)
            await expect(page.get_by_role("textbox", name=box)).to_have_value("Viết trên trang cũ")
            assert await status_of(office, request_id) == becomes
            assert await written(office, "role.request_decided", request_id) == (becomes == "pending")


async def dismissed(office: Office) -> None:
    """Chi decides for no unit any more."""
    service = office.service
    async with service.db.write() as tx:
        number, now = office.chi.persona.national_id, service.clock.now()
        await managers.remove(tx, service.kit, office.unit, number, by=None, now=now)


async def moved(office: Office) -> None:
    """Chi decides for another unit instead."""
    service = office.service
    async with service.db.write() as tx:
        number, now = office.chi.persona.national_id, service.clock.now()
        await managers.add(tx, service.kit, office.other, number, by=None, now=now)
    await dismissed(office)


async def gone_up(office: Office) -> None:
    """Chi's unit is another's part, and so are its requests."""
    await merged(office, office.unit, office.other)


@pytest.mark.parametrize(
    ("happens", "told", "scripts"),
    [
        (dismissed, NOTHING_MANAGED, True),
        (dismissed, NOTHING_MANAGED, False),
        (moved, NO_REQUEST, True),
        (moved, NO_REQUEST, False),
        (gone_up, NOTHING_MANAGED, True),
    ],
)
async def test_tw04_whoever_has_lost_the_right_is_told_and_keeps_the_reason(
    office: Office, browser: Browser, happens: Happens, told: str, scripts: bool
) -> None:
    request_id = await office.asks("Phan Thị Mất Quyền")
    async with at(office, browser, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(f"/workspace/requests/{request_id}")
        if scripts:
            await page.get_by_role("button", name="Từ chối").click()
        await page.get_by_role("textbox", name="Lý do").fill("Viết khi còn quyền")
        await happens(office)
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(told)
        await expect(page.get_by_label("Bạn đang viết dở")).to_have_value("Viết khi còn quyền")
        await expect(page.get_by_text("Phan Thị Mất Quyền")).to_have_count(0)
    assert await status_of(office, request_id) == "pending"
    assert await written(office, "role.step_decided", request_id) == 0


async def test_tw05_a_transfer_into_the_same_unit_or_one_that_has_ended_is_refused_in_words(
    office: Office, browser: Browser
) -> None:
    role_id = await role_of(office, "Phan Văn Chuyển")
    async with at(office, browser) as context:
        page = await context.new_page()

        async def press(unit: str) -> None:
            await page.get_by_label("Đơn vị đến").select_option(unit)
            await page.get_by_label("Ghi chú gửi đơn vị tiếp nhận").fill("Theo quyết định 15")
            await page.get_by_role("button", name="Chuyển công tác").click()

        await page.goto(f"/workspace/people/{role_id}/transfer")
        await press(office.unit)
        await expect(page.get_by_role("alert")).to_contain_text("Bạn đang ở đơn vị này")
        await expect(page.get_by_label("Ghi chú gửi đơn vị tiếp nhận")).to_have_value("Theo quyết định 15")
        await page.goto(f"/workspace/people/{role_id}/transfer")
        await merged(office, office.other, office.root)
        await press(office.other)
        await expect(page.get_by_role("alert")).to_contain_text("Đơn vị đã kết thúc hoạt động")
        await expect(page.get_by_label("Ghi chú gửi đơn vị tiếp nhận")).to_have_value("Theo quyết định 15")
    async with office.service.db.read() as tx:
        role = await tx.get_one(Role, role_id)
        held = select(func.count()).where(Role.account_id == role.account_id, Role.state == "active")
        asked = select(func.count()).where(RoleRequest.role_id == role_id, RoleRequest.kind == "transfer")
        assert (role.state, await tx.scalar(held), await tx.scalar(asked)) == ("active", 1, 0)


async def test_tw07_a_foreign_request_among_the_ticked_is_named_and_stays_as_it_is(
    office: Office, browser: Browser
) -> None:
    mine = [await office.asks(f"Phan Thị Chọn {number}", listed=True) for number in range(2)]
    foreign = await office.asks("Phan Văn Nơi Khác", unit=office.other, listed=True)
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto("/workspace")
        for box in await page.get_by_role("checkbox", name="Chọn yêu cầu của").all():
            await box.check()
        added = "(box, id) => { const more = box.cloneNode(); more.value = id; more.checked = true; box.after(more); }"
        await page.locator("input[name=pick]").first.evaluate(added, f"{foreign}:1")
        await page.get_by_role("button", name="Phê duyệt đã chọn").click()
        await expect(page.get_by_role("heading", name="Đã phê duyệt 2 yêu cầu")).to_be_visible()
        await expect(page.get_by_text("1 yêu cầu không thay đổi")).to_be_visible()
        row = page.locator("#main li").filter(has_text=str(foreign))
        await expect(row).to_contain_text(NO_REQUEST)
        await expect(page.get_by_text("Phan Văn Nơi Khác")).to_have_count(0)
    assert [await status_of(office, one) for one in mine] == ["approved"] * 2
    assert await status_of(office, foreign) == "pending"
    assert await written(office, "role.step_decided", foreign) == 0
