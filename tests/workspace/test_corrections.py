"""What a manager began and another unit returned, corrected at the workspace (case R01), and a frozen applicant (R03)."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from backend.account import Account
from backend.devices import takeover
from backend.roles import review, starting
from backend.roles.models import Role, RoleRequest
from backend.roles.wish import Draft
from tests.workspace.glass import at
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import state, word

ONE_ENGINE = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def returned_transfer(office: Office, name: str) -> UUID:
    """Chi moves somebody to the other unit, with a note; Dũng returns it."""
    begun = await office.has_role(name)
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        role = await tx.scalar(select(Role.id).where(Role.request_id == begun))
        assert role is not None
        by = office.chi.account_id
        draft = Draft(kind="transfer", unit=office.other)
        made = await starting.start(tx, service.kit, role, draft, by=by, now=now, note="Theo quyết định 12")
        assert isinstance(made, RoleRequest)
        await review.send_back(
            tx, service.kit, made.id, "Sai chức vụ", version=None, by=office.dung.account_id, now=now
        )
    return made.id


async def freeze(office: Office, request_id: UUID) -> None:
    service = office.service
    async with service.db.write() as tx:
        found = await tx.get_one(RoleRequest, request_id)
        now = service.clock.now()
        await takeover.freeze(tx, service.kit, found.account_id, session=None, by_session=None, now=now)


@ONE_ENGINE
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_r01_a_manager_corrects_and_the_other_unit_sees_old_and_new(
    office: Office, browser: Browser, scripts: bool
) -> None:
    request_id = await returned_transfer(office, "Lương Văn Can")
    async with at(office, browser, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        await page.get_by_role("button", name="Sửa và gửi lại").click()
        await expect(page.get_by_text("Sai chức vụ")).to_be_visible()
        await page.get_by_label("Chức vụ mới").select_option("truong_phong")
        await page.get_by_role("button", name="Gửi lại").click()
        await expect(page.get_by_role("heading", name="Đã sửa so với lần gửi trước")).to_be_visible()
    async with at(office, browser, office.dung, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/requests/{request_id}")
        corrected = page.get_by_role("heading", name="Đã sửa so với lần gửi trước")
        row = page.locator("section").filter(has=corrected).get_by_role("row").filter(has_text="Chức vụ")
        await expect(row).to_contain_text("Chuyên viên")
        await expect(row).to_contain_text("Trưởng phòng")
        await expect(page.get_by_text("Theo quyết định 12")).to_have_count(0)
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_text("Đã được phê duyệt").first).to_be_visible()


@ONE_ENGINE
async def test_r01_a_manager_takes_back_what_was_returned(office: Office, desk: Desk) -> None:
    request_id = await returned_transfer(office, "Nguyễn Quyền")
    path = f"/workspace/requests/{request_id}"
    assert "Rút yêu cầu" in await desk.page(path)
    assert (await desk.send(f"{path}/withdraw", {})).status_code == 303
    assert await state(office, request_id) == "withdrawn"
    page = await desk.page(path)
    assert "Rút yêu cầu" not in page and "Sửa và gửi lại" not in page
    assert (await desk.http.get(f"{path}/correct")).status_code == 409


@ONE_ENGINE
async def test_r03_page_list_and_bulk_say_why_a_frozen_persons_request_waits(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Đặng Tất")
    other = await office.asks("Đặng Dung", listed=True)
    await freeze(office, request_id)
    path = f"/workspace/requests/{request_id}"
    page = await desk.page(path)
    assert "đang tạm khóa vì có báo cáo đăng nhập không chính chủ" in page and "Phê duyệt" not in page
    assert "Tài khoản tạm khóa" in await desk.page("/workspace")
    answer = await desk.send(f"{path}/decision", word("approved"))
    assert answer.status_code == 409 and "đang tạm khóa" in answer.text
    picks = [f"{request_id}:1", f"{other}:1"]
    many = await desk.send("/workspace/bulk", {"decision": "approved", "pick": picks})
    told = await desk.page(many.headers["location"])
    assert "Đã phê duyệt 1 yêu cầu" in told and "đang tạm khóa" in told
    assert (await state(office, request_id), await state(office, other)) == ("pending", "approved")


@ONE_ENGINE
async def test_r30_page_and_bulk_say_why_an_unvouched_persons_request_is_not_approved(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Đặng Lộ")
    other = await office.asks("Đặng Thai", listed=True)
    async with office.service.db.write() as tx:
        found = await tx.get_one(RoleRequest, request_id)
        (await tx.get_one(Account, found.account_id)).vneid_at = None
    path = f"/workspace/requests/{request_id}"
    page = await desk.page(path)
    assert "chưa được VNeID mức 2 xác nhận" in page and "Phê duyệt" not in page
    assert "Từ chối" in page and "Trả lại" in page
    answer = await desk.send(f"{path}/decision", word("approved"))
    assert answer.status_code == 409 and "chưa được VNeID mức 2 xác nhận" in answer.text
    picks = [f"{request_id}:1", f"{other}:1"]
    many = await desk.send("/workspace/bulk", {"decision": "approved", "pick": picks})
    told = await desk.page(many.headers["location"])
    assert "Đã phê duyệt 1 yêu cầu" in told and "chưa được VNeID mức 2 xác nhận" in told
    assert (await state(office, request_id), await state(office, other)) == ("pending", "approved")
    assert (
        await desk.send(f"{path}/decision", word("returned", reason="Cần VNeID mức 2"))
    ).status_code == 303
    assert await state(office, request_id) == "returned"
